"""Titles of experiments and captions of figures, by the figure's file name."""

TITLES = {"scaling": "Scaling: sample size, number of QTL and epistasis"}

CAPTIONS = {
    "fig1a_gain_over_linear": (
        "Figure 1A",
        "Relative gain in predictive ability of the MLP over the linear model. Points are replicates, lines their "
        "means; one panel for each expected share of additive in genetic variance.",
    ),
    "fig1b_network_by_scaling": (
        "Figure 1B",
        "Predictive ability of the MLP against the number of possible QTL pairs per sample. Dotted: what capturing "
        "all additive variance, and nothing else, would give.",
    ),
    "fig1c_accuracy_to_ceiling": (
        "Figure 1C",
        "Predictive ability as a share of the ceiling, which is what the true genetic value reaches. Bands are ± one "
        "standard error over replicates; dotted: theory for rrBLUP with unlinked loci (Daetwyler et al. 2008).",
    ),
    "supp_linear_check": (
        "Supplement",
        "The linear model fitted by stochastic gradient descent against exact rrBLUP.",
    ),
}
