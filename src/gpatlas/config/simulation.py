"""What to simulate: founders, traits, phenotypes and folds. The terms and their meaning are AlphaSimR's."""

from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from gpatlas.config.base import Frozen

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Quantile = Annotated[float, Field(gt=0, lt=1)]
Correlation = Annotated[float, Field(ge=-1, le=1)]
Matrix = tuple[tuple[float, ...], ...]
Architecture = Literal["sparse", "dense", "triples"]


class FoundersSpec(Frozen):
    """Founder population whose alleles are independent Bernoulli(1/2) (AlphaSimR quickHaplo)."""

    n_individuals: int = Field(ge=1, description="number of founders")
    loci_per_chromosome: int | tuple[int, ...] = Field(
        description="segregating sites of each chromosome; one number for one chromosome, or a list"
    )
    genetic_length: Positive | tuple[Positive, ...] = Field(1.0, description="Morgan, one number or one each")
    ploidy: int = Field(1, ge=1, le=8, description="chromosome sets per individual; 1 is haploid")
    inbred: bool = Field(False, description="whether all haplotypes within an individual are identical")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if any(n < 1 for n in self.sites):
            raise ValueError(f"loci_per_chromosome must be at least 1, not {min(self.sites)}")
        if isinstance(self.genetic_length, tuple) and len(self.genetic_length) != len(self.sites):
            raise ValueError(f"genetic_length has {len(self.genetic_length)} entries for {len(self.sites)} chromosomes")
        return self

    @property
    def sites(self) -> tuple[int, ...]:
        """Loci of every chromosome."""
        loci = self.loci_per_chromosome
        return (loci,) if isinstance(loci, int) else loci

    @property
    def n_loci(self) -> int:
        """Loci on all chromosomes."""
        return sum(self.sites)


