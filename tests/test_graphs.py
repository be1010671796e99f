"""Graphs: always acyclic, drawn with the probabilities they were asked for, and compared by the book."""

import math
from itertools import combinations, product

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalmix_utils.graphs import (
    blanket_probabilities,
    check_edge_probabilities,
    list_members,
    markov_blanket,
    random_dag,
    sample_dag,
    score_graph,
    structural_hamming_distance,
    threshold_graph,
)


def make_probabilities(n: int, rng: np.random.Generator, density: float = 1.0) -> pd.DataFrame:
    """Random edge probabilities over n columns."""
    names = [f"x{place}" for place in range(n)]
    upper = np.triu(rng.random((n, n)) < density, 1) * rng.random((n, n))
    share = rng.random((n, n))
    return pd.DataFrame(upper * share + (upper * (1 - share)).T, index=names, columns=names)


def frame(values, names="abcdefgh") -> pd.DataFrame:
    values = np.asarray(values, dtype=float)
    return pd.DataFrame(values, index=list(names[: len(values)]), columns=list(names[: len(values)]))


@settings(max_examples=60)
@given(st.integers(1, 12), st.integers(0, 2**31), st.floats(0, 1))
def test_a_sampled_graph_is_acyclic_over_all_columns_and_has_only_possible_edges(n, seed, density):
    rng = np.random.default_rng(seed)
    P = make_probabilities(n, rng, density)
    dag = sample_dag(P, rng=rng)
    assert nx.is_directed_acyclic_graph(dag)
    assert list(dag.nodes) == list(P.columns)
    assert all(P.loc[edge] > 0 for edge in dag.edges)
    assert all(dag.edges[edge]["probability"] == P.loc[edge] for edge in dag.edges)
    for graph in (threshold_graph(P), threshold_graph(P, threshold=0.1)):
        assert nx.is_directed_acyclic_graph(graph)


def test_edges_occur_as_often_as_their_probabilities_say():
    """Along an order of the columns nothing can close a cycle, so the frequencies must agree exactly."""
    rng = np.random.default_rng(0)
    P = pd.DataFrame(np.triu(rng.random((6, 6)), 1), index=list("abcdef"), columns=list("abcdef"))
    draws = 2000
    counts = sum(nx.to_numpy_array(sample_dag(P, rng=rng, connect_target=False), weight=None) for _ in range(draws))
    error = np.abs(counts / draws - P.to_numpy())
    assert error.max() < 5 * np.sqrt(0.25 / draws)


def test_both_directions_of_a_pair_occur_as_often_as_their_probabilities_say():
    P = frame([[0, 0.5], [0.2, 0]])
    rng = np.random.default_rng(0)
    dags = [sample_dag(P, rng=rng, connect_target=False) for _ in range(2000)]
    frequencies = [np.mean([dag.has_edge(*edge) for dag in dags]) for edge in (("a", "b"), ("b", "a"))]
    assert frequencies == pytest.approx([0.5, 0.2], abs=0.05)


def test_few_edges_are_lost_to_cycles_in_a_sparse_graph():
    rng = np.random.default_rng(1)
    P = make_probabilities(15, rng, density=0.15)
    dags = [sample_dag(P, rng=rng, connect_target=False) for _ in range(200)]
    lost = np.mean([len(dag.graph["skipped"]) for dag in dags])
    assert lost < 0.05 * np.mean([dag.number_of_edges() for dag in dags])


def test_the_weakest_edge_of_a_cycle_is_the_one_that_is_skipped():
    P = frame([[0, 1, 0], [0, 0, 1], [0.9, 0, 0]])
    rng = np.random.default_rng(0)
    dags = [sample_dag(P, rng=rng) for _ in range(50)]
    assert all(set(dag.edges) == {("a", "b"), ("b", "c")} for dag in dags)
    skipped = [dag.graph["skipped"] for dag in dags]
    assert [("c", "a")] in skipped


def test_the_same_seed_gives_the_same_graph():
    P = make_probabilities(10, np.random.default_rng(0))
    one, two = (sample_dag(P, rng=np.random.default_rng(5)) for _ in range(2))
    assert list(one.edges) == list(two.edges)
    assert set(one.edges) != set(sample_dag(P, rng=np.random.default_rng(6)).edges)


def test_a_lone_target_gets_its_most_probable_edge_unless_asked_otherwise():
    P = frame([[0, 0, 0.02], [0, 0, 0.05], [0.01, 0, 0]])
    rng = np.random.default_rng(0)
    dags = [sample_dag(P, rng=rng) for _ in range(60)]
    assert all(dag.degree("c") > 0 for dag in dags)
    forced = [dag for dag in dags if dag.graph["forced"]]
    assert all(dag.graph["forced"] == [("b", "c")] and dag.has_edge("b", "c") for dag in forced)
    assert len(forced) > 40
    assert any(sample_dag(P, rng=rng, connect_target=False).degree("c") == 0 for _ in range(20))


