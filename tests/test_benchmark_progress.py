"""How far a grid is, and when it will be done."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from causalmix_utils.benchmark import RunStore, get_profile, summarise_progress
from causalmix_utils.benchmark.progress import RunCosts, TimeLeft
from causalmix_utils.benchmark.runner import _describe
from causalmix_utils.cli import main

GRID = get_profile("smoke").subset(arms=["zero_shot", "ctgan"])
SECONDS = {"zero_shot": 1.0, "ctgan": 99.0}


def finish(run, *, status="done", seconds=None):
    return {
        "settings": asdict(run),
        "status": status,
        "message": "",
        "metrics": {"auc": 0.8},
        "trajectory": {},
        "seconds": {"total": SECONDS[run.arm] if seconds is None else seconds},
        "peak_memory_mb": 1.0,
        "environment": {},
        "finished_at": "2026-01-01T00:00:00+00:00",
    }


def test_time_left_counts_costs_and_not_runs(monkeypatch):
    runs = GRID.runs() + [replace(run, split=1) for run in GRID.runs()]
    cheap = [run for run in runs if run.arm == "zero_shot"]
    dear = [run for run in runs if run.arm == "ctgan"]
    now = [0.0]
    monkeypatch.setattr("causalmix_utils.benchmark.progress.time.monotonic", lambda: now[0])
    left = TimeLeft(runs, RunCosts())
    now[0] = 99.0
    left.update(finish(dear[0]))
    for number, run in enumerate(cheap, start=1):
        now[0] = 99.0 + number
        seconds = left.update(finish(run))
    assert seconds == pytest.approx(99 * (len(dear) - 1)), "as many dear runs as are pending"
    now[0] = (99.0 + len(cheap)) / 2
    assert left.update(finish(cheap[-1], seconds=0.0)) == pytest.approx(99 * (len(dear) - 1) / 2), "two at a time"


def test_the_cost_of_a_run_is_that_of_the_runs_most_like_it():
    costs = RunCosts()
    assert costs.estimate("wine", "smote", 200) is None
    assert costs.sum(GRID.runs()) is None
    costs.add("wine", "smote", 200, 2.0)
    costs.add("wine", "smote", 200, 4.0)
    costs.add("iris", "smote", 600, 9.0)
    assert costs.estimate("wine", "smote", 200) == 3.0
    assert costs.estimate("tae", "smote", 200) == 3.0
    assert costs.estimate("wine", "smote", 600) == 9.0
    assert costs.estimate("wine", "ctgan", 200) == 5.0


def test_finished_runs_of_the_store_say_what_a_resumed_grid_costs(tmp_path):
    runs = GRID.runs()
    with RunStore(tmp_path / "runs.sqlite") as store:
        for run in runs:
            if run.table == "wine":
                store.add(finish(run))
        costs = RunCosts.of_store(store)
    assert costs.sum(run for run in runs if run.table == "titanic") == 100.0


def test_the_bar_names_the_time_left_the_last_run_and_the_failures():
    record = finish(GRID.runs()[0])
    assert _describe(record, 3661.0, 2) == "1:01:01 left, last titanic/zero_shot, 2 failed"
    assert _describe(record, None, 0) == "last titanic/zero_shot"


def test_the_summary_counts_every_run_of_the_grid_once(tmp_path):
    runs = GRID.runs()
    with RunStore(tmp_path / "runs.sqlite") as store:
        assert summarise_progress(runs, store)["hours_left"].isna().all()
        store.add(finish(runs[0]))
        store.add(finish(runs[1], status="failed"))
        store.add(finish(replace(runs[0], split=7)))
        summary = summarise_progress(runs, store).set_index("arm")
    assert summary.loc["zero_shot", ["finished", "failed", "pending"]].tolist() == [1, 0, 1]
    assert summary.loc["ctgan", ["finished", "failed", "pending"]].tolist() == [0, 1, 1]
    assert summary.loc["zero_shot", "seconds"] == 1.0 and np.isnan(summary.loc["ctgan", "seconds"])
    assert summary.loc["ctgan", "hours_left"] == pytest.approx(1 / 3600), "by the costs of other arms"


def test_status_says_what_is_left_and_runs_nothing(capsys, tmp_path):
    path = tmp_path / "runs.sqlite"
    arguments = ["benchmark", "--arms", "zero_shot,ctgan", "--status", "--store", str(path)]
    assert main(arguments) == 2
    assert "does not exist" in capsys.readouterr().err
    assert not path.exists()
    with RunStore(path) as store:
        store.add(finish(GRID.runs()[0]))
    assert main(arguments) == 0
    assert "1 runs finished, 0 failed, 3 pending" in capsys.readouterr().out
    with RunStore(path) as store:
        assert len(store.identities()) == 1
