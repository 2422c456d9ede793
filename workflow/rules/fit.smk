rule fit:
    input:
        config=ancient(CONFIG),
        hparams=f"{RESULTS}/hparams/{{model}}.json",
        datasets=lambda wildcards: datasets_of(JOBS[wildcards.job]),
    output:
        predictions=f"{RESULTS}/{{job}}/{{model}}/predictions.h5",
        runtime=f"{RESULTS}/{{job}}/{{model}}/predictions.runtime.json",
    log:
        f"{LOGS}/{{job}}/{{model}}/fit.log",
    wildcard_constraints:
        job=r".+/(reps~\d+-\d+|part~\d+)",
        model="[^/]+",
    threads: 1
    params:
        protocol=lambda wildcards: as_text([COMPLETE["evaluation"], COMPLETE["seed"]]),
    shell:
        "gpatlas fit {input.datasets} --config {input.config} --hparams {input.hparams}"
        " --out {output.predictions} --runtime {output.runtime} > {log} 2>&1"
