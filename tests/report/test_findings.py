"""What is said of an experiment follows from its table, whichever way it went."""

import re

import numpy as np
import pandas as pd
import pytest

from gpatlas.report.findings import finding


def metrics(more: float, n_rep: int = 6) -> pd.DataFrame:
    rng, rows = np.random.default_rng(2), []
    for n in (50, 100, 400):
        for rep in range(1, n_rep + 1):
            level = rng.normal(0.4, 0.1)
            for model, gain in (("rrblup", 0.0), ("perceiver_pretrained", more if n <= 100 else -0.5)):
                r = level + gain + rng.normal(0, 0.01)
                row = {"data": "inbred", "n_phenotyped": n, "rep": rep, "model": model, "trait_id": "env_1"}
                rows.append(row | {"predictive_ability": r, "accuracy": r})
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("more", "verdict"),
    [(0.1, "above that of rrBLUP"), (-0.1, "below that of rrBLUP"), (0.0, "not shown to differ (")],
)
def test_it_says_who_is_ahead_with_few_lines(more, verdict):
    text = finding("perceiver", metrics(more))
    assert verdict in text
    assert "With 100 phenotyped lines or fewer" in text
    assert "over 6 replicates" in text
    assert "scratch" not in text  # there is no such model


def test_panels_are_told_one_by_one():
    other = metrics(0.3).assign(data="sequenced")
    text = finding("perceiver", pd.concat([metrics(0.1), other]))
    assert "over 12 replicates" in text
    assert re.search(r"; inbred 0\.10\d?, sequenced 0\.30\d?\)", text)


def test_rrblup_on_imputed_genotypes_is_told_too():
    table = metrics(0.1)
    imputed = table[table.model == "rrblup"].assign(model="rrblup_imputed")
    text = finding("perceiver", pd.concat([table, imputed]))
    assert re.search(r"is 0\.1\d* above that of rrBLUP \(", text)
    assert re.search(r"; 0\.1\d* above that of rrBLUP on genotypes that nearest neighbours filled in first \(", text)


def test_one_replicate_has_no_interval():
    text = finding("perceiver", metrics(0.1, n_rep=1))
    assert "in one replicate, which cannot say more, is 0." in text
    assert "interval" not in text


def test_there_is_nothing_to_say_of_others():
    assert finding("scaling", metrics(0.1)) == ""
    assert finding("perceiver", metrics(0.1).query("model == 'rrblup'")) == ""
