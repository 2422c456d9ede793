"""What is shown and what is asked for: by number, without replacement, without leaks."""

from itertools import permutations

import numpy as np
import pytest

from gpatlas.alleles import decoder
from gpatlas.config import PerceiverRecipe
from gpatlas.perceiver.batches import Batches
from gpatlas.perceiver.sampling import allele_frequencies, draw_loci, rarity
from tests.perceiver.conftest import SIZES, layout_of, panel


def batches_of(codes, layout, **changes):
    recipe = PerceiverRecipe(**{"batch_size": 8, **changes})
    rows = np.arange(len(codes))
    return Batches(recipe, layout, codes, rows[10:], rows[:10])


def individuals(batch):
    yield batch.shown, batch.codes
    if batch.other_codes is not None:
        yield batch.other_shown, batch.other_codes


@pytest.mark.parametrize("objective", ["masked", "contrastive"])
@pytest.mark.parametrize("sampling", ["uniform", "inverse_frequency"])
@pytest.mark.parametrize("prop_x", [1.0, 0.5])
def test_what_is_asked_for_is_hidden_and_known_and_different(objective, sampling, prop_x):
    codes, layout = panel(60, 40, 2, 3, missing=0.3)
    batches = batches_of(codes, layout, objective=objective, sampling=sampling, prop_x=prop_x, prop_y=0.2)
    shown_loci = np.zeros(40)
    for step in range(20):
        batch = batches.batch(step)
        assert batch.loci.shape == (8 if objective == "masked" else 4, round(0.2 * prop_x * 40))
        for shown, asked in individuals(batch):
            assert (asked[batch.known] > 0).all()
            assert (np.take_along_axis(shown, batch.loci, axis=1)[batch.known] == 0).all()
            hidden = np.zeros(shown.shape, dtype=bool)
            for row, loci in enumerate(batch.loci):
                chosen = loci[batch.known[row]]
                assert len(set(chosen.tolist())) == len(chosen)
                hidden[row, chosen] = True
            shown_loci += (shown != 0).mean(axis=0)
            if prop_x == 1:  # nothing but what is asked for is hidden
                rows = batches._rows(step)
                own = codes[rows if objective == "masked" else rows[:4] if shown is batch.shown else rows[4:]]
                assert (shown == np.where(hidden, 0, own)).all()
            assert ((shown != 0).sum(axis=1) + hidden.sum(axis=1) <= round(prop_x * 40)).all()
        assert batch.known.mean() > 0.5
    assert (shown_loci > 0).all()


@pytest.mark.parametrize("objective", ["masked", "contrastive"])
def test_hidden_calls_do_not_leak(objective):
    """Other values of the hidden calls change nothing of what a network is given."""
    codes, layout = panel(60, 40, 2, 3, missing=0.2)
    batches = batches_of(codes, layout, objective=objective, prop_y=0.2, batch_size=50)
    batch = batches.batch(0)
    rows = batches._rows(0)
    halves = [rows] if objective == "masked" else [rows[:25], rows[25:]]
    other = codes.copy()
    for half in halves:
        row, place = np.nonzero(batch.known)
        cells = half[row], batch.loci[row, place]
        other[cells] = other[cells] % layout.n_codes + 1
    assert (other != codes).any()
    changed = batches_of(other, layout, objective=objective, prop_y=0.2, batch_size=50).batch(0)
    for (shown, asked), (shown_now, asked_now) in zip(individuals(batch), individuals(changed), strict=True):
        assert (shown == shown_now).all()
        assert (asked != asked_now)[batch.known].all()
    assert (batch.loci == changed.loci).all()
    assert (batch.known == changed.known).all()


def test_batches_follow_from_their_number_alone():
    codes, layout = panel(61, 24)
    one, other = (batches_of(codes, layout, sampling="inverse_frequency") for _ in range(2))
    ahead = [other.batch(step).digest for step in (7, 3, 0)]
    assert ahead == [one.batch(step).digest for step in (7, 3, 0)]
    assert len(set(ahead)) == 3
    assert one.batch(0).digest != batches_of(codes, layout, sampling="inverse_frequency", seed=2).batch(0).digest
    assert [b.digest for b in one.held_out()] == [b.digest for b in other.held_out()]


