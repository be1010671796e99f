"""How much of a difference between two arms is luck: the noise floor, and the spread within and between tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from causalmix_utils.evaluation.summaries import check_one_kind

_RUN = ["checkpoint", "regime", "table", "split", "seed"]


def subtract_baseline(results: pd.DataFrame, *, values: list[str], baseline: str = "default") -> pd.DataFrame:
    """Each run's values minus those of the baseline's run on the same table, split and seed.

    `compare_arms` takes the median over a table's splits of each arm and then the difference; on this function's result
    it takes the difference split by split and then the median.

    Parameters
    ----------
    results : DataFrame
        One row for each run; see `causalmix_utils.evaluation`.
    values : list of str
        Columns to change.
    baseline : str
        The arm to subtract.

    Returns
    -------
    DataFrame
        A copy; NaN where the baseline has no such run, and 0 for the baseline itself.

    Raises
    ------
    ValueError
        If the baseline has no runs or more than one on a table, split and seed.

    Examples
    --------
    >>> runs = pd.DataFrame({"table": "a", "split": [0, 0], "arm": ["default", "causal"], "gain": [0.25, 0.75]})
    >>> subtract_baseline(runs, values=["gain"])["gain"].tolist()
    [0.0, 0.5]
    """
    keys = [key for key in _RUN if key in results.columns]
    of_baseline = results.loc[results["arm"] == baseline, [*keys, *values]]
    if of_baseline.empty:
        raise ValueError(f"baseline={baseline!r} has no runs; the arms are {list(results['arm'].unique())}")
    twice = of_baseline.duplicated(keys)
    if twice.any():
        raise ValueError(
            f"baseline={baseline!r} has more than one run for {of_baseline[twice].iloc[0][keys].to_dict()}"
        )
    matched = results[keys].merge(of_baseline, on=keys, how="left")
    return results.assign(**{value: results[value] - matched[value].to_numpy() for value in values})


def noise_floor(
    results: pd.DataFrame, *, value: str = "gain_points", arm: str = "default", again: str = "default_again"
) -> dict[str, float]:
    """How far two arms that differ by their seed alone are apart.

    Parameters
    ----------
    results : DataFrame
        One row for each run; see `causalmix_utils.evaluation`.
    value : str
        The column to look at.
    arm, again : str
        The same method with two seeds.

    Returns
    -------
    dict
        ``run_std``, the standard deviation of one run that its seed causes (root mean square of the differences over
        runs, divided by √2); ``typical`` and ``largest``, the median and the maximum over tables of the absolute
        difference of the per-table medians; ``n_tables``; ``n_runs``, the pairs of runs.

    Raises
    ------
    ValueError
        If one of the two arms has no runs, or runs of several regimes or checkpoints are given.

    Examples
    --------
    >>> runs = pd.DataFrame({"table": list("aabb"), "split": 0, "arm": ["default", "default_again"] * 2})
    >>> floor = noise_floor(runs.assign(gain_points=[0.0, 1.0, 0.0, -3.0]))
    >>> floor["typical"], floor["largest"]
    (2.0, 3.0)
    """
    results = results.reset_index(drop=True)
    pair = _pair(results, arm=again, baseline=arm, value=value)
    both = pd.DataFrame({"table": pair["table"], again: results.loc[pair.index, value]})
    of_tables = both.assign(**{arm: both[again] - pair[value]}).groupby("table").median()
    apart = (of_tables[again] - of_tables[arm]).abs()
    return {
        "run_std": float(np.sqrt((pair[value] ** 2).mean() / 2)),
        "typical": float(apart.median()),
        "largest": float(apart.max()),
        "n_tables": len(apart),
        "n_runs": len(pair),
    }


def spread_of_differences(
    results: pd.DataFrame, *, arm: str, baseline: str = "default", value: str = "gain_points"
) -> dict[str, float]:
    """What makes the differences between two arms vary: the splits of a table, or the tables themselves.

    The mean over k splits of a table varies over tables with the variance ``between² + within² / k``: more splits
    shrink the second part only, more tables help against both.

    Parameters
    ----------
    results : DataFrame
        One row for each run; see `causalmix_utils.evaluation`.
    arm, baseline : str
        The arms to compare, split by split.
    value : str
        The column to look at.

    Returns
    -------
    dict
        ``between``, the standard deviation of the true differences over tables; ``within``, that of a single
        split around its table's true difference; ``n_tables``; ``n_splits`` of a table, the harmonic mean. By the
        method of moments, where a variance that comes out negative is 0. The first two are NaN for a single table or if
        no table has two splits.

    Raises
    ------
    ValueError
        If one of the two arms has no runs, or runs of several regimes or checkpoints are given.

    References
    ----------
    Searle, Casella, McCulloch: *Variance Components*, Wiley 1992, chapter 3.

    Examples
    --------
    >>> gains = [0.0, 1.0, 0.0, 3.0, 0.0, 6.0, 0.0, 8.0]
    >>> runs = pd.DataFrame({"table": list("aaaabbbb"), "split": [0, 0, 1, 1] * 2, "arm": ["default", "causal"] * 4})
    >>> spread = spread_of_differences(runs.assign(gain_points=gains), arm="causal")
    >>> round(spread["between"], 2), round(spread["within"], 2)
    (3.39, 1.41)
    """
    differences = _pair(results, arm=arm, baseline=baseline, value=value).groupby("table")[value]
    counts, n_tables = differences.count(), differences.ngroups
    n_splits = float(1 / (1 / counts).mean())
    degrees = int((counts - 1).sum())
    if n_tables < 2 or degrees == 0:
        between = within = float("nan")
    else:
        within_variance = float((differences.var().fillna(0.0) * (counts - 1)).sum() / degrees)
        between_variance = float(differences.mean().var()) - within_variance / n_splits
        between, within = float(np.sqrt(max(0.0, between_variance))), float(np.sqrt(within_variance))
    return {"between": between, "within": within, "n_tables": n_tables, "n_splits": n_splits}


def _pair(results: pd.DataFrame, *, arm: str, baseline: str, value: str) -> pd.DataFrame:
    """The runs of one arm minus those of another, without runs that lack their partner."""
    check_one_kind(results)
    both = results[results["arm"].isin([arm, baseline])]
    pair = subtract_baseline(both, values=[value], baseline=baseline)
    pair = pair[pair["arm"] == arm].dropna(subset=[value])
    if pair.empty:
        raise ValueError(f"arm={arm!r} has no runs beside those of {baseline!r}; arms: {list(results['arm'].unique())}")
    return pair
