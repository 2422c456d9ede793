"""Decoding of calls, against the same rules said plainly."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from gpatlas.io.variants.vcf_calls import decode


def plainly(calls: NDArray, ploidy: int, n_alternatives: int) -> tuple[list, list, int]:
    dosage, tally, highest = [], [0, 0, 0], 0
    for call in calls[:, :-1].tolist():
        alleles = [allele for allele in call if allele != -2]
        missing, single = alleles.count(-1), len(alleles) == 1 and ploidy == 2
        highest = max(highest, *alleles, 0)
        if not missing and (single or len(alleles) == ploidy):
            dosage.append([alleles.count(k + 1) * (2 if single else 1) for k in range(n_alternatives)])
            tally[1] += single
        else:
            dosage.append([-1] * n_alternatives)
            tally[0] += 0 < missing < len(alleles)
            tally[2] += not missing and len(alleles) > 0
    return np.array(dosage).T.tolist(), tally, highest


@st.composite
def all_calls(draw) -> tuple[NDArray, int, int]:
    ploidy = draw(st.integers(1, 6))
    lowest, highest = draw(st.sampled_from([(-2, 3), (-1, 1), (0, 1), (-1, 2), (-2, 1), (-1, 0)]))
    shape = (draw(st.integers(1, 40)), draw(st.integers(1, ploidy)) + 1)
    calls = draw(arrays(np.int16, shape, elements=st.integers(lowest, highest)))
    return calls, ploidy, draw(st.integers(1, 3))


@given(all_calls())
def test_dosages_and_counts_are_those_of_the_rules(drawn):
    calls, ploidy, n_alternatives = drawn
    dosage, tally = np.empty((n_alternatives, len(calls)), dtype=np.int8), np.zeros(3, dtype=np.int64)
    highest = decode(calls, ploidy, dosage, tally)
    assert (dosage.tolist(), tally.tolist(), highest) == plainly(calls, ploidy, n_alternatives)
