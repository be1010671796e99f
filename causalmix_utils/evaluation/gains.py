"""What a run gained over the model it started from, and how far validation misled it."""

from __future__ import annotations

import numpy as np
import pandas as pd

BASELINE_ARM = "zero_shot"
"""The arm whose metrics all gains are measured from."""

_RUN_OF_BASELINE = ["checkpoint", "regime", "table", "split"]
_AUCS = ["validation_auc", "test_auc"]
_ADDED = ("zero_shot_auc", "zero_shot_log_loss", "gain", "gain_points", "log_loss_gain")


def normalised_gain(auc, auc_zero_shot):
    """Share of the zero-shot model's shortfall in AUC that a run made good.

    ``(auc - auc_zero_shot) / (1 - auc_zero_shot)``: 1 means a perfect ranking, 0 no change,
    and below 0 a loss. The scale makes tables with different headroom comparable. The
    published method reports a normalised gain without its formula; this one is our choice.

    Parameters
    ----------
    auc, auc_zero_shot : float, array or Series
        AUC of the run and of the zero-shot model, between 0 and 1. They broadcast.

    Returns
    -------
    float, array or Series
        NaN where the zero-shot AUC is 1, since nothing was left to gain, and where an AUC is NaN.

    Raises
    ------
    ValueError
        If an AUC is below 0 or above 1.

    Examples
    --------
    >>> round(normalised_gain(0.85, 0.80), 4)
    0.25
    """
    _check_auc(auc, name="auc")
    _check_auc(auc_zero_shot, name="auc_zero_shot")
    auc, auc_zero_shot = _as_numbers(auc), _as_numbers(auc_zero_shot)
    headroom = np.where(auc_zero_shot < 1, 1.0 - auc_zero_shot, np.nan)
    gain = (auc - auc_zero_shot) / headroom
    return float(gain) if np.ndim(gain) == 0 else gain


