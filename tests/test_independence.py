"""Independence tests: their level, their power, and what they do with columns that break others."""

import itertools
import math
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from causalmix_utils.discovery import find_redundant_columns
from causalmix_utils.independence import (
    ChiSquare,
    FisherZ,
    MixedTest,
    PValueTable,
    TestBudgetExceeded,
    choose_test,
    encode_columns,
    independence_p_value,
    register_tests,
)
from causalmix_utils.tables import Table

REPETITIONS = 300
LEVEL = 0.05
# Rejections that a test of the right level gives in all but one of 10,000 runs. Seeds are fixed: no lottery.
FEWEST, MOST = stats.binom.ppf([0.00005, 0.99995], REPETITIONS, LEVEL)


def draw_column(kind: str, n: int, rng: np.random.Generator) -> np.ndarray:
    if kind == "numerical":
        return rng.lognormal(size=n)
    return rng.choice(4, size=n, p=[0.4, 0.3, 0.2, 0.1]).astype(float)


@pytest.mark.parametrize("n", [100, 200, 1000])
@pytest.mark.parametrize(
    ("test", "x", "y"),
    [
        (FisherZ, "numerical", "numerical"),
        (MixedTest, "numerical", "numerical"),
        (MixedTest, "categorical", "numerical"),
        (MixedTest, "categorical", "categorical"),
        (ChiSquare, "categorical", "categorical"),
        (ChiSquare, "categorical", "numerical"),
    ],
)
def test_independent_columns_are_rejected_at_the_level_of_the_test(test, x, y, n):
    rng = np.random.default_rng(n)
    kinds = [x, y]
    columns = np.array([k == "categorical" for k in kinds])
    rejected = 0
    for _ in range(REPETITIONS):
        values = np.column_stack([draw_column(kind, n, rng) for kind in kinds])
        rejected += test(values, columns).p_value(0, 1) < LEVEL
    assert FEWEST <= rejected <= MOST


@pytest.mark.parametrize("n", [100, 200, 1000])
@pytest.mark.parametrize(("test", "kind"), [(FisherZ, "numerical"), (MixedTest, "both"), (ChiSquare, "categorical")])
def test_columns_with_a_common_cause_are_independent_given_that_cause(test, kind, n):
    """The cause is numerical for Fisher's z, and has two levels for the others."""
    rng = np.random.default_rng(n)
    given, alone = 0, 0
    for _ in range(REPETITIONS):
        cause = rng.normal(size=n) if kind == "numerical" else rng.integers(2, size=n).astype(float)
        numbers = 1.5 * cause[:, None] + rng.normal(size=(n, 2))
        x, y = numbers.T
        if kind != "numerical":
            x = np.digitize(x, [0, 1.5]).astype(float)
        if kind == "categorical":
            y = np.digitize(y, [0, 1.5]).astype(float)
        is_categorical = np.array([kind != "numerical", kind == "categorical", kind != "numerical"])
        tests = test(np.column_stack([x, y, cause]), is_categorical)
        given += tests.p_value(0, 1, (2,)) < LEVEL
        alone += tests.p_value(0, 1) < LEVEL
    assert FEWEST <= given <= MOST
    assert alone > 0.6 * REPETITIONS


@pytest.mark.parametrize("n", [100, 200, 1000])
@pytest.mark.parametrize(("x", "y"), [("numerical", "numerical"), ("categorical", "numerical")])
def test_conditions_of_both_kinds_leave_the_level_of_the_mixed_test_as_it_is(x, y, n):
    rng = np.random.default_rng(n)
    kinds = [x, y, "numerical", "categorical"]
    columns = np.array([kind == "categorical" for kind in kinds])
    rejected = 0
    for _ in range(REPETITIONS):
        values = np.column_stack([draw_column(kind, n, rng) for kind in kinds])
        rejected += MixedTest(values, columns).p_value(0, 1, (2, 3)) < LEVEL
    assert FEWEST <= rejected <= MOST


