"""Figures of graphs: every node and edge is drawn, nothing runs through a box, causes stand before effects."""

import matplotlib as mpl
import networkx as nx
import numpy as np
import pandas as pd
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from causalmix_utils.graphs import random_dag
from causalmix_utils.plots import describe_dag, describe_edge_probabilities, draw_dag, plot_edge_probabilities
from causalmix_utils.plots.style import HIGHLIGHT_COLOR


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def boxes(ax) -> dict[str, tuple[float, float]]:
    return {text.get_text().replace("\n", " "): text.get_position() for text in ax.texts if text.get_zorder() == 3}


@pytest.mark.parametrize("n", [1, 2, 5, 12, 25])
def test_all_nodes_and_edges_are_drawn_causes_left_of_effects(n):
    nodes = [f"node {place}" for place in range(n)]
    dag = random_dag(nodes, min(2 * n, n * (n - 1) // 2), rng=np.random.default_rng(n))
    ax = draw_dag(dag)
    ax.figure.canvas.draw()
    places = boxes(ax)
    connected = [node for node in nodes if dag.degree(node) or node == nodes[-1]]
    assert set(places) == set(connected)
    assert all(places[source][0] < places[end][0] for source, end in dag.edges)
    assert sum(isinstance(patch, FancyArrowPatch) for patch in ax.patches) == dag.number_of_edges()
    assert len(set(places.values())) == len(places), "no two boxes at the same place"


@pytest.mark.parametrize("seed", range(4))
def test_no_edge_runs_through_the_box_of_a_node_that_it_does_not_touch(seed):
    dag = random_dag([f"x{place}" for place in range(15)], 25, rng=np.random.default_rng(seed))
    ax = draw_dag(dag)
    rectangles = [p.get_path().get_extents() for p in ax.patches if isinstance(p, FancyBboxPatch)]
    for patch in ax.patches:
        if not isinstance(patch, FancyArrowPatch):
            continue
        flat = patch._path_original.cleaned(curves=False).vertices[:-1]  # The last is the end marker.
        inner = flat[(flat[:, 0] > flat[0, 0] + 0.02) & (flat[:, 0] < flat[-1, 0] - 0.02)]
        for box in rectangles:
            inside = (np.abs(inner - [(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2]) < [0.34, 0.3]).all(axis=1)
            assert not inside.any()


def test_labels_lie_within_their_boxes():
    names = [
        "status_of_existing_checking_account",
        "x",
        "number of people being liable to provide maintenance for",
        "y",
    ]
    ax = draw_dag(nx.DiGraph([(names[0], names[1]), (names[1], names[2]), (names[2], names[3])]))
    ax.figure.canvas.draw()
    patches = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    for text, patch in zip([t for t in ax.texts if t.get_zorder() == 3], patches, strict=True):
        inner, outer = text.get_window_extent(), patch.get_window_extent()
        assert inner.width <= outer.width and inner.height <= outer.height


def test_the_width_of_an_edge_is_its_probability():
    dag = nx.DiGraph([("a", "b"), ("a", "c")])
    P = pd.DataFrame(0.0, index=list("abc"), columns=list("abc"))
    P.loc["a", "b"], P.loc["a", "c"] = 0.2, 0.9
    widths = [patch.get_linewidth() for patch in draw_dag(dag, P=P).patches if isinstance(patch, FancyArrowPatch)]
    assert widths[1] > 1.5 * widths[0]


def test_an_edge_that_only_serves_the_label_is_dashed():
    dag = nx.DiGraph()
    dag.add_edge("a", "y", serves_label=True)
    dag.add_edge("b", "y", serves_label=False)
    styles = [patch.get_linestyle() for patch in draw_dag(dag).patches if isinstance(patch, FancyArrowPatch)]
    assert sorted(styles) == ["-", "--"]


def test_the_target_and_its_edges_are_marked_and_lone_nodes_are_named():
    dag = nx.DiGraph([("a", "y"), ("a", "b")])
    dag.add_node("lonely")
    ax = draw_dag(dag, target="y")
    colors = [to_hex(patch.get_edgecolor()).upper() for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    assert colors.count(HIGHLIGHT_COLOR.upper()) == 1
    assert any(text.get_text() == "No edge: lonely" for text in ax.texts)


def test_a_graph_is_drawn_into_the_axes_given():
    ax = plt.subplots()[1]
    assert draw_dag(nx.DiGraph([("a", "b")]), ax=ax) is ax
    assert plot_edge_probabilities(pd.DataFrame([[0.0]], index=["a"], columns=["a"]), ax=plt.subplots()[1])


def test_a_cycle_or_an_unknown_target_is_refused():
    with pytest.raises(ValueError, match="dag has a cycle"):
        draw_dag(nx.DiGraph([("a", "b"), ("b", "a")]))
    with pytest.raises(ValueError, match="target='z'"):
        draw_dag(nx.DiGraph([("a", "b")]), target="z")


@pytest.mark.parametrize("n", [3, 40])
def test_the_heat_map_shows_every_probability_with_the_cause_as_row(n):
    names = [f"x{place}" for place in range(n)]
    P = pd.DataFrame(np.triu(np.random.default_rng(0).random((n, n)), 1), index=names, columns=names)
    ax = plot_edge_probabilities(P)
    np.testing.assert_array_equal(ax.images[0].get_array(), P)
    assert [label.get_text() for label in ax.get_yticklabels()] == names
    assert ax.get_ylabel() == "cause" and ax.get_xlabel() == "effect"
    assert ax.get_yticklabels()[-1].get_color() == HIGHLIGHT_COLOR
    with pytest.raises(ValueError, match="P gives the edge"):
        plot_edge_probabilities(P + 2)


def test_the_words_beside_the_figures_name_what_matters():
    dag = nx.DiGraph([("a", "y"), ("b", "y"), ("y", "c")])
    assert describe_dag(dag, target="y").endswith("The target 'y' has the causes 'a' and 'b' and the effect 'c'.")
    P = pd.DataFrame([[0.0, 0.0], [0.0, 0.0]], index=list("ay"), columns=list("ay"))
    assert describe_edge_probabilities(P).endswith("no edge at all.")
