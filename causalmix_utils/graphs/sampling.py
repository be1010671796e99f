"""Directed acyclic graphs from edge probabilities, and at random."""

from __future__ import annotations

from collections.abc import Sequence

import networkx as nx
import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_count, check_number, check_rng
from causalmix_utils.discovery.matrix import TOLERANCE, check_edge_probabilities, find_target
from causalmix_utils.graphs.placement import check_placement, place_target


def sample_dag(
    P: pd.DataFrame,
    *,
    rng: np.random.Generator,
    target: str | None = None,
    placement: str = "discovered",
    blanket: Sequence[str] | None = None,
    connect_target: bool = True,
) -> nx.DiGraph:
    """Draw a directed acyclic graph from edge probabilities.

    For every pair of columns one of three states is drawn: i → j with probability ``P.loc[i, j]``, j → i with
    ``P.loc[j, i]``, no edge otherwise. The drawn edges are inserted from the most probable to the least,
    ties in random order; an edge that would close a cycle is skipped, which is rare.

    Parameters
    ----------
    P : DataFrame of shape (n, n)
        From `causalmix_utils.discovery.edge_probabilities`.
    rng : Generator
        The same state gives the same graph.
    target : str, optional
        The target; the last column by default.
    placement : {"discovered", "sink", "blanket"}
        Where the target stands. ``"discovered"`` leaves it where it was drawn. ``"sink"`` turns round every drawn edge
        that leaves it. ``"blanket"`` keeps its Markov blanket in every graph: a column of `blanket` that is not in the
        drawn blanket becomes a cause of the target, or an effect of it where a cycle would close. Edges between
        features are never changed.
    blanket : sequence of str, optional
        With ``placement="blanket"``, the columns to be kept; by default those that are in the blanket of at least
        half of the graphs, see `blanket_probabilities`.
    connect_target : bool
        Give a target without a neighbour its most probable edge: rows sampled from a graph in
        which the target stands alone say nothing about the classes. If `P` has no edge
        at the target at all, it stays alone.

    Returns
    -------
    networkx.DiGraph
        All columns are nodes, in the order of `P`. Each edge has the attribute ``probability`` (of a turned edge, that
        of the edge as drawn) and ``serves_label``: True where the edge was not drawn and only serves the label, since
        it keeps the blanket or joins a lone target. The graph has the attributes ``target``, ``skipped`` (edges
        that would have closed a cycle), ``turned`` and ``added`` (edges that `placement` turned round or added) and
        ``forced`` (the edge given to a lone target, if any).

    Raises
    ------
    ValueError
        If `P` is not a matrix of edge probabilities, `target` or a column of `blanket` is not one of its columns, or
        `placement` is unknown.

    Examples
    --------
    >>> P = pd.DataFrame([[0.0, 1.0], [0.0, 0.0]], index=["x", "y"], columns=["x", "y"])
    >>> list(sample_dag(P, rng=np.random.default_rng(0)).edges)
    [('x', 'y')]
    """
    check_rng(rng)
    check_edge_probabilities(P)
    target = find_target(P, target)
    check_placement(placement, blanket, P, target)
    values = P.to_numpy(dtype=float)
    first, second = np.triu_indices(len(P), 1)
    draws = rng.random(len(first))
    forward = draws < values[first, second]
    backward = ~forward & (draws < values[first, second] + values[second, first])
    edges = [*zip(first[forward], second[forward], strict=True), *zip(second[backward], first[backward], strict=True)]
    names = list(P.columns)
    weights = np.array([values[edge] for edge in edges])
    order = np.lexsort((rng.random(len(edges)), -weights))
    dag, skipped = _insert_edges(names, [(names[edges[k][0]], names[edges[k][1]], weights[k]) for k in order])
    nx.set_edge_attributes(dag, False, "serves_label")
    dag.graph.update(target=target, skipped=skipped, turned=[], added=[], forced=[])
    place_target(dag, P, target, placement=placement, blanket=blanket)
    if connect_target and dag.degree(target) == 0:
        _connect(dag, P, target, rng)
        if placement == "sink":
            place_target(dag, P, target, placement=placement, blanket=blanket)
    return dag


