"""Figures of fine-tuning runs and of the benchmark: trajectories, gains, ranks, gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_choice, check_columns, check_number, check_rng
from causalmix_utils.evaluation import (
    ZERO_SHOT_ARM,
    add_gains,
    average_ranks,
    complete_tables,
    critical_difference,
    intervals_by_arm,
    nemenyi_p_values,
    per_table,
)
from causalmix_utils.plots.style import (
    HIGHLIGHT_COLOR,
    QUIET_COLOR,
    REAL_COLOR,
    arm_color,
    arm_label,
    label_directly,
    make_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

VALUE_LABELS = {
    "gain": "normalised gain in ROC-AUC",
    "gain_points": "gain in ROC-AUC (points)",
    "log_loss_gain": "fall in log-loss (nats)",
    "auc": "test ROC-AUC",
    "optimism_gap": "optimism gap (normalised)",
    "tracking_gap": "tracking gap (1 − Spearman)",
}
"""How axes name the columns of results."""


def plot_trajectory(
    trajectory: pd.DataFrame, *, best_step: int | None = None, ax: Axes | None = None, title: str = ""
) -> Axes:
    """Validation AUC, and test AUC where it was recorded, along one fine-tuning run.

    Parameters
    ----------
    trajectory : DataFrame
        `CausalMixFTClassifier.trajectory_`: columns ``step``, ``validation_auc``, and perhaps ``test_auc``.
    best_step : int, optional
        The step that early stopping chose, which is marked; by default the first with the highest validation AUC.
    ax : Axes, optional
        Axes to draw into; None makes a figure.
    title : str
        The figure's message.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a column is missing or there are no checks.
    """
    check_columns("trajectory", trajectory, ["step", "validation_auc"], allow_empty=False)
    ax = make_axes(ax, title=title, xlabel="optimiser step", ylabel="ROC-AUC")
    curves = {"validation_auc": ("validation", HIGHLIGHT_COLOR, "-"), "test_auc": ("test", REAL_COLOR, "--")}
    for column, (label, color, line) in curves.items():
        if column not in trajectory or trajectory[column].isna().all():
            continue
        ax.plot(trajectory["step"], trajectory[column], line, color=color, marker="o", markersize=3)
        label_directly(ax, trajectory["step"].iloc[-1], trajectory[column].iloc[-1], label, color=color)
    if best_step is None:
        best_step = trajectory["step"].iloc[int(trajectory["validation_auc"].fillna(-1).to_numpy().argmax())]
    ax.axvline(best_step, color=QUIET_COLOR, linewidth=1, zorder=0)
    ax.annotate(
        f"chosen: step {best_step}",
        xy=(best_step, 0.02),
        xycoords=("data", "axes fraction"),
        xytext=(4, 0),
        textcoords="offset points",
        fontsize="small",
        color="#555555",
    )
    ax.margins(x=0.12, y=0.15)
    return ax


def plot_gains(
    results: pd.DataFrame,
    *,
    value: str = "gain",
    arms: Sequence[str] | None = None,
    linear_up_to: float | None = None,
    rng: np.random.Generator | None = None,
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """One row for each arm: a dot for each table, the median over tables, and its bootstrap interval.

    Parameters
    ----------
    results : DataFrame
        One row for each run; see `causalmix_utils.evaluation`. Gains are added where they are absent.
    value : str
        The column to show; higher is better.
    arms : sequence of str, optional
        Arms from top to bottom; by default all but zero-shot, best median first.
    linear_up_to : float, optional
        Make the axis logarithmic beyond this value, on either side, if there is anything: a single table that is far
        out does not squeeze the others then.
    rng : Generator, optional
        Needed only for more than 500 tables; see `causalmix_utils.evaluation.bootstrap_interval`. By default one
        seeded with 0.
    ax, title :
        As for `plot_trajectory`.

    Returns
    -------
    matplotlib.axes.Axes
    """
    rng = check_rng(rng, default_seed=0)
    results = _select_arms(results, arms, value=value)
    summary = intervals_by_arm(results, value=value, rng=rng)
    order = (
        list(arms) if arms is not None else list(summary.sort_values("median", ascending=False, kind="stable").index)
    )
    wide = per_table(results, value=value)
    ax = make_axes(ax, title=title, xlabel=VALUE_LABELS.get(value, value), size=(6.4, 0.9 + 0.42 * len(order)))
    for row, arm in enumerate(order):
        color, line = arm_color(arm), summary.loc[arm]
        heights = row + np.linspace(-0.18, 0.18, len(wide)) if len(wide) > 1 else [row]
        ax.scatter(wide[arm], heights, s=12, color=color, alpha=0.35, linewidths=0)
        if np.isfinite(line["low"]):
            ax.plot([line["low"], line["high"]], [row, row], color=color, linewidth=2.5, solid_capstyle="butt")
        ax.plot(line["median"], row, "o", color=color, markersize=7, markeredgecolor="white")
    ax.axvline(0, color=QUIET_COLOR, linewidth=1, zorder=0)
    ax.set_yticks(range(len(order)), [arm_label(arm) for arm in order])
    for tick, arm in zip(ax.get_yticklabels(), order, strict=True):
        tick.set_color(arm_color(arm))
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    if linear_up_to is not None:
        _shorten_ends(ax, check_number("linear_up_to", linear_up_to, 0, closed="neither"))
    return ax


def _shorten_ends(ax: Axes, linear_up_to: float) -> None:
    """Make the x-axis logarithmic beyond a value."""
    low, high = ax.get_xlim()
    if max(-low, high) <= linear_up_to:
        return
    ax.set_xscale("symlog", linthresh=linear_up_to, linscale=1.5)
    sizes = (0, 0.5, 1, 2, 5, 10, 20, 50, 100)
    ticks = sorted({sign * size * linear_up_to for size in sizes for sign in (-1, 1)})
    ticks = [tick for tick in ticks if low <= tick <= high]
    ax.set_xticks(ticks, [f"{tick:g}".replace("-", "−") for tick in ticks])
    ax.minorticks_off()
    ax.set_xlim(low, high)


def plot_ranks(
    results: pd.DataFrame,
    *,
    value: str = "gain",
    arms: Sequence[str] | None = None,
    alpha: float = 0.05,
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Critical-difference diagram: average ranks, bars joining arms that Nemenyi's test can't tell apart.

    Parameters
    ----------
    results, value, ax, title :
        As for `plot_gains`.
    arms : sequence of str, optional
        Arms to rank; by default all but zero-shot.
    alpha : float
        Level of the test.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If no table has every arm.
    """
    from scikit_posthocs import critical_difference_diagram

    results = _select_arms(results, arms, value=value)
    ranks = average_ranks(results, value=value)
    p_values = nemenyi_p_values(results, value=value)
    n_tables = len(complete_tables(results, value=value))
    ax = make_axes(ax, size=(7.2, 1.2 + 0.25 * len(ranks)))
    labels = {arm: arm_label(arm) for arm in ranks.index}
    critical_difference_diagram(
        ranks.rename(labels),
        p_values.rename(index=labels, columns=labels),
        alpha=alpha,
        ax=ax,
        color_palette={label: arm_color(arm) for arm, label in labels.items()},
        label_fmt_left="{label} ({rank:.2f})",
        label_fmt_right="({rank:.2f}) {label}",
    )
    limit = critical_difference(len(ranks), n_tables, alpha=alpha)
    ax.set_title(title or f"Average rank over {n_tables} tables", loc="left", fontsize="medium", pad=18)
    ax.annotate(
        f"critical difference {limit:.2f}",
        xy=(1, 0),
        xycoords="axes fraction",
        ha="right",
        va="top",
        xytext=(0, -4),
        textcoords="offset points",
        fontsize="small",
        color="#555555",
    )
    return ax


