"""Golden cases from AlphaSimR: haplotypes and effects that were drawn there, with what it computed from them."""

import gzip
import json
from pathlib import Path

import numpy as np

from gpatlas.simulate import Population, TraitGroup, from_haplotypes
from gpatlas.simulate.reaction_norms import ReactionNorms
from tests.conftest import REFERENCE

STORED = Path(__file__).parent / "reference" / "alphasimr"
SHARED = REFERENCE / "alphasimr"


def trait_cases() -> list[Path]:
    """Paths of all cases with traits on founders: ours, and the larger set where it is at hand."""
    files = sorted(STORED.glob("*.json.gz")) + sorted(SHARED.glob("*.json.gz"))
    return [f for f in files if not f.name.startswith("cross_")]


def load(path: Path) -> dict:
    with gzip.open(path) as file:
        return json.load(file)


def population(case: dict) -> Population:
    """The case's founders. Haplotypes are 0/1 strings per chromosome, individual-major."""
    pop, param = case["pops"]["pop"], case["simParam"]
    chromosomes = [np.array([list(map(int, row)) for row in rows]) for rows in pop["haplotypes"]]
    maps = list(param["genMap"].values())
    return from_haplotypes(
        np.concatenate(chromosomes, axis=1),
        np.repeat(np.arange(1, len(maps) + 1), [len(m) for m in maps]),
        np.concatenate(maps),
        ploidy=pop["ploidy"],
    )


def groups(case: dict) -> list[TraitGroup]:
    """The case's traits, one group each (AlphaSimR stores every trait by itself)."""
    first_locus = np.concatenate([[0], np.cumsum(case["simParam"]["segSites"])[:-1]]).astype(int)
    return [_group(trait, first_locus) for trait in case["simParam"]["traits"]]


def _group(trait: dict, first_locus: np.ndarray) -> TraitGroup:
    loci = np.repeat(first_locus, trait["lociPerChr"]) + np.array(trait["lociLoc"]) - 1
    additive = np.array([trait["addEff"]])
    dominance = np.array([trait["domEff"]]) if trait.get("domEff") else np.zeros_like(additive)
    pairs, epistatic = np.empty((0, 2), dtype=int), np.empty((1, 0))
    if trait.get("epiEff_i"):
        pairs = np.array([trait["epiEff_i"], trait["epiEff_j"]]).T.astype(int) - 1
        epistatic = np.array([trait["epiEff_e"]])
    norms = None
    if trait.get("gxeEff"):
        norms = ReactionNorms(
            np.array([trait["gxeEff"]]), np.array([trait["gxeInt"]]), np.array([trait["envVar"]], dtype=float)
        )
    return TraitGroup(loci, additive, dominance, pairs, epistatic, np.array([trait["intercept"]]), norms)
