"""Numbers of the paper's abstract that no rule judges, and what they are here: two spreads, and a gap."""

from __future__ import annotations

import numpy as np
import pandas as pd

from causalmix_utils.evaluation.claims.evidence import LEVEL, Bootstrap, compare_pair, pair_splits, wide_per_table
from causalmix_utils.evaluation.claims.findings import METHOD, REAL_ROWS

CLAIMED_SPREADS = {REAL_ROWS: 0.98, METHOD: 0.63}
"""What stands behind ± in claims 1 and 2. The rules judge their ratio alone."""

CLAIMED_GAPS = {REAL_ROWS: 0.67, METHOD: 0.30}
"""The median validation–test performance correlation gaps of the abstract, which is none of the nine claims."""

GAPS = ("tracking_gap", "optimism_gap")
"""Two readings of that gap; see `causalmix_utils.evaluation.add_gaps`."""


def measure_spreads(results: pd.DataFrame, *, bootstrap: Bootstrap) -> pd.DataFrame:
    """How much the normalised gains of claim 2's arms spread, beside the spreads that the paper reports.

    Parameters
    ----------
    results : DataFrame
        Runs of one regime and checkpoint with gains, as from `select_runs`.
    bootstrap : Bootstrap

    Returns
    -------
    DataFrame
        One row for each arm: ``claimed``; ``over_tables``, the standard deviation over tables of per-table medians,
        with the ends ``low`` and ``high`` of its bootstrap interval, NaN where there are fewer than two tables;
        ``over_runs``, the standard deviation over all runs.
    """
    runs = pair_splits(results, arms=list(CLAIMED_SPREADS), value="gain")
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


def measure_gaps(results: pd.DataFrame, *, bootstrap: Bootstrap) -> pd.DataFrame:
    """The two gaps between validation and test of CausalMixFT and of default fine-tuning, and their difference.

    Parameters
    ----------
    results : DataFrame
        As for `measure_spreads`, with the columns of `GAPS` that there are.
    bootstrap : Bootstrap

    Returns
    -------
    DataFrame
        One row for each gap, smaller being better: the medians over tables of both arms, named after these;
        ``difference``, the median over tables of the causal arm minus the other, with the ends ``low`` and ``high`` of
        its interval; ``n_tables``. Gaps that no split has for both arms are left out.
    """
    rows = {}
    for gap in [gap for gap in GAPS if gap in results]:
        runs = pair_splits(results, arms=list(CLAIMED_GAPS), value=gap)
        if runs.empty:
            continue
        found = compare_pair(runs, METHOD, REAL_ROWS, value=gap, bootstrap=bootstrap)
        rows[gap] = {
            **wide_per_table(runs, arms=list(CLAIMED_GAPS), value=gap).median(),
            "difference": found.estimate,
            "low": found.low,
            "high": found.high,
            "n_tables": found.n_tables,
        }
    columns = [*CLAIMED_GAPS, "difference", "low", "high", "n_tables"]
    return pd.DataFrame(rows, index=columns).T.rename_axis("gap")


def _spread(values: np.ndarray, *, axis: int = 0) -> np.ndarray:
    return np.std(values, axis=axis, ddof=1)