@pytest.mark.parametrize("missing", [0.1, 0.3])
@pytest.mark.parametrize("test", [FisherZ, MixedTest, ChiSquare])
def test_missing_values_leave_the_level_as_it_is(test, missing):
    rng = np.random.default_rng(0)
    rejected = 0
    for _ in range(REPETITIONS):
        values = rng.integers(3, size=(200, 3)).astype(float)
        values[rng.random(values.shape) < missing] = np.nan
        rejected += test(values, np.array([test is not FisherZ] * 3)).p_value(0, 1, (2,)) < LEVEL
    assert FEWEST <= rejected <= MOST


@pytest.mark.parametrize("test", [FisherZ, MixedTest, ChiSquare])
def test_a_missing_value_counts_as_if_its_row_were_absent_from_that_test_alone(test):
    rng = np.random.default_rng(1)
    values = rng.integers(3, size=(150, 4)).astype(float)
    values[:60, 2] = np.nan
    kinds = np.array([test is not FisherZ] * 4)
    with_missing = test(values, kinds)
    complete = test(np.delete(values, 2, axis=1), kinds[:3])
    assert with_missing.p_value(0, 1, (3,)) == pytest.approx(complete.p_value(0, 1, (2,)))
    if test is FisherZ:  # The others rank and pool on all present values of a column first.
        assert with_missing.p_value(0, 2, (3,)) == pytest.approx(test(values[60:], kinds).p_value(0, 2, (3,)))


def test_fisher_z_agrees_with_causal_learn():
    from causallearn.utils.cit import CIT

    rng = np.random.default_rng(2)
    values = rng.normal(size=(150, 8)) @ rng.normal(size=(8, 8))
    theirs, ours = CIT(values, "fisherz"), FisherZ(values)
    for size in range(5):
        x, y, *given = (int(place) for place in rng.permutation(8)[: size + 2])
        assert ours.p_value(x, y, given) == pytest.approx(theirs(x, y, given), abs=1e-9)


def test_fisher_z_is_exact_in_the_far_tail_where_one_minus_a_distribution_function_is_zero():
    x = np.linspace(0, 1, 400)
    noise = np.random.default_rng(0).normal(scale=0.2, size=400)
    p = FisherZ(np.column_stack([x, x + noise])).p_value(0, 1)
    assert 0 < p < 1e-60


def test_the_mixed_test_of_two_numerical_columns_is_the_t_test_of_their_normal_scores():
    rng = np.random.default_rng(3)
    values = rng.normal(size=(60, 2)) @ np.array([[1, 0.3], [0, 1]])
    scores = stats.norm.ppf(stats.rankdata(values, axis=0) / 61)
    p = MixedTest(values, np.zeros(2, dtype=bool)).p_value(0, 1)
    assert p == pytest.approx(stats.pearsonr(*scores.T).pvalue)


def test_the_mixed_test_of_a_category_and_a_number_is_the_analysis_of_variance_of_the_normal_scores():
    rng = np.random.default_rng(4)
    groups = rng.integers(3, size=80)
    numbers = rng.normal(size=80) + 0.4 * groups
    scores = stats.norm.ppf(stats.rankdata(numbers) / 81)
    p = MixedTest(np.column_stack([groups, numbers]), np.array([True, False])).p_value(0, 1)
    assert p == pytest.approx(stats.f_oneway(*(scores[groups == group] for group in range(3))).pvalue)


def test_chi_square_agrees_with_scipy_and_adds_up_over_strata():
    rng = np.random.default_rng(5)
    x, y, z = rng.integers(3, size=(3, 400)).astype(float)
    tests = ChiSquare(np.column_stack([x, y, z]), np.ones(3, dtype=bool))
    assert tests.p_value(0, 1) == pytest.approx(stats.chi2_contingency(pd.crosstab(x, y), correction=False).pvalue)
    parts = [stats.chi2_contingency(pd.crosstab(x[z == k], y[z == k]), correction=False) for k in range(3)]
    expected = stats.chi2.sf(sum(part.statistic for part in parts), sum(part.dof for part in parts))
    assert tests.p_value(0, 1, (2,)) == pytest.approx(expected)


