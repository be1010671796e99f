"""The benchmark: identities, the store, resuming after a kill, and real runs on a small table."""

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalmix_utils.benchmark import (
    ARMS,
    COUNTED_ARMS,
    PROFILES,
    Profile,
    RunSettings,
    RunStore,
    derive_seed,
    execute_run,
    export_results,
    find_pending,
    get_profile,
    read_results,
    run_benchmark,
    split_table,
)
from causalmix_utils.benchmark.arms import hash_checkpoint
from causalmix_utils.benchmark.parts import watch_rows
from causalmix_utils.evaluation import add_gains
from causalmix_utils.finetuning import CausalMixFTClassifier
from causalmix_utils.foundation import checkpoint_provenance, embedded_checkpoint
from causalmix_utils.generators import Generator, register_generator
from causalmix_utils.tables import Table, content_hash, list_tables, load_table

RESULTS = Path(__file__).parents[1] / "book" / "results"
TINY = get_profile("smoke").subset(tables=["wine"], arms=["zero_shot", "default", "smote"])
some_examples = settings(max_examples=40)
MEASURED = ("seconds", "peak_memory_mb", "finished_at", "commit", "environment")  # differ between equal runs
PATIENCE = 300  # seconds; a busy machine must not fail a test
EMBEDDED = [name for name, profile in PROFILES.items() if profile.source == "embedded"]


def make_settings(**changes):
    settings = RunSettings(
        table="wine",
        table_hash="0" * 16,
        regime=90,
        split=0,
        seed=0,
        arm="smote",
        generator="smote",
        generator_options={},
        fine_tunes=True,
        fine_tuning={"max_steps": 4, "validation_fraction": 1 / 3},
        weights="nano",
        checkpoint="1" * 16,
    )
    return replace(settings, **changes)


def make_record(settings, *, status="done", auc=0.8, message=""):
    return {
        "settings": asdict(settings),
        "status": status,
        "message": message,
        "metrics": {"auc": auc, "log_loss": 0.5, "tracking_gap": None} if status == "done" else {},
        "trajectory": {"step": [0, 5], "train_loss": [None, 0.4]} if status == "done" else {},
        "seconds": {"total": 1.5},
        "peak_memory_mb": 100.0,
        "environment": {"python": "3.11"},
        "finished_at": "2026-01-01T00:00:00+00:00",
    }


def without_times(results):
    return results.drop(columns=[column for column in results if column.startswith(MEASURED)])


@pytest.fixture
def store(tmp_path):
    with RunStore(tmp_path / "runs.sqlite") as store:
        yield store


# Identities and seeds


def test_runs_that_were_stored_before_an_option_existed_keep_their_identity():
    results, _ = read_results(RESULTS, name="chapter")
    for row in results.to_dict("records"):
        assert RunSettings.from_json(row["settings"]).identity == row["id"]


def test_the_final_model_predicts_all_test_rows_and_the_trajectory_a_stratified_part():
    (settings,) = get_profile("smoke").subset(tables=["wine"], arms=["default"]).runs()
    whole, part = execute_run(settings), execute_run(replace(settings, trajectory_rows=20))
    assert part["metrics"]["n_test"] == whole["metrics"]["n_test"] > 20
    assert part["metrics"]["auc"] == whole["metrics"]["auc"]
    assert part["trajectory"]["validation_auc"] == whole["trajectory"]["validation_auc"]
    assert part["trajectory"]["test_log_loss"] != whole["trajectory"]["test_log_loss"]
    _, _, test = split_table(settings)
    watched = watch_rows(test, 20)
    assert len(watched) == 20
    assert (watched.y.value_counts() - 20 * test.y.value_counts(normalize=True)).abs().max() < 1
    assert watch_rows(test, None) is test


