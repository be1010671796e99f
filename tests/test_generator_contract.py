"""What the base class and the registry do for every generator, seen on raw rows that a test sets."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from causalmix_utils.generators import Generator, list_generators, make_generator, register_generator
from causalmix_utils.tables import Table


def test_list_has_a_complete_row_for_every_generator():
    listed = list_generators().set_index("name")
    assert {"smote", "ctgan"} <= set(listed.index)
    assert list(listed.columns) == ["summary", "source", "licence", "cost", "requires"]
    own = listed.drop(index=Doubling.name, errors="ignore")
    assert (own[["summary", "source", "licence", "cost"]].map(len) > 0).all(axis=None)
    assert "BUSL-1.1" in listed.loc["ctgan", "licence"]
    assert listed.loc["ctgan", "requires"] == "ctgan"


def test_make_generator_takes_names_classes_and_instances():
    generator = make_generator("smote", k_neighbors=2)
    copy = make_generator(generator, cover_classes=False)
    assert copy is not generator
    assert copy.get_params() == {"k_neighbors": 2, "cover_classes": False}
    assert generator.cover_classes is True
    assert make_generator(type(generator), k_neighbors=2).get_params() == generator.get_params()


@pytest.mark.parametrize("wrong", ["no such", None, 3, ["smote"], dict])
def test_make_generator_lists_the_names_when_there_is_no_such_generator(wrong):
    with pytest.raises(ValueError, match="generator must be one of .*'smote'"):
        make_generator(wrong)


class Doubling(Generator):
    """A third party's generator that returns what it is told to."""

    name = "doubling of tests"

    def __init__(self, *, rows=None, cover_classes=True):
        self.rows = rows
        self.cover_classes = cover_classes

    def _fit(self, train, rng):
        self.seen_ = train

    def _sample(self, n, rng):
        return pd.DataFrame(self.rows)


def test_a_registered_class_is_found_and_may_be_registered_twice():
    assert register_generator(Doubling) is Doubling
    assert register_generator(Doubling) is Doubling
    assert isinstance(make_generator("doubling of tests"), Doubling)


def test_registering_names_what_is_wrong():
    with pytest.raises(ValueError, match="subclass of Generator"):
        register_generator(dict)
    with pytest.raises(ValueError, match="needs a class attribute name"):
        register_generator(type("Nameless", (Doubling,), {"name": ""}))
    with pytest.raises(ValueError, match="'smote' of Thief is taken by SmoteGenerator"):
        register_generator(type("Thief", (Doubling,), {"name": "smote"}))
    with pytest.raises(ValueError, match="does not implement"):
        register_generator(type("Half", (Generator,), {"name": "half"}))


@pytest.fixture
def small():
    frame = pd.DataFrame(
        {"size": [1, 2, 5, 4], "price": [1.25, 2.5, 3.0, 0.5], "kind": ["x", "y", "x", "x"], "out": list("aabb")}
    )
    return Table.from_frame(frame, target="out", name="small")


def sample_raw(rows, table, kind=Doubling, **options):
    rng = np.random.default_rng(0)
    return kind(rows=rows, **options).fit(table, rng=rng).sample(2, rng=rng)


def test_numbers_of_a_column_with_few_values_become_values_that_occur(small):
    raw = {"out": ["a", "b"], "kind": ["x", "y"], "size": [2.9, 99], "price": [1.3, -np.inf], "spare": [0, 0]}
    rows = sample_raw(raw, small)
    assert rows.columns == small.columns
    assert rows.X["size"].tolist() == [2, 5]
    assert rows.X["price"].tolist() == [1.25, 0.5]


def test_numbers_of_a_column_with_many_values_keep_its_decimals_and_its_range():
    frame = pd.DataFrame({"price": np.arange(100) / 4, "count": np.arange(100) * 3, "y": ["a", "b"] * 50})
    raw = {"price": [1.23456, 99], "count": [1.6, -np.inf], "y": ["a", "b"]}
    rows = sample_raw(raw, Table.from_frame(frame, target="y"))
    assert rows.X["price"].tolist() == [1.23, 24.75]
    assert rows.X["count"].tolist() == [2, 0]


