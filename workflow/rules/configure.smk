# The whole configuration goes into results; a rule's own part of it goes into its command line, so that a changed key
# reruns what depends on it, and no more.
rule configuration:
    output:
        f"{RESULTS}/config.json",
    log:
        f"{LOGS}/configuration.log",
    localrule: True
    params:
        settings=lambda wildcards: json.dumps(COMPLETE),
    shell:
        "gpatlas config --text {params.settings:q} --out {output} > {log} 2>&1"


rule hparams:
    output:
        f"{RESULTS}/hparams/{{model}}.json",
    log:
        f"{LOGS}/hparams/{{model}}.log",
    localrule: True
    params:
        entry=lambda wildcards: json.dumps(
            COMPLETE["models"][wildcards.model], sort_keys=True
        ),
    shell:
        "gpatlas hparams --model {wildcards.model} --entry {params.entry:q} --out {output} > {log} 2>&1"
