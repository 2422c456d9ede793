# Does a network that was trained on simulated breeding populations predict better than a model fitted anew?
# Alone: snakemake -s workflow/gpfn.smk --cores 2; in the study: workflow/Snakefile.
# a --configfile is an experiment of its own, and adds nothing to ours
if not workflow.overwrite_configfiles:

    configfile: "config/gpfn.yaml"


# notebook: the models that it cannot do without
FIGURES_NEED = {
    "fig6_gpfn": set(),
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
include: "rules/pretrain.smk"
include: "rules/tune.smk"
include: "rules/fit.smk"
include: "rules/score.smk"
include: "rules/collect.smk"
