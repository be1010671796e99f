"""Missing values filled with observed ones, for algorithms that take complete rows only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

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
