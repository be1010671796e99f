"""From thousands of runs to one line for each arm, every table counting equally.

A table with ten splits must not weigh more than one with three, and two runs on one table
are not two pieces of evidence. So every summary first takes the median over a table's runs
and only then looks across tables.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_columns, check_count, check_number, check_rng

_NEVER_MIXED = ("regime", "checkpoint")
_MOST_EXACT = 500
"""Values up to which the median's bootstrap distribution is computed and not drawn."""


def per_table(results: pd.DataFrame, *, value: str = "gain", by: str = "arm") -> pd.DataFrame:
    """Median of `value` over the runs of each table.

    Parameters
    ----------
    results : DataFrame
        One row for each run; see `causalmix_utils.evaluation`.
    value, by : str
        The column to summarise, and the one whose entries become the columns.

    Returns
    -------
    DataFrame of shape (n_tables, n_arms)
        Index ``table``; arms in the order in which `results` first names them; NaN where a
        table has no run of an arm.

    Raises
    ------
    ValueError
        If a column is missing, `results` has no rows, or it mixes regimes or checkpoints: a
        median over runs of different kinds would describe none of them.
    """
    check_columns("results", results, ["table", by, value], allow_empty=False)
    check_one_kind(results, by=by)
    wide = results.groupby(["table", by], observed=True)[value].median().unstack(by)
    wide = wide.reindex(columns=[arm for arm in results[by].unique() if arm in wide.columns])
    wide.columns.name = by
    return wide


def check_one_kind(results: pd.DataFrame, *, by: str = "arm") -> None:
    """Raise a ``ValueError`` if runs of several regimes or checkpoints would be taken together."""
    for kind in _NEVER_MIXED:
        if kind in results.columns and kind != by and results[kind].nunique() > 1:
            raise ValueError(f"results mixes several values of {kind!r}: {list(results[kind].unique())}; select one")


def complete_tables(results: pd.DataFrame, *, value: str = "gain", by: str = "arm") -> pd.DataFrame:
    """`per_table` without the tables that lack an arm, since ranks and paired tests need all of them.

    Raises
    ------
    ValueError
        If no table has every arm, or a column is missing.
    """
    wide = per_table(results, value=value, by=by)
    complete = wide.dropna()
    if complete.empty:
        lacking = wide.isna().sum().idxmax()
        raise ValueError(f"no table has {value!r} for every arm; {lacking!r} is absent most often")
    return complete


def median_over_tables(results: pd.DataFrame, *, value: str = "gain", by: str = "arm") -> pd.DataFrame:
    """Median over tables of the median over each table's runs, with its spreads.

    Parameters
    ----------
    results, value, by :
        As for `per_table`.

    Returns
    -------
    DataFrame
        Index ``by`` (the arm); columns ``median``; ``std``, the standard deviation over tables
        of the per-table medians (what follows "±"); ``run_std``, the standard deviation over all runs;
        ``share_worse``, the share of runs below 0; ``n_tables``; ``n_runs``.

    Examples
    --------
    >>> runs = pd.DataFrame({"table": ["a", "a", "a", "b"], "arm": "causal", "gain": [0.0, 0.1, 0.5, 0.3]})
    >>> float(median_over_tables(runs).loc["causal", "median"])
    0.2
    """
    wide = per_table(results, value=value, by=by)
    runs = results.groupby(by, observed=True)[value]
    summary = pd.DataFrame(
        {
            "median": wide.median(),
            "std": wide.std(),
            "run_std": runs.std(),
            "share_worse": runs.apply(lambda values: float((values.dropna() < 0).mean())),
            "n_tables": wide.count(),
            "n_runs": runs.count(),
        }
    )
    return summary.reindex(wide.columns).rename_axis(by)


