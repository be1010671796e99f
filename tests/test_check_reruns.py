"""The script that makes stored runs again."""

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks import check_reruns
from causalmix_utils.benchmark import TOLERANCE, export_results, find_run, get_profile, read_results, run_benchmark


def test_a_run_made_again_agrees_and_a_changed_number_is_noticed(tmp_path):
    grid = get_profile("smoke").subset(tables=["wine"], arms=["zero_shot"])
    run_benchmark(grid, tmp_path / "runs.sqlite", n_jobs=1)
    export_results(tmp_path / "runs.sqlite", tmp_path, name="tiny")
    frame, provenance = read_results(tmp_path, name="tiny")
    (identity,) = check_reruns.draw_runs(frame, 20, seed=0)
    (line,) = check_reruns.check_reruns([find_run(identity, tmp_path, name="tiny")])
    assert line["id"] == identity and line["auc_difference"] <= TOLERANCE
    frame.assign(auc=frame["auc"] - 2 * TOLERANCE).to_parquet(tmp_path / "tiny.parquet")
    with pytest.raises(ValueError, match=r"tiny\.parquet is of another export"):
        find_run(identity, tmp_path, name="tiny")
    (tmp_path / "tiny.json").write_text(json.dumps(provenance | {"file_sha256": {}}), encoding="utf-8")
    (line,) = check_reruns.check_reruns([find_run(identity, tmp_path, name="tiny")])
    assert line["auc_difference"] > TOLERANCE


def test_runs_are_drawn_once_each_by_the_seed_and_from_every_arm_and_commit():
    arms = np.array(["default", "causal", "smote", "ctgan"])
    runs = pd.DataFrame({"id": [f"{place:016x}" for place in range(60)], "regime": 600})
    runs["arm"], runs["commit"] = arms[np.arange(60) % 4], np.where(np.arange(60) < 3, "old", "new")
    drawn = check_reruns.draw_runs(runs, 20, seed=0)
    assert len(set(drawn)) == 20 and drawn == check_reruns.draw_runs(runs, 20, seed=0)
    assert drawn != check_reruns.draw_runs(runs, 20, seed=1)
    chosen = runs.set_index("id").loc[drawn]
    assert (chosen["commit"] == "old").sum() == 3, "a commit of few runs is not missed"
    assert chosen["arm"].value_counts().between(4, 6).all()


def test_the_stored_check_found_no_other_number():
    report = json.loads((check_reruns.RESULTS / "reruns.json").read_text(encoding="utf-8"))
    stored, provenance = read_results(check_reruns.RESULTS, name="paper")
    assert len(report["runs"]) == 20 and report["differing"] == []
    assert report["exported_at"] == provenance["exported_at"] and report["drawn_from"] == len(stored)
    assert {line["arm"] for line in report["runs"]} == set(stored["arm"])
    assert {line["commit"] for line in report["runs"]} == set(stored["commit"])
