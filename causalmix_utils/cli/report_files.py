"""The tables and figures of the benchmark's chapter and of the claims page, rebuilt from stored results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from causalmix_utils.cli.claims_page import SCALES, Judged, render_claims

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

VALUES = tuple(SCALES)
GAPS = ("optimism_gap", "tracking_gap")
RESOLUTION = 160


def write_report(judged: Judged, folder: Path, *, baseline: str = "default", figures: bool = True) -> list[Path]:
    """Write every table as CSV, every figure as PNG and SVG, and the generated part of the claims page.

    Parameters
    ----------
    judged : Judged
    folder : Path
        Made if it does not exist. Files of the same names are replaced, others are left alone.
    baseline : str
        The arm that others are compared with.
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
    for name, table in make_tables(judged, baseline=baseline):
        written.append(folder / f"{name}.csv")
        table.to_csv(written[-1], index=False)
    for name, draw in list_figures(judged, baseline=baseline) if figures else ():
        written += _save(draw, folder / name)
    return written


def make_tables(judged: Judged, *, baseline: str = "default") -> Iterator[tuple[str, pd.DataFrame]]:
    """The tables by name, one after the other: the verdicts, then the comparison of arms at each regime."""
    yield "coverage", judged.stored.coverage().reset_index()
    yield from _tables_of_claims(judged)
    yield from _tables_of_variants(judged, baseline=baseline)
    for regime, runs in _whole_splits(judged):
        for name, table in _tables_of_arms(runs, baseline=baseline):
            yield f"{name}-{regime}", table


def list_figures(judged: Judged, *, baseline: str = "default") -> Iterator[tuple[str, Callable[[], Axes]]]:
    """The figures by name, each with the function that draws it."""
    from causalmix_utils.plots import plot_comparisons, plot_gains, plot_gap, plot_ranks, plot_variants

    for verdict in judged.verdicts[judged.regime, "gain"]:
        for number, part in enumerate(verdict.parts):
            title = f"Claim {verdict.number}: {part.text} – {part.status}"
            xlabel = part.comparisons[0].what
            yield (
                f"claim-{verdict.number}-{'abc'[number]}",
                partial(plot_comparisons, part.comparisons, xlabel=xlabel, title=title),
            )
    for method in ("causal", "causal_blanket"):
        answer = judged.structure[judged.regime, method]
        for value in answer.by_metric:
            shown = [comparison for comparison in answer.comparisons if comparison.value == value]
            title = f"Does the causal structure matter? {answer.by_metric[value]}"
            yield f"structure-{method}-{value}", partial(plot_comparisons, shown, xlabel=SCALES[value], title=title)
    for regime, runs in _whole_splits(judged):
        n_tables = runs["table"].nunique()
        for value in VALUES:
            title = f"Gain over zero-shot on {n_tables} tables, {regime} rows"
            yield f"gains-{value}-{regime}", partial(plot_gains, runs, value=value, title=title)
            if n_tables > 1:
                yield f"ranks-{value}-{regime}", partial(plot_ranks, runs, value=value)
        for gap in GAPS:
            if gap in runs and runs[gap].notna().any():
                title = f"How far validation misled on {n_tables} tables, {regime} rows"
                yield f"{gap}-{regime}", partial(plot_gap, runs, value=gap, title=title)
    compared = _compare_variants(judged, baseline=baseline)
    for value in compared["value"].unique() if compared is not None else ():
        yield f"variants-{value}", partial(plot_variants, compared, value=value, baseline=baseline)


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


def _tables_of_arms(runs: pd.DataFrame, *, baseline: str) -> Iterator[tuple[str, pd.DataFrame]]:
    import pandas as pd

    from causalmix_utils.evaluation import compare_arms, friedman_test, nemenyi_p_values, per_table, summarise_arms

    fine_tuned = runs[runs["arm"] != "zero_shot"]
    n_arms, n_tables = fine_tuned["arm"].nunique(), fine_tuned["table"].nunique()
    for value in VALUES:
        yield f"arms-{value}", summarise_arms(runs, value=value, baseline=baseline).reset_index()
        yield f"tables-{value}", per_table(runs, value=value).reset_index()
        if baseline in set(fine_tuned["arm"]) and n_arms > 1:
            yield f"against_{baseline}-{value}", compare_arms(fine_tuned, value=value, baseline=baseline).reset_index()
        if n_arms > 2 and n_tables > 1:
            yield f"friedman-{value}", pd.DataFrame([friedman_test(fine_tuned, value=value)])
            yield f"nemenyi-{value}", nemenyi_p_values(fine_tuned, value=value).rename_axis("arm").reset_index()
    for gap in GAPS:
        if gap in fine_tuned and fine_tuned[gap].notna().any():
            yield gap, per_table(fine_tuned, value=gap).reset_index()
    costs = [name for name in runs if name.startswith("seconds_")] + ["peak_memory_mb"]
    costs = [name for name in costs if name in runs]
    if costs:
        yield "costs", runs.groupby("arm", sort=False)[costs].median().reset_index()


def _tables_of_variants(judged: Judged, *, baseline: str) -> Iterator[tuple[str, pd.DataFrame]]:
    from causalmix_utils.evaluation import rank_variants, summarise_variants

    compared = _compare_variants(judged, baseline=baseline)
    if compared is not None:
        yield "variants", compared
        yield "variants_summary", summarise_variants(compared).reset_index()
        yield "variants_ranks", rank_variants(_make_variants(judged, baseline=baseline)).reset_index()


def _compare_variants(judged: Judged, *, baseline: str) -> pd.DataFrame | None:
    """The comparison with the baseline under other choices; None if there is nothing to compare."""
    from causalmix_utils.evaluation import compare_variants

    variants = _make_variants(judged, baseline=baseline)
    comparable = (baseline in set(runs["arm"]) and runs["arm"].nunique() > 1 for runs in variants.values())
    return compare_variants(variants, baseline=baseline) if any(comparable) else None


def _make_variants(judged: Judged, *, baseline: str) -> dict[str, pd.DataFrame]:
    from causalmix_utils.evaluation import make_variants
    from causalmix_utils.tables import list_tables

    known = list_tables()
    stored = judged.stored.whole_splits()
    return make_variants(
        stored.results,
        trajectories=stored.trajectories if len(stored.trajectories) else None,
        tabarena=known.loc[known["tabarena"] != "", "name"].tolist(),
        baseline=baseline,
    )


def _whole_splits(judged: Judged) -> Iterator[tuple[int, pd.DataFrame]]:
    """The runs of each regime on the splits that every arm has, with gains; regimes without any are left out."""
    from causalmix_utils.evaluation import add_gains

    for regime in judged.stored.regimes:
        runs = judged.stored.select(regime=regime).whole_splits().results
        if len(runs) and "zero_shot" in set(runs["arm"]) and runs["arm"].nunique() > 1:
            yield regime, add_gains(runs)


def _save(draw: Callable[[], Axes], path: Path) -> list[Path]:
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
