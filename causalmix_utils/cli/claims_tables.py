"""Comparisons as the tables of the claims page, in markdown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causalmix_utils.evaluation.claims import Comparison, Verdict


def render_evidence(verdict: Verdict) -> str:
    """The comparisons of each part, as a table."""
    rows = [
        [part.text if first else "", *render_comparison(comparison)]
        for part in verdict.parts
        for first, comparison in ((comparison is part.comparisons[0], comparison) for comparison in part.comparisons)
    ]
    header = ["Part", "What", "Estimate", "95 % interval", "Without any one table", "Says", "Tables", "Splits", "Runs"]
    return render_table(header, rows)


def render_comparison(comparison: Comparison) -> list[object]:
    """A comparison as the cells of a line."""
    from causalmix_utils.plots import label_comparison

    show = formatter(comparison)
    what = f"{comparison.what}, {label_comparison(comparison)}"
    if comparison.claimed is not None:
        what += f" (claimed {show(comparison.claimed)})"
    return [
        what,
        show(comparison.estimate),
        f"{show(comparison.low)} to {show(comparison.high)}",
        " to ".join(map(show, comparison.without_one)),
        comparison.status,
        comparison.n_tables,
        comparison.n_splits,
        comparison.n_runs,
    ]


def formatter(comparison: Comparison) -> Callable[[float], str]:
    """How a comparison's numbers are written: to a fiftieth of what matters on their scale, NaN as a dash."""
    if comparison.kind == "ratio":
        pattern = "{:.2f}"
    elif comparison.kind == "ranks" or comparison.value == "gain_points":
        pattern = "{:+.2f}"
    else:
        pattern = "{:+.4f}" if comparison.value == "log_loss_gain" else "{:+.3f}"
    return lambda number: show_number(number, pattern)


def show_number(number: float, pattern: str = "{:.3f}") -> str:
    """A number with a real minus sign, NaN as a dash; the sign of a rounded zero says on which side of it it lies.

    Examples
    --------
    >>> show_number(-0.25, "{:+.1f}"), show_number(0.0001, "{:+.3f}"), show_number(float("nan"))
    ('−0.2', '+0.000', '–')
    """
    return "–" if number != number else pattern.format(number).replace("-", "−")


def render_table(header: list[str], rows: list[list[object]]) -> str:
    """A table as markdown, numbers and texts alike flush left."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
