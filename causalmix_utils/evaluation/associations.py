"""How strongly the columns of a table go together, whatever their types."""

from __future__ import annotations

import numpy as np
import pandas as pd

from causalmix_utils.tables import Table


def pair_associations(table: Table) -> pd.DataFrame:
    """How strongly each pair of columns goes together, from 0 to 1, whatever their types.

    Two numbers: the absolute rank correlation (Spearman). Two categories: Cramér's V. A category and a number: the
    correlation ratio of the number's ranks, the square root of the share of their variance that lies
    between the levels. The latter two grow with the number of levels even between independent columns; they
    are corrected for that (Bergsma 2013 for V, Kelley 1935 for the ratio), so that a table of a hundred rows
    can be compared with one of thousands.

    Parameters
    ----------
    table : Table
        Rows with a missing value in one of the two columns do not count for that pair. A number's rank is that among
        all values of its column, so that where values are missing the correlation is not exactly Spearman's.

    Returns
    -------
    DataFrame of shape (n_columns, n_columns)
        Symmetric, ones on the diagonal, the target last. 0 for a column that is constant.

    References
    ----------
    W. Bergsma: *A bias-correction for Cramér's V and Tschuprow's T*, Journal of the Korean Statistical
    Society 42, 2013.
    T. L. Kelley: *An unbiased correlation ratio measure*, PNAS 21, 1935.
    """
    columns = table.columns
    values = {column: _ranks_or_codes(table, column) for column in columns}
    result = pd.DataFrame(np.eye(len(columns)), index=columns, columns=columns)
    for place, first in enumerate(columns):
        for second in columns[place + 1 :]:
            strength = _associate(values[first], values[second], [c in table.numerical for c in (first, second)])
            result.loc[first, second] = result.loc[second, first] = strength
    return result


def association_error(real: Table, synthetic: Table) -> float:
    """Mean absolute difference of the `pair_associations` of two tables, over all pairs of columns."""
    check_columns(real, synthetic)
    difference = (pair_associations(real) - pair_associations(synthetic)).abs().to_numpy()
    return float(difference[np.triu_indices(len(difference), 1)].mean())


def association_errors(real: Table, synthetic: Table) -> pd.Series:
    """`association_error` for each kind of pair.

    Returns
    -------
    Series
        ``numbers``, pairs of two numerical columns; ``mixed``, a number and a category; ``categories``, two categories,
        the target being one; ``all``. NaN where a table has no such pair.

    Examples
    --------
    >>> frame = pd.DataFrame({"x": [1, 2, 3, 4], "y": ["a", "a", "b", "b"]})
    >>> table = Table.from_frame(frame, target="y")
    >>> association_errors(table, table).dropna().to_dict()
    {'mixed': 0.0, 'all': 0.0}
    """
    check_columns(real, synthetic)
    difference = (pair_associations(real) - pair_associations(synthetic)).abs().to_numpy()
    first, second = np.triu_indices(len(difference), 1)
    is_number = np.array([column in real.numerical for column in real.columns])
    n_numbers = is_number[first].astype(int) + is_number[second]
    errors = pd.Series(difference[first, second])
    kinds = {
        kind: errors[n_numbers == count].mean() for kind, count in (("numbers", 2), ("mixed", 1), ("categories", 0))
    }
    return pd.Series({**kinds, "all": errors.mean()})


def check_columns(first: Table, second: Table) -> None:
    """Raise a ``ValueError`` unless both tables have the same columns of the same kinds."""
    if first.columns != second.columns or first.categorical != second.categorical:
        raise ValueError(
            f"tables {first.name!r} and {second.name!r} differ in columns: {first.columns} against {second.columns}"
        )


def _ranks_or_codes(table: Table, column: str) -> np.ndarray:
    """Numbers as ranks, categories as codes; NaN where missing."""
    values = table.to_frame()[column]
    if column in table.numerical:
        return values.rank().to_numpy(dtype=float)
    codes = pd.factorize(values.astype(object), sort=True)[0].astype(float)
    return np.where(codes < 0, np.nan, codes)


def _associate(a: np.ndarray, b: np.ndarray, are_numbers: list[bool]) -> float:
    present = ~(np.isnan(a) | np.isnan(b))
    a, b = a[present], b[present]
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    if all(are_numbers):
        return float(abs(np.corrcoef(a, b)[0, 1]))
    if not any(are_numbers):
        return _cramers_v(a, b)
    return _correlation_ratio(a, b) if are_numbers[1] else _correlation_ratio(b, a)


def _cramers_v(a: np.ndarray, b: np.ndarray) -> float:
    a, b = (np.unique(codes, return_inverse=True)[1] for codes in (a, b))
    n, rows, columns = len(a), a.max() + 1, b.max() + 1
    counts = np.bincount(a * columns + b, minlength=rows * columns).reshape(rows, columns)
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / n
    phi2 = ((counts - expected) ** 2 / expected).sum() / n
    phi2 = max(0.0, phi2 - (rows - 1) * (columns - 1) / (n - 1))
    least = min(rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)) - 1
    return float(min(1.0, np.sqrt(phi2 / least))) if least > 0 else 0.0


def _correlation_ratio(codes: np.ndarray, numbers: np.ndarray) -> float:
    codes = np.unique(codes, return_inverse=True)[1]
    n, n_levels = len(numbers), codes.max() + 1
    if n <= n_levels:
        return 0.0
    means = np.bincount(codes, weights=numbers) / np.bincount(codes)
    within = float(((numbers - means[codes]) ** 2).sum()) / (n - n_levels)
    return float(np.sqrt(max(0.0, 1 - within / np.var(numbers, ddof=1))))
