# What does pretraining on all genotypes give, where few lines have phenotypes?
# Alone: snakemake -s workflow/perceiver.smk --cores 2; in the study: workflow/Snakefile.
# a --configfile is an experiment of its own, and adds nothing to ours
if not workflow.overwrite_configfiles:

    configfile: "config/perceiver.yaml"


# notebook: the models that it cannot do without
FIGURES_NEED = {
    "fig7_perceiver": set(),
}


include: "rules/common.smk"
include: "rules/design.smk"


rule all:
    input:
        f"{RESULTS}/report.html",
        f"{RESULTS}/metrics.csv",


include: "rules/configure.smk"
include: "rules/simulate.smk"
include: "rules/real_data.smk"
include: "rules/panels.smk"
include: "rules/tune.smk"
include: "rules/fit.smk"
include: "rules/score.smk"
include: "rules/collect.smk"
