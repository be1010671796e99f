"""Figures of how far an answer depends on choices: a comparison in variants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_choice
from causalmix_utils.evaluation import describe_variant
from causalmix_utils.plots.results import VALUE_LABELS
from causalmix_utils.plots.style import QUIET_COLOR, arm_color, arm_label, make_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKERS = "osD^vP*X"
_FEW_TABLES = 6


def plot_variants(
    compared: pd.DataFrame,
    *,
    value: str = "gain_points",
    arms: Sequence[str] | None = None,
    baseline: str = "default",
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Forest plot: one line for each variant, with each arm's median difference from the baseline and its interval.

    Parameters
    ----------
    compared : DataFrame
        See `causalmix_utils.evaluation.compare_variants`. Its first variant stands on top, on a grey ground.
    value : str
        The metric to show.
    arms : sequence of str, optional
        Arms to show, at most eight; by default the first three.
    baseline : str
        The arm that the others were compared with; it names the axis.
    ax : Axes, optional
        Axes to draw into; None makes a figure.
    title : str
        The figure's message.

    Returns
    -------
    matplotlib.axes.Axes
        Variants of fewer than six tables have open marks: with so few, no outcome of Wilcoxon's test is significant at
        0.05, and the interval is a rough one: it does not set the scale, and is cut with an arrowhead where it reaches
        beyond. The number of tables stands behind a variant's name.

    Raises
    ------
    ValueError
        If `compared` holds nothing of `value` or of one of the arms, or there are more than eight of them.
    """
    check_choice("value", value, list(compared["value"].unique()))
    shown = compared[compared["value"] == value]
    arms = list(shown["arm"].unique()[:3]) if arms is None else list(arms)
    absent = [arm for arm in arms if arm not in set(shown["arm"])]
    if absent or not 1 <= len(arms) <= len(_MARKERS):
        raise ValueError(f"arms must be one to eight of {list(shown['arm'].unique())}, got {arms}")
    shown = shown[shown["arm"].isin(arms)]
    variants = list(shown["variant"].unique())
    ax = make_axes(ax, title=title, size=(7.2, 1.3 + (0.22 + 0.12 * len(arms)) * len(variants)))
    left, right = _find_scale(shown)
    offsets = np.linspace(-0.27, 0.27, len(arms)) if len(arms) > 1 else [0.0]
    for arm, offset, marker in zip(arms, offsets, _MARKERS, strict=False):
        for _, row in shown[shown["arm"] == arm].iterrows():
            height, color = variants.index(row["variant"]) + offset, arm_color(arm)
            if np.isfinite(row["low"]):
                ends = np.clip([row["low"], row["high"]], left, right)
                ax.plot(ends, [height] * 2, color=color, linewidth=1.8, solid_capstyle="butt")
                for end, whole, head in zip(ends, (row["low"], row["high"]), "<>", strict=True):
                    if end != whole:
                        ax.plot(end, height, head, markersize=5.5, color=color, clip_on=False)
            face = "white" if row["n_tables"] < _FEW_TABLES else color
            ax.plot(row["median_difference"], height, marker, markersize=5.5, color=color, markerfacecolor=face)
        ax.plot([], [], marker, color=arm_color(arm), label=arm_label(arm))
    counts = shown.groupby("variant")["n_tables"].max()
    ax.set_yticks(range(len(variants)), [f"{describe_variant(name)} ({counts[name]})" for name in variants])
    ax.set_ylim(len(variants) - 0.5, -0.5)
    ax.set_xlim(left, right)
    ax.axhspan(-0.5, 0.5, color="#F0F0F0", zorder=-2)
    ax.axvline(0, color=QUIET_COLOR, linewidth=1, zorder=-1)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(f"{VALUE_LABELS.get(value, value)}, arm minus {arm_label(baseline)}: median over tables")
    # The marks of a line lie close together and their order is no message: a legend, above the lines.
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1.0), ncols=min(4, len(arms)), frameon=False, fontsize="small")
    ax.set_title(title, loc="left", fontsize="medium", pad=10 + 15 * np.ceil(len(arms) / 4))
    return ax


def _find_scale(shown: pd.DataFrame) -> tuple[float, float]:
    """Where the axis begins and ends: all medians, and the intervals of variants with enough tables, are inside."""
    judged = shown[shown["n_tables"] >= _FEW_TABLES]
    inside = np.concatenate(
        [shown["median_difference"], *(judged if len(judged) else shown)[["low", "high"]].to_numpy()]
    )
    left, right = min(np.nanmin(inside), 0.0), max(np.nanmax(inside), 0.0)
    margin = 0.08 * (right - left) or 1.0
    return left - margin, right + margin