def test_columns_of_very_many_levels_cost_no_memory():
    """There are 400 × 400 cells in each of thousands of strata, nearly all of them empty."""
    rng = np.random.default_rng(0)
    values = rng.integers(400, size=(3000, 4)).astype(float)
    tests = ChiSquare(np.repeat(values, 5, axis=0), np.ones(4, dtype=bool))
    tracemalloc.start()
    try:
        assert tests.p_value(0, 1, (2, 3)) < 1e-9, "each row stands there five times"
        assert tracemalloc.get_traced_memory()[1] < 100 * 2**20
    finally:
        tracemalloc.stop()


def test_a_monotone_change_of_a_numerical_column_and_one_outlier_do_not_change_the_mixed_test():
    rng = np.random.default_rng(6)
    x = rng.normal(size=200)
    y = x + rng.normal(size=200)
    before = MixedTest(np.column_stack([x, y]), np.zeros(2, dtype=bool)).p_value(0, 1)
    y_changed = np.exp(3 * y)
    y_changed[y_changed.argmax()] = 1e12
    after = MixedTest(np.column_stack([x, y_changed]), np.zeros(2, dtype=bool)).p_value(0, 1)
    assert after == pytest.approx(before) and before < 1e-6


@pytest.mark.parametrize("test", [FisherZ, MixedTest, ChiSquare])
def test_a_constant_column_is_independent_of_everything_and_harmless_in_a_conditioning_set(test):
    """Elsewhere it gives p-values that are no numbers, and wrong edges."""
    rng = np.random.default_rng(7)
    values = rng.integers(3, size=(200, 3)).astype(float)
    values[:, 1] = values[:, 0]
    values[rng.random(200) < 0.3, 1] = 1
    values[:, 2] = 1e9
    kinds = np.array([test is not FisherZ] * 3)
    tests = test(values, kinds)
    table = PValueTable(values, kinds, test={FisherZ: "fisherz", MixedTest: "mixed", ChiSquare: "chisq"}[test])
    assert table.p_value(0, 2) == 1.0
    assert tests.p_value(0, 1, (2,)) < 1e-6


@pytest.mark.parametrize("test", [FisherZ, MixedTest])
def test_what_the_conditioning_set_determines_can_not_be_tested(test):
    """A copy in the conditioning set makes the correlation matrix singular, which is an error elsewhere."""
    rng = np.random.default_rng(8)
    x = rng.integers(4, size=200).astype(float)
    y = x + rng.normal(size=200)
    values = np.column_stack([x, y, 2 * x + 1])
    assert math.isnan(test(values, np.zeros(3, dtype=bool)).p_value(0, 1, (2,)))
    tests = PValueTable(values, np.zeros(3, dtype=bool), test="mixed")
    assert tests.p_value(0, 1, (2,)) == 0.0, "a pair that can't be tested must keep its edge"


@pytest.mark.parametrize("test", [FisherZ, MixedTest, ChiSquare])
def test_too_few_rows_give_no_p_value_instead_of_a_wrong_one(test):
    values = np.random.default_rng(9).integers(2, size=(4, 4)).astype(float)
    values[:, :2] = [[0, 1], [1, 0], [0, 0], [1, 1]]
    assert math.isnan(test(values, np.array([test is not FisherZ] * 4)).p_value(0, 1, (2, 3)))
    nothing = np.full((5, 3), np.nan)
    assert math.isnan(test(nothing, np.array([test is not FisherZ] * 3)).p_value(0, 1, (2,)))


def test_chi_square_reads_raw_numbers_by_their_bins():
    """Raw floats are levels of one row each elsewhere, and the graph comes out empty."""
    rng = np.random.default_rng(10)
    x = rng.normal(size=300)
    p = ChiSquare(np.column_stack([x, x + rng.normal(size=300)]), np.zeros(2, dtype=bool)).p_value(0, 1)
    assert p < 1e-6


