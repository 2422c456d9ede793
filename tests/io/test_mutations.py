"""Damaged input files: each ends in one clear line or in a correct result, never in a traceback, never silently wrong.

A reader may go on only where what it returns is true: everything, or all but the line that was damaged.
"""

import gzip
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from gpatlas.automl.task import make_task
from gpatlas.dataset import Dataset, as_text
from gpatlas.errors import DataError, GpatlasError
from gpatlas.io import read_genotypes, read_phenotypes
from gpatlas.joins import Phenotypes, attach
from tests.io.panels import BINARY, NAMES, TEXT, Panel, differences, expected, files, panel


@pytest.fixture
def outcome(tmp_path):
    """Write files, read the first, and return the data or the one line that was said instead."""

    def read(contents: dict[str, bytes], **options):
        for name, content in contents.items():
            (tmp_path / name).write_bytes(content)
        try:
            return read_genotypes(tmp_path / next(iter(contents)), **options)
        except GpatlasError as error:
            line = str(error)
            assert line
            assert "\n" not in line, line
            assert len(line) < 600
            return line

    return read


def check_task(data: Dataset, trait: str) -> str:
    """Make a task for AutoML of what was read: known phenotypes and the dosages, or one line that says why not."""
    try:
        task = make_task(data, trait)
    except GpatlasError as error:
        line = str(error)
    else:
        k = as_text(data.trait_id).tolist().index(trait)
        assert task.n_samples == (~np.isnan(data.phenotypes[:, k])).sum()
        assert np.isfinite(task.y).all()
        assert len(set(task.y)) > 1
        dosage = data.dosage()[task.row]
        np.testing.assert_array_equal(task.X[:, : data.n_loci], np.where(dosage < 0, np.nan, dosage))
        return ""
    assert line
    assert "\n" not in line
    return line


def check_learnable(data: Dataset) -> None:
    """Give the samples that were read phenotypes by their names, and make a task of them."""
    if set(as_text(data.sample_id).tolist()) & set(NAMES):
        values = np.arange(len(NAMES), dtype=float)[:, None]
        table = Phenotypes("p.csv", list(NAMES), ["height"], values, [], np.empty((len(NAMES), 0)))
        check_task(attach(data, table)[0], "height")


FORMATS = [*TEXT, *BINARY]
FOREIGN = [name for name in FORMATS if not name.endswith(".h5")]  # ours is written from data that were checked


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_holds_the_panel(outcome, tmp_path, name):
    true = expected(name, panel())
    data = outcome(files(name, panel(), tmp_path))
    assert as_text(data.sample_id).tolist() == true.samples
    assert as_text(data.locus_id).tolist() == true.loci
    np.testing.assert_array_equal(data.dosage(), true.dosage)
    assert data.ploidy == 2


# the same genotypes in another dress ----------------------------------------------------------------------------------
DRESSES: dict[str, Callable[[bytes], bytes]] = {
    "a byte order mark": lambda s: b"\xef\xbb\xbf" + s,
    "Windows line ends": lambda s: s.replace(b"\n", b"\r\n"),
    "blank lines at the end": lambda s: s + b"\n\n",
    "gzip": gzip.compress,
}


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize("name", TEXT)
def test_another_dress(outcome, name, dress):
    data = outcome({name: DRESSES[dress](TEXT[name](panel()))})
    if name.endswith("vcf") and isinstance(data, str):
        return  # htslib's own rules for VCF are stricter, and it says so
    assert as_text(data.sample_id).tolist() == panel().samples
    np.testing.assert_array_equal(data.dosage(), panel().dosage)


# other panels, that are odd but right ---------------------------------------------------------------------------------
def _with(change: Callable[[np.ndarray], None]) -> Callable[[Panel], Panel]:
    def changed(of: Panel) -> Panel:
        dosage = of.dosage.copy()
        change(dosage)
        return replace(of, dosage=dosage)

    return changed


ODD: dict[str, Callable[[Panel], Panel]] = {
    "a marker without calls": _with(lambda x: x.__setitem__((slice(None), 3), -1)),
    "a sample without calls": _with(lambda x: x.__setitem__(5, -1)),
    "nothing but missing": _with(lambda x: x.fill(-1)),
    "a monomorphic panel": _with(lambda x: x.fill(2)),
    "heterozygotes only": _with(lambda x: x.fill(1)),
    "numeric names": lambda of: replace(of, samples=[f"{k:03d}" if k % 2 else str(1000 + k) for k in range(12)]),
    "names of few digits": lambda of: replace(of, samples=[str(k) for k in range(12)]),
    "loci named by numbers": lambda of: replace(of, loci=[str(200 + k) for k in range(15)]),
    "one locus": lambda of: replace(of, loci=of.loci[:1], dosage=of.dosage[:, :1]),
    "one sample": lambda of: replace(of, samples=of.samples[:1], dosage=of.dosage[:1]),
}


