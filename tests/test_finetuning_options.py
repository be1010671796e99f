"""The options of the fine-tuning loop: how rows are mixed, what is watched, when it stops."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from causalmix_utils.finetuning import CausalMixFTClassifier
from causalmix_utils.finetuning.loop import run_loop
from causalmix_utils.finetuning.steps import LoopSettings, RowPool, draw_step
from causalmix_utils.finetuning.stopping import has_diverged, score_check
from causalmix_utils.finetuning.validating import average_trajectories, choose_step, make_splits
from causalmix_utils.foundation import load_classifier
from causalmix_utils.tables import load_table, scarce_split
from causalmix_utils.tabpfn_bridge import TrainableEnsemble

QUICK = {"n_estimators": 1, "max_steps": 4, "check_every": 2, "random_state": 0}
BASE = {
    "max_steps": 11,
    "learning_rate": 1e-4,
    "weight_decay": 0.0,
    "mixing": "pool",
    "mix_ratio": 0.5,
    "early_stopping": True,
    "check_every": 5,
    "patience": 2,
    "min_validation_gain": 0.0,
    "time_limit": None,
}


def make_settings(**options):
    return LoopSettings(**BASE | options)


@pytest.fixture(scope="module")
def parts():
    return scarce_split(load_table("titanic"), n=90, split=0, max_test=100)


@pytest.fixture
def ensemble():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 3)), np.tile([0, 1], 20)
    return TrainableEnsemble(load_classifier(n_estimators=1, device="cpu"), X, y)


def fit(parts, generator=None, **options):
    train, _, test = parts
    return CausalMixFTClassifier(generator, **QUICK | options).fit(train.X, train.y, X_test=test.X, y_test=test.y)


# ---- mixing --------------------------------------------------------------------------------


def test_a_linear_schedule_ends_without_synthetic_rows():
    pool = RowPool(np.tile([0, 1], 100), 100)
    loop = make_settings(mix_schedule="linear", mix_ratio=0.6)
    rng = np.random.default_rng(0)
    counts = [int((np.concatenate(draw_step(pool, loop, step, rng)) >= 100).sum()) for step in range(1, 12)]
    assert counts == [round(60 * (1 - step / 10)) for step in range(11)]


@given(batch=st.integers(1, 20), n_batches=st.integers(1, 5), redraw_every=st.integers(1, 4))
@settings(max_examples=50)
def test_batches_of_synthetic_rows_follow_one_another_and_share_no_row(batch, n_batches, redraw_every):
    pool = RowPool(np.tile([0, 1], 10 + batch * n_batches)[: 20 + batch * n_batches], 20, batch)
    seen = [pool.at_step(step, redraw_every).synthetic for step in range(1, redraw_every * n_batches + 1)]
    assert all(len(rows) == batch for rows in seen)
    distinct = np.unique(np.concatenate(seen))
    np.testing.assert_array_equal(distinct, np.arange(20, 20 + batch * n_batches))
    np.testing.assert_array_equal(seen[0], seen[redraw_every - 1])


def test_rows_drawn_anew_are_other_rows_of_the_same_generator(parts):
    once, anew = (fit(parts, "independent", n_synthetic=20, redraw_every=every) for every in (None, 2))
    assert (len(once.synthetic_), len(anew.synthetic_)) == (20, 40)
    first, second = anew.synthetic_.X.iloc[:20], anew.synthetic_.X.iloc[20:].reset_index(drop=True)
    assert not first.equals(second)


# ---- stopping ------------------------------------------------------------------------------


def checks_of(values, metric="auc"):
    other = "log_loss" if metric == "auc" else "auc"
    return [
        {"step": 5 * i, f"validation_{metric}": v, f"validation_{other}": 0.5, "seconds": 1.0 * i}
        for i, v in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("options", "values", "step"),
    [
        ({}, [0.5, 0.6, 0.55, 0.7], 15),
        ({}, [0.5, 0.6, 0.55, 0.55, 0.7], 5),
        ({"patience_growth": 1.0}, [0.5, 0.6, 0.55, 0.55, 0.7], 20),
        ({"min_validation_gain": 0.15}, [0.5, 0.6, 0.7], 10),
        ({"min_validation_gain": 0.3}, [0.5, 0.6, 0.7], 0),
        ({"early_stopping": False}, [0.5, 0.6, 0.55, 0.55, 0.5], 20),
        ({}, [0.5, 0.5, 0.5], 0),
    ],
)
def test_the_kept_check_is_the_best_one_before_patience_runs_out(options, values, step):
    assert choose_step(pd.DataFrame(checks_of(values)), make_settings(**options)) == step


def test_log_loss_is_better_when_lower():
    path = pd.DataFrame(checks_of([0.6, 0.5, 0.7], "log_loss"))
    assert choose_step(path, make_settings(early_stopping_metric="log_loss")) == 5
    assert choose_step(path, make_settings()) == 0


def test_the_widened_validation_rows_decide_where_there_are_some():
    check = {"validation_auc": 0.9, "widened_auc": 0.6}
    assert score_check(check, "auc") == 0.6


@pytest.mark.parametrize(
    ("loss", "expected"), [(0.7, False), (1.3, False), (1.5, True), (np.inf, True), (np.nan, True)]
)
def test_a_loss_diverges_when_it_is_far_above_guessing_and_the_start(loss, expected):
    assert has_diverged(loss, 0.6, 2) is expected
    assert not has_diverged(1.5, 0.9, 2)


def test_a_finite_loss_that_explodes_is_reported_and_rolled_back(ensemble):
    zero_shot = ensemble.snapshot()
    pool = RowPool(np.tile([0, 1], 20), 40)
    loop = make_settings(learning_rate=3.0, max_steps=40, check_every=4, early_stopping=False)
    watch = lambda: {"validation_auc": 0.5, "validation_log_loss": 0.7}  # noqa: E731
    with pytest.warns(RuntimeWarning, match="fine-tuning ends here"):
        result = run_loop(ensemble, pool, watch, loop, rng=np.random.default_rng(0))
    assert result.step == 0
    assert all((tensor == zero_shot[name]).all() for name, tensor in ensemble.snapshot().items())


# ---- validation ------------------------------------------------------------------------------


@given(counts=st.lists(st.integers(1, 20), min_size=2, max_size=5), n_splits=st.integers(2, 5), seed=st.integers(0, 99))
@settings(max_examples=80)
def test_folds_validate_each_row_once_and_train_on_every_class(counts, n_splits, seed):
    y = np.repeat(np.arange(len(counts)), counts)
    try:
        splits = make_splits(y, "cross", n_splits, 0.3, np.random.default_rng(seed))
    except ValueError as error:
        assert "too few rows" in str(error)
        return
    held = np.concatenate([held for _, held in splits])
    np.testing.assert_array_equal(np.sort(held), np.flatnonzero(np.bincount(y)[y] > 1))
    for kept, held in splits:
        assert set(y[kept]) == set(y)
        np.testing.assert_array_equal(np.sort(np.concatenate([kept, held])), np.arange(len(y)))


@given(data=st.data(), n=st.integers(8, 60), n_splits=st.integers(2, 5), seed=st.integers(0, 99))
@settings(max_examples=80)
def test_folds_leave_equal_rows_on_one_side_and_train_on_every_class(data, n, n_splits, seed):
    y = np.array(data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    y = np.unique(y, return_inverse=True)[1]
    groups = np.array(data.draw(st.lists(st.integers(0, n // 2), min_size=n, max_size=n)))
    try:
        splits = make_splits(y, "cross", n_splits, 0.3, np.random.default_rng(seed), groups=groups)
    except ValueError as error:
        assert "too few rows" in str(error)
        return
    for kept, held in splits:
        assert not set(groups[kept]) & set(groups[held])
        assert set(y[kept]) == set(y)


@pytest.mark.parametrize("seed", range(10))
def test_a_class_that_only_shares_rows_with_others_is_in_every_train_part(seed):
    """Class 2 has two rows, each equal to one of class 0: in half of the draws both pairs fall into one fold."""
    groups = np.r_[np.arange(8), 0, 1]
    y = np.r_[np.arange(8) // 4, 2, 2]
    for kept, held in make_splits(y, "cross", 2, 0.3, np.random.default_rng(seed), groups=groups):
        assert set(y[kept]) == {0, 1, 2}
        assert not set(groups[kept]) & set(groups[held])


def test_a_mean_trajectory_has_the_steps_that_all_have():
    long, short = pd.DataFrame(checks_of([0.5, 0.6, 0.9])), pd.DataFrame(checks_of([0.7, 0.7]))
    mean = average_trajectories([long, short])
    np.testing.assert_allclose(mean["validation_auc"], [0.6, 0.65])
    np.testing.assert_allclose(mean["seconds"], [0, 2])


@pytest.mark.parametrize("validation", ["repeated", "cross"])
def test_with_several_validation_parts_the_last_run_trains_on_all_rows(parts, validation):
    model = fit(parts, "smote", validation=validation, n_validation_splits=2, learning_rate=1e-3)
    assert list(model.trajectory_["step"]) == [0, 2, 4]
    assert model.best_step_ in (0, 2, 4)
    assert len(model.generator_.train_) == len(parts[0])
    again = fit(parts, "smote", validation=validation, n_validation_splits=2, learning_rate=1e-3)
    np.testing.assert_array_equal(model.predict_proba(parts[2].X), again.predict_proba(parts[2].X))


def test_several_validation_parts_without_a_gain_leave_the_zero_shot_model(parts):
    model = fit(parts, validation="cross", n_validation_splits=2, min_validation_gain=1.0, ensemble_seed=0)
    zero_shot = fit(parts, max_steps=0, ensemble_seed=0)
    assert model.best_step_ == 0
    np.testing.assert_allclose(model.predict_proba(parts[2].X), zero_shot.predict_proba(parts[2].X), atol=1e-6)


def test_given_validation_rows_are_one_part(parts):
    train, validation, _ = parts
    model = CausalMixFTClassifier(None, validation="cross", **QUICK)
    with pytest.raises(ValueError, match="validation must be 'hold-out' where X_validation is given, got 'cross'"):
        model.fit(train.X, train.y, X_validation=validation.X, y_validation=validation.y)


def test_widened_validation_rows_are_scored_beside_the_real_ones(parts):
    path = fit(parts, "smote", validation_synthetic=30).trajectory_
    assert {"widened_auc", "widened_log_loss", "validation_auc"} <= set(path)
    assert not np.allclose(path["widened_log_loss"], path["validation_log_loss"])


# ---- memory and errors -------------------------------------------------------------------------


def test_values_computed_again_give_the_same_gradients(ensemble):
    classifier = load_classifier(n_estimators=1, device="cpu")
    frugal = TrainableEnsemble(classifier, ensemble._X, ensemble._y, activation_checkpointing=True)
    rows = np.arange(30), np.arange(30, 40)
    kept = {}
    for name, one in (("kept", ensemble), ("again", frugal)):
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(lambda x, to=sizes: (to.append(x.numel()), x)[1], lambda x: x):
            loss = one.loss(*rows, view=0)
        loss.backward()
        kept[name] = sum(sizes)
    assert kept["again"] < 0.5 * kept["kept"], "fewer values wait for the backward pass"
    for one, other in zip(ensemble.network.parameters(), frugal.network.parameters(), strict=True):
        assert (one.grad is None) == (other.grad is None)
        if one.grad is not None:
            torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mix_schedule": "cosine"}, "mix_schedule must be one of .* got 'cosine'"),
        ({"redraw_every": 0}, "redraw_every must be .* got 0"),
        ({"validation": "none"}, "validation must be one of .* got 'none'"),
        ({"n_validation_splits": 1}, "n_validation_splits must be an integer of at least 2, got 1"),
        ({"validation_synthetic": -1}, "validation_synthetic must be an integer of at least 0, got -1"),
        ({"early_stopping_metric": "f1"}, "early_stopping_metric must be one of .* got 'f1'"),
        ({"patience_growth": -1.0}, "patience_growth must be a finite number of at least 0, got -1.0"),
    ],
)
def test_wrong_options_are_named_with_their_value(parts, options, message):
    with pytest.raises(ValueError, match=message):
        fit(parts, **options)
