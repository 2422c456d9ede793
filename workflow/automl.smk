# Which model predicts each data set best, how near does it come to the ceiling, and does it say why?
# Alone: snakemake -s workflow/automl.smk --cores 2; in the study: workflow/Snakefile.
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
