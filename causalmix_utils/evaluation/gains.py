"""What every run of a benchmark gained over the model it started from, and how far validation misled it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_columns
from causalmix_utils.metrics import gain_in_points, normalised_gain

ZERO_SHOT_ARM = "zero_shot"
"""The arm whose metrics all gains are measured from."""

_RUN_OF_BASELINE = ["checkpoint", "regime", "table", "split"]
_AUCS = ["validation_auc", "test_auc"]
_ADDED = ("zero_shot_auc", "zero_shot_log_loss", "gain", "gain_points", "log_loss_gain")


def min_max_score(results: pd.DataFrame, *, value: str = "auc") -> pd.Series:
    """Each run's value between the worst arm (0) and the best arm (1) of its table and split.

    A usual normalisation, shown for comparison and not used for any result of this book: it hides whether the worst
    arm lost or gained anything, and an arm's score changes when another arm is added or left out.

    Parameters
    ----------
    results : DataFrame
        One row for each run, with ``table``, ``split``, and ``regime``, ``checkpoint`` and ``seed`` where there
        are several.
    value : str
        The column to scale; higher is better.

    Returns
    -------
    Series
        Index as `results`; NaN where all arms of a split have the same value.

    Examples
    --------
    >>> runs = pd.DataFrame({"table": "a", "split": 0, "arm": list("xyz"), "auc": [0.5, 0.75, 1.0]})
    >>> min_max_score(runs).tolist()
    [0.0, 0.5, 1.0]
    """
    keys = [key for key in (*_RUN_OF_BASELINE, "seed") if key in results.columns]
    check_columns("results", results, ["table", "split", value])
    groups = results.groupby(keys)[value]
    low, width = groups.transform("min"), groups.transform("max") - groups.transform("min")
    return ((results[value] - low) / width.where(width > 0)).rename("min_max_score")


def add_gains(results: pd.DataFrame) -> pd.DataFrame:
    """Add each run's gains over the zero-shot run of the same table and split, and seed where it has several.

    Parameters
    ----------
    results : DataFrame
        One row for each run with the columns ``table``, ``split``, ``arm``, ``auc`` and
        ``log_loss``, and ``regime`` and ``checkpoint`` where there is more than one of them.

    Returns
    -------
    DataFrame
        A copy with five columns more: ``zero_shot_auc`` and ``zero_shot_log_loss`` as measured, and three gains, of
        which higher is better: ``gain`` (normalised gain in AUC), ``gain_points`` (AUC points) and ``log_loss_gain``
        (nats by which log-loss fell). NaN where the zero-shot run is absent.

    Raises
    ------
    ValueError
        If a column is missing, or a table, split and seed have more than one zero-shot run.
    """
    check_columns("results", results, ["table", "split", "arm", "auc", "log_loss"])
    keys = [key for key in _RUN_OF_BASELINE if key in results.columns]
    if "seed" in results.columns and results.loc[results["arm"] == ZERO_SHOT_ARM, "seed"].nunique() > 1:
        keys.append("seed")  # each repetition has a zero-shot run of its own
    baseline = results.loc[results["arm"] == ZERO_SHOT_ARM, [*keys, "auc", "log_loss"]]
    if baseline.duplicated(keys).any():
        repeated = baseline.loc[baseline.duplicated(keys), keys].iloc[0].to_dict()
        raise ValueError(f"results has more than one {ZERO_SHOT_ARM} run for {repeated}")
    baseline = baseline.rename(columns={"auc": "zero_shot_auc", "log_loss": "zero_shot_log_loss"})
    added = results.drop(columns=list(_ADDED), errors="ignore").merge(baseline, on=keys, how="left")
    added.index = results.index
    return added.assign(
        gain=normalised_gain(added["auc"], added["zero_shot_auc"]),
        gain_points=gain_in_points(added["auc"], added["zero_shot_auc"]),
        log_loss_gain=added["zero_shot_log_loss"] - added["log_loss"],
    )


def add_gaps(results: pd.DataFrame, trajectories: pd.DataFrame) -> pd.DataFrame:
    """Replace each run's two gaps by those of its stored trajectory.

    On few rows many steps have the same AUC. While a run is made, such equal values may differ in their last bits, by
    the order in which they were summed up, and ranks take that for a difference. Stored trajectories are rounded, so
    that ties are ties.

    Parameters
    ----------
    results : DataFrame
        One row for each run, with ``id`` and ``best_step``.
    trajectories : DataFrame
        One row for each check: ``id``, ``step``, ``validation_auc``, ``test_auc``.

    Returns
    -------
    DataFrame
        A copy with ``optimism_gap`` and ``tracking_gap`` of `validation_test_gap`; NaN for a run without a trajectory.

    Raises
    ------
    ValueError
        If a column is missing.

    Examples
    --------
    >>> runs = pd.DataFrame({"id": ["r", "z"], "arm": ["default", "zero_shot"], "best_step": [10, 0]})
    >>> path = pd.DataFrame({"id": "r", "step": [0, 5, 10], "validation_auc": [0.6, 0.7, 0.8]})
    >>> add_gaps(runs, path.assign(test_auc=[0.6, 0.62, 0.64]))["tracking_gap"].round(6).tolist()
    [0.0, nan]
    """
    check_columns("results", results, ["id", "best_step"])
    check_columns("trajectories", trajectories, ["id", "step", *_AUCS])
    paths = trajectories.dropna(subset=_AUCS).sort_values("step")
    first = paths.groupby("id")[_AUCS].first().reindex(results["id"])
    chosen = paths.merge(results[["id", "best_step"]], on="id").query("step == best_step")
    chosen = chosen.groupby("id")[_AUCS].first().reindex(results["id"])
    gains = normalised_gain(chosen.to_numpy(), first.to_numpy())
    ranks = paths.groupby("id")[_AUCS].rank()
    centred = ranks - ranks.groupby(paths["id"]).transform("mean")
    sums = pd.DataFrame(
        {"both": centred.prod(axis=1), "validation": centred[_AUCS[0]] ** 2, "test": centred[_AUCS[1]] ** 2}
    )
    sums = sums.groupby(paths["id"]).sum(min_count=3).reindex(results["id"])  # with two checks nothing can be ranked
    scale = np.sqrt(sums["validation"] * sums["test"])
    tracking = 1.0 - sums["both"] / scale.where(scale > 0)
    return results.assign(optimism_gap=gains[:, 0] - gains[:, 1], tracking_gap=tracking.to_numpy())