@pytest.mark.parametrize("sign", [1, -1])
def test_chi_square_cuts_a_column_that_is_mostly_its_largest_or_its_smallest_value(sign):
    rng = np.random.default_rng(0)
    x = np.where(rng.random(400) < 0.8, 10.0, rng.random(400) * 9)
    y = np.where((x == 10) ^ (rng.random(400) < 0.05), "a", "b")
    table = Table.from_frame(pd.DataFrame({"x": sign * x, "y": y}), target="y")
    assert independence_p_value(table, "x", "y", test="chisq") < 1e-20


def test_numbers_of_a_large_offset_are_no_constant():
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    y = np.where(x + 0.3 * rng.normal(size=400) > 0, "a", "b")
    table = Table.from_frame(pd.DataFrame({"x": 1e12 + 10 * x, "y": y}), target="y")
    assert independence_p_value(table, "x", "y", test="fisherz") < 1e-20


def test_numbers_so_small_that_their_squares_vanish_are_no_error():
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, 100))
    frame = pd.DataFrame({"x": 1e-200 * x, "z": z, "y": np.where(x > 0, "a", "b")})
    table = Table.from_frame(frame, target="y")
    assert np.isnan(independence_p_value(table, "x", "y", test="fisherz"))
    assert find_redundant_columns(table).determined == {}


def test_levels_of_few_rows_are_pooled_so_that_a_column_of_names_is_no_cause_of_anything():
    values = np.column_stack([np.arange(100), np.random.default_rng(0).integers(2, size=100)]).astype(float)
    tests = PValueTable(values, np.ones(2, dtype=bool), test="mixed")
    assert tests.p_value(0, 1) == 1.0


def make_table(**columns) -> Table:
    return Table.from_frame(pd.DataFrame(columns), target="y")


def test_the_automatic_test_follows_the_column_types():
    numbers = {"a": [1.0, 2.0, 3.0, 4.0], "y": list("nyny")}
    assert choose_test(make_table(**numbers)) == "fisherz"
    assert choose_test(make_table(**numbers, b=list("uvuv"))) == "fisherz"
    assert choose_test(make_table(**numbers, b=list("uvwu"))) == "mixed"
    assert choose_test(make_table(a=[1.0, 2.0, 3.0], y=list("abc"))) == "mixed"
    assert choose_test(make_table(**numbers), "chisq") == "chisq"


def test_fisher_z_refuses_codes_of_three_levels_and_names_the_column():
    table = make_table(a=[1.0, 2.0, 3.0], job=["cook", "smith", "king"], y=list("nyn"))
    with pytest.raises(ValueError, match="column 'job' has 3 levels"):
        choose_test(table, "fisherz")
    with pytest.raises(ValueError, match="test must be one of .* got 'magic'"):
        choose_test(table, "magic")


def test_a_question_about_unknown_or_repeated_columns_is_refused():
    table = make_table(a=[1.0, 2.0, 3.0], y=list("nyn"))
    with pytest.raises(ValueError, match="'b' is not a column"):
        independence_p_value(table, "a", "b")
    with pytest.raises(ValueError, match="'a' is named more than once"):
        independence_p_value(table, "a", "y", ["a"])


def test_the_order_of_the_question_does_not_matter_and_is_answered_once():
    table = make_table(
        a=[1.0, 2.0, 5.0, 3.0, 8.0] * 9, b=[2.0, 7.0, 1.0, 8.0, 2.0] * 9, c=range(45), y=list("nyynn") * 9
    )
    tests = PValueTable(*encode_columns(table), test="mixed")
    assert tests.p_value(0, 3, (1, 2)) == tests.p_value(3, 0, (2, 1))
    assert (tests.asked, tests.computed) == (2, 1)


def test_a_search_past_its_budget_is_stopped_and_the_next_starts_afresh():
    tests = PValueTable(np.random.default_rng(0).normal(size=(30, 3)), np.zeros(3, dtype=bool), test="fisherz")
    tests.begin_search(2)
    tests.p_value(0, 1)
    tests.p_value(0, 1)
    with pytest.raises(TestBudgetExceeded):
        tests.p_value(0, 1)
    tests.begin_search(1)
    tests.p_value(0, 2)