MAY_BE_REFUSED = ("one locus", "one sample", "nothing but missing", "heterozygotes only", "names of few digits")


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", FORMATS)
def test_an_odd_panel(outcome, tmp_path, name, odd):
    of = ODD[odd](panel())
    of = replace(of, alleles=of.alleles[: len(of.loci)], position=of.position[: len(of.loci)])
    data, true = outcome(files(name, of, tmp_path)), expected(name, of)
    if isinstance(data, str):
        assert odd in MAY_BE_REFUSED, data
        return
    check_learnable(data)
    assert as_text(data.sample_id).tolist() == true.samples
    assert as_text(data.locus_id).tolist() == true.loci
    assert not differences(data, true)
    if data.ploidy == 2 and data.alleles is not None:
        same = (as_text(data.alleles)[:, 1] == [pair[1] for pair in true.alleles]) | (true.dosage <= 0).all(axis=0)
        np.testing.assert_array_equal(data.dosage()[:, same], true.dosage[:, same])


ALLELES = [
    *(("A", "<DEL>"), ("N", "C"), ("a", "c"), ("-", "T"), ("0", "C"), (".", "C"), ("A", "."), ("Ä", "C"), ("A", "A")),
    *(("A", "*"), ("I", "D"), ("+", "-"), ("1", "2"), ("ACGT" * 30, "A"), ("A", "ACGT" * 30)),
]


@pytest.mark.parametrize("alleles", ALLELES, ids=lambda pair: f"{pair[0][:5]},{pair[1][:5]}")
@pytest.mark.parametrize("name", ["c.tsv", "e.hmp", "g.vcf", "h.vcf.gz", "i.bed", "j.pgen", "k.h5"])
def test_odd_alleles(outcome, tmp_path, name, alleles):
    """The odd locus is right, absent or refused; in HapMap, whose calls are letters, N and . are missing ones."""
    of = panel()
    of.alleles[4] = alleles
    contents = files(name, of, tmp_path)
    if name == "e.hmp":  # calls of two letters, whatever is listed
        usual = TEXT[name](panel()).splitlines(keepends=True)
        listed = "/".join(panel().alleles[4]).encode()
        usual[5] = usual[5].replace(listed, "/".join(alleles).encode(), 1)
        contents = {name: b"".join(usual)}
    data = outcome(contents)
    if isinstance(data, str):
        assert name not in ("c.tsv", "i.bed", "k.h5"), data
        return
    check_learnable(data)
    assert not differences(data, panel())
    if of.loci[4] in as_text(data.locus_id).tolist():
        assert data.dosage()[:, 4].tolist() in (of.dosage[:, 4].tolist(), _turned(of.dosage[:, 4]))


def _turned(dosage: np.ndarray) -> list[int]:
    return np.where(dosage < 0, -1, 2 - dosage).tolist()


@pytest.mark.parametrize("name", FOREIGN)
def test_a_sample_twice(outcome, tmp_path, name):
    of = replace(panel(), samples=["B73" if sample == "Oh43" else sample for sample in NAMES])
    found = outcome(files(name, of, tmp_path))
    if not isinstance(found, str):  # trees and PLINK tell samples apart by other names, and say so
        names = as_text(found.sample_id).tolist()
        assert len(set(names)) == len(names)
        np.testing.assert_array_equal(found.dosage(), expected(name, of).dosage)
    else:
        assert "B73" in found


@pytest.mark.parametrize("name", FOREIGN)
def test_a_locus_twice(outcome, tmp_path, name):
    of = panel()
    of = replace(of, loci=[*of.loci[:14], of.loci[0]])
    data = outcome(files(name, of, tmp_path))
    assert len(set(data.locus_id.tolist())) == 15
    np.testing.assert_array_equal(data.dosage(), expected(name, of).dosage)
    if not name.endswith(".trees"):
        assert any("renamed" in sentence or "made unique" in sentence for sentence in data.provenance["account"])


