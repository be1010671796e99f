"""Figures of synthetic rows and of a benchmark's design draw what they are given and name what they lack."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from causalmix_utils.evaluation import pair_associations
from causalmix_utils.plots import (
    plot_associations,
    plot_generator_cost,
    plot_power,
    plot_protocol,
    plot_row_scores,
    plot_score_means,
)
from causalmix_utils.tables import load_table


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def scores():
    rows = {"generator": ["real", "smote", "smote", "causal", "causal"], "two_sample_auc": [0.5, 0.9, 0.8, 0.7, 0.6]}
    return pd.DataFrame(rows | {"usefulness": [0.8, 0.7, 0.75, 0.6, 0.62]})


def test_each_table_gets_a_panel_with_its_own_associations():
    wine, iris = load_table("wine"), load_table("iris")
    figure = plot_associations({"first": wine, "second": wine.take(np.arange(60))}, labels={"target": "cultivar"})
    panels = [ax for ax in figure.axes if ax.images]
    assert [ax.get_title(loc="left") for ax in panels] == ["first", "second"]
    assert np.allclose(panels[0].images[0].get_array(), pair_associations(wine))
    assert panels[0].get_yticklabels()[-1].get_text() == "cultivar"
    with pytest.raises(ValueError, match="'second' differs in columns"):
        plot_associations({"first": wine, "second": iris})
    with pytest.raises(ValueError, match="at least one table"):
        plot_associations({})


def test_generators_stand_in_the_order_of_the_last_measure_with_real_rows_drawn_through(scores):
    figure = plot_row_scores(scores)
    labels = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert labels == ["real rows", "smote", "causal"]
    assert len(figure.axes) == 2
    assert len(figure.axes[1].collections) == 3
    dashed = [line for line in figure.axes[1].lines if line.get_linestyle() == "--"]
    assert [line.get_xdata()[0] for line in dashed] == [0.8]


def test_scores_are_checked(scores):
    with pytest.raises(ValueError, match="no column 'copies'"):
        plot_row_scores(scores, measures=["copies"])
    with pytest.raises(ValueError, match="no rows"):
        plot_row_scores(scores.iloc[:0])


def test_every_table_counts_equally_in_a_mean_and_differences_are_within_tables():
    rows = [("a", "real", 0.9, 0.5), ("a", "smote", 0.8, 0.9), ("a", "smote", 0.6, 0.9), ("b", "real", 0.6, 0.5)]
    rows += [("b", "smote", 0.5, 0.8), ("a", "causal", 0.5, np.nan), ("b", "causal", 0.5, np.nan)]
    scores = pd.DataFrame(rows, columns=["table", "generator", "usefulness", "two_sample_auc"])
    figure = plot_score_means(scores, minus_real=["usefulness"], title="message")
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["real rows", "smote", "causal"]
    dots = [line.get_xdata()[0] for line in figure.axes[1].lines if line.get_marker() == "o"]
    # smote: a loses 0.2, b loses 0.1; the two splits of a are one value.
    assert np.allclose(dots, [0.0, -0.15, -0.25])
    intervals = [line for line in figure.axes[1].lines if line.get_linewidth() == 2.5]
    assert np.allclose(intervals[1].get_xdata(), [-0.2, -0.1])
    assert "minus that of real rows" in figure.axes[1].get_xlabel()
    assert figure.axes[0].get_ylim() == (2.5, -0.5)
    with pytest.raises(ValueError, match="no column 'table'"):
        plot_score_means(scores.drop(columns="table"))
    with pytest.raises(ValueError, match="generator named 'real'"):
        plot_score_means(scores[scores["generator"] != "real"], minus_real=["usefulness"])


def test_the_cheapest_generator_stands_first_on_logarithmic_axes():
    rows = [("slow", 20.0, 0.1, 300.0), ("quick", 0.01, 0.2, 0.0), ("quick", 0.03, 0.3, 2.0), ("quick", 0.02, 0.4, 0.5)]
    costs = pd.DataFrame(rows, columns=["generator", "fit_seconds", "sample_seconds", "peak_mb"])
    figure = plot_generator_cost(costs)
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["quick", "slow"]
    assert all(ax.get_xscale() == "log" for ax in figure.axes)
    ranges = [list(line.get_xdata()) for line in figure.axes[0].lines if line.get_linewidth() == 2]
    dots = [line.get_xdata()[0] for line in figure.axes[2].lines if line.get_marker() == "o"]
    assert ranges == [[0.01, 0.03], [20.0, 20.0]] and dots == [1.0, 300.0]
    with pytest.raises(ValueError, match="no column 'peak_mb'"):
        plot_generator_cost(costs.drop(columns="peak_mb"))


def test_synthetic_rows_are_in_no_context_that_is_scored():
    ax = plot_protocol(sizes={"train T": 133, "validation V": 67})
    texts = [text.get_text() for text in ax.texts]
    assert "train T\n(133 rows)" in texts
    assert texts.count("scored") == 2
    assert texts.count("context and query") == 2
    assert texts.count("context") == 3
    with pytest.raises(ValueError, match="sizes names 'spare'"):
        plot_protocol(sizes={"spare": 3})


def test_every_difference_has_a_labelled_curve():
    power = pd.DataFrame({0.5: [0.1, 0.9], 1.0: [0.4, 1.0]}, index=[4, 32])
    ax = plot_power(power, unit="points")
    assert {text.get_text() for text in ax.texts} == {"0.5 points", "1 points"}
    curves = [list(line.get_ydata()) for line in ax.lines if len(line.get_xdata()) == 2 and line.get_marker() == "o"]
    assert curves == [[0.1, 0.9], [0.4, 1.0]]
    with pytest.raises(ValueError, match="between 0 and 1"):
        plot_power(power * 2)
    with pytest.raises(ValueError, match="no values"):
        plot_power(power.iloc[:0])
