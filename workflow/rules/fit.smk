rule fit:
    input:
        hparams=lambda wildcards: [
            f"{RESULTS}/{path}"
            for path in DESIGN.hparams_paths(
                JOBS_BY_NAME[wildcards.job], wildcards.model
            )
        ],
        datasets=lambda wildcards: JOBS[wildcards.job],
    output:
        predictions=f"{RESULTS}/{{job}}/{{model}}/predictions.h5",
        runtime=f"{RESULTS}/{{job}}/{{model}}/predictions.runtime.json",
    log:
        f"{LOGS}/{{job}}/{{model}}/fit.log",
    wildcard_constraints:
        job=r".+/(reps~\d+-\d+|part~\d+)",
        model="[^/]+",
    threads: 1
    resources:
        gpu=lambda wildcards: int(MODELS[wildcards.model] in USES_GPU),
    params:
        evaluation=lambda wildcards: json.dumps(COMPLETE["evaluation"], sort_keys=True),
        seed=COMPLETE["seed"],
        hparams=lambda wildcards, input: [f"--hparams={path}" for path in input.hparams],
    shell:
        "gpatlas fit {input.datasets} {params.hparams:q} --evaluation {params.evaluation:q}"
        " --seed {params.seed} --out {output.predictions} --runtime {output.runtime} > {log} 2>&1"
