# Networks that are pretrained on a panel: its genotypes are a file of their own, which holds no phenotypes at all.
RECIPES = {
    name: json.dumps(spec, sort_keys=True)
    for name, spec in COMPLETE["pretrain"].items()
}


rule panel:
    output:
        f"{RESULTS}/panels/{{panel}}.h5",
    log:
        f"{LOGS}/panels/{{panel}}.log",
    wildcard_constraints:
        panel=any_of(EXPERIMENT.panels),
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=30,
    params:
        job=lambda wildcards: json.dumps(
            EXPERIMENT.panel_job(wildcards.panel), sort_keys=True
        ),
    shell:
        "gpatlas simulate --job {params.job:q} --out {output} > {log} 2>&1"


rule import_panel:
    input:
        genotypes=lambda wildcards: EXPERIMENT.data[wildcards.panel].files.genotypes,
        maps=lambda wildcards: EXPERIMENT.data[wildcards.panel].files.maps,
    output:
        f"{RESULTS}/panels/{{panel}}.h5",
    log:
        f"{LOGS}/panels/{{panel}}.log",
    wildcard_constraints:
        panel=any_of(EXPERIMENT.data),
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=120,
    params:
        arguments=lambda wildcards: EXPERIMENT.data[wildcards.panel].panel_arguments,
    shell:
        "gpatlas import {input.genotypes:q} {params.arguments:q} --out {output} > {log} 2>&1"


# A panel whose missing calls nearest neighbours filled in, for models that ask for it.
rule impute:
    input:
        f"{RESULTS}/panels/{{panel}}.h5",
    output:
        panel=f"{RESULTS}/panels/imputed/{{panel}}.h5",
        runtime=f"{RESULTS}/panels/imputed/{{panel}}.runtime.json",
    log:
        f"{LOGS}/panels/imputed/{{panel}}.log",
    wildcard_constraints:
        panel="[^/]+",
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=120,
    shell:
        "gpatlas impute {input} --out {output.panel} --runtime {output.runtime} > {log} 2>&1"


# A killed pretraining goes on from its last state.
rule pretrain:
    input:
        f"{RESULTS}/panels/{{panel}}.h5",
    output:
        checkpoint=f"{RESULTS}/pretrain/{{recipe}}/{{panel}}/checkpoint.safetensors",
        curves=f"{RESULTS}/pretrain/{{recipe}}/{{panel}}/curves.svg",
        tables=expand(
            f"{RESULTS}/pretrain/{{{{recipe}}}}/{{{{panel}}}}/{{table}}.csv",
            table=["training", "validation", "imputation"],
        ),
        runtime=f"{RESULTS}/pretrain/{{recipe}}/{{panel}}/checkpoint.runtime.json",
    log:
        f"{LOGS}/pretrain/{{recipe}}/{{panel}}/pretrain.log",
    wildcard_constraints:
        recipe="[^/]+",
        panel="[^/]+",
    threads: lambda wildcards: EXPERIMENT.pretrain[wildcards.recipe].threads
    resources:
        mem_mb=lambda wildcards, attempt: REQUESTS.pretrain(
            wildcards.recipe, wildcards.panel, attempt
        ).mem_mb,
        runtime=lambda wildcards, attempt: REQUESTS.pretrain(
            wildcards.recipe, wildcards.panel, attempt
        ).runtime,
        gpu=int(GPUS),
    params:
        recipe=lambda wildcards: RECIPES[wildcards.recipe],
        folder=lambda wildcards, output: Path(output.checkpoint).parent,
    shell:
        "gpatlas perceiver pretrain {input} --recipe-text {params.recipe:q} --out {params.folder}"
        " --replace --runtime {output.runtime} > {log} 2>&1"


rule hparams_of_panel:
    input:
        lambda wildcards: f"{RESULTS}/{checkpoint_path(COMPLETE['models'][wildcards.model]['init_from'], wildcards.panel)}",
    output:
        f"{RESULTS}/hparams/{{model}}/{{panel}}.json",
    log:
        f"{LOGS}/hparams/{{model}}/{{panel}}.log",
    wildcard_constraints:
        model="[^/]+",
        panel="[^/]+",
    localrule: True
    params:
        entry=lambda wildcards: json.dumps(
            COMPLETE["models"][wildcards.model], sort_keys=True
        ),
    shell:
        "gpatlas hparams --model {wildcards.model} --entry {params.entry:q} --checkpoint {input} --out {output}"
        " > {log} 2>&1"
