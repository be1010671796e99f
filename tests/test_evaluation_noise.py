"""The noise floor, the spread within and between tables, and the number of tables that a difference needs."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalmix_utils.evaluation import noise_floor, simulate_power, spread_of_differences, tables_needed


def draw_runs(*, between, within, n_tables, n_splits, seed=0):
    """Two arms whose difference has a mean for each table and noise for each split; both share the split's level."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame([(f"t{t}", s) for t in range(n_tables) for s in range(n_splits)], columns=["table", "split"])
    level = rng.normal(0, 5, len(frame))
    true = np.repeat(rng.normal(0, between, n_tables), n_splits)
    difference = true + rng.normal(0, within, len(frame))
    return pd.concat(
        [
            frame.assign(arm="default", gain_points=level),
            frame.assign(arm="causal", gain_points=level + difference),
        ],
        ignore_index=True,
    )


def test_the_spread_is_taken_apart_into_tables_and_splits():
    runs = draw_runs(between=1.0, within=2.0, n_tables=3000, n_splits=4)
    spread = spread_of_differences(runs, arm="causal")
    assert spread["between"] == pytest.approx(1.0, abs=0.1)
    assert spread["within"] == pytest.approx(2.0, abs=0.1)
    assert (spread["n_tables"], spread["n_splits"]) == (3000, 4)


def test_the_level_that_both_arms_share_does_not_count():
    runs = draw_runs(between=1.0, within=0.5, n_tables=20, n_splits=3)
    lifted = runs.assign(gain_points=runs["gain_points"] + runs.groupby(["table", "split"]).ngroup() * 7.0)
    first, second = (spread_of_differences(frame, arm="causal") for frame in (runs, lifted))
    assert first == pytest.approx(second)


def test_equal_splits_have_no_spread_within_and_pure_noise_none_between():
    exact = spread_of_differences(draw_runs(between=1.0, within=0.0, n_tables=9, n_splits=2), arm="causal")
    assert exact["within"] == pytest.approx(0, abs=1e-9) and exact["between"] > 0.3
    runs = pd.DataFrame({"table": list("aabb") * 2, "split": [0, 1] * 4, "arm": ["default"] * 4 + ["causal"] * 4})
    noise = spread_of_differences(runs.assign(gain_points=[0, 0, 0, 0, -1, 1, 1, -1]), arm="causal")
    assert noise["between"] == 0 and noise["within"] > 1


def test_one_table_or_one_split_leaves_the_parts_unknown():
    for sizes in ({"n_tables": 1, "n_splits": 4}, {"n_tables": 4, "n_splits": 1}):
        spread = spread_of_differences(draw_runs(between=1, within=1, **sizes), arm="causal")
        assert np.isnan([spread["between"], spread["within"]]).all()


def test_the_noise_floor_is_the_seeds_share_of_a_runs_variance():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame([(f"t{t}", s) for t in range(400) for s in range(2)], columns=["table", "split"])
    runs = pd.concat(frame.assign(arm=arm, gain_points=rng.normal(0, 0.7, 800)) for arm in ("default", "default_again"))
    floor = noise_floor(runs)
    assert floor["run_std"] == pytest.approx(0.7, abs=0.05)
    assert floor["typical"] < floor["largest"]
    assert (floor["n_tables"], floor["n_runs"]) == (400, 800)
    same = noise_floor(runs.assign(gain_points=1.0))
    assert same["run_std"] == same["largest"] == 0


def test_a_run_without_its_partner_is_left_out_and_an_absent_arm_named():
    runs = draw_runs(between=1, within=1, n_tables=5, n_splits=2)
    fewer = runs[~((runs["arm"] == "default") & (runs["table"] == "t0"))]
    assert spread_of_differences(fewer, arm="causal")["n_tables"] == 4
    with pytest.raises(ValueError, match="arm='default_again' has no runs"):
        noise_floor(runs)
    with pytest.raises(ValueError, match="baseline='smote' has no runs"):
        spread_of_differences(runs, arm="causal", baseline="smote")


def test_regimes_are_not_mixed_and_only_paired_runs_count():
    runs = pd.DataFrame({"table": "a", "split": [0, 0, 1], "arm": ["default", "default_again", "default"]})
    runs = runs.assign(gain_points=[0.0, 1.0, 100.0], regime=600)
    assert noise_floor(runs)["typical"] == 1.0
    mixed = pd.concat([runs, runs.assign(regime=200)], ignore_index=True)
    with pytest.raises(ValueError, match="mixes several values of 'regime'"):
        noise_floor(mixed)
    with pytest.raises(ValueError, match="mixes several values of 'regime'"):
        spread_of_differences(mixed, arm="default_again")


@pytest.mark.parametrize("size", [0.25, 0.4, 0.6, 0.8])
def test_with_the_tables_needed_the_difference_is_seen_as_often_as_asked(size):
    n_tables = tables_needed(size, 1.0)
    assert simulate_power(size, 1.0, n_tables, rng=np.random.default_rng(0)) == pytest.approx(0.8, abs=0.03)


def test_more_tables_are_needed_for_smaller_differences_higher_power_and_stricter_levels():
    assert tables_needed(0.25, 1.0) > tables_needed(0.5, 1.0) > tables_needed(1.0, 1.0) >= 6
    assert tables_needed(0.5, 1.0, power=0.9) > tables_needed(0.5, 1.0)
    assert tables_needed(0.5, 1.0, alpha=0.005) > tables_needed(0.5, 1.0)
    assert tables_needed(-0.5, 2.0) == tables_needed(0.25, 1.0)
    assert tables_needed(50.0, 1.0, alpha=0.005) == 9  # 2 ** -8 is the first of the smallest p-values below 0.005


@settings(max_examples=30)
@given(st.floats(0.02, 50), st.floats(1.0, 3.0), st.floats(0.001, 0.2))
def test_a_larger_difference_never_needs_more_tables(size, factor, alpha):
    assert tables_needed(size * factor, 1.0, alpha=alpha) <= tables_needed(size, 1.0, alpha=alpha)


def test_impossible_wishes_are_named():
    with pytest.raises(ValueError, match="effect=0 with spread=1.0 would need more"):
        tables_needed(0, 1.0)
    with pytest.raises(ValueError, match="power must be a number between 0 and 1, both excluded, got 80"):
        tables_needed(0.5, 1.0, power=80)
    with pytest.raises(ValueError, match="spread must be a finite number above 0, got 0"):
        tables_needed(0.5, 0)
