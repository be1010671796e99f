"""What the Gaussian copula keeps, against what theory says, and what it is documented to lose."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp, norm, spearmanr

from causalmix_utils.evaluation import synthetic_to_real_auc
from causalmix_utils.generators import make_generator
from causalmix_utils.generators.gaussian_copula import compute_normal_scores, order_levels, shrink_correlations
from causalmix_utils.tables import Table


def draw(table, n, *, seed=0, **options):
    rng = np.random.default_rng(seed)
    return make_generator("gaussian_copula", **options).fit(table, rng=rng).sample(n, rng=rng)


def make_table(n, *, rho=0.7, seed=0):
    """Two numbers with a Gaussian copula and skewed distributions that are moved apart in class 'b'."""
    rng = np.random.default_rng(seed)
    y = np.where(rng.random(n) < 0.3, "b", "a")
    z = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], size=n)
    u = np.where(y == "a", np.exp(z[:, 0]), 20 - np.exp(z[:, 0]))
    # Both columns fall with their score in class 'b', so that the copula is the same in both classes.
    v = np.where(y == "a", z[:, 1] ** 3, 100 - np.sinh(z[:, 1]))
    return Table.from_frame(pd.DataFrame({"u": u, "v": v, "y": y}), target="y")


def test_columns_keep_their_distribution_in_each_class_and_classes_their_shares():
    table = make_table(3000)
    rows = draw(table, 3000)
    assert rows.y.value_counts().to_dict() == table.y.value_counts().to_dict()
    for label in table.classes:
        for column in ("u", "v"):
            found = ks_2samp(rows.X[column][rows.y == label], table.X[column][table.y == label])
            assert found.statistic < 0.05, (label, column)


@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.7])
def test_the_rank_correlation_within_a_class_is_that_of_the_copula(rho):
    rows = draw(make_table(3000, rho=rho), 3000)
    expected = 6 / np.pi * np.arcsin(rho / 2)
    for label in ("a", "b"):
        of_class = rows.X[rows.y == label]
        assert spearmanr(of_class["u"], of_class["v"]).statistic == pytest.approx(expected, abs=0.06)


def test_a_column_on_another_scale_gives_the_same_rows_on_that_scale():
    table = make_table(200)
    scaled = Table(name="scaled", X=table.X.assign(u=5 * table.X["u"] + 3), y=table.y)
    rows, scaled_rows = draw(table, 100), draw(scaled, 100)
    np.testing.assert_allclose(scaled_rows.X["u"], 5 * rows.X["u"] + 3, atol=1e-6)
    np.testing.assert_allclose(scaled_rows.X["v"], rows.X["v"])


def test_levels_keep_their_shares_in_each_class_and_part_of_their_dependence():
    rng = np.random.default_rng(0)
    z = rng.normal(size=4000)
    kind = np.where(z < 0.2, "most", np.where(z < 1, "some", "few"))
    y = np.where(rng.random(4000) < 0.5, "a", "b")
    kind[y == "b"] = np.where(kind[y == "b"] == "few", "some", kind[y == "b"])
    table = Table.from_frame(pd.DataFrame({"z": z, "kind": kind, "y": y}), target="y")
    rows = draw(table, 4000)
    for label in ("a", "b"):
        shares = [part.X["kind"][part.y == label].value_counts(normalize=True) for part in (table, rows)]
        pd.testing.assert_series_equal(*shares, check_exact=False, atol=0.03, check_like=True)
    means = [part.X["z"].groupby(part.X["kind"].astype(str)).mean() for part in (table, rows)]
    assert means[0]["most"] < means[1]["most"] < means[1]["some"] < means[1]["few"]


def test_classes_that_single_columns_tell_apart_are_learnt_and_an_exclusive_or_is_lost():
    assert (
        synthetic_to_real_auc(draw(make_table(300), 300), make_table(300, seed=1), rng=np.random.default_rng(0)) > 0.95
    )
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 2))
    frame = pd.DataFrame({"u": X[:, 0], "v": X[:, 1], "y": np.where(X.prod(axis=1) > 0, "a", "b")})
    train, test = (Table.from_frame(frame.iloc[part], target="y") for part in (slice(300), slice(300, None)))
    assert synthetic_to_real_auc(train, test, rng=rng) > 0.9
    assert synthetic_to_real_auc(draw(train, 300), test, rng=rng) < 0.65


def test_numbers_are_new_and_stay_within_those_of_the_class():
    table = make_table(100)
    rows = draw(table, 400)
    assert rows.X["u"].isin(table.X["u"]).mean() < 0.05
    for label in table.classes:
        real, new = table.X[table.y == label], rows.X[rows.y == label]
        assert (new.min() >= real.min() - 1e-9).all() and (new.max() <= real.max() + 1e-9).all()


def test_a_class_of_one_row_is_copied():
    frame = pd.DataFrame({"u": [1.0, 2.0, 3.0, 9.5], "k": ["p", "q", "q", "r"], "y": ["a", "a", "a", "one"]})
    rows = draw(Table.from_frame(frame, target="y"), 40)
    assert (rows.X[rows.y == "one"] == [9.5, "r"]).all(axis=None)


def test_normal_scores_are_quantiles_with_ties_in_their_middle():
    found = compute_normal_scores(pd.Series([3.0, 1.0, 3.0, 8.0]))
    raw = norm.ppf([0.5, 0.125, 0.5, 0.875])
    np.testing.assert_allclose(found, raw - raw.mean())


def test_correlations_are_shrunk_towards_none_and_stay_positive_definite():
    rng = np.random.default_rng(0)
    few = pd.DataFrame(rng.normal(size=(10, 30))).assign(constant=0.0)
    found = shrink_correlations(few - few.mean())
    assert np.linalg.eigvalsh(found.to_numpy()).min() > 0
    np.testing.assert_allclose(np.diag(found), 1)
    assert (found["constant"].drop("constant") == 0).all()
    raw = (few - few.mean()).drop(columns="constant").corr().to_numpy()
    off = ~np.eye(30, dtype=bool)
    assert np.abs(found.to_numpy()[:30, :30][off]).mean() < 0.7 * np.abs(raw[off]).mean()
    many = pd.DataFrame(rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=5000))
    assert shrink_correlations(many).loc[0, 1] == pytest.approx(0.6, abs=0.03)


def test_the_order_of_levels_does_not_depend_on_that_of_the_rows():
    column = pd.Series(["v", "u", "w", "w"], dtype="category")
    assert order_levels(column) == order_levels(column.iloc[::-1]) == ["w", "u", "v"]
