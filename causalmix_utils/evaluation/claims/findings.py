"""Claims 1 to 3: findings, which a benchmark can reproduce or not. The rules were written before the results."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from causalmix_utils.evaluation.claims.evidence import (
    CONTRADICTED,
    FEWEST_TABLES,
    HOLDS,
    LEVEL,
    UNTOLD,
    Bootstrap,
    Comparison,
    Part,
    compare_over_tables,
    compare_pair,
    pair_splits,
    wide_per_table,
)

METHOD, REAL_ROWS = "causal", "default"
STATISTICAL_ARMS = ("ctgan", "tabebm", "table_augment")
PUBLISHED = (METHOD, REAL_ROWS, *STATISTICAL_ARMS)
"""The arms of the published comparison."""

CLAIMED_GAIN = (0.12, 0.115, 0.125)
"""Claim 1's median normalised gain, and the numbers that are rounded to it."""

CLAIMED_RATIO = (0.98 / 0.63, 0.975 / 0.635, 0.985 / 0.625)
"""Claim 2's spreads, one divided by the other."""


def judge_highest_gain(results: pd.DataFrame, *, value: str = "gain", bootstrap: Bootstrap) -> list[Part]:
    """Claim 1: CausalMixFT has the highest median improvement over the pre-trained model, +0.12 ± 0.63.

    Parameters
    ----------
    results : DataFrame
        Runs of one regime and checkpoint with gains; see `add_gains`.
    value : str
        Higher is better. The claimed size is judged for ``gain`` alone, the claim's own scale.
    bootstrap : Bootstrap

    Returns
    -------
    list of Part
        First, the causal arm's median gain over tables is above zero. Second, the median over tables of causal minus
        each other published arm is above zero. Third, the interval of the median gain contains the claimed size and not
        zero.
    """
    runs = pair_splits(results, arms=[METHOD], value=value)
    gains = wide_per_table(runs, arms=[METHOD], value=value)[METHOD]
    options = {"arms": (METHOD, ""), "value": value, "bootstrap": bootstrap, "what": "median gain"}
    others = [arm for arm in PUBLISHED if arm != METHOD]
    parts = [
        Part("fine-tuning on the causal mix gains over zero-shot", (compare_over_tables(runs, gains, **options),)),
        Part(
            "it gains more than every other published arm",
            tuple(
                compare_pair(results, METHOD, arm, value=value, bootstrap=bootstrap, n_beside=len(others))
                for arm in others
            ),
        ),
    ]
    if value == "gain":
        sized = compare_over_tables(runs, gains, claimed=CLAIMED_GAIN, **options)
        parts.append(Part("the median gain is of the claimed size", (sized,)))
    return parts


def judge_spread(results: pd.DataFrame, *, value: str = "gain", bootstrap: Bootstrap) -> list[Part]:
    """Claim 2: default fine-tuning varies by ± 0.98, CausalMixFT by ± 0.63.

    Parameters
    ----------
    results, value, bootstrap :
        As for `judge_highest_gain`.

    Returns
    -------
    list of Part
        First, the standard deviation over tables of the per-table medians is larger for default fine-tuning: the
        ratio's interval is above 1. Second, so is the spread between the splits of one table, the other reading of
        "stable": the median over tables of the difference of the standard deviations is above zero. Third, the
        ratio's interval contains the claimed ratio and not 1.
    """
    arms = (REAL_ROWS, METHOD)
    runs = pair_splits(results, arms=arms, value=value)
    wide = wide_per_table(runs, arms=arms, value=value)
    options = {"arms": arms, "value": value, "bootstrap": bootstrap}
    ratio = options | {
        "what": "ratio of the spreads over tables",
        "kind": "ratio",
        "statistic": ratio_of_spreads,
        "null": 1.0,
    }
    parts = [
        Part("default fine-tuning's gains spread more over tables", (compare_over_tables(runs, wide, **ratio),)),
        Part(
            "they spread more over the splits of one table",
            (
                compare_over_tables(
                    runs, _spread_within(runs, value), what="median difference of the spreads over splits", **options
                ),
            ),
        ),
    ]
    if value == "gain":
        sized = compare_over_tables(runs, wide, claimed=CLAIMED_RATIO, **ratio)
        parts.append(Part("the ratio is of the claimed size", (sized,)))
    return parts


