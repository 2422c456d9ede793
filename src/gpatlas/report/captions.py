"""What the report says of each experiment: titles, captions of figures by file name, and what is held against what."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Story:
    """How an experiment is told.

    Parameters
    ----------
    title
        Of the section.
    heading, reading
        Of the table of verdicts, and how to read it.
    panels, along
        Design columns that make up a line of that table, and the column along which the line says where a model is
        ahead; everything else is averaged within a replicate.
    linear
        Model that the others are held against; None takes the linear model that was scored on the same samples.
    models
        Models that are held against it; None takes all others.
    within
        Design columns beside the replicate that tell populations apart, which differences are paired in.
    """

    title: str
    heading: str
    reading: str
    panels: tuple[str, ...]
    along: str
    linear: str | None = "rrblup"
    models: tuple[str, ...] | None = None
    within: tuple[str, ...] = ()


STORIES = {
    "scaling": Story(
        "Scaling: sample size, number of QTL and epistasis",
        "Where the MLP is ahead of the linear model",
        "Why: a linear model reaches √(V_A/V_G) of the ceiling at most; the network passes that where it has learned "
        "which pairs interact, and it needs about as many samples as there are possible pairs.",
        ("heritability", "rel_aa", "n_samples"),
        "n_qtl",
        None,
        ("mlp",),
    ),
    "dilution": Story(
        "Dilution: QTL among markers without effect",
        "Which models are ahead of rrBLUP, among how many markers",
        "Why: rrBLUP spreads its effects over all markers, and a network has to find the pairs among all of them. "
        "Models that select loci first keep their predictions together, as far as the selection is right (Fig. 2C).",
        ("heritability", "rel_aa"),
        "n_markers",
    ),
    "pleiotropy": Story(
        "Pleiotropy: many traits on the same QTL",
        "Which models are ahead of rrBLUP, at how many QTL",
        "Why: traits that share pairs let a network learn a pair from all of them; traits whose pairs are their own "
        "compete for its hidden units. Multi-trait rrBLUP borrows along the genetic correlation, which helps where "
        "heritability is low.",
        ("heritability", "n_traits", "pairing"),
        "n_qtl",
    ),
    "frontier": Story(
        "Frontier: what the data allow, and who gets there",
        "Which models are ahead of rrBLUP, under which architecture of epistasis",
        "Why: a model is ahead where its assumption is the truth. Searching pairs one by one is made for few strong "
        "ones; kernels of all pairs for many weak ones; neither sees triples, for which only the additive part is "
        "left. A network assumes least and needs the most samples.",
        ("architecture", "heritability", "n_samples"),
        "n_qtl",
    ),
    "gpfn": Story(
        "GPFN: networks trained on simulated breeding populations",
        "Which models are ahead of rrBLUP, under which trait laws",
        "Why: rrBLUP gives every marker the same prior variance, which is right where every locus acts. Where few do, "
        "models that weigh markers are ahead; BayesCπ learns the weights from the population alone, GPFN has learnt "
        "from other populations what weights look like.",
        ("n_samples", "n_markers"),
        "law",
        within=("prior",),
    ),
    "perceiver": Story(
        "Perceiver: pretrained on every genotype, finetuned on the few lines with phenotypes",
        "Which models are ahead of rrBLUP, with how many phenotyped lines",
        "Why: rrBLUP asks one number of the data, how much of the variance is additive, and takes relationships from "
        "all markers alike. A network has to learn which pieces of the genome are the same before it can learn what "
        "they do; pretraining lets it learn the first from lines without phenotypes. Where calls are missing, rrBLUP "
        "takes a marker's mean for them, unless they are imputed first: what they are is a part of what pretraining "
        "learns.",
        ("data",),
        "n_phenotyped",
    ),
}

TITLES = {"automl_cohort": "One clinic, from genotypes to a predictor"}  # of notebooks that tell a story of their own

CAPTIONS = {
    "fig5a_scores_to_ceiling": (
        "Figure 5A",
        "Score of each search on samples that it never saw, with its 95 % interval (corrected for the overlap of "
        "training samples, Nadeau & Bengio 2003), and the model that it chose from all samples. Green: the ceiling, "
        "which is the expected score of one who knows the recipe, or the score of the true genetic values.",
    ),
    "fig5b_causal_ranks": (
        "Figure 5B",
        "Share of the causal loci among the highest ranked ones, ranked by what shuffling a locus costs the chosen "
        "model, and by the p value of each locus alone. Thin: single replicates. A curve that reaches 1 at the dotted "
        "line puts every causal locus before all others.",
    ),
    "cohort_a_samples": (
        "The people",
        "Principal components of the genotypes: the first two, and who is ill.",
    ),
    "cohort_b_leaderboard": (
        "Leaderboard",
        "Score on people who took no part in fitting, tuning or choosing, with its 95 % interval. Orange: the whole "
        "search. Rings: what the search itself saw. Dashed: the ceiling.",
    ),
    "cohort_c_chance": ("Chance", "Scores with shuffled phenotypes, and with phenotypes as they are."),
    "cohort_d_roc": (
        "ROC curve",
        "Mean over folds (thin: single folds). Dotted: chance.",
    ),
    "cohort_e_calibration": (
        "Calibration",
        "What share of people with about this predicted probability are cases, in ten groups of equal size; on the "
        "dotted line, probabilities mean what they say.",
    ),
    "cohort_f_confusion": ("Confusion", "People by observed and predicted class, and their share of the observed one."),
    "cohort_g_importance": (
        "Importance",
        "What shuffling a site costs the chosen model on people it had not seen. Green: the causal sites.",
    ),
    "cohort_h_shap": (
        "SHAP values",
        "How far each site moved the prediction of each person.",
    ),
    "cohort_i_manhattan": (
        "Association along the genome",
        "Each site alone, beside principal components and sex. Dashed: 5 % for all tests together. Ringed: the causal "
        "sites.",
    ),
    "fig6a_accuracy": (
        "Figure 6A",
        "Accuracy by breeding scheme and by trait law, and its difference to rrBLUP on the same populations. Points "
        "are means over populations, bars ± one standard error.",
    ),
    "fig6b_coverage": (
        "Figure 6B",
        "Share of predicted intervals that hold the true genetic value, against the share that should (dotted: as it "
        "should be). Thin: breeding schemes; broad: their mean.",
    ),
    "fig6c_real_data": (
        "Figure 6C",
        "Predictive ability in real populations, and its difference to rrBLUP on the same samples. Points are means "
        "over random splits, bars ± one standard error as if splits shared no samples.",
    ),
    "fig7a_ability": (
        "Figure 7A",
        "Predictive ability, and accuracy where the truth is known, against the number of lines with phenotypes. "
        "Points are means over replicates, each the mean over environments; bars are 95 % intervals (of real lines as "
        "if random splits shared none).",
    ),
    "fig7b_gain": (
        "Figure 7B",
        "Predictive ability of the pretrained perceiver less that of each other model on the same lines, trait and "
        "errors. Above zero, the pretrained one is ahead. Bars are 95 % intervals over replicates.",
    ),
    "fig7c_imputation": (
        "Figure 7C",
        "Share of hidden calls that pretraining tells right on lines held out from it, by the frequency of the minor "
        "allele (classes of 30 calls or more), beside the vote of the lines that are nearest in a window of markers, "
        "and the most frequent call.",
    ),
    "fig4a_frontier": (
        "Figure 4A",
        "Predictive ability as a share of the ceiling, which is what the true genetic value reaches (dashed), against "
        "the number of possible QTL pairs per sample, where epistasis is of disjoint pairs, of all pairs, or of "
        "disjoint triples. Dotted: all additive variance, and nothing else. Faint points are replicates, lines their "
        "means; the broad one is the stack, which lies on its best member.",
    ),
    "fig4b_found_pairs": (
        "Figure 4B",
        "Interacting pairs that models found, where the truth is disjoint pairs: the share of true pairs that was "
        "found, and the share of found pairs that is false (0 where none was found).",
    ),
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
    "fig2a_gain_by_markers": (
        "Figure 2A",
        "Predictive ability minus that of rrBLUP, against the number of markers among which the QTL lie. Points are "
        "replicates, lines their means, bands ± one standard error.",
    ),
    "fig2b_ability_by_markers": (
        "Figure 2B",
        "Predictive ability as a share of the ceiling, which is what the true genetic value reaches (dashed).",
    ),
    "fig2c_selected_loci": (
        "Figure 2C",
        "What was selected. Precision: share of the kept loci that are QTL of the trait. Recall: share of the trait's "
        "QTL that are kept.",
    ),
    "fig3a_gain_by_correlation": (
        "Figure 3A",
        "Relative gain in predictive ability of the MLP over rrBLUP, averaged over the traits of a population. Points "
        "are replicates, bars their means; filled where traits share their epistatic pairs, open where they do not.",
    ),
    "fig3b_pairing": (
        "Figure 3B",
        "Correlation and architecture, apart: predictive ability against the genetic correlation, with epistatic pairs "
        "shared by all traits or drawn for each. Faint points are replicates, means over the traits of a population.",
    ),
    "fig3c_pairing_difference": (
        "Figure 3C",
        "Predictive ability with shared pairs minus that with separate ones, between populations that have the same "
        "genotypes, additive effects and errors. Bands are ± one standard error over replicates.",
    ),
    "fig3d_multitrait_gain": (
        "Figure 3D",
        "What rrBLUP gains from fitting all traits together, which uses their genetic and residual correlations.",
    ),
}
