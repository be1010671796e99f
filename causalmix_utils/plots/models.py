"""Figures of prior-fitted networks and of their fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_columns
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
    from matplotlib.figure import Figure

_CLASS_COLORS = ("#56B4E9", "#E69F00", "#009E73")
_PALE = {"real": "#BFBFBF", "synthetic": "#A6CBE3"}


def plot_prior_fitted_network(ax: Axes | None = None, *, title: str = "") -> Axes:
    """Drawing of the idea: trained once on many made-up tables, then asked about one real table.

    Parameters
    ----------
    ax : Axes, optional
        Axes to draw into; None makes a figure.
    title : str
        The figure's message.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = make_axes(ax, title=title, size=(8.6, 3.9))
    ax.set(xlim=(0, 10.4), ylim=(0, 4.6))
    ax.set_axis_off()
    rng = np.random.default_rng(0)
    for shift in (0.5, 0.25, 0.0):
        _draw_small_table(ax, 0.3 + shift, 2.75 + 0.45 * shift, n_context=3, n_query=2, rng=rng)
    _draw_small_table(ax, 0.42, 0.35, n_context=3, n_query=2, rng=rng, hide_queries=True)
    ax.text(0.3, 4.35, "many made-up tables", fontsize="small", va="center")
    ax.text(0.3, 1.85, "your table", fontsize="small", va="center")
    ax.text(2.3, 1.05, "context rows", fontsize="x-small", va="center")
    ax.text(2.3, 0.5, "query rows", fontsize="x-small", va="center")
    _draw_box(ax, 4.6, 0.35, 2.1, 3.6, "one\nnetwork")
    _draw_arrow(ax, (2.9, 3.35), (4.5, 3.35), HIGHLIGHT_COLOR)
    _draw_arrow(ax, (3.5, 0.8), (4.5, 0.8), SYNTHETIC_COLOR)
    _draw_arrow(ax, (6.8, 3.35), (7.6, 3.35), HIGHLIGHT_COLOR)
    _draw_arrow(ax, (6.8, 0.8), (7.6, 0.8), SYNTHETIC_COLOR)
    for height, text, color in (
        (3.35, "pretraining, once:\nthe weights change until\nquery labels are predicted", HIGHLIGHT_COLOR),
        (0.8, "prediction, one forward pass:\na probability of each class,\nand the weights stay", SYNTHETIC_COLOR),
    ):
        ax.text(7.7, height, text, fontsize="small", va="center", color=color)
    return ax


def _draw_small_table(
    ax: Axes,
    x: float,
    y: float,
    *,
    n_context: int,
    n_query: int,
    rng: np.random.Generator,
    hide_queries: bool = False,
) -> None:
    """A small grid whose last column holds class labels; query rows are at the bottom, below a gap."""
    from matplotlib.patches import Rectangle

    width, height, n_features = 0.42, 0.24, 3
    colors = list(_CLASS_COLORS)
    for row in range(n_context + n_query):
        is_query = row >= n_context
        bottom = y + (n_context + n_query - 1 - row) * height - (0.08 if is_query else 0.0)
        for column in range(n_features):
            shade = str(round(rng.uniform(0.75, 0.97), 2))
            ax.add_patch(Rectangle((x + column * width, bottom), width, height, facecolor=shade, edgecolor="white"))
        left = x + n_features * width
        hidden = is_query and hide_queries
        color = "white" if hidden else colors[rng.integers(len(colors))]
        ax.add_patch(Rectangle((left, bottom), width, height, facecolor=color, edgecolor="#888888", linewidth=0.6))
        if hidden:
            ax.text(left + width / 2, bottom + height / 2, "?", ha="center", va="center", fontsize="x-small")


def _draw_box(ax: Axes, x: float, y: float, width: float, height: float, text: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    shape = FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0.05", facecolor="#F2F2F2", edgecolor="#555555")
    ax.add_patch(shape)
    ax.text(x + width / 2, y + height / 2, text, ha="center", va="center")


def _draw_arrow(ax: Axes, start: Sequence[float], end: Sequence[float], color: str) -> None:
    ax.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "-|>", "color": color, "linewidth": 2})


