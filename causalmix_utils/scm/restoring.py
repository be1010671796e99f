"""Raw draws of a structural causal model as rows of a table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from causalmix_utils.tables import Table

_MAX_DECIMALS = 6  # A column that needs more is taken as continuous.
_MAX_VALUES = 20  # A column with at most so many different values takes only these.


def restore_rows(
    frame: pd.DataFrame, like: Table, *, rng: np.random.Generator, keep: list[str], missing: pd.DataFrame | None = None
) -> Table:
    """Turn complete raw rows into a `Table` with the types, ranges and missing values of `like`.

    Parameters
    ----------
    frame : DataFrame
        Numbers and strings, columns as in `like`.
    like : Table
    rng : Generator
        Draws the rows whose missing values are copied.
    keep : list of str
        Columns set by an intervention: neither clipped, rounded nor blanked.
    missing : DataFrame of bool, shape (n_rows, n_features), optional
        Where the rows are blanked. By default as rows of `like` of the same classes, drawn at random.

    Returns
    -------
    Table
    """
    y = pd.Series(frame[like.target].to_numpy(dtype=object), name=like.target, dtype=object)
    missing = _draw_missing(y, like, rng) if missing is None else missing
    columns = {}
    for column in like.X.columns:
        values = frame[column].to_numpy()
        blank = np.zeros(len(y), dtype=bool) if column in keep else missing[column].to_numpy()
        if column in like.categorical:
            values = np.where(blank, None, values.astype(object))
            columns[column] = pd.Categorical(values, categories=like.X[column].cat.categories)
        else:
            columns[column] = _restore_numbers(values.astype(float), like.X[column], blank, keep=column in keep)
    return replace(like, name=f"{like.name}/scm", X=pd.DataFrame(columns), y=y)


def _draw_missing(y: pd.Series, like: Table, rng: np.random.Generator) -> pd.DataFrame:
    """For each new row, where a row of `like` of the same class, drawn at random, has missing values."""
    pattern = like.X.isna()
    if not pattern.to_numpy().any():
        return pd.DataFrame(False, index=y.index, columns=pattern.columns)
    drawn = np.empty(len(y), dtype=np.int64)
    for name in sorted(y.unique()):
        new = np.flatnonzero(y == name)
        drawn[new] = rng.choice(np.flatnonzero(like.y == name), size=len(new))
    return pattern.iloc[drawn].reset_index(drop=True)


def _restore_numbers(values: np.ndarray, column: pd.Series, blank: np.ndarray, *, keep: bool) -> np.ndarray:
    if keep:
        return values.astype(column.dtype)
    observed = np.unique(column.dropna().to_numpy(dtype=float))
    if len(observed):
        values = np.clip(values, observed[0], observed[-1])
        if len(observed) <= _MAX_VALUES:
            middles = (observed[:-1] + observed[1:]) / 2
            values = observed[np.searchsorted(middles, values)]
    decimals = _count_decimals(observed)
    if decimals is not None:
        values = np.round(values, decimals)
    if column.dtype == np.dtype("int64"):
        return values.astype("int64")
    return np.where(blank, np.nan, values)


def _count_decimals(values: np.ndarray) -> int | None:
    """Smallest number of decimals, up to six, that writes every value exactly; None if there is none."""
    for decimals in range(_MAX_DECIMALS + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            if np.array_equal(np.round(values, decimals), values):
                return decimals
    return None
