"""Figures of what the arms of a benchmark cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from causalmix_utils.plots.style import arm_color, arm_label, make_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STAGES: dict[str, tuple[str, str]] = {
    "discovery": ("causal discovery", "#0072B2"),
    "generator_fit": ("fit the generator", "#56B4E9"),
    "generator_sample": ("sample rows", "#009E73"),
    "fine_tuning": ("fine-tune", "#E69F00"),
    "predict": ("predict", "#CC79A7"),
}
"""The stages of a run in their order: name in figures and colour."""


def plot_stage_costs(
    seconds: pd.DataFrame, *, memory: pd.Series | None = None, ax: Axes | None = None, title: str = ""
) -> Axes:
    """One bar for each arm, made of the seconds of its stages.

    Parameters
    ----------
    seconds : DataFrame of shape (n_arms, n_stages)
        Index: arms, from top to bottom; columns: some of `STAGES`. NaN where an arm has no such stage.
    memory : Series, optional
        Peak memory of each arm in megabytes, written behind the bars.
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
        If `seconds` is empty or has a column that is no stage.
    """
    if seconds.empty:
        raise ValueError("seconds has no rows or no columns")
    unknown = [stage for stage in seconds if stage not in STAGES]
    if unknown:
        raise ValueError(f"seconds has the column {unknown[0]!r}; the stages are {list(STAGES)}")
    ax = make_axes(ax, xlabel="seconds of one processor core", size=(7.2, 1.3 + 0.3 * len(seconds)))
    left = pd.Series(0.0, index=seconds.index)
    for stage, (label, color) in STAGES.items():
        if stage in seconds:
            width = seconds[stage].fillna(0.0)
            ax.barh(range(len(seconds)), width, left=left, height=0.66, color=color, label=label)
            left += width
    if memory is not None:
        for line, arm in enumerate(seconds.index):
            text = f" {memory[arm] / 1000:.1f} GB"
            ax.text(left[arm], line, text, va="center", fontsize="small", color="#555555")
        ax.margins(x=0.1)
    ax.set_yticks(range(len(seconds)), [arm_label(arm) for arm in seconds.index])
    for tick, arm in zip(ax.get_yticklabels(), seconds.index, strict=True):
        tick.set_color(arm_color(arm))
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    # Parts of stacked bars are too short to write into: a legend, above the bars.
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1.0), ncols=5, frameon=False, fontsize="small", columnspacing=1.0)
    ax.set_title(title, loc="left", fontsize="medium", pad=24)
    return ax
