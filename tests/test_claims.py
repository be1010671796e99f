"""Verdicts follow from rules: what holds is reproduced, what is noise is not, and an unfinished grid says so."""

import importlib

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from dowhy import gcm
from hypothesis import given, settings
from hypothesis import strategies as st

from causalmix_utils.benchmark import get_profile
from causalmix_utils.discovery import edge_probabilities
from causalmix_utils.evaluation import smallest_p_value
from causalmix_utils.evaluation.claims import (
    AS_STATED,
    CLAIMED_GAIN,
    CLAIMS,
    CONTRADICTED,
    FEWEST_TABLES,
    HOLDS,
    LEVEL,
    METHOD_STATEMENTS,
    NO_ANSWER,
    NOT_REPRODUCED,
    PARTLY,
    REPRODUCED,
    UNTOLD,
    Bootstrap,
    Part,
    PlannedGrid,
    answer_structure,
    compare_pair,
    decide,
    judge_claims,
    judge_kept_structure,
    list_evidence,
    list_verdicts,
    measure_gaps,
    measure_spreads,
    pair_splits,
    select_runs,
    structure,
)
from causalmix_utils.evaluation.claims.evidence import compare_over_tables
from causalmix_utils.finetuning import CausalMixFTClassifier
from causalmix_utils.finetuning.loop import run_loop
from causalmix_utils.finetuning.steps import draw_step
from causalmix_utils.generators import make_generator
from causalmix_utils.scm import fit_scm
from causalmix_utils.tables import Table, load_table, scarce_split

ARMS = tuple(get_profile("paper").arms)
FEW = 500  # resamples


def make_results(gains, *, n_tables=33, n_splits=2, spread=0.02, seed=0, regime=600):
    """Runs in which each arm has its mean normalised gain, with noise of its own for every table and split."""
    rng = np.random.default_rng(seed)
    rows = []
    for table in range(n_tables):
        zero_shot = rng.uniform(0.6, 0.9)
        for split in range(n_splits):
            for arm in ARMS:
                gain = 0.0 if arm == "zero_shot" else gains.get(arm, 0.0) + rng.normal(0, spread)
                rows.append(
                    {
                        "table": f"t{table:02d}",
                        "split": split,
                        "seed": 0,
                        "arm": arm,
                        "regime": regime,
                        "checkpoint": "c0",
                        "weights": "nano",
                        "auc": zero_shot + gain * (1 - zero_shot),
                        "log_loss": 0.6 - 0.1 * gain,
                    }
                )
    return pd.DataFrame(rows)


AS_CLAIMED = {
    "causal": CLAIMED_GAIN[0],
    "default": 0.09,
    "default_again": 0.09,
    **dict.fromkeys(("ctgan", "tabebm", "table_augment"), 0.04),
}


def verdicts_of(results, **options):
    return {verdict.number: verdict for verdict in judge_claims(results, n_resamples=FEW, **options)}


# the rules


def test_results_as_claimed_are_reproduced_and_equal_arms_are_not():
    claimed = verdicts_of(make_results(AS_CLAIMED))
    assert (claimed[1].verdict, claimed[3].verdict) == (REPRODUCED, REPRODUCED)
    equal = verdicts_of(make_results({}))
    assert {equal[number].verdict for number in (1, 2, 3)} == {NOT_REPRODUCED}
    assert "No difference can be told" in equal[3].reason


def test_a_better_arm_than_the_causal_one_contradicts_the_order():
    verdict = verdicts_of(make_results(AS_CLAIMED | {"ctgan": 0.3}))
    assert verdict[1].verdict == PARTLY
    assert [part.status for part in verdict[1].parts] == [HOLDS, CONTRADICTED, HOLDS]
    assert CONTRADICTED in {part.status for part in verdict[3].parts}


