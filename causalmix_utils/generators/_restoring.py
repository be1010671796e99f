"""What all generators share: missing values filled before, types and missing values restored after.

A generator models complete columns and returns raw rows: numbers where a column is numerical,
level names where it is categorical.  The functions here turn such rows into a `Table` that could
have been drawn from the training table.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from causalmix_utils.tables import Table

MAX_DECIMALS = 6
"""A column that needs more decimals than this is taken as continuous and is not rounded."""


def fill_missing(table: Table, *, rng: np.random.Generator) -> Table:
    """Fill every missing value with an observed value of the same column and class (a *hot deck*).

    Drawing from the rows of the same class keeps each column's distribution within the classes,
    which a median or a most frequent level would distort.  The dependence between columns is
    weakened in the filled cells.  Where a class has no observed value the draw is from all
    rows; where the whole column is missing it becomes 0, or the level ``"missing"``.

    Parameters
    ----------
    table : Table
        Not changed.
    rng : numpy.random.Generator
        Used only if there are missing values.

    Returns
    -------
    Table
        The same rows without missing values.
    """
    if not table.X.isna().any(axis=None):
        return table
    X = {column: _fill_column(table.X[column], table.y, rng) for column in table.X.columns}
    return replace(table, X=pd.DataFrame(X))


def restore_table(
    frame: pd.DataFrame, *, like: Table, rng: np.random.Generator, name: str, returns_missing: bool, cover_classes: bool
) -> Table:
    """Turn a generator's raw rows into a `Table` with the columns and types of `like`.

    In this order: missing classes are covered, missing values are put where they belong, numbers
    are rounded to the decimals that `like` has (whole numbers stay whole) and clipped to its range,
    levels and class names are checked.

    Parameters
    ----------
    frame : DataFrame
        Raw rows with every column of `like`, in any order.
    like : Table
        The training table.
    rng : numpy.random.Generator
        Used for missing values and for classes that do not occur.
    name : str
        Name of the new table.
    returns_missing : bool
        Whether missing values in `frame` are meant. If not, every new row lacks what a training
        row of its class, drawn at random, lacks.
    cover_classes : bool
        Whether a class of `like` that does not occur in `frame` is given one row.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        If a column is absent, or a class, a level or a number is not possible. The message
        names the column and the value.
    """
    absent = [column for column in like.columns if column not in frame.columns]
    if absent:
        raise ValueError(f"the generated rows lack the column {absent[0]!r}")
    frame = frame[like.columns].reset_index(drop=True).astype({like.target: object})
    _check_classes(frame[like.target], like)
    if cover_classes and len(frame) >= len(like.classes):
        frame = _cover_classes(frame, like, rng)
    y = frame[like.target]
    X = {column: _restore_column(frame[column], like, y, rng) for column in like.X.columns}
    X = pd.DataFrame(X, index=frame.index)
    if not returns_missing:
        X = _blank_like_training_rows(X, y, like, rng)
    return replace(like, name=name, X=X, y=y)


def count_decimals(values: np.ndarray) -> int | None:
    """Smallest number of decimals, up to 6, that writes every value exactly; None if there is none.

    Examples
    --------
    >>> count_decimals(np.array([1.0, 3.0])), count_decimals(np.array([0.25, 1.5])), count_decimals(np.array([1 / 3]))
    (0, 2, None)
    """
    for decimals in range(MAX_DECIMALS + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            rounded = np.round(values, decimals)
        if np.array_equal(rounded, values):
            return decimals
    return None


def draw_observed(column: pd.Series, of_class: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw `n` observed values of a column, from the rows marked by `of_class` if these have any.

    Returns an array of level names (objects) or of floats; zeros or ``"missing"`` if the column holds no value.
    """
    is_categorical = isinstance(column.dtype, pd.CategoricalDtype)
    values = column.astype(object if is_categorical else float)
    pool = values[of_class & values.notna()]
    if pool.empty:
        pool = values.dropna()
    if pool.empty:
        # The caller blanks the whole column later, so the value itself does not matter.
        return np.full(n, "missing" if is_categorical else 0.0, dtype=object if is_categorical else float)
    return rng.choice(pool.to_numpy(), size=n)


def _fill_column(column: pd.Series, y: pd.Series, rng: np.random.Generator) -> pd.Series:
    gaps = column.isna()
    if not gaps.any():
        return column
    is_categorical = isinstance(column.dtype, pd.CategoricalDtype)
    values = column.astype(object) if is_categorical else column.copy()
    for label in sorted(y[gaps].unique()):
        rows = (gaps & (y == label)).to_numpy()
        values[rows] = draw_observed(column, (y == label).to_numpy(), int(rows.sum()), rng)
    if is_categorical:
        levels = list(column.cat.categories)
        values = values.astype(pd.CategoricalDtype(levels + sorted(set(values) - set(levels))))
    return values


