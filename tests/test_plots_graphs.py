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

from causalmix_utils.discovery import edge_stability
from causalmix_utils.graphs import random_dag
from causalmix_utils.plots import (
    describe_dag,
    draw_dag,
    draw_neighbourhood,
    plot_edge_probabilities,
    plot_edge_stability,
)
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
    with pytest.raises(ValueError, match="target='z' is not a column of P"):
        plot_edge_probabilities(P, target="z")


@pytest.mark.parametrize("n", [5, 20, 60, 130])
def test_labels_of_the_heat_map_do_not_cover_each_other(n):
    names = [f"measurement_{place}" for place in range(n - 1)] + ["y"]
    values = np.triu(np.random.default_rng(n).random((n, n)) ** 6, 1)
    values[n // 2 : min(n // 2 + 8, n - 1), -1] = 0.9  # Neighbours that stand side by side in the heat map.
    heat = plot_edge_probabilities(pd.DataFrame(values, index=names, columns=names), title="all")
    heat.figure.canvas.draw()
    labels = [label for label in heat.get_yticklabels() if label.get_text()]
    assert "y" in [label.get_text() for label in labels] and len(labels) >= min(n, 5)
    heights = sorted((label.get_window_extent().y0, label.get_window_extent().y1) for label in labels)
    overlaps = [upper[0] - lower[1] for lower, upper in zip(heights[:-1], heights[1:], strict=True)]
    assert min(overlaps) > -0.35 * labels[0].get_window_extent().height
    assert heat.figure.get_size_inches()[0] <= 13


def test_more_neighbours_than_fit_are_counted_in_words():
    names = [f"x{place}" for place in range(30)]
    P = pd.DataFrame(0.0, index=names, columns=names)
    P.loc[names[:-1], names[-1]] = np.linspace(0.2, 1, 29)
    ax = draw_neighbourhood(P, most=10)
    drawn = [text.get_text() for text in ax.texts]
    assert "x28\n1.00" in drawn and "x0\n0.20" not in drawn
    assert any(text.startswith("and 19 more with a probability of at most 0.74") for text in drawn)


def test_the_intervals_of_stable_edges_are_drawn_apart_from_the_others():
    P = pd.DataFrame([[0, 0.3, 1], [0, 0, 0.55], [0, 0, 0]], index=list("aby"), columns=list("aby"))
    stability = edge_stability(P, n_resamples=20)
    ax = plot_edge_stability(stability)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a – y", "b – y", "a – b"]
    lines = [line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_linestyle() == "-"]
    np.testing.assert_allclose([line.get_xdata() for line in lines], stability[["low", "high"]])
    colors = [to_hex(line.get_color()) for line in lines]
    assert colors[0] != colors[1] == colors[2]
    at_target = plot_edge_stability(stability, target="y")
    assert [label.get_text() for label in at_target.get_yticklabels()] == ["a", "b"]
    with pytest.raises(ValueError, match="no edge at 'z'"):
        plot_edge_stability(stability, target="z")


def test_the_words_beside_the_figures_name_what_matters():
    dag = nx.DiGraph([("a", "y"), ("b", "y"), ("y", "c")])
    assert describe_dag(dag, target="y").endswith("The target 'y' has the causes 'a' and 'b' and the effect 'c'.")
