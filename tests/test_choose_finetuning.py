"""The scripts that choose how to fine-tune, and that compare fine-tuning with the library's."""

from __future__ import annotations

import contextlib
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from benchmarks import choose_finetuning, compare_finetuning
from benchmarks.choose_finetuning import Training, TrainingStore, list_trainings
from benchmarks.finetuning_rules import RULES, apply_rules, compare_choices, compare_harm, summarise
from benchmarks.stabilisers import OPTIONS
from causalmix_utils.benchmark import read_results
from causalmix_utils.finetuning import RECOMMENDED, CausalMixFTClassifier
from causalmix_utils.foundation import embedded_checkpoint
from causalmix_utils.tables import list_tables


@pytest.fixture(scope="module")
def trainings():
    return list_trainings()


def make_record(values, between=()):
    """A stored training whose validation and test scores are those given."""
    checks = [
        {"step": 5 * place, "share": 1.0, "validation_auc": validation, "validation_log_loss": 1 - validation}
        | {"test_auc": test, "test_log_loss": 1 - test}
        for place, (validation, test) in enumerate(values)
    ]
    checks += [checks[step // 5] | {"share": share, "validation_auc": auc} for step, share, auc in between]
    return {"checks": checks, "seconds": 1.0}


def make_training(**options):
    values = {"table": "tae", "table_hash": "0", "split": 0, "generator": None, "name": "default"}
    return asdict(Training(**values | options))


def test_only_development_tables_are_looked_at(trainings):
    development = set(list_tables("development")["name"])
    assert {training.table for training in trainings} <= development


def test_no_training_is_listed_twice_and_the_first_comparison_comes_first(trainings):
    assert len({training.identity for training in trainings}) == len(trainings)
    first = trainings[: 4 * 5 * len(choose_finetuning.TABLES)]
    assert {training.name for training in first} == {"default"}
    assert {training.generator for training in first} == {None, "smote", "causal_blanket", "causal"}


def test_harm_is_compared_over_the_generators_with_all_splits():
    pairs = [(split, generator) for generator in ("none", "smote") for split in range(4)] + [(0, "causal")]
    frame = pd.DataFrame(
        [
            {"training": "default", "table": table, "split": split, "generator": generator, "rule": rule}
            | {"auc_gain": gain, "log_loss_gain": 0.0}
            for table in ("tae", "titanic", "phoneme")
            for split, generator in pairs
            for rule, gain in (("default", -0.02), ("gain of .01", -0.02 if split == 0 or table == "tae" else 0.0))
        ]
    )
    found = compare_harm(frame).set_index("rule")
    assert found["runs"].tolist() == [24, 24], "the generator with one split is left out"
    assert found["harm"].to_dict() == {"default": 1.0, "gain of .01": 0.5}
    assert found.loc["gain of .01", "harm_beyond_default"] == pytest.approx(-0.5)
    # The tables differ by 0, -0.75 and -0.75: Student's t of 97.5 % with two degrees of freedom is 4.303.
    ends = found.loc["gain of .01", ["harm_beyond_default_low", "harm_beyond_default_high"]].astype(float)
    assert ends.to_numpy() == pytest.approx(-0.5 + np.array([-1, 1]) * 4.303 * 0.433 / np.sqrt(3), abs=1e-3)
    assert (found.loc["default", ["harm_beyond_default_low", "harm_beyond_default_high"]] == 0).all()


def test_the_recommended_options_did_less_harm_than_the_defaults_and_no_more_cost():
    """As stored: what the docstring of the options says of them."""
    _, report = read_results(choose_finetuning.RESULTS, name="finetuning_choices")
    rules = {line["rule"]: line for line in report["harm_by_rule"]}
    (recommended,) = [rule for rule, options in RULES.items() if options == RECOMMENDED]
    assert rules[recommended]["harm"] <= rules["default"]["harm"] / 2
    assert rules[recommended]["auc_gain"] >= rules["default"]["auc_gain"]
    assert report["recommended"] == RECOMMENDED
    CausalMixFTClassifier(**RECOMMENDED)


def test_a_choice_is_compared_with_the_default_on_the_same_splits():
    frame = pd.DataFrame(
        [
            {"training": training, "rule": rule, "table": table, "split": split, "generator": "none"}
            | {"auc_gain": gain, "log_loss_gain": -gain}
            for training, rule, n_splits, gain in (
                ("default", "default", 3, 0.01),
                ("L2-SP 200", "default", 1, 0.03),
                ("default", "last step", 3, -0.05),
            )
            for table in ("tae", "titanic")
            for split in range(n_splits)
        ]
    )
    frame.loc[(frame["rule"] == "default") & (frame["split"] > 0), "auc_gain"] = 0.5  # splits that L2-SP has not
    found = compare_choices(frame).set_index("name")
    assert found.loc["L2-SP 200", ["by", "runs"]].tolist() == ["training", 2]
    assert found.loc["L2-SP 200", "auc_gain"] == pytest.approx(0.02)
    assert found.loc["L2-SP 200", "log_loss_gain"] == pytest.approx(-0.02)
    assert found.loc["last step", "harm"] == 1.0
    assert found.loc["last step", "auc_gain_high"] < 0


def test_the_stored_evaluation_is_that_of_the_stored_trainings():
    frame, report = read_results(choose_finetuning.RESULTS, name="finetuning_choices")
    for name, found in choose_finetuning.evaluate(frame).items():
        if isinstance(found, str):
            assert report[name] == found
        else:
            pd.testing.assert_frame_equal(pd.DataFrame(report[name]), pd.DataFrame(found), atol=1.1e-4, rtol=0)


def test_no_way_to_hold_the_weights_earned_a_place():
    """As stored: why the package has no option for any of them."""
    _, report = read_results(choose_finetuning.RESULTS, name="finetuning_choices")
    changed = {name for name, options in choose_finetuning.TRAININGS.items() if set(options) & set(OPTIONS)}
    lines = [line for line in report["differences_from_default"] if line["name"] in changed | {"interpolated"}]
    assert {line["name"] for line in lines} == changed | {"interpolated"}
    for line in lines:
        assert line["auc_gain_low"] <= 0 or line["log_loss_gain_high"] < 0
        assert line["log_loss_gain_low"] <= 0 or line["auc_gain_high"] < 0


def test_a_rule_changes_which_check_counts():
    record = make_record([(0.70, 0.70), (0.708, 0.65), (0.72, 0.75)], between=[(10, 0.5, 0.8)])
    lines = {line["rule"]: line for line in apply_rules(make_training(), record)}
    assert lines["default"]["step"] == 10
    assert lines["default"]["auc_gain"] == pytest.approx(0.05)
    assert lines["gain of .02"]["step"] == 10
    assert lines["log-loss, gain of .005"]["step"] == 10
    assert lines["interpolated"]["share"] == 0.5
    flat = make_record([(0.70, 0.70), (0.708, 0.65), (0.70, 0.75)])
    lines = {line["rule"]: line for line in apply_rules(make_training(), flat)}
    assert (lines["default"]["step"], lines["gain of .01"]["step"], lines["last step"]["step"]) == (5, 0, 10)
    assert lines["gain of .01"]["auc_gain"] == 0


def test_a_run_does_harm_beyond_a_point_alone():
    records = [make_record([(0.7, 0.7), (0.8, auc)]) for auc in (0.68, 0.695, 0.8)]
    lines = [line for split, record in enumerate(records) for line in apply_rules(make_training(split=split), record)]
    summary = summarise(pd.DataFrame(lines)).set_index("rule")
    assert summary.loc["default", "harm"] == pytest.approx(1 / 3)
    assert summary.loc["gain of .02", "harm_low"] < 1 / 3 < summary.loc["gain of .02", "harm_high"]


def test_what_is_finished_is_remembered_and_too_little_of_it_is_not_exported(tmp_path, trainings):
    store = TrainingStore(tmp_path / "store.sqlite")
    for training in trainings[:4]:
        store.add(training, make_record([(0.7, 0.7), (0.8, 0.8)]))
    assert set(TrainingStore(tmp_path / "store.sqlite").records()) == {training.identity for training in trainings[:4]}
    with pytest.raises(ValueError, match="three splits of three tables"):
        choose_finetuning.export(store, tmp_path)
    for training in trainings[: 4 * 3 * len(choose_finetuning.TABLES) + 3]:
        store.add(training, make_record([(0.7, 0.7), (0.8, 0.8)]))
    summary = choose_finetuning.export(store, tmp_path)
    assert set(summary["training"]) == {"default"}


def test_the_library_loses_as_much_as_our_loop_on_the_same_rows(monkeypatch):
    """Rows, preparation, schedule and optimiser are the same, so the losses of the first steps must be."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 4)), np.tile([0, 1], 30)
    X[:, 0] += y
    X[:, 3] = rng.integers(0, 3, 60)
    validation = X[:20], y[:20]
    monkeypatch.setattr(compare_finetuning, "STEPS", 10)
    paths, draws, ensemble = compare_finetuning.follow_ours((X, y), validation, [3])
    model = compare_finetuning.make_library(embedded_checkpoint(), 10, categorical=[3], validation_frequency=5)
    with compare_finetuning.hand_over(ensemble, draws), compare_finetuning.our_schedule():
        compare_finetuning.fit_quietly(model, X, y, *validation)
    ours = compare_finetuning.make_ensemble(embedded_checkpoint(), X, y, [3])
    first = float(ours.loss(*draws[0], view=0).detach())
    assert model.losses[0] == pytest.approx(first, abs=1e-3)
    np.testing.assert_allclose([auc for _, auc in model.seen], [auc for _, auc in paths["ours"]], atol=0.03)


def test_plain_attention_costs_no_accuracy_and_is_gone_afterwards():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 5)), np.tile([0, 1], 25)
    ensemble = compare_finetuning.make_ensemble(embedded_checkpoint(), X, y)
    losses = []
    for context in (contextlib.nullcontext(), compare_finetuning.plain_attention()):
        with context:
            losses.append(float(ensemble.loss(np.arange(40), np.arange(40, 50), view=0).detach()))
    assert losses[0] == pytest.approx(losses[1], abs=1e-3)
    names = [kernel.name for kernel in compare_finetuning.attention_backends.registered_attention_backends()]
    assert "plain" not in names
