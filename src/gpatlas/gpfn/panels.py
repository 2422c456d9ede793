"""Two populations to predict one from the other: tables joined by name, loci that both have, who is in both."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gpatlas.dataset import Dataset, as_text
from gpatlas.encoding import MISSING, as_features
from gpatlas.errors import DataError
from gpatlas.harmonize import Variants, harmonize, harmonized_dataset
from gpatlas.harmonize.harmonize import Ambiguous
from gpatlas.harmonize.matching import canonical_chromosomes
from gpatlas.joins import Phenotypes, attach
from gpatlas.twins import find_twins
from gpatlas.wording import several, some_names

LEAST_SHARED = 0.1  # of the loci of the smaller panel, below which the panels hardly belong together
MOST_ABSENT = 0.1  # of the training panel's loci, above which there is a warning

_WORDS = {
    "set to missing": "left out",
    "the new genotypes": "the target's genotypes",
    "the new data": "the target",
    "the reference": "the training panel",
}


@dataclass(frozen=True)
class Panels:
    """Genotypes of both populations at the loci that both have, by chromosome and position.

    Parameters
    ----------
    training, target
        X of estimators, `(n_training, n_loci)` and `(n_target, n_loci)`.
    locus_id, chromosome
        Of the loci, `(n_loci,)`; chromosomes are None where no file says.
    known_as
        For every target sample the training sample that it is, by name or by its genotypes; "" where it is new.
    sentences
        What was matched, turned round, left out.
    """

    training: NDArray
    target: NDArray
    locus_id: NDArray
    chromosome: NDArray | None
    known_as: NDArray
    sentences: tuple[str, ...]


def join_table(training: Dataset, target: Dataset, table: Phenotypes) -> tuple[Dataset, Dataset, list[str]]:
    """Join a table to both populations; returns them, and sentences on who is in it.

    Raises
    ------
    DataError
        It has none of the training samples.
    """
    training, account = attach(_without_traits(training), table)
    there, names = set(table.sample_id), as_text(target.sample_id).tolist()
    both = [name for name in names if name in there]
    said = list(account.sentences)
    if both:
        target = attach(_without_traits(target), table)[0]
        said.append(f"{table.source}: {len(both):,} of {several(len(names), 'target sample')} have a row")
    else:
        target = _without_traits(target)
    if nowhere := [name for name in account.without_genotypes if name not in set(both)]:
        said.append(f"{table.source}: {several(len(nowhere), 'row')} of samples of neither ({some_names(nowhere)})")
    return training, target, said


def panels_of(
    training: Dataset, target: Dataset, ambiguous: Ambiguous = "keep", least_shared: float = LEAST_SHARED
) -> Panels:
    """Bring two populations to the loci that both have.

    A network that is conditioned on those loci lets them speak for the linked ones that the target lacks. To condition
    it on all, and to take training means for what is absent, would leave out what the absent ones have explained.

    Parameters
    ----------
    training
        Its alleles are counted.
    target
        In any order, other alleles counted, on either strand.
    ambiguous
        As in `gpatlas.harmonize.harmonize`.
    least_shared
        Share of the smaller panel's loci that must be in both.

    Raises
    ------
    DataError
        Too few loci in common, or none that varies.
    """
    reference = Variants.of(training)
    try:
        harmonized = harmonize(reference, target, ambiguous)
    except DataError as error:
        raise DataError(_of_panels(str(error))) from None
    said = [_of_panels(sentence) for sentence in harmonized.sentences]
    least, most = _range(training.dosage())
    called = _range(harmonized.genotypes)[1] != MISSING
    for what, loci in (
        ("no call in any training sample", most == MISSING),
        ("one dosage in all training samples", (most != MISSING) & (least == most)),
        ("no call in any target sample", harmonized.usable & ~called),
    ):
        if n := int(loci.sum()):
            said.append(f"{several(n, 'locus', 'has')} {what}: ignored.")
    shared = np.flatnonzero(harmonized.usable & called & (most > least))
    common, smaller = int(harmonized.usable.sum()), min(training.n_loci, target.n_loci)
    if common < least_shared * smaller:
        raise DataError(
            f"the panels share {several(common, 'usable locus')}, below {least_shared:.0%} of the {smaller:,} of the "
            "smaller one: are they of the same species and genome build? (--anyway predicts from these)"
        )
    if not len(shared):
        raise DataError(
            f"none of the {several(common, 'locus')} that the panels share varies among the phenotyped training "
            "samples and is called in the target"
        )
    if common < (1 - MOST_ABSENT) * training.n_loci:
        said.append(
            f"warning: the target lacks {1 - common / training.n_loci:.0%} of the training panel's loci; the network "
            f"is conditioned on the {common:,} that both have, which speak for those linked with them."
        )
    chromosome, order = _in_order(training, target, harmonized.column, shared)
    loci = shared[order]
    here = training.loci(loci)
    there = harmonized_dataset(reference, harmonized).loci(loci)
    known_as, of_twins = _known(here, there)
    return Panels(
        training=as_features(here.dosage()),
        target=as_features(there.dosage()),
        locus_id=as_text(here.locus_id),
        chromosome=chromosome,
        known_as=known_as,
        sentences=(*said, *of_twins),
    )


def _of_panels(sentence: str) -> str:
    """Call reference and new data what they are here, where loci of one panel alone are left out."""
    for theirs, ours in _WORDS.items():
        sentence = sentence.replace(theirs, ours)
    return sentence


def _range(dosage: NDArray[np.int8]) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Return each locus' least and largest dosage; MISSING where there is no call."""
    most = dosage.max(axis=0)
    least = np.where(dosage == MISSING, np.int8(127), dosage).min(axis=0)
    return np.where(most == MISSING, np.int8(MISSING), least), most


