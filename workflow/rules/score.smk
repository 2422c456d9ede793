rule score:
    input:
        config=f"{RESULTS}/config.json",
        datasets=list(chain.from_iterable(JOBS.values())),
        predictions=PREDICTIONS,
        checkpoints=[f"{RESULTS}/{path}" for path in DESIGN.pretrained],
    output:
        metrics=f"{RESULTS}/metrics.csv",
        splits=f"{RESULTS}/splits.csv",
        selected=f"{RESULTS}/selected.csv",
        pairs=f"{RESULTS}/pairs.csv",
        variances=f"{RESULTS}/variances.csv",
        runtimes=f"{RESULTS}/runtimes.csv",
        imputation=[f"{RESULTS}/imputation.csv"] if EXPERIMENT.panel_names else [],
    log:
        f"{LOGS}/score.log",
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=60,
    params:
        results=lambda wildcards, output: Path(output[0]).parent,
    shell:
        "gpatlas score {input.config} --results {params.results} > {log} 2>&1"
