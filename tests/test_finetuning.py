"""`CausalMixFTClassifier` and its loop."""

from __future__ import annotations

import pickle
import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from causalmix_utils.finetuning import CausalMixFTClassifier
from causalmix_utils.finetuning.holdout import hold_out
from causalmix_utils.finetuning.stages import Job
from causalmix_utils.finetuning.steps import MIXING, LoopSettings, RowPool, draw_step
from causalmix_utils.finetuning.validating import finetune_over_splits
from causalmix_utils.foundation import load_classifier
from causalmix_utils.metrics import roc_auc
from causalmix_utils.tables import check_same_schema, load_table, scarce_split
from causalmix_utils.tabpfn_bridge import TrainableEnsemble

QUICK = {"n_estimators": 1, "max_steps": 4, "check_every": 2, "random_state": 0}
SETTINGS = {
    "max_steps": 10,
    "learning_rate": 1e-4,
    "weight_decay": 0.0,
    "mix_ratio": 0.5,
    "early_stopping": True,
    "check_every": 5,
    "patience": 5,
    "min_validation_gain": 0.0,
    "time_limit": None,
}


@pytest.fixture(scope="module")
def parts():
    return scarce_split(load_table("credit-g"), n=90, split=0)


@pytest.fixture(scope="module")
def fitted(parts):
    train, _, test = parts
    return CausalMixFTClassifier("smote", **QUICK).fit(train.X, train.y, X_test=test.X, y_test=test.y)


# ---- the estimator --------------------------------------------------------------------------


def test_probabilities_are_probabilities(fitted, parts):
    proba = fitted.predict_proba(parts[2].X)
    assert proba.shape == (len(parts[2]), 2)
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-5)
    assert set(fitted.predict(parts[2].X)) <= set(fitted.classes_)


def test_the_trajectory_starts_at_the_zero_shot_model_and_records_every_check(fitted):
    assert list(fitted.trajectory_["step"]) == [0, 2, 4]
    expected = {"step", "train_loss", "validation_auc", "validation_log_loss", "test_auc", "test_log_loss", "seconds"}
    assert set(fitted.trajectory_.columns) == expected
    assert fitted.trajectory_["seconds"].is_monotonic_increasing
    assert fitted.best_step_ in list(fitted.trajectory_["step"])


def test_the_same_seed_gives_the_same_rows_and_predictions_and_another_seed_does_not(parts):
    train, _, test = parts
    first, again, other = (
        CausalMixFTClassifier("causal", **{**QUICK, "random_state": seed, "early_stopping": False}).fit(
            train.X, train.y
        )
        for seed in (0, 0, 1)
    )
    pd.testing.assert_frame_equal(first.synthetic_.to_frame(), again.synthetic_.to_frame())
    np.testing.assert_array_equal(first.predict_proba(test.X), again.predict_proba(test.X))
    assert not np.array_equal(first.predict_proba(test.X), other.predict_proba(test.X))


def test_without_a_seed_no_two_fits_are_alike_unless_numpys_global_generator_is_seeded(parts):
    train, _, test = parts

    def fit():
        model = CausalMixFTClassifier("smote", **{**QUICK, "random_state": None, "early_stopping": False})
        return model.fit(train.X, train.y).predict_proba(test.X)

    np.random.seed(5)  # noqa: NPY002 (the global state is the subject)
    first, second = fit(), fit()
    assert not np.array_equal(first, second)
    np.random.seed(5)  # noqa: NPY002
    np.testing.assert_array_equal(fit(), first)


def test_fitting_leaves_global_random_state_and_input_alone(parts):
    import random

    train = parts[0]
    X, y = train.X.copy(), train.y.copy()
    np.random.seed(5)  # noqa: NPY002 (the global state is the subject)
    random.seed(5)
    torch.manual_seed(5)
    expected = (np.random.get_state()[1].copy(), random.getstate(), torch.get_rng_state())  # noqa: NPY002
    CausalMixFTClassifier("causal", **QUICK).fit(X, y)
    np.testing.assert_array_equal(np.random.get_state()[1], expected[0])  # noqa: NPY002
    assert random.getstate() == expected[1]
    assert torch.equal(torch.get_rng_state(), expected[2])
    pd.testing.assert_frame_equal(X, train.X)
    pd.testing.assert_series_equal(y, train.y)


