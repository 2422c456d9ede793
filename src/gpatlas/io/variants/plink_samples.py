"""Sample files of PLINK 1 (.fam) and PLINK 2 (.psam): who the samples are, their families, sex and phenotypes."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import DataError
from gpatlas.io.text import is_number, ragged, shown, text_lines
from gpatlas.io.variants.streams import SampleTable
from gpatlas.wording import several

CASE_CONTROL = ("control", "case")  # 1 and 2 in PLINK's files, codes 0 and 1 here
SEXES = ("male", "female")  # 1 and 2 in PLINK's files
_FAM = ("FID", "IID", "PAT", "MAT", "SEX", "PHENO1")
_NOT_PHENOTYPES = frozenset(("FID", "IID", "SID", "PAT", "MAT", "SEX"))
_NO_SEX = frozenset(("0", "-9", "U", "UNKNOWN", "NA", "NAN", ".", "NONE"))
_MISSING = frozenset(("NA", "NAN", ".", "NONE"))


def read_plink_samples(path: Path, phenotypes: bool) -> SampleTable:
    """Read a .fam or .psam file.

    Parameters
    ----------
    path
        The file; without a line that starts with #FID or #IID its columns are those of .fam.
    phenotypes
        Whether sex and phenotypes are wanted.

    Raises
    ------
    DataError
        A line of another length, a sex or phenotype that is none, or no samples.
    StoreError
        It cannot be read.
    """
    columns: tuple[str, ...] = _FAM
    rows: list[list[str]] = []
    for number, line in text_lines(path):
        row = line.split()
        if row[0].startswith("#"):
            if row[0] in ("#FID", "#IID"):
                columns = (row[0][1:], *row[1:])
            continue
        if len(row) != len(columns):
            raise ragged(path, number, len(row), len(columns))
        rows.append(row)
    if not rows:
        raise DataError(f"{path}: no samples in it")
    table = dict(zip(columns, zip(*rows, strict=True), strict=True))
    if "IID" not in table:
        raise DataError(f"{path}: no column IID; it has {', '.join(columns)}")
    samples = _named(table["IID"], table.get("FID"), path)
    if phenotypes:
        _add_phenotypes(samples, table, path)
    return samples


def _named(iid: Sequence[str], fid: Sequence[str] | None, path: Path) -> SampleTable:
    """Name samples by IID, or by FID_IID where an IID stands more than once; see whether families say something."""
    account, names = [], list(iid)
    repeated = sum(times > 1 for times in Counter(iid).values())
    if repeated and fid is not None:
        names = [f"{family}_{name}" for family, name in zip(fid, iid, strict=True)]
        account = [f"samples are named FID_IID, as {several(repeated, 'IID', 'stands')} more than once in {path.name}"]
    known = [family for family in fid or () if family != "0"]
    # a family of its own for each sample says nothing, nor does one for all
    informative = 1 < len(set(known)) < len(known) and tuple(fid or ()) != tuple(iid)
    family = ["" if name == "0" else name for name in fid or ()] if informative else None
    if family is not None:
        account.append(f"{len(set(known)):,} families (FID) are known for {len(known):,} samples")
    return SampleTable(names, family, account=account)


def _add_phenotypes(samples: SampleTable, table: dict[str, tuple[str, ...]], path: Path) -> None:
    traits = [name for name in table if name not in _NOT_PHENOTYPES]
    values = [_phenotype(name, table[name], samples, path) for name in traits]
    samples.phenotypes = np.stack(values, axis=1) if values else np.empty((len(samples.sample_id), 0))
    samples.trait_id = traits
    if "SEX" not in table:
        return
    codes = {"1": 0.0, "2": 1.0, "m": 0.0, "f": 1.0, "male": 0.0, "female": 1.0}
    odd = next((text for text in table["SEX"] if text.lower() not in codes and text.upper() not in _NO_SEX), None)
    if odd is not None:
        raise DataError(f"{path}: sex {shown(odd)}; allowed are 1, 2, M, F, male, female, and 0 or NA where unknown")
    sex = np.array([codes.get(text.lower(), np.nan) for text in table["SEX"]])
    if not np.isnan(sex).all():
        samples.sex, samples.levels["sex"] = sex, SEXES
        samples.account.append(f"sex of {(~np.isnan(sex)).sum():,} samples is a covariate, from {path.name}")


def _phenotype(name: str, texts: tuple[str, ...], samples: SampleTable, path: Path) -> NDArray[np.float64]:
    """Read a phenotype by PLINK's rules: 1 and 2 are control and case with 0 missing; -9 and NA are missing."""
    try:
        values = np.array([np.nan if text.upper() in _MISSING else float(text) for text in texts])
    except ValueError:
        wrong = next(text for text in texts if not (is_number(text) or text.upper() in _MISSING))
        raise DataError(f"{path}: phenotype {name} holds {shown(wrong)}, which is no number") from None
    if np.isinf(values).any():
        raise DataError(f"{path}: phenotype {name} holds {shown(texts[int(np.isinf(values).argmax())])}, not finite")
    values[values == -9] = np.nan
    if set(values[~np.isnan(values)]) <= {0.0, 1.0, 2.0} and (values == 2).any():
        values = np.where(values == 0, np.nan, values - 1)
        samples.levels[name] = CASE_CONTROL
        cases, controls = int((values == 1).sum()), int((values == 0).sum())
        of_each = f"{several(cases, 'case')} (2) and {several(controls, 'control')} (1)"
        samples.account.append(f"phenotype {name}: {of_each}, {np.isnan(values).sum():,} missing (0, -9, NA)")
    else:
        samples.account.append(f"phenotype {name}: numbers, {np.isnan(values).sum():,} missing (-9, NA)")
    return values
