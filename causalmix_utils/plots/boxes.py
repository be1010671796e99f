"""Named boxes and the lines between them, of which the figures of marks are made.

All lengths at an edge's ends (box, circle, arrowhead) are in points and the axes have equal scales, so that a
drawing keeps its proportions in a figure of any size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from causalmix_utils.plots.style import HIGHLIGHT_COLOR, make_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TAIL, ARROWHEAD, CIRCLE = -1, 1, 2
"""Marks at the ends of edges, in causal-learn's code."""

_FONT_SIZE = 8.5
_PADDING = 3.5  # Points between a name and its box.
_CIRCLE_SIZE = 6.5  # Points across.
_WIDENING = 0.7  # Below 1 it moves the places of a ring away from its top and bottom.


def place_in_ring(nodes: Sequence[str], *, width: float = 4.2, height: float = 3.0) -> dict[str, tuple[float, float]]:
    """Places in an oval ring of the given half axes, clockwise from the top, the same for the same order of nodes.

    At the top and the bottom, where wide boxes would touch, the places are further apart than on an ellipse.

    Examples
    --------
    >>> places = place_in_ring(["top", "right", "bottom", "left"], width=2.0, height=1.0)
    >>> places["right"], round(places["top"][1])
    ((2.0, 0.0), 1)
    """
    angles = np.pi / 2 - 2 * np.pi * np.arange(len(nodes)) / max(len(nodes), 1)
    x = width * np.sign(np.cos(angles)) * np.abs(np.cos(angles)) ** _WIDENING
    return {node: (float(a), float(b)) for node, a, b in zip(nodes, x, height * np.sin(angles), strict=True)}


def prepare_canvas(
    ax: Axes | None,
    nodes: Sequence[str],
    positions: Mapping[str, tuple[float, float]],
    *,
    title: str,
    size: tuple[float, float] | None = None,
) -> Axes:
    """Axes without lines and with equal scales, that hold the boxes of all nodes."""
    without = [node for node in nodes if node not in positions]
    if without:
        raise ValueError(f"positions lacks the node {without[0]!r}")
    size = size or ((9.6, 6.4) if len(nodes) > 12 else (6.4, 4.0))
    ax = make_axes(ax, title=title, size=size)
    ax.set_axis_off()
    ax.set_aspect("equal")
    x, y = np.array([positions[node] for node in nodes], dtype=float).reshape(-1, 2).T
    ax.set_xlim(x.min(initial=0) - 0.75, x.max(initial=0) + 0.75)
    ax.set_ylim(y.min(initial=0) - 0.4, y.max(initial=0) + 0.4)
    return ax


def draw_box(ax: Axes, text: str, place: tuple[float, float], *, marked: bool = False) -> np.ndarray:
    """Draw a box with a text in it; returns its half width and half height in points."""
    from matplotlib.textpath import TextPath

    ax.text(
        *place,
        text,
        ha="center",
        va="center",
        fontsize=_FONT_SIZE,
        fontweight="bold" if marked else "normal",
        color="white" if marked else "black",
        bbox={
            "boxstyle": f"round,pad={_PADDING / _FONT_SIZE}",
            "facecolor": HIGHLIGHT_COLOR if marked else "#F2F2F2",
            "edgecolor": HIGHLIGHT_COLOR if marked else "#8A8A8A",
            "linewidth": 0.8,
        },
        zorder=3,
    )
    lines = text.split("\n")
    width = max(TextPath((0, 0), line or " ", size=_FONT_SIZE).get_extents().width for line in lines)
    return np.array([width * (1.1 if marked else 1.0), 1.2 * _FONT_SIZE * len(lines)]) / 2 + _PADDING + 1


def draw_line(
    ax: Axes,
    places: Sequence[tuple[float, float]],
    boxes: Sequence[np.ndarray],
    marks: tuple[int, int],
    *,
    color: str,
    width: float,
    bend: float = 0.0,
    style: str = "-",
) -> None:
    """Draw a line between two boxes, with the mark of each end at its box.

    Parameters
    ----------
    ax : Axes
        From `prepare_canvas`.
    places : pair of (float, float)
        Centres of the boxes.
    boxes : pair of ndarray
        What `draw_box` returned for each.
    marks : pair of int
        The mark at the first and at the second box.
    color : str
    width : float
        In points.
    bend : float
        Bulge of the line as a share of its length; circles fit straight lines only.
    style : str
        Of the line, as matplotlib names it.
    """
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.transforms import ScaledTranslation

    start, end = (np.asarray(place, dtype=float) for place in places)
    direction = (end - start) / max(float(np.hypot(*(end - start))), 1e-9)
    # Where the line leaves a box: at its left or right side, or at its top or bottom, whichever comes first.
    gaps = [float(np.min(box / np.maximum(np.abs(direction), 1e-9))) for box in boxes]
    arrows = {(False, False): "-", (False, True): "-|>", (True, False): "<|-", (True, True): "<|-|>"}
    shrink = [gap + (_CIRCLE_SIZE if mark == CIRCLE else 0) for gap, mark in zip(gaps, marks, strict=True)]
    ax.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle=arrows[marks[0] == ARROWHEAD, marks[1] == ARROWHEAD],
            connectionstyle=f"arc3,rad={bend}",
            mutation_scale=9 + width,
            shrinkA=shrink[0],
            shrinkB=shrink[1],
            color=color,
            linewidth=width,
            linestyle=style,
            zorder=2,
        )
    )
    for place, way, gap, mark in zip((start, end), (direction, -direction), gaps, marks, strict=True):
        if mark == CIRCLE:
            offset = ScaledTranslation(*(way * (gap + _CIRCLE_SIZE / 2) / 72), ax.figure.dpi_scale_trans)
            ax.plot(
                *place,
                marker="o",
                markersize=_CIRCLE_SIZE - 1,
                markerfacecolor="white",
                markeredgecolor=color,
                transform=ax.transData + offset,
                zorder=2.5,
            )
