"""Structural causal models: rows that belong to the table, the right mechanisms, and nothing global changed."""

import random
import subprocess
import sys

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from causalmix_utils.graphs import random_dag
from causalmix_utils.scm import MechanismCache, fit_scm, fit_scm_ensemble, sample_ensemble, sample_rows
from causalmix_utils.scm.cache import fingerprint
from causalmix_utils.scm.fitting import ROWS_FOR_BOOSTING
from causalmix_utils.scm.mechanisms import make_mechanism
from causalmix_utils.tables import Table, check_same_schema, load_table


def make_table(n: int = 200, seed: int = 0) -> Table:
    """dose → response → label ← group, with whole, bounded and rounded numbers and missing values."""
    rng = np.random.default_rng(seed)
    dose = rng.integers(0, 5, size=n)
    response = np.round(2.0 * dose + rng.normal(size=n), 1)
    group = rng.choice(["red", "green", "blue"], size=n, p=[0.5, 0.3, 0.2])
    score = response - 4 + 2 * (group == "blue") + rng.normal(size=n)
    label = np.where(score > 3, "high", np.where(score > -1, "middle", "low"))
    frame = pd.DataFrame({"dose": dose, "response": response, "group": group, "label": label})
    lost = (label == "high") & (rng.random(n) < 0.5)
    frame["response"] = frame["response"].mask(lost)
    frame["group"] = frame["group"].mask(lost)
    return Table.from_frame(frame, target="label", name="made")


TRUE_DAG = nx.DiGraph([("dose", "response"), ("response", "label"), ("group", "label")])


def draw(scm, n, like, seed=0, **options):
    return sample_rows(scm, n, like=like, rng=np.random.default_rng(seed), **options)


@pytest.fixture(scope="module")
def table() -> Table:
    return make_table()


@pytest.fixture(scope="module")
def scm(table):
    return fit_scm(TRUE_DAG, table)


def test_each_node_has_the_mechanism_of_its_kind(scm, table):
    from dowhy import gcm

    assert isinstance(scm, gcm.StructuralCausalModel)
    kinds = {node: type(scm.causal_mechanism(node)) for node in scm.graph}
    assert kinds == {
        "dose": gcm.EmpiricalDistribution,
        "group": gcm.EmpiricalDistribution,
        "response": gcm.AdditiveNoiseModel,
        "label": gcm.ClassifierFCM,
    }
    assert scm.graph.graph["mechanisms"] == {
        "dose": "root",
        "response": "boosting",
        "group": "root",
        "label": "boosting",
    }


def test_the_graph_given_is_neither_changed_nor_shared(table):
    """DoWhy keeps mechanisms on the graph object itself."""
    dag = TRUE_DAG.copy()
    first, second = fit_scm(dag, table), fit_scm(dag, table, mechanisms="linear")
    assert dag.graph == {} and all(not data for _, data in dag.nodes(data=True))
    assert type(first.causal_mechanism("label").classifier_model.estimator) is not type(
        second.causal_mechanism("label").classifier_model.estimator
    )


@pytest.mark.parametrize("mechanisms", ["linear", "boosting", "auto"])
def test_sampled_rows_could_belong_to_the_table(table, mechanisms):
    rows = draw(fit_scm(TRUE_DAG, table, mechanisms=mechanisms), 300, table)
    check_same_schema(rows, table)
    assert len(rows) == 300
    assert rows.columns == table.columns, "DoWhy returns columns in causal order"
    assert list(rows.X.dtypes) == list(table.X.dtypes)
    assert set(rows.X["dose"]) <= {0, 1, 2, 3, 4}, "whole numbers stay whole"
    present = rows.X["response"].dropna()
    np.testing.assert_array_equal(present, present.round(1), "decimals as in the table")


@pytest.mark.parametrize("name", ["titanic", "credit-g", "tae"])
def test_rows_sampled_from_real_tables_pass_the_schema_check(name):
    table = load_table(name).take(range(140))
    dag = random_dag(
        table.columns, 2 * len(table.columns) if len(table.columns) > 6 else 6, rng=np.random.default_rng(0)
    )
    check_same_schema(draw(fit_scm(dag, table), 200, table), table)


