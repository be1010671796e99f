"""The three tests: Fisher's z, the degenerate-Gaussian test for mixed types, and chi-square."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from causalmix_utils.independence.batches import (
    DETERMINED,
    RIDGE,
    correlate_residuals,
    find_wilks,
    find_wilks_p_values,
    gather_residuals,
)
from causalmix_utils.independence.columns import correlate, cut_into_bins, embed, pool_rare_levels

_ROWS_PER_DEGREE = 5  # Rows that a conditional chi-square test needs for each degree of freedom.
_MOST_CORRELATED = 1 - np.finfo(float).eps  # Fisher's z of a perfect correlation would be infinite.
_MOST_CELLS = 500_000  # Numbers in the largest array of a batch: 4 MB.


class _BatchedTest:
    """What the tests share: batches, and the rule for missing values.

    Subclasses set `_has_missing` and say how wide a test is.
    """

    _has_missing: np.ndarray

    def p_value(self, x: int, y: int, given: Sequence[int] = ()) -> float:
        """Return the p-value of "column `x` is independent of column `y` given columns `given`"."""
        raise NotImplementedError

    def _p_values_of_complete(self, x: int, ys: np.ndarray, sets: np.ndarray) -> np.ndarray:
        """As `p_values`, for columns without missing values."""
        return np.array([self.p_value(x, y, given) for y, given in zip(ys.tolist(), sets.tolist(), strict=True)])

    def _count_cells(self, x: int, n_given: int) -> int:
        """Numbers that one test of a batch takes in the largest array."""
        return (n_given + 2) ** 2

    def p_values(self, x: int, ys: np.ndarray, sets: np.ndarray) -> np.ndarray:
        """Return the p-values of many tests of column `x`, several times faster than one by one.

        Parameters
        ----------
        x : int
        ys : ndarray of int, shape (k,)
        sets : ndarray of int, shape (k, d)
            Conditioning sets, all of the same size.

        Returns
        -------
        ndarray of shape (k,)
            As `p_value` gives them, up to rounding.
        """
        ys, sets = np.asarray(ys, dtype=np.intp), np.asarray(sets, dtype=np.intp).reshape(len(ys), -1)
        answers = np.full(len(ys), np.nan)
        incomplete = self._has_missing[x] | self._has_missing[ys] | self._has_missing[sets].any(axis=1)
        for place in np.flatnonzero(incomplete).tolist():
            answers[place] = self.p_value(x, int(ys[place]), sets[place].tolist())
        complete = np.flatnonzero(~incomplete)
        step = max(1, _MOST_CELLS // self._count_cells(x, sets.shape[1]))
        for start in range(0, len(complete), step):
            part = complete[start : start + step]
            answers[part] = self._p_values_of_complete(x, ys[part], sets[part])
        return answers


class FisherZ(_BatchedTest):
    """Fisher's z test of a partial correlation.

    With r the partial correlation of X and Y given Z, in n rows,
    ``z = sqrt(n - |Z| - 3) * |atanh(r)|`` is compared with a standard normal distribution. The
    two-sided p-value is ``erfc(z / sqrt(2))``, which is exact in the far tail, where one minus
    a distribution function is not, and several times faster than SciPy's ``norm.cdf``.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
    is_categorical : ndarray of bool, shape (n_columns,)
        Not used: a column of two levels enters by its codes.
    """

    def __init__(self, values: np.ndarray, is_categorical: np.ndarray | None = None) -> None:
        self._values = values
        self._has_missing = np.isnan(values).any(axis=0)
        self._correlation = correlate(np.where(self._has_missing, 0.0, values))

    def p_value(self, x: int, y: int, given: Sequence[int] = ()) -> float:
        """Return the p-value of "column `x` is independent of column `y` given columns `given`"."""
        variables = [x, y, *given]
        correlation, n_rows = self._correlation, len(self._values)
        if self._has_missing[variables].any():
            rows = self._values[:, variables]
            rows = rows[~np.isnan(rows).any(axis=1)]
            correlation, n_rows = correlate(rows), len(rows)
            variables = list(range(len(variables)))
        if n_rows - len(given) - 3 <= 0:
            return math.nan
        r = _partial_correlation(correlation[np.ix_(variables, variables)])
        if r is None:
            return math.nan
        r = min(abs(r), _MOST_CORRELATED)
        return math.erfc(math.sqrt(n_rows - len(given) - 3) * math.atanh(r) / math.sqrt(2))

    def _p_values_of_complete(self, x: int, ys: np.ndarray, sets: np.ndarray) -> np.ndarray:
        from scipy.special import erfc

        degrees = len(self._values) - sets.shape[1] - 3
        if degrees <= 0:
            return np.full(len(ys), np.nan)
        pairs = np.column_stack([np.full(len(ys), x), ys])
        r = np.abs(correlate_residuals(gather_residuals(self._correlation, pairs, sets)))
        return erfc(math.sqrt(degrees / 2) * np.arctanh(np.minimum(r, _MOST_CORRELATED)))


class MixedTest(_BatchedTest):
    """Degenerate-Gaussian likelihood-ratio test for numerical and categorical columns together.

    A category with k levels enters as k - 1 indicator columns, and the whole is treated as if it
    were Gaussian (Andrews, Ramsey and Cooper: Learning high-dimensional directed acyclic graphs
    with mixed data-types, PMLR 104, 2019). The likelihood ratio of "X independent of Y given Z" is then
    Wilks' lambda of the residual covariances,

        lambda = det(S_xy|z) / (det(S_x|z) det(S_y|z)),

    and its null distribution is Rao's F approximation, which is exact if X or Y has one or two
    columns and stays calibrated in small tables, where the usual chi-square limit rejects
    too often. Numerical columns enter by their normal scores (ranks mapped to normal
    quantiles; Harris and Drton, JMLR 14, 2013), so that one outlier cannot decide a test.
    Levels with fewer than five rows are pooled into one.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
    is_categorical : ndarray of bool, shape (n_columns,)
    """

    def __init__(self, values: np.ndarray, is_categorical: np.ndarray) -> None:
        self._has_missing = np.isnan(values).any(axis=0)
        blocks = [embed(column, categorical) for column, categorical in zip(values.T, is_categorical, strict=True)]
        ends = np.cumsum([0] + [block.shape[1] for block in blocks])
        self._widths = np.diff(ends)
        # Indicators of each column, filled up with -1.
        numbers = np.arange(max(self._widths, default=0))
        self._places = np.where(numbers < self._widths[:, None], ends[:-1, None] + numbers, -1)
        self._embedded = np.hstack(blocks)
        self._correlation = correlate(np.where(np.isnan(self._embedded).any(axis=0), 0.0, self._embedded))

    def p_value(self, x: int, y: int, given: Sequence[int] = ()) -> float:
        """Return the p-value of "column `x` is independent of column `y` given columns `given`"."""
        variables = [x, y, *given]
        if not self._has_missing[variables].any():
            return float(self._p_values_of_complete(x, np.array([y]), np.array([given], dtype=np.intp))[0])
        widths = self._widths[variables]
        rows = self._embedded[
            :, np.concatenate([self._places[v, :width] for v, width in zip(variables, widths, strict=True)])
        ]
        rows = rows[~np.isnan(rows).any(axis=1)]
        ends = np.cumsum(widths)
        x_places, y_places, z_places = np.split(np.arange(ends[-1]), ends[:2])
        return float(_test_blocks(correlate(rows), len(rows), x_places, y_places[None], z_places[None])[0])

    def _p_values_of_complete(self, x: int, ys: np.ndarray, sets: np.ndarray) -> np.ndarray:
        y_places = _push_left(self._places[ys])
        z_places = _push_left(self._places[sets].reshape(len(ys), -1))
        x_places = self._places[x, : self._widths[x]]
        return _test_blocks(self._correlation, len(self._embedded), x_places, y_places, z_places)

    def _count_cells(self, x: int, n_given: int) -> int:
        widest = self._places.shape[1]
        return (self._widths[x] + widest * (n_given + 1)) ** 2


class ChiSquare(_BatchedTest):
    """Pearson's chi-square test in each stratum of the conditioning set, summed.

    Empty rows and columns of a stratum take no degrees of freedom. Levels with fewer than five rows are
    pooled. Numerical columns with more than four values are cut into four bins of equal count, since their raw
    values would make every row a level of its own. A conditional test is done only where there are five rows for
    each degree of freedom (the power rule of Tsamardinos, Brown and Aliferis, Machine Learning 65, 2006).

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
    is_categorical : ndarray of bool, shape (n_columns,)
    """

    def __init__(self, values: np.ndarray, is_categorical: np.ndarray) -> None:
        columns = [
            pool_rare_levels(column) if categorical else cut_into_bins(column)
            for column, categorical in zip(values.T, is_categorical, strict=True)
        ]
        self._codes = np.column_stack(columns)  # -1 marks a missing value.
        self._has_missing = (self._codes < 0).any(axis=0)

    def p_value(self, x: int, y: int, given: Sequence[int] = ()) -> float:
        """Return the p-value of "column `x` is independent of column `y` given columns `given`"."""
        from scipy.special import chdtrc

        variables = [x, y, *given]
        codes = self._codes[:, variables]
        if self._has_missing[variables].any():
            codes = codes[(codes >= 0).all(axis=1)]
        if len(codes) == 0:
            return math.nan
        statistic, degrees = _stratified_chi_square(codes)
        if degrees == 0 or (given and len(codes) < _ROWS_PER_DEGREE * degrees):
            return math.nan
        return float(chdtrc(degrees, statistic))


def _partial_correlation(correlation: np.ndarray) -> float | None:
    """Correlation of the first two variables given the others; None where one of them is determined."""
    if len(correlation) == 2:
        covariance = correlation
    elif len(correlation) == 3:
        z = correlation[2, 2] or 1.0
        outer = correlation[:2, 2]
        covariance = correlation[:2, :2] - np.array([[outer[0] ** 2, outer[0] * outer[1]], [0, outer[1] ** 2]]) / z
    else:
        ridge = RIDGE * np.eye(len(correlation) - 2)
        weights = np.linalg.solve(correlation[2:, 2:] + ridge, correlation[2:, :2])
        covariance = correlation[:2, :2] - correlation[:2, 2:] @ weights
    if covariance[0, 0] < DETERMINED or covariance[1, 1] < DETERMINED:
        return None
    return float(covariance[0, 1] / math.sqrt(covariance[0, 0] * covariance[1, 1]))


def _test_blocks(
    correlation: np.ndarray, n_rows: int, x_places: np.ndarray, y_places: np.ndarray, z_places: np.ndarray
) -> np.ndarray:
    """P-values of Wilks' lambda for blocks of columns, one test for each row of places; -1 fills rows up."""
    n_x, n_y, n_z = len(x_places), (y_places >= 0).sum(axis=1), (z_places >= 0).sum(axis=1)
    pairs = np.column_stack([np.broadcast_to(x_places, (len(y_places), n_x)), y_places])
    residuals = gather_residuals(correlation, pairs, z_places)
    degrees = n_rows - 1 - n_z
    if pairs.shape[1] == 2:
        r = correlate_residuals(residuals)
        wilks, rank_x, rank_y = np.maximum(1 - r * r, 1e-300), ~np.isnan(r), ~np.isnan(r)
    else:
        wilks, rank_x, rank_y = find_wilks(residuals, n_x)
    return np.where(degrees < n_x + n_y + 1, np.nan, find_wilks_p_values(wilks, rank_x, rank_y, degrees))


