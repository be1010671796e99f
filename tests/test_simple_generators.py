"""What SMOTE, TableAugment, CTGAN and the controls keep, and what they destroy."""

import math
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from causalmix_utils.generators import make_generator
from causalmix_utils.generators.smote import share_out
from causalmix_utils.tables import Table

ROOT = Path(__file__).resolve().parents[1]


def draw(name, table, n, *, seed=0, **options):
    rng = np.random.default_rng(seed)
    return make_generator(name, **options).fit(table, rng=rng).sample(n, rng=rng)


def make_two_groups(rng, *, n=(60, 30)):
    """Class 'low' around 0 and class 'high' around 100, in two columns of different units."""
    y = np.repeat(["low", "high"], n)
    center = np.where(y == "high", 100.0, 0.0)
    frame = pd.DataFrame({"u": center + rng.normal(size=len(y)), "v": center + rng.normal(size=len(y)), "y": y})
    return Table.from_frame(frame, target="y")


@pytest.fixture
def groups():
    return make_two_groups(np.random.default_rng(0))


@pytest.fixture
def numbered():
    """Row i holds i in each of ten columns, so that a new row shows which row each value is from."""
    frame = pd.DataFrame({f"c{i}": np.arange(50) for i in range(10)})
    frame["y"] = np.where(np.arange(50) < 25, "a", "b")
    return Table.from_frame(frame, target="y")


class TestSmote:
    def test_new_numbers_lie_between_numbers_of_the_same_class_and_are_new(self, groups):
        rows = draw("smote", groups, 200)
        for label in groups.classes:
            real, new = groups.X[groups.y == label], rows.X[rows.y == label]
            assert (new.min() >= real.min()).all() and (new.max() <= real.max()).all()
            assert not new["u"].isin(real["u"]).all()

    def test_classes_keep_their_shares(self, groups):
        assert draw("smote", groups, 300).y.value_counts().to_dict() == {"low": 200, "high": 100}

    def test_a_columns_unit_does_not_matter(self, groups):
        X = groups.X.assign(v=groups.X["v"] * 1000)
        scaled = Table(name="scaled", X=X, y=groups.y)
        rows, scaled_rows = draw("smote", groups, 50), draw("smote", scaled, 50)
        np.testing.assert_allclose(scaled_rows.X["u"], rows.X["u"])
        np.testing.assert_allclose(scaled_rows.X["v"], rows.X["v"] * 1000)

    def test_a_class_of_one_row_is_copied_and_one_of_two_rows_is_interpolated(self):
        frame = pd.DataFrame({"u": [0.1, 0.2, 0.3, 5.0, 7.0, 9.5], "y": ["a", "a", "a", "two", "two", "one"]})
        rows = draw("smote", Table.from_frame(frame, target="y"), 60)
        assert (rows.X["u"][rows.y == "one"] == 9.5).all()
        assert rows.X["u"][rows.y == "two"].between(5.0, 7.0).all()

    @pytest.mark.parametrize(("k_neighbors", "joins_the_ends"), [(1, False), (2, True)])
    def test_as_many_neighbours_are_joined_as_asked_for(self, k_neighbors, joins_the_ends):
        corner = pd.DataFrame({"u": [0.0, 1.0, 1.0], "v": [0.0, 0.0, 5.0], "y": "corner"})
        others = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["u", "v"]).assign(y="other")
        table = Table.from_frame(pd.concat([corner, others], ignore_index=True), target="y")
        rows = draw("smote", table, 2000, k_neighbors=k_neighbors)
        drawn = rows.X[rows.y == "corner"]
        is_on_a_leg = np.isclose(drawn["v"], 0) | np.isclose(drawn["u"], 1)
        assert len(drawn) > 50
        assert is_on_a_leg.all() != joins_the_ends

    def test_one_class_alone_can_be_drawn(self, groups):
        table = groups.take(np.flatnonzero(groups.y == "low"))
        rows = draw("smote", table, 20)
        assert rows.classes == ["low"] and len(rows) == 20

    def test_levels_of_a_categorical_column_come_from_the_same_class(self, groups):
        kind = pd.Categorical(np.where(groups.y == "low", "x", "z"))
        mixed = Table(name="mixed", X=groups.X.assign(kind=kind), y=groups.y, categorical=["kind"])
        levels = Table(name="levels", X=mixed.X[["kind"]], y=groups.y, categorical=["kind"])
        for table in (mixed, levels):
            rows = draw("smote", table, 100)
            assert (rows.X["kind"] == np.where(rows.y == "low", "x", "z")).all()

    def test_the_target_may_have_any_name(self):
        frame = pd.DataFrame({"u": [0.1, 0.2, 0.3, 9.5], "self": ["a", "a", "a", "one"]})
        rows = draw("smote", Table.from_frame(frame, target="self"), 40)
        assert rows.target == "self" and rows.classes == ["a", "one"]

    def test_wrong_options_are_named(self, groups):
        with pytest.raises(ValueError, match="k_neighbors must be an integer of at least 1, got 0"):
            draw("smote", groups, 5, k_neighbors=0)


