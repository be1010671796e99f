"""The script that compares models: it resumes, repeats itself, and what it stored is complete and up to date."""

import functools
import http.server
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import compare_models, measure_prediction
from benchmarks.compare_models import CHECKPOINT_MODELS, MODELS, N_SPLITS, Task, distinct_context_rows, list_tasks
from causalmix_utils.baselines import make_baseline
from causalmix_utils.benchmark import read_results
from causalmix_utils.benchmark.arms import hash_checkpoint
from causalmix_utils.metrics import roc_auc
from causalmix_utils.tables import list_tables, load_table, scarce_split
from causalmix_utils.threads import single_thread

RESULTS = Path(__file__).resolve().parents[1] / "book" / "results"
RERUN = "run `python {}` and commit what it writes to book/results"


@pytest.fixture(scope="module")
def tasks():
    return list_tasks()


def pick(tasks, **wanted):
    """The tasks whose fields are those wanted."""
    return [task for task in tasks if all(getattr(task, name) == value for name, value in wanted.items())]


def test_every_model_gets_every_table_split_and_number_of_context_rows(tasks):
    cells = Counter((task.table, task.n, task.split) for task in tasks)
    assert set(cells.values()) == {len(MODELS)}
    assert {task.table for task in tasks} == set(list_tables()["name"])
    assert Counter(split for _, _, split in cells) == dict.fromkeys(range(N_SPLITS), len(cells) // N_SPLITS)


@pytest.mark.parametrize(("n_rows", "expected"), [(1000, [200, 500]), (303, [200, 500]), (300, [200]), (151, [200])])
def test_a_table_too_small_for_more_context_rows_is_not_scored_twice(n_rows, expected):
    assert distinct_context_rows(n_rows) == expected


@pytest.mark.parametrize("name", ["iris", "tae", "heart-cleveland", "auto-origin"])
def test_the_context_rows_that_are_left_out_are_those_of_the_smaller_number(name):
    table = load_table(name)
    sizes = {n: sum(map(len, scarce_split(table, n=n)[:2])) for n in (200, 500)}
    assert (len(distinct_context_rows(len(table))) == 2) == (sizes[200] != sizes[500])


def test_a_score_is_that_of_the_model_on_the_rows_of_the_split(tasks):
    (task,) = pick(tasks, table="tae", n=200, split=1, model="random_forest")
    record = compare_models.execute(task)
    train, validation, test = scarce_split(load_table("tae"), n=200, split=1, max_test=2000)
    context = train.concat(validation)
    model = make_baseline("random_forest", random_state=1).fit(context.X, context.y)
    assert record["auc"] == roc_auc(test.y, model.predict_proba(test.X), model.classes_)
    assert (record["n_context"], record["n_test"]) == (len(context), len(test))


def test_only_the_checkpoints_scores_depend_on_its_weights(tasks, monkeypatch):
    monkeypatch.setattr(compare_models, "hash_checkpoint", lambda weights: "other")
    known = {task.identity for task in tasks}
    changed = {task.model for task in list_tasks() if task.identity not in known}
    assert changed == set(CHECKPOINT_MODELS)


def test_weights_that_were_replaced_meanwhile_are_not_scored_under_the_old_name(tasks):
    task = replace(pick(tasks, table="tae", model="nano_1")[0], checkpoint="older")
    with pytest.raises(ValueError, match="the checkpoint is not older any more"):
        compare_models.execute(task)


def test_a_run_that_was_stopped_goes_on_where_it_was(tasks, tmp_path, monkeypatch):
    wanted = pick(tasks, table="tae", n=200, model="class_shares")
    executed = []

    def execute_until_stopped(task):
        if len(executed) == 2:
            raise KeyboardInterrupt
        executed.append(task)
        return original(task)

    original = compare_models.execute
    monkeypatch.setattr(compare_models, "execute", execute_until_stopped)
    with compare_models.ScoreStore(tmp_path / "s.sqlite") as store, pytest.raises(KeyboardInterrupt):
        compare_models.make_scores(wanted, store, n_jobs=1)
    monkeypatch.setattr(compare_models, "execute", original)
    with compare_models.ScoreStore(tmp_path / "s.sqlite") as store:
        before = store.records()
        assert set(before) == {task.identity for task in wanted[:2]}
        compare_models.make_scores(wanted, store, n_jobs=1)
        after = store.records()
    assert set(after) == {task.identity for task in wanted}
    assert all(after[key] == record for key, record in before.items()), "finished scores are kept as they are"


def test_several_processes_make_the_same_scores_as_one(tasks, tmp_path):
    wanted = pick(tasks, table="tae", n=200, split=0)
    wanted = [task for task in wanted if task.model in ("logistic_regression", "random_forest", "boosting")]
    scores = []
    for n_jobs in (1, 2):
        with compare_models.ScoreStore(tmp_path / f"{n_jobs}.sqlite") as store:
            compare_models.make_scores(wanted, store, n_jobs=n_jobs)
            scores.append({key: (r["auc"], r["log_loss"]) for key, r in store.records().items()})
    assert scores[0] == scores[1]


def test_an_incomplete_store_is_not_exported(tmp_path):
    with (
        compare_models.ScoreStore(tmp_path / "s.sqlite") as store,
        pytest.raises(ValueError, match="scores are missing"),
    ):
        compare_models.export(store, tmp_path)
    assert not list(tmp_path.glob("*.parquet"))


def test_a_new_store_starts_with_what_was_exported(tmp_path):
    exported, provenance = read_results(RESULTS, name="zero_shot")
    with compare_models.open_store(tmp_path / "s.sqlite", exported=RESULTS) as store:
        records = list(store.records().values())
        assert len(records) == len(exported)
        assert len(store.environments()) == len(provenance["environments"])
        compare_models.export(store, tmp_path)
    again, _ = read_results(tmp_path, name="zero_shot")
    pd.testing.assert_frame_equal(again, exported)


# What is stored in book/results


@pytest.fixture(scope="module")
def stored():
    return read_results(RESULTS, name="zero_shot")


def test_the_stored_comparison_is_that_of_the_embedded_checkpoint(stored):
    scores, provenance = stored
    found = {provenance["checkpoint"], *scores.loc[scores["model"].isin(CHECKPOINT_MODELS), "checkpoint"]}
    assert found == {hash_checkpoint("nano")}, "weights have changed: " + RERUN.format("benchmarks/compare_models.py")


def test_the_stored_comparison_is_complete(stored, tasks):
    scores, _ = stored
    fields = list(Task.__dataclass_fields__)
    found = {Task(**record).identity for record in scores[fields].to_dict("records")}
    missing = [task for task in tasks if task.identity not in found]
    assert not missing, f"{len(missing)} scores are missing: " + RERUN.format("benchmarks/compare_models.py")
    assert len(scores) == len(tasks)


def test_the_stored_scores_are_possible_and_tell_their_tables_role(stored):
    scores, _ = stored
    assert scores[["auc", "calibration_error"]].apply(lambda column: column.between(0, 1).all()).all()
    assert (scores["log_loss"] >= 0).all()
    assert (scores["seconds"] > 0).all()
    assert (scores.loc[scores["model"] == "class_shares", "auc"] == 0.5).all()
    roles = scores.drop_duplicates("table").set_index("table")["role"]
    assert roles.to_dict() == list_tables().set_index("name")["role"].to_dict()
    assert (scores["n_test"] <= 2000).all()


def test_the_models_of_a_split_saw_the_same_rows(stored):
    scores, _ = stored
    sizes = scores.groupby(["table", "n", "split"])[["n_context", "n_test"]].nunique()
    assert (sizes == 1).all(axis=None)


def test_a_stored_score_of_the_checkpoint_can_be_made_again(stored, tasks):
    scores, _ = stored
    (task,) = pick(tasks, table="titanic", n=200, split=0, model="nano_4")
    row = scores.query("table == 'titanic' and n == 200 and split == 0 and model == 'nano_4'").iloc[0]
    assert row["checkpoint"] == task.checkpoint, "weights have changed: " + RERUN.format("benchmarks/compare_models.py")
    record = compare_models.execute(task)
    # Another processor may add numbers in another order.
    assert record["auc"] == pytest.approx(row["auc"], abs=2e-3)
    assert record["log_loss"] == pytest.approx(row["log_loss"], abs=2e-3)


def test_the_stored_times_are_those_of_the_embedded_checkpoint():
    report = read_report()
    assert report["checkpoint"] == hash_checkpoint("nano"), "weights have changed: " + RERUN.format(
        "benchmarks/measure_prediction.py"
    )
    assert (report["context_rows"], report["query_rows"], report["features"], report["threads"]) == (200, 200, 20, 1)


def read_report():
    return pd.read_json(RESULTS / "prediction_time.json", typ="series").to_dict()


def test_a_measured_time_is_a_median_of_rounds_that_count():
    context = load_table("tae")
    with single_thread():  # else the threads' seconds of processor add up to more than the clock's
        medians = measure_prediction.measure(lambda: make_baseline("logistic_regression"), context, context, repeats=3)
    assert all(np.isfinite(value) and value >= 0 for value in medians.values())
    assert medians["fit_and_predict"] <= medians["wall"] + 0.05


# Reading results over the network


@pytest.fixture
def address(tmp_path):
    """The address of a folder with results, served by this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    pd.DataFrame({"auc": [0.5]}).to_parquet(tmp_path / "some.parquet")
    (tmp_path / "some.json").write_text('{"scores": 1}')
    handler = functools.partial(Quiet, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_results_are_read_from_an_address_as_from_a_folder(address, tmp_path):
    frame, provenance = read_results(address, name="some")
    expected, _ = read_results(tmp_path, name="some")
    pd.testing.assert_frame_equal(frame, expected)
    assert provenance == {"scores": 1}


def test_an_address_without_results_is_named(address):
    with pytest.raises(ValueError, match="no results named 'other' in http.*other.parquet"):
        read_results(address, name="other")
