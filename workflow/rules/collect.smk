rule score:
    input:
        config=f"{RESULTS}/config.json",
        datasets=list(chain.from_iterable(JOBS.values())),
        predictions=PREDICTIONS,
    output:
        metrics=f"{RESULTS}/metrics.csv",
        splits=f"{RESULTS}/splits.csv",
        selected=f"{RESULTS}/selected.csv",
        pairs=f"{RESULTS}/pairs.csv",
        variances=f"{RESULTS}/variances.csv",
        runtimes=f"{RESULTS}/runtimes.csv",
    log:
        f"{LOGS}/score.log",
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=60,
    params:
        results=lambda wildcards, output: Path(output[0]).parent,
    shell:
        "gpatlas score {input.config} --results {params.results} > {log} 2>&1"


rule figures:
    input:
        notebook=f"{NOTEBOOKS}/{{notebook}}.ipynb",
        metrics=f"{RESULTS}/metrics.csv",
    output:
        notebook=f"{RESULTS}/notebooks/{{notebook}}.ipynb",
        figures=directory(f"{RESULTS}/figures/{{notebook}}"),
    log:
        f"{LOGS}/{{notebook}}.log",
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=30,
    params:
        results=lambda wildcards, input: Path(input.metrics).parent,
    shell:
        "papermill --no-progress-bar -p results {params.results} -p figures {output.figures}"
        " {input.notebook} {output.notebook} > {log} 2>&1"


rule report:
    input:
        metrics=f"{RESULTS}/metrics.csv",
        runtimes=f"{RESULTS}/runtimes.csv",
        figures=expand(f"{RESULTS}/figures/{{notebook}}", notebook=FIGURES),
    output:
        f"{RESULTS}/report.html",
    log:
        f"{LOGS}/report.log",
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=30,
    params:
        results=lambda wildcards, input: Path(input.metrics).parent,
    shell:
        "gpatlas report {params.results} --out {output} > {log} 2>&1"
