"""Are the differences between arms larger than chance? Tests over tables, from libraries.

The tests follow Demšar, *Statistical Comparisons of Classifiers over Multiple Data Sets*
(JMLR 7, 2006): Friedman's test over all arms, Nemenyi's critical difference for the ranks, and
Wilcoxon's signed-rank test for pairs, here with Holm's correction.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_count, check_number, check_rng
from causalmix_utils.evaluation.gains import ZERO_SHOT_ARM
from causalmix_utils.evaluation.summaries import (
    average_ranks,
    bootstrap_interval,
    complete_tables,
    intervals_by_arm,
    per_table,
)


def compare_arms(
    results: pd.DataFrame,
    *,
    baseline: str = "default",
    value: str = "gain",
    rng: np.random.Generator | None = None,
    n_resamples: int = 10_000,
) -> pd.DataFrame:
    """Compare each arm with one baseline, table by table.

    Parameters
    ----------
    results : DataFrame
        One row for each run; see `causalmix_utils.evaluation`.
    baseline : str
        The arm that all others are compared with.
    value : str
        The column to compare; higher is better.
    rng : Generator, optional
        Needed only for more than 500 tables, whose resamples are drawn; see `bootstrap_interval`. By default one
        seeded with 0.
    n_resamples : int
        Of more than 500 tables.

    Returns
    -------
    DataFrame
        Index ``arm``, without the baseline, and without zero-shot, which is no method of fine-tuning, unless it is the
        baseline; columns ``median_difference`` (median over tables of arm minus baseline),
        ``low`` and ``high`` (its 95 % bootstrap interval, NaN for a single table),
        ``wins``, ``losses``, ``ties`` (tables), ``n_tables``, ``statistic`` and ``p_value``
        (Wilcoxon signed-rank, two-sided, zero differences dropped), and ``p_holm`` (Holm's correction over the arms).
        With no table that differs, the p-value is 1.

    Raises
    ------
    ValueError
        If the baseline has no runs, no other arm has any, or a column is missing.
    """
    rng = check_rng(rng, default_seed=0)
    if baseline != ZERO_SHOT_ARM:
        results = results[results["arm"] != ZERO_SHOT_ARM]
    differences = _subtract_medians(results, baseline=baseline, value=value)
    seed = int(rng.integers(2**63))
    bounds = [
        bootstrap_interval(differences[arm], rng=np.random.default_rng(seed), n_resamples=n_resamples)
        for arm in differences.columns
    ]
    tested = _test_differences(differences)
    tested.insert(1, "low", [low for low, _ in bounds])
    tested.insert(2, "high", [high for _, high in bounds])
    return tested


def summarise_arms(
    results: pd.DataFrame,
    *,
    value: str = "gain",
    baseline: str = "default",
    rng: np.random.Generator | None = None,
) -> pd.DataFrame:
    """One line for each arm: all that a report says about it.

    Parameters
    ----------
    results : DataFrame
        One row for each run; see `causalmix_utils.evaluation`.
    value : str
        The column to summarise; higher is better.
    baseline : str
        The arm that `compare_arms` compares with.
    rng : Generator, optional
        As for `compare_arms`.

    Returns
    -------
    DataFrame
        The columns of `intervals_by_arm`, ``average_rank`` (among all arms but zero-shot), and ``p_holm``
        from `compare_arms`. The last two are NaN where they are not defined, as for zero-shot or the baseline.

    Raises
    ------
    ValueError
        If a column is missing or `results` has no rows.
    """
    rng = check_rng(rng, default_seed=0)
    summary = intervals_by_arm(results, value=value, rng=rng)
    fine_tuned = results[results["arm"] != ZERO_SHOT_ARM]
    compared = results if baseline == ZERO_SHOT_ARM else fine_tuned
    summary["average_rank"] = summary["p_holm"] = np.nan
    if not per_table(results, value=value).drop(columns=ZERO_SHOT_ARM, errors="ignore").dropna().empty:
        summary["average_rank"] = average_ranks(fine_tuned, value=value)
    if baseline in summary.index and compared["arm"].nunique() > 1:
        summary["p_holm"] = _test_differences(_subtract_medians(compared, baseline=baseline, value=value))["p_holm"]
    return summary


def friedman_test(results: pd.DataFrame, *, value: str = "gain") -> dict[str, float]:
    """Friedman's test that all arms rank alike, over the tables that have every arm.

    Returns
    -------
    dict
        ``statistic`` (chi-squared), ``p_value``, ``n_tables``, ``n_arms``. The first two are NaN
        where all arms tie on every table.

    Raises
    ------
    ValueError
        With fewer than three arms or two tables, for which the test is not defined.
    """
    from scipy.stats import friedmanchisquare

    wide = complete_tables(results, value=value)
    n_tables, n_arms = wide.shape
    if n_arms < 3 or n_tables < 2:
        raise ValueError(f"Friedman's test needs at least 3 arms and 2 tables, got {n_arms} and {n_tables}")
    if (wide.nunique(axis=1) == 1).all():
        return {"statistic": float("nan"), "p_value": float("nan"), "n_tables": n_tables, "n_arms": n_arms}
    test = friedmanchisquare(*[wide[arm] for arm in wide.columns])
    return {
        "statistic": float(test.statistic),
        "p_value": float(test.pvalue),
        "n_tables": n_tables,
        "n_arms": n_arms,
    }


def critical_difference(n_arms: int, n_tables: int, *, alpha: float = 0.05) -> float:
    """Smallest difference between two average ranks that Nemenyi's test calls significant.

    ``q * sqrt(k (k + 1) / (6 N))`` for k arms and N tables, q the upper quantile of the
    studentized range with infinite degrees of freedom, divided by √2 (Demšar 2006, section 3.2.2).

    Raises
    ------
    ValueError
        If `n_arms` is below 2, `n_tables` below 1, or `alpha` not between 0 and 1.

    Examples
    --------
    >>> round(critical_difference(4, 14), 2)
    1.25
    """
    from scipy.stats import studentized_range

    check_count("n_arms", n_arms, minimum=2)
    check_count("n_tables", n_tables)
    check_number("alpha", alpha, 0, 1, closed="neither")
    quantile = studentized_range.ppf(1 - alpha, n_arms, np.inf) / np.sqrt(2)
    return float(quantile * np.sqrt(n_arms * (n_arms + 1) / (6 * n_tables)))


def nemenyi_p_values(results: pd.DataFrame, *, value: str = "gain") -> pd.DataFrame:
    """P-value of Nemenyi's test for each pair of arms, over the tables that have every arm.

    Returns
    -------
    DataFrame of shape (n_arms, n_arms)
        Symmetric, ones on the diagonal.
    """
    import scikit_posthocs

    wide = complete_tables(results, value=value)
    p_values = scikit_posthocs.posthoc_nemenyi_friedman(wide.to_numpy())
    return pd.DataFrame(p_values.to_numpy(), index=wide.columns, columns=wide.columns)


def _subtract_medians(results: pd.DataFrame, *, baseline: str, value: str) -> pd.DataFrame:
    """Per-table medians of each arm minus those of the baseline, whose column is left out."""
    wide = per_table(results, value=value)
    if baseline not in wide.columns:
        raise ValueError(f"baseline={baseline!r} has no runs; the arms are {list(wide.columns)}")
    others = [arm for arm in wide.columns if arm != baseline]
    if not others:
        raise ValueError(f"results holds no arm besides the baseline {baseline!r}")
    return wide[others].sub(wide[baseline], axis=0)


def _test_differences(differences: pd.DataFrame) -> pd.DataFrame:
    """Wilcoxon's test of each column, with Holm's correction over the columns."""
    from statsmodels.stats.multitest import multipletests

    index = pd.Index(differences.columns, name="arm")
    rows = pd.DataFrame([_compare_pair(differences[arm]) for arm in differences.columns], index=index)
    testable = rows["p_value"].notna()
    rows["p_holm"] = np.nan
    if testable.any():
        rows.loc[testable, "p_holm"] = multipletests(rows.loc[testable, "p_value"], method="holm")[1]
    return rows


def _compare_pair(difference: pd.Series) -> dict[str, float]:
    from scipy.stats import wilcoxon

    difference = difference.dropna().to_numpy()
    row = {
        "median_difference": float(np.median(difference)) if len(difference) else float("nan"),
        "wins": int((difference > 0).sum()),
        "losses": int((difference < 0).sum()),
        "ties": int((difference == 0).sum()),
        "n_tables": len(difference),
        "statistic": float("nan"),
        "p_value": float("nan"),
    }
    if len(difference) and not difference.any():
        row["p_value"] = 1.0
    elif len(difference):
        test = wilcoxon(difference, zero_method="wilcox", alternative="two-sided")
        row.update(statistic=float(test.statistic), p_value=float(test.pvalue))
    return row
