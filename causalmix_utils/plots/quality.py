"""Figures of how good synthetic rows are: associations side by side, and the scores of several generators."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_columns
from causalmix_utils.evaluation import bootstrap_interval, pair_associations
from causalmix_utils.plots.style import QUIET_COLOR, REAL_COLOR, arm_color, make_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from causalmix_utils.tables import Table

SCORE_LABELS = {
    "marginal_distance": "distance of marginals\n(0 is best)",
    "association_error": "error of associations\n(0 is best)",
    "two_sample_auc": "two-sample AUC\n(0.5: can't be told apart)",
    "usefulness": "synthetic-to-real AUC\n(higher teaches more)",
    "closest_record": "distance to closest record\n(0: a copy)",
    "copies": "share of copies\n(0 is best)",
    "nearer_to_train": "nearer to a train row\n(0.5: no leak)",
    "membership_auc": "AUC of membership attack\n(0.5: no leak)",
}
"""How panels name the measures of `causalmix_utils.evaluation.score_synthetic_rows`."""

COST_LABELS = {
    "fit_seconds": "seconds to fit",
    "sample_seconds": "seconds to draw 1,000 rows",
    "peak_mb": "memory above that before, MB",
}
"""How panels name what generators cost."""

_LEAST_MEMORY = 1.0  # MB; less is noise of the measurement, and a logarithm needs more than nothing.

_REAL = "real"


def plot_associations(
    tables: Mapping[str, Table], *, labels: Mapping[str, str] | None = None, title: str = ""
) -> Figure:
    """One heat map for each table: how strongly each pair of its columns goes together.

    Parameters
    ----------
    tables : dict of str to Table
        Tables with the same columns, by the names that the panels show.
    labels : dict of str to str, optional
        Short names of columns; their own names by default.
    title : str
        The figure's message.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no table, or the tables differ in columns.
    """
    import matplotlib.pyplot as plt

    if not tables:
        raise ValueError("tables must hold at least one table, got none")
    columns = next(iter(tables.values())).columns
    for name, table in tables.items():
        if table.columns != columns:
            raise ValueError(f"the table {name!r} differs in columns: {table.columns} against {columns}")
    figure, axes = plt.subplots(
        1, len(tables), figsize=(1.9 + 2.5 * len(tables), 3.4), squeeze=False, layout="constrained", sharey=True
    )
    written = [(labels or {}).get(column, column) for column in columns]
    for ax, (name, table) in zip(axes.flat, tables.items(), strict=True):
        image = ax.imshow(pair_associations(table), vmin=0, vmax=1, cmap="viridis")
        ax.set_title(name, loc="left", fontsize="small")
        ax.set_xticks([])
        ax.set_yticks(range(len(columns)), written, fontsize=6)
        ax.tick_params(length=0)
    figure.colorbar(image, ax=axes, shrink=0.8, pad=0.01, label="association")
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return figure


def plot_row_scores(
    scores: pd.DataFrame,
    *,
    measures: Sequence[str] = ("two_sample_auc", "usefulness"),
    order: Sequence[str] | None = None,
    title: str = "",
) -> Figure:
    """One panel for each measure and one line for each generator: a dot for each split, their mean, and their range.

    Parameters
    ----------
    scores : DataFrame
        One row for each generator and split: ``generator`` and the measures. A generator named ``"real"`` stands for
        real rows; its mean is drawn through the whole panel, as what can be reached.
    measures : sequence of str
        Columns of `scores`.
    order : sequence of str, optional
        Generators from top to bottom; by default by the mean of the last measure, the highest first.
    title : str
        The figure's message.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If a column is missing or `scores` has no rows.
    """
    check_columns("scores", scores, ["generator", *measures], allow_empty=False)
    means = scores.groupby("generator")[list(measures)].mean()
    if order is None:
        order = list(means[measures[-1]].sort_values(ascending=False, kind="stable").index)
    figure, axes = _make_panels(measures, order)
    for ax, measure in zip(axes, measures, strict=True):
        make_axes(ax, xlabel=SCORE_LABELS.get(measure, measure))
        for line, name in enumerate(order):
            values = scores.loc[scores["generator"] == name, measure].dropna()
            color = _color(name)
            ax.plot([values.min(), values.max()], [line, line], color=color, linewidth=2, solid_capstyle="butt")
            ax.scatter(values, [line] * len(values), s=14, color=color, alpha=0.5, linewidths=0)
            ax.plot(values.mean(), line, "o", color=color, markersize=7, markeredgecolor="white")
        if _REAL in means.index:
            ax.axvline(means.loc[_REAL, measure], color=QUIET_COLOR, linewidth=1, linestyle="--", zorder=0)
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return figure


def plot_score_means(
    scores: pd.DataFrame,
    *,
    measures: Sequence[str] = ("two_sample_auc", "usefulness"),
    minus_real: Collection[str] = (),
    order: Sequence[str] | None = None,
    title: str = "",
) -> Figure:
    """One panel for each measure and one line for each generator: its mean over tables, with an interval.

    Every table counts equally: a grey dot is the mean of a table's splits. The interval is a bootstrap over tables.

    Parameters
    ----------
    scores : DataFrame
        One row for each table, split and generator: ``table``, ``generator`` and the measures. A generator named
        ``"real"`` stands for real rows; its mean is drawn through the whole panel.
    measures : sequence of str
        Columns of `scores`.
    minus_real : collection of str
        Measures that are drawn as their difference from those of the real rows of the same table, where tables
        differ more than generators.
    order : sequence of str, optional
        Generators from top to bottom; by default by the mean of the last measure, the highest first.
    title : str
        The figure's message.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If a column is missing, `scores` has no rows, or real rows are wanted and absent.
    """
    check_columns("scores", scores, ["table", "generator", *measures], allow_empty=False)
    per_table = {m: scores.groupby(["table", "generator"])[m].mean().unstack() for m in measures}
    if minus_real and _REAL not in set(scores["generator"]):
        raise ValueError(f"minus_real={list(minus_real)} needs scores of a generator named {_REAL!r}")
    per_table |= {m: per_table[m].sub(per_table[m][_REAL], axis=0) for m in minus_real}
    if order is None:
        order = list(per_table[measures[-1]].mean().sort_values(ascending=False, kind="stable").index)
    figure, axes = _make_panels(measures, order)
    for ax, measure in zip(axes, measures, strict=True):
        label = SCORE_LABELS.get(measure, measure)
        make_axes(ax, xlabel=f"{label.splitlines()[0]},\nminus that of real rows" if measure in minus_real else label)
        for line, name in enumerate(order):
            values, color = per_table[measure][name].dropna(), _color(name)
            ax.scatter(values, [line] * len(values), s=9, color=QUIET_COLOR, alpha=0.6, linewidths=0)
            if len(values) > 1:
                interval = bootstrap_interval(values, rng=np.random.default_rng(0), statistic=np.mean)
                ax.plot(interval, [line, line], color=color, linewidth=2.5, solid_capstyle="butt")
            ax.plot(values.mean(), line, "o", color=color, markersize=6, markeredgecolor="white")
        if _REAL in per_table[measure]:
            ax.axvline(per_table[measure][_REAL].mean(), color=QUIET_COLOR, linewidth=1, linestyle="--", zorder=0)
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return figure


def plot_generator_cost(costs: pd.DataFrame, *, title: str = "") -> Figure:
    """One panel for each cost and one line for each generator, the cheapest to fit first: median and range.

    Parameters
    ----------
    costs : DataFrame
        One measurement a row: ``generator``, ``fit_seconds``, ``sample_seconds``, and ``peak_mb``, of which less than
        1 MB is drawn as 1. A name may go on after a comma: ``"ctgan, library defaults"`` has the colour of ``"ctgan"``.
    title : str
        The figure's message.

    Returns
    -------
    matplotlib.figure.Figure
        On logarithmic axes.

    Raises
    ------
    ValueError
        If a column is missing or `costs` has no rows.
    """
    check_columns("costs", costs, ["generator", *COST_LABELS], allow_empty=False)
    costs = costs.assign(peak_mb=costs["peak_mb"].clip(lower=_LEAST_MEMORY))
    order = list(costs.groupby("generator")["fit_seconds"].median().sort_values(kind="stable").index)
    figure, axes = _make_panels(list(COST_LABELS), order)
    for ax, (cost, label) in zip(axes, COST_LABELS.items(), strict=True):
        make_axes(ax, xlabel=label)
        ax.set_xscale("log")
        for line, name in enumerate(order):
            values, color = costs.loc[costs["generator"] == name, cost].dropna(), _color(name)
            ax.plot([values.min(), values.max()], [line, line], color=color, linewidth=2, solid_capstyle="butt")
            ax.plot(values.median(), line, "o", color=color, markersize=6, markeredgecolor="white")
        ax.grid(axis="x", color="#EEEEEE", zorder=0)
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return figure


def _make_panels(measures: Sequence[str], order: Sequence[str]):
    """A figure and a row of axes, one for each measure, with a line for each generator from top to bottom."""
    import matplotlib.pyplot as plt

    size = (1.6 + 2.7 * len(measures), 1.3 + 0.32 * len(order))
    figure, grid = plt.subplots(1, len(measures), figsize=size, squeeze=False, layout="constrained", sharey=True)
    first = grid[0, 0]
    first.set_yticks(range(len(order)), ["real rows" if name == _REAL else name for name in order])
    for tick, name in zip(first.get_yticklabels(), order, strict=True):
        tick.set_color(_color(name))
    first.set_ylim(len(order) - 0.5, -0.5)
    for ax in grid[0]:
        ax.tick_params(axis="y", length=0)
    return figure, grid[0]


def _color(name: str) -> str:
    return REAL_COLOR if name == _REAL else arm_color(name.split(",")[0])
