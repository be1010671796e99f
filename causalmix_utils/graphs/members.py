"""The DAGs that a CPDAG stands for."""

from __future__ import annotations

from itertools import product

import networkx as nx
import numpy as np
import pandas as pd

_MOST_UNDIRECTED = 14  # Edges without a direction: their number of orientations doubles with each.


def list_members(cpdag: pd.DataFrame | nx.DiGraph) -> list[nx.DiGraph]:
    """List the DAGs that a CPDAG stands for: no test of independence tells them apart.

    Two DAGs belong to the same class if they have the same adjacencies and the same colliders between columns
    that are not adjacent (Verma and Pearl, UAI 1990). All orientations of the edges without a direction are tried,
    so that this is for small graphs.

    Parameters
    ----------
    cpdag : DataFrame of int, shape (n, n), or networkx.DiGraph
        Marks as `causalmix_utils.discovery.learn_marks` returns them for PC; -1 is a tail, 1 an arrowhead. In a DiGraph
        edges in both directions stand for one without a direction.

    Returns
    -------
    list of networkx.DiGraph
        Empty if the marks belong to no DAG, which happens where tests contradict each other.

    Raises
    ------
    ValueError
        If the graph has circles, arrowheads at both ends of an edge, or more than 14 edges without a direction.

    Examples
    --------
    >>> chain = nx.DiGraph([("a", "b"), ("b", "a"), ("b", "c"), ("c", "b")])
    >>> [sorted(dag.edges) for dag in list_members(chain)]
    [[('a', 'b'), ('b', 'c')], [('b', 'a'), ('b', 'c')], [('b', 'a'), ('c', 'b')]]
    """
    fixed, free, nodes = _split_edges(cpdag)
    if len(free) > _MOST_UNDIRECTED:
        raise ValueError(f"cpdag may have at most {_MOST_UNDIRECTED} edges without a direction, got {len(free)}")
    colliders = _find_colliders(_build(nodes, fixed), {frozenset(edge) for edge in fixed + free})
    members = []
    for turned in product((False, True), repeat=len(free)):
        dag = _build(nodes, fixed + [edge[::-1] if turn else edge for edge, turn in zip(free, turned, strict=True)])
        if nx.is_directed_acyclic_graph(dag) and _find_colliders(dag, None) == colliders:
            members.append(dag)
    return members


def _split_edges(cpdag: pd.DataFrame | nx.DiGraph) -> tuple[list, list, list]:
    """Edges with a direction, edges without one, and the nodes."""
    if isinstance(cpdag, nx.DiGraph):
        fixed = [edge for edge in cpdag.edges if not cpdag.has_edge(*edge[::-1])]
        order = {node: place for place, node in enumerate(cpdag)}
        free = [edge for edge in cpdag.edges if cpdag.has_edge(*edge[::-1]) and order[edge[0]] < order[edge[1]]]
        return fixed, free, list(cpdag)
    nodes, marks = list(cpdag.columns), cpdag.to_numpy()
    if not np.isin(marks, (-1, 0, 1)).all() or ((marks == 1) & (marks.T == 1)).any():
        raise ValueError("cpdag may hold no circles and no edge with arrowheads at both ends")
    fixed = [(nodes[i], nodes[j]) for i, j in np.argwhere((marks == -1) & (marks.T == 1))]
    free = [(nodes[i], nodes[j]) for i, j in np.argwhere(np.triu((marks == -1) & (marks.T == -1), 1))]
    return fixed, free, nodes


def _build(nodes: list, edges: list) -> nx.DiGraph:
    dag = nx.DiGraph()
    dag.add_nodes_from(nodes)
    dag.add_edges_from(edges)
    return dag


def _find_colliders(dag: nx.DiGraph, adjacent: set[frozenset] | None) -> set[tuple]:
    """Colliders a → b ← c between columns a and c that are not adjacent, in `dag` or by the pairs `adjacent`."""
    if adjacent is None:
        adjacent = {frozenset(edge) for edge in dag.edges}
    return {
        (frozenset((a, c)), b)
        for b in dag
        for a in dag.predecessors(b)
        for c in dag.predecessors(b)
        if a != c and frozenset((a, c)) not in adjacent
    }
