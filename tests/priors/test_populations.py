"""Draws of priors as datasets: the context is what models are fitted to, and a trait law is what it says."""

from typing import get_args

import numpy as np
import pytest

from gpatlas.config.priors import LAWS as DESCRIBED
from gpatlas.config.priors import Law, PriorSpec
from gpatlas.dataset import Fold
from gpatlas.errors import ConfigError
from gpatlas.priors import make
from gpatlas.priors.populations import LAWS, make_population, to_dataset


def spec(**changes):
    return PriorSpec(**({"prior": "f2", "law": "few", "n_samples": 60, "n_markers": 80} | changes))


def test_a_task_is_kept_as_it_is():
    task = make("nam").draw(3, 60, 80)
    data = to_dataset(task)
    np.testing.assert_array_equal(data.dosage(), task.genotypes)
    np.testing.assert_array_equal(data.phenotypes[:, 0], task.phenotype)
    np.testing.assert_array_equal(data.truth.genetic_values[:, 0], task.genetic_value)
    np.testing.assert_array_equal(data.fold == Fold.test, ~task.context)
    np.testing.assert_array_equal(data.position, task.position)
    assert (data.truth.traits["var_g"] + data.truth.traits["var_e"])[0] == pytest.approx(1.0)
    assert data.locus_id[0] == b"%d_1" % task.chromosome[0]


def test_a_share_of_the_context_is_held_back_and_no_query_told():
    whole, held = make_population(spec(validation=0.0), 5), make_population(spec(validation=0.25), 5)
    context = whole.fold == Fold.train
    assert set(whole.fold) == {Fold.train, Fold.test}
    np.testing.assert_array_equal(held.fold == Fold.test, ~context)
    assert (held.fold == Fold.validation).sum() == round(0.25 * context.sum())
    assert make_population(spec(), 5).content_hash == make_population(spec(), 5).content_hash
    assert make_population(spec(), 5).content_hash != make_population(spec(), 6).content_hash


def test_every_law_is_described_and_drawn():
    assert set(get_args(Law)) == set(DESCRIBED) == {"mixture", *LAWS}


@pytest.mark.parametrize(("law", "low", "high"), [("few", 3, 15), ("moderate", 16, 80), ("many", 81, 500)])
def test_laws_of_so_many_qtl(law, low, high):
    n_qtl = [make_population(spec(law=law, n_markers=300), k).provenance["prior"]["n_qtl"] for k in range(12)]
    assert low <= min(n_qtl) <= max(n_qtl) <= high
    assert len(set(n_qtl)) > 3


@pytest.mark.parametrize("law", ["infinitesimal", "dominance", "epistasis"])
def test_laws_by_name(law):
    drawn = [make_population(spec(law=law), k).provenance["prior"]["law"] for k in range(8)]
    assert all(law in name for name in drawn), drawn


def test_an_unknown_prior_is_refused():
    with pytest.raises(ConfigError, match="unknown prior 'f3'; known are"):
        make_population(spec(prior="f3"), 1)
