"""The ordinary models take any table, give probabilities, and are what their names say."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalmix_utils.baselines import BASELINES, N_NEIGHBOURS, make_baseline
from causalmix_utils.metrics import log_loss, roc_auc
from causalmix_utils.tables import Table, load_table, scarce_split

each_baseline = pytest.mark.parametrize("name", BASELINES)


@st.composite
def tables(draw) -> Table:
    """Small tables of mixed columns, some of them constant, empty, or with missing values."""
    n_rows = draw(st.integers(2 * N_NEIGHBOURS, 50))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    columns = {}
    for place, kind in enumerate(["number", *draw(st.lists(st.sampled_from(["number", "level", "same", "none"])))]):
        if kind == "level":
            values = rng.choice(["a", "b", "c", None], n_rows)
            columns[str(place)] = pd.Series(values, dtype=object).astype("category")
        else:
            values = rng.normal(size=n_rows) if kind == "number" else np.full(n_rows, 1.0)
            values[rng.random(n_rows) < (1.0 if kind == "none" else 0.1)] = np.nan
            columns[str(place)] = values
    y = rng.permutation(np.arange(n_rows) % draw(st.integers(2, 4))).astype(str)
    frame = pd.DataFrame(columns).assign(label=y)
    return Table.from_frame(frame, target="label", categorical=[c for c in columns if frame[c].dtype == "category"])


@pytest.mark.filterwarnings("error")
@each_baseline
@settings(max_examples=5)
@given(table=tables())
def test_every_table_gets_probabilities_of_its_classes_without_a_warning(name, table):
    half = len(table) // 2
    context, query = table.take(range(half)), table.take(range(half, len(table)))
    model = make_baseline(name).fit(context.X, context.y)
    proba = model.predict_proba(query.X)
    assert list(model.classes_) == context.classes
    assert proba.shape == (len(query), len(context.classes))
    assert np.allclose(proba.sum(axis=1), 1)


@each_baseline
def test_predictions_depend_on_the_random_state_alone(name):
    train, _, test = scarce_split(load_table("titanic"), n=150)
    proba = [make_baseline(name, random_state=seed).fit(train.X, train.y).predict_proba(test.X) for seed in (1, 1, 2)]
    assert np.array_equal(proba[0], proba[1])
    if name.startswith("random_forest"):
        assert not np.array_equal(proba[0], proba[2])


def test_the_class_shares_of_the_context_are_predicted_for_every_row():
    context = load_table("titanic").take(range(100))
    proba = make_baseline("class_shares").fit(context.X, context.y).predict_proba(context.X)
    assert np.allclose(proba, context.y.value_counts(normalize=True).sort_index().to_numpy())


@pytest.mark.parametrize("name", [name for name in BASELINES if name != "class_shares"])
def test_every_model_learns_from_a_category_alone_and_takes_a_level_it_never_saw(name):
    levels = np.array(["u", "v"] * 40)
    X = pd.DataFrame({"level": pd.Categorical(levels, categories=["u", "v", "new"])})
    model = make_baseline(name).fit(X, levels)
    assert roc_auc(levels, model.predict_proba(X), model.classes_) == 1.0
    unseen = pd.DataFrame({"level": pd.Categorical(["new"], categories=["u", "v", "new"])})
    assert np.isfinite(model.predict_proba(unseen)).all()


@pytest.mark.parametrize("name", BASELINES)
def test_a_category_of_very_many_levels_is_no_obstacle(name):
    X = pd.DataFrame({"id": pd.Categorical([f"row {i:03}" for i in range(400)]), "x": np.arange(400.0)})
    model = make_baseline(name).fit(X.iloc[:300], np.where(X["x"][:300] % 7 < 3, "a", "b"))
    unseen = X.iloc[300:].assign(id=X["id"].where(X["x"] < 350))
    assert np.isfinite(model.predict_proba(unseen)).all()


@pytest.mark.parametrize("name", [name for name in BASELINES if name != "class_shares"])
def test_a_missing_number_can_tell_classes_apart(name):
    values = np.random.default_rng(0).normal(size=120)
    y = np.where(np.arange(120) % 2, "gap", "given")
    values[y == "gap"] = np.nan
    model = make_baseline(name).fit(pd.DataFrame({"x": values}), y)
    assert roc_auc(y, model.predict_proba(pd.DataFrame({"x": values})), model.classes_) > 0.95


def test_leaves_of_several_rows_save_the_forest_from_certainties():
    train, _, test = scarce_split(load_table("phoneme"), n=200)
    losses = {}
    for name in ("random_forest", "random_forest_leaf3"):
        model = make_baseline(name).fit(train.X, train.y)
        losses[name] = log_loss(test.y, model.predict_proba(test.X), model.classes_)
        assert len(model[-1].estimators_) == 200
    assert losses["random_forest_leaf3"] < losses["random_forest"]


def test_an_unknown_name_is_named():
    with pytest.raises(ValueError, match="name must be one of .*got 'forest'"):
        make_baseline("forest")