class TestShareOut:
    def test_parts_are_within_one_of_their_share_and_right_on_average(self):
        shares = pd.Series([0.55, 0.25, 0.13, 0.07], index=list("abcd"))
        rng = np.random.default_rng(0)
        parts = pd.DataFrame([share_out(9, shares, rng=rng) for _ in range(500)])
        assert (parts.sum(axis=1) == 9).all()
        assert ((parts - 9 * shares).abs() < 1).all(axis=None)
        np.testing.assert_allclose(parts.mean(), 9 * shares, atol=0.1)

    def test_no_part_is_below_the_smallest_allowed(self):
        shares = pd.Series([0.98, 0.01, 0.01], index=list("abc"))
        assert share_out(3, shares, rng=np.random.default_rng(0), at_least=1).to_dict() == {"a": 1, "b": 1, "c": 1}


class TestTableAugment:
    def test_whole_rows_are_real_rows_when_all_features_are_kept(self, numbered):
        rows = draw("table_augment", numbered, 100, minimum_share=1.0)
        assert (rows.X.nunique(axis=1) == 1).all()
        assert (rows.y == np.where(rows.X["c0"] < 25, "a", "b")).all()

    def test_half_or_more_of_the_features_come_from_one_row_with_its_class(self, numbered):
        rows = draw("table_augment", numbered, 200, n_views=20)
        source = rows.X.mode(axis=1)[0]
        kept = rows.X.eq(source, axis=0).sum(axis=1)
        assert kept.min() >= 5
        assert kept.nunique() > 3
        assert (rows.y == np.where(source < 25, "a", "b")).all()

    @pytest.mark.parametrize(("width", "share"), [(4, 0.6), (5, 0.5), (10, 0.7), (3, 0.01)])
    def test_no_view_keeps_less_than_the_smallest_share(self, width, share):
        frame = pd.DataFrame({f"c{i}": np.arange(2000) for i in range(width)}).assign(y=["a", "b"] * 1000)
        rows = draw("table_augment", Table.from_frame(frame, target="y"), 400, minimum_share=share, n_views=40)
        kept = rows.X.eq(rows.X.mode(axis=1)[0], axis=0).sum(axis=1)
        assert kept.min() == max(1, math.ceil(round(share * width, 9)))

    def test_permuted_features_carry_no_information(self, numbered):
        rows = draw("table_augment", numbered, 4000, minimum_share=0.0, n_views=100)
        assert abs(rows.X["c0"].corr(rows.X["c1"])) < 0.4
        assert sorted(rows.X["c0"].unique()) == list(range(50))

    def test_blanked_features_are_missing_where_possible_and_neutral_elsewhere(self):
        rng = np.random.default_rng(0)
        frame = pd.DataFrame({"u": rng.normal(size=51), "v": rng.normal(size=51), "y": ["a", "b", "a"] * 17})
        frame.loc[0, "v"] = np.nan
        table = Table.from_frame(frame, target="y")
        rows = draw("table_augment", table, 400, minimum_share=0.0, others="blanked", n_views=40)
        blanked_u, blanked_v = rows.X["u"] == frame["u"].median(), rows.X["v"].isna()
        # One of the two columns is always kept, so that hardly any row lacks both.
        assert 0.2 < blanked_u.mean() < 0.8 and 0.2 < blanked_v.mean() < 0.8
        assert (blanked_u & blanked_v).mean() < 0.1

    @pytest.mark.parametrize(
        ("option", "value"), [("minimum_share", 1.5), ("minimum_share", "half"), ("others", "dropped"), ("n_views", 0)]
    )
    def test_wrong_options_are_named(self, numbered, option, value):
        with pytest.raises(ValueError, match=f"{option} must be .*got {value!r}"):
            draw("table_augment", numbered, 5, **{option: value})


