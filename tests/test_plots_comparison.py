"""Figures that compare models show every table and model they are given, and refuse what they can't draw."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.colors import to_hex

from benchmarks.compare_models import MODELS
from causalmix_utils.plots import MODEL_COLORS, MODEL_LABELS, plot_differences, plot_model_means, plot_scores_by_table


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def by_table():
    return pd.DataFrame(
        {"random_forest": [0.7, 0.98], "nano_4": [0.8, 0.99], "another": [0.75, 0.97]}, index=["hard", "simple"]
    )


@pytest.fixture
def summary():
    columns = {"mean": [0.8, 0.7], "low": [0.75, 0.6], "high": [0.85, 0.8]}
    return pd.DataFrame(columns, index=["nano_4", "random_forest"])


def test_every_model_that_is_compared_has_a_colour_and_a_label_of_its_own():
    assert set(MODEL_COLORS) == set(MODEL_LABELS) == set(MODELS)
    assert len(set(MODEL_COLORS.values())) == len(set(MODEL_LABELS.values())) == len(MODELS)


def test_every_table_is_a_line_and_every_model_a_mark(by_table):
    ax = plot_scores_by_table(by_table, highlight="nano_4", easy=["simple"], title="All tables")
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["hard", "simple *"]
    assert ax.get_title(loc="left") == "All tables"
    marks = {dots.get_label(): dots for dots in ax.collections if not dots.get_label().startswith("_")}
    assert set(marks) == {MODEL_LABELS["nano_4"], MODEL_LABELS["random_forest"], "another"}
    judged = marks[MODEL_LABELS["nano_4"]]
    assert judged.get_offsets().tolist() == [[0.8, 0], [0.99, 1]]
    assert judged.get_sizes()[0] > marks["another"].get_sizes()[0]


def test_means_and_intervals_are_drawn_where_they_are(summary):
    fewer = summary.assign(low=np.nan, high=np.nan)
    ax = plot_model_means({"200 rows": summary, "500 rows": fewer}, models=["random_forest", "nano_4"])
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["random forest", "nano, 4 estimators"]
    lines = [line.get_xdata().tolist() for line in ax.lines if len(line.get_xdata()) == 2]
    assert lines == [[0.6, 0.8], [0.75, 0.85]], "no interval where there is none"
    means = [line for line in ax.lines if len(line.get_xdata()) == 1]
    assert [line.get_xdata()[0] for line in means] == [0.7, 0.8, 0.7, 0.8]
    assert to_hex(means[0].get_markerfacecolor()) == MODEL_COLORS["random_forest"].lower()
    assert means[2].get_markerfacecolor() == "white"
    assert [text.get_text() for text in ax.texts] == ["200 rows", "500 rows"]


def test_intervals_of_differences_can_be_given():
    differences = pd.DataFrame({"random_forest": [0.1, -0.2, 0.3]})
    ax = plot_differences(differences, intervals={"random_forest": (-0.05, 0.2)})
    assert ax.lines[0].get_xdata().tolist() == [-0.05, 0.2]


def test_what_cannot_be_drawn_is_named(by_table, summary):
    with pytest.raises(ValueError, match="scores has no rows"):
        plot_scores_by_table(by_table.iloc[:0], highlight="nano_4")
    with pytest.raises(ValueError, match="highlight must be one of .*got 'boosting'"):
        plot_scores_by_table(by_table, highlight="boosting")
    with pytest.raises(ValueError, match="summaries is empty"):
        plot_model_means({}, models=["nano_4"])
    with pytest.raises(ValueError, match="models names 'boosting', which series 'a' lacks"):
        plot_model_means({"a": summary}, models=["boosting"])
