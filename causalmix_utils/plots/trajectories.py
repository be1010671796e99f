"""Figures of fine-tuning steps and of early stopping: what a step is made of, and how far luck decides what is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from causalmix_utils.plots.style import (
    HIGHLIGHT_COLOR,
    QUIET_COLOR,
    REAL_COLOR,
    SYNTHETIC_COLOR,
    label_directly,
    make_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PARTS = {
    "real context": "#BFBFBF",
    "synthetic context": "#A6CBE3",
    "real queries": REAL_COLOR,
    "synthetic queries": SYNTHETIC_COLOR,
}


def count_step_rows(context: np.ndarray, query: np.ndarray, *, n_real: int) -> dict[str, int]:
    """How many rows of a step are real or synthetic, context or query rows.

    Examples
    --------
    >>> count_step_rows(np.array([0, 1, 7]), np.array([2]), n_real=5)
    {'real context': 2, 'synthetic context': 1, 'real queries': 1, 'synthetic queries': 0}
    """
    counts = {}
    for rows, kind in ((np.asarray(context), "context"), (np.asarray(query), "queries")):
        counts[f"real {kind}"] = int((rows < n_real).sum())
        counts[f"synthetic {kind}"] = int((rows >= n_real).sum())
    return counts


def plot_step_composition(
    steps: Mapping[str, tuple[np.ndarray, np.ndarray]], *, n_real: int, ax: Axes | None = None, title: str = ""
) -> Axes:
    """What single steps are made of: one bar a step, context rows pale and query rows strong.

    Parameters
    ----------
    steps : mapping of str to (context, query)
        Name of each step, and positions of its rows in the pool, from `causalmix_utils.finetuning.steps.draw_step`.
    n_real : int
        The first `n_real` rows of the pool are real, the others synthetic.
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
        If there are no steps.
    """
    if not steps:
        raise ValueError("steps is empty")
    ax = make_axes(ax, title=title, xlabel="rows of the step", size=(8.0, 1.3 + 0.3 * len(steps)))
    for line, (context, query) in enumerate(steps.values()):
        left = 0
        for part, count in count_step_rows(context, query, n_real=n_real).items():
            ax.barh(line, count, left=left, color=_PARTS[part], label=part if line == 0 else None)
            if count >= 6:
                color = "black" if "context" in part else "white"
                ax.text(left + count / 2, line, str(count), ha="center", va="center", fontsize="x-small", color=color)
            left += count
    ax.set_yticks(range(len(steps)), list(steps))
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    ax.legend(frameon=False, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=4)
    return ax


def plot_validation_draws(
    steps: Sequence[int],
    draws: np.ndarray,
    truth: Sequence[float],
    *,
    n_shown: int = 25,
    ylabel: str = "ROC-AUC",
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Validation AUC along one run as many equally large validation parts would have shown it.

    Parameters
    ----------
    steps : sequence of int
        The steps of the checks.
    draws : ndarray of shape (n_draws, n_checks)
        AUC at each check on each draw of validation rows.
    truth : sequence of shape (n_checks,)
        AUC of the same checks on very many rows.
    n_shown : int
        So many draws are drawn as lines, each with a dot at its best check; the band holds 95 % of all.
    ylabel : str
        What `draws` and `truth` are, such as gains over the first check.
    ax, title :
        As for `plot_step_composition`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    draws, truth = np.asarray(draws, dtype=float), np.asarray(truth, dtype=float)
    if draws.ndim != 2 or draws.shape[1] != len(steps) or truth.shape != (len(steps),):
        raise ValueError(f"draws and truth must have {len(steps)} checks, got shapes {draws.shape} and {truth.shape}")
    ax = make_axes(ax, title=title, xlabel="optimiser step", ylabel=ylabel, size=(7.4, 3.8))
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    ax.fill_between(steps, low, high, color=HIGHLIGHT_COLOR, alpha=0.12, linewidth=0)
    for line in draws[:n_shown]:
        best = int(line.argmax())
        ax.plot(steps, line, color=HIGHLIGHT_COLOR, linewidth=0.6, alpha=0.5)
        ax.plot(steps[best], line[best], "o", color=HIGHLIGHT_COLOR, markersize=3.5)
    ax.plot(steps, truth, color=REAL_COLOR, linewidth=2.5)
    label_directly(ax, steps[-1], truth[-1], "many rows", color=REAL_COLOR)
    label_directly(ax, steps[-1], high[-1], "95 % of the\nsmall parts", color=HIGHLIGHT_COLOR)
    ax.margins(x=0.02)
    return ax


def plot_stopping_rules(
    trajectory: pd.DataFrame, rules: Mapping[str, tuple[int, int]], *, metric: str = "auc", title: str = ""
) -> Figure:
    """What several rules of early stopping make of one run: how long each goes on, and which step it keeps.

    Parameters
    ----------
    trajectory : DataFrame
        Columns ``step`` and ``validation_auc`` or ``validation_log_loss``; ``test_…`` is drawn, too, where it is there.
    rules : mapping of str to (int, int)
        Name of each rule, the step that it keeps, and the last step that it takes.
    metric : {"auc", "log_loss"}
        What is drawn above the rules.
    title : str
        The figure's message.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there are no rules, or the column of the metric is missing.
    """
    import matplotlib.pyplot as plt

    if not rules:
        raise ValueError("rules is empty")
    if f"validation_{metric}" not in trajectory:
        raise ValueError(f"metric={metric!r}: trajectory has no column 'validation_{metric}'")
    figure, (curve, strips) = plt.subplots(
        2,
        1,
        sharex=True,
        figsize=(7.6, 2.6 + 0.3 * len(rules)),
        layout="constrained",
        height_ratios=(2, len(rules) / 4),
    )
    make_axes(curve, ylabel={"auc": "ROC-AUC", "log_loss": "log-loss"}[metric])
    for part, color, line in (("validation", HIGHLIGHT_COLOR, "-"), ("test", REAL_COLOR, "--")):
        if f"{part}_{metric}" in trajectory:
            values = trajectory[f"{part}_{metric}"]
            curve.plot(trajectory["step"], values, line, color=color, marker="o", markersize=3)
            label_directly(curve, trajectory["step"].iloc[-1], values.iloc[-1], part, color=color)
    make_axes(strips, xlabel="optimiser step")
    for place, (kept, last) in enumerate(rules.values()):
        strips.plot([0, last], [place, place], color=QUIET_COLOR, linewidth=3, solid_capstyle="butt")
        strips.plot(kept, place, "o", color=HIGHLIGHT_COLOR, markersize=6)
    strips.set_yticks(range(len(rules)), list(rules))
    strips.set_ylim(len(rules) - 0.5, -0.5)
    strips.tick_params(axis="y", length=0)
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return figure
