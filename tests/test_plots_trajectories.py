"""Figures of steps, of early stopping and of choices draw what they are given, and refuse what they can't draw."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt

from causalmix_utils.finetuning import CausalMixFTClassifier
from causalmix_utils.finetuning.steps import LoopSettings, RowPool, draw_step
from causalmix_utils.plots import (
    count_step_rows,
    plot_choices,
    plot_gains_by_table,
    plot_step_composition,
    plot_stopping_rules,
    plot_validation_draws,
)

N_REAL = 60


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def draw(mixing, mix_ratio):
    values = CausalMixFTClassifier(mixing=mixing, mix_ratio=mix_ratio).get_params()
    settings = LoopSettings(**{name: values[name] for name in LoopSettings.__dataclass_fields__})
    pool = RowPool(np.tile([0, 1], N_REAL), n_real=N_REAL)
    return draw_step(pool, settings, 1, np.random.default_rng(0))


def test_every_row_of_a_step_is_counted_once_and_in_its_part():
    context, query = draw("query", 0.5)
    counts = count_step_rows(context, query, n_real=N_REAL)
    assert sum(counts.values()) == len(context) + len(query)
    assert counts["synthetic context"] == 0 and counts["synthetic queries"] > 0


@pytest.mark.parametrize("mixing", ["pool", "query", "staged"])
def test_a_bar_is_as_long_as_its_step_and_its_pieces_are_the_counts(mixing):
    step = draw(mixing, 0.5)
    ax = plot_step_composition({mixing: step}, n_real=N_REAL, title="A step")
    widths = [bar.get_width() for bar in ax.patches]
    assert widths == list(count_step_rows(*step, n_real=N_REAL).values())
    assert [bar.get_x() for bar in ax.patches] == [0, *np.cumsum(widths)[:-1]], "pieces stand one after the other"
    assert [label.get_text() for label in ax.get_yticklabels()] == [mixing]


def test_each_draw_of_validation_rows_has_a_dot_at_its_best_check():
    draws = np.array([[0.6, 0.8, 0.7], [0.9, 0.5, 0.4], [0.6, 0.6, 0.61]])
    ax = plot_validation_draws([0, 5, 10], draws, [0.7, 0.71, 0.7], n_shown=2)
    dots = [tuple(line.get_xydata()[0]) for line in ax.lines if line.get_marker() == "o"]
    assert dots == [(5, 0.8), (0, 0.9)], "of the two draws that are shown"
    assert [list(line.get_ydata()) for line in ax.lines if line.get_linewidth() == 2.5] == [[0.7, 0.71, 0.7]]


@pytest.mark.parametrize("shape, n_truth", [((2, 4), 3), ((3,), 3), ((2, 3), 2)])
def test_draws_that_do_not_fit_the_checks_are_refused(shape, n_truth):
    with pytest.raises(ValueError, match="3 checks"):
        plot_validation_draws([0, 5, 10], np.zeros(shape), np.zeros(n_truth))


@pytest.fixture
def trajectory():
    return pd.DataFrame(
        {"step": [0, 5, 10], "validation_auc": [0.7, 0.8, 0.75], "validation_log_loss": [0.6, 0.5, 0.7]}
    )


def test_a_rule_is_a_bar_up_to_its_last_step_with_a_dot_at_the_step_kept(trajectory):
    figure = plot_stopping_rules(trajectory, {"patient": (5, 10), "hasty": (0, 5)}, title="Two rules")
    curve, strips = figure.axes
    assert len(curve.lines) == 1, "no test column, no test curve"
    bars = [line.get_xdata().tolist() for line in strips.lines if line.get_marker() != "o"]
    dots = [line.get_xdata().tolist() for line in strips.lines if line.get_marker() == "o"]
    assert (bars, dots) == ([[0, 10], [0, 5]], [[5], [0]])
    assert [label.get_text() for label in strips.get_yticklabels()] == ["patient", "hasty"]


def test_rules_can_be_shown_on_the_log_loss(trajectory):
    curve = plot_stopping_rules(trajectory, {"any": (5, 10)}, metric="log_loss").axes[0]
    assert list(curve.lines[0].get_ydata()) == [0.6, 0.5, 0.7]
    assert curve.get_ylabel() == "log-loss"


def test_rules_without_a_run_are_refused(trajectory):
    with pytest.raises(ValueError, match="rules is empty"):
        plot_stopping_rules(trajectory, {})
    with pytest.raises(ValueError, match="metric='log_loss'"):
        plot_stopping_rules(trajectory[["step", "validation_auc"]], {"any": (0, 5)}, metric="log_loss")
    with pytest.raises(ValueError, match="steps is empty"):
        plot_step_composition({}, n_real=3)


@pytest.fixture
def summary():
    rows = []
    for choice, gain in (("usual", 0.01), ("other", -0.02)):
        for generator in ("none", "smote"):
            measures = {"auc_gain": gain, "log_loss_gain": gain / 2, "harm": 0.25}
            ends = {f"{name}_{end}": value + sign * 0.005 for name, value in measures.items()
                    for end, sign in (("low", -1), ("high", 1))}  # fmt: skip
            rows.append({"rule": choice, "generator": generator} | measures | ends)
    return pd.DataFrame(rows)


def test_choices_are_lines_in_their_order_with_points_for_auc_and_per_cent_for_harm(summary):
    figure = plot_choices(summary, by="rule", groups="generator", colors={"none": "black", "smote": "green"})
    auc, log_loss, harm = figure.axes
    assert [label.get_text() for label in auc.get_yticklabels()] == ["usual", "other"]
    drawn = [[line.get_xdata().tolist() for line in ax.lines if line.get_marker() in "os"] for ax in figure.axes]
    assert np.allclose(drawn[0], [[1.0, -2.0]] * 2)
    assert np.allclose(drawn[1], [[0.005, -0.01]] * 2)
    assert np.allclose(drawn[2], [[25.0, 25.0]] * 2)
    ends = auc.collections[0].get_segments()
    assert np.allclose([segment[:, 0] for segment in ends], [[0.5, 1.5], [-2.5, -1.5]])
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {"none", "smote"}


def test_every_group_is_drawn_however_many_there_are(summary):
    names = [f"generator {number}" for number in range(8)]
    many = pd.concat([summary[summary["generator"] == "none"].assign(generator=name) for name in names])
    figure = plot_choices(many, by="rule", groups="generator", colors=dict.fromkeys(names, "black"))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == names


def test_groups_without_a_colour_are_left_out_and_unknown_ones_refused(summary):
    figure = plot_choices(summary, by="rule", groups="generator", colors={"smote": "green"})
    assert not figure.legends
    with pytest.raises(ValueError, match="no row of the groups"):
        plot_choices(summary, by="rule", groups="generator", colors={"causal": "blue"})
    with pytest.raises(ValueError, match="no column 'harm'"):
        plot_choices(summary.drop(columns="harm"), by="rule", groups="generator", colors={"none": "black"})


@pytest.fixture
def gains():
    rng = np.random.default_rng(0)
    runs = [(table, split, arm) for table in "ab" for split in range(4) for arm in ("default", "causal", "smote")]
    frame = pd.DataFrame(runs, columns=["table", "split", "arm"])
    return frame.assign(gain_points=rng.normal(size=len(frame)), log_loss_gain=rng.normal(size=len(frame)))


def test_each_table_is_a_line_of_panels_with_the_mean_of_each_arm(gains):
    figure = plot_gains_by_table(gains, arms=["default", "causal"], title="Two tables")
    panels = np.array(figure.axes).reshape(2, 2)
    for row, table in zip(panels, "ab", strict=True):
        assert row[0].get_title(loc="left") == table
        for ax, value in zip(row, ("gain_points", "log_loss_gain"), strict=True):
            means = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
            of_table = gains[gains["table"] == table].groupby("arm")[value].mean()
            assert np.allclose(means, of_table[["default", "causal"]])
    assert not panels[0, 0].get_xlabel() and panels[1, 0].get_xlabel()


def test_an_arm_or_a_column_that_is_not_there_is_named(gains):
    with pytest.raises(ValueError, match="'ctgan'"):
        plot_gains_by_table(gains, arms=["ctgan"])
    with pytest.raises(ValueError, match="no column 'log_loss_gain'"):
        plot_gains_by_table(gains.drop(columns="log_loss_gain"), arms=["causal"])
