"""Numbers of the paper's abstract that no rule judges, and what they are here: two spreads, and a gap."""

from __future__ import annotations

import numpy as np
import pandas as pd

from causalmix_utils.evaluation.claims.evidence import LEVEL, Bootstrap, compare_pair, pair_splits, wide_per_table
from causalmix_utils.evaluation.claims.findings import METHOD, REAL_ROWS
from causalmix_utils.evaluation.claims.grid import PlannedGrid
from causalmix_utils.evaluation.claims.selection import select_runs

CLAIMED_SPREADS = {REAL_ROWS: 0.98, METHOD: 0.63}
"""What stands behind ± in claims 1 and 2. The rules judge their ratio alone."""

CLAIMED_GAPS = {REAL_ROWS: 0.67, METHOD: 0.30}
"""The median validation–test performance correlation gaps of the abstract, which is none of the nine claims."""

GAPS = ("tracking_gap", "optimism_gap")
"""Two readings of that gap; see `causalmix_utils.evaluation.add_gaps`."""


def measure_spreads(
    results: pd.DataFrame,
    *,
    regime: int | None = None,
    grid: PlannedGrid | None = None,
    rng: np.random.Generator | None = None,
    n_resamples: int = 10_000,
) -> pd.DataFrame:
    """How much the normalised gains of claim 2's arms spread, beside the spreads that the paper reports.

    Parameters
    ----------
    results, regime, grid, rng, n_resamples :
        As for `judge_claims`.

    Returns
    -------
    DataFrame
        One row for each arm: ``claimed``; ``over_tables``, the standard deviation over tables of per-table medians,
        with the ends ``low`` and ``high`` of its bootstrap interval, NaN where there are fewer than two tables;
        ``over_runs``, the standard deviation over all runs.

    Raises
    ------
    ValueError
        As `judge_claims`.
    """
    bootstrap = Bootstrap.from_rng(rng, n_resamples)
    chosen = select_runs(results if grid is None else grid.pick(results), regime=regime)
    runs = pair_splits(chosen, arms=list(CLAIMED_SPREADS), value="gain")
    wide = wide_per_table(runs, arms=list(CLAIMED_SPREADS), value="gain").dropna()
    rows = {}
    for arm, claimed in CLAIMED_SPREADS.items():
        row = dict.fromkeys(("over_tables", "low", "high"), float("nan"))
        gains = wide[arm].to_numpy(dtype=float)
        if len(gains) > 1:
            row["over_tables"] = float(_spread(gains))
            row["low"], row["high"] = bootstrap.interval(gains, _spread, LEVEL)
        of_arm = runs.loc[runs["arm"] == arm, "gain"]
        rows[arm] = {"claimed": claimed, **row, "over_runs": float(of_arm.std())}
    return pd.DataFrame(rows).T.rename_axis("arm")


def measure_gaps(
    results: pd.DataFrame,
    *,
    regime: int | None = None,
    grid: PlannedGrid | None = None,
    rng: np.random.Generator | None = None,
    n_resamples: int = 10_000,
) -> pd.DataFrame:
    """The two gaps between validation and test of CausalMixFT and of default fine-tuning, and their difference.

    Parameters
    ----------
    results, regime, grid, rng, n_resamples :
        As for `judge_claims`; runs carry the columns of `GAPS`.

    Returns
    -------
    DataFrame
        One row for each gap, smaller being better: the medians over tables of both arms, named after these;
        ``difference``, the median over tables of the causal arm minus the other, with the ends ``low`` and ``high`` of
        its interval; ``n_tables``. Gaps that no split has for both arms are left out.

    Raises
    ------
    ValueError
        As `judge_claims`.
    """
    bootstrap = Bootstrap.from_rng(rng, n_resamples)
    chosen = select_runs(results if grid is None else grid.pick(results), regime=regime)
    rows = {}
    for gap in GAPS:
        if gap not in chosen or chosen[gap].isna().all():
            continue
        found = compare_pair(chosen, METHOD, REAL_ROWS, value=gap, bootstrap=bootstrap)
        if not found.n_tables:
            continue
        wide = wide_per_table(pair_splits(chosen, arms=list(CLAIMED_GAPS), value=gap), arms=[*CLAIMED_GAPS], value=gap)
        rows[gap] = {
            **wide.median(),
            "difference": found.estimate,
            "low": found.low,
            "high": found.high,
            "n_tables": found.n_tables,
        }
    columns = [*CLAIMED_GAPS, "difference", "low", "high", "n_tables"]
    return pd.DataFrame(rows, index=columns).T.rename_axis("gap")


def _spread(values: np.ndarray, *, axis: int = 0) -> np.ndarray:
    return np.std(values, axis=axis, ddof=1)
