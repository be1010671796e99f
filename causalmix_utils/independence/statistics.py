"""The three tests: Fisher's z, the degenerate-Gaussian test for mixed types, and chi-square."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from causalmix_utils.independence.columns import correlate, cut_into_bins, embed, pool_rare_levels

_ROWS_PER_DEGREE = 5  # Rows that a conditional chi-square test needs for each degree of freedom.
_DETERMINED = 1e-6  # Share of variance below which a variable counts as determined by others.


class FisherZ:
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
        r = min(abs(r), 1 - np.finfo(float).eps)
        return math.erfc(math.sqrt(n_rows - len(given) - 3) * math.atanh(r) / math.sqrt(2))


class MixedTest:
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
        self._places = [list(range(start, end)) for start, end in zip(ends[:-1], ends[1:], strict=True)]
        self._embedded = np.hstack(blocks)
        self._correlation = correlate(np.where(np.isnan(self._embedded).any(axis=0), 0.0, self._embedded))

    def p_value(self, x: int, y: int, given: Sequence[int] = ()) -> float:
        """Return the p-value of "column `x` is independent of column `y` given columns `given`"."""
        parts = [self._places[x], self._places[y], [place for z in given for place in self._places[z]]]
        places = [place for part in parts for place in part]
        correlation, n_rows = self._correlation, len(self._embedded)
        if self._has_missing[[x, y, *given]].any():
            rows = self._embedded[:, places]
            rows = rows[~np.isnan(rows).any(axis=1)]
            block, n_rows = correlate(rows), len(rows)
        else:
            block = correlation[np.ix_(places, places)]
        n_x, n_y, n_z = (len(part) for part in parts)
        if n_rows - 1 - n_z < n_x + n_y + 1:
            return math.nan
        if n_x == n_y == 1:
            r = _partial_correlation(block)
            if r is None:
                return math.nan
            return _wilks_p_value(max(1 - r * r, 1e-300), 1, 1, n_rows - 1 - n_z)
        return self._block_p_value(block, n_x, n_y, n_rows)

    @staticmethod
    def _block_p_value(block: np.ndarray, n_x: int, n_y: int, n_rows: int) -> float:
        n_xy = n_x + n_y
        n_z = len(block) - n_xy
        residual = block[:n_xy, :n_xy]
        if n_z:
            # The ridge is far below any real variance; it only keeps the solver from failing on singular blocks.
            inverse_part = np.linalg.solve(block[n_xy:, n_xy:] + 1e-10 * np.eye(n_z), block[n_xy:, :n_xy])
            residual = residual - block[:n_xy, n_xy:] @ inverse_part
        whiten_x, whiten_y = _whitener(residual[:n_x, :n_x]), _whitener(residual[n_x:, n_x:])
        if whiten_x.shape[1] == 0 or whiten_y.shape[1] == 0:
            return math.nan
        canonical = np.linalg.svd(whiten_x.T @ residual[:n_x, n_x:] @ whiten_y, compute_uv=False)
        wilks = float(np.prod(np.clip(1 - canonical**2, 1e-300, 1.0)))
        return _wilks_p_value(max(wilks, 1e-300), whiten_x.shape[1], whiten_y.shape[1], n_rows - 1 - n_z)


class ChiSquare:
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
        ridge = 1e-10 * np.eye(len(correlation) - 2)  # Keeps the solver from failing on singular blocks.
        weights = np.linalg.solve(correlation[2:, 2:] + ridge, correlation[2:, :2])
        covariance = correlation[:2, :2] - correlation[:2, 2:] @ weights
    if covariance[0, 0] < _DETERMINED or covariance[1, 1] < _DETERMINED:
        return None
    return float(covariance[0, 1] / math.sqrt(covariance[0, 0] * covariance[1, 1]))


def _whitener(covariance: np.ndarray) -> np.ndarray:
    """Matrix W with W' C W = identity on the part of C that has variance left."""
    eigenvalues, vectors = np.linalg.eigh(covariance)
    kept = eigenvalues > _DETERMINED
    return vectors[:, kept] / np.sqrt(eigenvalues[kept])


def _wilks_p_value(wilks: float, p: int, q: int, degrees: int) -> float:
    """Upper tail of Wilks' lambda for `p` against `q` columns, by Rao's F approximation.

    `degrees` are those of the residual covariance: rows - 1 - conditioning columns.
    """
    from scipy.special import fdtrc

    power = math.sqrt((p**2 * q**2 - 4) / (p**2 + q**2 - 5)) if p**2 + q**2 > 5 else 1.0
    first = p * q
    second = (degrees - (p + q + 1) / 2) * power - (first - 2) / 2
    if second <= 0:
        return math.nan
    root = wilks ** (1 / power)
    return float(fdtrc(first, second, (1 - root) / root * second / first))


def _stratified_chi_square(codes: np.ndarray) -> tuple[float, int]:
    """Statistic and degrees of freedom for the first two columns in the strata of the others."""
    stratum = np.zeros(len(codes), dtype=np.int64)
    for column in codes[:, 2:].T:
        stratum = np.unique(stratum * (column.max() + 1) + column, return_inverse=True)[1]
    shape = (stratum.max() + 1, codes[:, 0].max() + 1, codes[:, 1].max() + 1)
    flat = (stratum * shape[1] + codes[:, 0]) * shape[2] + codes[:, 1]
    counts = np.bincount(flat, minlength=math.prod(shape)).reshape(shape)
    rows, columns = counts.sum(axis=2), counts.sum(axis=1)
    expected = rows[:, :, None] * columns[:, None, :] / counts.sum(axis=(1, 2))[:, None, None]
    seen = expected > 0
    statistic = float((((counts - expected) ** 2)[seen] / expected[seen]).sum())
    degrees = ((rows > 0).sum(axis=1) - 1) * ((columns > 0).sum(axis=1) - 1)
    return statistic, int(degrees.sum())
