"""Counterfactuals: what is not touched stays to the last bit, and what follows keeps the noise of its row."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from dowhy import gcm
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from causalmix_utils.graphs import random_dag
from causalmix_utils.scm import counterfactual_rows, fit_scm, sample_rows
from causalmix_utils.tables import Table, load_table, scarce_split

DAG = nx.DiGraph([("a", "b"), ("b", "k"), ("b", "y"), ("k", "y")])
DAG.add_node("apart")


def make_table(n=400, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    b = 2 * a + rng.normal(size=n)
    k = np.where(b + rng.normal(size=n) > 0, "high", "low")
    y = np.where(b + 2 * (k == "high") + 0.5 * rng.normal(size=n) > 0, "yes", "no")
    frame = pd.DataFrame({"a": a, "b": b, "k": k, "apart": rng.normal(size=n), "y": y})
    return Table.from_frame(frame, target="y", name="made")


@pytest.fixture(scope="module")
def table():
    return make_table()


@pytest.fixture(scope="module")
def scm(table):
    return fit_scm(DAG, table, mechanisms="linear")


def ask(scm, rows, like, seed=0, **interventions):
    return counterfactual_rows(scm, rows, interventions=interventions, like=like, rng=np.random.default_rng(seed))


def test_the_true_counterfactual_is_found_where_the_model_is_right():
    """The program of the test is known, and so is what each row would have been."""
    rng = np.random.default_rng(1)
    a, noise = rng.normal(size=(2, 2000))
    frame = pd.DataFrame({"a": a, "b": 3 * a + noise, "y": np.resize(["u", "v"], 2000)})
    world = Table.from_frame(frame, target="y")
    dag = nx.DiGraph([("a", "b")])
    dag.add_node("y")
    new = ask(fit_scm(dag, world, mechanisms="linear"), world, world, a=1.0)
    middle = np.abs(3 + noise) < 4  # Values beyond the range of the table are clipped.
    assert np.abs(new.X["b"] - (3 + noise))[middle].max() < 0.2
    turned = nx.DiGraph([("b", "a")])
    turned.add_node("y")
    same = ask(fit_scm(turned, world, mechanisms="linear"), world, world, a=1.0)
    assert same.X["b"].equals(world.X["b"]), "nothing follows from a column without effects"


def test_numbers_agree_with_the_counterfactuals_of_dowhy(table):
    numbers = nx.DiGraph([("a", "b"), ("b", "apart")])
    whole = numbers.copy()
    whole.add_nodes_from(["k", "y"])
    scm = fit_scm(whole, table)
    reference = gcm.InvertibleStructuralCausalModel(numbers)
    for node in numbers:
        reference.set_causal_mechanism(node, scm.causal_mechanism(node))
        reference.graph.nodes[node].update(scm.graph.nodes[node])
    observed = table.X[["a", "b", "apart"]]
    expected = gcm.counterfactual_samples(reference, {"a": lambda value: value / 2}, observed_data=observed)
    new = ask(scm, table, table, a=lambda value: value / 2).X
    for column in observed:
        low, high = observed[column].min(), observed[column].max()
        assert np.allclose(new[column], expected[column].astype(float).clip(low, high))


def test_what_does_not_depend_on_the_intervention_stays_to_the_last_bit(scm, table):
    new = ask(scm, table, table, b=1.0)
    assert new.X["a"].equals(table.X["a"]) and new.X["apart"].equals(table.X["apart"])
    assert (new.X["b"] == 1.0).all()
    assert not new.y.equals(table.y)


def test_setting_columns_to_what_they_are_gives_the_rows_back(scm, table):
    same = ask(scm, table, table, a=lambda value: value, k=lambda value: value)
    pd.testing.assert_frame_equal(same.to_frame(), table.to_frame())


def test_rows_from_beyond_the_range_of_the_fit_are_not_clipped_where_nothing_changes(scm, table):
    far = Table.from_frame(table.to_frame().head(3).assign(apart=99.0), target="y")
    assert (ask(scm, far, table, a=0.0).X["apart"] == 99.0).all()


def test_a_category_is_distributed_as_under_the_intervention_and_changes_as_rarely_as_possible(scm, table):
    rows = sample_rows(scm, 4000, like=table, rng=np.random.default_rng(2))
    imagined, set_anew = (
        ask(scm, rows, table, b=0.8),
        sample_rows(scm, 4000, like=table, rng=np.random.default_rng(3), interventions={"b": 0.8}),
    )
    assert (imagined.X["k"] == "high").mean() == pytest.approx((set_anew.X["k"] == "high").mean(), abs=0.04)
    assert (imagined.y == "yes").mean() == pytest.approx((set_anew.y == "yes").mean(), abs=0.04)
    mechanism = scm.causal_mechanism("k")
    old = mechanism.estimate_probabilities(rows.X[["b"]].to_numpy(dtype=object))
    new = mechanism.estimate_probabilities(imagined.X[["b"]].to_numpy(dtype=object))
    least = np.abs(new - old).sum(axis=1).mean() / 2
    assert (imagined.X["k"] != rows.X["k"]).mean() == pytest.approx(least, abs=0.03)


def test_a_missing_value_stays_missing_unless_it_is_set(table):
    frame = table.to_frame()
    frame.loc[::7, "b"] = np.nan
    holes = Table.from_frame(frame, target="y")
    scm = fit_scm(DAG, holes)
    missing = frame["b"].isna()
    assert ask(scm, holes, holes, a=1.0).X["b"].isna().equals(missing)
    assert ask(scm, holes, holes, b=lambda value: value + 1).X["b"].isna().equals(missing)
    assert (ask(scm, holes, holes, b=1.0).X["b"] == 1.0).all()


def test_the_same_seed_gives_the_same_rows_and_global_state_stays(scm, table):
    np.random.seed(0)  # noqa: NPY002 (the caller's global state is what is tested)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second, other = (ask(scm, table, table, seed=seed, b=0.2).to_frame() for seed in (0, 0, 1))
    assert first.equals(second) and not first.equals(other)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_one_row_of_a_real_table_can_be_asked_about():
    train, _, test = scarce_split(load_table("credit-g"), n=200)
    dag = random_dag(train.columns, 40, rng=np.random.default_rng(0))
    scm = fit_scm(dag, train)
    root = next(node for node in train.numerical if nx.descendants(dag, node))
    new = ask(scm, test.take([5, 5, 5]), train, **{root: float(train.X[root].median())})
    assert len(new) == 3 and new.columns == train.columns
    assert (new.X.dtypes == train.X.dtypes).all()
    untouched = [column for column in train.X if column not in nx.descendants(dag, root) | {root}]
    assert all((new.X[column] == test.X[column][5]).all() for column in untouched)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), column=st.sampled_from(["a", "b", "k", "apart", "y"]))
def test_only_descendants_change_on_any_graph(table, seed, column):
    dag = random_dag(table.columns, 5, rng=np.random.default_rng(seed))
    new = ask(fit_scm(dag, table, mechanisms="linear"), table, table, **{column: table.to_frame()[column][seed % 400]})
    changed = {name for name in table.columns if not new.to_frame()[name].equals(table.to_frame()[name])}
    assert changed <= nx.descendants(dag, column) | {column}


def make_whole():
    """Whole numbers ``z = 2 x ± 1``, and a category without causes."""
    x = np.arange(60)
    frame = pd.DataFrame({"x": x, "z": 2 * x + np.resize([1, -1], 60), "k": np.resize(["u", "v"], 60)})
    whole = Table.from_frame(frame.assign(y=np.resize(["a", "b"], 60)), target="y")
    dag = nx.DiGraph([("x", "z")])
    dag.add_nodes_from(["k", "y"])
    return whole, fit_scm(dag, whole, mechanisms="linear")


def test_a_level_that_no_row_of_the_fit_has_is_refused_in_a_column_without_causes_too():
    whole, scm = make_whole()
    rows = Table.from_frame(whole.take([0]).to_frame().assign(k="w"), target="y")
    with pytest.raises(ValueError, match="the level 'w' in column 'k'"):
        ask(scm, rows, whole, x=10)


def test_a_column_of_whole_numbers_is_set_to_whole_numbers_alone():
    whole, scm = make_whole()
    assert ask(scm, whole.take([3]), whole, x=10.0).X.loc[0, ["x", "z"]].tolist() == [10, 19]
    for change in (10.6, lambda value: value + 0.5):
        with pytest.raises(ValueError, match=r"interventions set 'x' to .*, but the column holds whole numbers"):
            ask(scm, whole.take([3]), whole, x=change)
        with pytest.raises(ValueError, match="but the column holds whole numbers"):
            sample_rows(scm, 5, like=whole, rng=np.random.default_rng(0), interventions={"x": change})
    halves = Table.from_frame(whole.take([3]).to_frame().assign(z=5.5), target="y")
    with pytest.raises(ValueError, match="column 'z' of rows has dtype float64, but like has whole numbers"):
        ask(scm, halves, whole, x=10)


def test_a_value_that_is_set_is_not_rounded():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": np.round(rng.normal(size=80), 1), "y": np.resize(["a", "b"], 80)})
    coarse = Table.from_frame(frame, target="y")
    dag = nx.DiGraph()
    dag.add_nodes_from(["x", "y"])
    scm = fit_scm(dag, coarse, mechanisms="linear")
    assert ask(scm, coarse.take([0]), coarse, x=0.123).X.loc[0, "x"] == 0.123
    assert (sample_rows(scm, 5, like=coarse, rng=rng, interventions={"x": 0.123}).X["x"] == 0.123).all()


def test_questions_that_cannot_be_answered_are_refused(scm, table):
    with pytest.raises(ValueError, match="at least one column"):
        ask(scm, table, table)
    with pytest.raises(ValueError, match="'nobody', which is not a column"):
        ask(scm, table, table, nobody=1)
    with pytest.raises(ValueError, match="'k' to 'medium'"):
        ask(scm, table, table, k="medium")
    with pytest.raises(ValueError, match="rows have the columns"):
        ask(scm, Table.from_frame(table.to_frame()[["a", "y"]], target="y"), table, a=1.0)
    strange = Table.from_frame(table.to_frame().head(2).assign(k="medium"), target="y")
    with pytest.raises(ValueError, match="'medium' in column 'k'"):
        ask(scm, strange, table, a=1.0)
    with pytest.raises(ValueError, match="no node for column"):
        ask(
            fit_scm(nx.DiGraph([("a", "y")]), Table.from_frame(table.to_frame()[["a", "y"]], target="y")),
            table,
            table,
            a=1.0,
        )
