"""The script that makes stored runs again."""

import json

import pandas as pd

from benchmarks import check_reruns
from causalmix_utils.benchmark import TOLERANCE, export_results, get_profile, run_benchmark


def test_a_run_made_again_agrees_and_a_changed_number_is_noticed(tmp_path):
    grid = get_profile("smoke").subset(tables=["wine"], arms=["zero_shot"])
    run_benchmark(grid, tmp_path / "runs.sqlite", n_jobs=1)
    path, *_ = export_results(tmp_path / "runs.sqlite", tmp_path, name="tiny")
    (line,) = check_reruns.check_reruns(tmp_path, "tiny", 20, seed=0)
    assert line["auc_difference"] <= TOLERANCE
    frame = pd.read_parquet(path)
    frame.assign(auc=frame["auc"] - 2 * TOLERANCE).to_parquet(path)
    (line,) = check_reruns.check_reruns(tmp_path, "tiny", 20, seed=0)
    assert line["auc_difference"] > TOLERANCE


def test_the_stored_check_found_no_other_number():
    report = json.loads((check_reruns.RESULTS / "reruns.json").read_text(encoding="utf-8"))
    assert len(report["runs"]) == 20
    assert report["differing"] == []
