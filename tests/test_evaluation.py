"""Metrics, gains, summaries and tests: against values worked out by hand, and by their invariants."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from causalmix_utils.evaluation import (
    add_gains,
    average_ranks,
    bootstrap_interval,
    compare_arms,
    critical_difference,
    expected_calibration_error,
    friedman_test,
    gain_in_points,
    intervals_by_arm,
    log_loss,
    median_over_tables,
    min_max_score,
    nemenyi_p_values,
    normalised_gain,
    per_table,
    roc_auc,
    summarise_arms,
    validation_test_gap,
)

some_examples = settings(max_examples=40)

aucs = st.floats(0.0, 1.0)
open_aucs = st.floats(0.0, 0.99)


@st.composite
def predictions(draw, *, max_classes=5):
    """True classes (at least two of them) and probabilities in 64ths, so that they sum to one without rounding."""
    n_classes = draw(st.integers(2, max_classes))
    n_rows = draw(st.integers(4, 30))
    codes = draw(arrays(int, n_rows, elements=st.integers(0, n_classes - 1)).filter(lambda c: len(np.unique(c)) > 1))
    cuts = draw(arrays(int, (n_rows, n_classes - 1), elements=st.integers(0, 64)))
    edges = np.column_stack([np.zeros(n_rows, int), np.sort(cuts, axis=1), np.full(n_rows, 64)])
    classes = [f"c{code}" for code in range(n_classes)]
    return [classes[code] for code in codes], np.diff(edges, axis=1) / 64, classes


@st.composite
def results_frames(draw):
    """Runs of three arms on some tables and splits; every arm everywhere."""
    n_tables, n_splits = draw(st.integers(2, 6)), draw(st.integers(1, 3))
    index = pd.MultiIndex.from_product(
        [[f"t{i}" for i in range(n_tables)], range(n_splits), ["default", "causal", "smote"]],
        names=["table", "split", "arm"],
    )
    gain = draw(arrays(float, len(index), elements=st.floats(-1, 1, width=32)))
    return pd.DataFrame({"gain": gain}, index=index).reset_index()


# Metrics


def test_roc_auc_of_three_classes_is_the_mean_over_one_versus_rest():
    y = ["a", "a", "b", "c"]
    proba = np.array([[0.6, 0.3, 0.1], [0.3, 0.4, 0.3], [0.4, 0.5, 0.1], [0.2, 0.3, 0.5]])
    # a: of the pairs with another class, row 0 wins both and row 1 one → 3 of 4; b and c: 0.5 beats all others.
    assert roc_auc(y, proba, ["a", "b", "c"]) == pytest.approx((0.75 + 1 + 1) / 3)


def test_roc_auc_counts_a_tie_half():
    assert roc_auc(["n", "y", "y"], [[0.5, 0.5], [0.5, 0.5], [0.1, 0.9]], ["n", "y"]) == pytest.approx(0.75)


def test_roc_auc_leaves_out_a_class_without_rows():
    y = ["a", "a", "b"]
    proba = np.array([[0.6, 0.2, 0.2], [0.2, 0.6, 0.2], [0.3, 0.4, 0.3]])
    # a: 0.6 > 0.3, 0.2 < 0.3 → 1/2; b: 0.4 > 0.2, 0.4 < 0.6 → 1/2; c has no rows.
    assert roc_auc(y, proba, ["a", "b", "c"]) == pytest.approx(0.5)


@some_examples
@given(predictions())
def test_metrics_do_not_depend_on_the_order_of_rows_or_classes(case):
    y, proba, classes = case
    rows, columns = np.arange(len(y))[::-1], np.roll(np.arange(len(classes)), 1)
    turned = ([y[row] for row in rows], proba[rows][:, columns], [classes[column] for column in columns])
    assert roc_auc(*turned) == pytest.approx(roc_auc(y, proba, classes))
    assert log_loss(*turned) == pytest.approx(log_loss(y, proba, classes))


@some_examples
@given(predictions(max_classes=2))
def test_two_classes_have_the_same_auc_by_either_column(case):
    y, proba, classes = case
    as_three = np.column_stack([proba, np.zeros(len(y))])
    assert roc_auc(y, proba, classes) == pytest.approx(roc_auc(y, as_three, [*classes, "never"]))


@some_examples
@given(predictions())
def test_metrics_stay_in_their_range(case):
    assert 0 <= roc_auc(*case) <= 1
    assert log_loss(*case) >= 0
    assert 0 <= expected_calibration_error(*case) <= 1


def test_log_loss_is_the_mean_surprise_at_the_true_class():
    assert log_loss(["a", "b"], [[0.8, 0.2], [0.6, 0.4]], ["a", "b"]) == pytest.approx(-(np.log(0.8) + np.log(0.4)) / 2)


def test_log_loss_of_a_wrong_certainty_is_large_but_finite():
    assert 30 < log_loss(["a"], [[0.0, 1.0]], ["a", "b"]) < 40


def test_calibration_error_by_hand():
    y = ["a", "a", "b", "b"]
    proba = np.array([[0.95, 0.05], [0.92, 0.08], [0.65, 0.35], [0.3, 0.7]])
    # Bin (0.9, 1]: two rows, both right, mean confidence .935; (0.6, 0.7]: one wrong at .65 and one right at .7.
    assert expected_calibration_error(y, proba, ["a", "b"]) == pytest.approx((2 * 0.065 + abs(1.35 - 1)) / 4)


@pytest.mark.parametrize("metric", [roc_auc, log_loss, expected_calibration_error])
@pytest.mark.parametrize(
    ("y", "proba", "message"),
    [
        (["a", "z"], [[0.5, 0.5], [0.5, 0.5]], "'z', which is not in classes"),
        (["a", "b"], [[0.5, 0.5]], r"shape \(2, 2\), got \(1, 2\)"),
        (["a", "b"], [[np.nan, 0.5], [0.5, 0.5]], "got nan"),
        (["a", "b"], [[1.5, 0.5], [0.5, 0.5]], "got 1.5"),
        ([], np.empty((0, 2)), "no rows"),
    ],
)
def test_metrics_name_what_is_wrong_with_predictions(metric, y, proba, message):
    with pytest.raises(ValueError, match=message):
        metric(y, proba, ["a", "b"])


def test_roc_auc_refuses_a_single_class_and_names_it():
    with pytest.raises(ValueError, match="one class only, 'a'"):
        roc_auc(["a", "a"], [[0.5, 0.5], [0.2, 0.8]], ["a", "b"])


# Gains


@some_examples
@given(open_aucs)
def test_gain_is_zero_at_zero_shot_and_one_at_perfection(zero_shot):
    assert normalised_gain(zero_shot, zero_shot) == 0
    assert normalised_gain(1.0, zero_shot) == pytest.approx(1)


@some_examples
@given(aucs, open_aucs)
def test_normalised_gain_has_the_sign_of_the_gain_in_points(auc, zero_shot):
    assert np.sign(normalised_gain(auc, zero_shot)) == np.sign(gain_in_points(auc, zero_shot))


@some_examples
@given(st.lists(st.tuples(aucs, aucs), min_size=1, max_size=10))
def test_gains_of_arrays_are_the_gains_of_their_entries(pairs):
    auc, zero_shot = np.array(pairs).T
    entries = [normalised_gain(float(a), float(z)) for a, z in pairs]
    np.testing.assert_allclose(normalised_gain(auc, zero_shot), entries)
    by_name = normalised_gain(pd.Series(auc), pd.Series(zero_shot).iloc[::-1])
    np.testing.assert_allclose(by_name.loc[range(len(auc))].to_numpy(), entries)


def test_gain_is_undefined_where_nothing_was_left_to_gain():
    assert np.isnan(normalised_gain(1.0, 1.0))
    assert np.isnan(normalised_gain(0.9, 1.0))


@pytest.mark.parametrize(("auc", "zero_shot", "message"), [(1.2, 0.5, "^auc must"), (0.5, -0.1, "auc_zero_shot must")])
def test_gain_refuses_what_is_no_auc(auc, zero_shot, message):
    with pytest.raises(ValueError, match=message):
        normalised_gain(auc, zero_shot)


def test_add_gains_compares_with_the_zero_shot_run_of_the_same_table_and_split():
    runs = pd.DataFrame(
        {
            "table": ["t", "t", "t", "t", "u"],
            "split": [0, 0, 1, 1, 0],
            "arm": ["zero_shot", "causal", "causal", "zero_shot", "causal"],
            "auc": [0.8, 0.9, 0.7, 0.6, 0.9],
            "log_loss": [0.5, 0.4, 0.7, 0.6, 0.3],
        },
        index=[5, 6, 7, 8, 9],
    )
    added = add_gains(runs)
    assert added.index.tolist() == [5, 6, 7, 8, 9]
    np.testing.assert_allclose(added["gain"], [0, 0.5, 0.25, 0, np.nan])
    np.testing.assert_allclose(added["gain_points"], [0, 10, 10, 0, np.nan])
    np.testing.assert_allclose(added["log_loss_gain"], [0, 0.1, -0.1, 0, np.nan], atol=1e-12)
    pd.testing.assert_frame_equal(add_gains(added), added)


def test_add_gains_keeps_regimes_and_checkpoints_apart():
    runs = pd.DataFrame(
        {"table": "t", "split": 0, "arm": ["zero_shot", "causal"] * 2, "regime": [200, 200, 600, 600]}
        | {"auc": [0.6, 0.8, 0.8, 0.9], "log_loss": 0.5}
    )
    np.testing.assert_allclose(add_gains(runs)["gain"], [0, 0.5, 0, 0.5])


@some_examples
@given(results_frames())
def test_min_max_scores_are_one_for_the_best_arm_and_do_not_show_the_scale(runs):
    scores = min_max_score(runs, value="gain")
    per_split = scores.groupby([runs["table"], runs["split"]])
    told_apart = runs.groupby(["table", "split"])["gain"].nunique() > 1
    assert (per_split.max()[told_apart] == 1).all() and (per_split.min()[told_apart] == 0).all()
    assert per_split.max()[~told_apart].isna().all()
    np.testing.assert_allclose(min_max_score(runs.assign(gain=2 * runs["gain"]), value="gain"), scores)


def test_a_min_max_score_changes_when_another_arm_is_left_out():
    runs = pd.DataFrame({"table": "a", "split": 0, "arm": list("xyz"), "auc": [0.5, 0.6, 0.9]})
    assert min_max_score(runs)[1] == pytest.approx(0.25)
    assert min_max_score(runs[runs["arm"] != "z"])[1] == 1
    with pytest.raises(ValueError, match="no column 'recall'"):
        min_max_score(runs, value="recall")


def test_add_gains_refuses_two_baselines():
    runs = pd.DataFrame({"table": "t", "split": 0, "arm": ["zero_shot"] * 2, "auc": 0.5, "log_loss": 0.5})
    with pytest.raises(ValueError, match="more than one zero_shot run.*'t'"):
        add_gains(runs)


# Gaps


def test_gap_is_read_at_the_step_that_early_stopping_chose():
    path = pd.DataFrame({"step": [0, 5, 10], "validation_auc": [0.6, 0.9, 0.8], "test_auc": [0.5, 0.6, 0.7]})
    gap = validation_test_gap(path)
    assert gap["optimism_gap"] == pytest.approx(0.3 / 0.4 - 0.1 / 0.5)
    assert gap["tracking_gap"] == pytest.approx(1 - 0.5)
    assert validation_test_gap(path, best_step=10)["optimism_gap"] == pytest.approx(0.5 - 0.4)


def test_keeping_the_zero_shot_model_leaves_no_optimism():
    path = pd.DataFrame({"step": [0, 5, 10], "validation_auc": [0.8, 0.7, 0.6], "test_auc": [0.5, 0.6, 0.7]})
    assert validation_test_gap(path) == {"optimism_gap": 0.0, "tracking_gap": pytest.approx(2.0)}


@some_examples
@given(st.lists(st.tuples(open_aucs, open_aucs), min_size=1, max_size=12))
def test_tracking_gap_lies_between_zero_and_two(pairs):
    validation, test = np.array(pairs).T
    path = pd.DataFrame({"step": range(len(pairs)), "validation_auc": validation, "test_auc": test})
    gap = validation_test_gap(path)["tracking_gap"]
    assert np.isnan(gap) or -1e-9 <= gap <= 2 + 1e-9
    same = validation_test_gap(path.assign(test_auc=validation))
    assert same["optimism_gap"] == 0
    assert np.isnan(same["tracking_gap"]) or same["tracking_gap"] == pytest.approx(0, abs=1e-9)


def test_gap_names_what_is_missing():
    path = pd.DataFrame({"step": [0], "validation_auc": [0.5], "test_auc": [0.5]})
    with pytest.raises(ValueError, match="no column 'test_auc'"):
        validation_test_gap(path.drop(columns="test_auc"))
    with pytest.raises(ValueError, match="best_step=7"):
        validation_test_gap(path, best_step=7)
    with pytest.raises(ValueError, match="no check"):
        validation_test_gap(path.iloc[:0])


# Summaries


def test_every_table_counts_equally_however_many_splits_it_has():
    runs = pd.DataFrame({"table": ["a"] * 5 + ["b", "c"], "arm": "causal", "gain": [0.9] * 5 + [0.1, 0.2]})
    summary = median_over_tables(runs).loc["causal"]
    assert summary["median"] == pytest.approx(0.2)
    assert summary["std"] == pytest.approx(np.std([0.9, 0.1, 0.2], ddof=1))
    assert summary["run_std"] == pytest.approx(runs["gain"].std())
    assert (summary["n_tables"], summary["n_runs"]) == (3, 7)


def test_share_of_runs_worse_than_zero_shot_is_counted_over_runs():
    runs = pd.DataFrame({"table": list("aabb"), "arm": "causal", "gain": [-0.1, 0.1, 0.0, np.nan]})
    assert median_over_tables(runs).loc["causal", "share_worse"] == pytest.approx(1 / 3)


@some_examples
@given(results_frames(), st.randoms(use_true_random=False))
def test_summaries_do_not_depend_on_the_order_of_runs(runs, random):
    order = list(range(len(runs)))
    random.shuffle(order)
    shuffled = runs.iloc[order]
    pd.testing.assert_frame_equal(
        median_over_tables(runs).sort_index(), median_over_tables(shuffled).sort_index(), check_exact=False
    )
    pd.testing.assert_series_equal(average_ranks(runs).sort_index(), average_ranks(shuffled).sort_index())


@some_examples
@given(results_frames())
def test_ranks_of_k_arms_average_half_of_k_plus_one(runs):
    assert average_ranks(runs).mean() == pytest.approx(2)


@settings(max_examples=8)
@given(results_frames())
def test_ranks_and_tests_do_not_change_under_a_monotone_scale(runs):
    scaled = runs.assign(gain=2.0 * runs["gain"])
    pd.testing.assert_series_equal(average_ranks(runs), average_ranks(scaled))
    pd.testing.assert_series_equal(compare_arms(runs)["p_value"], compare_arms(scaled)["p_value"])


def test_average_rank_by_hand():
    runs = pd.DataFrame(
        {
            "table": list("aaabbbcc"),
            "arm": ["x", "y", "z"] * 2 + ["x", "y"],
            "gain": [0.3, 0.2, 0.1, 0.5, 0.5, 0.6, 9, 0],
        }
    )
    # Table c lacks z and is left out; on b the arms x and y share the ranks 2 and 3.
    assert average_ranks(runs).to_dict() == {"x": 1.75, "z": 2.0, "y": 2.25}


def test_summaries_refuse_to_mix_regimes():
    runs = pd.DataFrame({"table": "a", "arm": "x", "gain": [0.1, 0.2], "regime": [200, 600]})
    with pytest.raises(ValueError, match="several values of 'regime'"):
        per_table(runs)
    assert per_table(runs[runs["regime"] == 600]).loc["a", "x"] == 0.2


def test_summaries_name_a_missing_column_and_an_arm_without_tables():
    runs = pd.DataFrame({"table": ["a", "b"], "arm": ["x", "y"], "gain": [0.1, 0.2]})
    with pytest.raises(ValueError, match="no column 'log_loss_gain'"):
        per_table(runs, value="log_loss_gain")
    with pytest.raises(ValueError, match="no table has 'gain' for every arm"):
        average_ranks(runs)
    with pytest.raises(ValueError, match="no rows"):
        per_table(runs.iloc[:0])


@pytest.mark.parametrize("statistic", [np.median, np.mean])
def test_bootstrap_interval_is_repeatable_and_holds_the_statistic(statistic):
    values, options = np.random.default_rng(0).normal(size=33), {"statistic": statistic, "n_resamples": 100}
    low, high = bootstrap_interval(values, rng=np.random.default_rng(1), **options)
    assert (low, high) == bootstrap_interval(values, rng=np.random.default_rng(1), **options)
    drawn_again = bootstrap_interval(values, rng=np.random.default_rng(2), **options)
    assert ((low, high) == drawn_again) == (statistic is np.median), "the median's interval depends on no draw"
    assert low < statistic(values) < high


@given(values=st.lists(st.integers(-3, 3), min_size=2, max_size=6), confidence=st.floats(0.05, 0.99))
def test_the_interval_of_a_median_is_that_of_all_its_resamples(values, confidence):
    medians = np.median(list(product(values, repeat=len(values))), axis=1)
    ends = np.quantile(medians, [(1 - confidence) / 2, (1 + confidence) / 2], method="inverted_cdf")
    tails = np.abs(
        [np.mean(medians <= end) for end in np.unique(medians)] - np.array([[1 - confidence], [1 + confidence]]) / 2
    )
    assume(tails.min() > 1e-9)  # at a step of the distribution, rounding decides
    found = bootstrap_interval(values, rng=np.random.default_rng(0), confidence=confidence)
    assert found == tuple(ends)


def test_the_interval_of_a_median_of_very_many_values_is_drawn():
    values = np.random.default_rng(0).normal(size=501)
    drawn = bootstrap_interval(values, rng=np.random.default_rng(1), n_resamples=1000)
    assert drawn != bootstrap_interval(values, rng=np.random.default_rng(2), n_resamples=1000)
    assert np.allclose(drawn, bootstrap_interval(values[:500], rng=np.random.default_rng(1)), atol=0.05)


def test_bootstrap_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        low, high = bootstrap_interval(rng.normal(size=33), rng=rng, statistic=np.mean, n_resamples=400)
        hits += low <= 0 <= high
    assert 0.88 <= hits / 200 <= 0.99


def test_bootstrap_interval_of_one_table_is_undefined():
    assert np.isnan(bootstrap_interval([0.3, np.nan], rng=np.random.default_rng(0))).all()
    with pytest.raises(ValueError, match="confidence must be a number between 0 and 1, both excluded, got 95"):
        bootstrap_interval([0.1, 0.2], rng=np.random.default_rng(0), confidence=95)


def test_intervals_by_arm_hold_each_arms_median():
    rng = np.random.default_rng(0)
    runs = pd.DataFrame({"table": np.repeat([f"t{i}" for i in range(20)], 2), "arm": ["x", "y"] * 20})
    runs["gain"] = rng.normal(size=40) + (runs["arm"] == "y")
    summary = intervals_by_arm(runs, rng=np.random.default_rng(1), n_resamples=500)
    assert (summary["low"] <= summary["median"]).all()
    assert (summary["median"] <= summary["high"]).all()
    assert summary.loc["x", "high"] < summary.loc["y", "high"]
    alike = intervals_by_arm(runs.assign(gain=rng.normal(size=20).repeat(2)), rng=np.random.default_rng(1))
    assert alike.loc["x"].equals(alike.loc["y"]), "every arm gets the same resamples of tables"


# Tests between arms


def test_wilcoxon_with_holm_by_hand():
    tables = [f"t{i}" for i in range(6)]
    better, worse = [1.0, 2, 3, 4, 5, 6], [1.0, -2, 3, -4, 5, -6]
    runs = pd.concat(
        pd.DataFrame({"table": tables, "arm": arm, "gain": gain})
        for arm, gain in {"default": [0.0] * 6, "causal": better, "smote": worse}.items()
    )
    compared = compare_arms(runs)
    # All six differences positive: 2 of the 2⁶ sign patterns are as extreme. The alternating ones: W = min(9, 12),
    # which 54 of the 64 patterns reach.
    assert compared.loc["causal", "p_value"] == pytest.approx(2 / 64)
    assert compared.loc["causal", "p_holm"] == pytest.approx(4 / 64)
    assert compared.loc["smote", "statistic"] == 9
    assert compared.loc["smote", ["p_value", "p_holm"]].tolist() == pytest.approx([54 / 64, 54 / 64])
    assert compared.loc["causal", ["wins", "losses", "ties"]].tolist() == [6, 0, 0]
    assert compared.loc["smote", "median_difference"] == pytest.approx(-0.5)


@settings(max_examples=8)
@given(results_frames())
def test_holm_never_lowers_a_p_value_and_wins_losses_ties_add_up(runs):
    compared = compare_arms(runs)
    assert list(compared.index) == ["causal", "smote"]
    assert (compared["p_holm"] >= compared["p_value"] - 1e-12).all()
    assert (compared[["wins", "losses", "ties"]].sum(axis=1) == compared["n_tables"]).all()


def test_the_interval_of_a_median_difference_is_the_bootstrap_interval_over_tables():
    rng = np.random.default_rng(0)
    runs = pd.DataFrame([(f"t{t}", arm, rng.normal()) for t in range(12) for arm in ("default", "causal", "smote")])
    runs.columns = ["table", "arm", "gain"]
    compared = compare_arms(runs)
    wide = per_table(runs)
    seed = int(np.random.default_rng(0).integers(2**63))
    for arm in ("causal", "smote"):
        interval = bootstrap_interval(wide[arm] - wide["default"], rng=np.random.default_rng(seed), n_resamples=10_000)
        assert tuple(compared.loc[arm, ["low", "high"]]) == interval
        assert interval[0] <= compared.loc[arm, "median_difference"] <= interval[1]
    assert compare_arms(runs, rng=np.random.default_rng(1)).equals(compared), "medians need no draws"
    assert compare_arms(runs[runs["table"] == "t0"])[["low", "high"]].isna().all(axis=None)


def test_an_arm_equal_to_the_baseline_is_not_significant():
    runs = pd.DataFrame({"table": list("aabb"), "arm": ["default", "causal"] * 2, "gain": [0.1, 0.1, 0.3, 0.3]})
    assert compare_arms(runs).loc["causal", ["p_value", "p_holm"]].tolist() == [1.0, 1.0]


def test_compare_arms_names_a_baseline_without_runs():
    runs = pd.DataFrame({"table": ["a"], "arm": ["causal"], "gain": [0.1]})
    with pytest.raises(ValueError, match="baseline='default' has no runs"):
        compare_arms(runs)
    with pytest.raises(ValueError, match="no arm besides the baseline 'causal'"):
        compare_arms(runs, baseline="causal")


def test_friedman_of_a_constant_order_is_as_large_as_it_can_be():
    runs = pd.DataFrame({"table": np.repeat(list("abcd"), 3), "arm": ["x", "y", "z"] * 4, "gain": [3.0, 2, 1] * 4})
    test = friedman_test(runs)
    assert test["statistic"] == pytest.approx(8)  # N (k - 1)
    assert test["p_value"] == pytest.approx(np.exp(-4))  # chi-squared with 2 degrees of freedom
    assert (test["n_tables"], test["n_arms"]) == (4, 3)
    with pytest.raises(ValueError, match="got 2 and 4"):
        friedman_test(runs[runs["arm"] != "z"])


def test_critical_difference_agrees_with_the_published_quantiles():
    # Demšar (2006), table 5a: q.05 is 1.960, 2.343, 2.569 for 2, 3, 4 classifiers, and 3.164 for 10.
    for n_arms, quantile in {2: 1.960, 3: 2.343, 4: 2.569, 10: 3.164}.items():
        expected = quantile * np.sqrt(n_arms * (n_arms + 1) / (6 * 33))
        assert critical_difference(n_arms, 33) == pytest.approx(expected, rel=1e-3)


def test_nemenyi_calls_significant_exactly_what_exceeds_the_critical_difference():
    rng = np.random.default_rng(3)
    arms = ["v", "w", "x", "y", "z"]
    runs = pd.DataFrame([(f"t{t}", arm, rng.normal() + 0.6 * i) for t in range(20) for i, arm in enumerate(arms)])
    runs.columns = ["table", "arm", "gain"]
    ranks, p_values = average_ranks(runs), nemenyi_p_values(runs)
    limit = critical_difference(5, 20)
    for first in arms:
        for second in arms:
            far = abs(ranks[first] - ranks[second]) > limit
            assert far == (p_values.loc[first, second] < 0.05)


def test_one_line_for_each_arm_agrees_with_the_functions_it_is_made_of():
    rng = np.random.default_rng(0)
    arms = ["zero_shot", "default", "causal", "smote"]
    runs = pd.DataFrame([(f"t{t}", arm, rng.normal() * (arm != "zero_shot")) for t in range(9) for arm in arms])
    runs.columns = ["table", "arm", "gain"]
    summary = summarise_arms(runs)
    fine_tuned = runs[runs["arm"] != "zero_shot"]
    assert list(summary.index) == arms
    assert summary["average_rank"].dropna().to_dict() == average_ranks(fine_tuned).to_dict()
    assert summary["p_holm"].dropna().to_dict() == compare_arms(fine_tuned)["p_holm"].to_dict()
    assert summary.loc["zero_shot", ["median", "low", "high"]].tolist() == [0, 0, 0]
    pd.testing.assert_frame_equal(summary, summarise_arms(runs))
    against_zero_shot = summarise_arms(runs, baseline="zero_shot")["p_holm"].dropna()
    assert against_zero_shot.to_dict() == compare_arms(runs, baseline="zero_shot")["p_holm"].to_dict()


def test_one_line_for_each_arm_even_where_no_table_has_every_arm():
    runs = pd.DataFrame({"table": ["a", "b"], "arm": ["causal", "smote"], "gain": [0.1, 0.2]})
    summary = summarise_arms(runs)
    assert summary["median"].tolist() == [0.1, 0.2]
    assert summary[["average_rank", "p_holm"]].isna().all(axis=None)