# damage ---------------------------------------------------------------------------------------------------------------
def _some_line(s: bytes, rng: np.random.Generator, change: Callable[[bytes], bytes]) -> bytes:
    lines = s.splitlines(keepends=True)
    number = int(rng.integers(len(lines) // 2, len(lines)))
    lines[number] = change(lines[number].rstrip(b"\n")) + b"\n"
    return b"".join(lines)


def _last_field(line: bytes, value: bytes) -> bytes:
    end = max(line.rfind(sign) for sign in (b",", b"\t", b" "))
    return line[: end + 1] + value


DAMAGE: dict[str, Callable[[bytes, np.random.Generator], bytes]] = {
    "cut": lambda s, rng: s[: int(rng.integers(1, len(s)))],
    "cut near the end": lambda s, rng: s[: -int(rng.integers(2, 8))],
    "nothing left": lambda s, rng: b"",
    "another byte": lambda s, rng: _flip(s, rng),
    "a field less": lambda s, rng: _some_line(s, rng, lambda line: _last_field(line, b"")[:-1]),
    "a field more": lambda s, rng: _some_line(
        s, rng, lambda line: line + b"," * (b"," in line) + b"\t0" * (b"\t" in line)
    ),
    "a negative count": lambda s, rng: _some_line(s, rng, lambda line: _last_field(line, b"-2")),
    "an odd call": lambda s, rng: _some_line(s, rng, lambda line: _last_field(line, b"Q")),
    "a large count": lambda s, rng: _some_line(s, rng, lambda line: _last_field(line, b"7")),
    "a fraction": lambda s, rng: _some_line(s, rng, lambda line: _last_field(line, b"0.37")),
    "another delimiter in a line": lambda s, rng: _some_line(
        s, rng, lambda line: line.replace(b",", b";").replace(b"\t", b",").replace(b" ", b"\t")
    ),
    "another delimiter": lambda s, rng: s.replace(b",", b"|").replace(b"\t", b"|").replace(b" ", b"|"),
    "no header": lambda s, rng: b"\n".join(s.split(b"\n")[4 if s.startswith(b"##") else 1 :]),
    "zero bytes": lambda s, rng: s[:50] + bytes(20) + s[70:],
    "latin-1": lambda s, rng: s.replace(b"Mo17", b"M\xfcnch"),
}


def _flip(s: bytes, rng: np.random.Generator) -> bytes:
    place = int(rng.integers(len(s)))
    return s[:place] + bytes([int(rng.integers(9, 123))]) + s[place + 1 :]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", TEXT)
def test_damaged_text(outcome, name, damage, seed):
    rng = np.random.default_rng([seed, len(damage), len(name)])
    found = outcome({name: DAMAGE[damage](TEXT[name](panel()), rng)})
    if isinstance(found, str):
        return
    check_learnable(found)
    if any("no header" in sentence for sentence in found.provenance["account"]):
        assert as_text(found.sample_id).tolist() == NAMES  # the loci are numbered, and that is said
        np.testing.assert_array_equal(found.dosage(), panel().dosage)
    else:
        assert not differences(found, panel()), damage


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("damage", ["cut", "cut near the end", "another byte", "nothing left"])
@pytest.mark.parametrize("name", BINARY)
def test_damaged_binary_files(outcome, tmp_path, name, damage, seed):
    rng = np.random.default_rng([seed, len(damage), len(name)])
    contents = files(name, panel(), tmp_path)
    hit = list(contents)[seed % len(contents)]  # of sets, every file in turn
    found = outcome(contents | {hit: DAMAGE[damage](contents[hit], rng)})
    if not isinstance(found, str):
        check_learnable(found)
        assert not differences(found, expected(name, panel())), damage
        if name.endswith((".h5", ".gz")):  # these know their own content
            np.testing.assert_array_equal(found.dosage(), expected(name, panel()).dosage)


def test_a_header_of_vcf_that_lost_a_tab(outcome):
    """htslib leaves out what is beyond the header, so that names would shift."""
    content = TEXT["g.vcf"](panel()).replace(b"Mo17\ts_1_2", b"Mo17 s_1_2")
    assert "the header has 20 columns, but the first record 21" in outcome({"g.vcf": content})


@pytest.mark.parametrize("name", ["i.bed", "j.pgen"])
def test_a_file_of_a_set_is_missing(outcome, tmp_path, name):
    whole = files(name, panel(), tmp_path)
    for absent in list(whole)[1:]:
        folder = {key: content for key, content in whole.items() if key != absent}
        for key in whole:
            (tmp_path / key).unlink(missing_ok=True)
        assert isinstance(outcome(folder), str)


# phenotypes -----------------------------------------------------------------------------------------------------------
VALUES = {name: (round(1.37 * k + 10.25, 2), ("sick", "well")[k % 2]) for k, name in enumerate(NAMES)}
PHENOTYPES = ("id,height,status\n" + "".join(f"{n},{a},{b}\n" for n, (a, b) in VALUES.items())).encode()

OF_PHENOTYPES: dict[str, Callable[[bytes, np.random.Generator], bytes]] = {
    "whole": lambda s, rng: s,
    **{dress: lambda s, rng, change=change: change(s) for dress, change in DRESSES.items()},
    **DAMAGE,
    "semicolons": lambda s, rng: s.replace(b",", b";"),
    "tabs and quotes": lambda s, rng: s.replace(b",", b'"\t"').replace(b"\n", b'"\n"')[:-1].replace(b"id", b'"id', 1),
    "NaN": lambda s, rng: _some_line(s, rng, lambda line: line.split(b",")[0] + b",NaN,NA"),
    "text among numbers": lambda s, rng: _some_line(s, rng, lambda line: line.split(b",")[0] + b",tall,sick"),
    "infinity": lambda s, rng: _some_line(s, rng, lambda line: line.split(b",")[0] + b",inf,sick"),
    "decimal commas": lambda s, rng: s.replace(b",", b";").replace(b".", b","),
    "a row twice": lambda s, rng: s + s.splitlines(keepends=True)[3],
    "no overlap": lambda s, rng: s.replace(b"\n", b"\nq")[:-1],
    "names in capitals": lambda s, rng: s.upper(),
    "a column twice": lambda s, rng: s.replace(b"status", b"height"),
    "one class only": lambda s, rng: s.replace(b"well", b"sick"),
    "missing is -9": lambda s, rng: s.replace(b"well", b"-9"),
}


READABLE = (
    "whole",
    *DRESSES,
    "semicolons",
    "decimal commas",
    "tabs and quotes",
    "NaN",
    "a row twice",
    "one class only",
    "missing is -9",
)


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize("damage", OF_PHENOTYPES)
def test_damaged_phenotypes(tmp_path, damage, seed):
    content = OF_PHENOTYPES[damage](PHENOTYPES, np.random.default_rng([seed, len(damage)]))
    (tmp_path / "p.csv").write_bytes(content)
    (tmp_path / "g.csv").write_bytes(TEXT["a.csv"](panel()))
    try:
        joined, account = attach(read_genotypes(tmp_path / "g.csv"), read_phenotypes(tmp_path / "p.csv"))
    except GpatlasError as error:
        line = str(error)
    else:
        line = ""
    if line:
        assert "\n" not in line
        assert damage not in READABLE, line
        return
    assert as_text(joined.sample_id).tolist() == NAMES
    traits = as_text(joined.trait_id).tolist()
    lines = {trait: check_task(joined, trait) for trait in traits}
    assert damage != "one class only" or "status is 'sick' in all 12 samples; one class" in lines["status"]
    wrong = set()
    for k, trait in enumerate(traits):
        for i, name in enumerate(NAMES):
            value, truth = joined.phenotypes[i, k], VALUES[name][trait in joined.levels]
            if trait in joined.levels and not np.isnan(value):
                value = joined.levels[trait][int(value)].lower()
            gone = isinstance(value, float) and np.isnan(value)
            if gone and name in account.without_row:
                continue  # and that is said
            if value != truth:
                wrong.add(i)
    if damage in ("one class only", "missing is -9"):
        wrong = {i for i in wrong if VALUES[NAMES[i]][1] != "well"}
    assert len(wrong) <= 1, (damage, wrong, account.sentences)
    assert len(account.without_genotypes) <= 1 or damage == "names in capitals"


def test_no_overlap_shows_names_of_both(tmp_path):
    """GenoML says FileNotFoundError."""
    (tmp_path / "p.csv").write_bytes(PHENOTYPES.replace(b"\n", b"\nq")[:-1])
    (tmp_path / "g.csv").write_bytes(TEXT["a.csv"](panel()))
    with pytest.raises(DataError, match="its names are q811, q007, qB73, …, the genotypes' 811, 007, B73, …"):
        attach(read_genotypes(tmp_path / "g.csv"), read_phenotypes(tmp_path / "p.csv"))
