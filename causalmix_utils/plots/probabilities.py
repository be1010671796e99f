"""Figures of edge probabilities: a heat map, beside it the target's neighbourhood, and intervals over resamples."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from causalmix_utils.plots.style import HIGHLIGHT_COLOR, QUIET_COLOR, SYNTHETIC_COLOR, make_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_NUMBERS = 12  # Columns up to which every probability is written into its cell.
_FONT_SIZES = (6.5, 9.0)  # Smallest and largest type of the names, in points.
_LARGEST = 9.0  # Inches: larger figures are scaled down on a page, and their labels with them.
_LONGEST = 28  # Characters of a name.


def plot_edge_probabilities(
    P: pd.DataFrame, *, ax: Axes | None = None, target: str | None = None, title: str = ""
) -> Axes:
    """Draw edge probabilities as a heat map, causes as rows and effects as columns.

    Parameters
    ----------
    P : DataFrame of shape (n, n)
        From `causalmix_utils.discovery.edge_probabilities`. Where not all names have room, those of
        the target and its most probable neighbours stand.
    ax : Axes, optional
        Where to draw. None makes a figure whose size follows the number of columns.
    target : str, optional
        Column whose name is marked; the last one by default.
    title : str
        The figure's message.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If `P` is not a matrix of edge probabilities, or `target` not one of its columns.
    """
    from causalmix_utils.discovery.matrix import find_target
    from causalmix_utils.graphs import check_edge_probabilities

    check_edge_probabilities(P)
    place = P.columns.get_loc(find_target(P, target))
    size = min(max(4.5, 0.27 * len(P) + 2.2), _LARGEST)
    ax = make_axes(ax, title=title, size=(size + 0.6, size))
    image = ax.imshow(P.to_numpy(dtype=float), cmap="Blues", vmin=0, vmax=1)
    row_height = 0.65 * 72 * min(ax.figure.get_size_inches()) / len(P)  # Points; the names take the rest of the figure.
    fontsize = float(np.clip(0.9 * row_height, *_FONT_SIZES))
    shown = _choose_labels(P, place, apart=math.ceil(fontsize / row_height - 0.15))
    names = [_shorten(P.columns[k]) for k in shown]
    ax.set_xticks(shown, names, rotation=90, fontsize=fontsize)
    ax.set_yticks(shown, names, fontsize=fontsize)
    ax.set_ylabel("cause")
    ax.set_xlabel("effect")
    for ticks in (ax.get_xticklabels(), ax.get_yticklabels()):
        ticks[shown.index(place)].set(color=HIGHLIGHT_COLOR, fontweight="bold")
    if len(P) <= _MOST_NUMBERS:
        for (row, column), value in np.ndenumerate(P.to_numpy(dtype=float)):
            if value >= 0.005:
                color = "white" if value > 0.6 else "black"
                ax.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=7, color=color)
    ax.figure.colorbar(image, ax=ax, label="probability of the edge", shrink=0.6, pad=0.02)
    return ax


def plot_edge_stability(
    stability: pd.DataFrame,
    *,
    target: str | None = None,
    threshold: float = 0.5,
    most: int = 25,
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Draw the probability of each edge with its interval over resamples.

    Parameters
    ----------
    stability : DataFrame
        From `causalmix_utils.discovery.edge_stability`.
    target : str, optional
        Only edges at this column; all by default.
    threshold : float
        As it was given to `edge_stability`; drawn as a line.
    most : int
        Edges are drawn from the most probable down, at most this many.
    ax, title
        As in `plot_edge_probabilities`.

    Returns
    -------
    matplotlib.axes.Axes
        Stable edges are blue with a filled dot, the others grey with an open one.

    Raises
    ------
    ValueError
        If no edge is left to draw.
    """
    rows = stability
    if target is not None:
        rows = rows[(rows["source"] == target) | (rows["target"] == target)]
    rows = rows.head(most)
    if rows.empty:
        raise ValueError(f"stability has no edge{'' if target is None else f' at {target!r}'}")
    ax = make_axes(ax, title=title, xlabel="probability of the edge", size=(6.8, 1.0 + 0.24 * len(rows)))
    names = []
    for place, row in enumerate(rows.itertuples()):
        color = SYNTHETIC_COLOR if row.stable else QUIET_COLOR
        ax.plot([row.low, row.high], [place, place], color=color, linewidth=2.5, solid_capstyle="butt")
        ax.plot(row.probability, place, "o", color=color, markerfacecolor=color if row.stable else "white")
        ends = [name for name in (row.source, row.target) if name != target]
        names.append(" – ".join(map(_shorten, ends)))
    ax.axvline(threshold, color=HIGHLIGHT_COLOR, linestyle="--", linewidth=1, zorder=0)
    ax.set_yticks(range(len(names)), names, fontsize="small")
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_xlim(0, 1.02)
    return ax


def _choose_labels(P: pd.DataFrame, target: int, *, apart: int) -> list[int]:
    """Places of the columns that are named: all, or the target and its neighbours, each `apart` from likelier ones."""
    if apart <= 1:
        return list(range(len(P)))
    values = P.to_numpy(dtype=float)
    pairs = values[target] + values[:, target]
    shown = [target]
    for place in np.argsort(-pairs, kind="stable").tolist():
        if pairs[place] >= 0.05 and all(abs(place - other) >= apart for other in shown):
            shown.append(place)
    return sorted(shown)


def _shorten(name: object) -> str:
    text = str(name)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
