"""The contract that every generator of `list_generators` keeps, on every table that could break it."""

import functools
import inspect
import random
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from causalmix_utils import generators
from causalmix_utils.generators import Generator, check_generator, hostile_tables, list_generators, make_generator

HOSTILE_TABLES = hostile_tables()

# Cheap settings, under which the generators do the same things in less time.
FEW_GRAPHS = {"n_dags": 2, "n_resamples": 2, "alpha": 0.01, "mechanisms": "linear"}
OPTIONS = dict.fromkeys(["causal", "random_dag"], FEW_GRAPHS)
OPTIONS["causal_blanket"] = FEW_GRAPHS | {"target_mechanism": "linear"}
OPTIONS["ctgan"] = {"epochs": 1, "batch_size": 50}
OPTIONS["tabebm"] = {"n_steps": 20}
# Those of the package: another test may have registered its own.
NAMES = [name for name in list_generators()["name"] if type(make_generator(name)).__module__.startswith("causalmix_")]
N_NEW = 40


def make_cheap(name):
    """The generator with cheap settings, unless what it needs is not installed."""
    generator = make_generator(name, **OPTIONS.get(name, {}))
    if generator.requires:
        pytest.importorskip(generator.requires)
    return generator


def fit_and_sample_anew(name, table_name, seed):
    """The generator and its rows."""
    rng = np.random.default_rng(seed)
    generator = make_cheap(name).fit(HOSTILE_TABLES[table_name], rng=rng)
    return generator, generator.sample(N_NEW, rng=rng)


# Cached, so that all tests about the same rows share one fit.
fit_and_sample = functools.cache(fit_and_sample_anew)


every_generator = pytest.mark.parametrize("name", NAMES)
every_table = pytest.mark.parametrize("table_name", HOSTILE_TABLES)


def test_every_generator_class_of_the_package_is_listed_and_so_in_this_suite():
    own = [
        cls.name
        for cls in vars(generators).values()
        if inspect.isclass(cls) and issubclass(cls, Generator) and not inspect.isabstract(cls)
    ]
    assert sorted(own) == sorted(NAMES)


@every_generator
def test_its_documentation_says_where_it_comes_from_and_where_it_fails(name):
    generator = make_generator(name)
    assert all([generator.summary, generator.source, generator.licence]) and generator.cost != "unknown"
    notes = inspect.getdoc(type(generator)).partition("Notes\n-----\n")[2]
    assert re.search(r"\bfails\b", notes)


@every_generator
@every_table
def test_every_generator_keeps_the_contract_on_every_hostile_table(name, table_name):
    check_generator(make_cheap(name), table=HOSTILE_TABLES[table_name])


def test_hostile_tables_are_as_hostile_as_they_say():
    tables = hostile_tables()
    assert not tables["all_categorical"].numerical and not tables["all_numerical"].categorical
    assert (
        tables["missing"].X.isna().all().any() and tables["missing"].X[tables["missing"].categorical].isna().any().any()
    )
    assert tables["tiny_class"].y.value_counts().tolist()[2:] == [3, 1]
    assert tables["wide"].X.shape[1] == 60
    assert (tables["ordinal_integers"].X.dtypes == "int64").sum() == 2
    assert (tables["constant"].X.nunique() == 1).sum() == 2
    for name, table in tables.items():
        assert table.name == name
        pd.testing.assert_frame_equal(table.to_frame(), HOSTILE_TABLES[name].to_frame(), check_exact=True)


@every_generator
class TestEveryGenerator:
    def test_a_fitted_generator_gives_the_same_rows_whatever_was_drawn_before(self, name):
        generator, _ = fit_and_sample(name, "mixed", 0)
        first = generator.sample(20, rng=np.random.default_rng(5)).to_frame()
        generator.sample(7, rng=np.random.default_rng(6))
        pd.testing.assert_frame_equal(first, generator.sample(20, rng=np.random.default_rng(5)).to_frame())

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
        table = HOSTILE_TABLES["mixed"]
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
