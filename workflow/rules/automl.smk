rule simulate_cohort:
    output:
        dataset=f"{RESULTS}/{{dataset}}/rep~{{rep}}/dataset.h5",
        runtime=f"{RESULTS}/{{dataset}}/rep~{{rep}}/dataset.runtime.json",
    log:
        f"{LOGS}/{{dataset}}/rep~{{rep}}/simulate-cohort.log",
    wildcard_constraints:
        dataset=names_of("cohort"),
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=30,
    params:
        arguments=lambda wildcards: run_of(wildcards).simulate_arguments,
    shell:
        "gpatlas simulate-cohort {params.arguments:q} --out {output.dataset} --runtime {output.runtime}"
        " > {log} 2>&1"


rule simulate:
    output:
        dataset=f"{RESULTS}/{{dataset}}/rep~{{rep}}/dataset.h5",
        runtime=f"{RESULTS}/{{dataset}}/rep~{{rep}}/dataset.runtime.json",
    log:
        f"{LOGS}/{{dataset}}/rep~{{rep}}/simulate.log",
    wildcard_constraints:
        dataset=names_of("population"),
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=30,
    params:
        arguments=lambda wildcards: run_of(wildcards).simulate_arguments,
    shell:
        "gpatlas simulate {params.arguments:q} --out {output.dataset} --runtime {output.runtime}"
        " > {log} 2>&1"


rule import_genotypes:
    input:
        genotypes=lambda wildcards: run_of(wildcards).entry.files.genotypes,
        tables=lambda wildcards: run_of(wildcards).entry.files.tables,
    output:
        dataset=f"{RESULTS}/{{dataset}}/rep~{{rep}}/dataset.h5",
        runtime=f"{RESULTS}/{{dataset}}/rep~{{rep}}/dataset.runtime.json",
    log:
        f"{LOGS}/{{dataset}}/rep~{{rep}}/import.log",
    wildcard_constraints:
        dataset=names_of("files"),
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=120,
    params:
        arguments=lambda wildcards: run_of(wildcards).entry.files.import_arguments,
    shell:
        "gpatlas import {input.genotypes:q} {params.arguments:q} --out {output.dataset} --runtime {output.runtime}"
        " > {log} 2>&1"


# The journal of results is no output: it outlives a killed job, which goes on with it.
rule automl:
    input:
        f"{RESULTS}/{{dataset}}/rep~{{rep}}/dataset.h5",
    output:
        tables=expand(
            f"{RESULTS}/{{{{dataset}}}}/rep~{{{{rep}}}}/automl/{{table}}",
            table=["task.json", "leaderboard.csv", "folds.csv", "metrics.csv"],
        ),
        model=f"{RESULTS}/{{dataset}}/rep~{{rep}}/automl/model.gpatlas",
        report=f"{RESULTS}/{{dataset}}/rep~{{rep}}/automl/report.html",
        runtime=f"{RESULTS}/{{dataset}}/rep~{{rep}}/automl/model.runtime.json",
    log:
        f"{LOGS}/{{dataset}}/rep~{{rep}}/automl.log",
    threads: CORES_PER_RUN
    resources:
        mem_mb=lambda wildcards, attempt: request_search(
            run_of(wildcards), attempt
        ).mem_mb,
        runtime=lambda wildcards, attempt: request_search(
            run_of(wildcards), attempt
        ).runtime,
    params:
        arguments=lambda wildcards: run_of(wildcards).search_arguments,
        folder=lambda wildcards, output: Path(output.model).parent,
    shell:
        "gpatlas automl {input} {params.arguments:q} --cores {threads} --out {params.folder}"
        " --runtime {output.runtime} > {log} 2>&1"


rule score:
    input:
        config=f"{RESULTS}/config.json",
        models=[f"{RESULTS}/{model_path(run)}" for run in RUNS.values()],
    output:
        metrics=f"{RESULTS}/metrics.csv",
        scores=f"{RESULTS}/scores.csv",
        causal=f"{RESULTS}/causal.csv",
        runtimes=f"{RESULTS}/runtimes.csv",
    log:
        f"{LOGS}/score.log",
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=30,
    params:
        results=lambda wildcards, output: Path(output[0]).parent,
    shell:
        "gpatlas score {input.config} --results {params.results} > {log} 2>&1"
