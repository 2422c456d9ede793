"""The AlphaSimR engine: the same spec, simulated by AlphaSimR itself (1.4-2.1) through rpy2.

R is started on first use only. AlphaSimR's genetic values are taken trait by trait (`getGv`), so that the bug of
2.0-2.1 for traits on different QTL sets does not reach results, and they are held against our own evaluation of the
same effects.
"""

from contextlib import redirect_stderr
from importlib.resources import files
from io import StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

import gpatlas
from gpatlas.config.simulation import SimulationSpec, TraitSpec, correlation_matrix
from gpatlas.dataset import Dataset
from gpatlas.errors import EngineError
from gpatlas.packed import PackedBits
from gpatlas.simulate.folds import assign_folds
from gpatlas.simulate.genetics import TraitGroup, genetic_values
from gpatlas.simulate.native import make_truth, trait_names
from gpatlas.simulate.phenotypes import error_variances
from gpatlas.simulate.population import Population
from gpatlas.simulate.reaction_norms import ReactionNorms

_HOW_TO_GET_IT = (
    "install R (>= 4) with AlphaSimR, from CRAN or with envs/alphasimr.yaml, then `pip install -e .[r]`; "
    "or set engine: native"
)


@threadpool_limits.wrap(limits=1)
def simulate_with_alphasimr(spec: SimulationSpec, seed: int) -> Dataset:
    """Simulate with AlphaSimR.

    Parameters
    ----------
    spec
        What to simulate.
    seed
        Given to R's `set.seed`, which takes integers below 2**31.

    Returns
    -------
    Dataset
        As from `gpatlas.simulate.simulate`; `provenance["engine"]` holds the versions of AlphaSimR and R.

    Raises
    ------
    EngineError
        R, AlphaSimR or rpy2 is absent, the spec asks for what AlphaSimR cannot do, or AlphaSimR fails.
    """
    for trait in spec.traits:
        _refuse_unavailable(trait)
    result = _call_r(_r_spec(spec, seed))
    population = _population(result, spec)
    groups = tuple(_group(trait, population) for trait in result["traits"])
    values = genetic_values(population, groups)
    drift = np.abs(values.gv - result["gv"]).max(initial=0.0)
    if drift > 1e-8 * max(1.0, np.abs(values.gv).max()):
        raise EngineError(f"AlphaSimR {result['version']}: getGv differs from the effects it reports, by {drift:.3g}")
    truth = make_truth(population, groups, values)
    truth.traits["var_e"] = error_variances(spec.phenotypes, truth.traits["var_a"], truth.traits["var_g"])
    n = spec.founders.n_individuals
    return Dataset(
        genotypes=population.genotypes(),
        phenotypes=np.ascontiguousarray(result["pheno"]),
        sample_id=np.arange(1, n + 1).astype("S"),
        locus_id=population.locus_id,
        trait_id=trait_names(spec.n_traits),
        ploidy=spec.founders.ploidy,
        fold=assign_folds(n, spec.folds, np.random.default_rng(seed)),
        chromosome=population.chromosome.astype("S"),
        position=population.position,
        truth=truth,
        provenance={
            "gpatlas": gpatlas.__version__,
            "engine": {"name": "alphasimr", "version": result["version"], "R": result["R"]},
            "simulation": spec.model_dump(mode="json"),
            "seed": str(seed),
        },
    )


def _refuse_unavailable(trait: TraitSpec) -> None:
    if trait.architecture != "sparse":
        raise EngineError(
            f"AlphaSimR has disjoint pairs only, not architecture {trait.architecture}; use engine: native"
        )
    if trait.has_epistasis and trait.n_traits > 1:
        if trait.pairing == "separate":
            raise EngineError("AlphaSimR shares pairs within a call; use engine: native for pairing: separate")
        if not np.allclose(trait.correlation("aa"), trait.correlation("a")):
            raise EngineError("AlphaSimR uses corA in place of corAA; use engine: native, or cor_aa: as_cor_a")


def _r_spec(spec: SimulationSpec, seed: int) -> dict[str, Any]:
    founders, phenotypes = spec.founders, spec.phenotypes
    given = {"h2": phenotypes.h2, "H2": phenotypes.h2_broad, "varE": phenotypes.var_e}
    errors: dict[str, NDArray] = {
        name: np.broadcast_to(np.asarray(value, dtype=float), spec.n_traits)
        for name, value in given.items()
        if value is not None
    }
    if phenotypes.p is not None:
        errors["p"] = np.broadcast_to(np.asarray(phenotypes.p, dtype=float), spec.n_traits)
    if phenotypes.cor_e is not None:
        errors["corE"] = correlation_matrix(phenotypes.cor_e, spec.n_traits)
    return {
        "seed": str(seed),
        "n_individuals": founders.n_individuals,
        "sites": np.asarray(founders.sites),
        "genetic_length": np.broadcast_to(founders.genetic_length, len(founders.sites)).astype(float),
        "ploidy": founders.ploidy,
        "inbred": founders.inbred,
        "traits": [_r_trait(trait, len(founders.sites)) for trait in spec.traits],
        "phenotypes": {**errors, "reps": float(phenotypes.reps)},
    }


