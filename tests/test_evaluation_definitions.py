"""The book's definitions, worked out once more from a stored benchmark by plain NumPy and SciPy."""

import inspect
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from causalmix_utils.benchmark import read_benchmark
from causalmix_utils.evaluation import (
    add_gains,
    add_gaps,
    average_ranks,
    bootstrap_interval,
    compare_arms,
    critical_difference,
    friedman_test,
    intervals_by_arm,
    median_over_tables,
    nemenyi_p_values,
    validation_test_gap,
)

RESULTS = Path(__file__).resolve().parents[1] / "book" / "results"


@pytest.fixture(scope="module")
def stored():
    return read_benchmark(RESULTS, prefer=["chapter"])


@pytest.fixture(scope="module")
def results(stored):
    return add_gains(stored.results)


@pytest.fixture(scope="module")
def medians(results):
    """The normalised gain of each arm and table, median over splits: arms as rows, tables as columns."""
    arms = [arm for arm in results["arm"].unique() if arm != "zero_shot"]
    rows = []
    for arm in arms:
        per_table = []
        for table in sorted(results["table"].unique()):
            of_table = results[results["table"] == table]
            zero_shot = of_table[of_table["arm"] == "zero_shot"].set_index("split")["auc"]
            auc = of_table[of_table["arm"] == arm].set_index("split")["auc"]
            per_table.append(np.median([(auc[s] - zero_shot[s]) / (1 - zero_shot[s]) for s in zero_shot.index]))
        rows.append(per_table)
    return arms, np.array(rows)


def test_gains_in_points_and_nats_are_plain_differences_from_the_zero_shot_run(results):
    for _, split in results.groupby(["table", "split"]):
        start = split[split["arm"] == "zero_shot"].iloc[0]
        np.testing.assert_allclose(split["gain_points"], 100 * (split["auc"] - start["auc"]))
        np.testing.assert_allclose(split["log_loss_gain"], start["log_loss"] - split["log_loss"])
        np.testing.assert_allclose(split["gain"], split["gain_points"] / (100 * (1 - start["auc"])))


def test_a_summary_is_the_median_over_tables_of_medians_over_splits_with_both_spreads(results, medians):
    summary = median_over_tables(results)
    arms, values = medians
    for arm, row in zip(arms, values, strict=True):
        runs = results.loc[results["arm"] == arm, "gain"]
        line = summary.loc[arm]
        assert line["median"] == pytest.approx(np.median(row))
        assert line["std"] == pytest.approx(np.std(row, ddof=1)), "what follows ± is a spread over tables"
        assert line["run_std"] == pytest.approx(np.std(runs, ddof=1))
        assert line["share_worse"] == np.mean(runs < 0)


def test_gaps_are_those_of_the_stored_trajectories(stored):
    paths = dict(list(stored.trajectories.groupby("id")))
    fine_tuned = stored.results[stored.results["arm"] != "zero_shot"]
    assert set(paths) == set(fine_tuned["id"])
    with_gaps = add_gaps(stored.results, stored.trajectories)
    assert with_gaps.loc[with_gaps["arm"] == "zero_shot", ["optimism_gap", "tracking_gap"]].isna().all(axis=None)
    for _, run in with_gaps[with_gaps["arm"] != "zero_shot"].iterrows():
        path = paths[run["id"]].sort_values("step")
        validation, test = path["validation_auc"].to_numpy(), path["test_auc"].to_numpy()
        chosen = int(np.flatnonzero(path["step"] == run["best_step"])[0])
        promised = (validation[chosen] - validation[0]) / (1 - validation[0])
        kept = (test[chosen] - test[0]) / (1 - test[0])
        assert run["optimism_gap"] == pytest.approx(promised - kept, abs=1e-9)
        alone = validation_test_gap(path, best_step=run["best_step"])
        assert run[list(alone)].to_dict() == pytest.approx(alone, nan_ok=True)
        if not np.isnan(run["tracking_gap"]):
            assert run["tracking_gap"] == pytest.approx(1 - stats.spearmanr(validation, test).statistic)
    # What the runs themselves wrote down has broken ties in it, and differs by the noise of these alone.
    written = stored.results.set_index("id").loc[with_gaps["id"]]
    np.testing.assert_allclose(with_gaps["optimism_gap"], written["optimism_gap"], atol=1e-4)
    np.testing.assert_allclose(with_gaps["tracking_gap"], written["tracking_gap"], atol=0.2)