def test_identity_is_the_same_in_every_process():
    settings = make_settings()
    code = (
        "from causalmix_utils.benchmark import RunSettings; import sys; s = RunSettings.from_json(sys.argv[1]); "
        "print(s.identity, s.run_seed, s.split_seed)"
    )
    for hash_seed in ("1", "2"):
        printed = subprocess.run(
            [sys.executable, "-c", code, settings.to_json()],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        assert printed == [settings.identity, str(settings.run_seed), str(settings.split_seed)]


@pytest.mark.parametrize(
    "change",
    [
        {"table": "tae"},
        {"table_hash": "2" * 16},
        {"regime": 91},
        {"split": 1},
        {"seed": 1},
        {"arm": "causal"},
        {"generator_options": {"k_neighbors": 3}},
        {"trajectory_rows": 100},
        {"fine_tuning": {"max_steps": 5, "validation_fraction": 1 / 3}},
        {"checkpoint": "3" * 16},
        {"test_rows": 10},
        {"source": "openml"},
        {"protocol": 0},
    ],
)
def test_identity_changes_with_everything_that_decides_a_result(change):
    assert make_settings(**change).identity != make_settings().identity


def test_identity_does_not_depend_on_the_order_of_options():
    turned = {"validation_fraction": 1 / 3, "max_steps": 4}
    assert make_settings(fine_tuning=turned).identity == make_settings().identity


@some_examples
@given(st.integers(0, 99), st.sampled_from(sorted(ARMS)))
def test_settings_survive_the_way_through_json(split, arm):
    settings = make_settings(split=split, arm=arm)
    assert RunSettings.from_json(settings.to_json()) == settings


def test_arms_of_a_split_share_rows_and_views_but_not_their_own_seed():
    causal, again = make_settings(arm="causal"), make_settings(arm="default_again")
    assert causal.split_seed == again.split_seed
    assert causal.discovery_seed == again.discovery_seed != make_settings(split=1).discovery_seed
    assert causal.run_seed != again.run_seed


@some_examples
@given(st.lists(st.text(max_size=5), min_size=1, max_size=4))
def test_seeds_fit_every_library_and_tell_parts_apart(parts):
    assert 0 <= derive_seed(*parts) < 2**31
    assert derive_seed(*parts) != derive_seed(*parts, "more")


def test_table_hash_sees_values_names_types_and_order():
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [1.5, np.nan, 2.5], "c": ["x", "y", None], "t": ["n", "y", "n"]})
    variants = [
        frame,
        frame.assign(a=[1, 2, 4]),
        frame.assign(a=[1.0, 2.0, 3.0]),
        frame.assign(c=["x", None, "y"]),
        frame.rename(columns={"a": "z"}),
        frame.iloc[[1, 0, 2]],
        frame[["b", "a", "c", "t"]],
    ]
    hashes = [content_hash(Table.from_frame(variant, target="t")) for variant in variants]
    assert len(set(hashes)) == len(variants)
    assert hashes[0] == content_hash(Table.from_frame(frame.copy(), target="t"))


# Profiles


@pytest.mark.parametrize("name", EMBEDDED)
def test_a_profile_is_a_full_grid_without_doubles(name):
    profile = get_profile(name)
    runs = profile.runs()
    n_splits = sum(profile.regimes.values())
    assert len(runs) == len(profile.table_names()) * n_splits * len(profile.arms) * profile.seeds
    assert len({run.identity for run in runs}) == len(runs)


def test_every_arm_gets_the_same_budget():
    for name in EMBEDDED:
        runs = get_profile(name).runs()
        assert all(run.fine_tuning == runs[0].fine_tuning for run in runs)


def test_the_paper_profile_reports_on_reported_tables_only():
    roles = list_tables().set_index("name")["role"]
    assert set(roles[get_profile("paper").table_names()]) == {"reported"}
    assert set(roles[get_profile("smoke").table_names()]) == {"development"}


