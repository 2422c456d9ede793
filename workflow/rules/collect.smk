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
