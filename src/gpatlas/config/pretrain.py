"""How a prior-data fitted network is trained: on which draws of which prior, for how long, and at what pace."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from gpatlas.config.base import Frozen

Share = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Range = tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]


class PretrainSpec(Frozen):
    """One recipe: what `gpatlas gpfn train` makes a checkpoint from."""

    seed: int = Field(1, ge=0, description="root of all random numbers: draws, weights, validation populations")
    prior: str | dict[str, Annotated[float, Field(ge=0)]] = Field(
        "default", description="a prior, `default` (all of them), or weights by name, e.g. {nam: 2, f2: 1}"
    )
    infinitesimal: Annotated[float, Field(ge=0, le=1)] = Field(
        0.3,
        description="share of traits of which every locus is a QTL: what teaches a network to leave GBLUP alone",
    )
    background: Annotated[float, Field(ge=0, le=1)] = Field(
        0.0, description="share of the other traits that have an infinitesimal one beside them"
    )
    polygenic_epistasis: Annotated[float, Field(ge=0, le=1)] = Field(
        0.0, description="share of infinitesimal traits whose loci interact in pairs"
    )
    n_draws: int = Field(20_000, ge=1, description="populations to train on; a multiple of batch_size")
    batch_size: int = Field(8, ge=1, description="populations of one step; they have the same size")
    n_samples: Range = Field((100, 400), description="least and greatest population size, drawn on a log scale")
    n_markers: Range = Field((300, 2_000), description="least and greatest number of markers, drawn on a log scale")
    architecture: Literal["awg", "transformer"] = Field(
        "awg", description="awg: weighted GBLUP whose marker weights a network finds; transformer: rows as tokens"
    )
    network: dict[str, Any] = Field(
        {}, description="settings of the network that differ from its defaults, e.g. {n_rounds: 2, output: bar}"
    )
    learning_rate: Positive = Field(5e-3, description="of AdamW, at its highest")
    warm_up: Share = Field(0.05, description="share of the steps in which the learning rate rises")
    weight_decay: Annotated[float, Field(ge=0)] = Field(1e-3, description="of AdamW")
    clip: Positive = Field(1.0, description="longest gradient")
    average: Share = Field(0.998, description="memory of the moving average of weights that is kept; 0 keeps the last")
    n_validation: int = Field(8, ge=1, description="fixed populations of each prior that progress is measured on")
    n_calibration: int = Field(
        20,
        ge=0,
        description="populations of each prior by which intervals are adjusted after training; 0: they are not",
    )
    validate_every: int = Field(250, ge=1, description="steps between two validations")
    checkpoint_every: int = Field(100, ge=1, description="steps between two states that training can go on from")

    @field_validator("prior", mode="after")
    @classmethod
    def _some_weight(cls, prior: str | dict[str, float]) -> str | dict[str, float]:
        if isinstance(prior, dict) and not any(weight > 0 for weight in prior.values()):
            raise ValueError(f"no prior has a positive weight in {prior}")
        return prior

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.n_draws % self.batch_size:
            raise ValueError(f"n_draws ({self.n_draws}) must be a multiple of batch_size ({self.batch_size})")
        for name, least in (("n_samples", 20), ("n_markers", 1)):
            low, high = getattr(self, name)
            if not least <= low <= high:
                raise ValueError(
                    f"{name} goes from {low} to {high}; give the least, of at least {least}, and the greatest"
                )
        return self

    @property
    def n_batches(self) -> int:
        """Steps of training."""
        return self.n_draws // self.batch_size