def test_the_target_of_whole_numbers_is_drawn_as_classes():
    """DoWhy's automatic assignment makes an integer 0/1 target a number and samples -1 and 2."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=150)
    table = Table.from_frame(pd.DataFrame({"x": x, "y": (x + rng.normal(size=150) > 0).astype(int)}), target="y")
    rows = draw(fit_scm(nx.DiGraph([("x", "y")]), table), 500, table)
    assert rows.classes == ["0", "1"]


def test_the_dependence_along_edges_is_kept_and_there_is_none_without(table, scm):
    rows = draw(scm, 2000, table)
    real, drawn = (frame.X[["dose", "response"]].corr().iloc[0, 1] for frame in (table, rows))
    assert drawn == pytest.approx(real, abs=0.1)
    by_class = rows.X.groupby(rows.y)["response"].mean()
    assert by_class["high"] > by_class["middle"] > by_class["low"]
    apart = nx.DiGraph()
    apart.add_nodes_from(table.columns)
    rows = draw(fit_scm(apart, table), 2000, table)
    assert abs(rows.X[["dose", "response"]].corr().iloc[0, 1]) < 0.1


def test_missing_values_keep_their_share_and_their_pattern_by_class(table, scm):
    """DoWhy's samples are always complete."""
    rows = draw(scm, 3000, table)
    assert rows.X["dose"].notna().all()
    np.testing.assert_array_equal(rows.X["response"].isna(), rows.X["group"].isna(), "missing together in the table")
    for name in table.classes:
        real = table.X["response"][table.y == name].isna().mean()
        drawn = rows.X["response"][rows.y == name].isna().mean()
        assert drawn == pytest.approx(real, abs=0.06)


@pytest.mark.parametrize("mechanisms", ["linear", "boosting"])
def test_missing_parents_and_missing_children_of_every_type_are_fitted(mechanisms):
    """DoWhy stops at missing categories."""
    rng = np.random.default_rng(0)
    table = make_table()
    X = table.X.mask(rng.random(table.X.shape) < 0.4)
    holey = Table.from_frame(X.assign(label=table.y), target="label")
    for order in (["dose", "response", "group", "label"], ["label", "group", "response", "dose"]):
        dag = nx.DiGraph([(a, b) for place, a in enumerate(order) for b in order[place + 1 :]])
        check_same_schema(draw(fit_scm(dag, holey, mechanisms=mechanisms), 100, holey), holey)


# Randomness -----------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_rows_and_another_does_not(table, scm):
    one, two, other = draw(scm, 80, table), draw(fit_scm(TRUE_DAG, table), 80, table), draw(scm, 80, table, seed=1)
    pd.testing.assert_frame_equal(one.to_frame(), two.to_frame(), check_exact=True)
    assert not one.to_frame().equals(other.to_frame())


def test_the_callers_global_random_state_is_as_it_was(table):
    np.random.seed(7), random.seed(7)  # noqa: NPY002
    expected = np.random.random(), random.random()  # noqa: NPY002
    np.random.seed(7), random.seed(7)  # noqa: NPY002
    draw(fit_scm(TRUE_DAG, table), 30, table, min_per_class=3, interventions=None)
    assert (np.random.random(), random.random()) == expected  # noqa: NPY002


def test_the_global_random_state_does_not_change_the_rows(table, scm):
    np.random.seed(1)  # noqa: NPY002
    one = draw(scm, 30, table)
    np.random.seed(2)  # noqa: NPY002
    pd.testing.assert_frame_equal(one.to_frame(), draw(scm, 30, table).to_frame(), check_exact=True)


def test_dowhy_stays_quiet_and_its_settings_stay_as_they_are(table, capfd):
    from dowhy.gcm import config

    before = config.show_progress_bars, config.default_n_jobs
    draw(fit_scm(TRUE_DAG, table), 30, table, interventions={"dose": 2})
    printed = capfd.readouterr()
    assert printed.out == "" and printed.err == ""
    assert (config.show_progress_bars, config.default_n_jobs) == before


