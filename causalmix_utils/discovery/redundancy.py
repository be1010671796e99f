"""Columns that say nothing of their own: constant ones, copies, and sums of others.

Constraint-based search fails on them, mostly in silence: a constant column gives p-values that are
no numbers, a copy makes every test that conditions on its twin singular, and a sum of other columns
separates what belongs together.  `find_redundant_columns` names them before a search starts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from causalmix_utils.arguments import check_number
from causalmix_utils.independence.columns import correlate, embed, encode_columns
from causalmix_utils.tables import Table

DEFAULT_COLLINEARITY = 0.95
"""Correlation from which on a column counts as a copy of another, by default.

Two columns that say nearly the same separate each other from the target in any test. On simulated tables of 133 rows
a certain edge at the target was found in six of ten resamples once its cause had a twin with a correlation of 0.9, and
in two of ten at 0.97; with 400 rows in nine and in six. ``benchmarks/measure_resampling.py --copies`` measures it.
"""

_COPY_OF_TARGET = (
    0.99  # A feature that predicts the target well is no copy of it, unless it leaves next to nothing open.
)
_SUSPICIOUS = 0.8  # Correlation from which on two columns begin to hide each other's edges.
_EXACT = 1e-6  # Share of variance left by other columns below which a column is an exact combination of them.
_MOST_ABSENT = 0.5  # Share of a column's rows in which a part of a sum may be missing.
_MIN_ROWS = 20  # Rows that two columns with missing values must share before one can count as a copy.


@dataclass(frozen=True)
class RedundantColumns:
    """Result of `find_redundant_columns`.

    Attributes
    ----------
    constant : list of str
        Columns with at most one value, all-missing columns included.
    determined : dict of str to list of str
        Column → the columns that determine it, none of which is itself redundant.
    near_copies : list of (str, str, float)
        Pairs of features that stay in the search although they are correlated by 0.8 or more, and their correlation.
        In small tables each of them can hide the other's edges.
    """

    constant: list[str] = field(default_factory=list)
    determined: dict[str, list[str]] = field(default_factory=dict)
    near_copies: list[tuple[str, str, float]] = field(default_factory=list)

    def __contains__(self, column: str) -> bool:
        return column in self.constant or column in self.determined


def find_redundant_columns(table: Table, *, collinearity: float = DEFAULT_COLLINEARITY) -> RedundantColumns:
    """Find the columns that are constant, near-copies of one other column, or linear combinations of several.

    Columns are looked at in the order of the table, the target first, and each is compared with those kept so far;
    so the first of two copies is kept, and the target always. A category enters by the indicators of its
    levels. A column is a near-copy if one kept column explains at least ``collinearity**2`` of its variance (0.98, if
    that column is the target: a good predictor is no copy), and a combination if all kept numerical features together
    leave less than a millionth of it. Both rules need at least twice as many complete rows as columns or indicators;
    otherwise every column would be a combination of the others. Features that are missing in more than half of a
    column's rows, or constant there, take no part in the second rule.

    Parameters
    ----------
    table : Table
    collinearity : float in (0, 1]
        Correlation from which on a column counts as a copy of another.

    Returns
    -------
    RedundantColumns

    Raises
    ------
    ValueError
        If `collinearity` is not in (0, 1].

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"a": range(40), "b": [row**2 % 7 for row in range(40)], "one": 1})
    >>> frame = frame.assign(copy=2 * frame["a"], sum=frame["a"] + frame["b"], y=["no", "no", "yes", "yes"] * 10)
    >>> find_redundant_columns(Table.from_frame(frame, target="y"))
    RedundantColumns(constant=['one'], determined={'copy': ['a'], 'sum': ['a', 'b']}, near_copies=[])
    """
    check_number("collinearity", collinearity, 0, 1, closed="right")
    values, is_categorical = encode_columns(table)
    names = table.columns
    varies = [len(np.unique(column[~np.isnan(column)])) > 1 for column in values.T]
    blocks = [_centre(values[:, place], is_categorical[place]) for place in range(len(names))]
    target = len(names) - 1
    kept = [target]
    determined = {}
    near_copies = []
    for place in range(target):
        if not varies[place]:
            continue
        # A sum first: its largest part alone may explain enough of it to look like a twin.
        numerical = [other for other in kept if not is_categorical[other]]
        sources = [] if is_categorical[place] else _find_combination(values, numerical, place)
        if not sources:
            shares = {other: _unexplained_share(blocks[place], blocks[other]) for other in kept}
            limits = {other: max(collinearity, _COPY_OF_TARGET) if other == target else collinearity for other in kept}
            sources = _find_twin(shares, limits)
        if sources:
            determined[names[place]] = [names[source] for source in sources]
        else:
            near_copies += [
                (names[other], names[place], round(float(np.sqrt(1 - share)), 3))
                for other, share in shares.items()
                if other != target and share <= 1 - _SUSPICIOUS**2
            ]
            kept.append(place)
    constant = [name for name, changes in zip(names, varies, strict=True) if not changes]
    return RedundantColumns(constant=constant, determined=determined, near_copies=near_copies)


def _centre(column: np.ndarray, categorical: bool) -> np.ndarray:
    """Column as a block of shape (n_rows, width); numerical columns keep their scale."""
    return embed(column, True) if categorical else column[:, None]


def _find_twin(shares: dict[int, float], limits: dict[int, float]) -> list[int]:
    """The kept column that leaves the smallest share unexplained, if it explains enough to call the other a copy."""
    # Rounding must not hide an exact copy at collinearity 1.
    twins = [other for other, share in shares.items() if share < 1 - limits[other] ** 2 + 1e-12]
    return [min(twins, key=shares.__getitem__)] if twins else []


def _unexplained_share(column: np.ndarray, other: np.ndarray) -> float:
    """Share of the variance of a block that a linear function of the other block leaves; 1 if unknown."""
    both = np.hstack([column, other])
    missing = np.isnan(both).any(axis=1)
    if missing.any():
        both = both[~missing]
        if len(both) < _MIN_ROWS:
            return 1.0
    if len(both) < 2 * both.shape[1] + 2:  # So many levels explain any column in so few rows.
        return 1.0
    correlation = correlate(both)
    width = column.shape[1]
    total = np.trace(correlation[:width, :width])
    if total == 0:
        return 1.0
    cross = correlation[:width, width:]
    explained = np.trace(cross @ np.linalg.pinv(correlation[width:, width:]) @ cross.T)
    return float(max(total - explained, 0.0) / total)


def _find_combination(values: np.ndarray, kept: list[int], place: int) -> list[int]:
    """The kept columns of which the column at `place` is an exact linear combination; empty if it is none."""
    # Only where the column has a value; and what is mostly absent there, or constant, is no part of a sum, and must not
    # hide one.
    rows = values[~np.isnan(values[:, place])]
    kept = [other for other in kept if np.isnan(rows[:, other]).mean() <= _MOST_ABSENT]
    rows = rows[~np.isnan(rows[:, kept]).any(axis=1)]
    kept = [other for other in kept if len(rows) and np.ptp(rows[:, other]) > 0]
    if not kept or len(rows) < 2 * len(kept) + 2 or np.ptp(rows[:, place]) == 0:
        return []
    rows = rows[:, [place, *kept]] - rows[:, [place, *kept]].mean(axis=0)
    scale = np.sqrt((rows**2).sum(axis=0))
    if (scale == 0).any():  # the squares of tiny values
        return []
    rows = rows / scale
    weights, *_ = np.linalg.lstsq(rows[:, 1:], rows[:, 0], rcond=None)
    if ((rows[:, 0] - rows[:, 1:] @ weights) ** 2).sum() > _EXACT:
        return []
    return [kept[position] for position in np.flatnonzero(np.abs(weights) > 1e-4)]
