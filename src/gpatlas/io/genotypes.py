"""`read_genotypes`: any supported genotype format to a `Dataset`."""

import inspect
from collections.abc import Callable, Collection
from importlib import import_module
from pathlib import Path
from typing import Any

from gpatlas.dataset import Dataset
from gpatlas.errors import ConfigError, DataError
from gpatlas.io.marker_tables.hapmap import is_hapmap
from gpatlas.io.text import first_lines

BY_CONTENT = "the first line"
# ending of the file's name (without .gz) → module:function that reads it; the longest ending that fits counts
READERS = {
    ".h5": "store:read_intact",
    ".hdf5": "store:read_intact",
    ".hmp": "marker_tables.hapmap:read_hapmap",
    ".hmp.txt": "marker_tables.hapmap:read_hapmap",
    ".raw": "marker_tables.dosage_tables:read_dosage_table",
    ".csv": BY_CONTENT,
    ".tsv": BY_CONTENT,
    ".tab": BY_CONTENT,
    ".txt": BY_CONTENT,
    ".dat": BY_CONTENT,
    ".trees": "variants.tree_sequences:read_tree_sequence",
    ".vcf": "variants.vcf:read_vcf",
    ".vcf.bgz": "variants.vcf:read_vcf",
    ".bcf": "variants.vcf:read_vcf",
    ".bed": "variants.plink:read_bed",
    ".bim": "variants.plink:read_bed",
    ".fam": "variants.plink:read_bed",
    ".pgen": "variants.pgen:read_pgen",
    ".pvar": "variants.pgen:read_pgen",
    ".pvar.zst": "variants.pgen:read_pgen",
    ".psam": "variants.pgen:read_pgen",
    "_g.txt": "published.tables:read_published_genotypes",
}


def read_genotypes(path: str | Path, **options: Any) -> Dataset:
    """Read genotypes; the format follows from the file's name.

    Parameters
    ----------
    path
        `.h5`, `.hdf5`: our dataset file; `.vcf`, `.bcf`; PLINK's `.bed` and `.pgen` sets, by any of their files or by
        what their names have in common; `.hmp`, `.hmp.txt`: HapMap; `.trees`: tskit; `.raw`: PLINK's table of dosages;
        `_g.txt`: the published pipeline's table (haploid, 0/1). `.csv`, `.tsv`, `.txt`, …: what the first line tells:
        VCF, HapMap, the published table, or else a table of dosages. All text may be gzipped. With the option `chroms`
        it is gperceiver's table of markers, whatever its name.
    options
        What the format's reader takes besides, by name; see the functions in `READERS`.

    Returns
    -------
    Dataset
        Without traits when the format has none. `provenance["account"]` lists, in sentences, what the reader noticed.

    Raises
    ------
    DataError
        The name has no known ending, or the content breaks the format.
    ConfigError
        The format's reader has no such option.
    StoreError
        The file cannot be read.
    """
    path = Path(path)
    reader = reader_of(path, options)
    check_options(path, reader, options)
    return reader(path, **options)


def check_options(path: Path, reader: Callable[..., Dataset], options: dict[str, Any]) -> None:
    """Refuse options that the format's reader does not have.

    Raises
    ------
    ConfigError
        It has no such option.
    """
    allowed = [name for name in inspect.signature(reader).parameters if name != "path"]
    for name in options:
        if name not in allowed:
            known = f"known are {', '.join(allowed)}" if allowed else "it has none"
            raise ConfigError(f"{path}: reading this format takes no option '{name}'; {known}")


def reader_of(path: Path, options: Collection[str] = ()) -> Callable[..., Dataset]:
    """Return the function that reads a file of this name with these options.

    Raises
    ------
    DataError
        The name has no known ending.
    """
    if "chroms" in options:
        return _function("gperceiver:read_markers")
    sets = [ending for ending in (".pgen", ".bed") if Path(f"{path}{ending}").is_file()]
    name = (path.name + "".join(sets[:1] if not path.is_file() else [])).lower().removesuffix(".gz")
    fitting = [ending for ending in READERS if name.endswith(ending)]
    if not fitting:
        found = f"format '{path.suffix}'" if path.suffix else "format (the name has no ending)"
        raise DataError(f"{path}: unknown genotype {found}; known are {', '.join(READERS)}")
    reader = READERS[max(fitting, key=len)]
    return _function(_by_content(path) if reader == BY_CONTENT else reader)


def _function(reader: str) -> Callable[..., Dataset]:
    module, _, function = reader.partition(":")
    return getattr(import_module(f"gpatlas.io.{module}"), function)


def _by_content(path: Path) -> str:
    """Return the reader of a text file by its first line."""
    line = first_lines(path, 1)[0]
    if line.startswith("##fileformat=VCF"):
        return READERS[".vcf"]
    if is_hapmap(line):
        return READERS[".hmp"]
    if line.split(None, 1)[0] == "qtl":
        return READERS["_g.txt"]
    return "marker_tables.dosage_tables:read_dosage_table"
