"""Prior tasks of GPFN: simulated populations with traits, on which a network learns to predict.

A prior is a breeding scheme; how traits act, which loci the panel shows and which rows are told is shared by all.
`make("nam", law=PublishedTraitLaw())` draws traits as the published GPFN does.
To add one, subclass `Prior` with a docstring and a `scheme`, and give it a name in `gpatlas.priors.mixture.REGISTRY`.
"""

from gpatlas.priors.laws import PublishedTraitLaw, Trait, TraitLaw
from gpatlas.priors.mixture import DEFAULT_MIXTURE, REGISTRY, draw, make
from gpatlas.priors.prior import Lines, Prior, Size
from gpatlas.priors.summaries import components, ld_decay, marker_frequencies
from gpatlas.priors.task import Task

__all__ = [
    "DEFAULT_MIXTURE",
    "REGISTRY",
    "Lines",
    "Prior",
    "PublishedTraitLaw",
    "Size",
    "Task",
    "Trait",
    "TraitLaw",
    "components",
    "draw",
    "ld_decay",
    "make",
    "marker_frequencies",
]
