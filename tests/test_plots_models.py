"""Figures of networks and their fine-tuning draw what they are given, and refuse what they can't draw."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from scipy import stats

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.colors import to_rgb

from causalmix_utils.finetuning.steps import RowPool
from causalmix_utils.plots import (
    label_ends,
    plot_differences,
    plot_fine_tuning,
    plot_prior_fitted_network,
    plot_step_rows,
)
from causalmix_utils.plots.style import REAL_COLOR, SYNTHETIC_COLOR


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def trajectory():
    return pd.DataFrame(
        {
            "step": [0, 5, 10],
            "train_loss": [np.nan, 0.6, 0.5],
            "validation_auc": [0.7, 0.9, 0.8],
            "validation_log_loss": [0.6, 0.5, 0.55],
            "test_auc": [0.6, 0.65, 0.7],
            "test_log_loss": [0.6, 0.58, 0.59],
        }
    )


def test_the_drawing_names_its_parts():
    ax = plot_prior_fitted_network(title="One network")
    text = " ".join(label.get_text() for label in ax.texts)
    assert all(part in text for part in ("made-up tables", "context rows", "query rows", "?"))
    assert ax.get_title(loc="left") == "One network"


def test_each_row_of_a_step_has_the_colour_of_its_part():
    context, query = np.array([0, 1, 4]), np.array([2, 5])
    ax = plot_step_rows([(context, query)], n_real=4, n_rows=7)
    (drawn,) = ax.images[0].get_array()
    assert np.allclose(drawn[2], to_rgb(REAL_COLOR))
    assert np.allclose(drawn[5], to_rgb(SYNTHETIC_COLOR))
    assert np.allclose(drawn[[3, 6]], 1.0), "rows that the step does not use are blank"
    assert not np.allclose(drawn[0], drawn[4]), "real and synthetic context rows differ"
    assert {"real rows", "synthetic rows"} <= {text.get_text() for text in ax.texts}


def test_a_pool_without_synthetic_rows_has_no_label_for_them():
    pool = RowPool(np.array([0, 1, 0, 1]), n_real=4)
    ax = plot_step_rows([(pool.real[:2], pool.real[2:])], n_real=4, n_rows=4)
    assert not ax.texts


@pytest.mark.parametrize(
    "steps, message", [([], "steps is empty"), ([(np.array([0]), np.array([9]))], "row 9.*n_rows=4")]
)
def test_impossible_steps_are_refused(steps, message):
    with pytest.raises(ValueError, match=message):
        plot_step_rows(steps, n_real=2, n_rows=4)


def test_a_run_shows_every_check_and_marks_the_step_kept(trajectory):
    figure = plot_fine_tuning(trajectory, best_step=5, title="A run")
    loss, auc, log_loss = figure.axes
    assert [len(line.get_xdata()) for line in loss.lines[:1]] == [2], "no training loss before the first step"
    assert auc.lines[0].get_ydata().tolist() == trajectory["validation_auc"].tolist()
    assert log_loss.lines[1].get_ydata().tolist() == trajectory["test_log_loss"].tolist()
    assert all(ax.lines[-1].get_xdata()[0] == 5 for ax in figure.axes)


def test_a_run_without_test_rows_shows_validation_alone(trajectory):
    figure = plot_fine_tuning(trajectory.drop(columns=["test_auc", "test_log_loss"]), best_step=0)
    assert [text.get_text() for text in figure.axes[1].texts] == ["validation"]


def test_a_run_that_lacks_a_column_is_refused(trajectory):
    with pytest.raises(ValueError, match="no column 'train_loss'"):
        plot_fine_tuning(trajectory.drop(columns="train_loss"), best_step=0)


def test_the_interval_drawn_is_that_of_students_t():
    values = np.array([0.1, 0.3, -0.2, 0.4])
    ax = plot_differences(pd.DataFrame({"a": values, "b": 0.5}), labels={"a": "first"})
    interval = ax.lines[0].get_xdata()
    expected = stats.t.interval(0.95, 3, loc=values.mean(), scale=stats.sem(values))
    assert np.allclose(interval, expected)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["first", "b"]
    # Four equal values have no spread to draw; mean and zero line remain.
    assert len(ax.lines) == 4


def test_nothing_to_compare_is_refused():
    with pytest.raises(ValueError, match="differences has no rows"):
        plot_differences(pd.DataFrame())


def test_names_at_the_ends_of_curves_keep_apart_and_keep_their_order():
    ax = plt.subplots()[1]
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ends = {"low": (1, 0.500), "middle": (1, 0.501), "high": (1, 0.502), "far": (1, 0.9)}
    label_ends(ax, ends, colors=dict.fromkeys(ends, "black"))
    scale = 72 / ax.figure.dpi
    heights = {t.get_text(): ax.transData.transform(t.xy)[1] * scale + t.get_position()[1] for t in ax.texts}
    ordered = [heights[name] for name in ("low", "middle", "high", "far")]
    assert (np.diff(ordered) > 10.9).all()
