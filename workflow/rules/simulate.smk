rule simulate:
    output:
        dataset=f"{RESULTS}/{{cell}}/rep~{{rep}}/dataset.h5",
        runtime=f"{RESULTS}/{{cell}}/rep~{{rep}}/dataset.runtime.json",
    log:
        f"{LOGS}/{{cell}}/rep~{{rep}}/simulate.log",
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: REQUESTS.simulate(
            f"{wildcards.cell}/rep~{wildcards.rep}", attempt
        ).mem_mb,
        runtime=lambda wildcards, attempt: REQUESTS.simulate(
            f"{wildcards.cell}/rep~{wildcards.rep}", attempt
        ).runtime,
    params:
        job=lambda wildcards: json.dumps(
            DESIGN.simulation_job(row_of(wildcards)),
            sort_keys=True,
        ),
    shell:
        "gpatlas simulate --job {params.job:q} --out {output.dataset} --runtime {output.runtime}"
        " > {log} 2>&1"
