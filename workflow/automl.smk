# Which model predicts each data set best, how near does it come to the ceiling, and does it say why?
# Alone: snakemake -s workflow/automl.smk --cores 2; in the study: workflow/Snakefile.
# a --configfile is an experiment of its own, and adds nothing to ours
if not workflow.overwrite_configfiles:

    configfile: "config/automl.yaml"


include: "rules/common.smk"
include: "rules/runs.smk"


rule all:
    input:
        f"{RESULTS}/report.html",
        f"{RESULTS}/metrics.csv",


include: "rules/configure.smk"
include: "rules/automl.smk"
include: "rules/collect.smk"