def test_the_rows_are_named_after_the_table_and_the_generator(small):
    raw = {"size": [1, 2], "price": [1, 2], "kind": ["x", "y"], "out": ["a", "b"]}
    assert sample_raw(raw, small).name == "small/doubling of tests"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": ["x", "new"]}, "'kind' has the level 'new'"),
        ({"out": ["a", "new"]}, "'out' has the class 'new'"),
        ({"out": ["a", None]}, "'out' has the class None"),
        ({"size": ["1", "many"]}, "'size' should hold numbers"),
        ({"size": None}, "lack the column 'size'"),
    ],
)
def test_impossible_raw_rows_are_named(small, change, message):
    raw = {"size": [1, 2], "price": [1, 2], "kind": ["x", "y"], "out": ["a", "b"]} | change
    with pytest.raises(ValueError, match=message):
        sample_raw({column: values for column, values in raw.items() if values is not None}, small)


def test_a_missing_value_where_the_table_has_none_becomes_an_observed_one_of_the_class(small):
    raw = {"size": [np.nan, 2], "price": [1, 2], "kind": ["y", None], "out": ["b", "b"]}
    rows = sample_raw(raw, small, cover_classes=False)
    assert rows.X["size"][0] in (4, 5)
    assert rows.X["kind"].tolist() == ["y", "x"]


class WithGaps(Doubling):
    """One whose missing values are meant."""

    name = "gaps of tests"
    returns_missing = True


def test_a_gap_that_is_meant_stays_only_where_the_table_has_gaps():
    frame = pd.DataFrame({"full": [1.0, 2.0, 5.0, 4.0], "gappy": [1.0, np.nan, 2.0, 3.0], "out": list("aabb")})
    raw = {"full": [np.nan, 2], "gappy": [np.nan, 1], "out": ["b", "a"]}
    rows = sample_raw(raw, Table.from_frame(frame, target="out"), WithGaps)
    assert rows.X["full"].isna().tolist() == [False, False]
    assert rows.X["full"][0] in (4, 5)
    assert rows.X["gappy"].isna().tolist() == [True, False]


def test_classes_are_covered_only_if_asked_for(small):
    raw = {"size": [1, 2], "price": [1, 2], "kind": ["y", "y"], "out": ["a", "a"]}
    assert sample_raw(raw, small, cover_classes=False).classes == ["a"]
    generator = Doubling(rows=raw).fit(small, rng=np.random.default_rng(0))
    for seed in range(20):
        covered = generator.sample(2, rng=np.random.default_rng(seed))
        assert covered.classes == ["a", "b"]
        assert covered.X["size"][covered.y == "b"].item() in (4, 5), "values of this class alone"


@pytest.mark.parametrize("wrong", ["no", 1, None])
def test_whether_classes_are_covered_is_a_flag(small, wrong):
    with pytest.raises(ValueError, match=f"cover_classes must be True or False, got {wrong!r}"):
        Doubling(cover_classes=wrong).fit(small, rng=np.random.default_rng(0))


def test_a_fit_that_fails_leaves_no_earlier_one(small):
    generator = Doubling(rows={}).fit(small, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="train must be"):
        generator.fit(small.to_frame(), rng=np.random.default_rng(0))
    with pytest.raises(NotFittedError):
        generator.sample(1, rng=np.random.default_rng(0))


def test_missing_values_are_filled_before_and_put_back_by_class_and_together():
    n = 4000
    rng = np.random.default_rng(0)
    y = np.where(rng.random(n) < 0.5, "a", "b")
    gone = (y == "a") & (rng.random(n) < 0.5)
    frame = pd.DataFrame({"u": np.where(gone, np.nan, rng.normal(size=n)), "v": np.where(gone, None, "x"), "y": y})
    table = Table.from_frame(frame, target="y")
    raw = pd.DataFrame({"u": np.zeros(n), "v": "x", "y": y})
    generator = Doubling(rows=raw).fit(table, rng=rng)
    assert not generator.seen_.X.isna().any(axis=None)
    rows = generator.sample(n, rng=rng)
    lacking = rows.X.isna()
    assert (lacking["u"] == lacking["v"]).all()
    assert not lacking["u"][rows.y == "b"].any()
    assert lacking["u"][rows.y == "a"].mean() == pytest.approx(0.5, abs=0.05)


def test_filling_keeps_each_column_within_its_class():
    frame = pd.DataFrame({"u": [1.0, 2.0, np.nan, 9.0, np.nan], "y": list("aaabb")})
    generator = Doubling().fit(Table.from_frame(frame, target="y"), rng=np.random.default_rng(0))
    assert generator.seen_.X["u"][2] in (1.0, 2.0)
    assert generator.seen_.X["u"][4] == 9.0
