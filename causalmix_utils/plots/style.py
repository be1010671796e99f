"""The look that all figures share: one colour for each arm, plain axes, labels at the data.

The colours are those of Okabe and Ito (*Color Universal Design*, 2008), continued with four
of Paul Tol's "muted" scheme, so that they stay apart for readers with a colour-vision
deficiency. A figure never rests on colour alone: labels stand beside the data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ARM_COLORS: dict[str, str] = {
    "zero_shot": "#6E6E6E",
    "default": "#000000",
    "default_again": "#A9A9A9",
    "causal": "#0072B2",
    "causal_blanket": "#56B4E9",
    "ctgan": "#E69F00",
    "tabebm": "#CC79A7",
    "table_augment": "#D55E00",
    "smote": "#009E73",
    "gaussian_copula": "#332288",
    "random_dag": "#882255",
    "permuted_target": "#DDCC77",
    "independent": "#999933",
}
"""One colour for each arm of the benchmark and each generator, the same in every figure."""

ARM_LABELS: dict[str, str] = {
    "zero_shot": "zero-shot",
    "default": "default fine-tuning",
    "default_again": "default, another seed",
    "causal": "CausalMixFT",
    "causal_blanket": "CausalMixFT, blanket kept",
    "ctgan": "CTGAN",
    "tabebm": "TabEBM",
    "table_augment": "TableAugment (our reading)",
    "smote": "SMOTE",
    "gaussian_copula": "Gaussian copula",
    "random_dag": "random DAGs",
    "permuted_target": "permuted target",
    "independent": "independent columns",
}
"""The name of each arm as figures and tables write it."""

REAL_COLOR = "#000000"
SYNTHETIC_COLOR = "#0072B2"
HIGHLIGHT_COLOR = "#D55E00"
QUIET_COLOR = "#A9A9A9"


def arm_color(arm: str) -> str:
    """Colour of an arm; one that is not in `ARM_COLORS` is drawn in a quiet grey."""
    return ARM_COLORS.get(arm, QUIET_COLOR)


def arm_label(arm: str) -> str:
    """Name of an arm for a reader; one that is not in `ARM_LABELS` keeps its own name."""
    return ARM_LABELS.get(arm, str(arm).replace("_", " "))


def make_axes(
    ax: Axes | None = None, *, title: str = "", xlabel: str = "", ylabel: str = "", size: Sequence[float] = (6.4, 4.0)
) -> Axes:
    """The axes given, or new ones of `size` inches, with the book's plain look.

    Parameters
    ----------
    ax : Axes, optional
        Axes to style and return. None makes a new figure.
    title : str
        The figure's message in one line, set flush left.
    xlabel, ylabel : str
        Axis labels with their units.
    size : pair of float
        Width and height in inches; used only when a figure is made.

    Returns
    -------
    matplotlib.axes.Axes
    """
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.subplots(figsize=tuple(size), layout="constrained")[1]
    ax.spines[["top", "right"]].set_visible(False)
    if title:
        ax.set_title(title, loc="left", fontsize="medium")
    if xlabel:
        ax.set_xlabel(xlabel)
    if ylabel:
        ax.set_ylabel(ylabel)
    return ax


def label_directly(ax: Axes, x: float, y: float, text: str, *, color: str, offset: Sequence[float] = (5, 0)) -> None:
    """Write `text` beside the point (x, y) in data units, `offset` points away, instead of a legend."""
    ax.annotate(
        text,
        xy=(x, y),
        xytext=tuple(offset),
        textcoords="offset points",
        color=color,
        va="center",
        fontsize="small",
        annotation_clip=False,
    )


def label_ends(
    ax: Axes, ends: Mapping[str, tuple[float, float]], *, colors: Mapping[str, str], min_gap: float = 11.0
) -> None:
    """Write names at the right ends of curves, moved up or down where they would cover each other.

    Parameters
    ----------
    ax : Axes
        With its limits as they will be.
    ends : mapping of name to (x, y)
        Where the curves end, in data units.
    colors : mapping of name to str
        Colour of each name.
    min_gap : float
        Smallest vertical distance of two names, in points.
    """
    points_per_pixel = 72 / ax.figure.dpi
    heights = {name: ax.transData.transform(end)[1] * points_per_pixel for name, end in ends.items()}
    order = sorted(heights, key=heights.get)
    placed: list[float] = []
    for name in order:
        placed.append(max(heights[name], placed[-1] + min_gap) if placed else heights[name])
    # Moving names up only would carry a crowd away from its curves: shift it back to where they end on average.
    shift = (sum(placed) - sum(heights.values())) / len(placed) if placed else 0.0
    for name, height in zip(order, placed, strict=True):
        label_directly(ax, *ends[name], name, color=colors[name], offset=(5, height - shift - heights[name]))
