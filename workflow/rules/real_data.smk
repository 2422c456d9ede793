# Real populations: read once, split once for each design row.
rule import_data:
    input:
        genotypes=lambda wildcards: EXPERIMENT.data[wildcards.data].files.genotypes,
        tables=lambda wildcards: EXPERIMENT.data[wildcards.data].files.tables,
    output:
        f"{RESULTS}/data/{{data}}.h5",
    log:
        f"{LOGS}/data/{{data}}.log",
    wildcard_constraints:
        data="[^/]+",
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=120,
    params:
        arguments=lambda wildcards: EXPERIMENT.data[wildcards.data].import_arguments,
    shell:
        "gpatlas import {input.genotypes:q} {params.arguments:q} --out {output} > {log} 2>&1"


ruleorder: split > simulate


rule split:
    input:
        lambda wildcards: f"{RESULTS}/data/{DESIGN.simulation(row_of(wildcards)).data}.h5",
    output:
        dataset=f"{RESULTS}/{{cell}}/rep~{{rep}}/dataset.h5",
        runtime=f"{RESULTS}/{{cell}}/rep~{{rep}}/dataset.runtime.json",
    log:
        f"{LOGS}/{{cell}}/rep~{{rep}}/split.log",
    wildcard_constraints:
        cell=any_of(SPLIT),
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=10,
    params:
        arguments=lambda wildcards: DESIGN.simulation(row_of(wildcards)).split_arguments,
        seed=lambda wildcards: DESIGN.seed(row_of(wildcards), "simulate"),
    shell:
        "gpatlas split {input} {params.arguments:q} --seed {params.seed} --out {output.dataset}"
        " --runtime {output.runtime} > {log} 2>&1"
