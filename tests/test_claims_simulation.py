"""Simulated claims have the properties that they are made to show."""

import numpy as np
import pytest

from causalmix_utils.evaluation.claims import (
    SHAPES,
    best_of_equal_arms,
    coverage_with_families,
    draw_gains,
    median_after_selection,
    share_told_apart,
)


def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("shape", SHAPES)
def test_gains_of_every_shape_have_the_same_median_and_spread(shape):
    gains = draw_gains(shape, 33, median=0.12, spread=0.63, rng=rng())
    assert np.median(gains) == pytest.approx(0.12)
    assert np.std(gains, ddof=1) == pytest.approx(0.63)


def test_the_shapes_differ_in_how_many_tables_lose():
    losing = {s: (draw_gains(s, 33, median=0.12, spread=0.63, rng=rng()) < 0).mean() for s in SHAPES}
    assert losing["one loud table"] < 0.05 < losing["two groups"] and losing["alike"] > 0.25


def test_the_best_of_more_equal_arms_looks_better_and_a_single_one_looks_like_nothing():
    means = [best_of_equal_arms(n, 33, spread=0.63, rng=rng()).mean() for n in (1, 5, 10)]
    assert abs(means[0]) < 0.01 and means[0] < means[1] < means[2]
    alike = best_of_equal_arms(5, 33, spread=0.63, shared=1.0, rng=rng()).mean()
    assert abs(alike) < 0.01


def test_pairing_helps_where_arms_go_together_and_false_alarms_stay_rare():
    options = {"spreads": (0.63, 0.63), "rng": rng()}
    paired = share_told_apart(0.2, 33, correlation=0.9, paired=True, **options)
    unpaired = share_told_apart(0.2, 33, correlation=0.9, paired=False, **options)
    assert paired > 0.9 > 0.2 > unpaired
    assert share_told_apart(0.0, 33, correlation=0.5, paired=True, **options) < 0.08


def test_tables_chosen_by_the_result_show_a_gain_that_is_not_there():
    by_result, blindly = (
        median_after_selection(50, 33, spread=0.63, reliability=known, rng=rng()) for known in (1.0, 0.0)
    )
    assert by_result > 0.2 and abs(blindly) < 0.02


def test_an_interval_over_tables_keeps_its_promise_only_without_families():
    alone, families = (coverage_with_families(33, family, shared=0.8, rng=rng()) for family in (1, 11))
    # 33 values in order: the interval goes from the 12th to the 22nd, and holds the median in 0.9199 of all cases.
    assert alone == pytest.approx(0.92, abs=0.04)
    assert families < 0.75


@pytest.mark.parametrize(
    ("function", "arguments", "culprit"),
    [
        (draw_gains, {"shape": "odd", "n_tables": 33, "median": 0, "spread": 1}, "'odd'"),
        (draw_gains, {"shape": "alike", "n_tables": 3, "median": 0, "spread": 1}, "n_tables must be .*least 6, got 3"),
        (best_of_equal_arms, {"n_arms": 5, "n_tables": 33, "spread": -1.0}, "got -1.0"),
        (best_of_equal_arms, {"n_arms": 5, "n_tables": 33, "spread": 1.0, "shared": 2}, "shared must .* got 2"),
        (share_told_apart, {"difference": 0, "n_tables": 9, "spreads": (1, 1), "correlation": 3}, "got 3"),
        (median_after_selection, {"n_candidates": 5, "n_kept": 6, "spread": 1.0}, "n_kept .* got 6"),
        (coverage_with_families, {"n_tables": 5, "family": 0, "shared": 0.5}, "family .* got 0"),
    ],
)
def test_impossible_arguments_are_named(function, arguments, culprit):
    positional = [
        arguments.pop(name) for name in ("shape", "n_arms", "difference", "n_candidates") if name in arguments
    ]
    with pytest.raises(ValueError, match=culprit):
        function(*positional, **arguments, rng=rng())
