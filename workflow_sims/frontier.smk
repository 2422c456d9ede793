# How near to what the data allow does each method come, and on which architectures of epistasis?
# Alone: snakemake -s workflow_sims/frontier.smk --cores 2; in the study: workflow/Snakefile.
# a --configfile is an experiment of its own, and adds nothing to ours
if not workflow.overwrite_configfiles:

    configfile: "config/frontier.yaml"


# notebook: the models that it cannot do without
FIGURES_NEED = {
    "fig4_frontier": set(),
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
