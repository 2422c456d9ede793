# Networks of the recipes in `pretrain`. Training draws its populations meanwhile; with `--config draw_shards=N` so many
# jobs draw them beforehand, side by side, into a cache. A killed training goes on from its last state.
RECIPES = {
    name: json.dumps(spec, sort_keys=True)
    for name, spec in COMPLETE["pretrain"].items()
}


rule draw:
    output:
        runtime=f"{RESULTS}/pretrain/{{recipe}}/draws/shard~{{shard}}.runtime.json",
    log:
        f"{LOGS}/pretrain/{{recipe}}/draw/shard~{{shard}}.log",
    wildcard_constraints:
        shard=r"\d+",
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=240,
    params:
        recipe=lambda wildcards: RECIPES[wildcards.recipe],
        folder=lambda wildcards, output: Path(output.runtime).parent,
        shards=SHARDS,
    shell:
        "gpatlas gpfn draw --recipe-text {params.recipe:q} --shard {wildcards.shard}/{params.shards}"
        " --out {params.folder} --replace --runtime {output.runtime} > {log} 2>&1"


# One thread, which draws, too: more would wait for each other on so small matrices, and other jobs use the cores.
rule pretrain:
    input:
        lambda wildcards: [
            f"{RESULTS}/pretrain/{wildcards.recipe}/draws/shard~{shard}.runtime.json"
            for shard in range(1, SHARDS + 1)
        ],
    output:
        checkpoint=f"{RESULTS}/pretrain/{{recipe}}/checkpoint.safetensors",
        curves=f"{RESULTS}/pretrain/{{recipe}}/curves.svg",
        tables=expand(
            f"{RESULTS}/pretrain/{{{{recipe}}}}/{{table}}.csv",
            table=["training", "validation"],
        ),
        runtime=f"{RESULTS}/pretrain/{{recipe}}/checkpoint.runtime.json",
    log:
        f"{LOGS}/pretrain/{{recipe}}/pretrain.log",
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=240,
        gpu=int(GPUS),
    params:
        recipe=lambda wildcards: RECIPES[wildcards.recipe],
        folder=lambda wildcards, output: Path(output.checkpoint).parent,
        source=lambda wildcards, input: (
            f"--cache={Path(input[0]).parent}" if input else "--workers=0"
        ),
    shell:
        "gpatlas gpfn train --recipe-text {params.recipe:q} {params.source:q} --out {params.folder}"
        " --replace --runtime {output.runtime} > {log} 2>&1"