def test_a_target_that_no_edge_is_known_of_stays_alone():
    dag = sample_dag(frame([[0, 1, 0], [0, 0, 0], [0, 0, 0]]), rng=np.random.default_rng(0))
    assert dag.degree("c") == 0 and dag.graph["forced"] == []


def test_any_column_can_be_the_target():
    P = frame([[0, 0, 0], [0, 0, 0.03], [0, 0, 0]])
    dag = sample_dag(P, rng=np.random.default_rng(0), target="b")
    assert dag.graph["target"] == "b" and dag.has_edge("b", "c")
    with pytest.raises(ValueError, match="target='z' is not a column"):
        sample_dag(P, rng=np.random.default_rng(0), target="z")


@settings(max_examples=40)
@given(st.integers(2, 9), st.integers(0, 2**31), st.floats(0.1, 1), st.data())
def test_a_kept_blanket_is_in_every_graph_and_what_was_added_for_it_is_marked(n, seed, density, data):
    rng = np.random.default_rng(seed)
    P = make_probabilities(n, rng, density)
    target = P.columns[-1]
    blanket = data.draw(st.lists(st.sampled_from(list(P.columns[:-1])), unique=True))
    drawn = sample_dag(P, rng=np.random.default_rng(seed), connect_target=False)
    kept = sample_dag(P, rng=np.random.default_rng(seed), placement="blanket", blanket=blanket, connect_target=False)
    assert nx.is_directed_acyclic_graph(kept)
    assert set(blanket) | markov_blanket(drawn, target) <= markov_blanket(kept, target)
    added = {edge for edge, serves in nx.get_edge_attributes(kept, "serves_label").items() if serves}
    assert added == set(kept.graph["added"]) == set(kept.edges) - set(drawn.edges)
    assert all(target in edge for edge in added), "edges between features stay as they were drawn"
    assert set(drawn.edges) <= set(kept.edges)


@settings(max_examples=30)
@given(st.integers(2, 9), st.integers(0, 2**31))
def test_a_sink_has_no_effects_and_keeps_its_neighbours(n, seed):
    P = make_probabilities(n, np.random.default_rng(seed), 0.3)
    target = P.columns[-1]
    drawn, sink = (sample_dag(P, rng=np.random.default_rng(seed), placement=p) for p in ("discovered", "sink"))
    assert nx.is_directed_acyclic_graph(sink)
    assert sink.out_degree(target) == 0
    assert {frozenset(edge) for edge in sink.edges} == {frozenset(edge) for edge in drawn.edges}
    assert set(sink.graph["turned"]) == {(end, source) for source, end in drawn.out_edges(target)}


def test_by_default_the_columns_in_at_least_half_of_the_blankets_are_kept():
    P = frame([[0, 0, 0, 0.6], [0, 0, 0, 0.5], [0, 0, 0, 0.4], [0, 0, 0, 0]])
    dags = [sample_dag(P, rng=np.random.default_rng(seed), placement="blanket") for seed in range(60)]
    assert all({"a", "b"} <= markov_blanket(dag, "d") for dag in dags)
    frequencies = [np.mean([column in markov_blanket(dag, "d") for dag in dags]) for column in "abc"]
    assert frequencies[:2] == [1, 1] and 0.2 < frequencies[2] < 0.6


def test_blanket_probabilities_are_the_frequencies_in_sampled_graphs():
    rng = np.random.default_rng(3)
    P = make_probabilities(6, rng)
    upper = pd.DataFrame(np.triu(P), index=P.index, columns=P.columns)  # Along an order no edge is skipped.
    chances = blanket_probabilities(upper, target="x3")
    dags = [sample_dag(upper, rng=rng, target="x3", connect_target=False) for _ in range(1500)]
    frequencies = {c: np.mean([c in markov_blanket(dag, "x3") for dag in dags]) for c in chances.index}
    assert list(chances) == pytest.approx([frequencies[c] for c in chances.index], abs=0.05)
    with pytest.raises(ValueError, match="target='z'"):
        blanket_probabilities(P, target="z")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"placement": "root"}, "placement must be one of .* got 'root'"),
        (
            {"placement": "sink", "blanket": ["a"]},
            "blanket is used with placement='blanket' only, got placement='sink'",
        ),
        ({"placement": "blanket", "blanket": ["z"]}, "blanket names 'z'"),
        ({"placement": "blanket", "blanket": ["b"]}, "blanket names 'b'"),
        ({"placement": "blanket", "blanket": "a"}, "got the string 'a'"),
    ],
)
def test_a_wrong_placement_is_named_with_its_value(options, message):
    with pytest.raises(ValueError, match=message):
        sample_dag(frame([[0, 1], [0, 0]]), rng=np.random.default_rng(0), **options)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[0, 1.2], [0, 0]], "edge 'a' → 'b' the probability 1.2"),
        ([[0, -0.1], [0, 0]], "probability -0.1"),
        ([[0, np.nan], [0, 0]], "probability nan"),
        ([[0.5, 0], [0, 0]], "gives 'a' an edge to itself"),
        ([[0, 0.7], [0.6, 0]], "pair 'a', 'b' probability 0.7"),
    ],
)
def test_what_is_no_matrix_of_edge_probabilities_is_refused_by_name(values, message):
    with pytest.raises(ValueError, match=message):
        check_edge_probabilities(frame(values))
    with pytest.raises(ValueError, match=message):
        sample_dag(frame(values), rng=np.random.default_rng(0))


