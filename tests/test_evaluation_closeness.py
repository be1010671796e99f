"""Measures of closeness and leaks, against values by hand, a reference, and rows that leak by construction."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalmix_utils.evaluation import (
    closeness,
    closest_record_distances,
    membership_auc,
    nearest_neighbour_ratios,
    share_nearer_to_train,
)
from causalmix_utils.generators import make_generator
from causalmix_utils.tables import Table, load_table, scarce_split


def make_table(**columns):
    n = len(next(iter(columns.values())))
    return Table.from_frame(pd.DataFrame(columns | {"y": np.resize(["a", "b"], n)}), target="y", name="made")


def make_mixed_table(n, seed=0):
    rng = np.random.default_rng(seed)
    return make_table(
        u=rng.normal(size=n),
        count=rng.integers(9, size=n),
        gaps=np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
        kind=rng.choice(["p", "q", None], size=n),
        same=np.ones(n),
    )


def compute_gower_by_loops(rows, reference, like):
    """The definition, one pair of values after the other."""
    result = np.zeros((len(rows), len(reference)))
    for i in range(len(rows)):
        for j in range(len(reference)):
            for column in rows.X.columns:
                a, b = rows.X[column][i], reference.X[column][j]
                if pd.isna(a) or pd.isna(b):
                    distance = float(pd.isna(a) != pd.isna(b))
                elif column in rows.categorical or like.X[column].max() == like.X[column].min():
                    distance = float(a != b)
                else:
                    distance = min(1.0, abs(a - b) / (like.X[column].max() - like.X[column].min()))
                result[i, j] += distance / rows.X.shape[1]
    return result


class TestDistances:
    def test_ranges_levels_and_missing_values_count(self):
        reference = make_table(x=[0.0, 10.0, np.nan], kind=["u", "v", None], one=[5, 5, 5])
        rows = make_table(x=[2.0, np.nan, 99.0], kind=["u", None, "v"], one=[5, 5, 6])
        # 2 is a fifth of the range away; the second row is a copy; 99 counts as 1 at most, as does another constant.
        assert closest_record_distances(rows, reference) == pytest.approx([0.2 / 3, 0.0, 2 / 3])

    def test_they_follow_the_definition(self, monkeypatch):
        rows, reference, like = make_mixed_table(30), make_mixed_table(20, seed=1), make_mixed_table(9, seed=2)
        expected = compute_gower_by_loops(rows, reference, like)
        assert closest_record_distances(rows, reference, like=like) == pytest.approx(expected.min(axis=1))
        expected = np.sort(compute_gower_by_loops(rows, reference, reference))
        whole = nearest_neighbour_ratios(rows, reference)
        assert whole == pytest.approx(expected[:, 0] / expected[:, 1])
        monkeypatch.setattr(closeness, "_BLOCK", 50)
        assert (nearest_neighbour_ratios(rows, reference) == whole).all(), "the same in blocks"

    def test_another_scale_changes_numbers_only(self):
        rows, reference = make_table(x=[1.0], kind=["u"]), make_table(x=[0.0, 4.0], kind=["v", "u"])
        wide = make_table(x=[0.0, 100.0], kind=["w", "w"])
        # From the second row: three quarters of the range away, or three hundredths of the wide one.
        assert closest_record_distances(rows, reference) == pytest.approx([0.75 / 2])
        assert closest_record_distances(rows, reference, like=wide) == pytest.approx([0.03 / 2])

    def test_a_bootstrap_consists_of_copies_and_new_rows_do_not(self):
        table = make_mixed_table(100)
        copies = table.take(np.random.default_rng(0).integers(100, size=150))
        assert (closest_record_distances(copies, table) == 0).all()
        assert (closest_record_distances(make_mixed_table(50, seed=1), table) > 0).all()

    def test_a_row_between_two_records_has_ratio_one_and_a_copy_of_one_record_zero(self):
        reference = make_table(x=[0.0, 10.0, 20.0, 20.0])
        rows = make_table(x=[5.0, 10.0, 20.0, 12.0])
        assert nearest_neighbour_ratios(rows, reference) == pytest.approx([1.0, 0.0, 1.0, 2 / 8])


class TestLeaks:
    def test_the_share_counts_rows_by_hand(self):
        train, held_out = make_table(x=[0.0, 10.0]), make_table(x=[4.0, 20.0])
        # 1 and 9 are nearer to 0 and 10, 5 and 16 to 4 and 20, and 2 is in the middle of 0 and 4.
        synthetic = make_table(x=[1.0, 9.0, 5.0, 16.0, 2.0, 9.5])
        share = share_nearer_to_train(synthetic, train=train, held_out=held_out, rng=np.random.default_rng(0))
        assert share == pytest.approx(3.5 / 6)

    def test_the_attack_ranks_rows_by_hand(self):
        train, held_out = make_table(x=[0.0, 10.0, 50.0]), make_table(x=[2.0, 20.0, 100.0])
        synthetic = make_table(x=[1.0, 10.0, 95.0])
        # Distances: 1, 0, 40 of the train rows and 1, 10, 5 of the others: 0 beats three, 1 two and a half, 40 none.
        auc = membership_auc(synthetic, train=train, held_out=held_out, rng=np.random.default_rng(0))
        assert auc == pytest.approx(5.5 / 9)

    def test_copies_of_the_train_rows_leak_wholly_and_copies_of_the_others_the_other_way_round(self):
        train, held_out = make_mixed_table(60), make_mixed_table(60, seed=1)
        for measure in (share_nearer_to_train, membership_auc):
            assert measure(train, train=train, held_out=held_out, rng=np.random.default_rng(0)) == 1
            assert measure(held_out, train=train, held_out=held_out, rng=np.random.default_rng(0)) == 0

    def test_new_rows_of_the_same_distribution_do_not_leak(self):
        train, held_out, new = make_mixed_table(400), make_mixed_table(1000, seed=1), make_mixed_table(500, seed=2)
        rng = np.random.default_rng(0)
        assert share_nearer_to_train(new, train=train, held_out=held_out, rng=rng) == pytest.approx(0.5, abs=0.08)
        assert membership_auc(new, train=train, held_out=held_out, rng=rng) == pytest.approx(0.5, abs=0.08)

    def test_generators_that_stay_near_real_rows_leak_more_than_independent_columns(self):
        train, _, test = scarce_split(load_table("credit-g"), n=200)
        leaks = {}
        for name in ("smote", "independent"):
            rng = np.random.default_rng(0)
            rows = make_generator(name).fit(train, rng=rng).sample(500, rng=rng)
            leaks[name] = [measure(rows, train=train, held_out=test, rng=rng) for measure in LEAKS]
        assert min(leaks["smote"]) > 0.6
        assert np.abs(np.array(leaks["independent"]) - 0.5).max() < 0.1

    @settings(max_examples=40)
    @given(st.data())
    def test_exchanging_train_and_held_out_rows_mirrors_both_measures_at_one_half(self, data):
        sizes = [data.draw(st.integers(1, 8)) for _ in range(2)]
        values = st.one_of(st.none(), st.integers(0, 4))
        tables = [
            make_table(
                x=np.array(data.draw(st.lists(values, min_size=n, max_size=n)), dtype=float),
                kind=pd.Categorical(data.draw(st.lists(st.sampled_from(["u", "v", None]), min_size=n, max_size=n))),
            )
            for n in (*sizes[:1] * 2, sizes[1])
        ]
        for measure in LEAKS:
            found = measure(tables[2], train=tables[0], held_out=tables[1], rng=np.random.default_rng(0))
            mirrored = measure(tables[2], train=tables[1], held_out=tables[0], rng=np.random.default_rng(0))
            assert 0 <= found <= 1
            assert found + mirrored == pytest.approx(1)

    def test_as_many_rows_of_both_kinds_are_compared(self):
        train, held_out = make_table(x=[0.0, 1.0]), make_table(x=np.arange(2.0, 60.0))
        halves = [
            membership_auc(held_out, train=train, held_out=held_out, rng=np.random.default_rng(seed)) for seed in (0, 1)
        ]
        assert halves == [0, 0]
        synthetic = make_table(x=[30.0] * 3)
        shares = {
            share_nearer_to_train(synthetic, train=train, held_out=held_out, rng=np.random.default_rng(seed))
            for seed in range(5)
        }
        assert shares == {0.0}


LEAKS = (share_nearer_to_train, membership_auc)


def test_measures_name_what_they_cannot_use():
    table = make_mixed_table(10)
    other = Table("other", table.X.drop(columns="u"), table.y, ["kind"])
    with pytest.raises(ValueError, match="differ in columns"):
        closest_record_distances(table, other)
    with pytest.raises(ValueError, match="differ in columns"):
        closest_record_distances(table, table, like=other)
    with pytest.raises(ValueError, match="reference must have at least two rows, got 1"):
        nearest_neighbour_ratios(table, table.take([0]))
    for measure in LEAKS:
        with pytest.raises(ValueError, match="differ in columns"):
            measure(table, train=table, held_out=other, rng=np.random.default_rng(0))
        with pytest.raises(ValueError, match="differ in columns"):
            measure(other, train=table, held_out=table, rng=np.random.default_rng(0))