def test_spreads_and_gaps_are_measured_beside_the_claims():
    results = make_results({}, spread=0.0)
    tables = results["table"].map({name: place for place, name in enumerate(results["table"].unique())})
    gains = np.where(results["arm"] == "default", 0.01, 0.005) * tables
    results["auc"] += np.where(results["arm"] == "zero_shot", 0.0, gains * (1 - results["auc"]))
    results["tracking_gap"] = np.where(results["arm"] == "causal", 0.3, 0.67)
    bootstrap = Bootstrap(n_resamples=FEW)
    results = select_runs(results)
    spreads = measure_spreads(results, bootstrap=bootstrap)
    expected = 0.01 * np.std(range(33), ddof=1)
    assert spreads["over_tables"].tolist() == pytest.approx([expected, expected / 2])
    assert (spreads["low"] < spreads["over_tables"]).all() and (spreads["over_tables"] < spreads["high"]).all()
    assert spreads.loc["default", "over_runs"] < expected, "two equal splits of each table: more runs, the same values"
    gaps = measure_gaps(results, bootstrap=bootstrap)
    assert list(gaps.index) == ["tracking_gap"], "no run has the other one"
    assert gaps.loc["tracking_gap", ["default", "causal", "difference"]].tolist() == pytest.approx([0.67, 0.3, -0.37])
    assert measure_gaps(results.drop(columns="tracking_gap"), bootstrap=bootstrap).empty
    few = measure_spreads(results[results["table"] == "t00"], bootstrap=bootstrap)
    assert few[["over_tables", "low", "high"]].isna().all(axis=None)


def test_a_gain_of_another_size_holds_in_its_direction_only():
    verdict = verdicts_of(make_results(AS_CLAIMED | {"causal": 0.5}))[1]
    assert [part.status for part in verdict.parts] == [HOLDS, HOLDS, CONTRADICTED]
    assert verdict.verdict == PARTLY


def test_an_interval_that_holds_both_the_claimed_size_and_zero_speaks_for_neither():
    size = verdicts_of(make_results(AS_CLAIMED, n_tables=7, n_splits=1, spread=0.15, seed=1))[1].parts[2]
    (comparison,) = size.comparisons
    assert comparison.low < 0 < CLAIMED_GAIN[0] < comparison.high
    assert size.status == UNTOLD


def test_the_spread_claim_needs_tables_and_splits_to_spread_more():
    rng = np.random.default_rng(0)
    results = make_results({}, n_splits=4, spread=0.01)
    wide = results["arm"].eq("default")
    results.loc[wide, "auc"] += rng.normal(0, 0.02, wide.sum())
    statuses = [part.status for part in verdicts_of(results)[2].parts]
    assert statuses[:2] == [HOLDS, HOLDS]
    shifted = results.loc[wide, "table"].map(lambda name: 0.05 * (int(name[1:]) % 2))
    only_over_tables = make_results({}, n_splits=4, spread=0.01)
    only_over_tables.loc[wide, "auc"] += shifted
    statuses = [part.status for part in verdicts_of(only_over_tables)[2].parts]
    assert statuses[0] == HOLDS and statuses[1] != HOLDS


def test_one_table_that_shouts_leaves_the_direction_to_itself():
    results = make_results({}, spread=0.01)
    loud = results["table"].eq("t00") & results["arm"].eq("default")
    results.loc[loud, "auc"] -= 0.3
    ratio = verdicts_of(results)[2].parts[0].comparisons[0]
    low, high = ratio.without_one
    assert high > 3 and low < 1.6


def test_the_fewest_tables_are_those_of_a_significant_outcome():
    assert smallest_p_value(FEWEST_TABLES) <= LEVEL < smallest_p_value(FEWEST_TABLES - 1)


def test_too_few_tables_tell_nothing_however_large_the_difference():
    few = verdicts_of(make_results(AS_CLAIMED, n_tables=FEWEST_TABLES - 1))
    assert {part.status for number in (1, 2, 3) for part in few[number].parts} == {UNTOLD}
    assert few[1].verdict == NOT_REPRODUCED


@given(
    values=st.lists(st.floats(-1, 1, allow_subnormal=False), min_size=FEWEST_TABLES, max_size=20),
    shift=st.floats(-1, 1),
)
@settings(max_examples=30)
def test_no_interval_both_holds_and_is_contradicted_when_turned_around(values, shift):
    runs = pd.DataFrame({"table": range(len(values)), "split": 0})
    options = {"what": "", "arms": ("a", ""), "value": "gain", "bootstrap": Bootstrap(0, 200)}
    series = pd.Series(values) + shift
    forth, back = (compare_over_tables(runs, sign * series, **options).status for sign in (1, -1))
    assert not {forth, back} <= {HOLDS} and not {forth, back} <= {CONTRADICTED}


