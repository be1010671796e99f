"""Figures of rows: real and synthetic ones beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from causalmix_utils.plots.style import REAL_COLOR, SYNTHETIC_COLOR, make_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from causalmix_utils.tables import Table

_MOST_LEVELS = 8


def plot_marginals(
    real: Table,
    synthetic: Table,
    *,
    columns: Sequence[str] | None = None,
    n_columns: int = 4,
    title: str = "",
) -> Figure:
    """The distribution of each column among real and among synthetic rows.

    Numerical columns are drawn as histograms over common bins, categorical ones and the target as
    bars of their shares, the most frequent levels first. Missing values are one more level.

    Parameters
    ----------
    real, synthetic : Table
        With the same columns.
    columns : sequence of str, optional
        Columns to draw, the target included if wanted; by default the target and the first seven features.
    n_columns : int
        Panels in one line of the figure.
    title : str
        The figure's message.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the tables differ in columns, or `columns` names one that they lack.
    """
    import matplotlib.pyplot as plt

    if real.columns != synthetic.columns:
        raise ValueError(f"real and synthetic differ in columns: {real.columns} against {synthetic.columns}")
    columns = [real.target, *real.X.columns[:7]] if columns is None else list(columns)
    unknown = [column for column in columns if column not in real.columns]
    if unknown:
        raise ValueError(f"columns names {unknown[0]!r}, which is not a column; the columns are {real.columns}")
    n_lines = -(-len(columns) // n_columns)
    figure, grid = plt.subplots(
        n_lines, n_columns, figsize=(2.3 * n_columns, 0.4 + 1.9 * n_lines), squeeze=False, layout="constrained"
    )
    frames = real.to_frame(), synthetic.to_frame()
    for ax in grid.flat[len(columns) :]:
        ax.set_visible(False)
    for ax, column in zip(grid.flat, columns, strict=False):
        make_axes(ax, title=_shorten(column, 24))
        draw = _draw_numbers if column in real.numerical else _draw_levels
        draw(ax, *(frame[column] for frame in frames))
        ax.set_yticks([])
        ax.tick_params(labelsize="x-small")
    figure.suptitle(title or "Real rows (outline) and synthetic rows (filled)", x=0.01, ha="left", fontsize="medium")
    return figure


def _draw_numbers(ax, real: pd.Series, synthetic: pd.Series) -> None:
    values = np.concatenate([real.dropna(), synthetic.dropna()])
    low, high = (values.min(), values.max()) if len(values) else (0.0, 1.0)
    bins = np.linspace(low, high if high > low else low + 1, 21)
    ax.hist(synthetic.dropna(), bins=bins, density=True, color=SYNTHETIC_COLOR, alpha=0.5)
    ax.hist(real.dropna(), bins=bins, density=True, histtype="step", color=REAL_COLOR, linewidth=1.2)


def _draw_levels(ax, real: pd.Series, synthetic: pd.Series) -> None:
    shares = _level_shares(real, synthetic).iloc[:_MOST_LEVELS]
    places = np.arange(len(shares))
    ax.bar(places, shares["synthetic"], color=SYNTHETIC_COLOR, alpha=0.5, width=0.8)
    ax.bar(places, shares["real"], fill=False, edgecolor=REAL_COLOR, linewidth=1.2, width=0.8)
    ax.set_xticks(places, [_shorten(level, 10) for level in shares.index], rotation=35, ha="right")


def _level_shares(real: pd.Series, synthetic: pd.Series) -> pd.DataFrame:
    """Share of each level among the real and the synthetic rows, the most frequent real level first."""
    shares = {
        name: values.astype(object).fillna("(missing)").value_counts(normalize=True)
        for name, values in {"real": real, "synthetic": synthetic}.items()
    }
    return pd.DataFrame(shares).fillna(0.0).sort_values("real", ascending=False, kind="stable")


def _shorten(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
