"""Measures of synthetic rows, against values by hand, references, and cases whose answer is known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalmix_utils.evaluation import (
    association_error,
    association_errors,
    marginal_distances,
    pair_associations,
    score_synthetic_rows,
    synthetic_to_real_auc,
    two_sample_auc,
)
from causalmix_utils.generators import make_generator
from causalmix_utils.tables import Table, load_table, scarce_split


def make_table(n, seed=0, strength=3.0):
    """Two numbers and a category that depend on each other, one of each that does not, and a target."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "number": z,
            "copy": z + 0.1 * rng.normal(size=n),
            "level": np.where(z > 0, "high", "low"),
            "noise": rng.normal(size=n),
            "dice": rng.choice(list("abcdef"), size=n),
            "y": np.where(strength * z + rng.normal(size=n) > 0, "yes", "no"),
        }
    )
    return Table.from_frame(frame, target="y", name="made")


def test_equal_tables_have_distance_zero_and_a_shift_is_seen():
    table = make_table(200)
    assert (marginal_distances(table, table) == 0).all()
    X = table.X.assign(number=table.X["number"] + 100)
    moved = Table("moved", X, table.y, table.categorical)
    assert marginal_distances(table, moved).drop("number").max() == 0
    assert marginal_distances(table, moved)["number"] == 1


def test_shares_of_levels_are_compared_missing_values_included():
    rows = {"x": ["u", "u", "v", None], "y": list("aabb")}
    first = Table.from_frame(pd.DataFrame(rows), target="y")
    second = Table.from_frame(pd.DataFrame(rows | {"x": ["u", "v", "v", "v"]}), target="y")
    assert marginal_distances(first, second)["x"] == pytest.approx(0.5)


def test_a_column_without_numbers_has_no_distance():
    first = Table.from_frame(pd.DataFrame({"x": [1.0, 2.0], "y": ["a", "b"]}), target="y")
    second = Table.from_frame(pd.DataFrame({"x": [np.nan, np.nan], "y": ["a", "b"]}), target="y")
    assert np.isnan(marginal_distances(first, second)["x"])


def test_associations_of_all_kinds_of_pairs_are_high_where_there_is_one_and_low_where_there_is_none():
    strength = pair_associations(make_table(2000))
    for pair in [("number", "copy"), ("number", "level"), ("level", "y"), ("number", "y")]:
        assert strength.loc[pair] > 0.6, pair
    for pair in [("number", "noise"), ("noise", "dice"), ("dice", "level"), ("dice", "y"), ("noise", "y")]:
        assert strength.loc[pair] < 0.1, pair
    assert np.allclose(strength, strength.T)
    assert (np.diag(strength) == 1).all()


def test_associations_of_two_numbers_are_rank_correlations():
    from scipy.stats import spearmanr

    table = make_table(50)
    expected = abs(spearmanr(table.X["copy"], table.X["noise"]).statistic)
    assert pair_associations(table).loc["copy", "noise"] == pytest.approx(expected)


def test_associations_of_categories_agree_with_chi_squared_and_those_of_ranks_with_one_way_anova():
    from scipy.stats import chi2_contingency, f_oneway

    table = make_table(80)
    n, k, other = len(table), table.X["dice"].nunique(), 2
    chi2 = chi2_contingency(pd.crosstab(table.X["dice"], table.X["level"]), correction=False).statistic
    phi2 = max(0.0, chi2 / n - (k - 1) * (other - 1) / (n - 1))
    expected = np.sqrt(phi2 / (other - (other - 1) ** 2 / (n - 1) - 1))
    assert pair_associations(table).loc["dice", "level"] == pytest.approx(expected)
    f = f_oneway(*(ranks for _, ranks in table.X["number"].rank().groupby(table.y))).statistic
    epsilon2 = (f - 1) / (f + (n - other) / (other - 1))
    assert pair_associations(table).loc["number", "y"] == pytest.approx(np.sqrt(epsilon2))


def test_a_column_that_repeats_another_under_other_names_has_association_one():
    kind = np.tile(list("abc"), 20)
    table = Table.from_frame(pd.DataFrame({"kind": kind, "same": kind + kind, "y": ["u", "v"] * 30}), target="y")
    assert pair_associations(table).loc["kind", "same"] == pytest.approx(1.0)


def test_many_levels_on_few_rows_do_not_look_like_an_association():
    strengths = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        rows = {"a": rng.choice(list("abcdefgh"), 100), "x": rng.normal(size=100), "y": rng.choice(list("uvwstr"), 100)}
        strength = pair_associations(Table.from_frame(pd.DataFrame(rows), target="y"))
        strengths.append([strength.loc["a", "y"], strength.loc["a", "x"]])
    assert (np.mean(strengths, axis=0) < 0.12).all()


@settings(max_examples=30)
@given(st.data())
def test_associations_stay_between_zero_and_one_whatever_is_missing_or_constant(data):
    n = data.draw(st.integers(1, 12))
    column = st.lists(st.one_of(st.none(), st.integers(0, 3)), min_size=n, max_size=n)
    level = st.lists(st.sampled_from(["u", "v", None]), min_size=n, max_size=n)
    rows = {
        "x": np.array(data.draw(column), dtype=float),
        "k": data.draw(level),
        "z": np.ones(n),
        "y": data.draw(st.lists(st.sampled_from("abc"), min_size=n, max_size=n)),
    }
    strength = pair_associations(Table.from_frame(pd.DataFrame(rows), target="y", categorical=["k"])).to_numpy()
    assert ((strength >= 0) & (strength <= 1)).all()


