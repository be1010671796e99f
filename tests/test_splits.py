"""Scarce splits: sizes, class shares, duplicates on one side, and the same rows for everyone."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalmix_utils.tables import Table, duplicate_groups, list_tables, load_table, scarce_split

pytestmark = pytest.mark.filterwarnings("ignore:.*has no row of class:UserWarning")


def make_table(codes, labels, name="t"):
    """A table of one column, in which equal codes are duplicates."""
    frame = pd.DataFrame({"code": np.asarray(codes), "y": [f"class {label}" for label in labels]})
    return Table.from_frame(frame, target="y", name=name)


@st.composite
def tables(draw):
    """Tables of up to 60 rows and 4 classes, many rows of which are duplicates."""
    n_rows = draw(st.integers(12, 60))
    codes = draw(st.lists(st.integers(0, draw(st.integers(3, 80))), min_size=n_rows, max_size=n_rows))
    labels = draw(st.lists(st.integers(0, draw(st.integers(1, 3))), min_size=n_rows, max_size=n_rows))
    labels[:2] = [0, 1]
    return make_table(codes, labels)


@settings(max_examples=60)
@given(table=tables(), n=st.integers(6, 60), split=st.integers(0, 3))
def test_sides_are_disjoint_bounded_and_complete(table, n, split):
    try:
        train, validation, test = scarce_split(table, n=n, split=split)
    except ValueError as error:
        assert "too small" in str(error)
        return
    used = min(n, int(2 / 3 * len(table)))
    assert len(validation) <= round(used / 3)
    assert len(train) <= used - round(used / 3)
    assert len(train) + len(validation) + len(test) == len(table)
    together = pd.concat([part.to_frame() for part in (train, validation, test)])
    columns = list(together.columns)
    pd.testing.assert_frame_equal(
        together.sort_values(columns, ignore_index=True), table.to_frame().sort_values(columns, ignore_index=True)
    )


@settings(max_examples=60)
@given(table=tables(), n=st.integers(6, 60), split=st.integers(0, 3))
def test_rows_with_equal_features_stand_on_one_side(table, n, split):
    try:
        sides = scarce_split(table, n=n, split=split)
    except ValueError:
        return
    seen = [set(side.X["code"]) for side in sides]
    assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])


@settings(max_examples=60)
@given(
    labels=st.lists(st.integers(0, 3), min_size=15, max_size=80),
    fraction=st.sampled_from([0.2, 1 / 3, 0.5]),
    n=st.integers(10, 80),
)
def test_without_duplicates_sizes_are_exact_and_every_class_of_three_rows_is_on_all_sides(labels, fraction, n):
    labels = [0, 1, *labels]
    table = make_table(np.arange(len(labels)), labels)
    try:
        sides = scarce_split(table, n=n, validation_fraction=fraction)
    except ValueError as error:
        assert "too small" in str(error)
        return
    used = min(n, int(2 / 3 * len(table)))
    assert [len(side) for side in sides[:2]] == [used - round(fraction * used), round(fraction * used)]
    for name, count in table.y.value_counts().items():
        present = [name in side.classes for side in sides]
        assert present == {1: [True, False, False], 2: [True, False, True]}.get(count, [True] * 3)


@pytest.mark.parametrize("name", ["credit-g", "contraceptive", "titanic", "vehicle"])
def test_class_shares_are_those_of_the_table(name):
    table = load_table(name)
    shares = table.y.value_counts(normalize=True)
    for side in scarce_split(table, n=200):
        difference = (side.y.value_counts(normalize=True) - shares).abs()
        assert difference.max() < 0.025


def test_every_embedded_table_can_be_split_and_keeps_every_class_on_all_sides():
    for name in list_tables()["name"]:
        table = load_table(name)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            train, validation, test = scarce_split(table, n=200)
        n = min(200, int(2 / 3 * len(table)))
        assert (len(train), len(validation)) == (n - round(n / 3), round(n / 3)), name
        for side in (train, validation, test):
            assert side.classes == table.classes, name
            assert list(side.X.dtypes) == list(table.X.dtypes)
        assert len(test) <= 2000


def test_the_split_depends_on_the_tables_name_and_its_number_alone():
    table = make_table(np.arange(90), np.arange(90) % 2)
    first = scarce_split(table, n=30)
    np.random.seed(5)  # noqa: NPY002 - the global state must not matter
    assert scarce_split(table, n=30)[0].X.equals(first[0].X)
    assert not scarce_split(table, n=30, split=1)[0].X.equals(first[0].X)
    other = make_table(np.arange(90), np.arange(90) % 2, name="other")
    assert not scarce_split(other, n=30)[0].X.equals(first[0].X)


def test_splits_are_the_same_on_every_machine():
    """Stored results rest on these rows, so a change of the algorithm must be noticed."""
    train, validation, _ = scarce_split(make_table(np.arange(30), np.arange(30) % 2), n=9)
    assert train.X["code"].tolist() == [15, 8, 1, 14, 9, 0]
    assert validation.X["code"].tolist() == [24, 22, 21]


def test_rows_are_in_random_order():
    table = make_table(np.arange(300), np.repeat([0, 1], 150))
    for side in scarce_split(table, n=90):
        assert side.y.iloc[: len(side) // 2].nunique() == 2
        assert not side.X["code"].is_monotonic_increasing


def test_n_above_two_thirds_of_the_table_uses_two_thirds():
    table = make_table(np.arange(90), np.arange(90) % 3)
    assert [len(side) for side in scarce_split(table, n=1000)] == [40, 20, 30]


def test_max_test_thins_the_test_rows_out_and_keeps_rare_classes():
    labels = np.r_[np.zeros(400), np.ones(80), np.full(3, 2)].astype(int)
    table = make_table(np.arange(len(labels)), labels)
    full = scarce_split(table, n=60, max_test=None)
    thin = scarce_split(table, n=60, max_test=50)
    assert len(full[2]) == len(table) - 60
    assert len(thin[2]) == 50
    assert thin[2].classes == table.classes
    assert set(thin[2].X["code"]) <= set(full[2].X["code"])
    assert thin[0].X.equals(full[0].X)


def test_a_class_with_too_few_different_rows_is_named_in_a_warning():
    codes = [*range(40), 100, 100, 100, 100]
    table = make_table(codes, [0, 1] * 20 + [2] * 4)
    with pytest.warns(UserWarning, match="validation of table 't' has no row of class 'class 2'"):
        train, validation, test = scarce_split(table, n=24)
    assert "class 2" in train.classes
    assert "class 2" not in [*validation.classes, *test.classes]


def test_duplicates_with_different_classes_stay_together():
    codes = np.repeat(np.arange(50), 2)
    sides = scarce_split(make_table(codes, [0, 1] * 50), n=30)
    for side in sides:
        assert (side.X["code"].value_counts() == 2).all()
    assert [len(side) for side in sides] == [20, 10, 70]


def test_missing_values_count_as_equal():
    X = pd.DataFrame({"a": [1.0, np.nan, np.nan, 1.0], "b": pd.Categorical([None, "x", "x", None])})
    assert duplicate_groups(X).tolist()[:2] == duplicate_groups(X).tolist()[:1:-1]
    assert len(set(duplicate_groups(X))) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 1}, "n must be an integer of at least 2, got 1"),
        ({"n": 20.5}, "n must be an integer of at least 2, got 20.5"),
        ({"validation_fraction": 0}, "validation_fraction must be a number between 0 and 1, both excluded, got 0"),
        ({"validation_fraction": 1.5}, "validation_fraction must be a number between 0 and 1, both excluded, got 1.5"),
        ({"split": -1}, "split must be an integer of at least 0, got -1"),
        ({"max_test": 0}, "max_test must be an integer of at least 1 or None, got 0"),
    ],
)
def test_a_wrong_argument_is_named_with_its_value(options, message):
    with pytest.raises(ValueError, match=message):
        scarce_split(load_table("wine"), **options)


def test_one_class_cannot_be_split():
    with pytest.raises(ValueError, match="only one class .'class 0' in 'y'."):
        scarce_split(make_table(np.arange(30), np.zeros(30, int)))


def test_ten_rows_can_be_split_for_two_classes_but_not_for_four():
    sides = scarce_split(make_table(np.arange(10), np.arange(10) % 2))
    assert [len(side) for side in sides] == [4, 2, 4]
    with pytest.raises(ValueError, match="10 rows and 4 classes, and validation would hold 2 of the rows"):
        scarce_split(make_table(np.arange(10), np.arange(10) % 4))


def test_twelve_classes_are_no_obstacle():
    table = make_table(np.arange(120), np.arange(120) % 12)
    assert all(len(side.classes) == 12 for side in scarce_split(table, n=60))


def test_equal_rows_that_leave_a_side_empty_are_reported():
    with pytest.raises(ValueError, match="30 rows are only 1 different ones, .* train would be empty"):
        scarce_split(make_table(np.zeros(30), [0, 1] * 15))
