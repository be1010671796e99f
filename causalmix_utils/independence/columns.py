"""Columns of a table as the numbers that the tests work on."""

from __future__ import annotations

import numpy as np

from causalmix_utils.tables import Table

_RARE_LEVEL_ROWS = 5  # Levels with fewer rows are pooled: their indicators are nearly constant.
_MAX_BINS = 4  # Bins of a numerical column in the chi-square test.


def encode_columns(table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Turn features and target into one float array, the target last.

    Parameters
    ----------
    table : Table

    Returns
    -------
    values : ndarray of shape (n_rows, n_features + 1)
        Numerical columns as they are, categories as codes 0, 1, …; missing values are NaN.
    is_categorical : ndarray of bool, shape (n_features + 1,)
        True for category codes. The target is always categorical.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"age": [31, 45], "job": ["cook", None], "paid": ["no", "yes"]})
    >>> encode_columns(Table.from_frame(frame, target="paid"))
    (array([[31.,  0.,  0.],
           [45., nan,  1.]]), array([False,  True,  True]))
    """
    frame = table.to_frame()
    values = np.empty(frame.shape, dtype=float)
    is_categorical = np.array([column in table.categorical or column == table.target for column in frame.columns])
    for position, column in enumerate(frame.columns):
        if is_categorical[position]:
            codes = frame[column].astype("category").cat.codes.to_numpy(dtype=float)
            values[:, position] = np.where(codes < 0, np.nan, codes)
        else:
            values[:, position] = frame[column].to_numpy(dtype=float)
    return values, is_categorical


def embed(column: np.ndarray, categorical: bool) -> np.ndarray:
    """Normal scores of a numerical column, or indicators of all levels but the most frequent one."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    present = ~np.isnan(column)
    if not categorical:
        scores = np.full((len(column), 1), np.nan)
        scores[present, 0] = ndtri(rankdata(column[present]) / (present.sum() + 1))
        return scores
    codes = pool_rare_levels(column)
    counts = np.bincount(codes[present]) if present.any() else np.zeros(1, dtype=int)
    levels = [level for level in range(len(counts)) if counts[level] and level != counts.argmax()]
    # A constant column keeps one empty indicator, so that every column has a place.
    indicators = np.column_stack([codes == level for level in levels or [len(counts)]]).astype(float)
    indicators[~present] = np.nan
    return indicators


def pool_rare_levels(column: np.ndarray) -> np.ndarray:
    """Codes 0, 1, …, with all levels of fewer than five rows as one; -1 where missing."""
    codes = np.full(len(column), -1, dtype=np.int64)
    present = ~np.isnan(column)
    levels, places, counts = np.unique(column[present], return_inverse=True, return_counts=True)
    rare = counts < _RARE_LEVEL_ROWS
    new_codes = np.where(rare, (~rare).sum(), np.cumsum(~rare) - 1)
    codes[present] = new_codes[places]
    return codes


def cut_into_bins(column: np.ndarray) -> np.ndarray:
    """Codes of at most four bins of about equal count; -1 where missing."""
    present = ~np.isnan(column)
    codes = np.full(len(column), -1, dtype=np.int64)
    values = column[present]
    if len(np.unique(values)) > _MAX_BINS:
        cuts = np.unique(np.quantile(values, np.arange(1, _MAX_BINS) / _MAX_BINS))
        cuts = cuts[cuts < values.max()]
        if not len(cuts):  # three quarters of the values are the largest one
            cuts = values[values < values.max()].max(keepdims=True)
        values = np.searchsorted(cuts, values, side="left")
    codes[present] = np.unique(values, return_inverse=True)[1]
    return codes


def correlate(rows: np.ndarray) -> np.ndarray:
    """Correlation matrix; a constant column correlates with nothing and has variance zero."""
    if len(rows) == 0:
        return np.zeros((rows.shape[1], rows.shape[1]))
    centred = rows - rows.mean(axis=0)
    scale = np.sqrt((centred**2).sum(axis=0))
    # Rounding may leave a constant column of large values with a tiny spread, and the squares of tiny values are zero.
    constant = (np.ptp(rows, axis=0) == 0) | (scale == 0)
    centred = np.where(constant, 0.0, centred / np.where(constant, 1.0, scale))
    return centred.T @ centred
