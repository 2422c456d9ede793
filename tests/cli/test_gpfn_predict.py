"""`gpatlas gpfn predict` on files as breeders have them: every format, every mistake one line."""

import contextlib
import io
import re
import subprocess
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gpatlas.errors import GpatlasError
from gpatlas.gpfn.predicting import predict_population
from gpatlas.io import write_dataset
from gpatlas.io.variants.exporting import write_bed, write_vcf
from tests.conftest import one_line_error
from tests.gpfn.networks import write_network
from tests.gpfn.populations import N_LOCI, two_panels

WRITTEN = r"lines\.h5|old\.vcf\.gz|phenotypes\.csv|new\.bed|p\.csv"


@pytest.fixture(scope="module")
def panels():
    training, target, _ = two_panels(4, n=60, n_target=20)
    return training, target


@pytest.fixture(scope="module")
def folder(panels, tmp_path_factory):
    """A network, both populations in every format, and a table of phenotypes of both."""
    folder = tmp_path_factory.mktemp("populations")
    write_network(folder / "tiny.safetensors")
    for name, dataset in zip(("old", "new"), panels, strict=True):
        write_dataset(dataset, folder / f"{name}.h5")
        write_vcf(dataset, folder / f"{name}.vcf.gz")
        write_bed(dataset, folder / f"{name}.bed")
        write_hapmap(dataset, folder / f"{name}.hmp.txt")
        counts = pd.DataFrame(dataset.genotypes, columns=dataset.locus_id)
        counts.insert(0, "line", dataset.sample_id)
        counts.to_csv(folder / f"{name}.csv", index=False)
    table = pd.DataFrame({
        "line": np.concatenate([one.sample_id for one in panels]),
        "note": [f"remark {k}" for k in range(80)],
        "site": np.arange(80) % 3 + 1,
        "yield": np.concatenate([one.phenotypes[:, 0] for one in panels]),
    })  # fmt: skip
    table.to_csv(folder / "both.csv", index=False)
    table[:60].to_csv(folder / "phenotypes.csv", index=False)
    return folder


def write_hapmap(dataset, path):
    columns = ["rs#", "alleles", "chrom", "pos", "strand", "assembly#", "center", "protLSID", "assayLSID", "panelLSID"]
    columns.append("QCcode")
    rows = ["\t".join([*columns, *dataset.sample_id])]
    for k, (other, counted) in enumerate(dataset.alleles):
        calls = np.array([2 * other, other + counted, 2 * counted])[dataset.genotypes[:, k]]
        place = [dataset.chromosome[k], str(int(dataset.position[k])), "+", *["NA"] * 6]
        rows.append("\t".join([dataset.locus_id[k], f"{other}/{counted}", *place, *calls]))
    path.write_text("\n".join(rows) + "\n")


def in_process(*words):
    """Run the command line here: libraries are loaded once, and not for every call."""
    import gpatlas.cli.gpfn  # noqa: F401 # registers its verbs
    from gpatlas.cli import app

    printed = io.StringIO()
    code, said = 0, ""
    with contextlib.redirect_stdout(printed):
        try:
            app([str(word) for word in words], standalone_mode=False)
        except GpatlasError as error:
            code, said = 2, f"gpatlas: error: {error}\n"
    return subprocess.CompletedProcess(words, code, printed.getvalue(), said)


@pytest.fixture(scope="module")
def predict(folder):
    default = {"target": "new.vcf.gz", "table": "phenotypes.csv", "options": ("--phenotype-name", "yield")}

    def run(out, train="old.vcf.gz", run=in_process, **changes):
        files = default | changes
        return run(
            "gpfn", "predict", "--train-genotypes", folder / train, "--target-genotypes", folder / files["target"],
            "--phenotypes", folder / files["table"], "--checkpoint", folder / "tiny.safetensors", "--out", out,
            *files["options"],
        )  # fmt: skip

    return run


def test_the_example_runs(gpatlas, folder, tmp_path):
    shown = gpatlas("gpfn", "predict", "--help").stdout
    examples = re.findall(r"^    gpatlas (.*)$", shown, flags=re.MULTILINE)
    assert len(examples) == 4
    for example in examples:
        words = [str(tmp_path / w) if re.fullmatch(WRITTEN, w) else w for w in example.split()]
        network = ["--checkpoint", folder / "tiny.safetensors"] if words[0] == "gpfn" else []
        done = gpatlas(*words, *network)
        assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "p.csv")
    assert len(table) == 3 * 100
    assert (table["lower"] < table["gebv"]).all()
    assert "no twins across the cohorts" in done.stdout


@pytest.mark.parametrize(
    ("train", "target"),
    [("old.bed", "new.hmp.txt"), ("old.hmp.txt", "new.csv"), ("old.csv", "new.bed"), ("old.h5", "new.vcf.gz")],
)
def test_every_mixture_of_formats_gives_the_same_numbers(predict, panels, folder, tmp_path, train, target):
    done = predict(tmp_path / "p.csv", train, target=target)
    assert done.returncode == 0, done.stderr
    found = pd.read_csv(tmp_path / "p.csv", dtype={"sample_id": str})
    expected = predict_population(*panels, checkpoint=str(folder / "tiny.safetensors")).table
    assert list(found["sample_id"]) == list(expected["sample_id"])
    for column in ("gebv", "se", "lower", "upper"):
        np.testing.assert_allclose(found[column], expected[column], rtol=1e-6)
    assert list(found.columns) == ["sample_id", "trait", "gebv", "se", "lower", "upper", "in_training", "missing_loci"]


