"""A benchmark that is killed at random moments, and what two scripts measure about it."""

import numpy as np
import pytest

from benchmarks import check_resume, measure_workers
from benchmarks.check_resume import check_kills, find_differences
from causalmix_utils.benchmark import RunStore, execute_run, get_profile, run_benchmark

ARMS = ("zero_shot", "default", "smote")
COMMAND = ("--profile", "smoke", "--tables", "wine", "--arms", ",".join(ARMS), "--n-jobs", "2")
GRID = get_profile("smoke").subset(tables=["wine"], arms=ARMS)


@pytest.mark.slow
def test_a_benchmark_killed_at_random_moments_ends_with_the_undisturbed_store(tmp_path):
    found = check_kills(COMMAND, tmp_path, n_kills=3, longest_delay=None, rng=np.random.default_rng(1))
    assert found["differences"] == []
    assert len(found["kills"]) == 3
    assert found["rounds"] > max(kill["round"] for kill in found["kills"]), "the last store was completed, too"
    assert all(kill["stored_before"] <= kill["stored_after"] <= len(ARMS) for kill in found["kills"])
    with RunStore(tmp_path / "round-0.sqlite") as store:
        assert store.identities() == {run.identity for run in GRID.runs()}


def test_a_store_that_differs_in_one_number_or_one_run_is_noticed(tmp_path):
    records = [execute_run(run) for run in GRID.subset(arms=["zero_shot", "default"]).runs()]
    changes = {
        "same": lambda record: record,
        "number": lambda record: record | {"metrics": record["metrics"] | {"auc": record["metrics"]["auc"] - 1e-3}},
        "failed": lambda record: record | {"status": "failed", "message": "lost"},
    }
    for name, change in changes.items():
        with RunStore(tmp_path / name) as store:
            for record in [records[0], change(records[1])]:
                store.add(record)
    assert find_differences(tmp_path / "same", tmp_path / "same") == []
    assert "results differ" in find_differences(tmp_path / "number", tmp_path / "same")[0]
    assert len(find_differences(tmp_path / "failed", tmp_path / "same")) >= 2


def test_the_script_of_kills_checks_the_whole_smoke_profile():
    assert check_resume.SMOKE[:2] == ("--profile", "smoke")
    assert not {"--tables", "--arms", "--splits"} & set(check_resume.SMOKE)


def test_the_speed_of_workers_is_that_of_the_same_runs_with_the_same_results(tmp_path):
    grid = GRID.subset(arms=["zero_shot", "default"])
    found = measure_workers.compare(grid, tmp_path)
    (rows,) = found["measured"]
    assert [row["n_workers"] for row in rows] == [1, 2]
    for row in rows:
        assert row["runs"] == 2
        assert row["runs_per_hour"] == pytest.approx(3600 * 2 / row["seconds"])
        assert row["times_the_first"] == pytest.approx(rows[0]["seconds"] / row["seconds"])
    assert found["times_the_first"] == {str(row["n_workers"]): row["times_the_first"] for row in rows}
    stores = [tmp_path / "0" / f"grid-{n_workers}.sqlite" for n_workers in (2, 1)]
    assert find_differences(*stores) == []
    assert len(run_benchmark(grid, stores[0], n_jobs=1)) == 2


def test_numbers_of_workers_take_turns_and_the_median_counts(tmp_path, monkeypatch):
    speeds, order = iter([100, 190, 220, 100, 100, 150]), []

    def measured(grid, n_workers, folder):
        order.append((folder.name, n_workers))
        return {"n_workers": n_workers, "runs_per_hour": next(speeds)}

    monkeypatch.setattr(measure_workers, "measure", measured)
    found = measure_workers.compare(GRID, tmp_path, repeats=3)
    assert order == [("0", 1), ("0", 2), ("1", 2), ("1", 1), ("2", 1), ("2", 2)]
    assert found["times_the_first"] == {"1": 1.0, "2": 1.9}
    assert [row["n_workers"] for rows in found["measured"] for row in rows] == [1, 2] * 3
