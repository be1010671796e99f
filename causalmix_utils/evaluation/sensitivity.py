"""Would another choice of tables, metric or step have told another story? The main comparison, repeated in variants.

A benchmark's answer rests on choices that could have been made otherwise. Here the comparison of every arm with
default fine-tuning is made again under each of them, with the same statistics: every table counts once, intervals come
from resampling tables, Wilcoxon's test is corrected by Holm's method over the arms *within* a variant. It is not
corrected over variants: they are no further chances to find something, since none may replace the main comparison.

1. `causalmix_utils.evaluation.variants.make_variants` makes a table of runs for each variant;
2. `compare_variants` compares arms in each of them, `rank_variants` ranks them;
3. `summarise_variants` says over how wide a range the answers lie.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_rng
from causalmix_utils.evaluation.comparisons import compare_arms, critical_difference, friedman_test
from causalmix_utils.evaluation.summaries import average_ranks, per_table

_VALUES = ("gain_points", "log_loss_gain")


def compare_variants(
    variants: Mapping[str, pd.DataFrame],
    *,
    values: Sequence[str] = _VALUES,
    baseline: str = "default",
    rng: np.random.Generator | None = None,
    n_resamples: int = 10_000,
) -> pd.DataFrame:
    """`compare_arms` for each variant and metric.

    Parameters
    ----------
    variants : mapping of str to DataFrame
        See `make_variants`.
    values : sequence of str
        Columns to compare; higher is better.
    baseline : str
        The arm that all others are compared with.
    rng : Generator, optional
        As for `compare_arms`.
    n_resamples : int
        Of more than 500 tables.

    Returns
    -------
    DataFrame
        Columns ``variant``, ``value``, ``arm``, and those of `compare_arms`. A variant in which no arm can be compared
        with the baseline has no rows.

    Raises
    ------
    ValueError
        If that holds for all variants.
    """
    seed = int(check_rng(rng, default_seed=0).integers(2**63))
    parts = []
    for variant, runs in variants.items():
        for value in values if baseline in set(runs["arm"]) and runs["arm"].nunique() > 1 else ():
            compared = compare_arms(
                runs, baseline=baseline, value=value, rng=np.random.default_rng(seed), n_resamples=n_resamples
            )
            parts.append(compared[compared["n_tables"] > 0].reset_index().assign(variant=variant, value=value))
    if not parts:
        raise ValueError(f"variants holds no runs of baseline={baseline!r} and another arm")
    table = pd.concat(parts, ignore_index=True)
    first = ["variant", "value", "arm"]
    return table[[*first, *(column for column in table.columns if column not in first)]]


def rank_variants(
    variants: Mapping[str, pd.DataFrame], *, values: Sequence[str] = _VALUES, alpha: float = 0.05
) -> pd.DataFrame:
    """Average ranks, Friedman's test and the critical difference in each variant, over the tables with every arm.

    Parameters
    ----------
    variants, values :
        As for `compare_variants`.
    alpha : float
        Level of the critical difference.

    Returns
    -------
    DataFrame
        Index ``variant`` and ``value``; columns ``n_tables``, ``statistic``, ``p_value``, ``critical_difference``, and
        one for each arm with its average rank. NaN where a variant has fewer than two tables or three arms.
    """
    rows = {}
    for variant, runs in variants.items():
        for value in values:
            wide = per_table(runs, value=value).dropna() if len(runs) else pd.DataFrame()
            row: dict[str, float] = {"n_tables": len(wide)}
            row |= dict.fromkeys(("statistic", "p_value", "critical_difference"), np.nan)
            if len(wide) >= 2 and wide.shape[1] >= 3:
                test = friedman_test(runs, value=value)
                row |= {"statistic": test["statistic"], "p_value": test["p_value"]}
                row["critical_difference"] = critical_difference(wide.shape[1], len(wide), alpha=alpha)
                row |= average_ranks(runs, value=value).to_dict()
            rows[variant, value] = row
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index = pd.MultiIndex.from_tuples(rows, names=["variant", "value"])
    return table


def summarise_variants(compared: pd.DataFrame, *, alpha: float = 0.05, least_tables: int = 6) -> pd.DataFrame:
    """Over how wide a range the answers of the variants lie, one row for each metric and arm.

    Parameters
    ----------
    compared : DataFrame
        See `compare_variants`.
    alpha : float
        Level that ``p_holm`` is held against.
    least_tables : int
        With fewer tables a variant's interval is not judged, since a bootstrap of so few values is too narrow; 6 is
        the fewest with which Wilcoxon's test can be significant at 0.05.

    Returns
    -------
    DataFrame
        Index ``value`` and ``arm``; columns ``n_variants``; ``smallest`` and ``largest`` median difference, and
        ``same_sign``, whether no two have opposite signs; ``n_judged``, the variants with enough tables, and of them
        ``n_above`` and ``n_below``, whose interval lies above or below zero, and ``n_significant``.
    """
    judged = compared["n_tables"] >= least_tables
    marked = compared.assign(
        judged=judged,
        above=judged & (compared["low"] > 0),
        below=judged & (compared["high"] < 0),
        significant=judged & (compared["p_holm"] <= alpha),
    )
    table = marked.groupby(["value", "arm"], sort=False).agg(
        n_variants=("variant", "nunique"),
        smallest=("median_difference", "min"),
        largest=("median_difference", "max"),
        n_judged=("judged", "sum"),
        n_above=("above", "sum"),
        n_below=("below", "sum"),
        n_significant=("significant", "sum"),
    )
    return table.assign(same_sign=table["smallest"] * table["largest"] >= 0)