def test_the_paper_profile_has_2310_fine_tuning_runs_on_the_33_largest_reported_tables():
    profile = get_profile("paper")
    reported = list_tables("reported").set_index("name")["rows"]
    left_out = set(reported.index) - set(profile.table_names())
    assert left_out == {"autos", "glass", "sonar"}, "a new table changes the paper profile: that must be meant"
    assert reported[list(left_out)].max() < reported[profile.table_names()].min()
    published = [run for run in profile.runs() if run.regime == 600 and run.arm in COUNTED_ARMS]
    assert len({run.identity for run in published}) == len(published) == 33 * 10 * 7 == 2310
    assert {run.split for run in profile.runs() if run.regime == 200} == {0, 1, 2}
    on_top = {"causal_blanket", "zero_shot", "independent", "default_again"}
    assert set(profile.arms) == on_top | set(COUNTED_ARMS)


def test_a_subset_keeps_the_identities_of_its_runs():
    whole = {run.identity for run in get_profile("smoke").runs()}
    assert {run.identity for run in TINY.runs()} < whole
    one_split = {run.identity for run in get_profile("chapter").subset(splits=1).runs()}
    assert one_split == {run.identity for run in get_profile("chapter").runs() if run.split == 0}
    with pytest.raises(ValueError, match="splits must be an integer of at least 1 or None, got 0"):
        TINY.subset(splits=0)


def test_a_profile_names_what_it_does_not_know():
    with pytest.raises(ValueError, match="got 'huge'"):
        get_profile("huge")
    with pytest.raises(ValueError, match="'magic'"):
        TINY.subset(arms=["magic"]).runs()


# The store


def test_a_finished_run_is_never_overwritten_and_a_failed_one_is(store):
    settings = make_settings()
    store.add(make_record(settings, status="failed", message="ValueError: too hot"))
    assert store.failures()["message"].tolist() == ["ValueError: too hot"]
    store.add(make_record(settings, auc=0.8))
    store.add(make_record(settings, auc=0.1))
    store.add(make_record(settings, status="failed", message="late"))
    assert store.results()["auc"].tolist() == [0.8]
    assert store.failures().empty


def test_the_order_of_results_does_not_depend_on_who_finished_first(tmp_path):
    records = [make_record(make_settings(split=split, arm=arm)) for split in range(3) for arm in ("causal", "smote")]
    frames = []
    for turn, order in enumerate([records, records[::-1]]):
        with RunStore(tmp_path / f"{turn}.sqlite") as store:
            for record in order:
                store.add(record)
            frames.append(store.results())
    pd.testing.assert_frame_equal(*frames)


def test_missing_numbers_come_back_as_nan(store):
    store.add(make_record(make_settings()))
    assert np.isnan(store.results()["tracking_gap"][0])
    assert store.trajectories()["train_loss"].isna().tolist() == [True, False]
    assert store.trajectories()["step"].tolist() == [0, 5]


def test_an_empty_store_has_empty_frames(store):
    assert store.results().empty
    assert store.trajectories().empty
    assert store.failures().empty


def test_a_file_that_is_no_store_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but a text that is long enough to be looked at " * 10)
    with pytest.raises(ValueError, match="notes.txt can't be read"):
        RunStore(path)
    assert path.read_text().startswith("not a database")


def test_who_only_reads_changes_nothing_but_sees_past_what_a_killed_process_left_half_done(tmp_path):
    path = tmp_path / "runs.sqlite"
    with pytest.raises(ValueError, match="runs.sqlite can't be read as one: unable to open"):
        RunStore(path, read_only=True)
    assert not path.exists()
    with RunStore(path) as store:
        store.add(make_record(make_settings()))
    half = (
        "import os, signal, sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1])\n"
        "connection.execute('PRAGMA cache_size = 5')  # so that pages are written before the end\n"
        "connection.execute('UPDATE runs SET message = ?', ('lost' * 100_000,))\n"
        "connection.executemany('INSERT INTO environments VALUES (?, ?)', [(f'e{i}', 'x' * 999) for i in range(999)])\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", half, str(path)], check=False)
    assert Path(f"{path}-journal").stat().st_size > 0, "nothing was left half done"
    with RunStore(path, read_only=True) as store:
        assert store.results()["id"].tolist() == [make_settings().identity]
        assert len(store.environments()) == 1
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            store.add(make_record(make_settings(split=1)))