def test_parts_decide_the_verdict():
    comparisons = {
        status: compare_pair(
            make_results({"causal": gain}).assign(gain=lambda frame: frame["auc"]),
            "causal",
            "smote",
            value="gain",
            bootstrap=Bootstrap(0, FEW),
        )
        for status, gain in ((HOLDS, 0.3), (CONTRADICTED, -0.3), (UNTOLD, 0.0))
    }
    assert {status: comparison.status for status, comparison in comparisons.items()} == {
        status: status for status in comparisons
    }
    holds, against, untold = (Part("", (comparisons[status],)) for status in (HOLDS, CONTRADICTED, UNTOLD))
    assert decide([holds, holds])[0] == REPRODUCED
    assert decide([holds, untold])[0] == decide([holds, against])[0] == PARTLY
    assert decide([untold, untold])[0] == NOT_REPRODUCED
    assert "contradict" in decide([untold, against])[1]
    assert Part("", (comparisons[HOLDS], comparisons[UNTOLD])).status == UNTOLD


# what is compared


def test_only_splits_that_all_arms_have_are_compared():
    results = make_results(AS_CLAIMED, n_splits=3)
    # On the splits that one arm lacks, the other is made to look best.
    lacking = results["arm"].eq("default") & results["split"].eq(2)
    results.loc[results["arm"].eq("causal") & results["split"].eq(2), "auc"] = 1.0
    unfinished = results[~lacking]
    paired = pair_splits(select_runs(unfinished), arms=["causal", "default"], value="gain")
    assert set(paired["split"]) == {0, 1}
    two_splits = results[results["split"] < 2]
    options = {"value": "gain", "bootstrap": Bootstrap(0, FEW)}
    assert compare_pair(select_runs(unfinished), "causal", "default", **options) == compare_pair(
        select_runs(two_splits), "causal", "default", **options
    )


def test_an_arm_that_is_absent_is_told_apart_from_none():
    results = make_results(AS_CLAIMED)
    verdict = verdicts_of(results[results["arm"] != "tabebm"])[1]
    assert [part.status for part in verdict.parts] == [HOLDS, UNTOLD, HOLDS]
    (absent,) = [comparison for comparison in verdict.comparisons if comparison.against == "tabebm"]
    assert absent.n_tables == absent.n_runs == 0


def test_verdicts_are_repeatable_and_do_not_change_what_they_are_given():
    results = make_results(AS_CLAIMED, n_tables=8)
    before = results.copy()
    first, second = judge_claims(results, n_resamples=FEW), judge_claims(results, n_resamples=FEW)
    assert str(first) == str(second)
    pd.testing.assert_frame_equal(results, before)


def test_the_largest_regime_is_judged_unless_another_is_asked_for():
    both = pd.concat([make_results(AS_CLAIMED), make_results({}, regime=200)])
    assert verdicts_of(both)[1].regime == 600
    assert verdicts_of(both, regime=200)[3].verdict == NOT_REPRODUCED
    with pytest.raises(ValueError, match="regime=77"):
        judge_claims(both, regime=77)


def test_two_checkpoints_are_refused():
    mixed = pd.concat([make_results({}), make_results({}).assign(checkpoint="c1")])
    with pytest.raises(ValueError, match="c1"):
        judge_claims(mixed)


# the grid


def planned(results, name="paper"):
    """The results as if they were of a profile's grid."""
    grid = PlannedGrid.of_profile(name)
    names = dict(zip(sorted(results["table"].unique()), sorted(grid.runs["table"].unique()), strict=False))
    results = results.drop(columns="id", errors="ignore").assign(table=results["table"].map(names))
    return results.merge(grid.runs, on=["regime", "table", "split", "arm"]), grid


