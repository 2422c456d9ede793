"""How causal sites and sex make ill: the generator of a cohort, and the posterior that nobody can beat.

With p_c(g) the share of dosage g at causal site c, w(g) the chance that this dosage is a causal genotype, C the
causal sites of a subtype, all of them together being A, s the sex and P(s) its shares among the healthy:

    not causal      q_C(g) = Π_{c∈C} (1 - w(g_c))
    control         p(g) (1 - f (1 - q_A(g))) / (1 - f (1 - E q_A)) · P(s)                     f = penetrance
    case            drawn from p(g) P(s); if no site of C is causal, and not left as a phenocopy (chance φ), a site of C
                    chosen evenly is drawn again from p_c(g) w(g) / E w, and the sex from the biased shares B(s)

    P(g, s | case) = p(g) P(s) (1 - q_C + φ q_C)
                     + (1 - φ) p(g) B(s)/|C| Σ_{c∈C} w(g_c) (1 - E w_c)/E w_c · q_{C∖c}(g)

Other sites depend on the causal ones alone, so that these likelihoods, with the classes' shares, are all that genotypes
and sex say about the class.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpatlas.config.cohort import CohortSpec
from gpatlas.errors import ConfigError

CAUSES = {"recessive": (0.0, 0.0, 1.0), "dominant": (0.0, 1.0, 1.0), "additive": (0.0, 0.5, 1.0)}
SEXES = ("female", "male", "unknown")
Floats = NDArray[np.float64]
_LEAST_HEALTHY = 1e-4  # of genotypes that are drawn; controls are those of them that do not fall ill


@dataclass(frozen=True)
class Illness:
    """One illness with its subtypes, at given frequencies.

    Parameters
    ----------
    frequencies
        p, float64 `(n_causal, 3)`: shares of dosage 0, 1, 2.
    causes
        w, float64 `(3,)`: chance that a dosage is a causal genotype.
    subtype
        Class of every causal site, `(n_causal,)`: 1, 2, …; class 0 are the controls.
    class_shares, sex_shares, biased_sex_shares
        π `(n_classes,)`, P and B `(3,)`.
    penetrance, phenocopies
        f and φ.
    """

    frequencies: Floats
    causes: Floats
    subtype: NDArray[np.intp]
    class_shares: Floats
    sex_shares: Floats
    biased_sex_shares: Floats
    penetrance: float
    phenocopies: float

    @classmethod
    def of(cls, spec: CohortSpec, frequencies: Floats) -> "Illness":
        """Return the illness of a spec at causal sites with these genotype frequencies `(n_causal, 3)`."""
        known = (1 - spec.unknown_sex) / 2
        sex = np.array([known, known, spec.unknown_sex])
        affected = np.array([name == spec.affected_sex for name in SEXES], dtype=float)
        others = np.where(affected, 0, sex) / (sex @ (1 - affected))
        given = affected if spec.sex_bias >= 0 else others
        illness = cls(
            frequencies=frequencies,
            causes=np.array(CAUSES[spec.encoding]),
            subtype=np.arange(len(frequencies)) % spec.n_subtypes + 1,
            class_shares=np.array(spec.class_sizes) / spec.n_samples,
            sex_shares=sex,
            biased_sex_shares=(1 - abs(spec.sex_bias)) * sex + abs(spec.sex_bias) * given,
            penetrance=spec.penetrance,
            phenocopies=spec.phenocopies,
        )
        no_cause = np.prod(1 - frequencies @ illness.causes)
        healthy = (1 - illness.penetrance) + illness.penetrance * no_cause
        if healthy < _LEAST_HEALTHY:
            raise ConfigError(
                f"penetrance {spec.penetrance:g}: only {healthy:.1e} of all genotypes at {spec.n_causal} causal sites "
                "leave a control; take fewer causal sites, a lower penetrance, or rarer alleles"
            )
        return illness

    @property
    def n_causal(self) -> int:
        """Number of causal sites."""
        return len(self.frequencies)

    def draw(self, classes: NDArray, rng: np.random.Generator) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """Draw causal genotypes, dosage `(n, n_causal)`, and sexes, codes of `SEXES` `(n,)`, of samples by class."""
        dosage, sex = np.empty((len(classes), self.n_causal), dtype=np.int8), np.empty(len(classes), dtype=np.int8)
        for of_class in np.unique(classes):
            rows = np.flatnonzero(classes == of_class)
            if of_class:
                dosage[rows], sex[rows] = self._draw_cases(int(of_class), len(rows), rng)
            else:
                dosage[rows] = self._draw_controls(len(rows), rng)
                sex[rows] = rng.choice(len(SEXES), len(rows), p=self.sex_shares)
        return dosage, sex

    def likelihood(self, dosage: NDArray, sex: NDArray) -> Floats:
        """Return P(genotypes, sex | class), `(n, n_classes)`, of dosage `(n, n_causal)` and sex codes `(n,)`."""
        p, w = self.frequencies[np.arange(self.n_causal), dosage], self.causes[dosage]
        kept = np.prod(1 - w, axis=1)
        mean_kept = np.prod(1 - self.frequencies @ self.causes)
        healthy = np.prod(p, axis=1)
        columns = [
            healthy
            * self.sex_shares[sex]
            * (1 - self.penetrance * (1 - kept))
            / (1 - self.penetrance * (1 - mean_kept))
        ]
        for of_class in range(1, len(self.class_shares)):
            own = np.flatnonzero(self.subtype == of_class)
            kept = np.prod(1 - w[:, own], axis=1)
            given = np.zeros(len(dosage))
            for site in own:
                mean_w = self.frequencies[site] @ self.causes
                failed = np.prod(1 - w[:, own[own != site]], axis=1)
                given += w[:, site] * (1 - mean_w) / mean_w * failed
            given *= healthy * (1 - self.phenocopies) / len(own)
            found = healthy * (1 - kept * (1 - self.phenocopies))
            columns.append(found * self.sex_shares[sex] + given * self.biased_sex_shares[sex])
        return np.stack(columns, axis=1)

    def posterior(self, dosage: NDArray, sex: NDArray | None = None) -> Floats:
        """Return P(class | genotypes, sex), `(n, n_classes)`; without sex, P(class | genotypes)."""
        if sex is None:
            sexes = [np.full(len(dosage), code) for code in range(len(SEXES))]
            joint = sum(self.likelihood(dosage, codes) for codes in sexes) * self.class_shares
        else:
            joint = self.likelihood(dosage, sex) * self.class_shares
        return joint / joint.sum(axis=1, keepdims=True)

    def _draw_genotypes(self, n: int, rng: np.random.Generator) -> NDArray[np.int8]:
        below = np.cumsum(self.frequencies, axis=1)[:, :2]
        u = rng.random((n, self.n_causal))
        return (u[:, :, None] >= below).sum(axis=2).astype(np.int8)

    def _draw_controls(self, n: int, rng: np.random.Generator) -> NDArray[np.int8]:
        found = np.empty((0, self.n_causal), dtype=np.int8)
        while len(found) < n:
            drawn = self._draw_genotypes(n, rng)
            causal = (rng.random(drawn.shape) < self.causes[drawn]).any(axis=1)
            falls_ill = causal & (rng.random(n) < self.penetrance)
            found = np.concatenate([found, drawn[~falls_ill]])
        return found[:n]

    def _draw_cases(self, of_class: int, n: int, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
        own = np.flatnonzero(self.subtype == of_class)
        dosage, sex = self._draw_genotypes(n, rng), rng.choice(len(SEXES), n, p=self.sex_shares)
        causal = (rng.random((n, len(own))) < self.causes[dosage[:, own]]).any(axis=1)
        to_plant = np.flatnonzero(~causal & (rng.random(n) >= self.phenocopies))
        sites = rng.choice(own, len(to_plant))
        shares = self.frequencies[sites] * self.causes
        below = np.cumsum(shares, axis=1)[:, :2] / shares.sum(axis=1, keepdims=True)
        dosage[to_plant, sites] = (rng.random((len(to_plant), 1)) >= below).sum(axis=1)
        sex[to_plant] = rng.choice(len(SEXES), len(to_plant), p=self.biased_sex_shares)
        return dosage, sex
