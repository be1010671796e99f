"""Splits of a table under data scarcity: few rows to train and validate, the others to test."""

from __future__ import annotations

import hashlib
import warnings

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_count, check_number
from causalmix_utils.folds import count_classes
from causalmix_utils.tables.table import Table

SIDES = ("train", "validation", "test")

_USABLE_SHARE = 2 / 3  # of a table may be used for training and validation; the rest is for testing


def scarce_split(
    table: Table,
    n: int = 200,
    validation_fraction: float = 1 / 3,
    split: int = 0,
    *,
    max_test: int | None = 2000,
) -> tuple[Table, Table, Table]:
    """Split a table into few rows for training and validation, and the others for testing.

    Parameters
    ----------
    table : Table
        The table to split.
    n : int, default 200
        Number of rows for training and validation together. Where it is more than two thirds
        of the table, two thirds are used.
    validation_fraction : float, default 1/3
        The part of those rows that goes to validation.
    split : int, default 0
        Number of the split. The random numbers depend on the table's name and on `split`
        alone, so everything that is compared on a split sees the same rows.
    max_test : int or None, default 2000
        At most so many rows are kept for testing, stratified, but one of each class at least. None keeps all.

    Returns
    -------
    train, validation, test : Table
        Disjoint, in random order. The class shares are those of the table, up to rounding.
        Rows whose features are all equal (whatever their class) stand on one side only. Sides
        have exactly the size asked for unless such groups of equal rows leave no choice; then
        they have less, never more.

    Warns
    -----
    UserWarning
        If a class is missing from a side because the table holds fewer than three different
        rows of it. Training is served first, then testing, then validation.

    Raises
    ------
    ValueError
        If an argument is out of range, the table has only one class, a side would hold fewer
        rows than there are classes, or equal rows leave a side empty.

    Examples
    --------
    >>> from causalmix_utils.tables import load_table
    >>> [len(part) for part in scarce_split(load_table("credit-g"), n=200)]
    [133, 67, 800]
    """
    _check_arguments(n, validation_fraction, split, max_test)
    sizes = _side_sizes(table, n, validation_fraction)
    rng = np.random.default_rng(_seed(table.name, split))
    groups = duplicate_groups(table.X)
    sides = _assign_groups(table, groups, sizes, rng)
    rows = {side: rng.permutation(np.flatnonzero(sides == side)) for side in SIDES}
    for side in SIDES:
        if len(rows[side]) == 0:
            raise ValueError(
                f"table {table.name!r} is too small: its {len(table)} rows are only {groups.max() + 1} different ones, "
                f"which must not be torn apart, and {side} would be empty (n={n})"
            )
    if max_test is not None and len(rows["test"]) > max_test:
        rows["test"] = thin_out(rows["test"], table.y, max_test)
    _warn_of_absent_classes(table, rows)
    return tuple(table.take(rows[side]) for side in SIDES)


def duplicate_groups(X: pd.DataFrame) -> np.ndarray:
    """Number the different rows of a DataFrame; equal rows have equal numbers.

    Missing values count as equal to each other.

    Returns
    -------
    ndarray of int, shape (n_rows,)

    Examples
    --------
    >>> duplicate_groups(pd.DataFrame({"a": [1, 2, 1], "b": [None, 5.0, None]}))
    array([0, 1, 0])
    """
    codes = np.column_stack([pd.factorize(X[column], use_na_sentinel=True)[0] for column in X.columns])
    return np.unique(codes, axis=0, return_inverse=True)[1].reshape(-1)


def _check_arguments(n: int, validation_fraction: float, split: int, max_test: int | None) -> None:
    check_count("n", n, minimum=2)
    check_number("validation_fraction", validation_fraction, 0, 1, closed="neither")
    check_count("split", split, minimum=0)
    check_count("max_test", max_test, optional=True)


def _side_sizes(table: Table, n: int, validation_fraction: float) -> dict[str, int]:
    """Rows for training, for validation, and what is left for testing."""
    classes = table.classes
    if len(classes) < 2:
        raise ValueError(
            f"table {table.name!r} has only one class ({classes[0]!r} in {table.target!r}); at least two are needed"
        )
    n = min(int(n), int(_USABLE_SHARE * len(table)))
    validation = round(validation_fraction * n)
    sizes = {"train": n - validation, "validation": validation, "test": len(table) - n}
    for side, size in sizes.items():
        if size < len(classes):
            raise ValueError(
                f"table {table.name!r} is too small: it has {len(table)} rows and {len(classes)} classes, "
                f"and {side} would hold {size} of the rows (n={n}, validation_fraction={validation_fraction:.3g})"
            )
    return sizes