def test_every_round_uses_every_training_row_once():
    codes, layout = panel(61, 24)
    batches = batches_of(codes, layout)
    rows = np.concatenate([batches._rows(step) for step in range(51)])  # 8 rounds of 51 rows
    assert (np.sort(rows.reshape(8, 51), axis=1) == np.arange(10, 61)).all()
    assert (rows[:51] != rows[51:102]).any()


def test_processes_share_a_batch():
    codes, layout = panel(60, 24)
    batch = batches_of(codes, layout, objective="contrastive").batch(0)
    parts = [batch.part(rank, 3) for rank in range(3)]
    for name, whole in batch.arrays().items():
        assert (np.concatenate([part.arrays()[name] for part in parts]) == whole).all()


def test_no_more_than_half_of_what_is_known_is_hidden():
    codes, layout = panel(60, 40, missing=0)
    codes[:, 6:] = 0
    batch = batches_of(codes, layout, prop_y=0.5).batch(0)
    assert (batch.known.sum(axis=1) == 3).all()
    codes[:, 0] = 0  # of five, three
    assert (batches_of(codes, layout, prop_y=0.5).batch(0).known.sum(axis=1) == 3).all()
    codes[:] = 0
    assert not batches_of(codes, layout).batch(0).known.any()


@pytest.mark.parametrize(("p", "k"), SIZES)
def test_frequencies_and_rarity(p, k):
    codes, layout = panel(40, 12, p, k, missing=0.2)
    codes[:, 0] = 0
    frequencies = allele_frequencies(codes, layout)
    table = decoder(p, k).astype(float)
    for locus in range(12):
        copies = table[codes[:, locus]].sum(axis=0)
        assert frequencies[locus] == pytest.approx(copies / max(copies.sum(), 1))
    weights = rarity(frequencies, layout)
    assert (weights[:, 0] == 0).all()
    for locus in range(1, 12):
        for code in range(1, len(table)):
            alleles = np.repeat(np.arange(k), table[code].astype(int))
            with np.errstate(divide="ignore"):
                logit = np.mean(np.log(np.maximum(1 - frequencies[locus, alleles], 0)))
            assert weights[locus, code] == pytest.approx(np.exp(logit), rel=1e-4, abs=1e-6)


def test_draws_have_the_inclusion_probabilities_of_successive_sampling(rng):
    """Exact ones by enumeration of all orders of drawing 2 of 5 loci."""
    weights = np.array([0.9, 0.5, 0.3, 0.1, 0.0])
    expected = np.zeros(5)
    for first, second in permutations(range(5), 2):
        chance = weights[first] / weights.sum() * weights[second] / (weights.sum() - weights[first])
        expected[[first, second]] += chance
    loci, drawn = draw_loci(np.tile(weights.astype(np.float32), (60_000, 1)), 2, rng)
    assert drawn.all()
    found = np.bincount(loci.ravel(), minlength=5) / len(loci)
    assert found == pytest.approx(expected, abs=4 * 0.5 / 60_000**0.5)
    assert found[4] == 0
    first = np.bincount(loci[:, 0], minlength=5) / len(loci)
    assert first == pytest.approx(weights / weights.sum(), abs=4 * 0.5 / 60_000**0.5)


def test_inverse_frequency_prefers_rare_alleles():
    rng = np.random.default_rng(1)
    frequency = np.repeat([0.5, 0.05], 20)
    codes = ((rng.random((400, 40)) < frequency) + 1).astype(np.int16)
    layout = layout_of(40, 1, 2)
    asked = {}
    for sampling in ("uniform", "inverse_frequency"):
        batches = batches_of(codes, layout, sampling=sampling, batch_size=390)
        batch = batches.batch(0)
        asked[sampling] = (batch.codes[batch.loci >= 20] == 2).mean()
    assert asked["uniform"] == pytest.approx(0.05, abs=0.03)
    assert asked["inverse_frequency"] > 0.3  # weights .95 against .05
