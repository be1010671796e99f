"""Making a stored run again, from the store and from exported files, in Python and on the command line."""

import json
import shutil
import sqlite3
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from causalmix_utils.benchmark import (
    TOLERANCE,
    RunStore,
    export_results,
    find_run,
    repeat_run,
)
from causalmix_utils.cli import main


@pytest.fixture
def store(undisturbed):
    return undisturbed


@pytest.fixture
def smote(store):
    with RunStore(store) as opened:
        return opened.results().set_index("arm").loc["smote"]


@pytest.fixture
def falsified(store, tmp_path, smote):
    """A copy of the store in which one metric of one run is off by twice the tolerance."""
    path = tmp_path / "falsified.sqlite"
    shutil.copy(store, path)
    with sqlite3.connect(path) as connection:
        (text,) = connection.execute("SELECT metrics FROM runs WHERE id = ?", (smote["id"],)).fetchone()
        metrics = json.loads(text)
        metrics["log_loss"] += 2 * TOLERANCE
        connection.execute("UPDATE runs SET metrics = ? WHERE id = ?", (json.dumps(metrics), smote["id"]))
    return path


def rerun(capsys, *arguments):
    status = main(["rerun", *map(str, arguments)])
    return status, *capsys.readouterr()


def test_a_run_from_the_store_gives_its_stored_numbers_again(capsys, store, smote):
    status, out, err = rerun(capsys, smote["id"][:8], "--store", store)
    assert (status, err) == (0, "")
    assert f"{smote['id']}: table wine, 90 rows, split 0, arm smote, seed 0, checkpoint {smote['checkpoint']}" in out
    (line,) = [line.split() for line in out.splitlines() if line.split()[:1] == ["auc"]]
    assert line[1] == line[2] == f"{smote['auc']:.9g}"
    assert "the numbers are the same" in out


def test_a_run_from_exported_files_gives_its_stored_numbers_again(capsys, tmp_path, store, smote):
    export_results(store, tmp_path, name="tiny")
    pd.DataFrame({"something": ["else"]}).to_parquet(tmp_path / "other.parquet")
    for name in ("other", "report"):  # scores that are no runs, and a report without a table
        (tmp_path / f"{name}.json").write_text("{}", encoding="utf-8")
    assert find_run(smote["id"][:10], tmp_path).settings == find_run(smote["id"], store).settings
    comparison, environment = repeat_run(find_run(smote["id"], tmp_path, name="tiny"))
    assert (comparison["difference"].fillna(0) <= TOLERANCE).all()
    compared = comparison.set_index("metric")
    assert {"auc", "log_loss", "accuracy", "best_step", "tracking_gap", "n_test"} <= set(compared.index)
    assert compared.loc["auc", "stored"] == smote["auc"]
    assert environment["versions"] == find_run(smote["id"], tmp_path).environment["versions"]


def test_a_number_that_differs_by_more_than_the_tolerance_is_exit_status_1(capsys, falsified, smote):
    status, out, _ = rerun(capsys, smote["id"], "--store", falsified)
    assert status == 1
    assert "the numbers differ by more than 1e-06" in out
    comparison, _ = repeat_run(find_run(smote["id"], falsified))
    assert comparison.loc[comparison["difference"] > TOLERANCE, "metric"].tolist() == ["log_loss"]


def test_a_number_that_is_gone_is_a_difference(store):
    with RunStore(store) as opened:
        zero_shot = opened.results().set_index("arm").loc["zero_shot", "id"]
    stored = find_run(zero_shot, store)
    assert np.isnan(stored.metrics["tracking_gap"]), "a run without a trajectory has no gap"
    assert repeat_run(stored)[0]["difference"].fillna(0).max() <= TOLERANCE
    stored.metrics["tracking_gap"] = 0.5
    assert repeat_run(stored)[0]["difference"].max() == np.inf


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (["f00f00", "--store", "STORE"], "'f00f00' is not in"),
        (["", "--store", "STORE"], "'' is not in"),
        (["a", "--store", "absent.sqlite"], "--store=absent.sqlite does not exist"),
        (["a", "--results", "EMPTY"], "no exported runs with their settings"),
        (["a", "--results", "EMPTY", "--name", "paper"], "no results named 'paper'"),
        (["a", "--results", "absent"], "--results=absent does not exist"),
        (["a", "--store", "STORE", "--name", "paper"], "--name=paper belongs to --results"),
    ],
)
def test_what_cannot_be_run_again_is_named_on_one_line(capsys, tmp_path, store, arguments, culprit):
    places = {"STORE": str(store), "EMPTY": str(tmp_path)}
    status, _, err = rerun(capsys, *[places.get(argument, argument) for argument in arguments])
    assert status == 2
    assert culprit in err
    assert err.count("\n") == 1


def test_a_run_that_failed_has_no_numbers_to_compare(capsys, tmp_path, store):
    path = tmp_path / "failed.sqlite"
    shutil.copy(store, path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE runs SET status = 'failed', message = 'too hot'")
    with RunStore(path) as opened:
        identity = next(iter(opened.identities()))
    status, _, err = rerun(capsys, identity, "--store", path)
    assert status == 2
    assert "it failed: too hot" in err


def test_another_checkpoint_is_an_error_and_no_difference(store, smote):
    stored = find_run(smote["id"], store)
    changed = type(stored.settings).from_json(stored.settings.to_json().replace(smote["checkpoint"], "f" * 16))
    with pytest.raises(RuntimeError, match="can't be made again: ValueError: weights 'nano' have the hash"):
        repeat_run(replace(stored, settings=changed))


def test_a_run_of_another_protocol_is_not_compared(store, smote):
    stored = find_run(smote["id"], store)
    with pytest.raises(RuntimeError, match="made under protocol 1, .* use the commit that made it, abc"):
        repeat_run(replace(stored, settings=replace(stored.settings, protocol=1), environment={"commit": "abc"}))
