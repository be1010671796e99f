"""`causalmix report --out` rebuilds what chapter 5 shows: the chapter's own cells are executed, and compared."""

import json
import sys
import warnings
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt

from causalmix_utils.benchmark import read_benchmark, read_results
from causalmix_utils.cli.claims_page import judge_stored
from causalmix_utils.cli.report_files import list_figures, save_figure, write_report
from causalmix_utils.cli.report_planning import LEAST_SPREAD, list_planning, spread_as_tested

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "book" / "results"
NEW_RUNS = ("%pip", "run_benchmark(grid", "repeat_run(known")  # cells that install, or make runs on this machine
PLOTS = {
    "plot_gains": "gains",
    "plot_trajectory": "largest_promise",
    "plot_gap": "optimism_gap",
    "plot_ranks": "ranks",
    "plot_power": "power",
    "plot_tables_needed": "tables_needed",
    "plot_variants": "variants",
    "plot_stage_costs": "costs",
    "plot_protocol": "protocol",
}
"""How the report names what the chapter draws by each function."""


def read_cells():
    cells = json.loads((ROOT / "notebooks" / "05_benchmark.ipynb").read_text(encoding="utf-8"))["cells"]
    end = next(i for i, cell in enumerate(cells) if "".join(cell["source"]).startswith("## Quiz"))
    return ["".join(cell["source"]) for cell in cells[:end] if cell["cell_type"] == "code"]