class TraitSpec(Frozen):
    """The traits of one AlphaSimR addTraitA … ADEG call: they share their QTL."""

    type: Literal["A", "AD", "AE", "ADE", "AG", "ADG", "AEG", "ADEG"] = Field(
        "AE", description="effects: A additive, D dominance, E additive×additive epistasis, G genotype by environment"
    )
    n_traits: int = Field(1, ge=1, description="traits of this call")
    qtl_per_chromosome: int | tuple[int, ...] = Field(
        description="QTL of each chromosome, drawn without replacement; in total even for sparse pairs"
    )
    mean: float | tuple[float, ...] = Field(0.0, description="mean genetic value of the founders")
    var: Positive | tuple[Positive, ...] = Field(1.0, description="variance that effects are scaled to")
    use_var_a: bool = Field(
        True, description="whether var is the additive (true) or the total (false) genetic variance"
    )
    rel_aa: NonNegative | tuple[NonNegative, ...] = Field(
        0.0,
        description="epistatic over additive variance in a diploid at allele frequency 1/2 (AlphaSimR relAA); "
        "haploids and inbreds realise twice that; the same shares of variance for every architecture",
    )
    architecture: Architecture = Field(
        "sparse",
        description="which QTL interact. sparse: disjoint random pairs, as AlphaSimR; dense: all pairs; triples: "
        "disjoint random triples, products of three codings (one or two QTL may be left over)",
    )
    mean_dd: float | tuple[float, ...] = Field(0.0, description="mean dominance degree d/|a|")
    var_dd: NonNegative | tuple[NonNegative, ...] = Field(0.0, description="variance of the dominance degree")
    gamma: bool | tuple[bool, ...] = Field(False, description="gamma instead of normal effects")
    shape: Positive | tuple[Positive, ...] = Field(1.0, description="shape of the gamma distribution")
    cor_a: Correlation | Matrix | None = Field(
        None,
        description="correlation of additive effects among traits: one number for all pairs, or a matrix",
    )
    cor_dd: Correlation | Matrix | None = Field(None, description="correlation of dominance degrees")
    cor_aa: Literal["as_cor_a"] | Correlation | Matrix = Field(
        "as_cor_a",
        description="correlation of epistatic effects; as_cor_a is what AlphaSimR does whatever corAA it is given",
    )
    pairing: Literal["shared", "separate"] = Field(
        "shared", description="whether the traits of the call share their epistatic pairs"
    )
    var_gxe: NonNegative | tuple[NonNegative, ...] = Field(
        0.0, description="variance of genotype by environment in the founders, above 0 for types with G"
    )
    var_env: NonNegative | tuple[NonNegative, ...] = Field(
        0.0, description="variance of the environments' own effects; with 0 an environment changes no mean"
    )
    cor_gxe: Correlation | Matrix | None = Field(
        None, description="correlation of genotype-by-environment effects among traits"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in ("mean", "var", "rel_aa", "mean_dd", "var_dd", "gamma", "shape", "var_gxe", "var_env"):
            value = getattr(self, name)
            if isinstance(value, tuple) and len(value) != self.n_traits:
                raise ValueError(f"{name} has {len(value)} entries for {self.n_traits} traits")
        for kind in ("a", "dd", "aa", "gxe"):
            check_correlation(self.correlation(kind), self.n_traits, f"cor_{kind}")
        counts = self.qtl_per_chromosome if isinstance(self.qtl_per_chromosome, tuple) else (self.qtl_per_chromosome,)
        if any(n < 0 for n in counts) or sum(counts) < 1:
            raise ValueError(f"qtl_per_chromosome must name at least one QTL, not {self.qtl_per_chromosome}")
        if self.architecture != "sparse" and not self.has_epistasis:
            raise ValueError(f"architecture {self.architecture} is about epistasis, but type {self.type} has none")
        if self.has_gxe and not self.vector("var_gxe").all():
            raise ValueError(f"type {self.type} has genotype by environment: var_gxe must be above 0")
        if not self.has_gxe and (self.vector("var_gxe").any() or self.vector("var_env").any()):
            raise ValueError(f"var_gxe and var_env are about genotype by environment, but type {self.type} has none")
        return self

    @property
    def has_dominance(self) -> bool:
        """Whether the type has D."""
        return "D" in self.type

    @property
    def has_epistasis(self) -> bool:
        """Whether the type has E."""
        return "E" in self.type

    @property
    def has_gxe(self) -> bool:
        """Whether the type has G."""
        return "G" in self.type

    def n_qtl_on(self, n_chromosomes: int) -> list[int]:
        """QTL of each chromosome; a single number stands for every chromosome."""
        qtl = self.qtl_per_chromosome
        return [qtl] * n_chromosomes if isinstance(qtl, int) else list(qtl)

    def vector(self, name: str) -> NDArray[np.float64]:
        """A per-trait setting as `(n_traits,)`, a single number standing for every trait."""
        return np.broadcast_to(np.asarray(getattr(self, name), dtype=np.float64), self.n_traits)

    def correlation(self, kind: Literal["a", "dd", "aa", "gxe"] | str) -> NDArray[np.float64]:
        """Correlation matrix `(n_traits, n_traits)` of additive effects, dominance degrees, pair effects or slopes."""
        value = getattr(self, f"cor_{kind}")
        if value == "as_cor_a":
            value = self.cor_a
        return correlation_matrix(value, self.n_traits)


class PhenotypeSpec(Frozen):
    """Phenotypes = genetic value + G×E + error (AlphaSimR setPheno). Give exactly one of h2, h2_broad, var_e."""

    h2: Annotated[float, Field(gt=0, le=1)] | tuple[float, ...] | None = Field(
        None, description="narrow-sense heritability in the founders, in (0, 1]"
    )
    h2_broad: Annotated[float, Field(gt=0, le=1)] | tuple[float, ...] | None = Field(
        None, description="broad-sense heritability H² in the founders, in (0, 1]"
    )
    var_e: NonNegative | tuple[NonNegative, ...] | None = Field(None, description="error variance")
    cor_e: Correlation | Matrix | None = Field(None, description="correlation of errors among traits")
    reps: Positive = Field(1.0, description="replications; the phenotype is an entry mean")
    p: Quantile | tuple[Quantile, ...] | None = Field(
        None, description="quantile of the environment, for types with G; drawn once for all traits when left out"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [name for name in ("h2", "h2_broad", "var_e") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of h2, h2_broad and var_e, not {' and '.join(given) or 'none'}")
        for name in ("h2", "h2_broad"):
            value = getattr(self, name)
            if isinstance(value, tuple) and not all(0 < v <= 1 for v in value):
                raise ValueError(f"{name} must be in (0, 1], not {value}")
        return self


def _check_terms(architecture: Architecture, n_qtl: int, where: str) -> None:
    """Refuse a number of QTL that makes no interactions.

    Raises
    ------
    ValueError
        Odd for sparse pairs, or fewer than a pair or a triple.
    """
    if architecture == "sparse" and n_qtl % 2:
        raise ValueError(f"{where} gives {n_qtl} QTL, but a trait with epistasis pairs them up: use an even number")
    fewest = {"sparse": 2, "dense": 2, "triples": 3}[architecture]
    if n_qtl < fewest:
        raise ValueError(f"{where} gives {n_qtl} QTL, but {architecture} interactions need at least {fewest}")


def check_shares(validation: float, test: float) -> None:
    """Refuse shares of samples that leave nothing to train on.

    Raises
    ------
    ValueError
        They sum to 1 or more.
    """
    if validation + test >= 1:
        raise ValueError(f"validation ({validation:g}) and test ({test:g}) leave nothing to train on")


class FoldsSpec(Frozen):
    """How samples are split into train, validation and test."""

    validation: Annotated[float, Field(ge=0, lt=1)] = Field(0.15, description="share of samples, for selection")
    test: Annotated[float, Field(gt=0, lt=1)] = Field(0.15, description="share of samples, predicted once")
    by: Literal["random", "position"] = Field(
        "random", description="random draws the folds; position takes the last samples as test"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_shares(self.validation, self.test)
        return self


class SimulationSpec(Frozen):
    """One simulated population, complete: what `gpatlas simulate` and the engines take."""

    kind: ClassVar[str] = "simulation"

    founders: FoundersSpec = Field(description="the founder population")
    traits: tuple[TraitSpec, ...] = Field(
        min_length=1, description="one entry per addTrait call; each call draws its own QTL"
    )
    phenotypes: PhenotypeSpec = Field(description="error variance")
    folds: FoldsSpec = Field(FoldsSpec(), description="split into train, validation and test")

    @model_validator(mode="after")
    def _check(self) -> Self:
        sites = self.founders.sites
        for number, trait in enumerate(self.traits):
            qtl = trait.n_qtl_on(len(sites))
            where = f"traits.{number}.qtl_per_chromosome"
            if len(qtl) != len(sites):
                raise ValueError(f"{where} has {len(qtl)} entries for {len(sites)} chromosomes")
            for chromosome, (n_qtl, n_loci) in enumerate(zip(qtl, sites, strict=True), start=1):
                if n_qtl > n_loci:
                    raise ValueError(f"{where} asks for {n_qtl} QTL, but chromosome {chromosome} has {n_loci} loci")
            if trait.has_epistasis:
                _check_terms(trait.architecture, sum(qtl), where)
        if self.phenotypes.p is not None and not any(trait.has_gxe for trait in self.traits):
            raise ValueError("phenotypes.p is the environment of traits of a type with G, but there are none")
        for name in ("h2", "h2_broad", "var_e", "p"):
            value = getattr(self.phenotypes, name)
            if isinstance(value, tuple) and len(value) != self.n_traits:
                raise ValueError(f"phenotypes.{name} has {len(value)} entries for {self.n_traits} traits")
        check_correlation(correlation_matrix(self.phenotypes.cor_e, self.n_traits), self.n_traits, "phenotypes.cor_e")
        return self

    @property
    def n_samples(self) -> int:
        """Individuals."""
        return self.founders.n_individuals

    @property
    def n_loci(self) -> int:
        """Loci on all chromosomes."""
        return self.founders.n_loci

    @property
    def ploidy(self) -> int:
        """Chromosome sets per individual."""
        return self.founders.ploidy

    @property
    def n_traits(self) -> int:
        """Traits of all calls."""
        return sum(trait.n_traits for trait in self.traits)


def correlation_matrix(value: float | Matrix | None, size: int) -> NDArray[np.float64]:
    """Expand None (independent) or one number (all pairs) to a matrix; pass a matrix through."""
    if value is None:
        return np.eye(size)
    if isinstance(value, float | int):
        return (1 - value) * np.eye(size) + value
    if any(len(row) != len(value) for row in value):
        raise ValueError("a correlation matrix must be square")
    return np.array(value, dtype=np.float64)


def check_correlation(matrix: NDArray[np.float64], size: int, name: str) -> None:
    """Refuse what is not a correlation matrix of `size` traits.

    Raises
    ------
    ValueError
        Wrong shape, not symmetric, diagonal not 1, or not positive semi-definite (AlphaSimR would smooth it
        silently to another matrix).
    """
    if matrix.shape != (size, size):
        raise ValueError(f"{name} is {matrix.shape[0]}×{matrix.shape[1]}, but there are {size} traits")
    if not np.allclose(matrix, matrix.T) or not np.allclose(np.diag(matrix), 1):
        raise ValueError(f"{name} must be symmetric with ones on its diagonal")
    smallest = np.linalg.eigvalsh(matrix)[0]
    if smallest < -1e-10:
        raise ValueError(f"{name} is not positive semi-definite: its smallest eigenvalue is {smallest:.3g}")