@settings(max_examples=40)
@given(st.integers(0, 2**31), st.integers(0, 3), st.booleans())
def test_a_batch_of_tests_gives_what_they_give_one_by_one(seed, size, missing):
    """Columns of all kinds, with a constant one, a copy, a category of many levels and missing values."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(8, 150))
    values = np.column_stack([rng.normal(size=(n, 3)), rng.integers(2, size=(n, 1)), rng.integers(5, size=(n, 2))])
    values = np.column_stack([values, values[:, 0], np.ones(n), values[:, 0] + 0.5 * values[:, 4]])
    if missing:
        values[rng.random(n) < 0.2, 2] = np.nan
    kinds = np.array([False, False, False, True, True, True, False, False, False])
    asked = [rng.permutation(9)[: size + 1].tolist() for _ in range(25)]
    x = int(rng.integers(9))
    asked = [[place for place in question if place != x] for question in asked]
    asked = [question for question in asked if len(question) == size + 1]
    if not asked:
        return
    ys, sets = np.array([q[0] for q in asked]), np.array([q[1:] for q in asked]).reshape(len(asked), size)
    for test in (FisherZ, MixedTest, ChiSquare):
        tests = test(values, kinds & (test is not FisherZ))
        one_by_one = [tests.p_value(x, y, given) for y, given in zip(ys.tolist(), sets.tolist(), strict=True)]
        np.testing.assert_allclose(tests.p_values(x, ys, sets), one_by_one, rtol=1e-6, atol=1e-12)


def test_a_large_batch_is_cut_into_pieces_that_change_nothing(monkeypatch):
    values = np.random.default_rng(0).normal(size=(60, 8))
    sets = np.array(list(itertools.combinations(range(2, 8), 2)))
    ys = np.ones(len(sets), dtype=int)
    whole = FisherZ(values).p_values(0, ys, sets)
    monkeypatch.setattr("causalmix_utils.independence.statistics._MOST_CELLS", 40)
    np.testing.assert_array_equal(FisherZ(values).p_values(0, ys, sets), whole)


def test_batches_count_towards_the_budget_before_they_are_computed():
    tests = PValueTable(np.random.default_rng(0).normal(size=(30, 4)), np.zeros(4, dtype=bool), test="fisherz")
    tests.begin_search(5)
    ys, sets = np.array([1, 2]), np.array([[3], [3]])
    np.testing.assert_allclose(tests.p_values(0, ys, sets), [tests.p_value(0, 1, (3,)), tests.p_value(0, 2, (3,))])
    computed = tests.computed
    with pytest.raises(TestBudgetExceeded):
        tests.p_values(0, ys, sets)
    assert tests.computed == computed


def test_what_can_not_be_tested_is_read_in_the_cautious_direction_in_batches_too():
    x = np.random.default_rng(0).normal(size=50)
    tests = PValueTable(np.column_stack([x, np.ones(50), x]), np.zeros(3, dtype=bool), test="fisherz")
    assert tests.p_values(0, np.array([1]), np.empty((1, 0), dtype=int)).tolist() == [1.0]
    assert tests.p_values(0, np.array([1]), np.array([[2]])).tolist() == [0.0]


def test_the_registered_tests_work_in_causal_learn_itself():
    from causallearn.search.ConstraintBased.PC import pc

    rng = np.random.default_rng(11)
    cause = rng.normal(size=300)
    group = np.digitize(cause + rng.normal(size=300), [-0.5, 0.5])
    values = np.column_stack([cause, group, rng.normal(size=300)])
    graph = pc(
        values,
        0.05,
        register_tests()["mixed"],
        is_categorical=np.array([False, True, False]),
        show_progress=False,
    ).G.graph
    assert graph[0, 1] != 0
    assert not graph[2].any()
