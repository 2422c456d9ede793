rule configuration:
    output:
        CONFIG,
    localrule: True
    params:
        settings=lambda wildcards: json.dumps(COMPLETE),  # in the order of the file
    shell:
        "gpatlas config --text {params.settings:q} --out {output}"


rule hparams:
    input:
        config=ancient(CONFIG),
    output:
        f"{RESULTS}/hparams/{{model}}.json",
    log:
        f"{LOGS}/hparams/{{model}}.log",
    params:
        entry=lambda wildcards: as_text(COMPLETE["models"][wildcards.model]),
    shell:
        "gpatlas hparams {input.config} --model {wildcards.model} --out {output} > {log} 2>&1"