def _r_trait(trait: TraitSpec, n_chromosomes: int) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "nQtlPerChr": np.asarray(trait.n_qtl_on(n_chromosomes)),
        "mean": trait.vector("mean"),
        "var": trait.vector("var"),
        "corA": trait.correlation("a"),
        "gamma": trait.vector("gamma").astype(bool),
        "shape": trait.vector("shape"),
    }
    if trait.type not in ("A", "AG"):
        arguments["useVarA"] = trait.use_var_a
    if trait.has_dominance:
        arguments |= {"meanDD": trait.vector("mean_dd"), "varDD": trait.vector("var_dd")}
        arguments["corDD"] = trait.correlation("dd")
    if trait.has_epistasis:
        arguments |= {"relAA": trait.vector("rel_aa"), "corAA": trait.correlation("a")}
    if trait.has_gxe:
        arguments |= {"varGxE": trait.vector("var_gxe"), "varEnv": trait.vector("var_env")}
        arguments["corGxE"] = trait.correlation("gxe")
    return {"type": trait.type, "arguments": arguments}


def _call_r(spec: dict[str, Any]) -> dict[str, Any]:
    try:
        with redirect_stderr(StringIO()):  # rpy2 prints its search for R beside raising what came of it
            import rpy2.rinterface_lib.embedded as embedded
            import rpy2.robjects as robjects
    except Exception as error:  # rpy2 raises whatever its search for R ran into
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise EngineError(f"engine alphasimr needs rpy2 and R ({reason}): {_HOW_TO_GET_IT}") from None
    if not robjects.r("isTRUE(requireNamespace('AlphaSimR', quietly = TRUE))")[0]:
        raise EngineError(f"engine alphasimr: this R has no package AlphaSimR: {_HOW_TO_GET_IT}")
    robjects.r(files("gpatlas.simulate").joinpath("alphasimr.R").read_text())
    try:
        result = robjects.r["gpatlas_simulate"](_to_r(spec, robjects))
    except embedded.RRuntimeError as error:
        raise EngineError(f"AlphaSimR failed: {' '.join(str(error).split())}") from None
    return _from_r(result)


def _to_r(value: Any, robjects: Any) -> Any:
    if isinstance(value, dict):
        return robjects.ListVector({key: _to_r(item, robjects) for key, item in value.items()})
    if isinstance(value, list):
        return robjects.r["list"](*(_to_r(item, robjects) for item in value))
    if isinstance(value, str):
        return robjects.StrVector([value])
    array = np.asarray(value)
    vector = {"b": robjects.BoolVector, "i": robjects.IntVector, "f": robjects.FloatVector}[array.dtype.kind]
    flat = vector(array.ravel(order="F").tolist())
    return robjects.r["matrix"](flat, nrow=array.shape[0]) if array.ndim == 2 else flat


def _from_r(value: Any) -> Any:
    if hasattr(value, "names") and type(value).__name__ == "ListVector":
        items = [_from_r(item) for item in value]
        names = list(value.names) if "NULL" not in type(value.names).__name__ else None
        return dict(zip(names, items, strict=True)) if names else items
    if type(value).__name__ == "StrVector":
        return str(value[0])
    return np.array(value.memoryview()) if len(value) else np.empty(0)  # a view of nothing cannot be cast


def _population(result: dict[str, Any], spec: SimulationSpec) -> Population:
    """Take over AlphaSimR's raw genotypes: its arrays `(bytes, copies, individuals)`, column-major, have our bit
    order, but random padding bits.
    """
    founders = spec.founders
    copies = 1 if founders.inbred else founders.ploidy
    parts = []
    for raw, n_sites in zip(result["bits"], founders.sites, strict=True):
        shape = raw["dim"].astype(int)[::-1]
        rows = raw["words"].view(np.uint8)[: shape.prod()].reshape(shape)[:, :copies].reshape(-1, shape[2])
        parts.append(np.unpackbits(np.ascontiguousarray(rows), axis=1, count=n_sites, bitorder="little"))
    positions = [np.asarray(positions, dtype=np.float64) for positions in result["map"]]
    return Population(
        haplotypes=PackedBits.pack(np.concatenate(parts, axis=1)),
        ploidy=founders.ploidy,
        inbred=founders.inbred,
        chromosome=np.repeat(np.arange(1, len(parts) + 1, dtype=np.int32), founders.sites),
        position=np.concatenate(positions),
    )


def _group(trait: dict[str, NDArray], population: Population) -> TraitGroup:
    counts = trait["loci_per_chromosome"].astype(int)
    first = np.searchsorted(population.chromosome, np.arange(1, len(counts) + 1))
    additive = trait["additive"][None, :]
    dominance = trait["dominance"][None, :] if trait["dominance"].size else np.zeros_like(additive)
    pairs = trait["epistatic"].reshape(-1, 3)
    return TraitGroup(
        loci=np.repeat(first, counts) + trait["loci"].astype(int) - 1,
        additive=additive,
        dominance=dominance,
        terms=pairs[:, :2].astype(int) - 1,
        epistatic=pairs[None, :, 2],
        intercept=trait["intercept"],
        norms=ReactionNorms(trait["slope_effects"][None, :], trait["slope_intercept"], trait["env_variance"])
        if trait["slope_effects"].size
        else None,
    )