def test_settings_are_found_by_identity(store):
    settings = make_settings(split=7)
    store.add(make_record(settings))
    assert store.settings(settings.identity) == settings
    with pytest.raises(ValueError, match="'f00'"):
        store.settings("f00")


def test_a_run_is_found_by_a_beginning_that_no_other_has(store):
    runs = [make_settings(split=split) for split in range(40)]
    for run in runs:
        store.add(make_record(run))
    identity = runs[0].identity
    length = next(n for n in range(1, 17) if sum(run.identity.startswith(identity[:n]) for run in runs) == 1)
    assert store.find(identity[:length]) == identity == store.find(identity)
    with pytest.raises(ValueError, match=f"{identity[: length - 1]!r} (stands for|is not in)"):
        store.find(identity[: length - 1])
    with pytest.raises(ValueError, match="'xyz' is not in"):
        store.find("xyz")


def test_every_row_says_where_and_with_what_it_was_made(store):
    settings = make_settings()
    store.add(make_record(settings) | {"environment": {"commit": "abc", "versions": {"torch": "2.13.0"}}})
    row = store.results().iloc[0]
    (environment,) = store.environments()
    assert (row["commit"], row["finished_at"]) == ("abc", "2026-01-01T00:00:00+00:00")
    assert environment == {"id": row["environment"], "commit": "abc", "versions": {"torch": "2.13.0"}, "runs": 1}
    assert RunSettings.from_json(row["settings"]) == settings