def test_a_grid_with_gaps_makes_findings_provisional_and_statements_final():
    results, grid = planned(make_results(AS_CLAIMED))
    verdicts = verdicts_of(results, grid=grid)
    assert verdicts[1].provisional and str(verdicts[1]).startswith("provisional (20.0 % of its runs")
    assert not verdicts[5].provisional
    complete, grid = planned(make_results(AS_CLAIMED, n_splits=10))
    assert str(verdicts_of(complete, grid=grid)[1]) == REPRODUCED
    one_less, _ = planned(make_results(AS_CLAIMED, n_splits=10))
    one_less = one_less.drop(one_less.index[one_less["arm"] == "ctgan"][0])
    assert verdicts_of(one_less, grid=grid)[1].provisional


def test_runs_with_other_settings_are_no_share_of_the_grid_and_are_not_judged():
    results, grid = planned(make_results(AS_CLAIMED))
    assert grid.share(results, regime=600).finished == len(results)
    other = results["split"] == 1
    mixed = results.assign(id=results["id"].where(~other, "another " + results["id"]))
    assert grid.share(mixed, regime=600).finished == (~other).sum()
    assert verdicts_of(mixed, grid=grid)[1].comparisons[0].n_splits == 33
    assert answer_structure(mixed, grid=grid, n_resamples=FEW).comparisons[0].n_splits == 33
    foreign = results.assign(id="another " + results["id"])
    assert grid.share(foreign, regime=600).finished == 0
    assert verdicts_of(foreign, grid=grid)[1].comparisons[0].n_splits == 66, "they stand in for the grid"


def test_without_its_zero_shot_run_a_split_is_missing():
    results, grid = planned(make_results(AS_CLAIMED, n_splits=10))
    assert answer_structure(results, grid=grid, n_resamples=FEW).share.complete
    less = results[(results["arm"] != "zero_shot") | (results["split"] > 0)]
    assert not answer_structure(less, grid=grid, n_resamples=FEW).share.complete
    assert verdicts_of(less, grid=grid)[1].provisional


def test_what_is_counted_is_what_was_compared():
    """A table with one split has no spread over splits, so its runs are not among those that were compared."""
    results = make_results(AS_CLAIMED, n_tables=10, n_splits=2)
    first = sorted(results["table"].unique())[:3]
    results = results[~(results["table"].isin(first) & (results["split"] == 1))]
    within = verdicts_of(results)[2].parts[1].comparisons[0]
    assert (within.n_tables, within.n_splits, within.n_runs) == (7, 14, 28)


def test_the_planned_grid_is_the_profile_s_own_list_of_runs():
    runs = get_profile("smoke").runs()
    grid = PlannedGrid.of_profile("smoke")
    results = pd.DataFrame(
        [
            {"table": run.table, "split": run.split, "arm": run.arm, "regime": run.regime, "id": run.identity}
            for run in runs
        ]
    )
    share = grid.share(results, regime=90)
    assert (share.finished, share.planned) == (len(runs), len(runs))
    assert share.complete


# the nine claims


def test_there_are_nine_claims_with_a_verdict_each():
    verdicts = judge_claims(make_results(AS_CLAIMED, n_tables=6), n_resamples=FEW)
    assert [verdict.number for verdict in verdicts] == list(CLAIMS) == list(range(1, 10))
    table, evidence = list_verdicts(verdicts), list_evidence(verdicts)
    assert table["claim"].tolist() == list(range(1, 10))
    assert set(evidence["claim"]) == {1, 2, 3}
    assert (evidence["low"] <= evidence["high"]).all()
    assert (evidence["low_all"] <= evidence["low"]).all()


@pytest.mark.parametrize("number", METHOD_STATEMENTS)
def test_a_method_statement_names_code_that_exists(number):
    module, _, name = METHOD_STATEMENTS[number].where.rpartition(".")
    assert hasattr(importlib.import_module(module), name)


def test_code_does_what_statement_4_says():
    runs = select_runs(make_results(AS_CLAIMED, n_tables=2))
    assert runs.loc[runs["arm"] == "zero_shot", "gain"].eq(0).all()
    by_hand = (runs["auc"] - runs["zero_shot_auc"]) / (1 - runs["zero_shot_auc"])
    np.testing.assert_allclose(runs["gain"], by_hand)