def judge_ranks(results: pd.DataFrame, *, value: str = "gain", bootstrap: Bootstrap) -> list[Part]:
    """Claim 3: CausalMixFT ranks first on average, default fine-tuning second, statistical generators behind.

    Parameters
    ----------
    results, value, bootstrap :
        As for `judge_highest_gain`.

    Returns
    -------
    list of Part
        Each compares mean ranks among the five published arms, on the tables that have all of them: first causal
        before default, second default before each statistical generator, third causal before each of these. An arm
        is before another if the interval of the mean difference of their ranks is above zero.
    """
    runs = pair_splits(results, arms=PUBLISHED, value=value)
    ranks = wide_per_table(runs, arms=PUBLISHED, value=value).rank(axis=1, ascending=False)

    def before(arm: str, others: Sequence[str]) -> tuple[Comparison, ...]:
        return tuple(
            compare_over_tables(
                runs,
                ranks[other] - ranks[arm],
                what="difference of the average ranks",
                kind="ranks",
                arms=(arm, other),
                value=value,
                statistic=np.mean,
                bootstrap=bootstrap,
                n_beside=len(others),
            )
            for other in others
        )

    return [
        Part("CausalMixFT ranks before default fine-tuning", before(METHOD, [REAL_ROWS])),
        Part("default fine-tuning ranks before every statistical generator", before(REAL_ROWS, STATISTICAL_ARMS)),
        Part("CausalMixFT ranks before every statistical generator", before(METHOD, STATISTICAL_ARMS)),
    ]


FINDINGS: dict[int, Callable[..., list[Part]]] = {1: judge_highest_gain, 2: judge_spread, 3: judge_ranks}
"""The rule of each finding by the claim's number."""


def ratio_of_spreads(values: np.ndarray, *, axis: int = 0) -> np.ndarray:
    """Standard deviation of the first column divided by that of the second.

    Parameters
    ----------
    values : array of shape (…, n_tables, 2)
    axis : int
        The axis of the tables.

    Returns
    -------
    array
        Infinite where the second column alone does not vary, NaN where neither does.
    """
    spreads = np.std(values, axis=axis, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return spreads[..., 0] / spreads[..., 1]


def describe_change(parts: Sequence[Part], *, complete: bool = True) -> str:
    """What would change a finding's verdict: what is missing or open, how fine the comparison is, on whom it hangs."""
    sentences = [] if complete else ["The runs of the grid that are missing."]
    if min(comparison.n_tables for part in parts for comparison in part.comparisons) < FEWEST_TABLES:
        sentences.append(
            f"At least {FEWEST_TABLES} tables in every comparison, with two splits or more where splits are compared: "
            "fewer can't tell any difference."
        )
    undecided = [part for part in parts if part.status not in (HOLDS, CONTRADICTED)]
    if undecided:
        widest: dict[str, float] = {}
        for comparison in (comparison for part in undecided for comparison in part.comparisons):
            if comparison.status == UNTOLD and np.isfinite(width := (comparison.high - comparison.low) / 2):
                widest[comparison.what] = max(width, widest.get(comparison.what, 0.0))
        reach = ", ".join(f"± {width:.2g} ({what})" for what, width in widest.items())
        open_parts = f"the open parts ({len(undecided)} of {len(parts)})"
        sentences.append(f"More tables, for {open_parts}{f': intervals reach up to {reach}' if reach else ''}.")
    judged = [c for part in parts for c in part.comparisons if c.claimed is None]
    fragile = [c for c in judged if (c.without_one[0] - c.null) * (c.without_one[1] - c.null) < 0]
    if fragile:
        sentences.append(
            f"One table: in {len(fragile)} of {len(judged)} comparisons the direction depends on a single table."
        )
    decided = [part for part in parts if part not in undecided]
    if decided:
        sentences.append(
            f"Tables of another kind: intervals at {100 * (1 - LEVEL):.0f} % speak of tables drawn like these."
        )
    sentences.append("Another checkpoint: every gain is one over this model.")
    return " ".join(sentences)


def _spread_within(runs: pd.DataFrame, value: str) -> pd.Series:
    """For each table, how much more default fine-tuning varies over the table's splits than the causal arm."""
    if runs.empty:
        return pd.Series(dtype=float)
    spread = runs.groupby(["table", "arm"], observed=True)[value].std().unstack("arm")
    return spread[REAL_ROWS] - spread[METHOD]
