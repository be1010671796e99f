"""Drawings of marks: every edge is drawn once, each end shows its mark, and the arrows' widths are probabilities."""

import matplotlib as mpl
import networkx as nx
import numpy as np
import pandas as pd
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch

from causalmix_utils.plots import CREDIT_LABELS, draw_marks, draw_neighbourhood, place_in_ring
from causalmix_utils.tables import load_table

PLACES = {"a": (0.0, 0.0), "b": (2.0, 0.0), "c": (2.0, 1.0)}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def P():
    P = pd.DataFrame(0.0, index=["x", "rare", "z", "y"], columns=["x", "rare", "z", "y"])
    P.loc["x", "y"], P.loc["y", "x"], P.loc["rare", "y"], P.loc["x", "z"] = 0.6, 0.2, 0.05, 1.0
    return P


def make_marks(**ends):
    """Marks of a graph over a, b and c; `ab=(1, 2)` is an arrowhead at a and a circle at b."""
    marks = pd.DataFrame(0, index=list("abc"), columns=list("abc"))
    for (first, second), (at_first, at_second) in ends.items():
        marks.loc[first, second], marks.loc[second, first] = at_first, at_second
    return marks


def lines(ax):
    return [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]


def arrowheads(ax):
    """For each line, whether its first and its second end have an arrowhead."""
    styles = [patch.get_arrowstyle().arrow for patch in lines(ax)]
    return [(style.startswith("<|"), style.endswith("|>")) for style in styles]


def circle_places(ax):
    return sorted(tuple(map(float, line.get_xydata()[0])) for line in ax.lines if line.get_marker() == "o")


def texts(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize(
    ("ends", "heads", "circles"),
    [
        ((-1, 1), (False, True), []),
        ((1, -1), (True, False), []),
        ((1, 1), (True, True), []),
        ((-1, -1), (False, False), []),
        ((2, 1), (False, True), [PLACES["a"]]),
        ((2, 2), (False, False), [PLACES["a"], PLACES["b"]]),
    ],
)
def test_each_end_of_an_edge_shows_its_mark(ends, heads, circles):
    ax = draw_marks(make_marks(ab=ends), positions=PLACES)
    assert arrowheads(ax) == [heads]
    assert circle_places(ax) == sorted(circles)
    ax.figure.canvas.draw()


def test_a_dag_and_its_marks_are_drawn_alike():
    dag = nx.DiGraph([("a", "b"), ("c", "b")])
    dag.add_nodes_from("abc")
    drawn = draw_marks(dag, positions=PLACES)
    assert sorted(arrowheads(drawn)) == sorted(
        arrowheads(draw_marks(make_marks(ab=(-1, 1), bc=(1, -1)), positions=PLACES))
    )
    assert texts(drawn) == ["a", "b", "c"]


def test_two_opposite_edges_of_a_digraph_stand_for_an_undirected_one():
    assert arrowheads(draw_marks(nx.DiGraph([("a", "b"), ("b", "a")]))) == [(False, False)]


def test_labels_and_colours_go_to_their_nodes_and_edges_in_either_order():
    marks = make_marks(ab=(-1, 1), bc=(-1, 1))
    ax = draw_marks(marks, positions=PLACES, labels={"a": "first"}, colors={("c", "b"): "#ff0000"})
    assert texts(ax) == ["first", "b", "c"]
    assert [to_hex(line.get_edgecolor()) == "#ff0000" for line in lines(ax)] == [False, True]


def test_line_styles_go_to_their_edges_in_either_order_and_the_others_are_solid():
    marks = make_marks(ab=(-1, 1), ac=(-1, -1), bc=(-1, 1))
    ax = draw_marks(marks, positions=PLACES, styles={("b", "a"): "--", ("b", "c"): ":"})
    assert [line.get_linestyle() for line in lines(ax)] == ["--", "-", ":"]
    ax.figure.canvas.draw()


def test_marks_that_are_no_graph_are_refused():
    with pytest.raises(ValueError, match="0 at both ends"):
        draw_marks(make_marks(ab=(1, 0)))
    with pytest.raises(ValueError, match="must hold -1, 0, 1 or 2"):
        draw_marks(make_marks(ab=(3, 1)))
    with pytest.raises(ValueError, match="same names"):
        draw_marks(make_marks().rename(index={"a": "z"}))
    with pytest.raises(ValueError, match="positions lacks the node 'c'"):
        draw_marks(make_marks(), positions={"a": (0, 0), "b": (1, 0)})


def test_a_neighbourhood_draws_both_directions_with_their_probabilities_as_widths(P):
    ax = draw_neighbourhood(P)
    widths = sorted(line.get_linewidth() for line in lines(ax))
    assert np.diff(widths) == pytest.approx([3 * (0.6 - 0.2)])
    assert texts(ax) == ["y", "x\n0.80"]


def test_a_neighbourhood_holds_the_neighbours_from_the_minimum_on(P):
    assert texts(draw_neighbourhood(P, minimum=0.05)) == ["y", "x\n0.80", "rare\n0.05"]
    assert texts(draw_neighbourhood(P, "z", labels={"x": "cause"})) == ["z", "cause\n1.00"]
    with pytest.raises(ValueError, match="minimum must be a number"):
        draw_neighbourhood(P, minimum=0)
    with pytest.raises(ValueError, match="node='w' is not a column"):
        draw_neighbourhood(P, "w")


def test_a_node_without_neighbours_is_drawn_alone(P):
    ax = draw_neighbourhood(P * 0)
    assert texts(ax) == ["y"]
    ax.figure.canvas.draw()


def test_boxes_in_a_ring_lie_apart_and_within_its_axes():
    places = np.array(list(place_in_ring([f"x{k}" for k in range(21)], width=4.2, height=3.0).values()))
    assert (np.abs(places) <= [4.2, 3.0]).all()
    gaps = np.abs(places[:, None] - places[None])[np.triu_indices(21, 1)]
    assert ((gaps[:, 0] > 1.2) | (gaps[:, 1] > 0.25)).all()


def test_figures_draw_into_the_axes_they_are_given(P):
    given = plt.subplots()[1]
    assert draw_marks(make_marks(), ax=given) is given
    assert draw_neighbourhood(P, ax=given) is given
    assert len(plt.get_fignums()) == 1


def test_every_column_of_the_running_example_has_a_short_name_of_its_own():
    columns = load_table("credit-g").columns
    assert list(CREDIT_LABELS) == columns
    assert len(set(CREDIT_LABELS.values())) == len(columns)
    assert max(map(len, CREDIT_LABELS.values())) <= 16