def bootstrap_interval(
    values,
    *,
    rng: np.random.Generator,
    statistic: Callable = np.median,
    n_resamples: int = 10_000,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Percentile bootstrap interval of a statistic over tables.

    Parameters
    ----------
    values : sequence of shape (n_tables,)
        One value for each table, such as a column of `per_table`. NaN are left out.
    rng : Generator
        Draws the resamples. The same state gives the same interval. The median needs none.
    statistic : callable
        Takes an array and the keyword ``axis``.
    n_resamples : int
        Number of resamples that are drawn for another statistic than `numpy.median`.
    confidence : float
        Coverage aimed at, between 0 and 1.

    Returns
    -------
    low, high : float
        Both NaN with fewer than two values, which say nothing about spread.

    Raises
    ------
    ValueError
        If `n_resamples` or `confidence` is out of range.

    Notes
    -----
    The percentile method, since the bias-corrected one breaks down for medians of few values. The median of a resample
    is one of few numbers, so an interval from drawn resamples would jump from one value to the next with the seed.
    Its distribution over all resamples has a formula, which is used here.

    References
    ----------
    J. S. Maritz, R. G. Jarrett: *A Note on Estimating the Variance of the Sample Median*, JASA 73, 1978. B. Efron:
    *Bootstrap Methods: Another Look at the Jackknife*, Annals of Statistics 7, 1979, section 3.

    Examples
    --------
    >>> bootstrap_interval([1, 2, 3, 4, 5, 6, 7, 8, 9], rng=np.random.default_rng(0))
    (2.0, 8.0)
    """
    from scipy.stats import bootstrap

    check_rng(rng)
    check_count("n_resamples", n_resamples)
    check_number("confidence", confidence, 0, 1, closed="neither")
    values = np.asarray(values, dtype=float)
    values = values[~np.isnan(values)]
    if len(values) < 2:
        return float("nan"), float("nan")
    if statistic is np.median and len(values) <= _MOST_EXACT:
        medians, chances = _list_medians(values)
        tail = (1 - confidence) / 2
        low, high = np.searchsorted(np.cumsum(chances), [tail, 1 - tail]).clip(max=len(medians) - 1)
        return float(medians[low]), float(medians[high])
    result = bootstrap(
        (values,),
        statistic,
        n_resamples=n_resamples,
        confidence_level=confidence,
        method="percentile",
        vectorized=True,
        rng=rng,
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def _list_medians(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The medians that resamples of some values can have, in order, and the chance of each."""
    from scipy.special import comb
    from scipy.stats import binom

    values, n = np.sort(values), len(values)
    half, places = (n + 1) // 2, np.arange(n + 1) / n
    # The half-th smallest of a resample is the i-th value or one before it if so many draws are.
    chances = np.diff(binom.sf(half - 1, n, places))
    if n % 2:
        return values, chances
    # The two in the middle are the i-th and a later, j-th value: half of the draws are up to i, the others from j on.
    powers = np.diff(places**half)
    apart = np.triu(comb(n, half) * np.outer(powers, powers[::-1]), 1)
    together = np.diag(chances - apart.sum(axis=1))
    means, joint = (values[:, None] + values) / 2, apart + together
    upper = np.triu_indices(n)
    order = np.argsort(means[upper], kind="stable")
    return means[upper][order], joint[upper][order]


def intervals_by_arm(
    results: pd.DataFrame,
    *,
    rng: np.random.Generator,
    value: str = "gain",
    by: str = "arm",
    n_resamples: int = 10_000,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """`median_over_tables` with the bootstrap interval of each median as columns ``low`` and ``high``.

    Up to 500 tables it is that of all resamples; beyond, every arm gets the same drawn ones, so that intervals differ
    by the arms' values alone.
    """
    check_rng(rng)
    summary = median_over_tables(results, value=value, by=by)
    wide = per_table(results, value=value, by=by)
    seed = int(rng.integers(2**63))
    bounds = [
        bootstrap_interval(wide[arm], rng=np.random.default_rng(seed), n_resamples=n_resamples, confidence=confidence)
        for arm in wide.columns
    ]
    return summary.assign(low=[low for low, _ in bounds], high=[high for _, high in bounds])


def average_ranks(results: pd.DataFrame, *, value: str = "gain", by: str = "arm") -> pd.Series:
    """Average rank of each arm over tables; rank 1 is the highest value on a table.

    Parameters
    ----------
    results, value, by :
        As for `per_table`. Higher values are better. Tables that lack an arm are left out.

    Returns
    -------
    Series
        Index: the arms, best first; name ``average_rank``. Equal values share the mean of their ranks, so the ranks
        of k arms always average (k + 1) / 2.

    Raises
    ------
    ValueError
        If no table has every arm, or a column is missing.

    Examples
    --------
    >>> runs = pd.DataFrame({"table": ["a", "a"], "arm": ["causal", "default"], "gain": [0.2, 0.1]})
    >>> average_ranks(runs).to_dict()
    {'causal': 1.0, 'default': 2.0}
    """
    ranks = complete_tables(results, value=value, by=by).rank(axis=1, ascending=False)
    return ranks.mean().sort_values(kind="stable").rename("average_rank")