def test_the_association_error_of_independent_columns_is_what_they_lost():
    table = make_table(1000)
    independent = make_generator("independent").fit(table, rng=np.random.default_rng(0))
    rows = independent.sample(1000, rng=np.random.default_rng(1))
    assert association_error(table, table) == 0
    assert association_error(table, make_table(1000, seed=1)) < 0.05
    assert association_error(table, rows) > 0.2


def test_association_errors_of_the_kinds_of_pairs_add_up_to_that_of_all():
    table = make_table(400)
    rows = (
        make_generator("independent").fit(table, rng=np.random.default_rng(0)).sample(400, rng=np.random.default_rng(1))
    )
    errors = association_errors(table, rows)
    # Three numbers and three categories: 3 + 9 + 3 pairs.
    assert (3 * errors["numbers"] + 9 * errors["mixed"] + 3 * errors["categories"]) / 15 == pytest.approx(errors["all"])
    assert errors["all"] == pytest.approx(association_error(table, rows))
    assert errors["numbers"] == pytest.approx(1 / 3, abs=0.1), "only number and copy went together"


def test_rows_of_the_same_distribution_cannot_be_told_apart_and_others_can():
    rng = np.random.default_rng(0)
    first, second = make_table(200), make_table(250, seed=1)
    assert abs(two_sample_auc(first, second, rng=rng) - 0.5) < 0.1
    shuffled = make_generator("independent").fit(first, rng=rng).sample(300, rng=rng)
    assert two_sample_auc(first, shuffled, rng=rng) > 0.9


def test_copies_of_the_real_rows_pull_the_two_sample_test_below_one_half():
    table = make_table(200)
    assert two_sample_auc(table, table, rng=np.random.default_rng(0), n_trees=40) < 0.3


def test_usefulness_is_that_of_the_labels():
    rng = np.random.default_rng(0)
    train, test = make_table(300), make_table(300, seed=1)
    assert synthetic_to_real_auc(train, test, rng=rng) > 0.9
    wrong = make_generator("permuted_target").fit(train, rng=rng).sample(300, rng=rng)
    assert abs(synthetic_to_real_auc(wrong, test, rng=rng) - 0.5) < 0.15


def test_a_class_that_is_absent_from_the_synthetic_rows_does_not_stop_the_test():
    iris = load_table("iris")
    two = iris.take((iris.y != iris.classes[0]).to_numpy())
    assert 0.5 < synthetic_to_real_auc(two, iris, rng=np.random.default_rng(0)) < 1


def test_two_sample_auc_is_one_for_rows_apart_and_one_half_for_rows_without_any_difference():
    table = make_table(60)
    apart = Table("apart", table.X.assign(number=table.X["number"] + 100), table.y, table.categorical)
    assert two_sample_auc(table, apart, rng=np.random.default_rng(0), n_trees=20) == 1
    same = Table.from_frame(pd.DataFrame({"x": np.ones(40), "y": ["a"] * 40}), target="y")
    assert two_sample_auc(same, same, rng=np.random.default_rng(0), n_trees=5) == 0.5


def test_two_sample_auc_comes_near_the_best_that_any_classifier_can_reach():
    from scipy.stats import norm

    first, second = (
        Table.from_frame(
            pd.DataFrame({"x": np.random.default_rng(seed).normal(shift, size=1500), "y": "a"}), target="y"
        )
        for seed, shift in ((0, 0.0), (1, 2.0))
    )
    # The shift is the only difference, so the likelihood ratio ranks by x: its AUC is Phi(2 / sqrt(2)).
    best = norm.cdf(2 / np.sqrt(2))
    assert best - 0.06 < two_sample_auc(first, second, rng=np.random.default_rng(0)) < best + 0.02


def test_synthetic_to_real_auc_ranks_the_test_rows_by_hand():
    synthetic = Table.from_frame(pd.DataFrame({"x": [0, 1] * 30, "y": ["a", "b"] * 30}), target="y")
    test = Table.from_frame(pd.DataFrame({"x": [0, 0, 1, 1], "y": ["a", "b", "b", "b"]}), target="y")
    # Of the three rows of class b, two are ranked above the one of class a, and one is level with it.
    found = synthetic_to_real_auc(synthetic, test, rng=np.random.default_rng(0), n_trees=20)
    assert found == pytest.approx(2.5 / 3)


def test_all_scores_of_a_real_table_are_numbers_and_the_same_seed_gives_the_same():
    train, _, test = scarce_split(load_table("titanic"), n=90)
    smote = make_generator("smote").fit(train, rng=np.random.default_rng(0)).sample(100, rng=np.random.default_rng(1))
    first, second = (
        score_synthetic_rows(smote, train=train, test=test, rng=np.random.default_rng(2), n_trees=20) for _ in "ab"
    )
    assert first == second
    assert np.isfinite(list(first.values())).all()
    assert first["usefulness"] > 0.6
    itself = score_synthetic_rows(train, train=train, test=test, rng=np.random.default_rng(2), n_trees=20)
    assert [itself[name] for name in ("copies", "nearer_to_train", "membership_auc")] == [1, 1, 1]
    assert itself["closest_record"] == 0


def test_measures_name_what_they_cannot_use():
    table, rng = make_table(30), np.random.default_rng(0)
    other = Table("other", table.X.drop(columns="dice"), table.y, ["level"])
    for measure in (marginal_distances, association_error):
        with pytest.raises(ValueError, match="differ in columns"):
            measure(table, other)
    with pytest.raises(ValueError, match="n_folds=5 .* only 3"):
        two_sample_auc(table, table.take([0, 1, 2]), rng=rng)
    with pytest.raises(ValueError, match="one class only"):
        synthetic_to_real_auc(table.take((table.y == "yes").to_numpy()), table, rng=rng)