def plot_gap(
    results: pd.DataFrame,
    *,
    value: str = "optimism_gap",
    arms: Sequence[str] | None = None,
    rng: np.random.Generator | None = None,
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """How far validation misled each arm: `plot_gains` for a gap, the smallest on top.

    Parameters
    ----------
    value : {"optimism_gap", "tracking_gap"}
        Which reading of the gap; see `causalmix_utils.evaluation.validation_test_gap`.
    results, arms, rng, ax, title :
        As for `plot_gains`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If `value` is not a gap.
    """
    rng = check_rng(rng, default_seed=0)
    check_choice("value", value, ("optimism_gap", "tracking_gap"))
    check_columns("results", results, ["table", "arm", value], allow_empty=False)
    results = results[results["arm"] != ZERO_SHOT_ARM].dropna(subset=[value])
    if arms is None:
        medians = per_table(results, value=value).median()
        arms = list(medians.sort_values(kind="stable").index)
    return plot_gains(results, value=value, arms=arms, rng=rng, ax=ax, title=title)


def _select_arms(results: pd.DataFrame, arms: Sequence[str] | None, *, value: str) -> pd.DataFrame:
    """The runs of some arms (all but zero-shot by default), with gains added where they are absent."""
    check_columns("results", results, ["table", "arm"], allow_empty=False)
    if value not in results.columns:
        results = add_gains(results)
    check_columns("results", results, [value], allow_empty=False)
    if arms is None:
        arms = [arm for arm in results["arm"].unique() if arm != ZERO_SHOT_ARM]
    absent = [arm for arm in arms if arm not in set(results["arm"])]
    if absent:
        raise ValueError(f"arms names {absent[0]!r}, which has no runs in results")
    return results[results["arm"].isin(list(arms))]
