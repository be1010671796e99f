"""The contract that every generator keeps, on every table that could break it."""

import functools
import inspect
import random

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from causalmix_utils import generators
from causalmix_utils.generators import Generator, make_generator
from causalmix_utils.tables import Table, check_same_schema

N_ROWS = 60


def _make_columns(rng, *, n_numerical, n_categorical, n_rows=N_ROWS):
    """Columns that depend on one hidden number, and that number."""
    hidden = rng.normal(size=n_rows)
    columns = {f"number {i}": hidden * rng.normal() + rng.normal(size=n_rows) for i in range(n_numerical)}
    for i in range(n_categorical):
        codes = np.digitize(hidden + rng.normal(size=n_rows), [-0.7, 0.7])
        columns[f"level {i}"] = np.array(["low", "mid", "high"])[codes]
    return columns, hidden


def _finish(columns, hidden, *, name, classes=("a", "b", "c"), **options):
    y = np.array(classes)[np.argsort(np.argsort(hidden)) * len(classes) // len(hidden)]
    return Table.from_frame(pd.DataFrame({**columns, "class": y}), target="class", name=name, **options)


def mixed(rng):
    return _finish(*_make_columns(rng, n_numerical=3, n_categorical=2), name="mixed")


def all_categorical(rng):
    return _finish(*_make_columns(rng, n_numerical=0, n_categorical=4), name="all categorical", classes=("no", "yes"))


def all_numerical(rng):
    return _finish(*_make_columns(rng, n_numerical=4, n_categorical=0), name="all numerical", classes=("no", "yes"))


def missing(rng):
    """Missing in numbers, in levels, in two columns together, and in one column throughout."""
    columns, hidden = _make_columns(rng, n_numerical=3, n_categorical=2)
    gaps = rng.random(N_ROWS) < 0.3
    columns["number 0"][gaps] = np.nan
    columns["number 1"][gaps] = np.nan
    columns["whole"] = np.where(rng.random(N_ROWS) < 0.2, np.nan, rng.integers(5, size=N_ROWS))
    columns["level 0"] = np.where(rng.random(N_ROWS) < 0.2, None, columns["level 0"])
    columns["nothing"] = np.full(N_ROWS, np.nan)
    return _finish(columns, hidden, name="missing")


def tiny_class(rng):
    """Three rows in one class and one in another."""
    table = _finish(*_make_columns(rng, n_numerical=2, n_categorical=1), name="tiny class", classes=("big", "other"))
    y = table.y.copy()
    y[:3] = "three"
    y[3] = "single"
    return Table(name="tiny class", X=table.X, y=y, categorical=table.categorical)


def wide(rng):
    return _finish(*_make_columns(rng, n_numerical=20, n_categorical=10), name="wide", classes=("no", "yes"))


def ordinal_integers(rng):
    """Whole numbers, prices with two decimals, a rare level, and column names that are no identifiers."""
    columns, hidden = _make_columns(rng, n_numerical=1, n_categorical=1)
    columns["0"] = np.clip(np.round(2 * hidden), -2, 2).astype(int)
    columns["a b/c"] = rng.poisson(2, size=N_ROWS)
    columns["price in €"] = np.round(np.exp(hidden), 2)
    columns["level 0"][0] = "only once"
    return _finish(columns, hidden, name="ordinal integers")


def constant(rng):
    """Constant columns of both kinds, a copied column, and levels that occur nowhere."""
    columns, hidden = _make_columns(rng, n_numerical=2, n_categorical=1)
    columns |= {"same": np.full(N_ROWS, 7), "also same": ["x"] * N_ROWS, "copy": columns["number 0"].copy()}
    columns["level 0"] = pd.Categorical(columns["level 0"], categories=["high", "low", "mid"])
    table = _finish(columns, hidden, name="constant")
    return table.take((table.X["level 0"] != "mid").to_numpy())


HOSTILE_TABLES = {
    make.__name__: make
    for make in (mixed, all_categorical, all_numerical, missing, tiny_class, wide, ordinal_integers, constant)
}


def make_hostile_table(name):
    """The table of that name, always the same one."""
    return HOSTILE_TABLES[name](np.random.default_rng(0))


# Cheap settings, under which the generators do the same things in less time.
FEW_GRAPHS = {"n_dags": 2, "n_resamples": 2, "alpha": 0.01, "mechanisms": "linear"}
OPTIONS = dict.fromkeys(["causal", "causal_blanket", "random_dag"], FEW_GRAPHS)
OPTIONS |= {"ctgan": {"epochs": 2, "batch_size": 50}}
NAMES = ["causal", "causal_blanket", "ctgan", "independent", "permuted_target", "random_dag", "smote", "table_augment"]
N_NEW = 40


def fit_and_sample_anew(name, table_name, seed):
    """The generator and its rows."""
    if name == "ctgan":
        pytest.importorskip("ctgan")
    rng = np.random.default_rng(seed)
    generator = make_generator(name, **OPTIONS.get(name, {})).fit(make_hostile_table(table_name), rng=rng)
    return generator, generator.sample(N_NEW, rng=rng)


# Cached, so that all tests about the same rows share one fit.
fit_and_sample = functools.cache(fit_and_sample_anew)


every_generator = pytest.mark.parametrize("name", NAMES)
every_table = pytest.mark.parametrize("table_name", HOSTILE_TABLES)


def test_every_generator_of_the_package_is_in_this_suite():
    own = [
        cls.name
        for cls in vars(generators).values()
        if inspect.isclass(cls) and issubclass(cls, Generator) and not inspect.isabstract(cls)
    ]
    assert sorted(own) == NAMES


@every_generator
@every_table
class TestEveryGeneratorOnEveryTable:
    def test_rows_could_have_been_drawn_from_the_training_table(self, name, table_name):
        _, rows = fit_and_sample(name, table_name, 0)
        train = make_hostile_table(table_name)
        check_same_schema(rows, train)
        assert len(rows) == N_NEW
        for column in train.X:
            assert rows.X[column].dtype == train.X[column].dtype
        assert rows.y.dtype == train.y.dtype

    def test_every_class_occurs(self, name, table_name):
        _, rows = fit_and_sample(name, table_name, 0)
        assert rows.classes == make_hostile_table(table_name).classes

    def test_training_table_is_not_changed(self, name, table_name):
        generator, _ = fit_and_sample(name, table_name, 0)
        pd.testing.assert_frame_equal(generator.train_.to_frame(), make_hostile_table(table_name).to_frame())


@every_generator
class TestEveryGenerator:
    def test_same_seed_gives_the_same_bits_and_another_seed_does_not(self, name):
        _, rows = fit_and_sample(name, "missing", 0)
        _, again = fit_and_sample_anew(name, "missing", 0)
        _, other = fit_and_sample(name, "missing", 1)
        pd.testing.assert_frame_equal(rows.to_frame(), again.to_frame(), check_exact=True)
        assert not rows.to_frame().equals(other.to_frame())

    def test_a_fitted_generator_gives_the_same_rows_whatever_was_drawn_before(self, name):
        generator, _ = fit_and_sample(name, "mixed", 0)
        first = generator.sample(20, rng=np.random.default_rng(5)).to_frame()
        generator.sample(7, rng=np.random.default_rng(6))
        pd.testing.assert_frame_equal(first, generator.sample(20, rng=np.random.default_rng(5)).to_frame())

    def test_global_random_state_is_not_changed(self, name):
        torch = pytest.importorskip("torch")
        before = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
        fit_and_sample_anew(name, "mixed", 0)
        assert random.getstate() == before[0]
        assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
        assert torch.equal(torch.get_rng_state(), before[2])

    def test_global_random_state_has_no_influence(self, name):
        torch = pytest.importorskip("torch")
        _, rows = fit_and_sample(name, "mixed", 0)
        random.seed(99), np.random.seed(99), torch.manual_seed(99)  # noqa: NPY002
        _, again = fit_and_sample_anew(name, "mixed", 0)
        pd.testing.assert_frame_equal(rows.to_frame(), again.to_frame(), check_exact=True)

    def test_any_positive_number_of_rows_can_be_drawn(self, name):
        generator, _ = fit_and_sample(name, "mixed", 0)
        for n in (1, 2, np.int64(3), 601):
            assert len(generator.sample(n, rng=np.random.default_rng(0))) == n

    @pytest.mark.parametrize("n", [0, -1, 2.0, True, "3", None])
    def test_a_number_of_rows_that_is_none_is_named(self, name, n):
        generator, _ = fit_and_sample(name, "mixed", 0)
        with pytest.raises(ValueError, match=f"n must be an integer of at least 1, got {n!r}"):
            generator.sample(n, rng=np.random.default_rng(0))

    def test_sample_before_fit_says_so(self, name):
        with pytest.raises(NotFittedError, match="call fit"):
            make_generator(name).sample(5, rng=np.random.default_rng(0))

    def test_fit_names_what_is_wrong(self, name):
        table = make_hostile_table("mixed")
        with pytest.raises(ValueError, match="rng must be a numpy.random.Generator.*got 3"):
            make_generator(name).fit(table, rng=3)
        with pytest.raises(ValueError, match="train must be a .*Table, got DataFrame"):
            make_generator(name).fit(table.X, rng=np.random.default_rng(0))

    def test_options_are_stored_as_given_and_survive_cloning(self, name):
        generator = make_generator(name, cover_classes=False)
        assert generator.cover_classes is False
        assert clone(generator).get_params() == generator.get_params()
        parameters = list(inspect.signature(type(generator).__init__).parameters.values())[1:]
        assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters)
        assert eval(repr(generator), {type(generator).__name__: type(generator)}).get_params() == generator.get_params()

    def test_an_unknown_option_is_named(self, name):
        with pytest.raises(ValueError, match="no option 'colour'"):
            make_generator(name, colour="red")