def _check_classes(labels: pd.Series, like: Table) -> None:
    known = set(like.classes)
    for label in pd.unique(labels):
        if label not in known:
            raise ValueError(f"the generated rows have the class {label!r}; target {like.target!r} has {like.classes}")


def _cover_classes(frame: pd.DataFrame, like: Table, rng: np.random.Generator) -> pd.DataFrame:
    """Give every class that does not occur one row, in place of a row of the largest class."""
    frame = frame.copy()
    for label in sorted(set(like.classes) - set(frame[like.target])):
        counts = frame[like.target].value_counts()
        # Ties are broken by name, so that the result does not depend on the order of the rows.
        largest = min(counts.index, key=lambda other: (-counts[other], other))
        row = rng.choice(np.flatnonzero(frame[like.target] == largest))
        of_class = (like.y == label).to_numpy()
        for column in like.X.columns:
            # Column by column, so that the new row is a copy of a training row only if the class has a single one.
            value = draw_observed(like.X[column], of_class, 1, rng)[0]
            frame[column] = frame[column].astype(object if isinstance(value, str) else float)
            frame.loc[row, column] = value
        frame.loc[row, like.target] = label
    return frame


def _restore_column(raw: pd.Series, like: Table, y: pd.Series, rng: np.random.Generator) -> pd.Series:
    reference = like.X[raw.name]
    may_be_missing = bool(reference.isna().any())
    values = raw.astype(object) if raw.name in like.categorical else _as_numbers(raw)
    if values.isna().any() and not may_be_missing:
        values = values.mask(values.isna(), _draw_for_rows(reference, like.y, y, rng))
    if raw.name in like.categorical:
        return _restore_levels(values, reference)
    return _restore_numbers(values, reference)


def _draw_for_rows(column: pd.Series, labels: pd.Series, y: pd.Series, rng: np.random.Generator) -> np.ndarray:
    drawn = np.empty(len(y), dtype=object if isinstance(column.dtype, pd.CategoricalDtype) else float)
    for label in sorted(y.unique()):
        rows = (y == label).to_numpy()
        drawn[rows] = draw_observed(column, (labels == label).to_numpy(), int(rows.sum()), rng)
    return drawn


def _as_numbers(raw: pd.Series) -> pd.Series:
    try:
        return raw.astype(float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the generated column {raw.name!r} should hold numbers: {error}") from None


def _restore_levels(values: pd.Series, reference: pd.Series) -> pd.Series:
    observed = set(reference.dropna().unique())
    if not observed:
        # The training column is missing throughout, and so is the new one.
        return pd.Series(np.nan, index=values.index, name=values.name, dtype=object).astype(reference.dtype)
    for level in pd.unique(values.dropna()):
        if level not in observed:
            raise ValueError(
                f"the generated column {values.name!r} has the level {level!r}, not one of {sorted(observed)}"
            )
    return values.astype(reference.dtype)


def _restore_numbers(values: pd.Series, reference: pd.Series) -> pd.Series:
    observed = reference.dropna().to_numpy()
    if not observed.size:
        return pd.Series(np.nan, index=values.index, name=values.name)
    low, high = observed.min(), observed.max()
    values = values.clip(low, high)
    decimals = count_decimals(observed)
    if decimals is not None:
        values = values.round(decimals)
    # Clipped again as the column's own type: a float can't write every large integer exactly.
    return values.astype(reference.dtype).clip(low, high)


def _blank_like_training_rows(X: pd.DataFrame, y: pd.Series, like: Table, rng: np.random.Generator) -> pd.DataFrame:
    """Blank in every row what a training row of the same class lacks.

    Whole patterns are drawn, so that columns that are missing together stay missing together.
    """
    gaps = like.X.isna()
    incomplete = gaps.columns[gaps.any()]
    if not len(incomplete):
        return X
    pattern = gaps[incomplete].to_numpy()
    blank = np.zeros((len(X), len(incomplete)), dtype=bool)
    for label in sorted(y.unique()):
        rows = np.flatnonzero(y == label)
        blank[rows] = pattern[rng.choice(np.flatnonzero(like.y == label), size=len(rows))]
    X = X.copy()
    for position, column in enumerate(incomplete):
        X[column] = X[column].mask(blank[:, position])
    return X