def test_names_must_agree_and_be_unique():
    P = pd.DataFrame(np.zeros((2, 2)), index=["a", "b"], columns=["b", "a"])
    with pytest.raises(ValueError, match="same names"):
        check_edge_probabilities(P)
    with pytest.raises(ValueError, match="'a' more than once"):
        check_edge_probabilities(frame(np.zeros((2, 2)), "aa"))
    with pytest.raises(ValueError, match="must be a DataFrame, got ndarray"):
        check_edge_probabilities(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="empty"):
        check_edge_probabilities(pd.DataFrame())


def test_rounding_of_averaged_masses_is_forgiven():
    check_edge_probabilities(frame([[0, 0.7 + 1e-12], [0.3, 0]]))


def test_a_threshold_keeps_the_pairs_above_it_in_their_likelier_direction():
    P = frame([[0, 0.4, 0.1], [0.3, 0, 0], [0.2, 0, 0]])
    assert list(threshold_graph(P).edges) == [("a", "b")]
    assert set(threshold_graph(P, threshold=0.3).edges) == {("a", "b"), ("c", "a")}
    assert list(threshold_graph(P, threshold=0.71).edges) == []
    with pytest.raises(ValueError, match="threshold must be a number"):
        threshold_graph(P, threshold=0)


def test_a_threshold_graph_keeps_every_pair_by_turning_the_weakest_edge_of_a_cycle():
    graph = threshold_graph(frame([[0, 1, 0], [0, 0, 1], [0.8, 0, 0]]))
    assert set(graph.edges) == {("a", "b"), ("b", "c"), ("a", "c")}


