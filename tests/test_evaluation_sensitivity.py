"""The main comparison in variants: each changes what it says and nothing else, and the statistics stay the same."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalmix_utils.benchmark import read_benchmark
from causalmix_utils.evaluation import (
    VARIANTS,
    add_gains,
    average_ranks,
    compare_arms,
    compare_variants,
    describe_variant,
    friedman_test,
    gains_along_the_run,
    make_variants,
    per_table,
    rank_variants,
    subtract_baseline,
    summarise_variants,
    tables_with_headroom,
)

RESULTS = Path(__file__).resolve().parents[1] / "book" / "results"
ARMS = ["zero_shot", "default", "causal", "smote"]

few_examples = settings(max_examples=4)


def make_runs(*, n_tables=8, n_splits=3, regimes=(600,), seed=0):
    """Runs of four arms, with tables of 2 to 6 classes, and three checks of each that is fine-tuned."""
    rng = np.random.default_rng(seed)
    runs = pd.DataFrame(
        [
            (regime, f"t{table}", 2 + table % 5, split, arm)
            for regime in regimes
            for table in range(n_tables)
            for split in range(n_splits)
            for arm in ARMS
        ],
        columns=["regime", "table", "n_classes", "split", "arm"],
    )
    runs["id"] = [f"run{place}" for place in range(len(runs))]
    runs["auc"], runs["log_loss"] = rng.uniform(0.6, 0.9, len(runs)), rng.uniform(0.3, 0.9, len(runs))
    runs["best_step"] = np.where(runs["arm"] == "zero_shot", 0, rng.choice([0, 5, 10], len(runs)))
    paths = runs.loc[runs["arm"] != "zero_shot", ["id"]].merge(pd.DataFrame({"step": [10, 0, 5]}), how="cross")
    for column in ("validation_auc", "test_auc", "test_log_loss"):
        paths[column] = rng.uniform(0.5, 0.9, len(paths))
    return runs, paths


@pytest.fixture
def runs():
    return make_runs()


def test_the_first_variant_is_the_main_comparison_itself(runs):
    results, paths = runs
    compared = compare_variants(make_variants(results, trajectories=paths), n_resamples=500)
    fine_tuned = add_gains(results).query("arm != 'zero_shot'")
    for value in ("gain_points", "log_loss_gain"):
        ours = compared[(compared["variant"] == "main") & (compared["value"] == value)].set_index("arm")
        alone = compare_arms(fine_tuned, value=value)
        for column in ("median_difference", "wins", "losses", "ties", "n_tables", "p_value", "p_holm"):
            pd.testing.assert_series_equal(ours[column], alone[column])
        ours_low_high = ours[["low", "high"]].to_numpy()
        assert (ours_low_high[:, 0] <= ours["median_difference"]).all() and np.isfinite(ours_low_high).all()


def test_variants_of_tables_hold_all_runs_of_these_tables_and_no_others(runs):
    results, _ = runs
    variants = make_variants(results, headroom=["t1", "t2"], tabarena={"t3", "absent"})
    assert set(variants["headroom"]["table"]) == {"t1", "t2"} and set(variants["tabarena"]["table"]) == {"t3"}
    by_classes = [variants[name] for name in ("classes_2", "classes_3_4", "classes_5")]
    assert [set(part["n_classes"]) for part in by_classes] == [{2}, {3, 4}, {5, 6}]
    pd.testing.assert_frame_equal(pd.concat(by_classes).sort_index(), variants["main"])
    assert all(set(part["arm"]) == {"default", "causal", "smote"} for part in variants.values())


def test_a_variant_is_left_out_where_its_input_is_and_kept_empty_where_no_table_fits(runs):
    results, paths = runs
    assert not {"headroom", "tabarena", "last_step"} & set(make_variants(results))
    variants = make_variants(results[results["n_classes"] == 2], trajectories=paths, headroom=[], tabarena=[])
    assert list(variants) == list(VARIANTS)
    empty = {name for name, part in variants.items() if part.empty}
    assert empty == {"headroom", "tabarena", "classes_3_4", "classes_5"}
    assert not empty & set(compare_variants(variants, n_resamples=50)["variant"])
    ranks = rank_variants(variants)
    assert (ranks.loc[list(empty), "n_tables"] == 0).all() and ranks.loc[list(empty), "p_value"].isna().all()
    main = variants["main"]
    alone = rank_variants({"main": main[main["table"] == main["table"].iloc[0]]})
    assert alone[["statistic", "p_value", "critical_difference"]].isna().all(axis=None)


def test_other_regimes_are_variants_and_never_mixed_with_the_main_one():
    results, paths = make_runs(regimes=(200, 600))
    variants = make_variants(results, trajectories=paths)
    assert set(variants["rows_200"]["regime"]) == {200}
    assert all(set(part["regime"]) == {600} for name, part in variants.items() if name != "rows_200")
    turned = make_variants(results, regime=200)
    pd.testing.assert_frame_equal(turned["main"], variants["rows_200"])
    with pytest.raises(ValueError, match=r"regime must be one of \[200, 600\], got 100"):
        make_variants(results, regime=100)


@pytest.mark.parametrize("step", ["last", "chosen"])
def test_gains_along_the_run_are_those_of_its_trajectory(runs, step):
    results, paths = runs
    changed = gains_along_the_run(add_gains(results), paths, step=step)
    assert set(changed["arm"]) == {"default", "causal", "smote"}
    for _, run in changed.iloc[::7].iterrows():
        path = paths[paths["id"] == run["id"]].set_index("step")
        end = path.loc[10 if step == "last" else run["best_step"]]
        assert run["gain_points"] == pytest.approx(100 * (end["test_auc"] - path.loc[0, "test_auc"]))
        assert run["gain"] == pytest.approx(run["gain_points"] / 100 / (1 - path.loc[0, "test_auc"]))
        assert run["log_loss_gain"] == pytest.approx(path.loc[0, "test_log_loss"] - end["test_log_loss"])


def test_a_run_that_kept_the_zero_shot_model_gains_nothing_at_the_chosen_step(runs):
    results, paths = runs
    changed = gains_along_the_run(results, paths, step="chosen")
    kept = changed[changed["best_step"] == 0]
    assert len(kept) and (kept[["gain", "gain_points", "log_loss_gain"]] == 0).all(axis=None)


def test_gains_along_the_run_do_not_depend_on_the_order_of_the_checks(runs):
    results, paths = runs
    shuffled = paths.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(gains_along_the_run(results, paths), gains_along_the_run(results, shuffled))


def test_wrong_steps_and_missing_columns_are_named(runs):
    results, paths = runs
    with pytest.raises(ValueError, match="step must be one of .*'last', 'chosen'.*, got 'first'"):
        gains_along_the_run(results, paths, step="first")
    with pytest.raises(ValueError, match="trajectories has no column 'test_log_loss'"):
        gains_along_the_run(results, paths.drop(columns="test_log_loss"))
    with pytest.raises(ValueError, match="variants holds no runs of baseline='default'"):
        compare_variants({"main": add_gains(results).query("arm == 'smote'")})


@few_examples
@given(st.integers(0, 10_000), st.floats(-3, 3))
def test_an_arm_shifted_by_a_constant_is_that_far_away_in_every_variant_of_tables(seed, shift):
    results, _ = make_runs(seed=seed, n_tables=6, n_splits=2)
    gained = add_gains(results)
    default = gained[gained["arm"] == "default"].set_index(["table", "split"])["gain_points"]
    shifted = gained["arm"] == "causal"
    keys = pd.MultiIndex.from_frame(gained.loc[shifted, ["table", "split"]])
    gained.loc[shifted, "gain_points"] = default.loc[keys].to_numpy() + shift
    variants = make_variants(gained, headroom=["t1", "t2"])
    compared = compare_variants(variants, values=["gain_points"], n_resamples=20)
    causal = compared[compared["arm"] == "causal"]
    assert set(causal["variant"]) == {"main", "headroom", "classes_2", "classes_3_4", "classes_5", "paired_splits"}
    np.testing.assert_allclose(causal["median_difference"], shift, atol=1e-9)


@few_examples
@given(st.integers(0, 10_000))
def test_with_one_split_it_does_not_matter_when_the_difference_is_taken(seed):
    results, _ = make_runs(seed=seed, n_splits=1)
    variants = {name: part for name, part in make_variants(results).items() if name in ("main", "paired_splits")}
    compared = compare_variants(variants, n_resamples=20).set_index(["variant", "value", "arm"])
    main, paired = compared.loc["main"], compared.loc["paired_splits"]
    np.testing.assert_allclose(main["median_difference"], paired["median_difference"], atol=1e-9)


def test_differences_taken_split_by_split_need_not_equal_differences_of_medians():
    runs = pd.DataFrame({"table": "a", "split": [0, 1, 2] * 2, "arm": ["default"] * 3 + ["causal"] * 3})
    runs["gain"] = [0.0, 1.0, 5.0, 2.0, 1.0, 3.0]
    paired = subtract_baseline(runs, values=["gain"])
    assert paired["gain"].tolist() == [0, 0, 0, 2, 0, -2]
    assert per_table(paired).loc["a", "causal"] == 0  # the medians, 1 and 2, differ by 1
    with pytest.raises(ValueError, match="baseline='smote' has no runs"):
        subtract_baseline(runs, values=["gain"], baseline="smote")
    with pytest.raises(ValueError, match="more than one run for .*'a'"):
        subtract_baseline(pd.concat([runs, runs]), values=["gain"])


def test_ranks_of_a_variant_are_those_of_its_runs(runs):
    results, paths = runs
    variants = make_variants(results, trajectories=paths)
    ranks = rank_variants(variants)
    for variant, part in variants.items():
        row = ranks.loc[(variant, "gain_points")]
        if row["n_tables"] < 2:
            continue
        assert row["p_value"] == friedman_test(part, value="gain_points")["p_value"]
        arms = average_ranks(part, value="gain_points")
        assert row[list(arms.index)].to_dict() == arms.to_dict()
        assert row[list(arms.index)].mean() == pytest.approx(2)


def test_a_summary_judges_only_variants_with_enough_tables():
    columns = {"variant": ["main", "last_step", "tabarena"], "value": "gain_points", "arm": "causal"}
    compared = pd.DataFrame(columns | {"median_difference": [0.5, 0.1, -0.2], "n_tables": [33, 33, 5]})
    compared = compared.assign(low=[0.2, -0.1, -0.3], high=[0.8, 0.3, -0.1], p_holm=[0.01, 0.4, 0.01])
    row = summarise_variants(compared).loc[("gain_points", "causal")]
    assert row[["n_variants", "n_judged", "n_above", "n_below", "n_significant"]].tolist() == [3, 2, 1, 0, 1]
    assert (row["smallest"], row["largest"], row["same_sign"]) == (-0.2, 0.5, False)
    assert summarise_variants(compared, least_tables=1).loc[("gain_points", "causal"), "n_below"] == 1


def test_headroom_is_what_a_forest_is_ahead_of_zero_shot():
    scores = pd.DataFrame({"table": np.repeat(list("abc"), 2), "split": 0, "model": ["nano_4", "random_forest"] * 3})
    scores["auc"] = [0.7, 0.72, 0.7, 0.705, 0.9, 0.8]
    assert tables_with_headroom(scores) == ["a"]
    assert tables_with_headroom(scores, least=0.0) == ["a", "b"]


def test_every_variant_can_be_told_to_a_reader():
    texts = [describe_variant(name) for name in [*VARIANTS, "rows_200"]]
    assert len(set(texts)) == len(texts) and "200" in texts[-1]


def test_the_stored_benchmark_goes_through_all_variants():
    stored = read_benchmark(RESULTS, prefer=["chapter"]).whole_splits()
    variants = make_variants(stored.results, trajectories=stored.trajectories, tabarena=["diabetes", "credit-g"])
    compared = compare_variants(variants, n_resamples=100)
    n_arms = stored.results["arm"].nunique() - 2  # zero-shot and the baseline
    assert (compared.groupby(["variant", "value"]).size() == n_arms).all()
    # The trajectory's chosen step and the final model differ by the context alone.
    chosen, main = variants["chosen_step"].set_index("id"), variants["main"].set_index("id")
    kept_zero_shot = main["best_step"] == 0
    assert (main.loc[kept_zero_shot, "gain_points"].abs() < 1e-6).all()
    assert (chosen.loc[kept_zero_shot, "gain_points"].abs() < 1e-6).all()