def test_code_does_what_statements_5_and_6_say(monkeypatch):
    train, validation, _ = scarce_split(load_table("wine"), n=90)
    shares = []

    def recorded(ensemble, pool, *arguments, **options):
        def draw(pool, *arguments):
            parts = draw_step(pool, *arguments)
            shares.append([float(np.mean(rows >= pool.n_real)) for rows in parts])
            return parts

        return run_loop(ensemble, pool, *arguments, draw=draw, **options)

    monkeypatch.setattr("causalmix_utils.finetuning.stages.run_loop", recorded)
    generator = make_generator("causal", n_dags=2, n_resamples=2)
    model = CausalMixFTClassifier(generator=generator, n_synthetic=60, max_steps=4, n_estimators=1, random_state=0)
    model.fit(train.X, train.y, X_validation=validation.X, y_validation=validation.y)
    fitted = model.generator_
    assert [type(scm) for scm in fitted.scms_] == [gcm.StructuralCausalModel] * 2 and len(model.synthetic_) == 60
    seen = fitted.train_.X.to_numpy(dtype=float)
    assert np.array_equal(seen, train.X.to_numpy(dtype=float)), "models see the train rows, and no validation row"
    assert len(shares) == 4
    assert all(0 < share < 1 for step in shares for share in step), "context and query rows are of both kinds"


def test_code_does_what_statement_7_says():
    rng = np.random.default_rng(0)
    cause = rng.normal(size=80)
    frame = pd.DataFrame({"cause": cause, "other": rng.normal(size=80), "y": np.where(cause > 0, "yes", "no")})
    P = edge_probabilities(Table.from_frame(frame, target="y"), n_resamples=2, rng=rng)
    assert {kind.split()[0] for kind in P.attrs["discovery"]["edges"]} == {"pc", "fci"}


def test_code_does_what_statements_8_and_9_say():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"root": rng.normal(size=80), "group": rng.choice(["u", "v"], size=80)})
    frame["number"] = frame["root"] + rng.normal(size=80)
    frame["y"] = np.where(frame["number"] > 0, "yes", "no")
    dag = nx.DiGraph([("root", "number"), ("root", "group"), ("number", "y")])
    scm = fit_scm(dag, Table.from_frame(frame, target="y"))
    assert isinstance(scm, gcm.StructuralCausalModel)
    assert isinstance(scm.causal_mechanism("number"), gcm.AdditiveNoiseModel)
    for categorical in ("group", "y"):
        assert isinstance(scm.causal_mechanism(categorical), gcm.ClassifierFCM)


def make_scores(causal_error=0.1, seed=0):
    rng = np.random.default_rng(seed)
    means = {"causal": (causal_error, 0.8), "random_dag": (0.3, 0.6), "independent": (0.5, 0.5)}
    return pd.DataFrame(
        [
            {
                "table": table,
                "split": split,
                "generator": name,
                "association_error": error + rng.normal(0, 0.01),
                "usefulness": useful + rng.normal(0, 0.01),
            }
            for table in range(10)
            for split in range(2)
            for name, (error, useful) in means.items()
        ]
    )


def test_claim_6_is_as_stated_only_if_the_scores_show_the_structure():
    results = make_results(AS_CLAIMED, n_tables=6)
    assert verdicts_of(results, scores=make_scores())[6].verdict == AS_STATED
    assert verdicts_of(results, scores=make_scores(causal_error=0.4))[6].verdict == PARTLY
    assert verdicts_of(results)[6].verdict == PARTLY
    statuses = [part.status for part in judge_kept_structure(make_scores(0.4), bootstrap=Bootstrap(0, FEW))]
    assert statuses == [HOLDS, CONTRADICTED, HOLDS]


# does the structure matter?


def answer(gains, **options):
    return answer_structure(make_results(gains, **options), n_resamples=FEW)


def test_structure_matters_if_the_causal_arm_beats_both_controls_without_it():
    found = answer(AS_CLAIMED)
    assert (found.answer, set(found.by_metric.values())) == ("yes", {"yes"})
    assert answer(AS_CLAIMED | {"random_dag": 0.12}).answer == "can't be told"
    assert answer(AS_CLAIMED | {"random_dag": 0.3}).answer == "no"


def test_a_variant_that_differs_in_more_than_its_graphs_gets_no_answer():
    results = make_results(AS_CLAIMED | {"causal_blanket": 0.5})
    found = answer_structure(results, method="causal_blanket", n_resamples=FEW)
    assert (found.answer, set(found.by_metric.values())) == (NO_ANSWER, {NO_ANSWER})
    assert {comparison.status for comparison in found.comparisons} == {HOLDS}, "the comparisons are made all the same"


