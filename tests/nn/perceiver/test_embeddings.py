"""Markers as vectors: a call is the sum of its alleles, a position means the same in every unit."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gpatlas.alleles import codes_of, decoder
from gpatlas.nn.perceiver.embeddings import ALLELE_KINDS, POSITION_KINDS, AlleleEmbedding, spaced
from tests.nn.perceiver.panels import panel


@pytest.mark.parametrize("ploidy", [1, 2, 4, 6])
@pytest.mark.parametrize("n_alleles", [2, 3, 5])
@pytest.mark.parametrize("kind", ALLELE_KINDS)
def test_a_call_is_the_sum_of_its_alleles(ploidy, n_alleles, kind):
    layout = panel(ploidy, n_alleles, n_loci=3)
    embed = AlleleEmbedding(layout, 4, kind).double()
    table = decoder(ploidy, n_alleles)
    every = torch.arange(1, len(table))[:, None].expand(-1, 3)
    got = embed(every)
    for code, locus in np.ndindex(len(table) - 1, 3):
        vectors = embed.vectors[locus] if kind == "3" else embed.vectors
        alleles = [allele for allele, n in enumerate(table[code + 1]) for _ in range(n)]
        expected = sum(vectors[1 + allele] for allele in alleles)
        if kind == "2":
            expected = expected @ embed.map[locus] + embed.offset[locus]
        torch.testing.assert_close(got[code, locus], expected)


def test_a_heterozygote_carries_half_of_each_homozygote():
    embed = AlleleEmbedding(panel(), 4)
    both, one, other = embed(torch.tensor([[2], [1], [3]]))
    torch.testing.assert_close(2 * both, one + other)
    torch.testing.assert_close(both[0], embed.vectors[1] + embed.vectors[2])


@pytest.mark.parametrize("kind", ALLELE_KINDS)
def test_a_missing_call_carries_no_allele(kind):
    layout = panel(4, 3)
    embed, codes = AlleleEmbedding(layout, 4, kind), torch.zeros(2, 12, dtype=torch.int64)
    embed(codes).sum().backward()
    alleles = embed.vectors.grad[..., 1:, :]
    assert (alleles == 0).all()
    assert (embed.vectors.grad[..., 0, :] != 0).any()  # but a vector of its own


def test_alleles_are_numbered_as_codes_are():
    embed = AlleleEmbedding(panel(2, 3), 4)
    code = int(codes_of(np.array([0, 1, 1])))
    torch.testing.assert_close(embed(torch.tensor([[code]]))[0, 0], embed.vectors[2] + embed.vectors[3])


@pytest.mark.parametrize("kind", POSITION_KINDS)
def test_a_locus_has_its_chromosome_and_its_place(kind):
    layout = panel()
    embed = POSITION_KINDS[kind](layout, 6)
    every = embed(torch.arange(12))
    loci = torch.tensor([[3, 11, 3], [0, 5, 7]])
    assert torch.equal(embed(loci), every[loci])
    assert len(torch.unique(every, dim=0)) == 12
    with torch.no_grad():
        embed.chromosome[1] += 1
    moved = (embed(torch.arange(12)) - every).sum(1)
    assert ((moved > 0.5).numpy() == (layout.number == 1)).all()


def test_fourier_positions_are_those_of_the_paper():
    layout = panel()
    embed = POSITION_KINDS["fourier"](layout, 5).double()
    with torch.no_grad():
        embed.chromosome.zero_()
    for locus, at in enumerate(embed.place.tolist()):
        expected = []
        for channel in range(5):
            angle = at * float(embed.frequency[channel])
            expected.append(np.sin(angle) if channel % 2 else np.cos(angle))
        np.testing.assert_allclose(embed(torch.tensor(locus)).detach(), expected, atol=1e-12)
    assert embed.frequency.tolist() == pytest.approx([1, 1, 1e-4 ** (2 / 5), 1e-4 ** (2 / 5), 1e-4 ** (4 / 5)])


def test_positions_mean_the_same_in_every_unit():
    layout = panel()
    physical = replace(layout, position=np.round(layout.position * 1e6) + 1, position_unit="bp")
    np.testing.assert_allclose(spaced(physical), spaced(layout), rtol=1e-5, atol=1e-5)
    beside = np.diff(layout.number) == 0
    assert np.diff(spaced(layout))[beside].mean() == pytest.approx(1)
    one = replace(layout, position=np.full(12, 5.0))
    assert (spaced(one) == 0).all()  # all at one place


@pytest.mark.parametrize("kind", POSITION_KINDS)
def test_places_may_be_kept(kind):
    embed = POSITION_KINDS[kind](panel(), 6, trainable=False)
    assert [name for name, _ in embed.named_parameters()] == ["chromosome"]
    assert set(embed.state_dict()) == {"chromosome", "place"}