def test_a_kill_while_writing_leaves_whole_records_only(tmp_path):
    writer = """
import sys
sys.path.insert(0, sys.argv[2])
from test_benchmark_writer import records
from causalmix_utils.benchmark import RunStore
with RunStore(sys.argv[1]) as store:
    for record in records():
        store.add(record)
"""
    (tmp_path / "test_benchmark_writer.py").write_text(
        "import json\ndef records():\n"
        f"    record = json.loads({json.dumps(json.dumps(make_record(make_settings())))})\n"
        "    for split in range(10**6):\n"
        "        record['settings']['split'] = split\n"
        "        yield record\n"
    )
    path = tmp_path / "runs.sqlite"
    moments = random.Random(0)
    before = 0
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-c", writer, str(path), str(tmp_path)])
        deadline = time.monotonic() + PATIENCE
        while count_rows(path) <= before and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(moments.uniform(0, 0.2))
        process.send_signal(signal.SIGKILL)
        process.wait()
        with RunStore(path) as store:
            results = store.results()
            assert len(results) > before
            assert results["split"].tolist() == list(range(len(results)))
            assert results["auc"].notna().all()
            before = len(results)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def count_rows(path):
    """Rows of a store that another process may be writing; 0 until it is there."""
    if not path.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5) as connection:
            return connection.execute("SELECT COUNT(*) FROM runs").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def find_children(pid):
    """Child processes, where the system lists them (Linux)."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def assert_gone(pids):
    deadline = time.monotonic() + PATIENCE
    while any(map(is_running, pids)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [pid for pid in pids if is_running(pid)], "workers outlive the runner that was killed"


# Real runs


def test_a_run_has_every_metric_and_its_gain_is_measured_from_zero_shot(undisturbed):
    with RunStore(undisturbed) as store:
        results, failures = store.results(), store.failures()
        paths = store.trajectories()
    assert failures.empty
    assert sorted(results["arm"]) == ["default", "smote", "zero_shot"]
    assert results[["auc", "log_loss", "calibration_error", "seconds_total", "peak_memory_mb"]].notna().all(axis=None)
    assert (results["n_rows"] == 90).all()
    assert (results["n_train"] + results["n_validation"] == results["n_rows"]).all()
    assert results.set_index("arm")["n_synthetic"].to_dict() == {"default": 0, "smote": 100, "zero_shot": 0}
    gains = add_gains(results).set_index("arm")
    assert gains.loc["zero_shot", "gain"] == 0
    fine_tuned = set(results.loc[results["arm"] != "zero_shot", "id"])
    assert set(paths["id"]) == fine_tuned
    assert paths.groupby("id")["step"].first().eq(0).all()


def test_a_run_that_learns_nothing_gains_exactly_nothing(undisturbed):
    with RunStore(undisturbed) as store:
        stored = store.results().set_index("arm")
        settings = store.settings(stored.loc["default", "id"])
    record = execute_run(replace(settings, fine_tuning={**settings.fine_tuning, "learning_rate": 0.0}))
    assert record["metrics"]["best_step"] == 0
    assert record["metrics"]["auc"] == stored.loc["zero_shot", "auc"]
    assert record["metrics"]["log_loss"] == stored.loc["zero_shot", "log_loss"]


def test_test_rows_stand_on_no_other_side(undisturbed):
    with RunStore(undisturbed) as store:
        settings = store.settings(store.results()["id"].iloc[0])
    train, validation, test = split_table(settings)
    assert len(test) == min(settings.test_rows, len(load_table("wine")) - 90)
    seen = pd.concat([train.X, validation.X])
    assert test.X.merge(seen, how="inner").empty


def test_a_run_trains_on_train_rows_watches_validation_rows_and_is_judged_on_test_rows(monkeypatch, undisturbed):
    with RunStore(undisturbed) as store:
        settings = store.settings(store.results().set_index("arm").loc["default", "id"])
    fit, predict, seen = CausalMixFTClassifier.fit, CausalMixFTClassifier.predict_proba, {}

    def recorded_fit(model, X, y, **parts):
        seen.update(parts, X=X, y=y)
        return fit(model, X, y, **parts)

    def recorded_predict(model, X):
        seen.update(judged=X, context=model.classifier_.n_train_samples_)
        return predict(model, X)

    monkeypatch.setattr(CausalMixFTClassifier, "fit", recorded_fit)
    monkeypatch.setattr(CausalMixFTClassifier, "predict_proba", recorded_predict)
    settings = replace(settings, fine_tuning={**settings.fine_tuning, "max_steps": 1})
    execute_run(settings)
    train, validation, test = split_table(settings)
    for name, rows in (("", train), ("_validation", validation)):
        pd.testing.assert_frame_equal(seen[f"X{name}"], rows.X)
        pd.testing.assert_series_equal(seen[f"y{name}"], rows.y)
    watched = watch_rows(test, settings.trajectory_rows)
    pd.testing.assert_frame_equal(seen["X_test"], watched.X)
    pd.testing.assert_series_equal(seen["y_test"], watched.y)
    assert watched.X.merge(pd.concat([train.X, validation.X]), how="inner").empty
    pd.testing.assert_frame_equal(seen["judged"], test.X)
    assert seen["context"] == len(train) + len(validation), "all real rows that the run may know, and no other"


def test_a_generator_with_a_network_of_its_own_gets_the_runs_unless_it_names_one(undisturbed):
    class Recording(Generator):
        """Notes which weights it was given."""

        name = "recording of tests"
        summary, source = "real rows", "the tests"

        def __init__(self, *, weights=None, device=None):
            self.weights = weights
            self.device = device

        def _fit(self, train, rng):
            given.append((self.weights, self.device))
            self.rows_ = train.to_frame()

        def _sample(self, n, rng):
            return self.rows_.iloc[rng.integers(len(self.rows_), size=n)]

    register_generator(Recording)
    given = []
    with RunStore(undisturbed) as store:
        settings = store.settings(store.results().set_index("arm").loc["smote", "id"])
    settings = replace(settings, generator=Recording.name, fine_tuning={**settings.fine_tuning, "max_steps": 1})
    for options in ({}, {"weights": "another"}):
        execute_run(replace(settings, generator_options=options))
    assert given == [(settings.weights, "cpu"), ("another", "cpu")]


def test_a_run_can_be_made_again_from_the_store_with_the_same_result(undisturbed):
    with RunStore(undisturbed) as store:
        stored = store.results().set_index("arm").loc["smote"]
        again = execute_run(store.settings(stored["id"]))
    assert again["metrics"]["auc"] == stored["auc"]
    assert again["metrics"]["log_loss"] == stored["log_loss"]


def test_a_second_call_makes_no_run(undisturbed):
    with RunStore(undisturbed) as store:
        assert find_pending(TINY.runs(), store) == []
        before = store.results()
    pd.testing.assert_frame_equal(run_benchmark(TINY, undisturbed, n_jobs=1), before)


def test_a_table_that_changed_since_is_not_mixed_with_the_old_one():
    run = replace(TINY.runs()[0], table_hash="f" * 16)
    record = execute_run(run)
    assert record["status"] == "failed"
    assert "expected ffffffffffffffff" in record["message"]


def test_another_checkpoint_under_the_same_name_is_not_mixed_with_the_old_one():
    record = execute_run(replace(TINY.runs()[0], checkpoint="f" * 16))
    assert record["status"] == "failed"
    assert "weights 'nano' have the hash" in record["message"]


def test_a_failure_is_recorded_and_made_again_only_on_request(tmp_path):
    broken = replace(TINY, arms=("smote",), generator_options={"smote": {"k_neighbors": -1}})
    with RunStore(tmp_path / "runs.sqlite") as store:
        assert run_benchmark(broken, store, n_jobs=1).empty
        first = store.failures()
        assert "k_neighbors" in first["message"][0]
        assert find_pending(broken.runs(), store) == []
        assert len(find_pending(broken.runs(), store, retry_failed=True)) == 1
        run_benchmark(broken, store, n_jobs=1, retry_failed=True)
        assert len(store.failures()) == 1


def test_a_killed_runner_loses_only_runs_in_flight_and_resumes_to_the_same_store(tmp_path, undisturbed):
    path = tmp_path / "runs.sqlite"
    command = [sys.executable, "-m", "causalmix_utils", "benchmark", "--profile", "smoke", "--tables", "wine"]
    command += ["--arms", ",".join(TINY.arms), "--store", str(path), "--n-jobs", "2"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + PATIENCE
    while count_rows(path) < 1 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    workers = find_children(process.pid)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    with RunStore(path) as store:
        survived = store.results()
    assert 1 <= len(survived) <= 3
    assert_gone(workers)
    resumed = run_benchmark(TINY, path, n_jobs=1)
    with RunStore(undisturbed) as store:
        pd.testing.assert_frame_equal(without_times(resumed), without_times(store.results()))
    kept = resumed[resumed["id"].isin(survived["id"])].reset_index(drop=True)
    shared = [column for column in survived if column in kept]
    pd.testing.assert_frame_equal(kept[shared], survived[shared])


def test_runs_of_a_dask_cluster_are_those_of_this_process(tmp_path, undisturbed):
    pytest.importorskip("distributed")
    results = run_benchmark(TINY, tmp_path / "runs.sqlite", backend="dask", n_jobs=1)
    with RunStore(undisturbed) as store:
        pd.testing.assert_frame_equal(without_times(results), without_times(store.results()))


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="got 'slurm'"):
        run_benchmark(TINY, "never.sqlite", backend="slurm")
    with pytest.raises(ValueError, match="n_jobs must be an integer of at least 1 or None, got 0"):
        run_benchmark(TINY, "never.sqlite", n_jobs=0)
    assert not os.path.exists("never.sqlite")


# Export


def test_exported_results_are_those_of_the_store_with_their_provenance(tmp_path, undisturbed):
    written = export_results(undisturbed, tmp_path / "results", name="tiny")
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == sorted(path.name for path in written)
    results, provenance = read_results(tmp_path / "results", name="tiny")
    with RunStore(undisturbed) as store:
        pd.testing.assert_frame_equal(results, store.results())
    assert provenance["runs"] == 3
    assert provenance["fine_tuning_runs"] == 2
    assert provenance["environments"][0]["versions"]["tabpfn"]
    assert provenance["settings"][0]["fine_tuning"] == TINY.fine_tuning
    assert provenance["settings"][0]["checkpoint"] == results["checkpoint"].unique().item()


def test_export_refuses_a_grid_with_gaps_or_says_what_is_missing(tmp_path, undisturbed):
    grid = TINY.subset(arms=["default", "smote", "causal"]).runs()
    with pytest.raises(ValueError, match="1 of 3 runs are missing in .*, 0 of them failed; .* table wine.* arm causal"):
        export_results(undisturbed, tmp_path / "gaps", runs=grid)
    assert not (tmp_path / "gaps").exists()
    export_results(undisturbed, tmp_path / "allowed", runs=grid, allow_gaps=True)
    results, provenance = read_results(tmp_path / "allowed")
    assert sorted(results["arm"]) == ["default", "smote"], "of the store's runs only those of the grid"
    assert [(run["arm"], run["failed"]) for run in provenance["missing"]] == [("causal", False)]
    trajectories = pd.read_parquet(tmp_path / "allowed" / "runs-trajectories.parquet")
    assert set(trajectories["id"]) == set(results["id"])
    assert provenance["environments"][0]["runs"] == 2
    export_results(undisturbed, tmp_path / "whole", runs=TINY.runs())
    assert read_results(tmp_path / "whole")[1]["missing"] == []


def test_reads_together_see_the_same_runs_while_another_process_adds_one(tmp_path, undisturbed):
    shutil.copy(undisturbed, tmp_path / "runs.sqlite")
    record = execute_run(TINY.subset(arms=["default"]).runs()[0])
    record["settings"]["seed"] = 7

    def add():
        with RunStore(tmp_path / "runs.sqlite") as other:
            other.add(record)

    writer = threading.Thread(target=add)
    with RunStore(tmp_path / "runs.sqlite") as store:
        with store.reading():
            before = store.identities()
            writer.start()
            writer.join(timeout=0.5)
            assert store.identities() == before == set(store.results()["id"])
        writer.join()
        assert len(store.identities()) == len(before) + 1


def test_an_interrupted_run_is_no_result(monkeypatch):
    """The estimator keeps its best weights when it is interrupted; of a run they would be false numbers."""
    from causalmix_utils.tabpfn_bridge import TrainableEnsemble

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(TrainableEnsemble, "loss", interrupted)
    with pytest.warns(RuntimeWarning, match="interrupted"), pytest.raises(KeyboardInterrupt):
        execute_run(TINY.subset(arms=["default"]).runs()[0])


def test_export_refuses_a_store_without_runs(tmp_path):
    with pytest.raises(ValueError, match="does not exist"):
        export_results(tmp_path / "absent.sqlite", tmp_path)
    with RunStore(tmp_path / "empty.sqlite") as store, pytest.raises(ValueError, match="no finished run"):
        export_results(store, tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_export_leaves_a_foreign_database_as_it_is(tmp_path):
    path = tmp_path / "photos.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as other, other:
        other.execute("create table photos (name text)")
    before = path.read_bytes()
    with pytest.raises(ValueError, match="photos.sqlite"):
        export_results(path, tmp_path / "results")
    assert path.read_bytes() == before


def test_a_profile_can_be_changed_without_changing_it_for_others():
    get_profile("smoke").subset(arms=["smote"]).generator_options["smote"] = {"k_neighbors": 1}
    assert "smote" not in get_profile("smoke").generator_options


def test_a_checkpoint_is_known_by_its_bytes(tmp_path):
    path = tmp_path / "own.safetensors"
    path.write_bytes(embedded_checkpoint().read_bytes())
    assert hash_checkpoint(str(path)) == hash_checkpoint("nano") == checkpoint_provenance()["sha256"][:16]
    path.write_bytes(path.read_bytes() + b"\0")
    assert hash_checkpoint(str(path)) != hash_checkpoint("nano")
    with pytest.raises(ValueError, match="absent.safetensors' is neither a known name nor a file"):
        hash_checkpoint(str(tmp_path / "absent.safetensors"))


def test_own_profiles_are_welcome():
    profile = Profile(name="mine", summary="", tables=("tae",), regimes={60: 2}, arms=("zero_shot",))
    assert [(run.table, run.split) for run in profile.runs()] == [("tae", 0), ("tae", 1)]
