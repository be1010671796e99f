"""Forest plots, needed tables and costs: everything given is drawn, where it is, and nothing else."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.colors import to_hex

from causalmix_utils.plots import STAGES, arm_color, arm_label, plot_stage_costs, plot_tables_needed, plot_variants


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def compared():
    frame = pd.DataFrame({"variant": np.repeat(["main", "tabarena"], 2), "value": "gain_points"})
    frame["arm"], frame["n_tables"] = ["causal", "smote"] * 2, [33, 33, 5, 5]
    return frame.assign(median_difference=[0.1, -0.2, 0.3, 0.4], low=[0, -0.4, np.nan, 0.2], high=[0.2, 0, np.nan, 0.6])


def test_every_variant_is_a_line_with_its_number_of_tables(compared):
    ax = plot_variants(compared, arms=["causal", "smote"], title="The message")
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    assert names == ["as in the main comparison (33)", "tables of TabArena only (5)"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1], "the main comparison is on top"
    assert ax.get_title(loc="left") == "The message"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [arm_label("causal"), arm_label("smote")]


def test_marks_stand_at_the_medians_and_intervals_where_there_are_some(compared):
    ax = plot_variants(compared)
    marks = [line for line in ax.lines if len(line.get_xdata()) == 1 and line.get_marker() not in "<>"]
    assert sorted(float(mark.get_xdata()[0]) for mark in marks) == [-0.2, 0.1, 0.3, 0.4]
    open_marks = [mark for mark in marks if mark.get_markerfacecolor() == "white"]
    assert sorted(float(mark.get_xdata()[0]) for mark in open_marks) == [0.3, 0.4], "few tables have open marks"
    spans = sorted(tuple(map(float, line.get_xdata())) for line in ax.lines if len(line.get_xdata()) == 2)
    right = ax.get_xlim()[1]
    assert {(0.0, 0.2), (-0.4, 0.0), (0.2, right)} <= set(spans) and len(spans) == 4  # and the line at zero
    arrows = [float(line.get_xdata()[0]) for line in ax.lines if line.get_marker() == ">"]
    assert 0.4 < right < 0.6 and arrows == [right], "few tables do not set the scale, and what is cut is said"
    assert to_hex(marks[0].get_color()) == arm_color("causal").lower()


def test_fewer_tables_needed_for_larger_differences_are_drawn_as_curves():
    needed = pd.DataFrame({0.5: [60, 30], 1.0: [18, 9]}, index=[1, 10])
    ax = plot_tables_needed(needed, available=33, unit="points")
    curves = [line for line in ax.lines if line.get_marker() == "o"]
    assert [list(curve.get_ydata()) for curve in curves] == [[60, 30], [18, 9]]
    assert {"33 tables", "0.5 points", "1 points"} == {text.get_text() for text in ax.texts}


def test_a_bar_is_as_long_as_its_stages_together():
    seconds = pd.DataFrame({"generator_fit": [2.0, np.nan], "fine_tuning": [3.0, 4.0]}, index=["causal", "default"])
    ax = plot_stage_costs(seconds, memory=pd.Series({"causal": 900.0, "default": 800.0}))
    ends = {
        arm: max(bar.get_x() + bar.get_width() for bar in ax.patches[line::2]) for line, arm in enumerate(seconds.index)
    }
    assert ends == {"causal": 5.0, "default": 4.0}
    assert [text.get_text().strip() for text in ax.texts] == ["0.9 GB", "0.8 GB"]
    assert len({color for _, color in STAGES.values()}) == len(STAGES)


def test_what_cannot_be_drawn_is_named(compared):
    with pytest.raises(ValueError, match="value must be one of .*got 'auc'"):
        plot_variants(compared, value="auc")
    with pytest.raises(ValueError, match="arms must be one to eight of .*got"):
        plot_variants(compared, arms=["tabebm"])
    with pytest.raises(ValueError, match="needed has no rows"):
        plot_tables_needed(pd.DataFrame())
    with pytest.raises(ValueError, match="seconds has the column 'lunch'"):
        plot_stage_costs(pd.DataFrame({"lunch": [1.0]}, index=["causal"]))
    with pytest.raises(ValueError, match="seconds has no rows"):
        plot_stage_costs(pd.DataFrame())
