rule hparams:
    input:
        lambda wildcards: checkpoint_of(wildcards.model),
    output:
        f"{RESULTS}/hparams/{{model}}.json",
    log:
        f"{LOGS}/hparams/{{model}}.log",
    wildcard_constraints:
        model="[^/]+",
    localrule: True
    params:
        entry=lambda wildcards: json.dumps(
            COMPLETE["models"][wildcards.model], sort_keys=True
        ),
        checkpoint=lambda wildcards, input: [f"--checkpoint={path}" for path in input],
    shell:
        "gpatlas hparams --model {wildcards.model} --entry {params.entry:q} {params.checkpoint:q} --out {output}"
        " > {log} 2>&1"


rule fit:
    input:
        hparams=lambda wildcards: [
            f"{RESULTS}/{path}"
            for path in DESIGN.hparams_paths(
                JOBS_BY_NAME[wildcards.job], wildcards.model
            )
        ],
        checkpoint=lambda wildcards: [
            f"{RESULTS}/{path}"
            for path in DESIGN.checkpoints(
                JOBS_BY_NAME[wildcards.job], wildcards.model
            )
        ],
        imputed=lambda wildcards: [
            f"{RESULTS}/{path}"
            for path in DESIGN.imputed(JOBS_BY_NAME[wildcards.job], wildcards.model)
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
        mem_mb=lambda wildcards, attempt: REQUESTS.fit(
            wildcards.job, wildcards.model, attempt
        ).mem_mb,
        runtime=lambda wildcards, attempt: REQUESTS.fit(
            wildcards.job, wildcards.model, attempt
        ).runtime,
        gpu_share=lambda wildcards: REQUESTS.fit(
            wildcards.job, wildcards.model
        ).gpu_share,
        gpu=lambda wildcards: int(GPUS and MODELS[wildcards.model] in USES_GPU),
    params:
        evaluation=lambda wildcards: json.dumps(COMPLETE["evaluation"], sort_keys=True),
        seed=COMPLETE["seed"],
        hparams=lambda wildcards, input: [f"--hparams={path}" for path in input.hparams],
        genotypes=lambda wildcards, input: [
            f"--genotypes={path}" for path in input.imputed
        ],
    shell:
        "gpatlas fit {input.datasets} {params.hparams:q} {params.genotypes:q} --evaluation {params.evaluation:q}"
        " --seed {params.seed} --out {output.predictions} --runtime {output.runtime} > {log} 2>&1"