def test_short_and_constant_trajectories_have_no_tracking_gap():
    runs = pd.DataFrame({"id": ["short", "constant", "whole"], "best_step": [5, 5, 5]})
    path = pd.DataFrame({"id": ["short"] * 2 + ["constant"] * 3 + ["whole"] * 3, "step": [0, 5, 10, 0, 5, 10, 0, 5]})
    path["validation_auc"] = [0.5, 0.6, 0.7, 0.7, 0.7, 0.5, 0.6, 0.8]
    path["test_auc"] = [0.5, 0.7, 0.6, 0.7, 0.8, 0.9, 0.6, 0.7]
    gaps = add_gaps(runs, path).set_index("id")
    assert gaps["tracking_gap"].isna().tolist() == [True, True, False]
    for name in runs["id"]:
        alone = validation_test_gap(path[path["id"] == name], best_step=5)
        assert gaps.loc[name, list(alone)].to_dict() == pytest.approx(alone, nan_ok=True)


def test_gaps_of_a_run_without_its_columns_are_refused(stored):
    with pytest.raises(ValueError, match="results has no column 'best_step'"):
        add_gaps(stored.results.drop(columns="best_step"), stored.trajectories)
    with pytest.raises(ValueError, match="trajectories has no column"):
        add_gaps(stored.results, stored.trajectories.drop(columns="id"))


def test_ranks_friedman_and_critical_difference_are_demsars(results, medians):
    arms, values = medians
    fine_tuned = results[results["arm"] != "zero_shot"]
    k, n = values.shape
    ranks = np.mean([stats.rankdata(-column) for column in values.T], axis=0)
    ours = average_ranks(fine_tuned)
    np.testing.assert_allclose([ours[arm] for arm in arms], ranks)
    test = friedman_test(fine_tuned)
    if all(len(set(column)) == k for column in values.T):  # the formula without its correction for ties
        chi2 = 12 * n / (k * (k + 1)) * ((ranks**2).sum() - k * (k + 1) ** 2 / 4)
        assert test["statistic"] == pytest.approx(chi2)
    assert test["p_value"] == pytest.approx(stats.chi2.sf(test["statistic"], k - 1))
    p_values, limit = nemenyi_p_values(fine_tuned), critical_difference(k, n)
    for first, second in combinations(range(k), 2):
        far = abs(ranks[first] - ranks[second]) > limit
        assert far == (p_values.loc[arms[first], arms[second]] < 0.05)


def test_wilcoxons_p_values_are_corrected_by_holm_over_the_arms(results, medians):
    arms, values = medians
    baseline = values[arms.index("default")]
    others = [arm for arm in arms if arm != "default"]
    differences = np.array([values[arms.index(arm)] - baseline for arm in others])
    p_values = np.array([stats.wilcoxon(row).pvalue for row in differences])
    holm, largest = np.empty(len(others)), 0.0
    for place, index in enumerate(np.argsort(p_values, kind="stable")):
        largest = max(largest, min(1.0, (len(others) - place) * p_values[index]))
        holm[index] = largest
    compared = compare_arms(results[results["arm"] != "zero_shot"]).loc[others]
    np.testing.assert_allclose(compared["p_value"], p_values)
    np.testing.assert_allclose(compared["p_holm"], holm)
    np.testing.assert_allclose(compared["median_difference"], np.median(differences, axis=1))


def test_intervals_come_from_ten_thousand_seeded_resamples_of_tables(results, medians):
    for function in (bootstrap_interval, intervals_by_arm, compare_arms):
        assert inspect.signature(function).parameters["n_resamples"].default == 10_000
    arms, values = medians
    row = values[arms.index("causal")]
    draws = np.random.default_rng(0).integers(len(row), size=(200_000, len(row)))
    expected = np.quantile(np.median(row[draws], axis=1), [0.025, 0.975])
    first, second = (intervals_by_arm(results, rng=np.random.default_rng(1)).loc["causal"] for _ in range(2))
    assert first.equals(second)
    # The medians of so few tables take few values, so an end may be the next of them.
    possible = np.unique(np.median(row[draws], axis=1))
    step = np.diff(possible).max()
    np.testing.assert_allclose(first[["low", "high"]].astype(float), expected, atol=step)


def test_zero_shot_is_in_no_family_of_tests_unless_it_is_the_baseline():
    rng = np.random.default_rng(0)
    arms = ["zero_shot", "default", "causal", "smote"]
    runs = pd.DataFrame([(f"t{t}", arm) for t in range(12) for arm in arms], columns=["table", "arm"])
    runs = runs.assign(split=0, gain=rng.normal(size=len(runs)))
    with_it, without = (compare_arms(part) for part in (runs, runs[runs["arm"] != "zero_shot"]))
    pd.testing.assert_frame_equal(with_it, without)
    assert "default" in compare_arms(runs, baseline="zero_shot").index


def test_each_repetition_gains_over_its_own_zero_shot_run():
    runs = pd.DataFrame({"table": "a", "split": 0, "seed": [0, 1, 0, 1], "arm": ["zero_shot"] * 2 + ["causal"] * 2})
    gains = add_gains(runs.assign(auc=[0.5, 0.6, 0.55, 0.7], log_loss=0.5))
    np.testing.assert_allclose(gains.loc[gains["arm"] == "causal", "gain_points"], [5, 10])
