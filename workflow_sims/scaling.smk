# When does a network beat a linear model, as sample size, number of QTL and epistasis change?
# Alone: snakemake -s workflow_sims/scaling.smk --cores 2; in the study: workflow/Snakefile.
# a --configfile is an experiment of its own, and adds nothing to ours
if not workflow.overwrite_configfiles:

    configfile: "config/scaling.yaml"


# notebook: the models that it cannot do without
FIGURES_NEED = {
    "fig1_scaling": {"rrblup", "mlp"},
    "supp_linear_check": {"rrblup", "linear_sgd"},
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
