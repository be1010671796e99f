"""The check for own generators passes those of the package and catches each way to break the contract."""

import random

import numpy as np
import pytest
from sklearn.base import clone

from causalmix_utils.generators import Generator, check_generator, make_generator
from causalmix_utils.tables import load_table, scarce_split


class Bootstrap(Generator):
    """A correct generator, which the faulty ones below change in one place."""

    name = "bootstrap of tests"

    def __init__(self, *, weight=1.0):
        self.weight = weight

    def _fit(self, train, rng):
        self.rows_ = train.to_frame()

    def _draw(self, n, rng):
        return rng.integers(len(self.rows_), size=n)

    def _sample(self, n, rng):
        return self.rows_.iloc[self._draw(n, rng)]


class Positional(Bootstrap):
    """Options as scikit-learn's own estimators have them: not by keyword only."""

    name = "positional of tests"

    def __init__(self, weight=1.0):
        self.weight = weight


class Forgetful(Bootstrap):
    def __init__(self, *, weight=1.0):
        self.weight = [weight]


class Meddling(Bootstrap):
    def _fit(self, train, rng):
        train.X.loc[0, "price"] = 99.0
        super()._fit(train, rng)

    accepts_missing = True


class Global(Bootstrap):
    def _draw(self, n, rng):
        return np.random.randint(len(self.rows_), size=n)  # noqa: NPY002


class Seeding(Bootstrap):
    def _draw(self, n, rng):
        random.seed(7)
        return super()._draw(n, rng)


class Fixed(Bootstrap):
    def _draw(self, n, rng):
        return np.arange(n) % len(self.rows_)

    accepts_missing = True
    returns_missing = True


class Short(Bootstrap):
    def _sample(self, n, rng):
        return super()._sample(n - 1, rng)


class Handing(Bootstrap):
    def fit(self, train, *, rng):
        super().fit(train, rng=rng)
        return None


@pytest.mark.parametrize("name", ["smote", "independent", "permuted_target", "table_augment"])
def test_generators_of_the_package_pass(name):
    check_generator(name)


def test_a_correct_generator_passes_on_a_table_of_ones_own():
    check_generator(Bootstrap)
    check_generator(Bootstrap(weight=2.0), table=scarce_split(load_table("penguins"), n=90)[0])


def test_options_that_may_be_given_by_position_are_options_like_others():
    check_generator(Positional(2.0))
    assert make_generator(Positional(5.0)).weight == clone(Positional(5.0)).weight == 5.0


@pytest.mark.parametrize(
    ("faulty", "message"),
    [
        (Forgetful, "does not store its options"),
        (Meddling, "changes the table"),
        (Global, "different rows for the same seed"),
        (Seeding, "global state"),
        (Fixed, "same rows for different seeds"),
        (Short, "returned 59 rows, 60 were asked for"),
        (Handing, "returned None"),
    ],
)
def test_each_breach_is_named(faulty, message):
    with pytest.raises(ValueError, match=message):
        check_generator(faulty)
