"""Everything that ``causalmix report --out`` writes: the claims page's part, and each table and figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from causalmix_utils.cli import report_chapter
from causalmix_utils.cli.claims_page import METHODS, SCALES, Judged, render_claims

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

RESOLUTION = 160


def write_report(
    judged: Judged,
    folder: Path,
    *,
    baseline: str = "default",
    models: pd.DataFrame | None = None,
    figures: bool = True,
) -> list[Path]:
    """Write every table as CSV, every figure as PNG and SVG, and the generated part of the claims page.

    Parameters
    ----------
    judged : Judged
    folder : Path
        Made if it does not exist. Files of the same names are replaced, others are left alone.
    baseline : str
        The arm that others are compared with.
    models : DataFrame, optional
        Stored scores of ordinary models, for the variant of tables with headroom.
    figures : bool
        Whether figures are drawn, too.

    Returns
    -------
    list of Path
        The files that were written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / "claims.md"]
    written[0].write_text(render_claims(judged), encoding="utf-8")
    variants = report_chapter.make_variants(judged.stored.whole_splits(), models, baseline=baseline)
    compared = _compare(variants, baseline=baseline)
    for name, table in list_tables(judged, variants, compared, baseline=baseline):
        written.append(folder / f"{name}.csv")
        table.to_csv(written[-1], index=False)
    for name, draw in list_figures(judged, compared, baseline=baseline) if figures else ():
        written += save_figure(draw, folder / name)
    return written


def list_tables(
    judged: Judged, variants: dict[str, pd.DataFrame], compared: pd.DataFrame | None, *, baseline: str
) -> Iterator[tuple[str, pd.DataFrame]]:
    """The tables by name: the verdicts, the comparison of arms at each regime, and the variants."""
    from causalmix_utils.evaluation import rank_variants, summarise_variants

    yield "coverage", judged.stored.coverage().reset_index()
    yield from _tables_of_claims(judged)
    for regime, runs, trajectories in _whole_splits(judged):
        for name, table in report_chapter.list_tables(runs, trajectories, baseline=baseline):
            yield f"{name}-{regime}", table
    if compared is not None:
        yield "variants", compared
        yield "variants_summary", summarise_variants(compared).reset_index()
        yield "variants_ranks", rank_variants(variants).reset_index()


def list_figures(
    judged: Judged, compared: pd.DataFrame | None, *, baseline: str
) -> Iterator[tuple[str, Callable[[], Axes]]]:
    """The figures by name, each with the function that draws it."""
    from causalmix_utils.plots import plot_comparisons, plot_variants

    for verdict in judged.verdicts[judged.regime, "gain"]:
        for letter, part in zip("abc", verdict.parts, strict=False):
            title = f"Claim {verdict.number}: {part.text} – {part.status}"
            draw = partial(plot_comparisons, part.comparisons, xlabel=part.comparisons[0].what, title=title)
            yield f"claim-{verdict.number}-{letter}", draw
    for method in METHODS:
        answer = judged.structure[judged.regime, method]
        for value in answer.by_metric:
            shown = [comparison for comparison in answer.comparisons if comparison.value == value]
            title = f"Does the causal structure matter? {answer.by_metric[value]}"
            yield f"structure-{method}-{value}", partial(plot_comparisons, shown, xlabel=SCALES[value], title=title)
    for regime, runs, trajectories in _whole_splits(judged):
        for name, draw in report_chapter.list_figures(runs, trajectories, baseline=baseline):
            yield f"{name}-{regime}", draw
    for value in compared["value"].unique() if compared is not None else ():
        yield f"variants-{value}", partial(plot_variants, compared, value=value, baseline=baseline)


def save_figure(draw: Callable[[], Axes], path: Path) -> list[Path]:
    """Draw a figure and save it twice. The SVG holds neither a date nor random names, so that it can be compared."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    with plt.rc_context({"svg.hashsalt": path.name}):
        axes = draw()
        written = [path.with_name(f"{path.name}.{kind}") for kind in ("png", "svg")]
        for file in written:
            dated = {"metadata": {"Date": None}} if file.suffix == ".svg" else {}
            axes.figure.savefig(file, dpi=RESOLUTION, bbox_inches="tight", **dated)
        plt.close(axes.figure)
    return written


def _tables_of_claims(judged: Judged) -> Iterator[tuple[str, pd.DataFrame]]:
    import pandas as pd

    from causalmix_utils.evaluation.claims import list_comparisons, list_evidence, list_verdicts

    # What is said about the method, and about its rows, depends on neither regime nor metric.
    main = (judged.regime, "gain")
    each = [
        (value, verdict)
        for (regime, value), verdicts in judged.verdicts.items()
        for verdict in (verdicts if (regime, value) == main else verdicts[:3])
    ]
    verdicts = [verdict for _, verdict in each]
    yield "claims", list_verdicts(verdicts).assign(judged_by=[value for value, _ in each])
    of_evidence = [(value, verdict.regime) for value, verdict in each for _ in verdict.comparisons]
    judged_by, regimes = zip(*of_evidence, strict=True)
    yield "claims_evidence", list_evidence(verdicts).assign(judged_by=judged_by, regime=regimes)
    answers = []
    for (regime, method), answer in judged.structure.items():
        made = list_comparisons([*answer.comparisons, *answer.floors.values()])
        answers.append(made.assign(regime=regime, method=method, answer=made["value"].map(answer.by_metric)))
    yield "structure", pd.concat(answers, ignore_index=True)
    yield "claims_spreads", judged.spreads.reset_index()
    yield "claims_gaps", judged.gaps.reset_index()


def _compare(variants: dict[str, pd.DataFrame], *, baseline: str) -> pd.DataFrame | None:
    """The comparison with the baseline under other choices; None if there is nothing to compare."""
    from causalmix_utils.evaluation import compare_variants

    comparable = (baseline in set(runs["arm"]) and runs["arm"].nunique() > 1 for runs in variants.values())
    return compare_variants(variants, baseline=baseline) if any(comparable) else None


def _whole_splits(judged: Judged) -> Iterator[tuple[int, pd.DataFrame, pd.DataFrame]]:
    """Runs and trajectories of each regime on the splits that every arm has, as the chapter takes them, if any.

    Gains are added, and gaps are those of stored trajectories.
    """
    from causalmix_utils.evaluation import add_gains, add_gaps

    for regime in judged.stored.regimes:
        whole = judged.stored.select(regime=regime).whole_splits()
        runs = whole.results
        if len(runs) and "zero_shot" in set(runs["arm"]) and runs["arm"].nunique() > 1:
            runs = add_gains(runs)
            paths = whole.trajectories
            yield regime, add_gaps(runs, paths) if len(paths) else runs, paths
