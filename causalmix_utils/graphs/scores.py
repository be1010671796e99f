"""What a graph says about a node, and how far two graphs are apart."""

from __future__ import annotations

import math

import networkx as nx
import pandas as pd


def markov_blanket(dag: nx.DiGraph, node: str) -> set[str]:
    """Parents, children and the children's other parents: all that carries information on `node` of its own.

    Raises
    ------
    ValueError
        If `node` is not in the graph.

    Examples
    --------
    >>> sorted(markov_blanket(nx.DiGraph([("cause", "y"), ("y", "effect"), ("spouse", "effect")]), "y"))
    ['cause', 'effect', 'spouse']
    """
    if node not in dag:
        raise ValueError(f"node={node!r} is not in the graph; the nodes are {list(dag.nodes)}")
    children = set(dag.successors(node))
    spouses = {parent for child in children for parent in dag.predecessors(child)}
    return (set(dag.predecessors(node)) | children | spouses) - {node}


def structural_hamming_distance(dag: nx.DiGraph, other: nx.DiGraph) -> int:
    """Number of node pairs that the two graphs connect differently.

    An edge that is missing, added or turned round counts one. An undirected edge, as in a CPDAG, is written as
    an edge in each direction and differs from either of them by one.

    Parameters
    ----------
    dag, other : networkx.DiGraph
        Graphs over the same nodes.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If the graphs have different nodes.

    Examples
    --------
    >>> structural_hamming_distance(nx.DiGraph([("a", "b"), ("b", "c")]), nx.DiGraph([("b", "a"), ("b", "c")]))
    1
    """
    _check_same_nodes(dag, other)
    pairs = {frozenset(edge) for graph in (dag, other) for edge in graph.edges}
    return sum(_state(dag, *sorted(pair)) != _state(other, *sorted(pair)) for pair in pairs)


def score_graph(graph: nx.DiGraph, truth: nx.DiGraph) -> pd.Series:
    """Compare a graph with the true one.

    Parameters
    ----------
    graph, truth : networkx.DiGraph
        Graphs over the same nodes.

    Returns
    -------
    Series
        ``skeleton_precision``, ``skeleton_recall`` and ``skeleton_f1``, of adjacencies whatever their direction;
        ``orientation_precision`` and ``orientation_recall``, of directed edges; ``shd``, see
        `structural_hamming_distance`; ``edges`` of `graph` and ``true_edges``. A ratio whose denominator is
        zero is NaN.

    Raises
    ------
    ValueError
        If the graphs have different nodes.

    Examples
    --------
    >>> scores = score_graph(nx.DiGraph([("a", "b"), ("b", "c")]), nx.DiGraph([("b", "a"), ("b", "c")]))
    >>> float(scores["skeleton_recall"]), float(scores["orientation_recall"])
    (1.0, 0.5)
    """
    _check_same_nodes(graph, truth)
    found, true = ({frozenset(edge) for edge in g.edges} for g in (graph, truth))
    directed = len(set(graph.edges) & set(truth.edges))
    shared = len(found & true)
    return pd.Series(
        {
            "skeleton_precision": _ratio(shared, len(found)),
            "skeleton_recall": _ratio(shared, len(true)),
            "skeleton_f1": _ratio(2 * shared, len(found) + len(true)),
            "orientation_precision": _ratio(directed, graph.number_of_edges()),
            "orientation_recall": _ratio(directed, truth.number_of_edges()),
            "shd": structural_hamming_distance(graph, truth),
            "edges": graph.number_of_edges(),
            "true_edges": truth.number_of_edges(),
        },
        dtype=float,
    )


def _check_same_nodes(dag: nx.DiGraph, other: nx.DiGraph) -> None:
    if set(dag.nodes) != set(other.nodes):
        difference = sorted(map(str, set(dag.nodes) ^ set(other.nodes)))
        raise ValueError(f"the graphs have different nodes: {difference} in one of them only")


def _state(dag: nx.DiGraph, first: str, second: str) -> tuple[bool, bool]:
    return dag.has_edge(first, second), dag.has_edge(second, first)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
