"""How a perceiver is pretrained: which genotypes are hidden, what is asked of them, for how long, at what pace."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from gpatlas.config.base import Frozen

Share = Annotated[float, Field(ge=0, lt=1)]
PositiveShare = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
SHARE_TO_MEASURE = 0.1  # of the loci shown that are asked for where progress is measured: recipes are compared by it


class PerceiverRecipe(Frozen):
    """One recipe: what `gpatlas perceiver pretrain` makes a checkpoint from, beside genotypes."""

    seed: int = Field(1, ge=0, description="root of all random numbers: weights, batches, hidden calls, held-out rows")
    objective: Literal["masked", "contrastive"] = Field(
        "masked",
        description="masked: which alleles a hidden call has; contrastive: how many of them two individuals share",
    )
    prop_x: PositiveShare = Field(1.0, description="share of the loci that are shown; the others are missing")
    prop_y: Annotated[float, Field(gt=0, le=0.5)] = Field(
        0.2,
        description="share of the loci shown that are hidden and asked for (published: 0.1); of its known calls a "
        "sample keeps half. Progress is measured on a tenth",
    )
    sampling: Literal["uniform", "inverse_frequency"] = Field(
        "uniform",
        description="which loci are asked for: all alike, or (published) those where an individual has rare alleles, "
        "by weights 1 - frequency, without replacement. The latter tells that a hidden allele is likely rare",
    )
    loss: Literal["bce", "focal"] = Field("bce", description="of the cumulative indicators of allele counts")
    gamma: NotNegative = Field(2.0, description="of the focal loss: how far targets that are easy count less")
    ploidy_penalty: NotNegative = Field(
        0.1, description="weight of (ploidy - copies expected of all alleles)², where alleles are predicted"
    )
    allele_weight: NotNegative = Field(
        0.0, description="contrastive: weight of the loss of each individual's alleles, beside that of those shared"
    )
    n_steps: int = Field(2_000, ge=1, description="batches to train on, unless progress ends before")
    batch_size: int = Field(64, ge=1, description="individuals of one step")
    learning_rate: Positive = Field(4e-3, description="of AdamW, at its highest (published form: 1e-3)")
    warm_up: Share = Field(0.05, description="share of the steps in which the learning rate rises")
    schedule: Literal["cosine", "plateau"] = Field(
        "cosine",
        description="cosine: the rate falls along a half cosine; plateau: it is multiplied by plateau_factor where the "
        "validation loss has not fallen for plateau_patience validations",
    )
    plateau_patience: int = Field(3, ge=1, description="validations, see schedule")
    plateau_factor: Annotated[float, Field(gt=0, lt=1)] = Field(0.3, description="see schedule")
    weight_decay: NotNegative = Field(1e-2, description="of AdamW")
    clip: Positive = Field(1.0, description="longest gradient")
    average: Share = Field(0.99, description="memory of the moving average of weights that is kept; 0 keeps the last")
    validation: Share = Field(
        0.1,
        description="share of the individuals that are held out to measure progress on; 0: the last weights are kept",
    )
    validate_every: int = Field(100, ge=1, description="steps between two validations")
    patience: int = Field(10, ge=1, description="validations without a lower loss after which training ends")
    checkpoint_every: int = Field(100, ge=1, description="steps between two states that training can go on from")
    threads: int = Field(
        1,
        ge=1,
        le=1024,
        description="of torch on a CPU; a recipe's, since the last bits depend on them. Several are slow where other "
        "processes want the cores, too: they wait for each other",
    )
    network: dict[str, Any] = Field(
        {},
        description="the architecture (windowed, published) and its settings that differ from its defaults, e.g. "
        "{architecture: windowed, width: 96}",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.seed >= 2**63:
            raise ValueError(f"seed {self.seed}: torch takes those below 2^63")
        if self.objective == "contrastive" and self.batch_size < 2:
            raise ValueError(f"batch_size {self.batch_size}: the contrastive objective compares pairs; give 2 or more")
        if self.objective == "masked" and self.allele_weight:
            raise ValueError(f"allele_weight {self.allele_weight:g} is of the contrastive objective, not of masked")
        return self
