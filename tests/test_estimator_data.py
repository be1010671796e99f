"""`CausalMixFTClassifier` with the data and the tools that scikit-learn users bring."""

from __future__ import annotations

import warnings
from decimal import Decimal

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.exceptions import DataConversionWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from causalmix_utils.finetuning import CausalMixFTClassifier
from causalmix_utils.generators import make_generator
from causalmix_utils.metrics import log_loss

QUICK = {"n_estimators": 1, "max_steps": 2, "check_every": 1, "random_state": 0}
N = 40


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"size": rng.normal(size=N), "count": rng.integers(0, 9, N), "colour": rng.choice(["r", "g"], N)})
    return X, (X["size"] + rng.normal(scale=0.2, size=N) > 0).to_numpy()


# ---- labels -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "dtype"),
    [
        (lambda y: y, np.dtype(bool)),
        (lambda y: y.astype(int), np.dtype(int)),
        (lambda y: y.astype(np.uint8) + 3, np.dtype(np.uint8)),
        (lambda y: y.astype(np.float32), np.dtype(np.float32)),
        (lambda y: np.where(y, "yes", "no"), np.dtype("<U3")),
        (lambda y: np.where(y, "yes", "no").astype(object), np.dtype(object)),
        (lambda y: list(map(int, y)), np.dtype(int)),
        (lambda y: pd.Series(np.where(y, "yes", "no")), np.dtype(object)),
        (lambda y: pd.Series(np.where(y, "yes", "no"), dtype="category"), np.dtype(object)),
        (lambda y: pd.Series(y.astype(int) * 5, dtype="category"), np.dtype(int)),
        (lambda y: pd.Series(y, dtype="boolean"), np.dtype(bool)),
        (lambda y: pd.Series(y.astype(int), dtype="Int32"), np.dtype(np.int32)),
        (lambda y: pd.Series(np.where(y, "yes", "no"), dtype="string"), np.dtype(object)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_classes_and_predictions_have_the_type_of_the_labels(rows, make, dtype):
    X, y = rows[0], make(rows[1])
    model = CausalMixFTClassifier(None, **QUICK).fit(X, y)
    predicted = model.predict(X)
    assert model.classes_.dtype == predicted.dtype == dtype
    assert set(predicted) <= set(y)
    assert model.score(X, y) > 0.5


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_a_missing_label_is_refused(rows, missing):
    y = pd.Series(np.where(rows[1], "yes", "no"), dtype=object)
    y[3] = missing
    with pytest.raises(ValueError, match="y holds missing"):
        CausalMixFTClassifier(None, **QUICK).fit(rows[0], y)
    with pytest.raises(ValueError, match="y holds missing"):
        CausalMixFTClassifier(None, **QUICK).fit(rows[0], pd.array([1, 2, None] * 13 + [1], dtype="Int64"))


@pytest.mark.parametrize(
    ("labels", "got"),
    [
        (["1", 1], r"got \['1', 1\]"),
        ([1, "1"], r"got \[1, '1'\]"),
        (["True", True], r"got \['True', True\]"),
        (["1.5", 1.5], r"got \['1.5', 1.5\]"),
        (["a", b"a"], r"got \['a', b'a'\]"),
        ([b"a", b"b"], r"got \[b'[ab]'\]: .*bytes is not supported"),
    ],
)
@pytest.mark.parametrize("kind", [object, "category"])
def test_labels_of_several_types_are_named_with_y(rows, labels, got, kind):
    y = pd.Series(labels * (N // 2), dtype=kind)
    with pytest.raises(ValueError, match=f"y must hold numbers, or texts, or truth values alone, {got}"):
        CausalMixFTClassifier(None, **QUICK).fit(rows[0], y)


def test_numbers_of_several_types_are_no_several_types(rows):
    y = np.array([1, 2.5] * (N // 2), dtype=object)
    with pytest.raises(ValueError, match="Unknown label type"):
        CausalMixFTClassifier(None, **QUICK).fit(rows[0], y)


def test_labels_that_are_written_the_same_are_still_two_classes(rows):
    class Grade(str):
        def __str__(self):
            return "grade"

    y = np.array([Grade("good") if label else Grade("bad") for label in rows[1]], dtype=object)
    model = CausalMixFTClassifier("independent", **QUICK).fit(rows[0], y)
    assert set(model.predict(rows[0])) == {"good", "bad"}
    assert model.score(rows[0], y) > 0.8


def test_labels_that_read_the_same_are_still_two_classes(rows):
    """1.0 and 1 are one number, but "1" and "1 " are two texts, and a class may be called like a feature."""
    y = np.where(rows[1], "1", "1 ")
    model = CausalMixFTClassifier("independent", **QUICK).fit(rows[0], pd.Series(y, name="size"))
    assert list(model.classes_) == ["1", "1 "]
    assert model.predict_proba(rows[0]).shape == (N, 2)


# ---- features ---------------------------------------------------------------------------------


def test_every_column_type_is_read_the_same_at_fit_and_at_predict(rows):
    """Plain, nullable and categorical types of the same values give the same predictions."""
    X, y = rows
    X = X.assign(flag=X["count"] > 4, level=X["count"] % 3)
    kinds = [
        X,
        X.astype({"size": "Float64", "count": "Int64", "colour": "string", "flag": "boolean", "level": "Int8"}),
        X.astype({"colour": "category", "flag": "category"}),
        X.astype(object),
        X.set_index(np.arange(N)[::-1] * 10),
    ]
    model = CausalMixFTClassifier(None, categorical_features=["level"], **QUICK).fit(X, y)
    expected = model.predict_proba(X)
    for kind in kinds:
        np.testing.assert_array_equal(model.predict_proba(kind), expected)
        fitted = clone(model).fit(kind, y)
        np.testing.assert_array_equal(fitted.predict_proba(X), expected)


def test_missing_values_of_every_kind_are_missing(rows):
    X, y = rows
    gaps = X.astype({"size": "Float64", "count": "Int64", "colour": "string"})
    gaps.iloc[::4, :] = pd.NA
    plain = X.astype({"size": float, "count": float, "colour": object})
    plain.iloc[::4, :] = np.nan
    nones = plain.astype(object).where(plain.notna(), None)
    first, *others = (
        CausalMixFTClassifier("independent", **QUICK).fit(kind, y).predict_proba(kind) for kind in (plain, gaps, nones)
    )
    for other in others:
        np.testing.assert_array_equal(first, other)


def test_a_frame_and_its_array_give_the_same_predictions(rows):
    X, y = rows[0][["size", "count"]], rows[1]
    frame = CausalMixFTClassifier(None, **QUICK).fit(X, y)
    array = CausalMixFTClassifier(None, **QUICK).fit(X.to_numpy(), y)
    np.testing.assert_array_equal(frame.predict_proba(X), array.predict_proba(X.to_numpy()))
    assert list(frame.feature_names_in_) == ["size", "count"]
    assert not hasattr(array, "feature_names_in_")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X: X.rename(columns={"size": "length"}), "feature names.*unseen at fit time"),
        (lambda X: X[["count", "size", "colour"]], "must be in the same order"),
        (lambda X: X.drop(columns="count"), "seen at fit time, yet now missing"),
        (lambda X: X.to_numpy()[:, :2], "2 features, but CausalMixFTClassifier is expecting 3"),
        (lambda X: X.assign(size="big"), "'size' was numerical in training, but holds text now"),
        (lambda X: X.assign(size=-np.inf), "'size' holds infinity in row 0"),
        (lambda X: X.assign(size=pd.Timestamp("2001-01-01")), "'size' holds dates"),
        (lambda X: X.assign(count=pd.Timedelta(1, "day")), "'count' holds dates"),
        (lambda X: X.assign(size=1 + 2j), "'size' holds complex numbers"),
        (lambda X: X.assign(count=2**60 + 1), "'count' holds 1152921504606846977: whole numbers beyond"),
        (lambda X: X.assign(colour=pd.Timestamp("2001-01-01")), "'colour' holds dates"),
        (lambda X: X.assign(colour=np.inf), "'colour' holds an infinite value"),
        (lambda X: X.iloc[:0], "0 sample"),
    ],
)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_new_rows_that_do_not_fit_are_named(rows, change, message):
    model = CausalMixFTClassifier(None, **QUICK).fit(*rows)
    with pytest.raises(ValueError, match=f"(?s){message}"):
        model.predict(change(rows[0]))


def test_categories_may_be_named_by_any_sequence(rows, tmp_path):
    X, y = rows
    expected, *others = (
        CausalMixFTClassifier(None, categorical_features=named, **QUICK).fit(X, y)
        for named in (["count"], X.columns[1:2], np.array(["count"]), ("count",))
    )
    for other in others:
        np.testing.assert_array_equal(other.predict_proba(X), expected.predict_proba(X))
        other.save(tmp_path / "model.safetensors")


@pytest.mark.parametrize(
    ("named", "message"),
    [(["nope"], "categorical_features names 'nope'"), ("count", "categorical_features must be a sequence of column")],
)
def test_categories_that_are_no_columns_are_named_with_the_argument(rows, named, message):
    with pytest.raises(ValueError, match=message):
        CausalMixFTClassifier(None, categorical_features=named, **QUICK).fit(*rows)


def test_dates_are_refused_with_the_column(rows):
    X = rows[0].assign(born=pd.Timestamp("2020-01-01"))
    with pytest.raises(ValueError, match="'born' holds dates"):
        CausalMixFTClassifier(None, **QUICK).fit(X, rows[1])


def test_sample_weights_are_not_taken(rows):
    with pytest.raises(TypeError, match="sample_weight"):
        CausalMixFTClassifier(None, **QUICK).fit(*rows, sample_weight=np.ones(N))


def test_a_frame_of_labels_does_not_name_the_target_by_a_column_called_name(rows):
    X, y = rows
    labels = pd.DataFrame({"name": y})
    with pytest.warns(DataConversionWarning, match="column-vector y was passed"):
        model = CausalMixFTClassifier("independent", **QUICK).fit(X, labels)
    assert model.synthetic_.target == "target"
    named = CausalMixFTClassifier("independent", **QUICK).fit(X, labels["name"])
    assert named.synthetic_.target == "name"
    np.testing.assert_array_equal(model.predict_proba(X), named.predict_proba(X))


def test_probabilities_sum_to_one_as_closely_as_their_type_can_tell(rows):
    X, y = rows
    model = CausalMixFTClassifier(None, **QUICK | {"max_steps": 0}).fit(X, X["count"] % 3)
    proba = model.predict_proba(X)
    assert proba.dtype == np.float32
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sklearn_loss = metrics.log_loss(X["count"] % 3, proba)
    assert sklearn_loss == pytest.approx(log_loss(X["count"] % 3, proba, model.classes_), rel=1e-5)
    assert log_loss(X["count"] % 3, proba, model.classes_) == log_loss(
        X["count"] % 3, proba.astype(float), model.classes_
    )


# ---- tools ------------------------------------------------------------------------------------


def test_parameters_are_stored_as_given():
    generator, weights = make_generator("smote"), object()
    model = CausalMixFTClassifier(generator, weights=weights, max_steps="many")
    assert model.generator is generator and model.weights is weights and model.max_steps == "many"
    with pytest.raises(ValueError, match="max_steps must be an integer of at least 0, got 'many'"):
        model.fit([[0.0], [1.0]], [0, 1])


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("max_steps", True, "max_steps must be an integer of at least 0, got True"),
        ("max_steps", 2.0, "max_steps must be an integer of at least 0, got 2.0"),
        ("n_estimators", 0, "n_estimators must be an integer of at least 1, got 0"),
        ("mix_ratio", float("nan"), "mix_ratio must be a number between 0 and 1, got nan"),
        ("mix_ratio", "half", "mix_ratio must be a number between 0 and 1, got 'half'"),
        ("mixing", ["pool"], r"mixing must be one of .*, got \['pool'\]"),
        ("learning_rate", None, "learning_rate must be a finite number of at least 0, got None"),
        ("early_stopping", "yes", "early_stopping must be True or False, got 'yes'"),
        ("verbose", 2, "verbose must be True or False, got 2"),
        ("device", "gpu!", 'device must be "auto" or a torch device such as "cpu", got \'gpu!\''),
        ("ensemble_seed", -1, "ensemble_seed must be an integer of at least 0 or None, got -1"),
        ("generator", 3, "generator must be one of .*, got 3"),
        ("weights", "nowhere.safetensors", "weights must be .*, got 'nowhere.safetensors'"),
    ],
)
def test_an_option_of_a_wrong_type_is_named_with_its_value(rows, option, value, message):
    with pytest.raises(ValueError, match=message):
        CausalMixFTClassifier(**{"generator": None, **QUICK, option: value}).fit(*rows)


def test_numbers_of_numpy_are_numbers(rows):
    options = {"max_steps": np.int64(1), "n_estimators": np.int32(1), "mix_ratio": np.float32(0.5)}
    model = CausalMixFTClassifier("independent", **options, early_stopping=np.True_, ensemble_seed=np.int64(3))
    assert list(model.fit(*rows).trajectory_["step"]) == [0, 1]


def test_an_instance_as_generator_is_neither_fitted_nor_changed(rows):
    generator = make_generator("smote", k_neighbors=3)
    model = CausalMixFTClassifier(generator, **QUICK, verbose=True).fit(*rows)
    assert model.generator is generator and not hasattr(generator, "train_")
    assert model.generator_.get_params() == generator.get_params()


def test_pipelines_and_searches_work(rows):
    X, y = rows
    prepare = make_column_transformer(
        (StandardScaler(), ["size", "count"]), (OneHotEncoder(), make_column_selector(dtype_include=object))
    )
    labels = np.where(y, "yes", "no")
    pipeline = make_pipeline(prepare, CausalMixFTClassifier(make_generator("smote"), **QUICK))
    grid = {"causalmixftclassifier__generator__k_neighbors": [2], "causalmixftclassifier__max_steps": np.arange(2)}
    search = GridSearchCV(pipeline, grid, cv=2, scoring="roc_auc", error_score="raise").fit(X, labels)
    assert 0.5 < search.best_score_ <= 1
    assert search.predict_proba(X).shape == (N, 2)


def test_cross_validation_ranks_rows_by_the_second_class(rows):
    scores = cross_val_score(CausalMixFTClassifier(None, **QUICK), *rows, cv=3, scoring="roc_auc", error_score="raise")
    assert (scores > 0.6).all(), "the first column almost decides the class"


def test_joblib_keeps_predictions(rows, tmp_path):
    model = CausalMixFTClassifier("independent", **QUICK).fit(*rows)
    joblib.dump(model, tmp_path / "model.joblib")
    np.testing.assert_array_equal(
        joblib.load(tmp_path / "model.joblib").predict_proba(rows[0]), model.predict_proba(rows[0])
    )
    (fitted,) = joblib.Parallel(n_jobs=1)([joblib.delayed(clone(model).fit)(*rows)])
    np.testing.assert_array_equal(fitted.predict_proba(rows[0]), model.predict_proba(rows[0]))


# ---- categories that are numbers ----------------------------------------------------------------


@pytest.mark.parametrize("values", [[1.0, 2.0, 3.0], [0.5, 1.0, 2.0], [1.0, 2.0, np.nan]])
@pytest.mark.parametrize("kind", ["named", "category"])
def test_a_row_is_read_by_itself_as_among_others(values, kind):
    """Fitted on floats, since one is missing or not whole; predicted row by row, where the others are not seen."""
    code = np.resize(values, N)
    X = pd.DataFrame({"code": code, "noise": np.random.default_rng(0).normal(size=N)})
    if kind == "category":
        X["code"] = X["code"].astype("category")
    y = np.where(code == values[0], "first", "other")
    options = {"categorical_features": ["code"] if kind == "named" else None, "max_steps": 0}
    model = CausalMixFTClassifier(None, **QUICK | options).fit(X, y)
    together = model._encoder.encode_features(X)[:, 0]
    alone = [model._encoder.encode_features(X.iloc[[row]])[0, 0] for row in range(len(X))]
    np.testing.assert_array_equal(together, alone)
    assert len(np.unique(together[~np.isnan(together)])) == np.sum(~np.isnan(values))
    assert model.score(X, y) > 0.9


@pytest.mark.parametrize("kind", [bool, int, float, object, "boolean", "category"])
@pytest.mark.parametrize("named", [True, False])
def test_true_is_one_however_it_is_handed_in(kind, named):
    """Fitted on truth values or, named as categories, on 0 and 1; predicted from whatever a file made of them."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"smoker": np.arange(N) % 2 == 0, "noise": rng.normal(size=N)})
    options = {"categorical_features": ["smoker"] if named else None, "max_steps": 0}
    fitted_on = X.astype({"smoker": int}) if named else X
    model = CausalMixFTClassifier(None, **QUICK | options).fit(fitted_on, X["smoker"])
    encoded = model._encoder.encode_features(X.astype({"smoker": kind}))
    np.testing.assert_array_equal(encoded, model._encoder.encode_features(fitted_on))
    assert len(np.unique(encoded[:, 0])) == 2


@pytest.mark.parametrize("missing", [np.nan, None, pd.NA])
@pytest.mark.parametrize("named", [True, False])
def test_a_column_of_truth_values_may_be_missing_as_a_whole(rows, missing, named):
    X = rows[0].assign(smoker=rows[0]["count"] > 4)
    options = {"categorical_features": ["smoker"] if named else None, "max_steps": 0}
    fitted_on = X.astype({"smoker": int}) if named else X
    model = CausalMixFTClassifier(None, **QUICK | options).fit(fitted_on, rows[1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoded = model._encoder.encode_features(X.assign(smoker=missing))
    assert np.isnan(encoded[:, -1]).all()
    some = X["smoker"].astype(object).where(X["count"] % 2 == 0, missing)
    expected = np.where(X["count"] % 2 == 0, model._encoder.encode_features(X)[:, -1], np.nan)
    np.testing.assert_array_equal(model._encoder.encode_features(X.assign(smoker=some))[:, -1], expected)


@pytest.mark.parametrize("dtype", ["float16", "float32", "Float32"])
def test_levels_of_single_precision_are_those_that_were_fitted(rows, dtype):
    X = rows[0].assign(code=np.resize([0.1, 0.7, 3.0], N))
    model = CausalMixFTClassifier(None, categorical_features=["code"], **QUICK | {"max_steps": 0}).fit(X, rows[1])
    expected = model._encoder.encode_features(X)
    np.testing.assert_array_equal(model._encoder.encode_features(X.astype({"code": dtype})), expected)


def test_exact_decimals_are_read_as_numbers_at_fit_and_at_predict(rows):
    X, y = rows[0].assign(price=np.resize([0.5, 1.25, 3.0], N)), rows[1]
    exact = X.assign(price=X["price"].map(Decimal))
    models = [CausalMixFTClassifier(None, **QUICK | {"max_steps": 0}).fit(kind, y) for kind in (X, exact)]
    for model in models:
        for kind in (X, exact):
            np.testing.assert_array_equal(model.predict_proba(kind), models[0].predict_proba(X))


def test_validation_rows_of_one_class_are_named(rows):
    X, y = rows
    model = CausalMixFTClassifier(None, **QUICK)
    with pytest.raises(ValueError, match="y_validation holds one class only, "):
        model.fit(X, y, X_validation=X[y], y_validation=y[y])
