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
