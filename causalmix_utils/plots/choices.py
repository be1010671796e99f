"""Figures of choices and arms that were compared: gains in AUC and in log-loss beside each other, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_columns
from causalmix_utils.plots.models import plot_differences
from causalmix_utils.plots.style import QUIET_COLOR, arm_color, arm_label, make_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MEASURES = (
    ("auc_gain", 100.0, "gain in test ROC-AUC (points)"),
    ("log_loss_gain", 1.0, "fall in test log-loss (nats)"),
    ("harm", 100.0, "runs with harm (%)"),
)
_MARKERS = "osD^v"
TABLE_VALUES = {"gain_points": "gain in test ROC-AUC (points)", "log_loss_gain": "fall in test log-loss (nats)"}
"""What `plot_gains_by_table` shows unless told otherwise: columns of gains, and how axes name them."""


def plot_choices(
    summary: pd.DataFrame,
    *,
    by: str,
    groups: str,
    colors: Mapping[str, str],
    labels: Mapping[str, str] | None = None,
    reference: str | None = None,
    title: str = "",
) -> Figure:
    """Choices below each other, with three measures of each: gain in AUC, fall in log-loss, and share of harm.

    Parameters
    ----------
    summary : DataFrame
        One row for each choice and group: columns `by` and `groups`, and ``auc_gain``, ``log_loss_gain`` and ``harm``,
        each with its interval in ``…_low`` and ``…_high``. Choices are drawn in the order of their first rows.
    by : str
        Column of the choices.
    groups : str
        Column of what is drawn apart within a choice, such as the generator.
    colors, labels : mapping of group to str
        Colour and name of each group, in the order from top to bottom; groups without a colour are left out.
    reference : str, optional
        A choice whose line is marked.
    title : str
        The figure's message.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If a column is missing, or no row has a group with a colour.
    """
    import matplotlib.pyplot as plt

    needed = [by, groups, *(f"{name}{end}" for name, *_ in _MEASURES for end in ("", "_low", "_high"))]
    check_columns("summary", summary, needed)
    shown = [group for group in colors if group in set(summary[groups])]
    if not shown:
        raise ValueError(f"summary has no row of the groups {list(colors)}")
    summary = summary[summary[groups].isin(shown)]
    order = list(dict.fromkeys(summary[by]))
    size = (9.8, 1.3 + (0.14 + 0.13 * len(shown)) * len(order))
    figure, axes = plt.subplots(1, len(_MEASURES), sharey=True, figsize=size, layout="constrained")
    shifts = np.linspace(-0.28, 0.28, len(shown)) if len(shown) > 1 else [0.0]
    for ax, (measure, factor, xlabel) in zip(axes, _MEASURES, strict=True):
        make_axes(ax, xlabel=xlabel)
        for group, shift, marker in zip(shown, shifts, cycle(_MARKERS), strict=False):
            rows = summary[summary[groups] == group]
            heights = [order.index(choice) + shift for choice in rows[by]]
            ax.hlines(heights, factor * rows[f"{measure}_low"], factor * rows[f"{measure}_high"], color=colors[group])
            name = (labels or {}).get(group, str(group))
            ax.plot(factor * rows[measure], heights, marker, color=colors[group], markersize=4, label=name)
        ax.axvline(0, color=QUIET_COLOR, linewidth=1, zorder=0)
        if reference in order:
            ax.axhspan(order.index(reference) - 0.5, order.index(reference) + 0.5, color="#F0F0F0", zorder=-1)
        ax.tick_params(axis="y", length=0)
        ax.locator_params(axis="x", nbins=4)
    axes[0].set_yticks(range(len(order)), order)
    axes[0].set_ylim(len(order) - 0.5, -0.5)
    if len(shown) > 1:
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(shown), frameon=False)
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return figure


def plot_gains_by_table(
    gains: pd.DataFrame, *, arms: Sequence[str], values: Mapping[str, str] | None = None, title: str = ""
) -> Figure:
    """Gains of some arms on each of a few tables: a dot for each split, the mean, and Student's 95 % interval.

    Parameters
    ----------
    gains : DataFrame
        One row for each run, from `causalmix_utils.evaluation.add_gains`: ``table``, ``split``, ``arm`` and `values`.
    arms : sequence of str
        Arms from top to bottom.
    values : mapping of str to str, optional
        Columns to show, from left to right, and how their axes are named; by default `TABLE_VALUES`.
    title : str
        The figure's message.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If a column is missing, or an arm has no runs.

    Notes
    -----
    The splits of one table share rows, so that the intervals are somewhat too narrow.
    """
    import matplotlib.pyplot as plt

    values = TABLE_VALUES if values is None else values
    check_columns("gains", gains, ["table", "split", "arm", *values])
    absent = [arm for arm in arms if arm not in set(gains["arm"])]
    if absent:
        raise ValueError(f"arms names {absent[0]!r}, which has no runs in gains")
    tables = list(dict.fromkeys(gains["table"]))
    size = (9.6, 0.7 + (0.55 + 0.32 * len(arms)) * len(tables))
    figure, axes = plt.subplots(
        len(tables), len(values), figsize=size, layout="constrained", squeeze=False, sharex="col", sharey=True
    )
    looks = {"colors": {arm: arm_color(arm) for arm in arms}, "labels": {arm: arm_label(arm) for arm in arms}}
    for line, table in enumerate(tables):
        for ax, (value, xlabel) in zip(axes[line], values.items(), strict=True):
            runs = gains[(gains["table"] == table) & gains["arm"].isin(arms)]
            wide = runs.pivot_table(index="split", columns="arm", values=value).reindex(columns=list(arms))
            plot_differences(wide, ax=ax, xlabel=xlabel if line == len(tables) - 1 else "", **looks)
        axes[line][0].set_title(table, loc="left", fontsize="small")
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return figure