def test_zero_steps_is_the_zero_shot_model(parts):
    train, _, test = parts
    model = CausalMixFTClassifier(None, n_estimators=4, max_steps=0, random_state=0).fit(train.X, train.y)
    plain = load_classifier(n_estimators=4).fit(train.X, train.y)
    ours, theirs = (roc_auc(test.y, m.predict_proba(test.X), m.classes_) for m in (model, plain))
    assert abs(ours - theirs) < 0.03, "only the random views of the ensemble may differ"
    assert model.best_step_ == 0 and model.synthetic_ is None and model.trajectory_.empty


def test_steps_change_the_weights_and_early_stopping_can_take_them_back(parts):
    train, validation, test = parts
    options = {**QUICK, "learning_rate": 1e-2, "max_steps": 6}
    given = {"X_validation": validation.X, "y_validation": validation.y}
    zero_shot, last, kept = (
        CausalMixFTClassifier(None, **{**options, **extra}).fit(train.X, train.y, **given).predict_proba(test.X)
        for extra in ({"max_steps": 0}, {"early_stopping": False}, {"min_validation_gain": 1.0})
    )
    assert not np.allclose(last, zero_shot, atol=1e-3)
    np.testing.assert_allclose(kept, zero_shot, atol=1e-6)


def test_fitting_on_rows_that_say_something_lowers_the_training_loss(parts):
    train = parts[0]
    model = CausalMixFTClassifier(
        None, n_estimators=1, max_steps=40, check_every=10, early_stopping=False, learning_rate=1e-3, random_state=0
    ).fit(train.X, train.y)
    losses = model.trajectory_["train_loss"].dropna()
    assert losses.iloc[-1] < losses.iloc[0]


def test_synthetic_rows_have_the_schema_of_the_train_rows_and_never_become_context(parts):
    train, validation, _ = parts
    model = CausalMixFTClassifier("smote", n_synthetic=30, **QUICK).fit(
        train.X, train.y, X_validation=validation.X, y_validation=validation.y
    )
    assert len(model.synthetic_) == 30
    check_same_schema(model.synthetic_, model.generator_.train_)
    assert len(model.generator_.train_) == len(train), "the generator must not see validation rows"
    assert model.classifier_.n_train_samples_ == len(train) + len(validation)


def test_more_than_a_thousand_rows_are_welcome_on_a_processor(parts):
    """The library refuses more than 1,000 rows on a CPU unless it is told that they are wanted."""
    train = parts[0]
    model = CausalMixFTClassifier("independent", n_synthetic=1100, **QUICK).fit(train.X, train.y)
    assert len(model.synthetic_) == 1100


@pytest.mark.parametrize("mixing", MIXING)
def test_every_way_of_mixing_runs(parts, mixing):
    train = parts[0]
    model = CausalMixFTClassifier("independent", mixing=mixing, **QUICK).fit(train.X, train.y)
    assert model.trajectory_["train_loss"].notna().sum() == 2


def test_arrays_integer_labels_and_missing_values_work():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    y = (X[:, 0] + 0.1 * rng.normal(size=40) > 0).astype(int) * 7
    X[::5, 1] = np.nan
    model = CausalMixFTClassifier("smote", **QUICK).fit(X, y)
    assert list(model.classes_) == [0, 7]
    assert model.predict(X).dtype == model.classes_.dtype
    assert model.n_features_in_ == 3


def test_a_level_that_training_did_not_show_counts_as_missing(fitted, parts):
    X = parts[2].X.head(5).astype(object)
    column = parts[2].categorical[0]
    unseen, missing = X.copy(), X.copy()
    unseen[column], missing[column] = "never seen", np.nan
    np.testing.assert_array_equal(fitted.predict_proba(unseen), fitted.predict_proba(missing))


def test_clone_and_pickle_keep_parameters_and_predictions(fitted, parts):
    assert clone(fitted).get_params() == fitted.get_params()
    copied = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copied.predict_proba(parts[2].X), fitted.predict_proba(parts[2].X))


def test_a_time_limit_ends_fine_tuning_and_keeps_a_model(parts):
    train, _, test = parts
    options = {**QUICK, "max_steps": 10_000, "patience": 10_000}
    model = CausalMixFTClassifier(None, time_limit=0.3, **options).fit(train.X, train.y)
    assert model.trajectory_["step"].max() < 10_000
    assert len(model.predict(test.X)) == len(test)


