"""How much the training samples know of the breeding values of new ones, at given variances.

With the centred (or projected) genotypes' decomposition U √D V' and a new sample's centred dosages x, the covariances
of its breeding value with the contrasts are σ²_u p on U, p = √D V'x = U'Xx, and nothing outside, so that

    reliability = 1 - PEV / prior variance = Σ p²/(d + λ) / x'x            Henderson (1975); VanRaden (2008)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpatlas.models.kernel_model import reliability
from gpatlas.models.products import Genotypes, row_blocks, times
from gpatlas.models.ridge import Spectrum
from gpatlas.packed import Bits


@dataclass(frozen=True)
class MarkerKnowledge:
    """A decomposition of traits phenotyped in the same samples, and what new samples need of it.

    Parameters
    ----------
    traits
        `(n_traits,)` their numbers.
    x
        Training genotypes `(n, n_loci)`, where they were decomposed by samples.
    basis, d, mean
        Of `gpatlas.models.ridge.Spectrum`.
    penalty
        `(n_traits,)` λ; infinite where the trait does not vary, of which nothing is known.
    """

    traits: NDArray[np.intp]
    x: Genotypes | None
    basis: NDArray[np.float64]
    d: NDArray[np.float64]
    mean: NDArray[np.float64]
    penalty: NDArray[np.float64]

    @classmethod
    def of(
        cls, spectrum: Spectrum, x: Genotypes, penalty: NDArray[np.float64], traits: NDArray[np.intp]
    ) -> "MarkerKnowledge":
        """Keep what is needed of decomposed genotypes x."""
        varies = np.where(spectrum.yy > 0, penalty, np.inf)
        return cls(traits, None if spectrum.primal else x, spectrum.basis, spectrum.d, spectrum.mean_x, varies)

    def reliability(self, x: Genotypes) -> NDArray[np.float64]:
        """Return reliabilities of complete dosages, `(n_new, n_traits)`."""
        explained, prior = np.empty((len(x), len(self.traits))), np.empty((len(x), 1))
        for rows in row_blocks(x, max(x.shape[1], len(self.basis))):
            new = (x.unpack(rows) if isinstance(x, Bits) else x[rows]) - self.mean
            if self.x is None:
                p = new @ self.basis * np.sqrt(self.d)
            else:
                p = times(self.x, np.ascontiguousarray(new.T)).T @ self.basis  # U'1 = 0: no centring of the left side
            explained[rows] = p**2 @ (1 / (self.d[:, None] + self.penalty))
            prior[rows] = (new**2).sum(axis=1)[:, None]
        return reliability(explained, np.broadcast_to(prior, explained.shape))
