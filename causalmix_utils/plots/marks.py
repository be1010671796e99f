"""Figures of marks: CPDAGs, PAGs and small DAGs with their nodes in chosen places, and a node's neighbourhood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_number
from causalmix_utils.plots.boxes import (
    ARROWHEAD,
    CIRCLE,
    TAIL,
    draw_box,
    draw_line,
    place_in_ring,
    prepare_canvas,
)
from causalmix_utils.plots.style import HIGHLIGHT_COLOR, SYNTHETIC_COLOR

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_EDGE_COLOR = "#404040"


def draw_marks(
    graph: pd.DataFrame | nx.DiGraph,
    *,
    positions: Mapping[str, tuple[float, float]] | None = None,
    labels: Mapping[str, str] | None = None,
    colors: Mapping[tuple[str, str], str] | None = None,
    styles: Mapping[tuple[str, str], str] | None = None,
    target: str | None = None,
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Draw a graph with the mark at each end of each edge: a CPDAG of PC, a PAG of FCI, a skeleton, or a DAG.

    Parameters
    ----------
    graph : DataFrame of int, shape (n, n), or networkx.DiGraph
        ``graph.loc[i, j]`` is the mark at i on the edge between i and j: -1 tail, 1 arrowhead, 2 circle, 0 no edge;
        as `causalmix_utils.discovery.learn_marks` returns them. In a DiGraph edges in both directions between
        two nodes stand for an undirected one.
    positions : dict of str to (float, float), optional
        Place of each node; a name is about one unit wide. By default in an oval ring, in the order of the nodes.
    labels : dict of str to str, optional
        What is written for a node; its own name by default.
    colors : dict of (str, str) to str, optional
        Colours of single edges, in either order of their nodes.
    styles : dict of (str, str) to str, optional
        Line styles of single edges, as matplotlib names them (``"--"``, ``":"``); solid by default.
    target : str, optional
        A node to be marked.
    ax : Axes, optional
        Where to draw. None makes a figure.
    title : str
        The figure's message.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the marks are not square with the same names on both sides, hold other values or a mark at one end only,
        or a node has no place.
    """
    marks = _marks_of_dag(graph) if isinstance(graph, nx.DiGraph) else graph
    _check_marks(marks)
    nodes, values = list(marks.columns), marks.to_numpy()
    positions = place_in_ring(nodes) if positions is None else positions
    colors, styles = _in_either_order(colors), _in_either_order(styles)
    ax = prepare_canvas(ax, nodes, positions, title=title)
    boxes = {
        node: draw_box(ax, str((labels or {}).get(node, node)), positions[node], marked=node == target)
        for node in nodes
    }
    for i, j in np.argwhere(np.triu(values != 0, 1)):
        a, b = nodes[i], nodes[j]
        draw_line(
            ax,
            (positions[a], positions[b]),
            (boxes[a], boxes[b]),
            (values[i, j], values[j, i]),
            color=colors.get((a, b), _EDGE_COLOR),
            width=1.2,
            style=styles.get((a, b), "-"),
        )
    return ax


def draw_neighbourhood(
    P: pd.DataFrame,
    node: str | None = None,
    *,
    minimum: float = 0.1,
    most: int = 16,
    labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Draw a node in the middle of its neighbours, with both directions of every edge.

    Parameters
    ----------
    P : DataFrame of shape (n, n)
        Edge probabilities, from `causalmix_utils.discovery.edge_probabilities`.
    node : str, optional
        The last column, the target, by default.
    minimum : float in (0, 1]
        Neighbours are drawn if the probabilities of the two directions add up to at least this.
    most : int
        At most this many neighbours are drawn, the likeliest; how many more there are is written below.
    labels, ax, title
        As in `draw_marks`.

    Returns
    -------
    matplotlib.axes.Axes
        The width of an arrow is its probability; arrows to the node and away from it have two colours. Under the
        name of each neighbour stands the sum of both directions.

    Raises
    ------
    ValueError
        If `P` is not a matrix of edge probabilities, `node` not one of its columns, or `minimum` out of range.
    """
    from causalmix_utils.graphs import check_edge_probabilities

    check_edge_probabilities(P)
    node = P.columns[-1] if node is None else node
    if node not in P.columns:
        raise ValueError(f"node={node!r} is not a column of P; the columns are {list(P.columns)}")
    check_number("minimum", minimum, 0, 1, closed="right")
    pairs = (P[node] + P.loc[node]).drop(node).sort_values(ascending=False, kind="stable")
    all_neighbours = list(pairs[pairs >= minimum].index)
    neighbours = all_neighbours[:most]
    positions = place_in_ring(neighbours, width=2.6, height=1.6) | {node: (0.0, 0.0)}
    ax = prepare_canvas(ax, [node, *neighbours], positions, title=title, size=(7.2, 4.6))
    boxes = {node: draw_box(ax, str((labels or {}).get(node, node)), (0.0, 0.0), marked=True)}
    for name in neighbours:
        boxes[name] = draw_box(ax, f"{(labels or {}).get(name, name)}\n{pairs[name]:.2f}", positions[name])
        for source, end in ((name, node), (node, name)):
            if P.loc[source, end] > 0:
                draw_line(
                    ax,
                    (positions[source], positions[end]),
                    (boxes[source], boxes[end]),
                    (TAIL, ARROWHEAD),
                    color=SYNTHETIC_COLOR if end == node else HIGHLIGHT_COLOR,
                    width=0.4 + 3 * float(P.loc[source, end]),
                    bend=0.12,
                )
    if len(all_neighbours) > len(neighbours):
        more = len(all_neighbours) - len(neighbours)
        text = f"and {more} more with a probability of at most {pairs[neighbours[-1]]:.2f}"
        ax.text(1, 0, text, transform=ax.transAxes, ha="right", va="bottom", fontsize="small", color="#505050")
    return ax


def _in_either_order(of_edges: Mapping[tuple[str, str], str] | None) -> dict[tuple[str, str], str]:
    return {order: value for (a, b), value in (of_edges or {}).items() for order in ((a, b), (b, a))}


def _marks_of_dag(dag: nx.DiGraph) -> pd.DataFrame:
    marks = pd.DataFrame(0, index=list(dag.nodes), columns=list(dag.nodes))
    for source, end in dag.edges:
        marks.loc[source, end] = TAIL
        marks.loc[end, source] = TAIL if dag.has_edge(end, source) else ARROWHEAD
    return marks


def _check_marks(marks: pd.DataFrame) -> None:
    if list(marks.index) != list(marks.columns):
        raise ValueError("marks must have the same names in the same order as index and columns")
    values = marks.to_numpy()
    if not np.isin(values, (TAIL, 0, ARROWHEAD, CIRCLE)).all() or ((values == 0) != (values.T == 0)).any():
        raise ValueError("marks must hold -1, 0, 1 or 2, and 0 at both ends of a pair or at none")
