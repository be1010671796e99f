"""The main comparison's runs as other choices would have them: other tables, another step, another way to pair."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_choice, check_columns
from causalmix_utils.evaluation.gains import ZERO_SHOT_ARM, add_gains
from causalmix_utils.evaluation.models import differences_per_table
from causalmix_utils.evaluation.noise import subtract_baseline
from causalmix_utils.metrics import gain_in_points, normalised_gain

VARIANTS: dict[str, str] = {
    "main": "as in the main comparison",
    "headroom": "tables with headroom only",
    "tabarena": "tables of TabArena only",
    "classes_2": "tables with 2 classes",
    "classes_3_4": "tables with 3 or 4 classes",
    "classes_5": "tables with 5 and more classes",
    "paired_splits": "difference taken split by split",
    "chosen_step": "chosen step, train part as context",
    "last_step": "last step made, train part as context",
}
"""The variants and what each changes; another regime is named after its rows, such as ``rows_200``."""

_CLASSES = {"classes_2": (2, 2), "classes_3_4": (3, 4), "classes_5": (5, np.inf)}
_GAINS = ["gain", "gain_points", "log_loss_gain"]


def describe_variant(variant: str) -> str:
    """What a variant changes, for a reader.

    Examples
    --------
    >>> describe_variant("rows_200")
    'with 200 rows'
    """
    if variant.startswith("rows_"):
        return f"with {variant.removeprefix('rows_')} rows"
    return VARIANTS.get(variant, variant.replace("_", " "))


def tables_with_headroom(
    scores: pd.DataFrame, *, least: float = 0.01, model: str = "nano_4", rival: str = "random_forest"
) -> list[str]:
    """Tables on which an ordinary model beats the zero-shot one, so that there is something to learn for it.

    The other usual choice, a zero-shot AUC below some threshold, was not taken: a low AUC may as well mean that nobody
    can do better, and noise in the labels is no headroom.

    Parameters
    ----------
    scores : DataFrame
        Scores of one number of context rows, as `causalmix_utils.evaluation.models` describes them.
    least : float
        By how much the rival's mean AUC must be larger, as a share (0.01 is one point).
    model, rival : str
        The zero-shot model and the ordinary one.

    Returns
    -------
    list of str
        Sorted.

    Raises
    ------
    ValueError
        As `differences_per_table`.

    Examples
    --------
    >>> scores = pd.DataFrame({"table": list("aabb"), "split": 0, "model": ["nano_4", "random_forest"] * 2})
    >>> tables_with_headroom(scores.assign(auc=[0.7, 0.8, 0.9, 0.9]))
    ['a']
    """
    ahead = differences_per_table(scores, model=rival, value="auc", rivals=[model])[model]
    return sorted(ahead.index[ahead >= least])


def gains_along_the_run(results: pd.DataFrame, trajectories: pd.DataFrame, *, step: str = "last") -> pd.DataFrame:
    """Gains at one step of the trajectory, where model and zero-shot model have the train part alone as context.

    Parameters
    ----------
    results : DataFrame
        One row for each run, with ``id`` and ``best_step``.
    trajectories : DataFrame
        One row for each check: ``id``, ``step``, ``test_auc``, ``test_log_loss``. The first check of a run is
        made before any training.
    step : {"last", "chosen"}
        The last step that was made, whatever validation said of it, or the one that early stopping chose. Where
        patience ends a run, its last step comes before the largest number of steps, in some arms more often than in
        others: that is not the same as fine-tuning without early stopping.

    Returns
    -------
    DataFrame
        The runs with a trajectory: `results` with ``gain``, ``gain_points`` and ``log_loss_gain`` replaced.

    Raises
    ------
    ValueError
        If `step` is not valid or a column is missing.
    """
    check_choice("step", step, ("last", "chosen"))
    check_columns("trajectories", trajectories, ["id", "step", "test_auc", "test_log_loss"])
    order = trajectories.sort_values("step").dropna(subset=["test_auc", "test_log_loss"])
    first = order.groupby("id").first()
    if step == "chosen":
        order = order.merge(results[["id", "best_step"]], on="id")
        order = order[order["step"] == order["best_step"]]
    end = order.groupby("id").last()
    runs = results[results["id"].isin(end.index)]
    first, end = first.loc[runs["id"]], end.loc[runs["id"]]
    return runs.assign(
        gain=normalised_gain(end["test_auc"].to_numpy(), first["test_auc"].to_numpy()),
        gain_points=gain_in_points(end["test_auc"].to_numpy(), first["test_auc"].to_numpy()),
        log_loss_gain=first["test_log_loss"].to_numpy() - end["test_log_loss"].to_numpy(),
    )


def make_variants(
    results: pd.DataFrame,
    *,
    trajectories: pd.DataFrame | None = None,
    headroom: Collection[str] | None = None,
    tabarena: Collection[str] | None = None,
    regime: int | None = None,
    baseline: str = "default",
) -> dict[str, pd.DataFrame]:
    """The fine-tuning runs as each variant sees them.

    Parameters
    ----------
    results : DataFrame
        One row for each run of one checkpoint; see `causalmix_utils.evaluation`. Gains are added where they are absent.
    trajectories : DataFrame, optional
        As for `gains_along_the_run`; without it the variants of the steps are left out.
    headroom, tabarena : collection of str, optional
        Names of tables; see `tables_with_headroom` and `causalmix_utils.tables.list_tables`. Without them the
        variants are left out.
    regime : int, optional
        That of the main comparison, by default the largest. Every other one becomes a variant.
    baseline : str
        The arm that is subtracted where differences are taken split by split.

    Returns
    -------
    dict of str to DataFrame
        In the order of `VARIANTS`, other regimes last. A variant without runs is there, and empty.

    Raises
    ------
    ValueError
        If `regime` has no runs or a column is missing.
    """
    results = results if set(_GAINS) <= set(results.columns) else add_gains(results)
    fine_tuned = results[results["arm"] != ZERO_SHOT_ARM]
    others: dict[str, pd.DataFrame] = {}
    if "regime" in fine_tuned.columns and len(fine_tuned):
        regimes = sorted(int(rows) for rows in fine_tuned["regime"].unique())
        regime = regimes[-1] if regime is None else check_choice("regime", regime, regimes)
        others = {f"rows_{rows}": fine_tuned[fine_tuned["regime"] == rows] for rows in regimes if rows != regime}
        fine_tuned = fine_tuned[fine_tuned["regime"] == regime]
    variants = {"main": fine_tuned}
    chosen = {"headroom": headroom, "tabarena": tabarena}
    variants |= {name: _of_tables(fine_tuned, tables) for name, tables in chosen.items() if tables is not None}
    if "n_classes" in fine_tuned.columns:
        for name, (low, high) in _CLASSES.items():
            variants[name] = fine_tuned[fine_tuned["n_classes"].between(low, high)]
    if baseline in set(fine_tuned["arm"]):
        variants["paired_splits"] = subtract_baseline(fine_tuned, values=_GAINS, baseline=baseline)
    if trajectories is not None:
        for name, step in (("chosen_step", "chosen"), ("last_step", "last")):
            variants[name] = gains_along_the_run(fine_tuned, trajectories, step=step)
    return variants | others


def _of_tables(results: pd.DataFrame, tables: Collection[str]) -> pd.DataFrame:
    return results[results["table"].isin(list(tables))]
