# Hyperparameters of the models that have `tune`. The journal of trials outlives a killed job, which goes on with it.
rule tune:
    input:
        dataset=f"{RESULTS}/{{cell}}/rep~{{rep}}/dataset.h5",
        hparams=f"{RESULTS}/hparams/{{model}}.json",
    output:
        hparams=f"{RESULTS}/{{cell}}/rep~{{rep}}/{{model}}/hparams.json",
        figure=f"{RESULTS}/{{cell}}/rep~{{rep}}/{{model}}/tuning.svg",
        runtime=f"{RESULTS}/{{cell}}/rep~{{rep}}/{{model}}/hparams.runtime.json",
    log:
        f"{LOGS}/{{cell}}/rep~{{rep}}/{{model}}/tune.log",
    wildcard_constraints:
        rep=r"\d+",
        model="[^/]+",
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: REQUESTS.tune(
            f"{wildcards.cell}/rep~{wildcards.rep}", wildcards.model, attempt
        ).mem_mb,
        runtime=lambda wildcards, attempt: REQUESTS.tune(
            f"{wildcards.cell}/rep~{wildcards.rep}", wildcards.model, attempt
        ).runtime,
        gpu_share=lambda wildcards: REQUESTS.tune(
            f"{wildcards.cell}/rep~{wildcards.rep}", wildcards.model
        ).gpu_share,
        gpu=lambda wildcards: int(GPUS and MODELS[wildcards.model] in USES_GPU),
    params:
        study=lambda wildcards: f"{RESULTS}/{DESIGN.study_path(DESIGN.row(f'{wildcards.cell}/rep~{wildcards.rep}'), wildcards.model)}",
        tune=lambda wildcards: COMPLETE["models"][wildcards.model]["tune"],
        seed=COMPLETE["seed"],
    shell:
        "gpatlas tune {input.dataset} --hparams {input.hparams} --space {params.tune[space]}"
        " --n-trials {params.tune[n_trials]} --pruner {params.tune[pruner]} --seed {params.seed}"
        " --study {params.study} --out {output.hparams} --figure {output.figure} --runtime {output.runtime}"
        " > {log} 2>&1"
