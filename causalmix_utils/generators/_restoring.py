"""What all generators share: missing values filled before, types and missing values restored after.

A generator models complete columns and returns raw rows: numbers where a column is numerical,
level names where it is categorical.  The functions here check such rows and see that every class
occurs; `causalmix_utils.scm.restoring`, the same for all, then makes them a `Table` that could have been
drawn from the training table.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from causalmix_utils.scm.restoring import restore_rows
from causalmix_utils.tables import MISSING_LEVEL, Table


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

    In this order: classes and levels are checked; missing classes are covered; numbers are clipped to the range of
    `like` and rounded to its decimals (whole numbers stay whole), and a column of at most 20 different values
    takes only values that occur; missing values are put where they belong.

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
    frame = frame[like.columns].reset_index(drop=True)
    frame = pd.DataFrame({column: _check_values(frame[column], like) for column in like.columns})
    if cover_classes and len(frame) >= len(like.classes):
        frame = _cover_classes(frame, like, rng)
    gaps = frame[like.X.columns].isna()
    for column in gaps.columns[gaps.any()]:
        frame[column] = frame[column].mask(gaps[column], _draw_for_rows(column, frame[like.target], like, rng))
    # A gap where the training table has none stays filled.
    missing = gaps & like.X.isna().any() if returns_missing else None
    return replace(restore_rows(frame, like, rng=rng, keep=[], missing=missing), name=name)


def draw_observed(column: pd.Series, of_class: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw `n` observed values of a column, from the rows marked by `of_class` if these have any.

    Returns an array of level names (objects) or of floats; zeros or `MISSING_LEVEL` if the column holds no value.
    """
    is_categorical = isinstance(column.dtype, pd.CategoricalDtype)
    values = column.astype(object if is_categorical else float)
    pool = values[of_class & values.notna()]
    if pool.empty:
        pool = values.dropna()
    if pool.empty:
        # The caller blanks the whole column later, so the value itself does not matter.
        return np.full(n, MISSING_LEVEL if is_categorical else 0.0, dtype=object if is_categorical else float)
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


def _check_values(values: pd.Series, like: Table) -> pd.Series:
    """Strings as objects or numbers as floats, after a check that `like` could hold them."""
    if values.name == like.target:
        _check_known(values, like.classes, "class")
        return values.astype(object)
    reference = like.X[values.name]
    if values.name in like.categorical:
        _check_known(values.dropna(), sorted(reference.dropna().unique()) or [MISSING_LEVEL], "level")
        return values.astype(object)
    try:
        return values.astype(float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the generated column {values.name!r} should hold numbers: {error}") from None


def _check_known(values: pd.Series, known: list[str], kind: str) -> None:
    for value in pd.unique(values):
        if value not in known:
            raise ValueError(f"the generated column {values.name!r} has the {kind} {value!r}, not one of {known}")


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
            frame.loc[row, column] = draw_observed(like.X[column], of_class, 1, rng)[0]
        frame.loc[row, like.target] = label
    return frame


def _draw_for_rows(column: str, y: pd.Series, like: Table, rng: np.random.Generator) -> np.ndarray:
    """An observed value for each row, drawn from the training rows of the row's class."""
    drawn = np.empty(len(y), dtype=object if column in like.categorical else float)
    for label in sorted(y.unique()):
        rows = (y == label).to_numpy()
        drawn[rows] = draw_observed(like.X[column], (like.y == label).to_numpy(), int(rows.sum()), rng)
    return drawn
