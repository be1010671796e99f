"""Figures of how a benchmark is made: which rows serve for what, and how much it can see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from causalmix_utils.plots.style import (
    HIGHLIGHT_COLOR,
    QUIET_COLOR,
    REAL_COLOR,
    SYNTHETIC_COLOR,
    label_ends,
    make_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BLOCKS = {"train T": (0.0, 2.6), "validation V": (2.7, 1.5), "test E": (4.3, 4.2), "synthetic": (8.9, 2.1)}
_CONTEXT, _SCORED, _UNUSED = "context", "scored", ""
_STAGES = {
    "a fine-tuning step": {"train T": "context and query", "synthetic": "context and query"},
    "early stopping": {"train T": _CONTEXT, "validation V": _SCORED},
    "the final model": {"train T": _CONTEXT, "validation V": _CONTEXT, "test E": _SCORED},
}
_SHADES = ["#0072B2", "#009E73", "#D55E00", "#CC79A7", "#000000"]
_LINES = ["-", "--", "-.", ":", "-"]


def plot_protocol(*, sizes: dict[str, int] | None = None, ax: Axes | None = None, title: str = "") -> Axes:
    """Which rows are context, and which are scored, in a step, in early stopping, and in the end.

    Parameters
    ----------
    sizes : dict of str to int, optional
        Numbers of rows to write above the blocks ``"train T"``, ``"validation V"``, ``"test E"`` and
        ``"synthetic"``. The blocks are not drawn to scale.
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
        If `sizes` names another block.
    """
    from matplotlib.patches import Rectangle

    unknown = [name for name in sizes or {} if name not in _BLOCKS]
    if unknown:
        raise ValueError(f"sizes names {unknown[0]!r}; the blocks are {list(_BLOCKS)}")
    ax = make_axes(ax, title=title, size=(8.2, 2.6))
    colors = {_CONTEXT: "#D9E8F3", _SCORED: HIGHLIGHT_COLOR, "context and query": SYNTHETIC_COLOR}
    for name, (left, width) in _BLOCKS.items():
        count = f" ({sizes[name]} rows)" if name in (sizes or {}) else ""
        ax.text(left + width / 2, 3.15, f"{name}{count}".replace(" (", "\n("), ha="center", va="bottom", fontsize=8)
    for line, (stage, roles) in enumerate(_STAGES.items()):
        bottom = 2.2 - line
        ax.text(-0.15, bottom + 0.35, stage, ha="right", va="center", fontsize=9)
        for name, (left, width) in _BLOCKS.items():
            role = roles.get(name, _UNUSED)
            box = Rectangle((left, bottom), width, 0.7, facecolor=colors.get(role, "white"), edgecolor=QUIET_COLOR)
            ax.add_patch(box)
            color = REAL_COLOR if role in (_CONTEXT, _UNUSED) else "white"
            ax.text(left + width / 2, bottom + 0.35, role, ha="center", va="center", fontsize=8, color=color)
    ax.set_xlim(-2.6, 11.1)
    ax.set_ylim(0.1, 4.0)
    ax.set_axis_off()
    return ax


def plot_power(
    power: pd.DataFrame, *, unit: str = "", goal: float = 0.8, ax: Axes | None = None, title: str = ""
) -> Axes:
    """How often a benchmark sees a true difference, by its number of tables: one curve for each difference.

    Parameters
    ----------
    power : DataFrame of shape (n_sizes, n_effects)
        Index: numbers of tables; columns: true differences; values from
        `causalmix_utils.evaluation.simulate_power`.
    unit : str
        Unit of the differences, written at the curves.
    goal : float
        Power to be marked, between 0 and 1.
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
        If `power` is empty or holds values outside of 0 and 1.
    """
    if power.empty:
        raise ValueError("power has no values")
    if not power.stack().between(0, 1).all():
        raise ValueError(f"power must hold shares between 0 and 1, got {power.stack().min()} to {power.stack().max()}")
    ax = make_axes(ax, title=title, xlabel="number of tables", ylabel="power")
    ax.axhline(goal, color=QUIET_COLOR, linewidth=1, linestyle="--", zorder=0)
    ends, colors = {}, {}
    for place, effect in enumerate(power.columns):
        color, name = _SHADES[place % len(_SHADES)], f"{effect:g} {unit}".strip()
        ax.plot(power.index, power[effect], _LINES[place % len(_LINES)], color=color, marker="o", markersize=3)
        ends[name], colors[name] = (power.index[-1], power[effect].iloc[-1]), color
    ax.set_xscale("log", base=2)
    ax.set_xticks(list(power.index), [str(n) for n in power.index])
    ax.minorticks_off()
    ax.set_ylim(-0.03, 1.03)
    label_ends(ax, ends, colors=colors)
    return ax


def plot_tables_needed(
    needed: pd.DataFrame, *, available: int | None = None, unit: str = "", ax: Axes | None = None, title: str = ""
) -> Axes:
    """Number of tables that a comparison needs, over the number of splits of each, one curve for each true difference.

    Parameters
    ----------
    needed : DataFrame of shape (n_split_numbers, n_effects)
        Tables needed; index: splits of a table, columns: true differences.
    available : int, optional
        Number of tables that there are, drawn as a dashed line.
    unit : str
        Unit of the differences, written at the curves.
    ax, title :
        As for `plot_power`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If `needed` is empty.
    """
    if needed.empty:
        raise ValueError("needed has no rows or no columns")
    ax = make_axes(ax, title=title, xlabel="splits of each table", ylabel="tables needed", size=(6.4, 3.4))
    names = {effect: f"{effect:g} {unit}".strip() for effect in needed.columns}
    colors = {name: _SHADES[place % len(_SHADES)] for place, name in enumerate(names.values())}
    for place, (effect, name) in enumerate(names.items()):
        line = _LINES[place % len(_LINES)]
        ax.plot(needed.index, needed[effect], line, color=colors[name], marker="o", markersize=3)
    if available is not None:
        ax.axhline(available, color=QUIET_COLOR, linestyle="--", linewidth=1, zorder=0)
        ax.annotate(
            f"{available} tables", xy=(0.01, available), xycoords=("axes fraction", "data"), xytext=(0, 3),
            textcoords="offset points", fontsize="small", color="#555555",
        )  # fmt: skip
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks(list(needed.index), [str(n) for n in needed.index])
    ax.minorticks_off()
    ticks = [n for n in (5, 10, 20, 50, 100, 200, 500, 1000, 5000) if n <= 2 * needed.max().max()]
    ax.set_yticks(ticks, [str(n) for n in ticks])
    ends = {names[effect]: (needed.index[-1], needed[effect].iloc[-1]) for effect in needed.columns}
    label_ends(ax, ends, colors=colors)
    ax.margins(x=0.12)
    return ax