def gain_in_points(auc, auc_zero_shot):
    """Gain in AUC over the zero-shot model, in points (hundredths).

    Examples
    --------
    >>> round(gain_in_points(0.85, 0.80), 4)
    5.0
    """
    _check_auc(auc, name="auc")
    _check_auc(auc_zero_shot, name="auc_zero_shot")
    return 100.0 * (_as_numbers(auc) - _as_numbers(auc_zero_shot))


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
    missing = sorted({"table", "split", value} - set(results.columns))
    if missing:
        raise ValueError(f"results has no column {missing[0]!r}; its columns are {list(results.columns)}")
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
        A copy with four columns more, for all of which higher is better or equal:
        ``zero_shot_auc`` and ``zero_shot_log_loss`` as measured, ``gain`` (normalised gain in AUC),
        ``gain_points`` (AUC points) and ``log_loss_gain`` (nats by which log-loss fell). NaN where
        the zero-shot run is absent.

    Raises
    ------
    ValueError
        If a column is missing, or a table, split and seed have more than one zero-shot run.
    """
    keys = [key for key in _RUN_OF_BASELINE if key in results.columns]
    if "seed" in results.columns and results.loc[results["arm"] == BASELINE_ARM, "seed"].nunique() > 1:
        keys.append("seed")  # each repetition has a zero-shot run of its own
    missing = sorted({"table", "split", "arm", "auc", "log_loss"} - set(results.columns))
    if missing:
        raise ValueError(f"results has no column {missing[0]!r}; its columns are {list(results.columns)}")
    baseline = results.loc[results["arm"] == BASELINE_ARM, [*keys, "auc", "log_loss"]]
    if baseline.duplicated(keys).any():
        repeated = baseline.loc[baseline.duplicated(keys), keys].iloc[0].to_dict()
        raise ValueError(f"results has more than one {BASELINE_ARM} run for {repeated}")
    baseline = baseline.rename(columns={"auc": "zero_shot_auc", "log_loss": "zero_shot_log_loss"})
    added = results.drop(columns=list(_ADDED), errors="ignore").merge(baseline, on=keys, how="left")
    added.index = results.index
    return added.assign(
        gain=normalised_gain(added["auc"], added["zero_shot_auc"]),
        gain_points=gain_in_points(added["auc"], added["zero_shot_auc"]),
        log_loss_gain=added["zero_shot_log_loss"] - added["log_loss"],
    )


def validation_test_gap(trajectory: pd.DataFrame, *, best_step: int | None = None) -> dict[str, float]:
    """How far the validation part misled one run, in two readings.

    The published method speaks of a "validation-test performance correlation gap" without a
    formula, so both readings are reported.

    Parameters
    ----------
    trajectory : DataFrame
        Columns ``step``, ``validation_auc`` and ``test_auc``; one row for each check, the
        first of them before any training. Both AUCs have the train part as context.
    best_step : int, optional
        The step that early stopping chose; by default the first with the highest validation AUC.

    Returns
    -------
    dict
        ``optimism_gap``: normalised validation gain minus normalised test gain at the chosen
        step (positive: validation promised more than the test part gave; NaN where either AUC
        started at 1).
        ``tracking_gap``: 1 minus the Spearman correlation of the two AUCs along the trajectory,
        between 0 (they rise and fall together) and 2; NaN with fewer than three
        checks or where one of them never changes.

    Raises
    ------
    ValueError
        If a column is missing, there are no checks, or `best_step` is not one of the steps.

    Examples
    --------
    >>> path = pd.DataFrame({"step": [0, 5, 10], "validation_auc": [0.6, 0.7, 0.8], "test_auc": [0.6, 0.62, 0.64]})
    >>> {name: round(value, 3) for name, value in validation_test_gap(path).items()}
    {'optimism_gap': 0.4, 'tracking_gap': 0.0}
    """
    missing = sorted({"step", "validation_auc", "test_auc"} - set(trajectory.columns))
    if missing:
        raise ValueError(f"trajectory has no column {missing[0]!r}; a test part must be given to fit")
    path = trajectory.dropna(subset=["validation_auc", "test_auc"]).sort_values("step")
    if path.empty:
        raise ValueError("trajectory holds no check with both a validation and a test AUC")
    if best_step is None:
        best_step = path["step"].iloc[int(path["validation_auc"].to_numpy().argmax())]
    chosen = path[path["step"] == best_step]
    if chosen.empty:
        raise ValueError(f"best_step={best_step} is not a checked step; these are {path['step'].tolist()}")
    validation_gain = normalised_gain(float(chosen["validation_auc"].iloc[0]), float(path["validation_auc"].iloc[0]))
    test_gain = normalised_gain(float(chosen["test_auc"].iloc[0]), float(path["test_auc"].iloc[0]))
    return {
        "optimism_gap": validation_gain - test_gain,
        "tracking_gap": _tracking_gap(path["validation_auc"].to_numpy(), path["test_auc"].to_numpy()),
    }


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
    for name, frame, columns in (
        ("results", results, {"id", "best_step"}),
        ("trajectories", trajectories, {"id", "step", *_AUCS}),
    ):
        if not columns <= set(frame.columns):
            raise ValueError(f"{name} has no column {min(columns - set(frame.columns))!r}")
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


def _tracking_gap(validation: np.ndarray, test: np.ndarray) -> float:
    from scipy.stats import spearmanr

    if len(validation) < 3 or np.ptp(validation) == 0 or np.ptp(test) == 0:
        return float("nan")
    return float(1.0 - spearmanr(validation, test).statistic)


def _as_numbers(values):
    if isinstance(values, pd.Series):
        return values
    return float(values) if np.ndim(values) == 0 else np.asarray(values, dtype=float)


def _check_auc(values, *, name: str) -> None:
    array = np.asarray(values, dtype=float)
    outside = array[(array < 0) | (array > 1)]
    if outside.size:
        raise ValueError(f"{name} must be between 0 and 1, got {outside.ravel()[0]}")