def test_who_has_what_is_said_and_known_phenotypes_are_scored(predict, tmp_path):
    options = ("--phenotype-name", "yield", "--covariates", "site", "--categorical", "site", "--interval", "0.8")
    done = predict(tmp_path / "p.csv", table="both.csv", options=options)
    for text in (
        "both.csv: 60 of 60 genotyped samples have a row; 20 only in both.csv (new0, new1, new2, …)",
        "both.csv: 20 of 20 target samples have a row",
        "on 20 new samples; 80% intervals hold",
    ):
        assert text in done.stdout, done.stdout + done.stderr
    table = pd.read_csv(tmp_path / "p.csv")
    assert {"prediction", "observed"} < set(table.columns)
    assert not table["in_training"].any()


def test_all_traits_of_a_table_and_of_a_dataset_file(predict, folder, tmp_path):
    done = predict(tmp_path / "p.csv", options=())
    assert set(pd.read_csv(tmp_path / "p.csv")["trait"]) == {"site", "yield"}, done.stderr
    assert "1 column of text with many values left out (note)" in done.stdout
    done = in_process(
        "gpfn", "predict", "--train-genotypes", folder / "old.h5", "--target-genotypes", folder / "new.h5",
        "--checkpoint", folder / "tiny.safetensors", "--out", tmp_path / "q.csv",
    )  # fmt: skip
    assert "predictive ability" in done.stdout, done.stderr
    found, same = pd.read_csv(tmp_path / "q.csv"), pd.read_csv(tmp_path / "p.csv").query("trait == 'yield'")
    np.testing.assert_allclose(found["gebv"], same["gebv"], rtol=1e-8)


def test_a_target_that_lacks_half_of_the_markers_is_predicted_with_a_warning(predict, panels, folder, tmp_path):
    write_vcf(panels[1].loci(np.arange(0, N_LOCI, 2)), folder / "half.vcf")
    done = predict(tmp_path / "p.csv", target="half.vcf")
    assert "warning: the target lacks 50% of the training panel's loci" in done.stdout
    assert len(pd.read_csv(tmp_path / "p.csv")) == 20


@pytest.fixture(scope="module")
def wrong(folder, panels):
    """Write files that are wrong."""
    target = panels[1]
    other = replace(target, locus_id=np.array([f"x{k}" for k in range(N_LOCI)]), position=target.position + 1e6)
    write_vcf(other, folder / "other.vcf")
    lines = (folder / "phenotypes.csv").read_text().splitlines()
    (folder / "one.csv").write_text("\n".join(lines[:2]) + "\n")
    (folder / "strangers.csv").write_text("line,yield\na,1\nb,2\n")
    doubled = (folder / "new.csv").read_text().splitlines()
    (folder / "doubled.csv").write_text("\n".join([*doubled, doubled[1]]) + "\n")
    write_vcf(target, folder / "new.vcf")
    for whole, name in (("tiny.safetensors", "cut.safetensors"), ("new.vcf", "cut.vcf"), ("new.vcf.gz", "cut.vcf.gz")):
        content = (folder / whole).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": "other.vcf"}, "the target's genotypes share no locus with the training panel"),
        ({"table": "one.csv"}, "1 training sample has genotypes and yield, but at least 10 are needed"),
        ({"table": "strangers.csv"}, "no sample of it has genotypes; its names are a, b"),
        ({"target": "doubled.csv"}, "new0"),
        ({"train": "absent.vcf"}, "absent.vcf"),
        ({"options": ("--phenotype-name", "yeild")}, "no column 'yeild'; did you mean 'yield'"),
        ({"options": ("--phenotype-name", "note")}, "note 'remark 0' is not a number"),
        ({"options": ("--covariates", "yield", "--phenotype-name", "yield")}, "yield cannot be a phenotype to predict"),
        ({"options": ("--categorical", "site")}, "--categorical site is not one of --covariates"),
        ({"options": ("--device", "cuda:7")}, "--device: device 'cuda:7' is not available here"),
        ({"options": ("--device", "gpuu")}, "--device: unknown device 'gpuu'; name auto, cpu, cuda or one such as"),
        ({"options": ("--checkpoint", "absent")}, "checkpoint 'absent': gpatlas comes with"),
        ({"options": ("--checkpoint", "cut.safetensors")}, "cut.safetensors: not a file of arrays that gpatlas wrote"),
        ({"target": "cut.vcf"}, "cut.vcf: cut short: the last line has no end"),
        ({"target": "cut.vcf.gz"}, "cut.vcf.gz: cut short: the block that ends compressed data is missing"),
    ],
)
@pytest.mark.usefixtures("wrong")
def test_mistakes_are_one_line(predict, folder, tmp_path, changes, message, monkeypatch):
    monkeypatch.chdir(folder)
    assert message in one_line_error(predict(tmp_path / "p.csv", **changes))
    assert not (tmp_path / "p.csv").exists()


@pytest.mark.usefixtures("wrong")
def test_as_a_process(predict, gpatlas, tmp_path):
    done = predict(tmp_path / "p.csv", run=gpatlas, table="one.csv")
    assert "1 training sample has genotypes and yield" in one_line_error(done)


def test_a_table_is_needed_where_genotypes_hold_no_trait(folder, tmp_path):
    genotypes = ["--train-genotypes", folder / "old.bed", "--target-genotypes", folder / "new.bed"]
    words = ["gpfn", "predict", *genotypes, "-o", tmp_path / "p.csv", "--checkpoint", folder / "tiny.safetensors"]
    line = one_line_error(in_process(*words))
    assert "the training population has no trait: give a table of phenotypes" in line
    line = one_line_error(in_process(*words, "--id-column", "line"))
    assert "--id-column names columns of --phenotypes, which is not given" in line
