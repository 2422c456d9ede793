"""From gperceiver's three tables to predictions through the command line: tetraploids, three alleles, two blocks."""

import numpy as np
import pandas as pd
import pytest

from gpatlas.dataset import Fold, as_text
from gpatlas.io import read_dataset
from gpatlas.io.gperceiver import write_gperceiver
from gpatlas.nn.perceiver import Layout
from gpatlas.perceiver.pretrained import read_pretrained
from tests.allele_panels import panel_of

N, L = 40, 24
RECIPE = (
    "{n_steps: 6, batch_size: 8, validate_every: 3, network: {window: 4, flank: 2, hidden: 8, width: 8, n_heads: 2, "
    "pair_width: 4}}"
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The tables of a panel, and those of half of its markers."""
    folder = tmp_path_factory.mktemp("tables")
    data = panel_of(4, 3, N, L)
    data.fold[::5] = Fold.validation
    tables = [folder / f"{name}.tsv" for name in ("chroms", "markers", "phenotypes")]
    write_gperceiver(data, *tables)
    chroms, markers = (pd.read_csv(path, sep="\t", dtype=str) for path in tables[:2])
    chroms[::2].to_csv(folder / "half_chroms.tsv", sep="\t", index=False)
    markers[["name", *chroms["marker"][::2]]].to_csv(folder / "half_markers.tsv", sep="\t", index=False)
    return folder, data


def test_from_tables_to_predictions(gpatlas, files, tmp_path):
    folder, data = files
    assert 0 < (data.codes == 0).mean() < 0.2  # some calls are missing, and stay so

    def done(*words):
        found = gpatlas(*words, cwd=tmp_path)
        assert found.returncode == 0, found.stderr
        return found.stdout

    calls = ["--ploidy", 4, "--n-alleles", 3, "--cv", 1]
    for name, prefix in (("panel.h5", ""), ("half.h5", "half_")):
        tables = [folder / f"{prefix}markers.tsv", "--chroms", folder / f"{prefix}chroms.tsv"]
        done("import", *tables, "--phenotypes", folder / "phenotypes.tsv", *calls, "-o", name)
    panel, half = (read_dataset(tmp_path / name) for name in ("panel.h5", "half.h5"))
    np.testing.assert_array_equal(panel.allele_codes(), data.codes)
    np.testing.assert_array_equal(half.allele_codes(), data.codes[:, ::2])

    said = done("perceiver", "pretrain", "panel.h5", "--recipe-text", RECIPE, "--device", "cpu", "-o", "pretrained")
    assert "40 samples × 24 markers on 2 chromosomes, ploidy 4, 3 alleles" in said
    _, layout = read_pretrained(tmp_path / "pretrained")
    assert layout.as_config() == Layout.of(panel)[0].as_config()

    words = ["--checkpoint", "pretrained/checkpoint.safetensors", "--max-epochs", 3, "--device", "cpu"]
    said = done("perceiver", "finetune", "half.h5", *words, "--out", "predictions.tsv")
    assert "12 markers of the checkpoint's panel not in the data: missing." in said
    table = pd.read_csv(tmp_path / "predictions.tsv", sep="\t", dtype={"environment": str})
    expected = [(name, block) for name in as_text(half.sample_id).tolist() for block in ("0", "1")]
    assert list(zip(table["sample_id"], table["environment"], strict=True)) == expected
    assert np.isfinite(table["prediction"]).all()
    assert table["prediction"].nunique() > N  # of samples and environments, not of environments alone
    np.testing.assert_allclose(table["observed"], half.phenotypes.ravel())
    assert (table["fold"] == "validation").sum() == 2 * N / 5
