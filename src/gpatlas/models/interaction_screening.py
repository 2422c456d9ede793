"""Screening all pairs of loci for interactions, stage by stage, and predicting with what is found."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from gpatlas.models.dosage_model import DosageModel
from gpatlas.models.epistasis.cascade import Rules
from gpatlas.models.epistasis.discovery import Discovery, discover
from gpatlas.models.epistasis.panel import make_panel
from gpatlas.models.epistasis.screen import WORTH_INT8
from gpatlas.models.epistasis.shrunken import FEATURES_HELD, features_held, posterior_fits
from gpatlas.models.inputs import complete_parts, locus_means
from gpatlas.models.pairs import n_pairs
from gpatlas.models.space import Choice, Range
from gpatlas.models.work import CLASSICAL_PROCESS, Work
from gpatlas.packed import Bits


class InteractionScreening(DosageModel):
    """Iterated screening of all pairs of loci (additive × additive epistasis), every trait by itself.

    1. **Cascade.** A model of the additive effects is fitted; all p(p-1)/2 products of loci are tested against what it
       leaves, each given both main effects; those beyond the cut-off come in, all effects are estimated jointly, terms
       that are no longer significant go, and all pairs are screened again, until nothing is found.
    2. **Posterior.** Effects of all loci and of the pairs that could matter are estimated under a spike-and-slab prior
       whose parameters are fitted, too. These shrunken effects predict. Pairs that are more likely in than out, but
       were not found by the cascade, come in when they predict samples held out from choosing them and are significant
       in the joint model; the cascade then goes on.

    Parameters
    ----------
    control : {"fwer", "fdr"}, default="fwer"
        What `alpha` bounds: the probability that any false pair is declared (Bonferroni over all pairs), or the
        expected share of false ones among those declared (Benjamini & Hochberg).
    alpha : float, default=0.05
        The bound.
    effects : {"posterior", "least_squares"}, default="posterior"
        What predicts: shrunken effects of all candidates, or least squares on the terms declared (plain stage-wise).
    additive : {"auto", "all", "selected"}, default="auto"
        Loci whose additive effects pairs are tested given: all of them, or those significant (with the neighbours in
        linkage disequilibrium of the pair at hand). "auto" takes all when there are two samples or more per locus;
        "all" wants five samples for four loci.
    min_information : float, default=5.0
        Pairs whose product keeps less variance than this, once freed of both main effects (summed over samples, in
        squared dosage), are not tested: too few samples carry the rarest combination.
    max_stages : int, default=40
        Most stages of a cascade.
    engine : {"auto", "float32", "int8", "cuda"}, default="auto"
        How products are computed. int8 (exact for dosages; by torch) is several times faster on large problems, and
        "auto" takes it there; "cuda" is int8 on a GPU.
    n_jobs : int or None, default=None
        Threads; None is 1, -1 all cores. Results do not depend on it.
    random_state : int, RandomState or None, default=0
        Of the order in which effects are visited and of the samples held out.

    Attributes
    ----------
    loci_ : ndarray of shape (n_terms,) or list of them
        Loci declared to have an additive effect (where all are in the model: all but those that do not vary or are
        spanned by others); one array for each trait if `y` has two dimensions, as below.
    locus_effects_, locus_se_, locus_z_ : ndarray of shape (n_terms,) or list of them
        Joint least-squares effects of one more copy where partners have `shift` copies, standard errors, ratios.
    pairs_ : ndarray of shape (n_pairs, 2) or list of them
        Pairs declared, first locus < second, strongest first.
    pair_effects_, pair_se_, pair_z_ : ndarray of shape (n_pairs,) or list of them
        Joint least-squares effects of the product of dosages (trait units per copy²), standard errors, ratios
        (Student's t given everything else in the model).
    pair_probability_ : ndarray of shape (n_pairs,) or list of them
        Posterior probability that the effect is not 0; NaN where `effects_` is "least_squares".
    effects_ : str or list of str
        What predicts: `effects`, or "least_squares" where the posterior was left out (see the notes).
    marker_effects_ : ndarray of shape (n_loci,) or (n_loci, n_traits)
        Average effects of one more copy, partners at their mean dosage.

    Notes
    -----
    A missing genotype takes the locus' mean. A missing phenotype takes its sample out of that trait. Any ploidy. The
    test of a pair is Student's, so extreme phenotypes of few samples can mislead it: transform them first. Where all
    loci are in the model and the features of loci and candidates would take more than 1 GB, the posterior is left out,
    with a warning; least squares predicts as well with so many samples.

    References
    ----------
    Donoho et al. (2012) IEEE Trans. Inf. Theory 58:1094 (stage-wise pursuit); Carbonetto & Stephens (2012) Bayesian
    Analysis 7:73 (posterior); see `gpatlas.models.epistasis` for the statistic and its algebra.

    Examples
    --------
    >>> import numpy as np
    >>> from gpatlas.models import make
    >>> X = np.random.default_rng(1).integers(0, 3, (300, 20))
    >>> y = X[:, 3] + 0.5 * X[:, 4] * X[:, 9] + np.random.default_rng(2).normal(size=300) / 2
    >>> make("interaction_screening").fit(X, y).pairs_
    array([[4, 9]])
    """

    streams: ClassVar[bool] = True
    reports_stages: ClassVar[bool] = True
    presets: ClassVar[dict[str, dict[str, Any]]] = {"stagewise": {"effects": "least_squares"}}
    search_spaces: ClassVar[dict[str, dict[str, Range]]] = {
        "default": {"alpha": Choice((0.01, 0.05, 0.2)), "control": Choice(("fwer", "fdr"))}
    }
    _parameter_constraints: ClassVar[dict[str, list]] = {
        "control": [StrOptions({"fwer", "fdr"})],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "effects": [StrOptions({"posterior", "least_squares"})],
        "additive": [StrOptions({"auto", "all", "selected"})],
        "min_information": [Interval(Real, 0, None, closed="left")],
        "max_stages": [Interval(Integral, 1, None, closed="left")],
        "engine": [StrOptions({"auto", "float32", "int8", "cuda"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        control: str = "fwer",
        alpha: float = 0.05,
        effects: str = "posterior",
        additive: str = "auto",
        min_information: float = 5.0,
        max_stages: int = 40,
        engine: str = "auto",
        n_jobs: int | None = None,
        random_state: Any = 0,
    ):
        self.control = control
        self.alpha = alpha
        self.effects = effects
        self.additive = additive
        self.min_information = min_information
        self.max_stages = max_stages
        self.engine = engine
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self, X: ArrayLike | Bits, y: ArrayLike, progress: Callable[[str], None] | None = None
    ) -> "InteractionScreening":
        """Find interacting pairs and estimate effects.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_loci)
            Dosage; NaN is missing. `gpatlas.packed.Bits` are read in blocks, also from disk.
        y : array-like of shape (n_samples,) or (n_samples, n_traits)
            Phenotypes; NaN is missing.
        progress : callable, default=None
            Called with a line about every stage.

        Raises
        ------
        ValueError
            Fewer than five phenotyped samples for a trait, values that are not finite numbers, too many loci for
            `additive="all"`, or an engine that is not to be had.

        Warns
        -----
        UserWarning
            The posterior is left out.
        """
        x, Y = self._validated(X, y, minimum=5, n_samples=5)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        found: dict[int, Discovery] = {}
        for x_here, y_here, traits in complete_parts(x, Y):
            panel = make_panel(x_here)
            for column, trait in enumerate(traits):
                found[int(trait)] = discover(
                    panel,
                    y_here[:, column],
                    Rules(self.control, self.alpha, self.min_information, self.max_stages, self.engine, self.n_jobs),  # type: ignore[arg-type]
                    predict_with=self.effects,  # type: ignore[arg-type]
                    additive=self.additive,  # type: ignore[arg-type]
                    seed=seed,
                    progress=_of_trait(progress, int(trait), Y.shape[1]),
                )
        self._mean_x = locus_means(x)
        self._effects = [found[trait].effects for trait in range(Y.shape[1])]
        effects = np.column_stack([one.average_effects(self._mean_x) for one in self._effects])
        self._warn_without_posterior(found, x.shape)
        one_trait = np.asarray(y).ndim == 1
        self.marker_effects_: NDArray = effects[:, 0] if one_trait else effects
        for name, value in _ATTRIBUTES.items():
            values = [value(found[trait]) for trait in range(Y.shape[1])]
            setattr(self, name, values[0] if one_trait else values)
        self._y_shape = np.asarray(y).shape[1:]
        return self

    def predict(self, X: ArrayLike | Bits) -> NDArray[np.float64]:
        """Return predictions in trait units, `(n_samples,)` or `(n_samples, n_traits)`."""
        x = self._new_dosage(X)
        predicted = np.column_stack([effects.predict(x) for effects in self._effects])
        return predicted.reshape(len(x), *self._y_shape)

    def _warn_without_posterior(self, found: dict[int, Discovery], shape: tuple[int, int]) -> None:
        if any(one.estimated_by != self.effects for one in found.values()):
            warnings.warn(
                f"least squares predicts in place of the posterior, for which features of all {shape[1]:,} loci × "
                f"{shape[0]:,} samples would take more than {8 * FEATURES_HELD / 1e9:.2g} GB",
                stacklevel=3,
            )

    def work(self, n_samples: int, n_loci: int, n_traits: int) -> Work:
        """Estimate what one fit costs: some six screens, as many joint fits, and two posteriors of some 35 sweeps."""
        all_loci = self.additive == "all" or (self.additive == "auto" and n_samples >= 2 * n_loci)
        terms = (n_loci if all_loci else 100.0) + n_loci / 2
        large = 2.5 * n_loci**2 * n_samples > WORTH_INT8
        screens = 6 * 4.0 * n_pairs(n_loci) * n_samples / (7.0 if large else 1.0)
        joint = 2 * terms**2 * n_samples + 6 * terms**3
        work = Work(
            flops=n_traits * (screens + joint),
            memory=CLASSICAL_PROCESS + (3e8 if large else 9e7) + 3.0 * n_samples * n_loci + 8 * 4 * terms**2,
            dense=2.5 * n_samples * n_loci,
        )
        if self.effects == "posterior" and not (all_loci and not posterior_fits(n_samples, n_loci)):
            features = 4.0 * n_samples * min(n_loci + n_pairs(n_loci), features_held(n_samples, n_loci))
            work = replace(work, memory=work.memory + 2.2 * features, traffic=n_traits * 70 * features)
        return work


def _of_trait(progress: Callable[[str], None] | None, trait: int, n_traits: int) -> Callable[[str], None] | None:
    if progress is None or n_traits == 1:
        return progress
    return lambda stage: progress(f"trait {trait}, {stage}")


_ATTRIBUTES: dict[str, Callable[[Discovery], Any]] = {
    "loci_": lambda found: found.loci,
    "locus_effects_": lambda found: found.of_loci[0],
    "locus_se_": lambda found: found.of_loci[1],
    "locus_z_": lambda found: found.of_loci[2],
    "pairs_": lambda found: found.pairs,
    "pair_effects_": lambda found: found.of_pairs[0],
    "pair_se_": lambda found: found.of_pairs[1],
    "pair_z_": lambda found: found.of_pairs[2],
    "pair_probability_": lambda found: found.probability,
    "effects_": lambda found: found.estimated_by,
}
