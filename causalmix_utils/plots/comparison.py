"""Figures that compare models over many tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_choice
from causalmix_utils.baselines import BASELINES
from causalmix_utils.plots.style import ARM_COLORS, QUIET_COLOR, label_directly, make_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MODEL_COLORS: dict[str, str] = {
    # The checkpoint without fine-tuning is the benchmark's arm zero-shot, so it has its colour.
    "nano_4": ARM_COLORS["zero_shot"],
    "nano_1": "#A9A9A9",
    "logistic_regression": "#117733",
    "random_forest": "#AA4499",
    "random_forest_leaf3": "#CC6677",
    "boosting": "#332288",
    "nearest_neighbours": "#DDAA33",
    "class_shares": "#BBBBBB",
}
"""One colour for each model that is compared, told apart by colour-blind readers."""

MODEL_LABELS: dict[str, str] = {"nano_4": "nano, 4 estimators", "nano_1": "nano, 1 estimator"} | BASELINES
"""The name of each model as figures and tables write it."""

_MARKERS = {"nano_4": "D", "nano_1": "d", "logistic_regression": "s", "random_forest": "o", "random_forest_leaf3": "h"}
_MARKERS |= {"boosting": "^", "nearest_neighbours": "v", "class_shares": "|"}


def plot_scores_by_table(
    scores: pd.DataFrame,
    *,
    highlight: str,
    easy: Collection[str] = (),
    ax: Axes | None = None,
    xlabel: str = "ROC-AUC",
    title: str = "",
) -> Axes:
    """One line for each table, a mark for each model; the model to judge is drawn larger.

    Parameters
    ----------
    scores : DataFrame of shape (n_tables, n_models)
        A metric, tables from top to bottom; see `causalmix_utils.evaluation.mean_per_table`.
    highlight : str
        The model to judge.
    easy : collection of str
        Tables that are easy: their names are followed by a star, in grey.
    ax : Axes, optional
        Axes to draw into; None makes a figure.
    xlabel : str
        What the metric is.
    title : str
        The figure's message.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If `scores` is empty or `highlight` is not one of its columns.
    """
    if scores.empty:
        raise ValueError("scores has no rows or no columns")
    check_choice("highlight", highlight, scores.columns)
    ax = make_axes(ax, title=title, xlabel=xlabel, size=(8.0, 1.2 + 0.23 * len(scores)))
    lines = np.arange(len(scores))
    ax.hlines(lines, scores.min(axis=1), scores.max(axis=1), color="#E0E0E0", linewidth=1.5, zorder=0)
    for model in [name for name in scores if name != highlight] + [highlight]:
        size, edge = (46, "black") if model == highlight else (26, "none")
        style = {"marker": _MARKERS.get(model, "o"), "color": MODEL_COLORS.get(model, QUIET_COLOR)}
        label = MODEL_LABELS.get(model, model)
        ax.scatter(scores[model], lines, s=size, edgecolors=edge, linewidths=0.8, label=label, **style)
    names = [f"{name} *" if name in easy else name for name in scores.index]
    ax.set_yticks(lines, names, fontsize="small")
    for tick, name in zip(ax.get_yticklabels(), scores.index, strict=True):
        tick.set_color("#888888" if name in easy else "black")
    ax.set_ylim(len(scores) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    # Six crossing clouds of marks have no ends to write a name at: a legend, above the lines.
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False, fontsize="small")
    ax.set_title(title, loc="left", fontsize="medium", pad=14 + 15 * np.ceil(scores.shape[1] / 3))
    return ax


def plot_model_means(
    summaries: Mapping[str, pd.DataFrame],
    *,
    models: Sequence[str],
    ax: Axes | None = None,
    xlabel: str = "",
    title: str = "",
) -> Axes:
    """One line for each model: a mean and its interval for each series, the first filled, later ones open.

    Parameters
    ----------
    summaries : mapping of str to DataFrame
        For each series, such as a number of context rows, what `causalmix_utils.evaluation.mean_over_tables` returns.
    models : sequence of str
        Models from top to bottom.
    ax, xlabel, title :
        As for `plot_scores_by_table`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there is no series, or one of them lacks a model.
    """
    if not summaries:
        raise ValueError("summaries is empty")
    ax = make_axes(ax, title=title, xlabel=xlabel, size=(5.6, 1.0 + 0.45 * len(models)))
    offsets = np.linspace(-0.16, 0.16, len(summaries)) if len(summaries) > 1 else [0.0]
    for number, (series, summary) in enumerate(summaries.items()):
        absent = [model for model in models if model not in summary.index]
        if absent:
            raise ValueError(f"models names {absent[0]!r}, which series {series!r} lacks")
        for line, model in enumerate(models):
            color, values, height = MODEL_COLORS.get(model, QUIET_COLOR), summary.loc[model], line + offsets[number]
            if np.isfinite(values["low"]):
                ax.plot([values["low"], values["high"]], [height] * 2, color=color, linewidth=2, solid_capstyle="butt")
            face = color if number == 0 else "white"
            marker = _MARKERS.get(model, "o")
            ax.plot(values["mean"], height, marker, markersize=6, markerfacecolor=face, markeredgecolor=color)
    if len(summaries) > 1:
        for number, (series, summary) in enumerate(summaries.items()):
            right = max(summary.loc[models[0], "high"], summary.loc[models[0], "mean"])
            label_directly(ax, right, offsets[number] * 1.6, series, color="#555555")
    ax.set_yticks(range(len(models)), [MODEL_LABELS.get(model, model) for model in models])
    ax.set_ylim(len(models) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    return ax
