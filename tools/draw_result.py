"""Draw the README's picture from stored results: python tools/draw_result.py

Reads the benchmark that the chapters read, too: the profile "paper", as far as it has been run, on splits that every
arm has finished. Writes ``book/_static/result.png``, which says in its metadata from which results it was drawn.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from causalmix_utils.benchmark import read_benchmark  # noqa: E402 (the backend must be chosen first)
from causalmix_utils.cli.report import LEAST_TABLES  # noqa: E402
from causalmix_utils.plots import plot_gains  # noqa: E402

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "book" / "_static" / "result.png"


def main() -> None:
    stored = read_benchmark(ROOT / "book" / "results", least_tables=LEAST_TABLES).select().whole_splits()
    splits = stored.results.groupby("table")["split"].nunique()
    n_splits = " to ".join(dict.fromkeys([str(splits.min()), str(splits.max())]))
    title = f"{len(splits)} tables, {n_splits} splits of each, {stored.regimes[0]} rows"
    results = stored.results
    axes = plot_gains(results, value="gain_points", title=title, linear_up_to=1)
    source = f"{stored.name}, exported at {stored.provenance['exported_at']}"
    axes.figure.savefig(PICTURE, dpi=160, bbox_inches="tight", metadata={"Source": source})


if __name__ == "__main__":
    main()