def test_a_difference_within_the_noise_floor_tells_nothing():
    # Another seed alone moves default fine-tuning by more than causal rows differ from those of random graphs.
    quiet = {"causal": 0.1, "random_dag": 0.05, "independent": 0.05, "default": 0.05, "default_again": 0.05}
    assert answer(quiet).answer == "yes"
    assert answer(quiet | {"default_again": 0.15}).answer == "can't be told"
    without = make_results(quiet)
    without = without[without["arm"] != "default_again"]
    assert answer_structure(without, n_resamples=FEW).answer == "can't be told"


def test_harm_within_the_noise_floor_is_no_harm():
    worse = {"causal": 0.0, "random_dag": 0.05, "independent": 0.0, "default": 0.05, "default_again": 0.05}
    assert answer(worse).answer == "no"
    found = answer(worse | {"default_again": 0.2})
    against = {comparison.against: comparison for comparison in found.comparisons}["random_dag"]
    assert against.high_all < 0, "the difference itself is told apart from zero"
    assert (found.answer, against.status) == ("can't be told", UNTOLD)


def test_arms_that_never_vary_have_no_ratio_and_one_alone_an_infinite_one():
    equal = make_results({}, spread=0.0)
    assert {part.status for part in verdicts_of(equal)[2].parts} == {UNTOLD}
    steady = make_results(dict.fromkeys(ARMS, 0.1), spread=0.05)
    steady.loc[steady["arm"] == "causal", "auc"] = steady.loc[steady["arm"] == "zero_shot", "auc"].to_numpy()
    first, _, size = verdicts_of(steady)[2].parts
    assert (first.status, size.status) == (HOLDS, CONTRADICTED)
    assert first.comparisons[0].estimate == np.inf


def test_only_comparisons_that_are_open_say_how_wide_they_are():
    gains = AS_CLAIMED | {"default": AS_CLAIMED["causal"]}
    results = make_results(gains)
    noisy = results["arm"] == "ctgan"  # far behind on every table, and by very different amounts
    results.loc[noisy, "auc"] -= np.random.default_rng(0).uniform(0.1, 0.5, noisy.sum())
    verdict = verdicts_of(results)[1]
    part = verdict.parts[1]
    widths = {c.against: (c.status, (c.high - c.low) / 2) for c in part.comparisons}
    assert widths["ctgan"][0] == HOLDS
    assert widths["default"][0] == UNTOLD
    assert f"± {widths['default'][1]:.2g}" in verdict.would_change
    assert f"± {widths['ctgan'][1]:.2g}" not in verdict.would_change


@pytest.mark.parametrize(
    ("auc", "log_loss", "answer"),
    [
        ("yes", "yes", "yes"),
        ("yes", "can't be told", "yes, in AUC only"),
        ("can't be told", "yes", "yes, in log-loss only"),
        ("yes", "no", "can't be told"),
        ("no", "yes", "can't be told"),
        ("no", "no", "no"),
        ("no", "can't be told", "no"),
        ("can't be told", "no", "no"),
        ("can't be told", "can't be told", "can't be told"),
    ],
)
def test_what_two_metrics_say_together(auc, log_loss, answer):
    assert structure._combine(dict(zip(structure.METRICS, (auc, log_loss), strict=True))) == answer


def test_metrics_that_contradict_each_other_tell_nothing():
    results = make_results(AS_CLAIMED)
    worse = results["arm"].eq("causal") * 0.05  # in log-loss, of which less is better
    results["log_loss"] = 0.6 + worse + np.random.default_rng(0).normal(0, 0.001, len(results))
    found = answer_structure(results, n_resamples=FEW)
    assert list(found.by_metric.values()) == ["yes", "no"]
    assert found.answer == "can't be told"


def test_metrics_that_disagree_are_named():
    results = make_results(AS_CLAIMED)
    results["log_loss"] = 0.6 + np.random.default_rng(0).normal(0, 0.01, len(results))
    found = answer_structure(results, n_resamples=FEW)
    assert found.answer == "yes, in AUC only"
