"""Figures of claims: comparisons with their intervals, what a median ± spread hides, and what chance does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from causalmix_utils.evaluation.claims.evidence import HOLDS, UNTOLD
from causalmix_utils.plots.style import (
    HIGHLIGHT_COLOR,
    QUIET_COLOR,
    REAL_COLOR,
    arm_color,
    arm_label,
    make_axes,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from causalmix_utils.evaluation.claims import Comparison


def plot_comparisons(
    comparisons: Sequence[Comparison], *, ax: Axes | None = None, xlabel: str = "", title: str = ""
) -> Axes:
    """One line for each comparison: estimate, interval over tables, and how far leaving out one table moves it.

    The estimate's mark is filled where the comparison holds, open where it is contradicted, and pale where nothing
    can be told. A thin grey line spans the estimates without any one table.

    Parameters
    ----------
    comparisons : sequence of Comparison
        On one scale; see `causalmix_utils.evaluation.claims`.
    ax : Axes, optional
        Axes to draw into; None makes a figure.
    xlabel : str
        The common scale.
    title : str
        The figure's message.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there are no comparisons.
    """
    from matplotlib.ticker import MaxNLocator

    if not comparisons:
        raise ValueError("comparisons is empty")
    ax = make_axes(ax, title=title, xlabel=xlabel, size=(7.2, 1.1 + 0.42 * len(comparisons)))
    for line, comparison in enumerate(comparisons):
        color = arm_color(comparison.against or comparison.arm)
        ax.plot(comparison.without_one, [line + 0.22] * 2, color=QUIET_COLOR, linewidth=2, solid_capstyle="butt")
        if np.isfinite(comparison.low):
            ends = [comparison.low, comparison.high]
            ax.plot(ends, [line, line], color=color, linewidth=2.5, solid_capstyle="butt")
        face = color if comparison.status == HOLDS else "white"
        ax.plot(comparison.estimate, line, "o", markersize=8, markerfacecolor=face, markeredgecolor=color)
        if comparison.status == UNTOLD:
            ax.plot(comparison.estimate, line, "o", markersize=4, color=color, alpha=0.45)
        if comparison.claimed is not None:
            ax.plot(comparison.claimed, line, "|", markersize=16, markeredgewidth=2, color=HIGHLIGHT_COLOR)
            ax.annotate(
                "claimed",
                xy=(comparison.claimed, line),
                xytext=(0, 9),
                textcoords="offset points",
                ha="center",
                fontsize="small",
                color=HIGHLIGHT_COLOR,
            )
    for null in sorted({comparison.null for comparison in comparisons}):
        ax.axvline(null, color=QUIET_COLOR, linewidth=1, zorder=0)
    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.set_yticks(range(len(comparisons)), [label_comparison(comparison) for comparison in comparisons])
    ax.set_ylim(len(comparisons) - 0.5, -0.6)
    ax.tick_params(axis="y", length=0)
    return ax


def label_comparison(comparison: Comparison) -> str:
    """The arms of a comparison as figures and pages write them."""
    if not comparison.against:
        return arm_label(comparison.arm)
    sign = "/" if comparison.kind == "ratio" else "−"
    pair = (comparison.arm, comparison.against)
    first, second = reversed(pair) if comparison.kind == "ranks" else pair
    return f"{arm_label(first)} {sign} {arm_label(second)}"


def plot_same_summary(
    samples: Mapping[str, np.ndarray], *, ax: Axes | None = None, xlabel: str = "", title: str = ""
) -> Axes:
    """Samples on one scale: a dot for each table, the median, and the median ± one standard deviation.

    Parameters
    ----------
    samples : mapping of name to array of shape (n_tables,)
    ax, xlabel, title :
        As for `plot_comparisons`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there are no samples.
    """
    if not samples:
        raise ValueError("samples is empty")
    ax = make_axes(ax, title=title, xlabel=xlabel, size=(7.2, 1.2 + 0.75 * len(samples)))
    for line, values in enumerate(samples.values()):
        values = np.sort(np.asarray(values, dtype=float))
        median, spread = np.median(values), np.std(values, ddof=1)
        heights = line + 0.18 * np.cos(np.arange(len(values)) * 2.4)
        losing = values < 0
        ax.scatter(values[~losing], heights[~losing], s=16, color=REAL_COLOR, alpha=0.5, linewidths=0)
        ax.scatter(values[losing], heights[losing], s=22, color=HIGHLIGHT_COLOR, marker="v", alpha=0.7, linewidths=0)
        ax.errorbar(median, line + 0.33, xerr=spread, fmt="D", color="#0072B2", capsize=4, markersize=5)
        ax.annotate(
            f"{losing.sum()} of {len(values)} tables lose",
            xy=(0.01, line),
            xycoords=("axes fraction", "data"),
            ha="left",
            va="bottom",
            fontsize="small",
            color=HIGHLIGHT_COLOR,
            xytext=(0, 12),
            textcoords="offset points",
        )
    ax.axvline(0, color=QUIET_COLOR, linewidth=1, zorder=0)
    ax.set_yticks(range(len(samples)), list(samples))
    ax.set_ylim(len(samples) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    return ax


def plot_luck(
    outcomes: Mapping[str, np.ndarray], *, claimed: float, ax: Axes | None = None, xlabel: str = "", title: str = ""
) -> Axes:
    """Distributions of what luck alone gives, and the claimed number.

    Parameters
    ----------
    outcomes : mapping of name to array
        Simulated outcomes without any effect.
    claimed : float
    ax, xlabel, title :
        As for `plot_comparisons`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there are no outcomes.
    """
    if not outcomes:
        raise ValueError("outcomes is empty")
    ax = make_axes(ax, title=title, xlabel=xlabel, ylabel="share of simulations", size=(7.2, 3.2))
    values = np.concatenate(list(outcomes.values()))
    bins = np.linspace(values.min(), values.max(), 46)
    colors, styles = ("#0072B2", "#56B4E9", "#332288", "#999933"), ("-", "--", ":", "-.")
    for number, (name, sample) in enumerate(outcomes.items()):
        counts, _ = np.histogram(sample, bins=bins)
        reached = float(np.mean(sample >= claimed))
        ax.plot(
            (bins[1:] + bins[:-1]) / 2,
            counts / len(sample),
            styles[number % len(styles)],
            color=colors[number % len(colors)],
            label=f"{name}: {100 * reached:.0f} % reach it",
        )
    ax.axvline(claimed, color=HIGHLIGHT_COLOR, linewidth=1.5)
    ax.annotate(
        f" claimed {claimed:+.2f}",
        xy=(claimed, 1),
        xycoords=("data", "axes fraction"),
        va="top",
        color=HIGHLIGHT_COLOR,
        fontsize="small",
    )
    ax.set_ylim(bottom=0)
    # Humps that overlap have no ends to write a name at.
    ax.legend(frameon=False, fontsize="small", loc="upper left")
    return ax


def plot_left_out(
    estimates: pd.DataFrame, *, full: pd.Series, ax: Axes | None = None, xlabel: str = "", title: str = ""
) -> Axes:
    """How much a number over tables depends on a single one: the number without each table, and with all.

    Parameters
    ----------
    estimates : DataFrame of shape (n_tables, n_arms)
        The number without the table of the index.
    full : Series
        The number with all tables, for each arm.
    ax, xlabel, title :
        As for `plot_comparisons`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If `estimates` is empty.
    """
    if estimates.empty:
        raise ValueError("estimates has no rows or no columns")
    ax = make_axes(ax, title=title, xlabel=xlabel, size=(7.2, 1.0 + 0.42 * estimates.shape[1]))
    for line, arm in enumerate(estimates):
        color, values = arm_color(arm), estimates[arm].dropna()
        ax.scatter(values, np.full(len(values), line), s=20, color=color, alpha=0.5, linewidths=0)
        ax.plot(full[arm], line, "|", markersize=18, markeredgewidth=2.5, color=color)
        if len(values):
            farthest = (values - full[arm]).abs().idxmax()
            ax.annotate(
                f"without {farthest}",
                xy=(values[farthest], line),
                xytext=(0, 6),
                textcoords="offset points",
                ha="center",
                fontsize="x-small",
                color="#555555",
            )
    ax.margins(x=0.14)
    ax.set_yticks(range(estimates.shape[1]), [arm_label(arm) for arm in estimates])
    ax.set_ylim(estimates.shape[1] - 0.5, -0.7)
    ax.tick_params(axis="y", length=0)
    return ax
