"""The tables and figures of the benchmark's chapter, rebuilt from the runs of one stored benchmark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from causalmix_utils.cli.claims_page import SCALES
from causalmix_utils.cli.report_details import (
    GAPS,
    draw_differences,
    draw_easy_tables,
    draw_largest_promise,
    has_spread,
    list_details,
)
from causalmix_utils.cli.report_planning import list_planning, list_planning_figures

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

VALUES = tuple(SCALES)
_SIZES = {"train T": "n_train", "validation V": "n_validation", "test E": "n_test", "synthetic": "n_synthetic"}


def list_tables(runs: pd.DataFrame, trajectories: pd.DataFrame, *, baseline: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Tables by name: arms, gains by table, comparisons, ranks, noise, gaps, costs, and what stands beside these.

    Parameters
    ----------
    runs : DataFrame
        Runs of one regime with gains, on splits that every arm has.
    trajectories : DataFrame
        Those of the runs, as far as they are stored.
    baseline : str
        The arm that others are compared with.
    """
    import pandas as pd

    from causalmix_utils.evaluation import compare_arms, friedman_test, nemenyi_p_values, per_table, summarise_arms

    fine_tuned = runs[runs["arm"] != "zero_shot"]
    n_arms = fine_tuned["arm"].nunique()
    for value in _defined_values(runs):
        yield f"arms-{value}", summarise_arms(runs, value=value, baseline=baseline).reset_index()
        yield f"tables-{value}", per_table(runs, value=value).reset_index()
        if baseline in set(fine_tuned["arm"]) and n_arms > 1:
            yield f"against_{baseline}-{value}", compare_arms(fine_tuned, value=value, baseline=baseline).reset_index()
        if n_arms > 2 and _count_whole_tables(fine_tuned, value) > 1:
            yield f"friedman-{value}", pd.DataFrame([friedman_test(fine_tuned, value=value)])
            yield f"nemenyi-{value}", nemenyi_p_values(fine_tuned, value=value).rename_axis("arm").reset_index()
    yield from _list_noise(fine_tuned, baseline=baseline)
    for gap in GAPS:
        if gap in fine_tuned and fine_tuned[gap].notna().any():
            yield gap, per_table(fine_tuned, value=gap).reset_index()
    costs = [name for name in runs if name.startswith("seconds_") or name == "peak_memory_mb"]
    if costs:
        yield "costs", runs.groupby("arm", sort=False)[costs].median().reset_index()
    yield from list_details(runs, trajectories, baseline=baseline)


def list_figures(
    runs: pd.DataFrame, trajectories: pd.DataFrame, *, baseline: str
) -> Iterator[tuple[str, Callable[[], Axes]]]:
    """Figures by name, each with the function that draws it; the arguments are those of `list_tables`."""
    from causalmix_utils.plots import plot_gains, plot_gap, plot_ranks

    n_tables = runs["table"].nunique()
    on_tables = f"on {n_tables} tables, {runs['regime'].iloc[0]} rows"
    for value in _defined_values(runs):
        yield f"gains-{value}", partial(plot_gains, runs, value=value, title=f"Gain over zero-shot {on_tables}")
        if runs["arm"].nunique() > 2 and _count_whole_tables(runs[runs["arm"] != "zero_shot"], value) > 1:
            yield f"ranks-{value}", partial(plot_ranks, runs, value=value)
    for gap in GAPS:
        if gap in runs and runs[gap].notna().any():
            yield gap, partial(plot_gap, runs, value=gap, title=f"How far validation misled {on_tables}")
    costs = _seconds_of_stages(runs)
    if not costs.empty:
        yield "costs", partial(_draw_costs, runs, costs)
    fine_tuned = runs[runs["arm"] != "zero_shot"]
    if set(_SIZES.values()) <= set(runs):
        yield "protocol", partial(_draw_protocol, fine_tuned)
    if baseline in set(fine_tuned["arm"]):
        if fine_tuned["arm"].nunique() > 1:
            yield "differences", partial(draw_differences, fine_tuned, baseline=baseline)
            yield from list_planning_figures(fine_tuned, baseline=baseline)
        if has_spread(fine_tuned, arm=baseline):
            yield "easy_tables", partial(draw_easy_tables, fine_tuned, arm=baseline)
        if len(trajectories) and fine_tuned.loc[fine_tuned["arm"] == baseline, "id"].isin(trajectories["id"]).any():
            yield "largest_promise", partial(draw_largest_promise, fine_tuned, trajectories, arm=baseline)


