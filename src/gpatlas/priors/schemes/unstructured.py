"""Individuals of no designed families."""

import numpy as np

from gpatlas.priors.founders import draw_founders
from gpatlas.priors.prior import Lines, Prior, Size


class Unstructured(Prior):
    """A diversity panel: mosaics of a common history with linkage disequilibrium, inbred lines in half of draws."""

    def scheme(self, rng: np.random.Generator, size: Size) -> Lines:
        """Draw the panel."""
        return Lines(draw_founders(rng, size.n_samples, size.n_sites, inbred=bool(rng.random() < 0.5)))
