"""One population of a GPFN prior: which breeding scheme, which trait law, and how large."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gpatlas.config.base import Frozen

Law = Literal["mixture", "few", "moderate", "many", "infinitesimal", "dominance", "epistasis"]
LAWS: dict[str, str] = {
    "mixture": "the prior's own law",
    "few": "3–15 QTL",
    "moderate": "16–80 QTL",
    "many": "81–500 QTL",
    "infinitesimal": "every locus is a QTL",
    "dominance": "3–500 QTL with dominance (inbreds: without)",
    "epistasis": "3–500 QTL, of which pairs interact",
}


class PriorSpec(Frozen):
    """One draw of a prior (`gpatlas.priors.draw`) with its context as training samples and its queries as test."""

    kind: ClassVar[str] = "prior"
    n_traits: ClassVar[int] = 1
    ploidy: ClassVar[int] = 2

    prior: str = Field(description="a breeding scheme of `gpatlas.priors`")
    law: Law = Field("mixture", description="how the trait acts: " + "; ".join(f"{k}: {v}" for k, v in LAWS.items()))
    n_samples: int = Field(ge=20, description="individuals, context and query together")
    n_markers: int = Field(ge=1, description="loci of the panel")
    validation: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.15, description="share of the context that networks which stop early hold back"
    )

    @property
    def n_loci(self) -> int:
        """Loci of the panel."""
        return self.n_markers
