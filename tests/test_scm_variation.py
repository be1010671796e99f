"""Variations of real rows: what is kept is that row's, what is new follows the model."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from causalmix_utils.graphs import random_dag
from causalmix_utils.scm import fit_scm, vary_rows
from causalmix_utils.scm.variation import couple
from causalmix_utils.tables import Table

DAG = nx.DiGraph([("a", "b"), ("b", "y"), ("k", "y")])


def make_table(n=200, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    b = 2 * a + rng.normal(size=n)
    k = rng.choice(["u", "v", "w"], size=n)
    y = np.where(b + 2 * (k == "u") + 0.5 * rng.normal(size=n) > 0, "yes", "no")
    b[::10] = np.nan
    return Table.from_frame(pd.DataFrame({"a": a, "b": b, "k": k, "y": y}), target="y", name="made")


@pytest.fixture(scope="module")
def table():
    return make_table()


@pytest.fixture(scope="module")
def scm(table):
    return fit_scm(DAG, table, mechanisms="linear")


def vary(scm, n, table, seed=0, **options):
    return vary_rows([scm], n, like=table, rng=np.random.default_rng(seed), **options)


def sort(frame):
    return frame.sort_values(list(frame), ignore_index=True)


def as_objects(table):
    return table.to_frame().astype({column: object for column in table.categorical})


def test_where_nothing_is_redrawn_the_real_rows_come_back(table, scm):
    rows, real = vary(scm, len(table), table, exchange=0.0), as_objects(table)
    pd.testing.assert_frame_equal(sort(rows), sort(real))


def test_a_borrowed_value_changes_what_lies_below_the_gap_and_nothing_else(table, scm):
    rows, real = vary(scm, len(table), table, exchange=0.0, missing="borrow"), as_objects(table)
    pd.testing.assert_frame_equal(sort(rows.dropna()), sort(real.dropna()))
    with_gaps = [sort(frame[frame["b"].isna()]) for frame in (rows, real)]
    pd.testing.assert_frame_equal(*(frame.drop(columns="y") for frame in with_gaps))
    assert (with_gaps[0]["y"] != with_gaps[1]["y"]).any()
    with pytest.raises(ValueError, match="missing"):
        vary(scm, 5, table, missing="drop")


def test_every_row_is_varied_about_equally_often(table, scm):
    rows = vary(scm, 2 * len(table) + 10, table, exchange=0.0)
    counts = rows["a"].value_counts()
    assert set(counts) == {2, 3} and (counts == 3).sum() == 10


def test_a_residual_is_that_of_a_real_row_whatever_its_parents_become(table, scm):
    rows = vary(scm, 300, table, exchange=0.5).dropna()
    model = scm.causal_mechanism("b").prediction_model
    residual = rows["b"] - model.predict(rows[["a"]].to_numpy(dtype=object)).ravel()
    real = table.X["b"] - model.predict(table.X[["a"]].to_numpy(dtype=object)).ravel()
    assert np.isin(residual.round(9), real.round(9)).all()
    assert not np.isin(rows["b"].round(9), table.X["b"].round(9)).all(), "the value itself follows the new parent"


def test_each_new_row_has_the_noises_of_two_real_rows_of_one_level(table, scm):
    """Roots show it: `a` and `k` are both roots, and come from two rows that share their class."""
    rows = vary(scm, 500, table, exchange=0.5, within="y")
    label = table.to_frame().set_index("a")["y"]
    levels = table.X["k"].astype(object).groupby(table.y).agg(set)
    assert all(level in levels[label[value]] for value, level in zip(rows["a"], rows["k"], strict=True))
    lonely = table.y.where(np.arange(len(table)) > 0, "alone")
    alone = Table("alone", table.X, lonely, table.categorical)
    model = fit_scm(DAG, alone, mechanisms="linear")
    rows = vary(model, len(table), alone, exchange=0.5, within="y")
    first = rows[rows["a"] == table.X["a"][0]]
    assert set(first["k"]) == {table.X["k"][0]}, "a row without a partner keeps its own noises"


def test_no_row_is_left_as_it_was_unless_nothing_shall_be_exchanged(table):
    apart = nx.DiGraph()
    apart.add_nodes_from(DAG.nodes)
    free = fit_scm(apart, table, mechanisms="linear")
    rows = vary(free, 1000, table, exchange=0.01)
    real = set(table.to_frame()[["a", "b", "k"]].dropna().itertuples(index=False, name=None))
    assert not any(row in real for row in rows[["a", "b", "k"]].dropna().itertuples(index=False, name=None))


def test_only_a_feature_in_which_the_rows_differ_counts_as_exchanged():
    frame = pd.DataFrame({"flat": 1.0, "copy": ["a", "b"] * 20, "x": np.arange(40.0), "y": ["a", "b"] * 20})
    table = Table.from_frame(frame, target="y")
    apart = nx.DiGraph()
    apart.add_nodes_from(table.columns)
    rows = vary(fit_scm(apart, table), 400, table, exchange=0.001, within="y")
    # Rows of one class differ in `x` alone, so it is exchanged in all rows.
    known = dict(zip(frame["x"], frame["y"], strict=True))
    assert all(known[value] == label for value, label in zip(rows["x"], rows["y"], strict=True))
    assert rows["x"].value_counts().std() > 1, "each row stood first equally often, and none kept its `x`"


def test_dependence_along_edges_survives_any_exchange(table, scm):
    rows = vary(scm, 4000, table, exchange=0.5)
    assert rows[["a", "b"]].corr().iloc[0, 1] == pytest.approx(table.X[["a", "b"]].corr().iloc[0, 1], abs=0.05)
    share = {name: (part["y"] == "yes").mean() for name, part in rows.groupby("k")}
    assert share["u"] > share["v"] + 0.2


def test_dependence_that_the_graph_lacks_stays_as_far_as_noises_stay_together(table):
    apart = nx.DiGraph()
    apart.add_nodes_from(DAG.nodes)
    scm = fit_scm(apart, table, mechanisms="linear")
    strength = [vary(scm, 2000, table, exchange=share)[["a", "b"]].corr().iloc[0, 1] for share in (0.0, 0.2, 0.5)]
    for share, value in zip((0.2, 0.5), strength[1:], strict=True):
        # Both from the second row; or both from the first, with a different `k` exchanged (two of three are), or none,
        # and then one of those that differ by chance.
        together = share**2 + (1 - share) ** 2 * (2 / 3) * (share + (1 - share) / 3)
        assert value / strength[0] == pytest.approx(together, abs=0.08)


def test_values_that_are_missing_in_the_real_row_are_missing_in_its_variations(table, scm):
    rows = vary(scm, len(table), table)
    assert rows["b"].isna().sum() == table.X["b"].isna().sum()
    assert rows[["a", "k", "y"]].notna().all(axis=None)


def test_a_target_that_is_cross_fitted_keeps_more_classes_than_one_that_is_too_certain(table):
    """Flexible mechanisms are certain about the rows of their fit, and any other prediction looks like a change."""
    changed = {}
    for name, kind in (("seen", None), ("cross-fitted", "forest")):
        scm = fit_scm(DAG, table, mechanisms="linear", target_mechanism="forest")
        model = scm.causal_mechanism("y").classifier_model
        if kind is None:
            del model.held_out_
        rows = vary(scm, 2000, table, exchange=0.1)
        changed[name] = (rows.set_index("a")["y"] != table.to_frame().set_index("a")["y"][rows["a"]]).mean()
    assert changed["cross-fitted"] < changed["seen"]


def test_several_models_share_the_rows(table, scm):
    other = fit_scm(nx.DiGraph([("y", "b"), ("y", "k"), ("b", "a")]), table, mechanisms="linear")
    rows = vary_rows([scm, other, scm], 10, like=table, rng=np.random.default_rng(0))
    assert len(rows) == 10 and list(rows.columns) == table.columns and list(rows.index) == list(range(10))
    assert len(vary_rows([scm, other, scm], 2, like=table, rng=np.random.default_rng(0))) == 2


def test_the_same_seed_gives_the_same_rows_and_global_state_has_no_part_in_it(table, scm):
    np.random.seed(1)  # noqa: NPY002
    one, expected = vary(scm, 50, table), np.random.random()  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    assert np.random.random() == expected  # noqa: NPY002
    pd.testing.assert_frame_equal(one, vary(scm, 50, table), check_exact=True)
    assert not one.equals(vary(scm, 50, table, seed=1))


def test_the_table_must_be_that_of_the_fit(table, scm):
    """Residuals and held-out probabilities are those of its rows."""
    with pytest.raises(ValueError, match="like must be the table that the models were fitted to, got Table"):
        vary(scm, 5, table.take(range(100)))
    assert len(vary(scm, 5, make_table())) == 5, "an equal table is the same"


def test_coupled_levels_have_the_new_distribution_and_change_as_rarely_as_possible():
    rng = np.random.default_rng(0)
    old, new = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
    before = rng.choice(3, size=20_000, p=old)
    after = couple(before, np.tile(old, (len(before), 1)), np.tile(new, (len(before), 1)), rng=rng)
    np.testing.assert_allclose(np.bincount(after) / len(after), new, atol=0.015)
    assert (after != before).mean() == pytest.approx(np.abs(new - old).sum() / 2, abs=0.015)


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_table_on_any_graph_gives_values_of_the_right_kind(data):
    n = data.draw(st.integers(1, 40), label="rows")
    rng = np.random.default_rng(data.draw(st.integers(0, 99), label="seed"))
    columns = {}
    for place in range(data.draw(st.integers(1, 4), label="columns")):
        kind = data.draw(st.sampled_from(["normal", "text", "constant", "empty", "empty text"]), label="kind")
        columns[f"x{place}"] = {
            "normal": np.where(rng.random(n) < 0.3, np.nan, rng.normal(size=n)),
            "text": rng.choice(["u", "v", None], size=n),
            "constant": np.full(n, 2.5),
            "empty": np.full(n, np.nan),
            "empty text": pd.Series([None] * n, dtype=object),
        }[kind]
    table = Table.from_frame(pd.DataFrame({**columns, "y": rng.choice(["a", "b", "c"], size=n)}), target="y")
    room = len(table.columns) * (len(table.columns) - 1) // 2
    scm = fit_scm(random_dag(table.columns, int(rng.integers(room + 1)), rng=rng), table, mechanisms="linear")
    rows = vary_rows([scm], 25, like=table, rng=rng, exchange=data.draw(st.sampled_from([0.0, 0.5, 1.0])))
    assert set(rows["y"]) <= set(table.classes)
    for column in table.X.columns:
        if column in table.categorical:
            assert set(rows[column].dropna()) <= set(table.X[column].dropna())
        else:
            assert np.isfinite(rows[column].dropna().astype(float)).all()
        if table.X[column].isna().all() or n <= len(rows):  # every row of the table is varied at least once
            assert rows[column].isna().all() == table.X[column].isna().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "n must be an integer of at least 1, got 0"),
        ({"exchange": 1.2}, "exchange must be a number between 0 and 1, got 1.2"),
        ({"within": "a"}, "within must be a categorical column or the target, got 'a'"),
        ({"scms": []}, "scms must hold at least one model, got none"),
    ],
)
def test_wrong_arguments_are_named_with_their_value(table, scm, options, message):
    arguments = {"scms": [scm], "n": 5} | options
    with pytest.raises(ValueError, match=message):
        vary_rows(arguments.pop("scms"), arguments.pop("n"), like=table, rng=np.random.default_rng(0), **arguments)
