"""Which directions independence tests can tell: the class of graphs that a graph belongs to."""

from __future__ import annotations

import networkx as nx


def dag_to_cpdag(dag: nx.DiGraph) -> nx.DiGraph:
    """Return the CPDAG of a DAG: an edge keeps its direction if all DAGs with the same independences agree on it.

    Two DAGs have the same independences if they have the same adjacencies and the same colliders whose causes are not
    adjacent (Verma and Pearl, UAI 1990). The directions that follow from those are found by the first three of Meek's
    rules (UAI 1995).

    Parameters
    ----------
    dag : networkx.DiGraph
        Acyclic.

    Returns
    -------
    networkx.DiGraph
        Over the same nodes. An edge without a direction is written as an edge in each direction.

    Raises
    ------
    ValueError
        If `dag` has a cycle.

    Examples
    --------
    >>> sorted(dag_to_cpdag(nx.DiGraph([("a", "b"), ("b", "c")])).edges)
    [('a', 'b'), ('b', 'a'), ('b', 'c'), ('c', 'b')]
    >>> sorted(dag_to_cpdag(nx.DiGraph([("a", "b"), ("c", "b")])).edges)
    [('a', 'b'), ('c', 'b')]
    """
    if not nx.is_directed_acyclic_graph(dag):
        raise ValueError("dag has a cycle")
    adjacent = {node: set(dag.predecessors(node)) | set(dag.successors(node)) for node in dag}
    known = {
        (cause, effect)
        for effect in dag
        for cause in dag.predecessors(effect)
        if any(other != cause and other not in adjacent[cause] for other in dag.predecessors(effect))
    }
    # The rules only ever find the direction that the edge has in the DAG, so that no other needs to be tried.
    while found := {edge for edge in dag.edges if edge not in known and _follows(*edge, known, adjacent)}:
        known |= found
    cpdag = nx.DiGraph()
    cpdag.add_nodes_from(dag)
    cpdag.add_edges_from(edge for edge in dag.edges)
    cpdag.add_edges_from((effect, cause) for cause, effect in dag.edges if (cause, effect) not in known)
    return cpdag


def _follows(source: str, end: str, known: set[tuple[str, str]], adjacent: dict[str, set[str]]) -> bool:
    """Whether source → end follows: the other direction would make a new collider or a cycle."""
    if any((other, source) in known and other not in adjacent[end] for other in adjacent[source] - {end}):
        return True
    shared = adjacent[source] & adjacent[end]
    if any((source, between) in known and (between, end) in known for between in shared):
        return True
    causes = [
        other
        for other in shared
        if (other, end) in known and (other, source) not in known and (source, other) not in known
    ]
    return any(second not in adjacent[first] for first in causes for second in causes if second != first)