def _push_left(places: np.ndarray) -> np.ndarray:
    """Rows of places with the fillers -1 at the end, and no more of them than needed."""
    places = -np.sort(-places, axis=1)
    return places[:, : (places >= 0).sum(axis=1).max(initial=0)]


def _stratified_chi_square(codes: np.ndarray) -> tuple[float, int]:
    """Statistic and degrees of freedom for the first two columns in the strata of the others.

    The sum of (O - E)² / E over all cells is the sum of O² / E less the number of rows. Empty cells add nothing to it,
    so that the memory is that of the rows, however many levels there are.
    """
    stratum = np.zeros(len(codes), dtype=np.int64)
    for column in codes[:, 2:].T:
        stratum = _join(stratum, column)
    x, y = _join(stratum, codes[:, 0]), _join(stratum, codes[:, 1])
    of_stratum, of_x, of_y, of_cell = (np.bincount(group)[group] for group in (stratum, x, y, _join(x, codes[:, 1])))
    # Each of a cell's O rows adds O / E.
    statistic = float((of_cell * of_stratum / (of_x * of_y)).sum()) - len(codes)
    n_x, n_y = (np.bincount(stratum[np.unique(group, return_index=True)[1]]) for group in (x, y))
    return max(statistic, 0.0), int(((n_x - 1) * (n_y - 1)).sum())


def _join(group: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Numbers 0, 1, … of the pairs of a group and a code that occur."""
    return np.unique(group * (column.max() + 1) + column, return_inverse=True)[1]
