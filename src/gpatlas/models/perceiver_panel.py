"""The panel of a perceiver: features as allele codes, and loci of the data as markers of its network."""

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gpatlas.alleles import MISSING_CODE, n_codes
from gpatlas.dataset import as_text
from gpatlas.wording import several, some_names

if TYPE_CHECKING:
    from gpatlas.nn.perceiver.layout import Layout


def codes_of_features(x: NDArray, ploidy: int, n_alleles: int) -> NDArray[np.int16]:
    """Return allele codes of features: dosage of loci with two alleles, allele codes of others; NaN is missing.

    Raises
    ------
    ValueError
        A value that is no dosage, or no allele code.
    """
    dosage = n_alleles == 2
    least, most = (0, ploidy) if dosage else (MISSING_CODE, n_codes(ploidy, n_alleles))
    known = ~np.isnan(x) if x.dtype.kind == "f" else np.ones(x.shape, dtype=bool)
    values = np.where(known, x, least)
    wrong = (values < least) | (values > most) | (values != np.rint(values))
    if wrong.any():
        seen = float(values[wrong].min())
        why = "Negative values in data: " if seen < 0 else ""  # scikit-learn's words for it
        what = f"dosage is 0 to {most} (ploidy {ploidy})" if dosage else f"allele codes are 0 (missing) to {most}"
        raise ValueError(f"{why}X holds {seen:g}, but {what}, in whole numbers; NaN is missing")
    return np.where(known, values + dosage, MISSING_CODE).astype(np.int16)


def largest_dosage(x: NDArray) -> int:
    """Return the largest dosage that is seen, 1 at least: the ploidy, as far as one knows."""
    return int(max(1, np.nanmax(x, initial=1)))


def refuse_other_calls(layout: "Layout", ploidy: int | None, n_alleles: int | None) -> None:
    """Refuse data whose calls mean something else than a network's.

    Raises
    ------
    ValueError
        Another ploidy or number of alleles; None is not known.
    """
    for what, ours, theirs in (
        ("ploidy", ploidy, layout.ploidy),
        ("n_alleles", n_alleles, layout.n_alleles),
    ):
        if ours not in (None, theirs):
            raise ValueError(f"the data have {what} {ours}, but the checkpoint is of a panel of {what} {theirs}")


def layout_of_loci(
    n_loci: int,
    ploidy: int,
    n_alleles: int,
    locus_id: ArrayLike | None,
    chromosome: ArrayLike | None,
    position: ArrayLike | None,
) -> "tuple[Layout, NDArray[np.intp]]":
    """Return the layout of the data's own loci, and their order in it. What is not given is the order of the data.

    Raises
    ------
    ValueError
        Names, chromosomes or positions of another number of loci.
    """
    from gpatlas.nn.perceiver.layout import Layout

    names = _of_loci("locus_id", locus_id, n_loci)
    on = _of_loci("chromosome", chromosome, n_loci)
    at = _of_loci("position", position, n_loci)
    return Layout.arrange(
        ploidy,
        n_alleles,
        np.arange(1, n_loci + 1).astype(str) if names is None else as_text(names),
        np.full(n_loci, "") if on is None else as_text(on),
        np.arange(n_loci, dtype=np.float64) if at is None else np.asarray(at, dtype=np.float64),
        "",
    )


def match_loci(layout: "Layout", locus_id: ArrayLike | None, n_loci: int) -> NDArray[np.intp]:
    """Return the column of the data of every marker of a network `(layout.n_loci,)`, -1 where the data lack it.

    Markers are found by name. Data without names must have the network's markers, all of them, in its order.

    Raises
    ------
    ValueError
        No marker in common, two of the data's loci of one name, or without names another number of loci.
    """
    names = _of_loci("locus_id", locus_id, n_loci)
    if names is None:
        if n_loci != layout.n_loci:
            raise ValueError(
                f"X has {n_loci:,} loci without names, the checkpoint's panel {layout.n_loci:,}; give locus_id, so "
                "that markers are matched by name"
            )
        return np.arange(n_loci)
    text = as_text(names)
    column = {name: k for k, name in enumerate(text.tolist())}
    if len(column) < n_loci:
        known, counts = np.unique(text, return_counts=True)
        raise ValueError(f"markers must have different names, but {some_names(known[counts > 1].tolist())} have not")
    found = np.array([column.get(name, -1) for name in layout.locus_id.tolist()], dtype=np.intp)
    if (found < 0).all():
        raise ValueError(
            f"none of the data's {n_loci:,} markers ({some_names(text.tolist())}) is of the checkpoint's panel, "
            f"whose {layout.n_loci:,} are {some_names(layout.locus_id.tolist())}"
        )
    return found


def turned_loci(
    layout: "Layout",
    theirs: NDArray | None,
    ours: ArrayLike | None,
    columns: NDArray[np.intp],
    n_loci: int,
) -> NDArray[np.bool_]:
    """Say at which markers of a network the data count the other allele, `(layout.n_loci,)`.

    Parameters
    ----------
    layout
        Of the network.
    theirs, ours
        Text `(layout.n_loci, 2)` of the network's panel and `(n_loci, 2)` of the data, the counted allele second; None,
        or empty names, where they are not known, which then are taken to agree.
    columns
        Of `match_loci`.
    n_loci
        Of the data.

    Raises
    ------
    ValueError
        Markers of other alleles than the network's, or, where there are more than two, in another order.
    """
    if theirs is None or ours is None:
        return np.zeros(layout.n_loci, dtype=bool)
    data = as_text(np.asarray(ours))
    if data.shape != (n_loci, 2):
        raise ValueError(f"alleles must be two of each of {n_loci} loci, but have shape {data.shape}")
    data = data[columns]
    known = (columns >= 0) & (theirs != "").all(axis=1) & (data != "").all(axis=1)
    turned = known & (theirs == data[:, ::-1]).all(axis=1) & (layout.n_alleles == 2)
    other = known & ~turned & (theirs != data).any(axis=1)
    if other.any():
        k = int(np.flatnonzero(other)[0])
        raise ValueError(
            f"{several(int(other.sum()), 'marker', 'has')} other alleles than in the checkpoint's panel, such as "
            f"{layout.locus_id[k]}: {'/'.join(data[k])} here, {'/'.join(theirs[k])} there; harmonise the data first"
        )
    return turned


def arrange_codes(
    codes: NDArray[np.int16], columns: NDArray[np.intp], turned: NDArray[np.bool_], ploidy: int
) -> NDArray[np.int16]:
    """Return codes of a network's markers, missing where the data have none (column -1), of its counted alleles."""
    if not np.array_equal(columns, np.arange(codes.shape[1])):
        codes = np.where(columns >= 0, codes[:, columns], np.int16(MISSING_CODE))
    if not turned.any():
        return codes
    other = np.where(codes == MISSING_CODE, codes, np.int16(ploidy + 2) - codes)  # dosage d is ploidy - d of the other
    return np.where(turned, other, codes)


def layout_state(layout: "Layout") -> dict[str, Any]:
    """Return a layout as numbers, text and arrays, which `Layout.of_config` reads."""
    return {one.name: getattr(layout, one.name) for one in fields(layout)}


def _of_loci(name: str, values: ArrayLike | None, n_loci: int) -> NDArray | None:
    if values is None:
        return None
    found = np.asarray(values)
    if found.shape != (n_loci,):
        raise ValueError(f"{name} must be of {n_loci} loci, but has shape {found.shape}")
    return found
