"""Text tables as people have them: gzipped or not, with a byte order mark, Windows line ends, quotes, any delimiter."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from gpatlas.errors import DataError, StoreError

DELIMITERS = {"\t": "tabs", ",": "commas", ";": "semicolons", " ": "spaces"}
_LINES_TO_JUDGE_BY = 25
_GZIP = b"\x1f\x8b"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def text_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """Yield `(line number from 1, line)` of a text file, without line ends and without blank lines.

    Gzip is recognised by content, not by name. UTF-8 with or without a byte order mark, and UTF-16 with one.

    Raises
    ------
    StoreError
        The file is absent, cannot be read, or its compressed data end early.
    DataError
        It is not text.
    """
    try:
        with Path(path).open("rb") as file:
            yield from _lines(file, path)
    except FileNotFoundError:
        raise StoreError(f"{path}: no such file") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise StoreError(f"{path}: compressed data are damaged or end early ({error})") from None
    except UnicodeDecodeError as error:
        shown = error.object[error.start : error.start + 1].hex()
        raise DataError(f"{path}: byte 0x{shown} is not UTF-8 text; is this a text file, saved as UTF-8?") from None
    except IsADirectoryError:
        raise StoreError(f"{path}: is a folder, not a file") from None
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from None


def _lines(file: BinaryIO, path: str | Path) -> Iterator[tuple[int, str]]:
    magic = file.read(2)
    file.seek(0)
    raw: BinaryIO = gzip.GzipFile(fileobj=file) if magic == _GZIP else file  # type: ignore[assignment] # bytes
    start = raw.read(2)
    raw.seek(0)
    encoding = "utf-16" if start in _UTF16 else "utf-8-sig"
    for number, line in enumerate(io.TextIOWrapper(raw, encoding=encoding, newline=None), start=1):
        if "\0" in line:
            raise DataError(f"{path}, line {number}: zero bytes, so this is not a text file")
        line = line.rstrip("\n")
        if line.strip():
            yield number, line


def unfinished(path: str | Path) -> list[str]:
    """Return a warning, in a list, where the last line of a plain file lacks its end: it may have been cut short."""
    with Path(path).open("rb") as file:
        compressed = file.read(2) == _GZIP
        file.seek(-1, io.SEEK_END)
        whole = compressed or file.read(1) in b"\r\n\0"
    return [] if whole else ["the last line has no line end: if the file was cut short, its last value may be too"]


def first_lines(path: str | Path, n_lines: int = _LINES_TO_JUDGE_BY) -> list[str]:
    """Return the first lines of a text file that are not blank.

    Raises
    ------
    DataError, StoreError
        As `text_lines`; also an empty file.
    """
    lines = [line for _, line in islice(text_lines(path), n_lines)]
    if not lines:
        raise DataError(f"{path}: the file is empty")
    return lines


def delimiter_of(lines: Sequence[str]) -> str:
    r"""Return what separates fields: a tab, comma, semicolon or, for any white space, " ".

    The one that cuts all lines into the same number of fields, two at least; next best, one that leaves the first
    line a field shorter (R writes row names without a header). If none does, the one that cuts the first line most.
    """
    of_lines = {delimiter: [len(fields(line, delimiter)) for line in lines] for delimiter in DELIMITERS}
    for shorter in (0, 1):
        for delimiter, (header, *rows) in of_lines.items():
            width = rows[0] if rows else header
            if width > 1 and header == width - shorter and all(row == width for row in rows):
                return delimiter
    return max(of_lines, key=lambda delimiter: of_lines[delimiter][0])


def fields(line: str, delimiter: str) -> list[str]:
    """Cut a line into fields, without quotes and without white space around them."""
    if '"' in line:
        quoted = " ".join(line.split()) if delimiter == " " else line
        with suppress(
            csv.Error
        ):  # a quote that never ends; then quotes are letters, and whoever reads the field objects
            return [field.strip() for field in next(csv.reader([quoted], delimiter=delimiter, skipinitialspace=True))]
    if delimiter == " ":
        return line.split()
    return [field.strip() for field in line.split(delimiter)]


def ragged(path: str | Path, number: int, found: int, expected: int) -> DataError:
    """Return the error for a line of another length than the first one."""
    return DataError(f"{path}, line {number}: {found} fields, but the lines before have {expected}")


def shown(text: str) -> str:
    """Return a value in quotes, cut where it is long."""
    return f"'{text}'" if len(text) <= 60 else f"'{text[:57]}...'"


def is_number(text: str) -> bool:
    """Whether a text is a number, "nan" and "inf" included."""
    try:
        float(text)
    except ValueError:
        return False
    return True