@pytest.fixture(scope="module")
def chapter():
    """The chapter's variables after its last cell."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.chdir(ROOT / "notebooks")
        patch.setattr(plt, "show", lambda: plt.close("all"))
        found = {"sys": sys}  # imported by the cell that installs
        for source in read_cells():
            if not any(sign in source for sign in NEW_RUNS):
                exec(source, found)
        return found


@pytest.fixture(scope="module")
def judged():
    return judge_stored(
        read_benchmark(RESULTS, prefer=("paper", "chapter"), least_tables=4),
        scores=read_results(RESULTS, name="generators")[0],
        n_resamples=200,
    )


@pytest.fixture(scope="module")
def report(judged, tmp_path_factory):
    """A function that reads a table of the report by its name, that of the main comparison."""
    folder = tmp_path_factory.mktemp("report")
    write_report(judged, folder, models=read_results(RESULTS, name="zero_shot")[0], figures=False)

    def read(name):
        path = folder / f"{name}-{judged.regime}.csv"
        return pd.read_csv(path if path.is_file() else folder / f"{name}.csv")

    return read


def test_arms_scales_and_easy_tables(chapter, report):
    for value, expected in (("gain", chapter["normalised"]), ("gain_points", chapter["summary"])):
        written = report(f"arms-{value}").set_index("arm")[expected.columns]
        pd.testing.assert_frame_equal(written.loc[expected.index], expected, check_dtype=False)
    scales = report("scales").set_index("arm")
    np.testing.assert_allclose(scales.loc[chapter["measures"].index], chapter["measures"])
    easy = report("easy_tables").set_index("value")["share_of_the_spread"]
    assert easy.to_dict() == pytest.approx(chapter["shares"])


def test_settings_noise_and_controls(chapter, report):
    settings = report("settings").set_index("setting")["values"]
    pd.testing.assert_series_equal(settings, chapter["flat"].astype(str).nunique(), check_names=False)
    floor = report("noise_floor").set_index("value").loc["gain_points"]
    assert {name: floor[name] for name in chapter["floor"]} == pytest.approx(chapter["floor"])
    instruments = report("instruments").set_index("value")
    np.testing.assert_allclose(instruments, pd.DataFrame(chapter["instrument"]).T)
    controls = report("controls")
    asked = controls[controls["against"].ne("default") | controls["arm"].ne("smote")]
    shown = [(f"{row.arm} − {row.against}", f"{row.median_difference:+.3f}", f"{row.low:+.3f} to {row.high:+.3f}")
             for row in asked.itertuples()]  # fmt: skip
    assert shown == [(row[1], *row[3:5]) for row in chapter["rows"]]


def test_gaps_and_promises(chapter, report):
    promises, gaps = report("promises").set_index("arm"), chapter["gaps"]
    names = {
        "validation_gain_points": "validation gain (points)",
        "test_gain_points": "test gain (points)",
        "optimism_gap": "optimism gap",
        "tracking_gap": "tracking gap",
        "share_that_kept_zero_shot": "share of runs that kept zero-shot",
    }
    np.testing.assert_allclose(promises.loc[gaps.index, list(names)], gaps[list(names.values())])
    assert promises["runs_without_tracking_gap"].sum() == (~chapter["tracked"]).sum()
    over_all = report("promises_over_all_arms").iloc[0]
    assert over_all["validation_gain_points"] == pytest.approx(chapter["on_validation"])
    assert over_all["test_gain_points"] == pytest.approx(chapter["on_test"])


def test_comparisons_ranks_and_planning(chapter, report):
    compared = report("against_default-gain_points").set_index("arm")
    shown = pd.DataFrame(chapter["both"])["AUC (points)"]
    np.testing.assert_allclose(compared.loc[shown.index, "median_difference"], shown["median"], atol=0.0005)
    assert report("friedman-gain_points")["p_value"].iloc[0] == pytest.approx(chapter["friedman"]["p_value"])
    for name, index in (("tables_needed", "splits"), ("power", "tables")):
        table = report(name)
        usual = table[table["alpha"] == 0.05].set_index(index)
        expected = chapter["needed" if name == "tables_needed" else "power"]
        columns = [str(effect) for effect in expected.columns]
        # The smoke setting simulates less often than the report does; the book's simulates as often.
        np.testing.assert_allclose(usual.loc[expected.index, columns].astype(float), expected.astype(float))
    strict = report("tables_needed").query("alpha < 0.05 and splits == 10")["0.5"]
    assert strict.tolist() == [chapter["strict"]]


def test_variants_and_costs(chapter, report):
    spans = report("variants_summary").set_index(["value", "arm"])
    pd.testing.assert_frame_equal(spans, chapter["spans"], check_dtype=False)
    ranked = report("variants_ranks").set_index(["variant", "value"])
    expected = chapter["ranked"]
    np.testing.assert_allclose(ranked.loc[expected.index, "causal"], expected["causal"])
    costs = report("costs").set_index("arm")["seconds_total"]
    np.testing.assert_allclose(costs[chapter["total"].index], chapter["total"])


def test_every_figure_of_stored_runs_is_drawn(judged, tmp_path):
    from causalmix_utils.cli.report_chapter import make_variants
    from causalmix_utils.evaluation import compare_variants

    used = {name for name in PLOTS if any(f"{name}(" in source for source in read_cells())}
    every = {name for source in read_cells() for name in source.replace("(", " ( ").split() if name[:5] == "plot_"}
    assert used == set(PLOTS) == {name for name in every if name.isidentifier()}
    variants = make_variants(judged.stored.whole_splits(), None, baseline="default")
    figures = dict(list_figures(judged, compare_variants(variants), baseline="default"))
    drawn = {name.split("-")[0] for name in figures}
    assert drawn >= {*PLOTS.values(), "tracking_gap", "easy_tables", "differences"}
    for name in ("protocol", "easy_tables", "differences", "largest_promise"):
        written = save_figure(figures[f"{name}-{judged.regime}"], tmp_path / name)
        assert all(path.stat().st_size for path in written)


def test_a_benchmark_is_planned_even_if_no_median_differs():
    rows = [
        {
            "table": f"t{table}",
            "split": split,
            "arm": arm,
            "gain_points": 10.0 * (arm == "smote") * (split == 0) * table,
        }
        for arm in ("default", "smote")
        for table in range(8)
        for split in range(5)
    ]
    runs = pd.DataFrame(rows)
    assert spread_as_tested(runs, baseline="default") == LEAST_SPREAD
    assert [name for name, _ in list_planning(runs, baseline="default")] == ["tables_needed", "power"]
    one_split = runs[runs["split"] == 0]
    assert list(list_planning(one_split, baseline="default")) == [], "one split can't tell luck from the tables"