def threshold_graph(P: pd.DataFrame, *, threshold: float = 0.5) -> nx.DiGraph:
    """Return the one graph of all edges that are more probable than not, or than another threshold.

    A pair of columns gets an edge if the probabilities of its two directions add up to at least `threshold`;
    it points in the more probable direction (in the order of the columns where both are equal).
    Edges are inserted from the most probable pair to the least; one that would close a cycle is turned round.

    Parameters
    ----------
    P : DataFrame of shape (n, n)
    threshold : float in (0, 1]

    Returns
    -------
    networkx.DiGraph
        Acyclic; each edge has the attribute ``probability``, that of the pair.

    Raises
    ------
    ValueError
        If `P` is not a matrix of edge probabilities or `threshold` is not in (0, 1].
    """
    check_edge_probabilities(P)
    check_number("threshold", threshold, 0, 1, closed="right")
    values = P.to_numpy(dtype=float)
    pairs = values + values.T
    first, second = np.nonzero(np.triu(pairs >= threshold - TOLERANCE, 1))
    names = list(P.columns)
    weighted = []
    for i, j in sorted(zip(first, second, strict=True), key=lambda pair: -pairs[pair]):
        source, end = (i, j) if values[i, j] >= values[j, i] else (j, i)
        weighted.append((names[source], names[end], pairs[i, j]))
    dag, _ = _insert_edges(names, weighted, turn=True)
    dag.graph["target"] = names[-1]
    return dag


def random_dag(nodes: Sequence[str], n_edges: int, *, rng: np.random.Generator) -> nx.DiGraph:
    """Draw a graph with a given number of edges: a random order of the nodes, and random pairs in that order.

    Parameters
    ----------
    nodes : sequence of str
        The last one counts as the target.
    n_edges : int
        At most ``n * (n - 1) / 2`` for n nodes.
    rng : Generator

    Returns
    -------
    networkx.DiGraph

    Raises
    ------
    ValueError
        If `n_edges` is negative or more than the nodes have room for.

    Examples
    --------
    >>> dag = random_dag(["a", "b", "c"], 2, rng=np.random.default_rng(0))
    >>> dag.number_of_edges(), nx.is_directed_acyclic_graph(dag)
    (2, True)
    """
    check_rng(rng)
    nodes = list(nodes)
    room = len(nodes) * (len(nodes) - 1) // 2
    check_count("n_edges", n_edges, minimum=0, maximum=room)
    order = rng.permutation(len(nodes))
    first, second = np.triu_indices(len(nodes), 1)
    chosen = rng.choice(room, size=n_edges, replace=False) if n_edges else []
    dag = nx.DiGraph()
    dag.add_nodes_from(nodes)
    dag.add_edges_from((nodes[order[first[k]]], nodes[order[second[k]]]) for k in sorted(chosen))
    if nodes:
        dag.graph["target"] = nodes[-1]
    return dag


def _insert_edges(nodes: list[str], edges: list[tuple], *, turn: bool = False) -> tuple[nx.DiGraph, list[tuple]]:
    """Build a graph edge by edge; one that would close a cycle is skipped, or turned round, which never closes one."""
    dag = nx.DiGraph()
    dag.add_nodes_from(nodes)
    skipped = []
    for source, end, weight in edges:
        if not nx.has_path(dag, end, source):
            dag.add_edge(source, end, probability=float(weight))
        elif turn:
            dag.add_edge(end, source, probability=float(weight))
        else:
            skipped.append((source, end))
    return dag, skipped


def _connect(dag: nx.DiGraph, P: pd.DataFrame, target: str, rng: np.random.Generator) -> None:
    """Give a node without neighbours its most probable edge; a lone node can't close a cycle."""
    edges = [(node, target) for node in P.columns] + [(target, node) for node in P.columns]
    weights = np.array([P.loc[edge] for edge in edges])
    if weights.max() <= 0:
        return
    source, end = edges[rng.choice(np.flatnonzero((weights > 0) & (weights >= weights.max() - TOLERANCE)))]
    dag.add_edge(source, end, probability=float(P.loc[source, end]), serves_label=True)
    dag.graph["forced"] = [(source, end)]
