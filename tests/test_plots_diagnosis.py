"""Figures of mechanisms' skills and of a model's cost draw what they are given and name what they lack."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from causalmix_utils.plots import plot_scm_cost, plot_skills


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def make_nodes(*skills):
    return pd.DataFrame({"skill": [np.nan, *skills]}, index=["root", *"abc"[: len(skills)]])


def test_nodes_with_parents_stand_in_the_order_of_their_best_skill():
    runs = {"linear": [make_nodes(0.5, -0.1), make_nodes(0.7, 0.1)], "boosting": [make_nodes(0.1, 0.2)]}
    ax = plot_skills(runs, title="a message")
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["b", "a"]
    assert ax.get_title(loc="left") == "a message"
    ranges = [tuple(np.round(line.get_xdata(), 3)) for line in ax.lines if len(line.get_xdata()) == 2]
    assert (0.5, 0.7) in ranges and (-0.1, 0.1) in ranges, "the range over the runs"
    dots = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
    assert 0.6 in np.round(dots, 3), "their mean"


def test_skills_are_checked():
    with pytest.raises(ValueError, match="at least one DataFrame"):
        plot_skills({"linear": []})
    with pytest.raises(ValueError, match="no node with a skill"):
        plot_skills({"linear": [make_nodes()]})


def make_growth():
    sizes = [(rows, 20) for rows in (100, 1000, 10_000)] + [(1000, features) for features in (5, 50)]
    lines = [
        {"kind": kind, "rows": rows, "features": features, "fit_seconds": 0.01 * features, "sample_seconds": 0.1}
        for rows, features in sizes
        for kind in ("linear", "boosting")
    ]
    return pd.DataFrame(lines).assign(peak_mb=7.0)


def test_cost_is_drawn_over_rows_and_over_features_with_the_other_one_fixed():
    figure = plot_scm_cost(make_growth())
    seconds_by_rows, seconds_by_features = figure.axes[:2]
    assert [list(line.get_xdata()) for line in seconds_by_rows.lines[:1]] == [[100, 1000, 10_000]]
    assert [list(line.get_xdata()) for line in seconds_by_features.lines[:1]] == [[5, 20, 50]]
    assert figure.axes[2].get_xlabel() == "rows (20 features)"
    assert figure.axes[3].get_xlabel() == "features (1,000 rows)"


def test_cost_is_checked():
    with pytest.raises(ValueError, match="no column 'peak_mb'"):
        plot_scm_cost(make_growth().drop(columns="peak_mb"))
    with pytest.raises(ValueError, match="growth has no rows"):
        plot_scm_cost(make_growth().iloc[:0])
