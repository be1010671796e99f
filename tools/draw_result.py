"""Draw the README's picture from stored results: python tools/draw_result.py

Reads ``book/results/chapter.parquet``, which ``causalmix benchmark --profile chapter --export book/results`` makes, and
writes ``book/_static/result.png``.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from causalmix_utils.benchmark import read_results  # noqa: E402 (the backend must be chosen first)
from causalmix_utils.plots import plot_gains  # noqa: E402

ROOT = Path(__file__).parents[1]


def main() -> None:
    results, _ = read_results(ROOT / "book" / "results", name="chapter")
    n_tables, n_splits = results["table"].nunique(), results["split"].nunique()
    title = f"A small run: {n_tables} tables × {n_splits} splits, {results['regime'].iloc[0]} rows each"
    axes = plot_gains(results, value="gain_points", title=title)
    axes.figure.savefig(ROOT / "book" / "_static" / "result.png", dpi=160, bbox_inches="tight")


if __name__ == "__main__":
    main()