def make_variants(stored, scores: pd.DataFrame | None, *, baseline: str) -> dict[str, pd.DataFrame]:
    """The comparison's runs under other choices.

    Parameters
    ----------
    stored : StoredBenchmark
        Splits that every arm has.
    scores : DataFrame, optional
        Stored scores of ordinary models and of the zero-shot one, which tell the tables with headroom.
    baseline : str
        The arm that others are compared with.
    """
    from causalmix_utils import evaluation, tables

    known = tables.list_tables()
    headroom = None
    if scores is not None:
        nearest = min(scores["n"].unique(), key=lambda n: abs(n - stored.regimes[0]))
        headroom = evaluation.tables_with_headroom(scores[scores["n"] == nearest])
    return evaluation.make_variants(
        stored.results,
        trajectories=stored.trajectories if len(stored.trajectories) else None,
        headroom=headroom,
        tabarena=known.loc[known["tabarena"] != "", "name"].tolist(),
        baseline=baseline,
    )


def _defined_values(runs: pd.DataFrame) -> list[str]:
    """The metrics that some run has; a zero-shot AUC of 1 leaves nothing to gain."""
    return [value for value in VALUES if runs.loc[runs["arm"] != "zero_shot", value].notna().any()]


def _count_whole_tables(fine_tuned: pd.DataFrame, value: str) -> int:
    """Tables on which every arm has a value."""
    from causalmix_utils.evaluation import per_table

    return len(per_table(fine_tuned, value=value).dropna())


def _list_noise(fine_tuned: pd.DataFrame, *, baseline: str) -> Iterator[tuple[str, pd.DataFrame]]:
    import pandas as pd

    from causalmix_utils.evaluation import noise_floor, spread_of_differences

    arms = list(fine_tuned["arm"].unique())
    if "default_again" in arms and "default" in arms:
        floors = [{"value": value} | noise_floor(fine_tuned, value=value) for value in _defined_values(fine_tuned)]
        yield "noise_floor", pd.DataFrame(floors)
    if baseline in arms and len(arms) > 1:
        spreads = [
            {"arm": arm, "value": value} | spread_of_differences(fine_tuned, arm=arm, baseline=baseline, value=value)
            for value in _defined_values(fine_tuned)
            for arm in arms
            if arm != baseline
        ]
        yield "spreads", pd.DataFrame(spreads)
        yield from list_planning(fine_tuned, baseline=baseline)


def _seconds_of_stages(runs: pd.DataFrame) -> pd.DataFrame:
    from causalmix_utils.plots import STAGES

    columns = [f"seconds_{stage}" for stage in STAGES if f"seconds_{stage}" in runs]
    return runs.groupby("arm", sort=False)[columns].median().rename(columns=lambda name: name.removeprefix("seconds_"))


def _draw_protocol(fine_tuned: pd.DataFrame) -> Axes:
    """Which rows serve for what, in the first run with synthetic rows (or the first one)."""
    from causalmix_utils.plots import plot_protocol

    row = fine_tuned.sort_values("n_synthetic", ascending=False, kind="stable").iloc[0]
    sizes = {part: int(row[column]) for part, column in _SIZES.items()}
    return plot_protocol(sizes=sizes, title=f"Who sees which rows of {row['table']}")


def _draw_costs(runs: pd.DataFrame, costs: pd.DataFrame) -> Axes:
    from causalmix_utils.plots import plot_stage_costs

    memory = runs.groupby("arm")["peak_memory_mb"].median() if "peak_memory_mb" in runs else None
    return plot_stage_costs(costs, memory=memory, title="What a run of each arm costs, the median over runs")