def _seed(name: str, split: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{name}\n{split}".encode()).digest()[:8], "big")


def _assign_groups(table: Table, groups: np.ndarray, sizes: dict[str, int], rng: np.random.Generator) -> np.ndarray:
    """The side of every row, as an array of strings. Groups of equal rows are placed whole."""
    classes, codes = np.unique(table.y.to_numpy(dtype=str), return_inverse=True)
    counts = count_classes(groups, codes)  # almost every group is a single row
    order = rng.permutation(len(counts))
    placement = _Placement(counts, {side: _class_quotas(np.bincount(codes), size) for side, size in sizes.items()})
    n_groups = (counts > 0).sum(axis=0)
    for c in np.argsort(n_groups, kind="stable"):  # the rarest class has the least choice, so it comes first
        for side in _sides_to_serve(n_groups[c]):
            placement.give_one_of_class(c, order, side)
    for side in ("validation", "train"):
        placement.fill(order, side, by_class=True)
    for side in ("validation", "train"):
        # Groups that did not fit into their classes' quotas left places open. Any class may fill them.
        placement.fill(order, side, by_class=False)
    placement.side[placement.side == ""] = "test"
    return placement.side[groups]


class _Placement:
    """Which side each group of equal rows is on, and how many rows of each class a side still wants."""

    def __init__(self, counts: np.ndarray, quotas: dict[str, np.ndarray]) -> None:
        self.counts = counts
        self.sizes = counts.sum(axis=1)
        self.wanted = {side: quota.copy() for side, quota in quotas.items()}
        self.side = np.full(len(counts), "", dtype=object)

    def _put(self, group: int, side: str) -> None:
        self.side[group] = side
        self.wanted[side] -= self.counts[group]

    def fill(self, order: np.ndarray, side: str, *, by_class: bool) -> None:
        """Place free groups in order, skipping those that do not fit into the class quotas, or else into the side."""
        for group in order[self.side[order] == ""]:
            left = self.wanted[side].sum()
            if left <= 0:
                return
            if self.sizes[group] <= left and not (by_class and (self.counts[group] > self.wanted[side]).any()):
                self._put(group, side)

    def give_one_of_class(self, c: int, order: np.ndarray, side: str) -> None:
        """Place one free group of class `c`, unless the side has one: a group that fits, or else the smallest."""
        if ((self.side == side) & (self.counts[:, c] > 0)).any():
            return
        free = order[(self.side[order] == "") & (self.counts[order, c] > 0)]
        too_many = np.maximum(self.counts[free] - self.wanted[side], 0).sum(axis=1)
        for group in free[np.argsort(too_many, kind="stable")][:1]:
            if side == "test" or self.sizes[group] <= self.wanted[side].sum():
                self._put(group, side)


def _sides_to_serve(n_groups: int) -> tuple[str, ...]:
    """The sides that get a group of a class with so many groups. The smallest side chooses first."""
    return {0: (), 1: ("train",), 2: ("train", "test")}.get(n_groups, ("validation", "train", "test"))


def _class_quotas(class_counts: np.ndarray, size: int) -> np.ndarray:
    """Split `size` over the classes in proportion (largest remainders), with at least one for each.

    >>> _class_quotas(np.array([90, 9, 1]), 10)
    array([8, 1, 1])
    """
    exact = size * class_counts / class_counts.sum()
    quotas = np.floor(exact).astype(int)
    largest_remainders = np.argsort(quotas - exact, kind="stable")[: size - quotas.sum()]
    quotas[largest_remainders] += 1
    while (quotas == 0).any():
        quotas[quotas.argmin()], quotas[quotas.argmax()] = 1, quotas.max() - 1
    return quotas


def thin_out(rows: np.ndarray, y: pd.Series, size: int) -> np.ndarray:
    """A stratified part of `rows`, positions in `y`, in their order: the first rows of each class."""
    classes, codes = np.unique(y.to_numpy(dtype=str)[rows], return_inverse=True)
    quotas = _class_quotas(np.bincount(codes), size) if size >= len(classes) else np.full(len(classes), 1)
    kept = [np.flatnonzero(codes == c)[: quotas[c]] for c in range(len(classes))]
    return rows[np.sort(np.concatenate(kept))]


def _warn_of_absent_classes(table: Table, rows: dict[str, np.ndarray]) -> None:
    for side, positions in rows.items():
        absent = sorted(set(table.classes) - set(table.y.iloc[positions]))
        if absent:
            warnings.warn(
                f"{side} of table {table.name!r} has no row of class {absent[0]!r}"
                + (f" (nor of {len(absent) - 1} other classes)" if len(absent) > 1 else "")
                + ": the table holds too few different rows of it",
                stacklevel=3,
            )
