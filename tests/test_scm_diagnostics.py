"""Diagnoses of structural causal models: right where the model is right, and loud where it is wrong."""

import math
import random

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from causalmix_utils.graphs import random_dag
from causalmix_utils.scm import diagnose_mechanisms, diagnose_scm, falsify_dag, fit_scm, remembering
from causalmix_utils.scm.filling import fill_missing
from causalmix_utils.tables import Table, load_table

TRUE_DAG = nx.DiGraph([("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", "y")])
COLUMNS = ["a", "b", "c", "d", "y"]


def make_diamond(n=200, seed=0, *, spread=0.0):
    """a → b, c → d → class, all linear; with `spread` the noise of b grows with a."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    b = a + 0.5 * np.exp(spread * a) * rng.normal(size=n)
    c = np.where(a + 0.5 * rng.normal(size=n) > 0, "up", "down")
    d = b + 2 * (c == "up") + 0.5 * rng.normal(size=n)
    y = np.where(d + 0.5 * rng.normal(size=n) > 1, "yes", "no")
    return Table.from_frame(pd.DataFrame({"a": a, "b": b, "c": c, "d": d, "y": y}), target="y", name="diamond")


@pytest.fixture(scope="module")
def table():
    return make_diamond()


@pytest.fixture(scope="module")
def scm(table):
    return fit_scm(TRUE_DAG, table, mechanisms="linear")


@pytest.fixture(scope="module")
def diagnosis(table, scm):
    return diagnose_scm(scm, table, rng=np.random.default_rng(0))


def test_there_is_one_line_for_each_node_with_its_mechanism_and_parents(diagnosis):
    assert list(diagnosis.nodes.index) == COLUMNS
    assert diagnosis.nodes["mechanism"].to_dict() == {"a": "root", **dict.fromkeys("bcdy", "linear")}
    assert diagnosis.nodes["parents"].to_dict() == {"a": "", "b": "a", "c": "a", "d": "b, c", "y": "d"}


def test_right_mechanisms_save_much_and_their_noise_is_independent(diagnosis):
    with_parents = diagnosis.nodes.drop(index="a")
    assert (with_parents["skill"] > 0.2).all()
    np.testing.assert_allclose(with_parents["skill"], 1 - with_parents["crps"] / with_parents["baseline"])
    assert (diagnosis.nodes["noise_p"].dropna() > 0.01).all()


def test_what_does_not_apply_to_a_node_is_nan(diagnosis):
    nodes = diagnosis.nodes
    assert nodes.loc["a", ["crps", "baseline", "skill", "noise_p"]].isna().all()
    assert nodes.loc[["c", "y"], "noise_p"].isna().all(), "a category has no additive noise"


def test_a_parent_that_says_nothing_saves_nothing():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=200), "y": ["no", "yes"] * 100})
    table = Table.from_frame(frame, target="y")
    scm = fit_scm(nx.DiGraph([("x", "y")]), table)
    assert diagnose_mechanisms(scm, table, rng=rng).loc["y", "skill"] < 0.03


def test_noise_that_grows_with_a_parent_is_seen():
    table = make_diamond(spread=1.0)
    scm = fit_scm(TRUE_DAG, table, mechanisms="linear")
    noise_p = diagnose_mechanisms(scm, make_diamond(seed=2, spread=1.0), rng=np.random.default_rng(0))["noise_p"]
    assert noise_p["b"] < 0.01 < noise_p["d"]


def test_predictions_that_are_remembered_give_the_scores_that_dowhy_gives(table, scm, monkeypatch):
    options = {"table": table.take(range(60)), "max_rows": 60}
    remembered = diagnose_mechanisms(scm, rng=np.random.default_rng(0), **options)
    monkeypatch.setattr(remembering, "remember_rows", lambda scm, frame: scm)
    plain = diagnose_mechanisms(scm, rng=np.random.default_rng(0), **options)
    pd.testing.assert_frame_equal(remembered, plain, check_exact=True)


def test_the_baseline_knows_the_nodes_own_distribution_only(table):
    """Its score is the same whatever the parents are."""
    scores = []
    for parents in (["a"], ["a", "b", "c"]):
        dag = nx.DiGraph([(parent, "d") for parent in parents] + [("b", "y"), ("c", "y"), ("a", "y")])
        scm = fit_scm(dag, table, mechanisms="linear")
        scores.append(diagnose_mechanisms(scm, table, rng=np.random.default_rng(0)).loc["d", "baseline"])
    assert scores[0] == pytest.approx(scores[1], rel=0.05)


def test_the_true_graph_is_not_rejected_and_a_shuffled_one_is(table):
    right = falsify_dag(TRUE_DAG, table, rng=np.random.default_rng(0))
    assert right.informative and not right.rejected and right.share < 0.5
    shuffled = nx.relabel_nodes(TRUE_DAG, dict(zip("abcdy", "dyabc", strict=True)))
    wrong = falsify_dag(shuffled, table, rng=np.random.default_rng(0))
    assert wrong.informative and wrong.rejected and wrong.share > right.share
    assert "not rejected" in str(right) and "is rejected" in str(wrong)


def test_a_graph_that_promises_nothing_can_not_be_rejected(table):
    full = nx.DiGraph([(a, b) for place, a in enumerate(COLUMNS) for b in COLUMNS[place + 1 :]])
    verdict = falsify_dag(full, table, rng=np.random.default_rng(0))
    assert verdict.tests == 0 and math.isnan(verdict.share)
    assert not verdict.rejected and not verdict.informative
    assert "promises no independence" in str(verdict)


def test_a_graph_without_edges_is_not_informative(table):
    """All of its permutations promise the same."""
    empty = nx.DiGraph()
    empty.add_nodes_from(COLUMNS)
    verdict = falsify_dag(empty, table, rng=np.random.default_rng(0))
    assert verdict.same_class == 1 and not verdict.informative
    assert "not informative" in str(verdict)


def test_a_wide_graph_gets_fewer_permutations(table, monkeypatch):
    from causalmix_utils.scm import falsification

    monkeypatch.setattr(falsification, "_MOST_TESTS", 30)
    assert falsify_dag(TRUE_DAG, table, rng=np.random.default_rng(0)).n_permutations < 20
    monkeypatch.setattr(falsification, "_MOST_TESTS", 1)
    assert falsify_dag(TRUE_DAG, table, rng=np.random.default_rng(0)).n_permutations == 5


def test_the_summary_names_the_nodes_whose_noise_depends_on_parents():
    table = make_diamond(spread=1.0)
    text = str(diagnose_scm(fit_scm(TRUE_DAG, table, mechanisms="linear"), table, rng=np.random.default_rng(0)))
    assert "4 of 5 nodes have parents. With them" in text
    assert "1 depends on the parents: b" in text


def test_the_summary_counts_a_node_with_parents_that_never_changes():
    rng = np.random.default_rng(0)
    a = rng.normal(size=60)
    frame = pd.DataFrame({"a": a, "k": 1.0, "y": np.where(a > 0, "yes", "no")})
    table = Table.from_frame(frame, target="y")
    scm = fit_scm(nx.DiGraph([("a", "k"), ("a", "y")]), table)
    text = str(diagnose_scm(scm, table, rng=rng, n_permutations=5))
    assert "2 of 3 nodes have parents. " in text and "of the 1 that vary can be" in text


def test_a_diagnosis_is_quiet_repeatable_and_changes_nothing_global(table, scm, capfd):
    from dowhy.gcm import config

    before = config.show_progress_bars, config.default_n_jobs
    nodes, edges = dict(scm.graph.nodes(data=True)), list(scm.graph.edges)
    np.random.seed(7), random.seed(7)  # noqa: NPY002
    expected = np.random.random(), random.random()  # noqa: NPY002
    np.random.seed(7), random.seed(7)  # noqa: NPY002
    one = diagnose_scm(scm, table, rng=np.random.default_rng(3), max_rows=60)
    assert (np.random.random(), random.random()) == expected  # noqa: NPY002
    two = diagnose_scm(scm, table, rng=np.random.default_rng(3), max_rows=60)
    pd.testing.assert_frame_equal(one.nodes, two.nodes, check_exact=True)
    assert one.graph == two.graph
    assert (config.show_progress_bars, config.default_n_jobs) == before
    assert (dict(scm.graph.nodes(data=True)), list(scm.graph.edges)) == (nodes, edges)
    printed = capfd.readouterr()
    assert printed.out == "" and printed.err == ""


def test_a_diagnosis_starts_no_further_processes(table, scm, monkeypatch):
    import joblib

    asked = []
    real = joblib.Parallel.__init__

    def watch(self, n_jobs=None, *arguments, **options):
        asked.append(n_jobs)
        real(self, n_jobs, *arguments, **options)

    monkeypatch.setattr(joblib.Parallel, "__init__", watch)
    diagnose_scm(scm, table, rng=np.random.default_rng(0), max_rows=60)
    assert set(asked) <= {None, 1}


@pytest.mark.parametrize("name", ["titanic", "tae"])
def test_real_tables_with_missing_values_and_many_levels_are_diagnosed(name):
    table = load_table(name).take(range(120))
    dag = random_dag(table.columns, 7, rng=np.random.default_rng(0))
    diagnosis = diagnose_scm(fit_scm(dag, table, mechanisms="auto"), table, rng=np.random.default_rng(0), max_rows=60)
    has_parents = [node for node in dag if dag.in_degree(node) and table.to_frame()[node].nunique() > 1]
    assert diagnosis.nodes.loc[has_parents, "skill"].notna().all()


def test_constant_columns_and_columns_of_one_level_are_diagnosed():
    frame = pd.DataFrame({"x": np.arange(40) % 7, "flat": 2.5, "one": "u", "y": ["a", "b"] * 20})
    table = Table.from_frame(frame, target="y")
    scm = fit_scm(nx.DiGraph([("x", "flat"), ("x", "one"), ("flat", "y"), ("one", "y")]), table)
    nodes = diagnose_scm(scm, table, rng=np.random.default_rng(0)).nodes
    assert nodes.loc[["flat", "one"], "skill"].isna().all(), "there is nothing to predict"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_folds": 1}, "n_folds must be an integer of at least 2, got 1"),
        ({"max_rows": 5}, "max_rows must be an integer of at least 20, got 5"),
        ({"n_permutations": 0}, "n_permutations must be an integer of at least 1, got 0"),
        ({"level": 1.5}, "level must be a number between 0 and 1, both excluded, got 1.5"),
    ],
)
def test_wrong_options_are_named_with_their_value(table, scm, options, message):
    with pytest.raises(ValueError, match=message):
        diagnose_scm(scm, table.take(range(40)), rng=np.random.default_rng(0), **options)


def test_rows_that_do_not_fit_are_refused(table, scm):
    with pytest.raises(ValueError, match="has 19 rows; a diagnosis needs at least 20"):
        diagnose_scm(scm, table.take(range(19)), rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="dag has no node for column"):
        diagnose_scm(scm, load_table("tae"), rng=np.random.default_rng(0))


def test_filled_values_are_observed_ones_of_the_same_class_and_others_stay():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": [1.0, np.nan, 10.0, np.nan], "k": ["u", None, None, "v"], "y": ["a", "a", "b", "b"]})
    filled = fill_missing(Table.from_frame(frame, target="y"), rng=rng)
    assert filled.X["x"].tolist() == [1, 1, 10, 10]
    assert filled.X["k"].astype(str).tolist() == ["u", "u", "v", "v"]