class TestControls:
    def test_independent_keeps_values_and_destroys_every_dependence(self, numbered):
        rows = draw("independent", numbered, 4000)
        assert sorted(rows.X["c0"].unique()) == list(range(50))
        assert abs(rows.X["c0"].corr(rows.X["c1"])) < 0.06
        assert abs(rows.X["c0"].corr((rows.y == "a").astype(float))) < 0.06

    def test_permuted_target_keeps_feature_rows_and_destroys_the_label_signal(self, numbered):
        rows = draw("permuted_target", numbered, 4000)
        assert (rows.X.nunique(axis=1) == 1).all()
        assert abs(rows.X["c0"].corr((rows.y == "a").astype(float))) < 0.06

    def test_a_permuted_target_may_have_any_name(self, numbered):
        table = Table(name="self", X=numbered.X, y=numbered.y.rename("self"))
        assert draw("permuted_target", table, 20).y.equals(draw("permuted_target", numbered, 20).y.rename("self"))


class TestCtgan:
    def test_without_the_library_the_error_names_the_extra_and_the_licence(self, groups, monkeypatch):
        monkeypatch.setitem(sys.modules, "ctgan", None)
        with pytest.raises(ImportError, match=r"causalmix-utils\[ctgan\].*BUSL-1.1"):
            draw("ctgan", groups, 5)

    @pytest.mark.parametrize("page", ["README.md", "book/how_to_use.md"])
    def test_pages_on_installation_name_its_licence(self, page):
        assert "BUSL-1.1" in (ROOT / page).read_text(encoding="utf-8")

    def test_few_rows_in_few_classes_are_enough(self):
        pytest.importorskip("ctgan")
        table = Table.from_frame(pd.DataFrame({"u": [1.0, 2.0, np.nan, 4.0], "y": ["a", "a", "b", "b"]}), target="y")
        rows = draw("ctgan", table, 30, epochs=2)
        assert rows.classes == ["a", "b"] and rows.X["u"].isna().any()

    @pytest.mark.parametrize(("n_rows", "epochs"), [(20, 1000), (133, 1000), (250, 500), (10_000, 300)])
    def test_small_tables_get_a_thousand_steps_and_large_ones_the_librarys_epochs(self, n_rows, epochs):
        assert make_generator("ctgan")._count_epochs(n_rows) == epochs

    def test_training_lasts_as_long_as_asked(self, groups):
        pytest.importorskip("ctgan")
        generator = make_generator("ctgan", epochs=3, batch_size=20).fit(groups, rng=np.random.default_rng(0))
        assert len(generator.model_.loss_values) == 3

    @pytest.mark.parametrize(("option", "value"), [("epochs", 0), ("batch_size", 25), ("batch_size", -10)])
    def test_wrong_options_are_named(self, groups, option, value):
        with pytest.raises(ValueError, match=f"{option} must be .*got {value!r}"):
            draw("ctgan", groups, 5, **{option: value})


@pytest.mark.parametrize("name", ["independent", "permuted_target", "table_augment"])
def test_a_column_without_values_has_none_in_the_row_of_a_covered_class_either(name):
    frame = pd.DataFrame({"nothing": np.nan, "z": np.arange(60.0), "y": ["rare"] + ["often"] * 59})
    train = Table.from_frame(frame, target="y")
    generator = make_generator(name).fit(train, rng=np.random.default_rng(0))
    rows = generator.sample(10, rng=np.random.default_rng(0))
    assert "rare" in set(rows.y) and rows.X["nothing"].isna().all()