def plot_step_rows(
    steps: Sequence[tuple[np.ndarray, np.ndarray]],
    *,
    n_real: int,
    n_rows: int,
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Which rows of the pool each fine-tuning step used: context rows pale, query rows strong, others blank.

    Parameters
    ----------
    steps : sequence of (context, query)
        Positions of rows in the pool, as `causalmix_utils.finetuning.steps.draw_step` returns them.
    n_real, n_rows : int
        The first `n_real` of the `n_rows` rows of the pool are real, the others synthetic.
    ax, title :
        As for `plot_prior_fitted_network`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there are no steps, or a position is outside of the pool.
    """
    from matplotlib.colors import to_rgb

    if not len(steps):
        raise ValueError("steps is empty")
    image = np.ones((len(steps), n_rows, 3))
    for number, (context, query) in enumerate(steps):
        positions = np.concatenate([context, query])
        outside = positions[(positions < 0) | (positions >= n_rows)]
        if len(outside):
            raise ValueError(f"steps names row {outside[0]}, but the pool has n_rows={n_rows}")
        for rows, colors in ((context, _PALE), (query, {"real": REAL_COLOR, "synthetic": SYNTHETIC_COLOR})):
            rows = np.asarray(rows)
            image[number, rows[rows < n_real]] = to_rgb(colors["real"])
            image[number, rows[rows >= n_real]] = to_rgb(colors["synthetic"])
    ax = make_axes(ax, title=title, xlabel="row of the pool", ylabel="step", size=(8.0, 0.9 + 0.22 * len(steps)))
    ax.imshow(image, aspect="auto", interpolation="nearest", extent=(0, n_rows, len(steps) + 0.5, 0.5))
    ax.set_yticks([1, len(steps)] if len(steps) > 1 else [1])
    if n_rows > n_real:
        ax.axvline(n_real, color="#555555", linewidth=1)
        for start, end, text in ((0, n_real, "real rows"), (n_real, n_rows, "synthetic rows")):
            color = REAL_COLOR if text == "real rows" else SYNTHETIC_COLOR
            ax.text((start + end) / 2, 0.3, text, ha="center", va="bottom", fontsize="small", color=color)
        ax.set_title(title, loc="left", fontsize="medium", pad=18)
    return ax


def plot_fine_tuning(trajectory: pd.DataFrame, *, best_step: int, title: str = "") -> Figure:
    """One run of fine-tuning in three panels: training loss, ROC-AUC, and log-loss at every check.

    Parameters
    ----------
    trajectory : DataFrame
        `CausalMixFTClassifier.trajectory_`, with test rows handed to `fit` if their curves are wanted.
    best_step : int
        The step that early stopping chose, which is marked.
    title : str
        The figure's message.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If a column is missing.
    """
    import matplotlib.pyplot as plt

    check_columns("trajectory", trajectory, ["step", "train_loss", "validation_auc", "validation_log_loss"])
    figure, axes = plt.subplots(1, 3, figsize=(9.6, 3.2), layout="constrained")
    panels = (
        ("training loss", {"train_loss": ("training", QUIET_COLOR, "-")}),
        ("ROC-AUC", {"validation_auc": ("validation", HIGHLIGHT_COLOR, "-"), "test_auc": ("test", REAL_COLOR, "--")}),
        (
            "log-loss",
            {"validation_log_loss": ("validation", HIGHLIGHT_COLOR, "-"), "test_log_loss": ("test", REAL_COLOR, "--")},
        ),
    )
    for ax, (panel, curves) in zip(axes, panels, strict=True):
        make_axes(ax, title=panel, xlabel="optimiser step")
        ends = {}
        for column, (label, color, line) in curves.items():
            if column not in trajectory:
                continue
            points = trajectory[["step", column]].dropna()
            ax.plot(points["step"], points[column], line, color=color, marker="o", markersize=3)
            if len(points) and len(curves) > 1:
                ends[label] = (points["step"].iloc[-1], points[column].iloc[-1])
        ax.axvline(best_step, color="#555555", linewidth=1, linestyle=":", zorder=0)
        ax.margins(x=0.05, y=0.15)
        last = trajectory["step"].max()
        # The first training loss is known at the first check; all panels start at step 0 all the same.
        ax.set_xlim(-0.04 * last, last * (1.3 if len(curves) > 1 else 1.05) + 1e-9)
        label_ends(ax, ends, colors={label: color for label, color, _ in curves.values()})
    is_late = best_step > trajectory["step"].max() / 2
    axes[0].annotate(
        f"kept: step {best_step}",
        xy=(best_step, 0.02),
        xycoords=("data", "axes fraction"),
        xytext=(-4 if is_late else 4, 0),
        textcoords="offset points",
        ha="right" if is_late else "left",
        fontsize="small",
        color="#555555",
    )
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return figure


def plot_differences(
    differences: pd.DataFrame,
    *,
    colors: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    intervals: Mapping[str, tuple[float, float]] | None = None,
    confidence: float = 0.95,
    ax: Axes | None = None,
    xlabel: str = "",
    title: str = "",
) -> Axes:
    """One line for each column: a dot for each split or table, the mean, and its interval.

    Parameters
    ----------
    differences : DataFrame of shape (n_splits, n_lines)
        Paired differences, such as an arm's score minus another's on the same split, or of their means on
        the same table. NaN are left out.
    colors, labels : mapping of column to str, optional
        Colour and name of a line.
    intervals : mapping of column to (float, float), optional
        Ends of the intervals, such as the bootstrap's over tables; by default those of Student's t.
    confidence : float
        Coverage of Student's intervals. Splits of one table share rows, so the true coverage is somewhat lower.
    ax, title :
        As for `plot_prior_fitted_network`.
    xlabel : str
        What the differences are, with their unit.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If `differences` is empty.
    """
    from scipy.stats import ttest_1samp

    if differences.empty:
        raise ValueError("differences has no rows or no columns")
    ax = make_axes(ax, title=title, xlabel=xlabel, size=(6.4, 1.0 + 0.42 * differences.shape[1]))
    for line, column in enumerate(differences):
        values = differences[column].dropna().to_numpy()
        color = (colors or {}).get(column, REAL_COLOR)
        heights = line + np.linspace(-0.18, 0.18, len(values)) if len(values) > 1 else np.full(len(values), line)
        ax.scatter(values, heights, s=14, color=color, alpha=0.4, linewidths=0)
        if len(values) > 1 and np.ptp(values) > 0:
            by_t = ttest_1samp(values, 0).confidence_interval(confidence)
            low, high = by_t if intervals is None else intervals[column]
            ax.plot([low, high], [line, line], color=color, linewidth=2.5, solid_capstyle="butt")
        if len(values):
            ax.plot(values.mean(), line, "o", color=color, markersize=7, markeredgecolor="white")
    ax.axvline(0, color=QUIET_COLOR, linewidth=1, zorder=0)
    ax.set_yticks(range(differences.shape[1]), [(labels or {}).get(column, str(column)) for column in differences])
    ax.set_ylim(differences.shape[1] - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    return ax
