"""Figures: what is drawn is what the data say, and nothing is shown or left open by drawing."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.colors import to_hex, to_rgb

from causalmix_utils.benchmark import ARMS
from causalmix_utils.evaluation import add_gains, average_ranks, per_table
from causalmix_utils.generators import make_generator
from causalmix_utils.plots import (
    ARM_COLORS,
    ARM_LABELS,
    arm_color,
    arm_label,
    plot_gains,
    plot_gap,
    plot_marginals,
    plot_ranks,
    plot_trajectory,
)
from causalmix_utils.tables import load_table, scarce_split


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def results():
    rng = np.random.default_rng(0)
    rows = [
        {"table": f"t{table}", "split": split, "arm": arm, "auc": 0.8 + (arm != "zero_shot") * rng.normal(0.02, 0.02)}
        for table in range(8)
        for split in range(2)
        for arm in ["zero_shot", "default", "causal", "smote"]
    ]
    frame = pd.DataFrame(rows).assign(log_loss=0.5)
    return frame.assign(optimism_gap=rng.normal(size=len(frame)), tracking_gap=rng.uniform(0, 2, size=len(frame)))


@pytest.fixture
def trajectory():
    return pd.DataFrame({"step": [0, 5, 10], "validation_auc": [0.7, 0.9, 0.8], "test_auc": [0.6, 0.65, 0.7]})


def label_texts(ax):
    return [text.get_text() for text in ax.texts]


def test_every_arm_of_the_benchmark_has_its_own_colour_and_name():
    assert set(ARMS) <= set(ARM_COLORS)
    assert set(ARM_COLORS) == set(ARM_LABELS)
    assert len(set(ARM_COLORS.values())) == len(set(ARM_LABELS.values())) == len(ARM_COLORS)


def test_arm_colours_stay_apart_for_readers_with_a_red_green_deficiency():
    # Linear model of deuteranopia and protanopia after Viénot, Brettel and Mollon (1999).
    to_lms = np.array([[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]])
    protan = np.array([[0, 2.02344, -2.52581], [0, 1, 0], [0, 0, 1]])
    deutan = np.array([[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]])
    colors = np.array([to_rgb(color) for color in ARM_COLORS.values()]) ** 2.2
    for deficiency in (protan, deutan):
        seen = colors @ (np.linalg.inv(to_lms) @ deficiency @ to_lms).T
        seen = np.clip(seen, 0, 1) ** (1 / 2.2)
        distance = np.linalg.norm(seen[:, None] - seen[None], axis=2)
        assert distance[np.triu_indices(len(seen), 1)].min() > 0.08


def test_an_unknown_arm_is_drawn_quietly_under_its_own_name():
    assert arm_label("my_generator") == "my generator"
    assert arm_color("my_generator") not in set(ARM_COLORS.values()) - {ARM_COLORS["default_again"]}


def test_gains_show_each_arms_median_over_tables_best_first(results):
    ax = plot_gains(results)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    medians = per_table(add_gains(results)).median().drop("zero_shot").sort_values(ascending=False)
    assert labels == [arm_label(arm) for arm in medians.index]
    drawn = {to_hex(line.get_color()).upper(): line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"}
    for arm, median in medians.items():
        assert drawn[arm_color(arm).upper()] == pytest.approx(median)


def test_gains_keep_the_order_of_arms_that_is_asked_for(results):
    ax = plot_gains(results, arms=["smote", "causal"], value="gain_points")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["SMOTE", "CausalMixFT"]
    assert "points" in ax.get_xlabel()


def test_gains_refuse_an_arm_without_runs(results):
    with pytest.raises(ValueError, match="'ctgan', which has no runs"):
        plot_gains(results, arms=["causal", "ctgan"])


def test_tables_far_out_do_not_squeeze_the_others(results):
    results = add_gains(results)
    plain, spread = plot_gains(results), results.assign(gain=results["gain"] * 10)
    near = plot_gains(results, linear_up_to=5)
    assert near.get_xscale() == "linear" and near.get_xlim() == plain.get_xlim(), "nothing lies beyond"
    far = plot_gains(spread, linear_up_to=0.5)
    assert far.get_xscale() == "symlog" and far.get_xlim() == plot_gains(spread).get_xlim()
    labels = [label.get_text().replace("−", "-") for label in far.get_xticklabels()]
    assert [float(label) for label in labels] == list(far.get_xticks()) and "0" in labels
    with pytest.raises(ValueError, match="linear_up_to must be a finite number above 0, got 0"):
        plot_gains(results, linear_up_to=0)


def test_ranks_are_written_beside_each_arm(results):
    ax = plot_ranks(results)
    texts = " ".join(label_texts(ax))
    assert "critical difference" in texts
    fine_tuned = add_gains(results).query("arm != 'zero_shot'")
    for arm, rank in average_ranks(fine_tuned).items():
        assert f"({rank:.2f})" in texts
        assert arm_label(arm) in texts


@pytest.mark.parametrize("value", ["optimism_gap", "tracking_gap"])
def test_gap_puts_the_arm_that_validation_misled_least_on_top(results, value):
    ax = plot_gap(results, value=value)
    medians = per_table(results.query("arm != 'zero_shot'"), value=value).median()
    assert ax.get_yticklabels()[0].get_text() == arm_label(medians.idxmin())


def test_gap_is_one_of_two_readings(results):
    with pytest.raises(ValueError, match="got 'gap'"):
        plot_gap(results, value="gap")


def test_trajectory_labels_both_curves_and_marks_the_chosen_step(trajectory):
    ax = plot_trajectory(trajectory)
    assert {"validation", "test", "chosen: step 5"} <= set(label_texts(ax))
    assert "chosen: step 10" in label_texts(plot_trajectory(trajectory, best_step=10))


def test_trajectory_without_a_test_part_draws_validation_alone(trajectory):
    texts = label_texts(plot_trajectory(trajectory.drop(columns="test_auc")))
    assert "validation" in texts
    assert "test" not in texts


def test_figures_draw_into_the_axes_they_are_given(results, trajectory):
    given = plt.subplots()[1]
    for draw in (lambda: plot_gains(results, ax=given), lambda: plot_trajectory(trajectory, ax=given)):
        assert draw() is given
    assert len(plt.get_fignums()) == 1


def test_figures_name_a_missing_column(results, trajectory):
    with pytest.raises(ValueError, match="no column 'validation_auc'"):
        plot_trajectory(trajectory.drop(columns="validation_auc"))
    with pytest.raises(ValueError, match="no column 'arm'"):
        plot_gains(results.drop(columns="arm"))


def test_marginals_of_a_real_table_with_missing_values_and_categories():
    train, _, _ = scarce_split(load_table("credit-g"), n=120, split=0)
    rng = np.random.default_rng(0)
    synthetic = make_generator("independent").fit(train, rng=rng).sample(80, rng=rng)
    figure = plot_marginals(train, synthetic, columns=[train.target, train.numerical[0], train.categorical[0]])
    titles = [ax.get_title(loc="left") for ax in figure.axes if ax.get_visible()]
    assert len(titles) == 3
    assert titles[0] == train.target
    figure.canvas.draw()


def test_marginals_draw_shares_that_sum_to_one():
    train, _, _ = scarce_split(load_table("titanic"), n=120, split=0)
    figure = plot_marginals(train, train.take(range(40)), columns=[train.target])
    filled = [patch.get_height() for patch in figure.axes[0].patches if patch.get_fill()]
    outlined = [patch.get_height() for patch in figure.axes[0].patches if not patch.get_fill()]
    assert sum(filled) == pytest.approx(1)
    assert outlined == pytest.approx(train.y.value_counts(normalize=True).tolist())


def test_marginals_refuse_tables_with_different_columns():
    with pytest.raises(ValueError, match="differ in columns"):
        plot_marginals(load_table("titanic"), load_table("wine"))
    with pytest.raises(ValueError, match="'sex of cabin', which is not a column"):
        plot_marginals(load_table("titanic"), load_table("titanic"), columns=["sex of cabin"])
