"""The script that measures what generators cost: all of them, as they are by default, judged on what was measured."""

import inspect
import json

import pandas as pd
import pytest

from benchmarks import measure_generators
from benchmarks.measure_generators import CHEAP, LIBRARY_CTGAN, LIBRARY_OPTIONS, judge_goal, list_ways, make_table
from causalmix_utils.generators import list_generators, make_generator


def test_every_generator_is_measured_with_its_defaults_and_ctgan_with_its_librarys_too():
    ways = list_ways()
    assert all(ways[name] == (name, {}) for name in ways if name != LIBRARY_CTGAN)
    assert (
        {"causal", "ctgan", "smote", "gaussian_copula"} <= set(ways) - {LIBRARY_CTGAN} <= set(list_generators()["name"])
    )
    library = inspect.signature(pytest.importorskip("ctgan").CTGAN.__init__).parameters
    assert {option: library[option].default for option in LIBRARY_OPTIONS} == LIBRARY_OPTIONS
    assert ways[LIBRARY_CTGAN] == ("ctgan", LIBRARY_OPTIONS)
    for name, options in CHEAP.items():
        make_generator(name, **options)


@pytest.mark.parametrize("name", measure_generators.TABLES)
def test_tables_have_200_rows_and_20_features_of_both_kinds(name):
    table = make_table(name)
    assert table.X.shape == (200, 20) and table.numerical and table.categorical


def test_a_quick_run_measures_fit_and_sample_in_a_process_of_its_own(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(measure_generators, "TABLES", ("simulated",))  # A process takes seconds to start.
    measure_generators.main(["--quick", "--generators", "causal", "--export", str(tmp_path)])
    (line,) = pd.read_parquet(tmp_path / "generator_cost.parquet").to_dict("records")
    assert (line["generator"], line["table"], line["rows"], line["sampled"]) == ("causal", "simulated", 60, 1000)
    assert line["fit_seconds"] > 0 and line["sample_seconds"] > 0
    assert line["seconds"] == pytest.approx(line["fit_seconds"] + line["sample_seconds"])
    assert line["process_mb"] > line["peak_mb"] >= line["fit_peak_mb"] >= 0
    assert json.loads(line["options"])["n_dags"] == 1
    report = json.loads((tmp_path / "generator_cost.json").read_text())
    assert report["quick"] and report["causal_costs_less_than_ctgan"] == {} and len(report["medians"]) == 1
    assert "generator_cost.parquet" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--quick"], ["--generators", "smote"]])
def test_a_part_of_the_measurement_does_not_replace_the_whole(arguments, capsys):
    with pytest.raises(SystemExit):
        measure_generators.main(arguments)
    assert "needs --export" in capsys.readouterr().err


def test_the_goal_is_judged_by_the_median_of_fit_and_sample_on_each_table():
    lines = [
        {"table": table, "generator": name, "fit_seconds": s, "sample_seconds": 1.0, "seconds": s + 1, "peak_mb": 1.0}
        for table, values in {"u": [(2, 9), (3, 9), (90, 9)], "v": [(9, 2), (9, 3), (1, 4)]}.items()
        for pair in values
        for name, s in zip(("causal", LIBRARY_CTGAN), pair, strict=True)
    ]
    verdict = judge_goal(pd.DataFrame(lines))
    assert verdict["u"] == {"causal_seconds": 4, "ctgan_seconds": 10, "causal_over_ctgan": 0.4, "reached": True}
    assert not verdict["v"]["reached"]
    assert judge_goal(pd.DataFrame(lines).query("generator == 'causal'")) == {}
