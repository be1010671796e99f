"""Figures about structural causal models themselves: what their mechanisms save, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from causalmix_utils.arguments import check_columns
from causalmix_utils.plots.style import QUIET_COLOR, make_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KIND_COLORS = {"linear": "#E69F00", "boosting": "#0072B2", "auto": "#009E73"}
"""One colour for each kind of mechanism, the same in every figure."""


def plot_skills(runs: Mapping[str, Sequence[pd.DataFrame]], *, ax: Axes | None = None, title: str = "") -> Axes:
    """What the mechanisms of a model save by knowing the parents, one line a node.

    Parameters
    ----------
    runs : dict of str to sequence of DataFrame
        By kind of mechanism, results of `causalmix_utils.scm.diagnose_mechanisms` for the same nodes, each with other
        rows or folds. A dot is their mean, a line their range.
    ax : Axes, optional
    title : str
        The figure's message.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there is no run, or no node has a skill.
    """
    if not runs or not all(runs.values()):
        raise ValueError("runs must hold at least one DataFrame for each kind")
    skills = {kind: pd.concat([nodes["skill"] for nodes in frames], axis=1) for kind, frames in runs.items()}
    best = pd.concat([skill.mean(axis=1) for skill in skills.values()], axis=1).max(axis=1).dropna()
    if best.empty:
        raise ValueError("runs hold no node with a skill")
    order = list(best.sort_values(kind="stable").index)
    ax = make_axes(ax, xlabel="share of the score saved by the parents", title=title, size=(7, 0.9 + 0.34 * len(order)))
    step = 0.3 if len(skills) > 1 else 0.0
    for number, (kind, skill) in enumerate(skills.items()):
        color, shift = KIND_COLORS.get(kind, QUIET_COLOR), step * (number - (len(skills) - 1) / 2)
        for place, node in enumerate(order):
            values = skill.loc[node]
            ax.plot([values.min(), values.max()], [place + shift] * 2, color=color, linewidth=1.5)
            ax.plot(values.mean(), place + shift, "o", color=color, markersize=5, label=kind if place == 0 else None)
    ax.axvline(0, color=QUIET_COLOR, linewidth=1, zorder=0)
    ax.set_yticks(range(len(order)), order)
    ax.tick_params(axis="y", length=0)
    if len(skills) > 1:
        ax.legend(frameon=False, fontsize="small", loc="lower right")
    return ax


def plot_scm_cost(growth: pd.DataFrame, *, title: str = "") -> Figure:
    """How seconds and memory of a model grow with the rows, and with the features, of its table.

    Parameters
    ----------
    growth : DataFrame
        One row a measurement, as ``benchmarks/measure_scm.py`` stores them: ``kind``, ``rows``, ``features``,
        ``fit_seconds``, ``sample_seconds`` (of 1,000 rows) and ``peak_mb``. Lines go through the measurements at the
        most frequent number of features, and of rows.
    title : str
        The figure's message.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If a column is missing or there are no rows.
    """
    import matplotlib.pyplot as plt

    needed = ["kind", "rows", "features", "fit_seconds", "sample_seconds", "peak_mb"]
    check_columns("growth", growth, needed, allow_empty=False)
    figure, axes = plt.subplots(2, 2, figsize=(8.4, 5.2), sharex="col", sharey="row", layout="constrained")
    for column, (varied, fixed) in enumerate((("rows", "features"), ("features", "rows"))):
        usual = growth[fixed].mode().iloc[0]
        part = growth[growth[fixed] == usual].sort_values(varied)
        for kind, lines in part.groupby("kind"):
            color = KIND_COLORS.get(kind, QUIET_COLOR)
            axes[0, column].plot(lines[varied], lines["fit_seconds"], "o-", color=color, label=f"{kind}: fit")
            axes[0, column].plot(
                lines[varied], lines["sample_seconds"], "s:", color=color, label=f"{kind}: draw 1,000 rows"
            )
            axes[1, column].plot(lines[varied], lines["peak_mb"].clip(lower=1), "o-", color=color, label=kind)
        make_axes(axes[1, column], xlabel=f"{varied} ({int(usual):,} {fixed})")
        make_axes(axes[0, column])
        measured = sorted(part[varied].unique())
        axes[0, column].set_xscale("log")
        axes[0, column].set_xticks(measured, [f"{int(value):,}" for value in measured])
        axes[0, column].minorticks_off()
    axes[0, 0].set_ylabel("seconds of one core")
    axes[1, 0].set_ylabel("additional memory (MB)")
    for ax in axes.flat:
        ax.set_yscale("log")
    axes[0, 0].legend(frameon=False, fontsize="x-small")
    axes[1, 0].legend(frameon=False, fontsize="x-small")
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return figure