@given(st.integers(1, 9), st.integers(0, 2**31), st.data())
@settings(max_examples=40)
def test_a_random_graph_has_exactly_the_edges_asked_for_and_no_cycle(n, seed, data):
    n_edges = data.draw(st.integers(0, n * (n - 1) // 2))
    dag = random_dag([f"x{place}" for place in range(n)], n_edges, rng=np.random.default_rng(seed))
    assert dag.number_of_edges() == n_edges and dag.number_of_nodes() == n
    assert nx.is_directed_acyclic_graph(dag)


def test_a_random_graph_prefers_no_pair_and_no_direction():
    rng = np.random.default_rng(0)
    counts = sum(nx.to_numpy_array(random_dag("abcd", 3, rng=rng)) for _ in range(3000))
    assert counts[~np.eye(4, dtype=bool)] / 3000 == pytest.approx(np.full(12, 0.25), abs=0.04)


def test_more_edges_than_pairs_are_refused():
    with pytest.raises(ValueError, match="n_edges must be an integer from 0 to 3, got 4"):
        random_dag("abc", 4, rng=np.random.default_rng(0))


def test_the_markov_blanket_separates_a_node_from_all_others():
    rng = np.random.default_rng(0)
    for _ in range(20):
        dag = random_dag("abcdefgh", 11, rng=rng)
        for node in dag:
            blanket = markov_blanket(dag, node)
            rest = set(dag) - blanket - {node}
            assert not rest or nx.is_d_separator(dag, {node}, rest, blanket)
            for left_out in blanket:
                smaller = blanket - {left_out}
                assert not nx.is_d_separator(dag, {node}, rest | {left_out}, smaller)
    with pytest.raises(ValueError, match="node='z'"):
        markov_blanket(dag, "z")


@pytest.mark.parametrize("seed", range(6))
def test_members_of_a_class_have_the_same_separations_and_no_other_orientation_has_them(seed):
    from causallearn.graph.GeneralGraph import GeneralGraph
    from causallearn.graph.GraphNode import GraphNode
    from causallearn.utils.DAG2CPDAG import dag2cpdag

    rng = np.random.default_rng(seed)
    names = list("abcde")
    dag = random_dag(names, int(rng.integers(3, 8)), rng=rng)
    nodes = {name: GraphNode(name) for name in names}
    made = GeneralGraph(list(nodes.values()))
    for source, end in dag.edges:
        made.add_directed_edge(nodes[source], nodes[end])
    cpdag = pd.DataFrame(dag2cpdag(made).graph, index=names, columns=names)
    members = list_members(cpdag)
    assert set(dag.edges) in [set(member.edges) for member in members]

    def separations(graph):
        pairs = [(a, b) for a in names for b in names if a < b]
        sets = {
            pair: [set(s) for k in range(4) for s in combinations(sorted(set(names) - set(pair)), k)] for pair in pairs
        }
        return [nx.is_d_separator(graph, {a}, {b}, given) for (a, b) in pairs for given in sets[a, b]]

    expected = separations(dag)
    assert all(separations(member) == expected for member in members)
    skeleton = sorted(dag.edges)
    same = 0
    for turned in product((False, True), repeat=len(skeleton)):
        other = graph([edge[::-1] if turn else edge for edge, turn in zip(skeleton, turned, strict=True)], names)
        same += nx.is_directed_acyclic_graph(other) and separations(other) == expected
    assert same == len(members)


def test_graphs_with_circles_or_too_many_open_edges_have_no_list_of_members():
    marks = pd.DataFrame([[0, 2], [1, 0]], index=list("ab"), columns=list("ab"))
    with pytest.raises(ValueError, match="no circles"):
        list_members(marks)
    both_ways = nx.complete_graph(7).to_directed()
    with pytest.raises(ValueError, match="at most 14 edges without a direction, got 21"):
        list_members(both_ways)


def graph(edges, nodes="abcd") -> nx.DiGraph:
    made = nx.DiGraph()
    made.add_nodes_from(nodes)
    made.add_edges_from(edges)
    return made


@pytest.mark.parametrize(
    ("other", "distance"),
    [
        ([("a", "b"), ("b", "c")], 0),
        ([("a", "b")], 1),
        ([("a", "b"), ("b", "c"), ("c", "d")], 1),
        ([("b", "a"), ("b", "c")], 1),
        ([("a", "b"), ("b", "a"), ("b", "c")], 1),
        ([("c", "d")], 3),
    ],
)
def test_each_missing_added_turned_or_undirected_edge_counts_one(other, distance):
    dag = graph([("a", "b"), ("b", "c")])
    assert structural_hamming_distance(dag, graph(other)) == distance
    assert structural_hamming_distance(graph(other), dag) == distance


@settings(max_examples=25)
@given(st.integers(0, 2**31))
def test_the_structural_hamming_distance_is_a_metric(seed):
    rng = np.random.default_rng(seed)
    a, b, c = (random_dag("abcde", int(rng.integers(11)), rng=rng) for _ in range(3))
    shd = structural_hamming_distance
    assert shd(a, a) == 0 and shd(a, b) == shd(b, a)
    assert shd(a, c) <= shd(a, b) + shd(b, c)


def test_it_agrees_with_causal_learn_on_directed_graphs():
    from causallearn.graph.GeneralGraph import GeneralGraph
    from causallearn.graph.GraphNode import GraphNode
    from causallearn.graph.SHD import SHD

    rng = np.random.default_rng(0)
    a, b = random_dag("abcdef", 8, rng=rng), random_dag("abcdef", 6, rng=rng)

    def convert(dag):
        nodes = {name: GraphNode(name) for name in dag}
        made = GeneralGraph(list(nodes.values()))
        for source, end in dag.edges:
            made.add_directed_edge(nodes[source], nodes[end])
        return made

    assert structural_hamming_distance(a, b) == SHD(convert(a), convert(b)).get_shd()


def test_graphs_over_different_nodes_are_not_compared():
    with pytest.raises(ValueError, match=r"different nodes: \['z'\]"):
        structural_hamming_distance(graph([]), graph([], "abcdz"))


def test_scores_count_adjacencies_and_directions():
    truth = graph([("a", "b"), ("b", "c"), ("c", "d")])
    scores = score_graph(graph([("a", "b"), ("c", "b"), ("a", "d"), ("a", "c")]), truth)
    assert scores["skeleton_precision"] == 0.5
    assert scores["skeleton_recall"] == pytest.approx(2 / 3)
    assert scores["skeleton_f1"] == pytest.approx(4 / 7)
    assert scores["orientation_precision"] == 0.25
    assert scores["orientation_recall"] == pytest.approx(1 / 3)
    assert scores["shd"] == 4
    empty = score_graph(graph([]), truth)
    assert math.isnan(empty["skeleton_precision"]) and empty["skeleton_recall"] == 0
