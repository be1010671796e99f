"""TabArena's tables with their official splits. The cache is filled beforehand, so that no network is needed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from causalmix_utils.benchmark import execute_run, get_profile, run_benchmark, split_table
from causalmix_utils.benchmark.parts import count_splits, load_source_table
from causalmix_utils.tables import Table, duplicate_groups, load_table
from causalmix_utils.tables.cache import cache_paths, write_splits, write_table
from causalmix_utils.tables.online import TABARENA_TASKS

NAME = "anneal"  # a name that no embedded table has
TASK = TABARENA_TASKS[NAME]
FOLDS, REPEATS = 3, 2


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The cache as it is after anneal was fetched, with other rows in its place: iris, each of them twice."""
    pytest.importorskip("openml")
    monkeypatch.setenv("CAUSALMIX_CACHE", str(tmp_path / "cache"))
    iris = load_table("iris").to_frame()
    rows = pd.concat([iris, iris], ignore_index=True)
    table = Table.from_frame(rows, target="target", name=NAME)
    rng = np.random.default_rng(0)
    splits = {}
    for repeat in range(REPEATS):
        order = rng.permutation(len(table))
        for fold in range(FOLDS):
            test = sorted(order[fold::FOLDS].tolist())
            splits[repeat, fold] = sorted(set(range(len(table))) - set(test)), test
    write_table(table, TASK, tmp_path / "cache")
    write_splits(splits, TASK, tmp_path / "cache")
    return splits


@pytest.fixture
def profile():
    """The profile, on the one table that is in the cache and with the embedded checkpoint."""
    small = {"max_steps": 2, "check_every": 1, "n_estimators": 1, "device": "cpu"}
    online = get_profile("tabarena")
    return replace(
        online.subset(tables=[NAME], arms=["zero_shot", "default", "smote"]),
        weights="nano",
        fine_tuning=online.fine_tuning | small,
    )


def test_the_profile_is_all_arms_on_the_26_tables_with_the_weights_of_tabpfn_v2():
    profile = get_profile("tabarena")
    assert profile.table_names() == list(TABARENA_TASKS) and len(TABARENA_TASKS) == 26
    assert profile.weights == "tabpfn-v2"
    assert profile.arms == get_profile("paper").arms
    assert (profile.source, profile.regimes, profile.test_rows) == ("openml", {10_000: 30}, 10_000)


def test_every_official_split_is_run_and_no_more(profile):
    runs = profile.runs()
    assert count_splits(NAME, 30, source="openml") == FOLDS * REPEATS
    assert len(runs) == len({run.identity for run in runs}) == FOLDS * REPEATS * len(profile.arms)
    assert {run.split for run in profile.subset(splits=2).runs()} == {0, 1}
    assert count_splits("wine", 30) == 30, "splits of our own do not come to an end"


def test_a_run_tests_on_the_official_test_rows_and_holds_validation_rows_back_from_the_training_rows(profile, cache):
    table = load_source_table(NAME, source="openml")
    for run in profile.subset(arms=["default"]).runs():
        train, validation, test = split_table(run)
        official = table.take(cache[run.split // FOLDS, run.split % FOLDS][1])
        pd.testing.assert_frame_equal(test.to_frame(), official.to_frame())
        assert len(train) + len(validation) + len(test) == len(table)
        assert len(validation) == pytest.approx(len(train) / 2, abs=8)
        counts = validation.y.value_counts()
        assert set(counts.index) == set(table.classes) and counts.max() - counts.min() <= 8
        groups = duplicate_groups(pd.concat([train.X, validation.X], ignore_index=True))
        assert not set(groups[: len(train)]) & set(groups[len(train) :]), "equal rows stand on one side"


def test_all_arms_of_a_split_share_its_rows(profile):
    first, second = (split_table(run) for run in profile.subset(splits=1, arms=["default", "smote"]).runs())
    for left, right in zip(first, second, strict=True):
        pd.testing.assert_frame_equal(left.to_frame(), right.to_frame())


def test_the_profile_runs_from_the_cache(profile, tmp_path):
    results = run_benchmark(profile.subset(splits=1), tmp_path / "runs.sqlite", n_jobs=1)
    assert sorted(results["arm"]) == ["default", "smote", "zero_shot"]
    assert (results["n_rows"] + results["n_test"] == 300).all()
    assert results["auc"].min() > 0.9


def test_an_official_part_with_more_rows_than_the_run_allows_is_refused(profile):
    run = profile.subset(arms=["zero_shot"]).runs()[0]
    for change, part in (({"regime": 199}, "training"), ({"test_rows": 99}, "test")):
        record = execute_run(replace(run, **change))
        assert record["status"] == "failed"
        assert f"the official {part} part of 'anneal' has" in record["message"]


def test_a_table_that_openml_has_changed_is_refused(profile, tmp_path):
    run = profile.subset(arms=["zero_shot"]).runs()[0]
    folder = tmp_path / "cache"
    cache_paths(folder, TASK)["about"].unlink()
    write_table(Table.from_frame(load_table("iris").to_frame(), target="target", name=NAME), TASK, folder)
    record = execute_run(run)
    assert record["status"] == "failed"
    assert f"expected {run.table_hash}" in record["message"]


def test_an_unknown_source_is_named():
    with pytest.raises(ValueError, match="got 'kaggle'"):
        load_source_table("wine", source="kaggle")
