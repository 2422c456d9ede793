def simulation_of(wildcards):
    row = DESIGN.row(f"{wildcards.cell}/rep~{wildcards.rep}")
    return [
        DESIGN.simulation(row).model_dump(mode="json"),
        COMPLETE["engine"],
        DESIGN.seed(row, "simulate"),
    ]


rule simulate:
    input:
        config=ancient(CONFIG),
    output:
        dataset=f"{RESULTS}/{{cell}}/rep~{{rep}}/dataset.h5",
        runtime=f"{RESULTS}/{{cell}}/rep~{{rep}}/dataset.runtime.json",
    log:
        f"{LOGS}/{{cell}}/rep~{{rep}}/simulate.log",
    threads: 1
    params:
        simulation=lambda wildcards: as_text(simulation_of(wildcards)),
    shell:
        "gpatlas simulate {input.config} --row {wildcards.cell}/rep~{wildcards.rep}"
        " --out {output.dataset} --runtime {output.runtime} > {log} 2>&1"
