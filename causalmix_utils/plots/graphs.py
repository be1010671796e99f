"""Figures of directed acyclic graphs, with causes left of their effects."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
import pandas as pd

from causalmix_utils.plots.style import HIGHLIGHT_COLOR, QUIET_COLOR, REAL_COLOR, make_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LABEL_WIDTH = 16  # Characters of a node's label in one line.
_NODE_WIDTH, _NODE_HEIGHT = 0.72, 0.74  # Of a node's box, in units of the distance between nodes.
_SWEEPS = 8  # Passes that put each node beside its neighbours.


def draw_dag(
    dag: nx.DiGraph,
    *,
    target: str | None = None,
    P: pd.DataFrame | None = None,
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Draw a directed acyclic graph from left to right, causes before effects.

    Parameters
    ----------
    dag : networkx.DiGraph
        Acyclic. Legible up to about 25 connected nodes.
    target : str, optional
        Node that is marked; by default the graph's attribute ``target``, if it has one.
    P : DataFrame, optional
        Edge probabilities, drawn as the width of the edges; by default the edges' attribute
        ``probability``, or the same width for all.
    ax : Axes, optional
        Where to draw. None makes a figure whose size follows the graph's.
    title : str
        The figure's message.

    Returns
    -------
    matplotlib.axes.Axes
        The target and its edges are marked; edges that only serve the label (see `causalmix_utils.graphs.sample_dag`)
        are dashed. Nodes without an edge are named below the graph.

    Raises
    ------
    ValueError
        If the graph has a cycle, or `target` is not one of its nodes.
    """
    target = dag.graph.get("target") if target is None else target
    if target is not None and target not in dag:
        raise ValueError(f"target={target!r} is not in the graph; the nodes are {list(dag.nodes)}")
    if not nx.is_directed_acyclic_graph(dag):
        raise ValueError("dag has a cycle")
    alone = [node for node in dag if dag.degree(node) == 0 and node != target]
    connected = dag.subgraph([node for node in dag if node not in alone])
    places, paths = _lay_out(connected)
    columns = 1 + max((place[0] for place in places.values()), default=0)
    heights = [place[1] for place in (*places.values(), *(place for path in paths.values() for place in path))] or [0.0]
    tallest = max(heights) - min(heights) + 1
    ax = make_axes(ax, title=title, size=(max(4.5, 1.75 * columns), max(2.0, 0.6 * tallest + 0.5)))
    ax.set_axis_off()
    for (source, end), path in paths.items():
        dashed = bool(dag.edges[source, end].get("serves_label", False))
        _draw_edge(ax, path, weight=_find_weight(dag, P, source, end), marked=target in (source, end), dashed=dashed)
    for node, place in places.items():
        _draw_node(ax, str(node), place, marked=node == target)
    ax.set_xlim(-0.5, columns - 0.5)
    ax.set_ylim(min(heights) - 0.5, max(heights) + 0.5)
    if alone:
        text = textwrap.fill("No edge: " + ", ".join(map(str, alone)), 24 * max(columns, 3))
        ax.text(0, -0.02, text, transform=ax.transAxes, va="top", fontsize="small", color="#505050")
    return ax


def describe_dag(dag: nx.DiGraph, *, target: str | None = None) -> str:
    """Say in words what `draw_dag` shows: the number of nodes and edges, and the target's neighbours.

    Examples
    --------
    >>> describe_dag(nx.DiGraph([("age", "paid"), ("job", "paid")]), target="paid")
    "Graph of 3 nodes and 2 edges. The target 'paid' has the causes 'age' and 'job' and no effects."
    """
    target = dag.graph.get("target") if target is None else target
    text = f"Graph of {dag.number_of_nodes()} nodes and {dag.number_of_edges()} edges."
    if target is None:
        return text
    causes, effects = sorted(dag.predecessors(target)), sorted(dag.successors(target))
    return f"{text} The target {target!r} has {_list_names('cause', causes)} and {_list_names('effect', effects)}."


def _list_names(kind: str, names: list[str]) -> str:
    if not names:
        return f"no {kind}s"
    quoted = [repr(name) for name in names]
    listed = quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + " and " + quoted[-1]
    return f"the {kind}{'s' if len(quoted) > 1 else ''} {listed}"


