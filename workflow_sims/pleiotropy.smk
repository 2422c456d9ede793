# What do further traits on the same QTL give a network and a linear model?
# Alone: snakemake -s workflow_sims/pleiotropy.smk --cores 2; in the study: workflow/Snakefile.
# a --configfile is an experiment of its own, and adds nothing to ours
if not workflow.overwrite_configfiles:

    configfile: "config/pleiotropy.yaml"


# notebook: the models that it cannot do without
FIGURES_NEED = {
    "fig3_pleiotropy": {"rrblup", "mlp"},
}


include: "../workflow/rules/common.smk"
include: "../workflow/rules/design.smk"


rule all:
    input:
        f"{RESULTS}/report.html",
        f"{RESULTS}/metrics.csv",


include: "../workflow/rules/configure.smk"
include: "../workflow/rules/simulate.smk"
include: "../workflow/rules/tune.smk"
include: "../workflow/rules/fit.smk"
include: "../workflow/rules/score.smk"
include: "../workflow/rules/collect.smk"