def test_a_diverging_loss_is_reported_and_rolled_back(parts):
    train, _, test = parts
    options = {**QUICK, "max_steps": 60, "patience": 60, "learning_rate": 1e30}
    with pytest.warns(RuntimeWarning, match="fine-tuning ends here"):
        model = CausalMixFTClassifier(None, **options).fit(train.X, train.y)
    assert np.isfinite(model.predict_proba(test.X)).all()


def test_the_optimizer_takes_the_steps_of_the_plain_one(parts, monkeypatch):
    """Fusing its loops saves time alone."""
    import torch

    options = {**QUICK, "max_steps": 6, "early_stopping": False, "learning_rate": 2e-4}
    fused = CausalMixFTClassifier(None, **options).fit(parts[0].X, parts[0].y)
    adamw = torch.optim.AdamW
    monkeypatch.setattr(torch.optim, "AdamW", lambda *args, **kwargs: adamw(*args, **{**kwargs, "fused": False}))
    plain = CausalMixFTClassifier(None, **options).fit(parts[0].X, parts[0].y)
    np.testing.assert_allclose(fused.trajectory_["train_loss"], plain.trajectory_["train_loss"], atol=1e-3)
    # Where a gradient is nothing but rounding, Adam makes a whole step of it, so predictions agree less closely.
    np.testing.assert_allclose(fused.predict_proba(parts[2].X), plain.predict_proba(parts[2].X), atol=0.01)


# ---- wrong input ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mix_ratio": 1.5}, "mix_ratio must be a number between 0 and 1, got 1.5"),
        ({"mixing": "blend"}, "mixing must be one of .* got 'blend'"),
        ({"max_steps": -1}, "max_steps must be an integer of at least 0, got -1"),
        ({"validation_fraction": 1.0}, "validation_fraction .* got 1.0"),
        ({"learning_rate": -1.0}, "learning_rate must be a finite number of at least 0, got -1.0"),
        ({"n_synthetic": 0}, "n_synthetic must be an integer of at least 1 or None, got 0"),
        ({"time_limit": 0}, "time_limit must be a finite number above 0 or None, got 0"),
        ({"generator": "magic"}, "magic"),
        ({"categorical_features": ["colour"]}, "colour"),
    ],
)
def test_wrong_options_are_named_with_their_value(parts, options, message):
    with pytest.raises(ValueError, match=message):
        CausalMixFTClassifier(**{**QUICK, **options}).fit(parts[0].X, parts[0].y)


def _rows(n=40, classes=2):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=n), "b": rng.integers(0, 5, n), "c": rng.choice(["u", "v"], n)})
    return frame, np.array([f"class {i % classes}" for i in range(n)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, y: (X, np.full(len(y), "only")), "one class only, .*only"),
        (lambda X, y: (X, [f"k{i % 12}" for i in range(len(y))]), "12 classes"),
        (lambda X, y: (X.assign(a=np.inf), y), "'a' holds an infinite value"),
        (lambda X, y: (pd.concat([X, X[["a"]]], axis=1), y), "'a' occurs more than once"),
        (lambda X, y: (X.iloc[:0], y[:0]), "no rows|minimum|0 sample"),
        (lambda X, y: (X, y[:-1]), "40 rows, but y has 39"),
        (lambda X, y: (X.iloc[:2], y[:2]), "too few rows to hold some back"),
        (lambda X, y: (X.iloc[:10], [f"k{i // 2}" for i in range(10)]), "too few rows to fine-tune on"),
        (lambda X, y: (X, pd.Series(y).where(pd.Series(y) != "class 0")), "missing"),
    ],
)
def test_wrong_tables_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        CausalMixFTClassifier("smote", **QUICK).fit(*change(*_rows()))


