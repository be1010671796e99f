"""Figures of claims show the comparisons they are given, and name what is missing."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from causalmix_utils.evaluation.claims import HOLDS, UNTOLD, Comparison
from causalmix_utils.plots import label_comparison, plot_comparisons, plot_left_out, plot_luck, plot_same_summary


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def make(**different):
    fields = {
        "what": "median difference",
        "arm": "causal",
        "against": "smote",
        "value": "gain",
        "estimate": 0.2,
        "low": 0.1,
        "high": 0.3,
        "low_all": 0.05,
        "high_all": 0.35,
        "null": 0.0,
        "without_one": (0.15, 0.25),
        "status": HOLDS,
        "n_tables": 9,
        "n_splits": 9,
        "n_runs": 18,
    }
    return Comparison(**(fields | different))


def test_every_comparison_is_a_line_with_its_interval():
    comparisons = [make(), make(against="default", status=UNTOLD, low=-0.1), make(against="", claimed=0.12)]
    ax = plot_comparisons(comparisons, title="message")
    assert [label.get_text() for label in ax.get_yticklabels()] == [label_comparison(c) for c in comparisons]
    spans = {tuple(line.get_xdata()) for line in ax.lines}
    assert {(0.1, 0.3), (-0.1, 0.3), (0.15, 0.25)} <= spans
    assert "claimed" in [text.get_text() for text in ax.texts]


def test_a_comparison_without_an_interval_can_be_drawn():
    nothing = float("nan")
    empty = make(estimate=nothing, low=nothing, high=nothing, without_one=(nothing, nothing), status=UNTOLD)
    assert len(plot_comparisons([empty]).get_yticklabels()) == 1


def test_labels_say_which_arm_is_subtracted():
    assert label_comparison(make()) == "CausalMixFT − SMOTE"
    assert label_comparison(make(against="")) == "CausalMixFT"
    assert label_comparison(make(kind="ratio")) == "CausalMixFT / SMOTE"
    assert label_comparison(make(kind="ranks")) == "SMOTE − CausalMixFT"


def test_samples_are_shown_with_the_number_of_losing_tables():
    ax = plot_same_summary({"a": np.array([-1.0, 2.0, 3.0]), "b": np.array([1.0, 2.0, 3.0])})
    assert [text.get_text() for text in ax.texts] == ["1 of 3 tables lose", "0 of 3 tables lose"]


def test_luck_is_shown_with_the_share_that_reaches_the_claim():
    ax = plot_luck({"two arms": np.array([0.0, 0.1, 0.2, 0.3])}, claimed=0.15)
    assert ax.get_legend().get_texts()[0].get_text() == "two arms: 50 % reach it"


def test_the_table_that_moves_a_number_most_is_named():
    estimates = pd.DataFrame({"causal": [0.1, 0.1, 0.4]}, index=["a", "b", "c"])
    ax = plot_left_out(estimates, full=pd.Series({"causal": 0.1}))
    assert [text.get_text() for text in ax.texts] == ["without c"]


@pytest.mark.parametrize(
    ("draw", "culprit"),
    [
        (lambda: plot_comparisons([]), "comparisons is empty"),
        (lambda: plot_same_summary({}), "samples is empty"),
        (lambda: plot_luck({}, claimed=0.1), "outcomes is empty"),
        (lambda: plot_left_out(pd.DataFrame(), full=pd.Series(dtype=float)), "estimates has no rows"),
    ],
)
def test_nothing_to_draw_is_named(draw, culprit):
    with pytest.raises(ValueError, match=culprit):
        draw()
