"""Results of which parts are measured one by one."""

import json
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.stored_parts import store_parts

RESULTS = Path(__file__).resolve().parents[1] / "book" / "results"


def test_a_part_that_is_not_measured_again_keeps_its_rows_and_its_provenance(tmp_path):
    first = store_parts(tmp_path, "cost", {"fit": [{"s": 1.0}], "draw": [{"s": 2.0}]}, command="python cost.py")
    stored = json.loads((tmp_path / "cost.json").read_text())
    stored["parts"]["fit"]["measured_at"] = stored["parts"]["draw"]["measured_at"] = "2020-01-01T00:00:00+00:00"
    (tmp_path / "cost.json").write_text(json.dumps(stored))

    again = store_parts(tmp_path, "cost", {"draw": [{"s": 3.0}]}, command="python cost.py", settings={"threads": 1})

    assert first["parts"]["draw"]["command"] == "python cost.py --parts fit draw"
    assert again == json.loads((tmp_path / "cost.json").read_text())
    assert again["threads"] == 1
    assert again["parts"]["fit"] == stored["parts"]["fit"]
    assert again["parts"]["draw"]["measured_at"] > "2020-01-02"
    assert again["parts"]["draw"]["command"] == "python cost.py --parts draw"
    frame = pd.read_parquet(tmp_path / "cost.parquet")
    assert dict(zip(frame["part"], frame["s"], strict=True)) == {"fit": 1.0, "draw": 3.0}


def test_the_summary_is_of_all_parts_that_are_stored(tmp_path):
    for part, rows in {"fit": [{"s": 1.0}], "draw": [{"s": 2.0}, {"s": 4.0}]}.items():
        report = store_parts(
            tmp_path, "cost", {part: rows}, command="x", summarise=lambda frame: {"total": float(frame["s"].sum())}
        )
    assert report["summary"] == {"total": 7.0}


@pytest.mark.parametrize("name", ["discovery_speed", "finetuning_speed", "scm_speed"])
def test_every_stored_part_says_when_and_on_what_it_was_measured(name):
    parts = json.loads((RESULTS / f"{name}.json").read_text())["parts"]
    assert set(parts) == set(pd.read_parquet(RESULTS / f"{name}.parquet")["part"])
    for run in parts.values():
        assert {"measured_at", "command", "environment"} <= set(run)
        assert "+" not in run["environment"]["commit"], "measured with changes that no commit holds"