@pytest.mark.parametrize(
    "change",
    [
        lambda X, y: (X.assign(d=1.0), y),
        lambda X, y: (X.assign(d=X["a"]), y),
        lambda X, y: (X.assign(a=X["a"].where(X["a"] > 0)), y),
        lambda X, y: (X.iloc[:10], y[:10]),
        lambda X, y: (X.rename(columns={"a": 1, "b": 2, "c": 3}), y),
    ],
    ids=["constant column", "duplicate column", "missing values", "ten rows", "names that are numbers"],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_awkward_tables_give_a_model(change):
    X, y = change(*_rows())
    model = CausalMixFTClassifier("causal", **QUICK).fit(X, y)
    assert np.isfinite(model.predict_proba(X)).all()


# ---- the loop ----------------------------------------------------------------------------------


@given(
    mixing=st.sampled_from(MIXING),
    mix_ratio=st.floats(0, 1),
    counts=st.lists(st.integers(2, 30), min_size=2, max_size=6),
    n_synthetic=st.integers(0, 60),
    step=st.integers(1, 10),
    seed=st.integers(0, 1000),
)
@settings(max_examples=150)
def test_every_step_shows_every_class_as_context_and_never_a_row_twice(
    mixing, mix_ratio, counts, n_synthetic, step, seed
):
    rng = np.random.default_rng(seed)
    real = np.repeat(np.arange(len(counts)), counts)
    pool = RowPool(np.concatenate([real, rng.integers(0, len(counts), n_synthetic)]), len(real))
    loop = LoopSettings(**{**SETTINGS, "mixing": mixing, "mix_ratio": mix_ratio})
    context, query = draw_step(pool, loop, step, rng)
    rows = np.concatenate([context, query])
    assert len(np.unique(rows)) == len(rows)
    assert set(pool.y[context]) == set(range(len(counts)))
    assert len(query) > 0
    if mixing == "query":
        assert (context < pool.n_real).all()
    if mixing == "staged" and step > 5:
        assert (rows < pool.n_real).all()


def test_the_mix_ratio_is_the_share_of_synthetic_rows():
    pool = RowPool(np.tile([0, 1], 100), 100)
    loop = LoopSettings(**{**SETTINGS, "mixing": "pool", "mix_ratio": 0.3})
    rows = np.concatenate(draw_step(pool, loop, 1, np.random.default_rng(0)))
    assert (rows >= 100).sum() == 30
    assert len(rows) == 100


@given(counts=st.lists(st.integers(1, 20), min_size=2, max_size=6), fraction=st.floats(0.05, 0.9))
@settings(max_examples=80)
def test_holding_out_keeps_every_class_on_the_train_side(counts, fraction):
    y = np.repeat(np.arange(len(counts)), counts)
    if sum(count > 1 for count in counts) < 2:
        with pytest.raises(ValueError, match="too few rows"):
            hold_out(y, fraction, np.random.default_rng(0))
        return
    train, held = hold_out(y, fraction, np.random.default_rng(0))
    assert sorted([*train, *held]) == list(range(len(y)))
    assert set(y[train]) == set(range(len(counts)))
    assert set(y[held]) == {code for code, count in enumerate(counts) if count > 1}


@given(data=st.data(), n=st.integers(4, 60), fraction=st.floats(0.05, 0.9), seed=st.integers(0, 99))
@settings(max_examples=80)
def test_holding_out_leaves_equal_rows_on_one_side(data, n, fraction, seed):
    y = np.array(data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    groups = np.array(data.draw(st.lists(st.integers(0, n // 3), min_size=n, max_size=n)))
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            train, held = hold_out(y, fraction, np.random.default_rng(seed), groups=groups)
    except ValueError as error:
        assert "too few rows" in str(error)
        return
    assert sorted([*train, *held]) == list(range(n))
    if set(groups[train]) & set(groups[held]):
        assert any("that have equals among the train rows" in str(warning.message) for warning in warned)
    assert set(y[train]) == set(y)
    assert len(set(y[held])) >= 2


def test_where_nearly_all_rows_are_equal_they_are_parted_with_a_warning():
    y = np.repeat([0, 1], 10)
    with pytest.warns(UserWarning, match="of 20 rows only 2 differ"):
        train, held = hold_out(y, 0.3, np.random.default_rng(0), groups=y)
    assert np.bincount(y[held]).tolist() == [3, 3]


def test_groups_of_one_row_change_nothing():
    y = np.repeat([0, 1, 2], [30, 10, 2])
    plain = hold_out(y, 1 / 3, np.random.default_rng(0))
    grouped = hold_out(y, 1 / 3, np.random.default_rng(0), groups=np.random.default_rng(1).permutation(42))
    for left, right in zip(plain, grouped, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("validation", ["hold-out", "repeated", "cross"])
def test_no_validation_row_has_its_copy_among_the_rows_that_are_trained_on(validation, monkeypatch):
    seen, run = [], Job.run

    def recorded(job, train, validation, *arguments, **options):
        seen.append((train, validation))
        return run(job, train, validation, *arguments, **options)

    monkeypatch.setattr(Job, "run", recorded)
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(20, 2)), columns=["a", "b"])
    X, y = pd.concat([X, X]), np.tile([0, 1], 20)
    CausalMixFTClassifier(None, validation=validation, n_validation_splits=2, **{**QUICK, "max_steps": 1}).fit(X, y)
    watched = [(train, held) for train, held in seen if held is not None]
    assert len(watched) == (1 if validation == "hold-out" else 2)
    for train, held in watched:
        assert len(held[0]) > 5
        assert not set(train.X["a"]) & set(held[0][:, 0])


@pytest.mark.parametrize("validation", ["hold-out", "cross"])
def test_the_network_is_left_as_prediction_needs_it(parts, validation):
    """In training mode the library would predict many rows at once, whatever memory that takes."""
    model = CausalMixFTClassifier(None, validation=validation, n_validation_splits=2, **{**QUICK, "max_steps": 1})
    model.fit(parts[0].X, parts[0].y)
    (network,) = model.classifier_.models_
    assert not network.training
    assert all(weight.grad is None for weight in network.parameters())


# ---- what the options do ----------------------------------------------------------------------


def test_the_learning_rate_rises_over_the_first_tenth_and_the_views_take_turns(parts, monkeypatch):
    rates, views = [], []
    take_step, loss = torch.optim.AdamW.step, TrainableEnsemble.loss

    def recorded_step(optimizer, *arguments):
        rates.extend((group["lr"], group["weight_decay"]) for group in optimizer.param_groups)
        return take_step(optimizer, *arguments)

    def recorded_loss(ensemble, context, query, *, view):
        views.append(view)
        return loss(ensemble, context, query, view=view)

    monkeypatch.setattr(torch.optim.AdamW, "step", recorded_step)
    monkeypatch.setattr(TrainableEnsemble, "loss", recorded_loss)
    options = {**QUICK, "n_estimators": 2, "max_steps": 20, "check_every": 20, "patience": 20}
    model = CausalMixFTClassifier(None, learning_rate=1e-4, weight_decay=0.25, **options)
    model.fit(parts[0].X, parts[0].y)
    assert rates == [(5e-5, 0.25)] + 19 * [(1e-4, 0.25)]
    assert sorted(set(views)) == [0, 1]
    assert all(first != second for first, second in zip(views, views[1:], strict=False))


@pytest.mark.parametrize("fraction", [0.2, 0.5])
def test_the_validation_fraction_is_the_share_of_rows_that_nothing_is_learnt_from(parts, fraction):
    train = parts[0]
    model = CausalMixFTClassifier("smote", validation_fraction=fraction, **{**QUICK, "max_steps": 1})
    model.fit(train.X, train.y)
    assert len(model.generator_.train_) == pytest.approx((1 - fraction) * len(train), abs=1)


def test_runs_over_several_validation_parts_share_the_time_limit():
    limits = []

    def run(rows, validation, settings, rngs):
        limits.append(settings.time_limit)
        return SimpleNamespace(result=SimpleNamespace(interrupted=True))

    rows = load_table("tae")
    splits = [(np.arange(10), np.arange(10, 20))] * 3
    settings = LoopSettings(mixing="pool", **{**SETTINGS, "time_limit": 8.0})
    rngs = [np.random.default_rng(seed) for seed in range(3)]
    real = rows.X.to_numpy(), rows.y.to_numpy()
    finetune_over_splits(SimpleNamespace(run=run), rows, real, splits, settings, rngs)
    assert limits == [2.0], "three parts and the final run"


def test_a_step_has_the_classes_of_its_view_and_the_features_of_the_first():
    """How the stored benchmark was made; predictions give every view an order of the features of its own."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 6)), np.tile([0, 1], 20)
    ensemble = TrainableEnsemble(load_classifier(n_estimators=4, device="cpu"), X, y)
    views = [ensemble._prepare_view(view, np.arange(40)) for view in range(ensemble.n_views)]
    members = ensemble.evaluator(X, y).executor_.ensemble_members
    assert np.array_equal(views[0].X_train, members[0].X_train)
    for view, member in zip(views, members, strict=True):
        assert np.array_equal(view.config.class_permutation, member.config.class_permutation)
    same_transform = [view for view in views if view.config.preprocess_config == views[0].config.preprocess_config]
    assert len(same_transform) > 1
    assert all(np.array_equal(view.X_train, views[0].X_train) for view in same_transform)
    assert len({np.asarray(member.X_train).tobytes() for member in members}) == len(members)