def _lay_out(dag: nx.DiGraph) -> tuple[dict, dict]:
    """Places of the nodes, and for each edge the places that its line runs through.

    Layers follow the length of the longest path to a node. An edge over several layers passes an empty place in each
    layer between, so that it runs beside the nodes there and not through them (Sugiyama, Tagawa and Toda, 1981).
    """
    layer_of = {node: depth for depth, layer in enumerate(nx.topological_generations(dag)) for node in layer}
    chains = {
        (source, end): [source, *((source, end, k) for k in range(layer_of[source] + 1, layer_of[end])), end]
        for source, end in dag.edges
    }
    layers: list[list] = [[] for _ in range(1 + max(layer_of.values(), default=0))]
    neighbours: dict = {node: [] for node in dag}
    for node in sorted(dag, key=str):
        layers[layer_of[node]].append(node)
    for chain in chains.values():
        for depth, place in enumerate(chain[1:-1], start=layer_of[chain[0]] + 1):
            layers[depth].append(place)
        for first, second in zip(chain[:-1], chain[1:], strict=True):
            neighbours.setdefault(first, []).append(second)
            neighbours.setdefault(second, []).append(first)
    height = {}
    for layer in layers:
        height.update(_stack(layer))
    for _ in range(_SWEEPS):
        for layer in (*layers, *layers[::-1]):
            means = {item: np.mean([height[other] for other in neighbours[item]] or [0.0]) for item in layer}
            layer.sort(key=means.__getitem__)
            height.update(_stack(layer))
    column = {item: depth for depth, layer in enumerate(layers) for item in layer}
    places = {node: (column[node], height[node]) for node in dag}
    return places, {edge: [(column[item], height[item]) for item in chain] for edge, chain in chains.items()}


def _stack(layer: list) -> dict:
    """Heights of a layer's items, centred at 0: a node takes one unit, a passing edge less."""
    sizes = np.array([0.45 if isinstance(item, tuple) else 1.0 for item in layer])
    tops = np.cumsum(sizes) - sizes / 2 - sizes.sum() / 2
    return dict(zip(layer, tops.tolist(), strict=True))


def _draw_node(ax: Axes, node: str, place: tuple[float, float], *, marked: bool) -> None:
    from matplotlib.patches import FancyBboxPatch

    corner = (place[0] - _NODE_WIDTH / 2, place[1] - _NODE_HEIGHT / 2)
    color = HIGHLIGHT_COLOR if marked else QUIET_COLOR
    ax.add_patch(
        FancyBboxPatch(
            corner,
            _NODE_WIDTH,
            _NODE_HEIGHT,
            boxstyle="round,pad=0,rounding_size=0.06",
            facecolor=HIGHLIGHT_COLOR if marked else "#F2F2F2",
            edgecolor=color,
            zorder=2,
        )
    )
    lines = textwrap.wrap(node.replace("_", " "), _LABEL_WIDTH, max_lines=3, placeholder="…")
    ax.text(
        *place,
        "\n".join(lines) or " ",
        ha="center",
        va="center",
        fontsize=8,
        linespacing=1.05,
        color="white" if marked else REAL_COLOR,
        fontweight="bold" if marked else "normal",
        zorder=3,
    )


def _draw_edge(ax: Axes, path: list[tuple[float, float]], *, weight: float, marked: bool, dashed: bool) -> None:
    """A smooth arrow from the right side of one box to the left side of another, level beside the boxes between."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    half = _NODE_WIDTH / 2
    vertices, codes = [(path[0][0] + half, path[0][1])], [Path.MOVETO]
    for (x, y), (next_x, next_y) in zip(path[:-1], path[1:], strict=True):
        vertices += [(x + half, y), ((x + next_x) / 2, y), ((x + next_x) / 2, next_y), (next_x - half, next_y)]
        codes += [Path.LINETO] + [Path.CURVE4] * 3
    ax.add_patch(
        FancyArrowPatch(
            path=Path(vertices, codes),
            arrowstyle="-|>",
            mutation_scale=9 + 3 * weight,
            linewidth=0.6 + 2.0 * weight,
            linestyle="--" if dashed else "-",
            color=HIGHLIGHT_COLOR if marked else "#0072B2",
            alpha=0.85,
            zorder=1,
        )
    )


def _find_weight(dag: nx.DiGraph, P: pd.DataFrame | None, source: str, end: str) -> float:
    if P is not None:
        return float(P.loc[source, end])
    return float(dag.edges[source, end].get("probability", 0.5))
