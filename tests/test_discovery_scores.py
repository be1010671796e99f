"""Scores of what discovery returns: against classes listed by hand, and against causal-learn's metrics."""

import math
from itertools import combinations, product

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalmix_utils.discovery import learn_marks
from causalmix_utils.graphs import dag_to_cpdag, random_dag, score_discovery
from causalmix_utils.tables import list_networks, load_network


def make_graph(edges, nodes="abcd") -> nx.DiGraph:
    made = nx.DiGraph()
    made.add_nodes_from(nodes)
    made.add_edges_from(edges)
    return made


def make_marks(edges, nodes="abcd") -> pd.DataFrame:
    """Marks from strings such as ``"a-->b"``, ``"a<->b"``, ``"ao->b"`` and ``"a---b"``."""
    codes = {"-": -1, ">": 1, "<": 1, "o": 2}
    marks = pd.DataFrame(0, index=list(nodes), columns=list(nodes))
    for first, at_first, _, at_second, second in edges:
        marks.loc[first, second], marks.loc[second, first] = codes[at_first], codes[at_second]
    return marks


def list_class(dag: nx.DiGraph) -> list[nx.DiGraph]:
    """All DAGs with the same adjacencies and the same colliders between causes that are not adjacent."""

    def colliders(graph):
        return {
            (frozenset(pair), middle)
            for middle in graph
            for pair in combinations(graph.predecessors(middle), 2)
            if not graph.has_edge(*pair) and not graph.has_edge(*pair[::-1])
        }

    found = []
    for turned in product((False, True), repeat=dag.number_of_edges()):
        edges = [edge[::-1] if turn else edge for edge, turn in zip(dag.edges, turned, strict=True)]
        other = make_graph(edges, dag.nodes)
        if nx.is_directed_acyclic_graph(other) and colliders(other) == colliders(dag):
            found.append(other)
    return found


