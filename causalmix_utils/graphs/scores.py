"""What a graph says about a node, and how far two graphs are apart."""

from __future__ import annotations

import math
from collections.abc import Iterable

import networkx as nx
import numpy as np
import pandas as pd

from causalmix_utils.graphs.equivalence import dag_to_cpdag

_ARROWHEAD, _TAIL, _CIRCLE = 1, -1, 2


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
    _check_same_nodes(dag.nodes, other.nodes)
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
    _check_same_nodes(graph.nodes, truth.nodes)
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


def score_discovery(graph: pd.DataFrame | nx.DiGraph, truth: nx.DiGraph) -> pd.Series:
    """Compare what a discovery algorithm returns, whatever kind of graph it is, with the true DAG.

    PC and FCI claim less than a DAG: an edge without a direction, or with a circle, says that the direction is not
    known. Nothing is rewarded or punished here that is not claimed.

    Parameters
    ----------
    graph : DataFrame of int, shape (n, n), or networkx.DiGraph
        The marks of a CPDAG or PAG, as `causalmix_utils.discovery.learn_marks` returns them, or a DAG.
    truth : networkx.DiGraph
        The true DAG, over the same nodes.

    Returns
    -------
    Series
        ``skeleton_precision``, ``skeleton_recall``, ``skeleton_f1``
            Of adjacencies, whatever their marks.
        ``arrow_precision``
            Share of the arrowheads found, one at j on the edge between i and j, for which i → j is true.
        ``arrow_recall``
            Share of the arrowheads of the true CPDAG that were found. The other directions of the true
            DAG cannot be learnt from independences.
        ``shd_dag``
            Structural Hamming distance of `graph` from the true DAG: pairs that the two connect differently. An edge
            without a direction differs from one with a direction.
        ``shd_cpdag``
            The same from the true CPDAG; a DAG is replaced by its own CPDAG first. Both distances are NaN for a graph
            with circles, which no DAG or CPDAG has.
        ``edges``, ``true_edges``
            Numbers of adjacencies.

        A ratio whose denominator is zero is NaN.

    Raises
    ------
    ValueError
        If the graphs have different nodes, or one that must be acyclic has a cycle.

    Examples
    --------
    >>> truth = nx.DiGraph([("a", "b"), ("c", "b"), ("b", "d")])
    >>> scores = score_discovery(nx.DiGraph([("a", "b"), ("c", "b"), ("d", "b")]), truth)
    >>> float(scores["skeleton_recall"]), round(float(scores["arrow_precision"]), 2), float(scores["shd_dag"])
    (1.0, 0.67, 1.0)
    """
    nodes = sorted(truth.nodes)
    _check_same_nodes(graph.nodes if isinstance(graph, nx.DiGraph) else graph.columns, nodes)
    true_marks, true_class = _marks_of(truth, nodes), _marks_of(dag_to_cpdag(truth), nodes)
    marks = own_class = _marks_of(graph, nodes)
    if isinstance(graph, nx.DiGraph):
        own_class = _marks_of(dag_to_cpdag(graph), nodes)
    found, true = marks != 0, true_marks != 0
    shared, n_found, n_true = (int(np.triu(pairs).sum()) for pairs in (found & true, found, true))
    heads, true_heads, known_heads = (each == _ARROWHEAD for each in (marks, true_marks, true_class))
    has_circles = (marks == _CIRCLE).any()
    return pd.Series(
        {
            "skeleton_precision": _ratio(shared, n_found),
            "skeleton_recall": _ratio(shared, n_true),
            "skeleton_f1": _ratio(2 * shared, n_found + n_true),
            "arrow_precision": _ratio(int((heads & true_heads).sum()), int(heads.sum())),
            "arrow_recall": _ratio(int((heads & known_heads).sum()), int(known_heads.sum())),
            "shd_dag": math.nan if has_circles else _count_different_pairs(marks, true_marks),
            "shd_cpdag": math.nan if has_circles else _count_different_pairs(own_class, true_class),
            "edges": n_found,
            "true_edges": n_true,
        },
        dtype=float,
    )


def _marks_of(graph: pd.DataFrame | nx.DiGraph, nodes: list[str]) -> np.ndarray:
    """The mark at i on the edge between i and j, at [i, j]; edges in both directions have two tails."""
    if not isinstance(graph, nx.DiGraph):
        return graph.loc[nodes, nodes].to_numpy()
    points = nx.to_numpy_array(graph, nodelist=nodes, weight=None) > 0
    return np.where(points, _TAIL, np.where(points.T, _ARROWHEAD, 0))


def _count_different_pairs(marks: np.ndarray, others: np.ndarray) -> int:
    different = marks != others
    return int(np.triu(different | different.T).sum())


def _check_same_nodes(nodes: Iterable[str], others: Iterable[str]) -> None:
    if set(nodes) != set(others):
        difference = sorted(map(str, set(nodes) ^ set(others)))
        raise ValueError(f"the graphs have different nodes: {difference} in one of them only")


def _state(dag: nx.DiGraph, first: str, second: str) -> tuple[bool, bool]:
    return dag.has_edge(first, second), dag.has_edge(second, first)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