def test_a_first_fit_leaves_how_a_session_shows_values(table):
    code = """
import sys
from IPython.core.interactiveshell import InteractiveShell
import networkx as nx, pandas as pd
from causalmix_utils.scm import fit_scm
from causalmix_utils.tables import Table

shell, hook = InteractiveShell.instance(), sys.displayhook
table = Table.from_frame(pd.DataFrame({"x": range(40), "y": ["a", "b"] * 20}), target="y")
fit_scm(nx.DiGraph([("x", "y")]), table, mechanisms="linear")
assert "dowhy.causal_model" in sys.modules
shown = shell.display_formatter.format([0.5, 2])[0]
assert shown == {"text/plain": "[0.5, 2]"}, sorted(shown)
assert sys.displayhook is hook
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# Classes --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rare() -> Table:
    """Four classes; two of them have one row each, far from all others."""
    rng = np.random.default_rng(0)
    x = np.r_[rng.normal(size=150), 40, -40]
    y = [*np.where(x[:150] > 0, "plus", "minus"), "far", "off"]
    frame = pd.DataFrame({"x": x, "below": x + rng.normal(size=152), "y": y})
    return Table.from_frame(frame, target="y", name="rare")


@pytest.mark.parametrize("edges", [[("x", "y"), ("y", "below")], [("y", "x"), ("x", "below")], [("x", "below")]])
def test_every_class_gets_its_minimum_of_rows(rare, edges):
    dag = nx.DiGraph(edges)
    dag.add_nodes_from(rare.columns)
    scm = fit_scm(dag, rare)
    rows = draw(scm, 60, rare, min_per_class=7)
    check_same_schema(rows, rare)
    assert len(rows) == 60 and rows.y.value_counts().min() >= 7 and len(rows.classes) == 4
    assert draw(scm, 28, rare, min_per_class=7).y.value_counts().tolist() == [7, 7, 7, 7]


def test_a_class_that_must_be_set_is_set_where_it_is_likeliest_and_its_effects_follow(rare):
    rows = draw(fit_scm(nx.DiGraph([("y", "below"), ("x", "y")]), rare), 60, rare, min_per_class=7)
    assert rows.X["x"][rows.y == "far"].mean() > rows.X["x"][rows.y == "off"].mean() + 1


def test_without_a_minimum_nothing_is_forced(rare):
    rows = draw(fit_scm(nx.DiGraph([("x", "y"), ("x", "below")]), rare), 100, rare)
    assert rows.y.value_counts().min() < 7


# Interventions --------------------------------------------------------------------------------------------------


def test_an_intervention_moves_what_it_causes_and_nothing_else(table, scm):
    low, high = (draw(scm, 800, table, interventions={"dose": value}) for value in (0, 4))
    assert set(low.X["dose"]) == {0} and set(high.X["dose"]) == {4}
    assert high.X["response"].mean() > low.X["response"].mean() + 6
    assert (high.y == "high").mean() > (low.y == "high").mean() + 0.5
    shares = [rows.X["group"].value_counts(normalize=True) for rows in (low, high)]
    observed = table.X["group"].value_counts(normalize=True)
    assert all((share - observed).abs().max() < 0.08 for share in shares)


def test_an_intervention_on_an_effect_leaves_its_cause_alone(table, scm):
    rows = draw(scm, 800, table, interventions={"label": "low"})
    assert rows.classes == ["low"]
    assert rows.X["dose"].mean() == pytest.approx(table.X["dose"].mean(), abs=0.2)


def test_an_intervention_may_be_a_function_of_the_value_and_may_leave_the_range(table, scm):
    shifted = draw(scm, 400, table, interventions={"response": lambda value: value + 100})
    plain = draw(scm, 400, table)
    assert shifted.X["response"].notna().all()
    assert shifted.X["response"].mean() == pytest.approx(plain.X["response"].mean() + 100, abs=3)


@pytest.mark.parametrize(
    ("interventions", "message"),
    [
        ({"doze": 1}, "'doze', which is not a column"),
        ({"group": "pink"}, "'group' to 'pink'; its levels are"),
        ({"label": "none"}, "'label' to 'none'"),
        ({"dose": "much"}, "numerical column 'dose' to 'much'"),
        ({"dose": np.inf}, "numerical column 'dose' to inf"),
        ({"group": lambda value: value + "ish"}, "'group' to '.*ish'"),
    ],
)
def test_an_impossible_intervention_is_refused_by_name(table, scm, interventions, message):
    with pytest.raises(ValueError, match=message):
        draw(scm, 20, table, interventions=interventions)


# The cache ------------------------------------------------------------------------------------------------------


def test_a_mechanism_is_fitted_once_for_all_graphs_that_share_it(table):
    cache = MechanismCache()
    first = fit_scm(TRUE_DAG, table, cache=cache)
    assert (cache.hits, cache.misses, len(cache)) == (0, 4, 4)
    other = nx.DiGraph([("dose", "response"), ("response", "label")])
    other.add_node("group")
    second = fit_scm(other, table, cache=cache)
    assert (cache.hits, cache.misses) == (3, 5)
    assert first.causal_mechanism("response") is second.causal_mechanism("response")
    assert first.causal_mechanism("label") is not second.causal_mechanism("label")


def test_cached_and_fresh_mechanisms_give_the_same_rows(table):
    cache = MechanismCache()
    fit_scm(TRUE_DAG, table, cache=cache)
    cached, fresh = fit_scm(TRUE_DAG, table, cache=cache), fit_scm(TRUE_DAG, table)
    pd.testing.assert_frame_equal(
        draw(cached, 60, table).to_frame(), draw(fresh, 60, table).to_frame(), check_exact=True
    )


def test_another_table_or_another_kind_is_not_answered_from_the_cache(table):
    cache = MechanismCache()
    fit_scm(TRUE_DAG, table, cache=cache)
    fit_scm(TRUE_DAG, make_table(seed=1), cache=cache)
    assert cache.hits == 0
    fit_scm(TRUE_DAG, table, cache=cache, mechanisms="linear")
    assert cache.hits == 2, "roots have no kind"
    assert fingerprint(table) == fingerprint(make_table()) != fingerprint(make_table(seed=1))


def test_the_cache_drops_what_was_not_used_for_longest(table):
    cache = MechanismCache(max_entries=2)
    fit_scm(TRUE_DAG, table, cache=cache)
    assert len(cache) == 2
    cache = MechanismCache(max_entries=2)
    for node in ("first", "second", "first", "third"):
        cache.get(table, node, (), "root", lambda *task: task)
    assert cache.hits == 1
    cache.get(table, "first", (), "root", lambda *task: task)
    assert cache.hits == 2, "the second one was dropped"
    with pytest.raises(ValueError, match="max_entries must be an integer of at least 1, got 0"):
        MechanismCache(0)


# Ensembles ------------------------------------------------------------------------------------------------------


def make_probabilities(table: Table) -> pd.DataFrame:
    P = pd.DataFrame(0.0, index=table.columns, columns=table.columns)
    P.loc["dose", "response"], P.loc["response", "label"], P.loc["group", "label"] = 0.9, 0.8, 0.5
    return P


def test_an_ensemble_shares_its_fits_and_draws_from_every_model(table):
    cache = MechanismCache()
    scms = fit_scm_ensemble(make_probabilities(table), table, rng=np.random.default_rng(0), n_dags=6, cache=cache)
    assert len(scms) == 6 and cache.misses <= 9 and cache.hits >= 15
    rows = sample_ensemble(scms, 101, like=table, rng=np.random.default_rng(0), min_per_class=10)
    check_same_schema(rows, table)
    assert len(rows) == 101 and rows.y.value_counts().min() >= 10
    again = sample_ensemble(scms, 101, like=table, rng=np.random.default_rng(0), min_per_class=10)
    pd.testing.assert_frame_equal(rows.to_frame(), again.to_frame(), check_exact=True)


def test_rows_that_are_drawn_for_a_rare_class_keep_the_interventions(table):
    scm = fit_scm(TRUE_DAG, table)
    rows = draw(scm, 30, table, interventions={"dose": 1}, min_per_class=10)
    assert rows.y.value_counts().to_dict() == dict.fromkeys(table.classes, 10)
    assert (rows.X["dose"] == 1).all()


@pytest.mark.parametrize(("n", "kind"), [(ROWS_FOR_BOOSTING - 1, "linear"), (ROWS_FOR_BOOSTING, "boosting")])
def test_automatic_mechanisms_boost_from_a_number_of_rows_on_that_are_not_missing(n, kind):
    values = np.random.default_rng(0).normal(size=(n + 20, 2))
    frame = pd.DataFrame(values, columns=["x", "z"]).assign(y=np.where(np.arange(n + 20) % 2, "a", "b"))
    frame.loc[:19, "z"] = np.nan
    scm = fit_scm(nx.DiGraph([("x", "z"), ("x", "y")]), Table.from_frame(frame, target="y"), mechanisms="auto")
    assert scm.graph.graph["mechanisms"] == {"x": "root", "z": kind, "y": "boosting"}


def test_a_target_to_which_no_edge_was_drawn_is_connected_unless_that_is_not_wanted(table):
    P = make_probabilities(table)
    P["label"] *= 1e-9  # hardly ever drawn
    for connect_target in (True, False):
        (scm,) = fit_scm_ensemble(
            P, table, rng=np.random.default_rng(0), n_dags=1, mechanisms="linear", connect_target=connect_target
        )
        assert (scm.graph.degree("label") > 0) == connect_target


def test_every_model_of_an_ensemble_gives_its_share_of_the_rows():
    tables = [
        Table.from_frame(pd.DataFrame({"x": np.full(20, value), "y": ["a", "b"] * 10}), target="y")
        for value in (1.0, 2.0, 3.0)
    ]
    scms = [fit_scm(nx.DiGraph([("x", "y")]), table, mechanisms="linear") for table in tables]
    both = Table.from_frame(pd.concat([table.to_frame() for table in tables]), target="y")
    counts = sample_ensemble(scms, 31, like=both, rng=np.random.default_rng(0)).X["x"].value_counts()
    assert sorted(counts) == [10, 10, 11]


def test_an_ensemble_may_be_larger_than_the_number_of_rows(table):
    scms = fit_scm_ensemble(make_probabilities(table), table, rng=np.random.default_rng(0), n_dags=4)
    assert len(sample_ensemble(scms, 2, like=table, rng=np.random.default_rng(0))) == 2


# Hostile tables and arguments -----------------------------------------------------------------------------------


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_table_on_any_graph_gives_rows_that_could_belong_to_it(data):
    n = data.draw(st.integers(1, 60), label="rows")
    rng = np.random.default_rng(data.draw(st.integers(0, 99), label="seed"))
    columns = {}
    for place in range(data.draw(st.integers(1, 4), label="columns")):
        kind = data.draw(
            st.sampled_from(["normal", "whole", "text", "constant", "empty", "empty text", "ids"]), label="kind"
        )
        columns[f"x{place}"] = {
            "normal": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
            "whole": rng.integers(-2, 3, size=n),
            "text": rng.choice(["u", "missing", None], size=n),
            "constant": np.full(n, 2.5),
            "empty": np.full(n, np.nan),
            "empty text": pd.Series([None] * n, dtype=object),
            "ids": [f"row {row}" for row in range(n)],
        }[kind]
    table = Table.from_frame(pd.DataFrame({**columns, "y": rng.choice(["a", "b", "c"], size=n)}), target="y")
    room = len(table.columns) * (len(table.columns) - 1) // 2
    dag = random_dag(table.columns, int(rng.integers(room + 1)), rng=rng)
    mechanisms = data.draw(st.sampled_from(["linear", "boosting"]), label="mechanisms")
    scm = fit_scm(dag, table, mechanisms=mechanisms)
    check_same_schema(draw(scm, data.draw(st.integers(1, 30), label="n"), table), table)
    check_same_schema(draw(scm, 12, table, min_per_class=2), table)


def test_a_category_of_more_levels_than_boosting_takes_is_still_fitted():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"id": [f"n{row}" for row in range(300)], "x": rng.normal(size=300), "y": ["a", "b"] * 150})
    table = Table.from_frame(frame, target="y")
    check_same_schema(draw(fit_scm(nx.DiGraph([("id", "x"), ("id", "y")]), table), 50, table), table)


@pytest.mark.parametrize(
    ("dag", "message"),
    [
        (nx.DiGraph([("dose", "response"), ("response", "label")]), "no node for column 'group'"),
        (nx.DiGraph([*TRUE_DAG.edges, ("x", "label")]), "node 'x', which is not a column"),
        (nx.DiGraph([*TRUE_DAG.edges, ("label", "dose")]), "cycle"),
        (nx.Graph(TRUE_DAG.edges), "must be a networkx.DiGraph, got Graph"),
    ],
)
def test_a_graph_that_does_not_fit_the_table_is_refused(table, dag, message):
    with pytest.raises(ValueError, match=message):
        fit_scm(dag, table)


def test_wrong_arguments_are_named_with_their_value(table, scm):
    with pytest.raises(ValueError, match="mechanisms must be one of .* got 'deep'"):
        fit_scm(TRUE_DAG, table, mechanisms="deep")
    with pytest.raises(ValueError, match="n must be an integer of at least 1, got 0"):
        draw(scm, 0, table)
    with pytest.raises(ValueError, match="min_per_class=5 for 3 classes needs more than n=10 rows"):
        draw(scm, 10, table, min_per_class=5)
    with pytest.raises(ValueError, match="min_per_class=1 can't be kept"):
        draw(scm, 10, table, min_per_class=1, interventions={"label": "low"})
    with pytest.raises(ValueError, match="scms must hold at least one model"):
        sample_ensemble([], 5, like=table, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="the model has the nodes"):
        draw(scm, 10, load_table("tae"))


def test_dowhys_own_evaluation_accepts_the_models(table):
    from dowhy import gcm
    from dowhy.gcm.model_evaluation import EvaluateCausalModelConfig

    complete = table.take(table.X.notna().all(axis=1).to_numpy())
    scm = fit_scm(TRUE_DAG, complete, mechanisms="linear")
    result = gcm.evaluate_causal_model(
        scm,
        complete.to_frame().astype({"group": str}),
        compare_mechanism_baselines=False,
        evaluate_invertibility_assumptions=False,
        evaluate_overall_kl_divergence=False,
        evaluate_causal_structure=False,
        config=EvaluateCausalModelConfig(mechanism_evaluation_kfolds=2, n_jobs=1),
    )
    assert result.mechanism_performances["response"].r2 > 0.7


# A mechanism of its own for the target ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["linear", "boosting", "forest"])
def test_a_target_mechanism_changes_the_target_alone(table, kind):
    scm = fit_scm(TRUE_DAG, table, mechanisms="linear", target_mechanism=kind)
    assert scm.graph.graph["mechanisms"] == {
        "dose": "root",
        "response": "linear",
        "group": "root",
        "label": f"cross-fitted {kind}",
    }
    rows = draw(scm, 300, table)
    check_same_schema(rows, table)
    by_class = rows.X.groupby(rows.y)["response"].mean()
    assert by_class["high"] > by_class["low"]


def test_the_foundation_model_can_draw_the_target():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=60), "k": rng.choice(["u", "v", None], size=60)})
    table = Table.from_frame(frame.assign(y=np.where(frame["x"] > 0, "plus", "minus")), target="y")
    scm = fit_scm(nx.DiGraph([("x", "y"), ("k", "y")]), table, target_mechanism="foundation")
    rows = draw(scm, 80, table)
    assert ((rows.X["x"] > 0) == (rows.y == "plus")).mean() > 0.75


def test_what_a_cross_fitted_target_says_about_a_row_was_learnt_without_it():
    rng = np.random.default_rng(0)
    table = Table.from_frame(pd.DataFrame({"x": rng.normal(size=120), "y": ["a", "b"] * 60}), target="y")
    mechanism = fit_scm(nx.DiGraph([("x", "y")]), table, target_mechanism="forest").causal_mechanism("y")
    model = mechanism.classifier_model
    own = np.array([model.classes.index(label) for label in table.y])
    seen = model.predict_probabilities(table.X.to_numpy(dtype=object))[np.arange(120), own]
    held_out = model.held_out_[np.arange(120), own]
    assert model.held_out_.shape == (120, 2) and np.allclose(model.held_out_.sum(axis=1), 1)
    assert seen.mean() > 0.7 and abs(held_out.mean() - 0.5) < 0.1, "there is nothing to learn here"


def test_a_target_without_parents_keeps_its_distribution_and_the_kinds_do_not_share_a_cache(table):
    apart = nx.DiGraph([("dose", "response")])
    apart.add_nodes_from(table.columns)
    scm = fit_scm(apart, table, target_mechanism="forest")
    assert scm.graph.graph["mechanisms"]["label"] == "root"
    cache = MechanismCache()
    for kind in (None, "boosting", "forest"):
        fit_scm(TRUE_DAG, table, target_mechanism=kind, cache=cache)
    assert cache.misses == 4 + 2
    with pytest.raises(ValueError, match="target_mechanism must be one of .* got 'deep'"):
        fit_scm(TRUE_DAG, table, target_mechanism="deep")


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_cross_fitted_target_needs_no_more_than_a_row(n):
    table = Table.from_frame(pd.DataFrame({"x": np.arange(n), "y": list("aab")[:n]}), target="y")
    assert len(draw(fit_scm(nx.DiGraph([("x", "y")]), table, target_mechanism="forest"), 5, table)) == 5


def test_a_mechanism_of_a_constant_node_can_learn_again_from_rows_where_it_varies():
    """The diagnosis fits clones to parts of the rows, and what is constant in one part may vary in another."""
    x = np.arange(60.0).reshape(-1, 1)
    number = make_mechanism("linear", [None], n_classes=None).prediction_model
    number.fit(x, np.full(60, 3.0))
    assert set(number.predict(x).ravel()) == {3.0}
    again = number.clone()
    again.fit(x, x)
    np.testing.assert_allclose(again.predict(x[-1:]), x[-1:], rtol=0.05)
    category = make_mechanism("linear", [None], n_classes=2).classifier_model
    category.fit(x, np.repeat("yes", 60))
    assert category.classes == ["yes"]
    again = category.clone()
    again.fit(x, np.repeat(["no", "yes"], 30))
    assert again.predict(x[[0, -1]]).ravel().tolist() == ["no", "yes"]
