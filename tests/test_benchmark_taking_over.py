"""Going on with a grid from its exported files, where the store is lost."""

import hashlib
import json

import pandas as pd
import pytest

from causalmix_utils.benchmark import (
    RunStore,
    execute_run,
    export_results,
    find_pending,
    get_profile,
    take_over_results,
)
from causalmix_utils.cli import main

TINY = get_profile("smoke").subset(tables=["wine"], arms=["zero_shot", "default", "smote"])


@pytest.fixture
def exported(undisturbed, tmp_path):
    return export_results(undisturbed, tmp_path / "smoke", name="smoke")


def test_an_export_taken_into_an_empty_store_is_exported_alike(tmp_path, exported):
    with RunStore(tmp_path / "again.sqlite") as store:
        assert take_over_results(store, exported[0].parent, name="smoke") == 3
        assert take_over_results(store, exported[0].parent, name="smoke") == 0, "nothing is added twice"
        assert find_pending(TINY.runs(), store) == []
        second = export_results(store, tmp_path / "second", name="smoke")
    for first, again in zip(exported[:2], second[:2], strict=True):
        pd.testing.assert_frame_equal(pd.read_parquet(again), pd.read_parquet(first))
    provenance = [json.loads(paths[2].read_text()) | {"exported_at": ""} for paths in (exported, second)]
    assert provenance[0] == provenance[1]


def test_a_failed_run_is_replaced_by_the_finished_one_that_is_taken_over(tmp_path, exported):
    with RunStore(tmp_path / "again.sqlite") as store:
        failed = execute_run(TINY.runs()[0]) | {"status": "failed", "message": "lost"}
        store.add(failed)
        assert take_over_results(store, exported[0].parent, name="smoke") == 3
        assert store.failures().empty


def test_a_changed_export_is_not_taken_over(tmp_path, exported):
    frame = pd.read_parquet(exported[0])
    frame.loc[2, "settings"] = frame.loc[2, "settings"].replace('"split":0', '"split":1')
    frame.to_parquet(exported[0])
    provenance = json.loads(exported[2].read_text())
    provenance["file_sha256"][exported[0].name] = hashlib.sha256(exported[0].read_bytes()).hexdigest()
    exported[2].write_text(json.dumps(provenance))
    with RunStore(tmp_path / "again.sqlite") as store:
        with pytest.raises(ValueError, match=f"settings of run {frame.loc[2, 'id']}"):
            take_over_results(store, exported[0].parent, name="smoke")
        assert not store.identities(), "all or nothing"


def test_a_run_without_its_environment_is_not_taken_over(tmp_path, exported):
    provenance = json.loads(exported[2].read_text()) | {"environments": []}
    exported[2].write_text(json.dumps(provenance))
    with RunStore(tmp_path / "again.sqlite") as store, pytest.raises(ValueError, match=r"is not in smoke\.json"):
        take_over_results(store, exported[0].parent, name="smoke")


def test_the_command_goes_on_from_an_export(capsys, tmp_path, exported):
    grid = ["--tables", "wine", "--arms", "zero_shot,default,smote", "--store", str(tmp_path / "again.sqlite")]
    assert main(["benchmark", "--profile", "smoke", *grid, "--continue-from", str(exported[0].parent)]) == 0
    out = capsys.readouterr().out
    assert "3 runs taken over" in out
    assert "3 runs of profile 'smoke' are finished" in out
    with RunStore(tmp_path / "again.sqlite") as store:
        assert set(store.results()["finished_at"]) == set(pd.read_parquet(exported[0])["finished_at"])


def test_a_folder_without_results_is_named(capsys, tmp_path):
    store = str(tmp_path / "again.sqlite")
    assert main(["benchmark", "--store", store, "--continue-from", str(tmp_path)]) != 0
    assert "no results named 'smoke'" in capsys.readouterr().err