@settings(max_examples=40)
@given(st.integers(2, 6), st.floats(0, 1), st.integers(0, 2**31))
def test_a_cpdag_holds_what_all_dags_of_the_class_agree_on(n, density, seed):
    rng = np.random.default_rng(seed)
    dag = random_dag("abcdef"[:n], round(density * min(n * (n - 1) // 2, 9)), rng=rng)
    members = list_class(dag)
    expected = {edge for member in members for edge in member.edges}
    assert set(dag_to_cpdag(dag).edges) == expected
    for member in members:
        assert set(dag_to_cpdag(member).edges) == expected


def convert(marks: pd.DataFrame):
    """Marks as a graph of causal-learn."""
    from causallearn.graph.GeneralGraph import GeneralGraph
    from causallearn.graph.GraphNode import GraphNode

    graph = GeneralGraph([GraphNode(name) for name in marks])
    graph.graph = marks.to_numpy().copy()
    return graph


def marks_of(graph: nx.DiGraph) -> pd.DataFrame:
    nodes = sorted(graph.nodes)
    marks = pd.DataFrame(0, index=nodes, columns=nodes)
    for source, end in graph.edges:
        marks.loc[source, end] = -1
        marks.loc[end, source] = -1 if graph.has_edge(end, source) else 1
    return marks


@pytest.mark.parametrize("name", list_networks()["name"])
def test_the_cpdag_of_a_known_network_is_causal_learns(name):
    from causallearn.graph.Dag import Dag
    from causallearn.graph.GraphNode import GraphNode
    from causallearn.utils.DAG2CPDAG import dag2cpdag

    graph = load_network(name).graph
    nodes = {node: GraphNode(node) for node in sorted(graph)}
    dag = Dag(list(nodes.values()))
    for source, end in graph.edges:
        dag.add_directed_edge(nodes[source], nodes[end])
    np.testing.assert_array_equal(dag2cpdag(dag).graph, marks_of(dag_to_cpdag(graph)).to_numpy())


def score_by_causal_learn(marks: pd.DataFrame, truth: nx.DiGraph) -> dict[str, float]:
    from causallearn.graph.AdjacencyConfusion import AdjacencyConfusion
    from causallearn.graph.ArrowConfusion import ArrowConfusion
    from causallearn.graph.SHD import SHD

    marks = marks.loc[sorted(marks), sorted(marks)]
    found, true, known = convert(marks), convert(marks_of(truth)), convert(marks_of(dag_to_cpdag(truth)))
    return {
        "skeleton_precision": AdjacencyConfusion(true, found).get_adj_precision(),
        "skeleton_recall": AdjacencyConfusion(true, found).get_adj_recall(),
        "arrow_precision": ArrowConfusion(true, found).get_arrows_precision(),
        "arrow_recall": ArrowConfusion(known, found).get_arrows_recall(),
        "shd_dag": SHD(true, found).get_shd(),
        "shd_cpdag": SHD(known, found).get_shd(),
    }


def test_no_direction_of_the_network_sachs_can_be_learnt_from_independences():
    cpdag = dag_to_cpdag(load_network("sachs").graph)
    assert all(cpdag.has_edge(end, source) for source, end in cpdag.edges)


@pytest.mark.filterwarnings("ignore:invalid value encountered in scalar divide")  # causal-learn, where nothing is true.
@pytest.mark.parametrize("name", ["asia", "sachs", "child"])
@pytest.mark.parametrize("method", ["pc", "fci"])
def test_scores_of_pc_and_fci_are_those_of_causal_learn(name, method):
    network = load_network(name)
    marks = learn_marks(network.sample(500, rng=np.random.default_rng(0)), method=method)
    scores = score_discovery(marks, network.graph)
    expected = score_by_causal_learn(marks, network.graph)
    if method == "fci":  # causal-learn counts every circle as a difference.
        assert (marks == 2).to_numpy().any()
        assert math.isnan(scores["shd_dag"]) and math.isnan(scores["shd_cpdag"])
        expected = {measure: value for measure, value in expected.items() if not measure.startswith("shd")}
    assert scores[list(expected)].to_dict() == pytest.approx(expected, nan_ok=True)
    assert scores["edges"] == (marks != 0).to_numpy().sum() / 2
    assert scores["true_edges"] == network.graph.number_of_edges()


@pytest.mark.filterwarnings("ignore:invalid value encountered in scalar divide")
@settings(max_examples=30)
@given(st.integers(0, 2**31))
def test_scores_of_a_dag_are_those_of_causal_learn(seed):
    rng = np.random.default_rng(seed)
    truth = random_dag("abcdef", int(rng.integers(3, 12)), rng=rng)
    graph = random_dag("fedcba", int(rng.integers(3, 12)), rng=rng)
    scores = score_discovery(graph, truth)
    expected = score_by_causal_learn(marks_of(graph), truth)
    shd_of_classes = score_by_causal_learn(marks_of(dag_to_cpdag(graph)), truth)["shd_cpdag"]
    for measure in ("skeleton_precision", "skeleton_recall", "arrow_precision", "shd_dag"):
        assert scores[measure] == pytest.approx(expected[measure])
    assert scores["shd_cpdag"] == shd_of_classes
    assert scores["arrow_recall"] == pytest.approx(expected["arrow_recall"], nan_ok=True)


TRUTH = [("a", "b"), ("c", "b"), ("b", "d")]  # Its CPDAG is itself: one collider, and what follows from it.


@pytest.mark.parametrize(
    ("edges", "scores"),
    [
        (["a-->b", "c-->b", "b-->d"], dict(arrow_precision=1, arrow_recall=1, shd_dag=0, shd_cpdag=0)),
        (["a---b", "c-->b", "b-->d"], dict(arrow_precision=1, arrow_recall=2 / 3, shd_dag=1, shd_cpdag=1)),
        (["a-->b", "c-->b", "d-->b"], dict(arrow_precision=2 / 3, arrow_recall=2 / 3, shd_dag=1, shd_cpdag=1)),
        (["a-->b", "c-->b", "b<->d"], dict(arrow_precision=3 / 4, arrow_recall=1, shd_dag=1, shd_cpdag=1)),
        (["ao->b", "co->b", "b-->d"], dict(arrow_precision=1, arrow_recall=1, shd_dag=math.nan, shd_cpdag=math.nan)),
        (["a-->b", "a-->c"], dict(skeleton_precision=0.5, skeleton_recall=1 / 3, arrow_precision=0.5, shd_dag=3)),
        ([], dict(skeleton_recall=0, skeleton_precision=math.nan, arrow_precision=math.nan, arrow_recall=0, shd_dag=3)),
    ],
)
def test_scores_of_marks_are_those_counted_by_hand(edges, scores):
    found = score_discovery(make_marks(edges), make_graph(TRUTH))
    assert found[list(scores)].to_dict() == pytest.approx(scores, nan_ok=True)


def test_a_dag_of_the_right_class_is_at_distance_zero_from_the_class_but_not_from_the_truth():
    truth, other = make_graph([("a", "b"), ("b", "c")]), make_graph([("c", "b"), ("b", "a")])
    scores = score_discovery(other, truth)
    assert scores["shd_cpdag"] == 0 and scores["shd_dag"] == 2
    assert scores["arrow_precision"] == 0 and math.isnan(scores["arrow_recall"])


def test_the_order_of_the_nodes_does_not_matter():
    truth = make_graph(TRUTH)
    marks = make_marks(["a-->b", "b---d", "a-->c"])
    turned = marks.loc[list("dcba"), list("dcba")]
    pd.testing.assert_series_equal(score_discovery(marks, truth), score_discovery(turned, truth))


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match=r"different nodes: \['z'\]"):
        score_discovery(make_marks([], "abcdz"), make_graph(TRUTH))
    cycle = make_graph([("a", "b"), ("b", "c"), ("c", "a")])
    with pytest.raises(ValueError, match="cycle"):
        dag_to_cpdag(cycle)
    with pytest.raises(ValueError, match="cycle"):
        score_discovery(make_marks([]), cycle)