def _without_traits(dataset: Dataset) -> Dataset:
    """Return genotypes alone: what a table says counts, not what a dataset file holds besides."""
    none, names = np.empty((dataset.n_samples, 0)), np.empty(0, dtype="S1")
    return replace(
        dataset, phenotypes=none, trait_id=names, covariates=none, covariate_id=names, levels={}, environments={},
        truth=None, provenance={},
    )  # fmt: skip


def _in_order(
    training: Dataset, target: Dataset, column: NDArray[np.intp], shared: NDArray[np.intp]
) -> tuple[NDArray | None, NDArray[np.intp]]:
    """Return chromosomes of the shared loci in order, and the order; by the target's map where training has none."""
    for dataset, loci in ((training, shared), (target, column[shared])):
        chromosome = canonical_chromosomes(as_text(dataset.chromosome)[loci])
        if (chromosome != "").any():
            order = np.lexsort((dataset.position[loci], chromosome))
            return chromosome[order], order
    return None, np.arange(len(shared))


def _known(training: Dataset, target: Dataset) -> tuple[NDArray, list[str]]:
    """Return which training sample each target sample is, "" for new ones, and sentences about them."""
    names = as_text(target.sample_id).tolist()
    trained = set(as_text(training.sample_id).tolist())
    twins = find_twins(training, target)
    pairs, twin_of = set(zip(twins.first, twins.second, strict=True)), dict(zip(twins.second, twins.first, strict=True))
    known_as = [name if name in trained else twin_of.get(name, "") for name in names]
    same = [name for name in names if name in trained]
    other = [f"{name} = {twin_of[name]}" for name in names if name in twin_of and name not in trained]
    differ = [name for name in same if (name, name) not in pairs] if pairs else []
    said = [] if pairs else twins.sentences
    if same:
        said.append(f"{several(len(same), 'target sample', 'is')} in the training population too ({some_names(same)}).")
    if other:
        said.append(
            f"{several(len(other), 'target sample', 'has')} the genotypes of a training sample under another name "
            f"({some_names(other)})."
        )
    if differ:
        said.append(
            f"warning: {several(len(differ), 'sample', 'has')} one name, and different genotypes in the two panels "
            f"({some_names(differ)})."
        )
    return np.array(known_as, dtype=str), said
