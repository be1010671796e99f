"""Label signal: what a generator's rows teach about the target, told by rows that it has not seen."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from causalmix_utils.folds import assign_folds
from causalmix_utils.forests import predict_by_forest
from causalmix_utils.generators import Generator, make_generator, measure_label_signal
from causalmix_utils.tables import Table, duplicate_groups


def make_table(n=150, seed=0, *, strength=3.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = np.where(strength * x + rng.normal(size=n) > 0, "yes", "no")
    return Table.from_frame(pd.DataFrame({"x": x, "noise": rng.normal(size=n), "y": y}), target="y", name="made")


class Memory(Generator):
    """Repeats its training rows, and notes every table that it was fitted to."""

    name = "memory of tests"
    seen: list = []  # noqa: RUF012 (shared on purpose: the copies that are fitted write to it)

    def _fit(self, train, rng):
        self.rows_ = train.to_frame()
        self.seen.append(train)

    def _sample(self, n, rng):
        return self.rows_.iloc[rng.integers(len(self.rows_), size=n)]


def measure(generator, table, seed=0, **options):
    return measure_label_signal(generator, table, rng=np.random.default_rng(seed), n_trees=40, **options)


def test_rows_that_know_the_classes_have_a_signal_and_rows_that_do_not_have_none():
    table = make_table()
    assert measure("smote", table).synthetic > 0.9
    for control in ("independent", "permuted_target"):
        assert abs(measure(control, table).synthetic - 0.5) < 0.2, control


def test_copying_the_training_rows_gains_nothing_where_there_is_nothing_to_learn():
    """A generator that is judged by the rows that it was fitted to would reach 1 here."""
    table = make_table(strength=0.0)
    assert abs(measure(Memory, table).synthetic - 0.5) < 0.15
    copied = predict_by_forest(table, table.X, table.classes, n_trees=40, seed=0)
    assert (np.array(table.classes)[copied.argmax(axis=1)] == table.y).mean() > 0.95


def test_no_row_judges_a_generator_that_has_seen_it():
    Memory.seen.clear()
    table = make_table(60)
    measure(Memory, table, n_folds=3)
    assert [len(part) for part in Memory.seen] == [40, 40, 40]
    counts = pd.concat([part.X["x"] for part in Memory.seen]).value_counts()
    assert set(counts.index) == set(table.X["x"]) and (counts == 2).all(), "each row is held out exactly once"


def test_equal_rows_never_judge_what_has_learnt_from_one_of_them():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(40, 4)), columns=list("abcd")).assign(y=rng.permutation(["u", "v"] * 20))
    copies = Table.from_frame(pd.concat([frame] * 4), target="y")
    signal = measure("smote", copies)
    assert signal.synthetic < 0.7 and signal.real < 0.7, "labels are noise"


def test_where_no_rows_are_equal_the_folds_are_those_of_single_rows():
    table = make_table(50)
    rng, other = np.random.default_rng(0), np.random.default_rng(0)
    grouped = assign_folds(table.y, 3, rng=rng, groups=duplicate_groups(table.X))
    np.testing.assert_array_equal(grouped, assign_folds(table.y, 3, rng=other))
    assert rng.random() == other.random()


def test_real_rows_are_judged_beside_the_synthetic_ones():
    signal = measure("independent", make_table())
    assert signal.real > 0.9
    assert signal.lost == signal.real - signal.synthetic
    assert f"{signal.real:.3f}" in str(signal) and f"{signal.synthetic:.3f}" in str(signal)


def test_every_class_is_spread_over_the_folds_and_a_class_of_one_row_does_no_harm():
    table = make_table(60)
    y = table.y.copy()
    y[0] = "alone"
    lonely = Table("lonely", table.X, y)
    assert 0.5 < measure("smote", lonely).synthetic <= 1


def test_the_same_seed_gives_the_same_signal():
    table = make_table(60)
    assert measure("smote", table, seed=3) == measure("smote", table, seed=3)
    assert measure("smote", table, seed=3) != measure("smote", table, seed=4)


def test_a_fitted_generator_tells_its_signal_when_asked_and_computes_it_once():
    Memory.seen.clear()
    generator = make_generator(Memory).fit(make_table(60), rng=np.random.default_rng(0))
    assert len(Memory.seen) == 1, "fitting does not measure"
    signal = generator.label_signal_
    assert len(Memory.seen) == 1 + signal.n_folds
    assert generator.label_signal_ is signal and len(Memory.seen) == 1 + signal.n_folds
    assert generator.fit(make_table(60, 1), rng=np.random.default_rng(0)).label_signal_ is not signal


def test_asking_for_the_signal_does_not_change_the_rows():
    rows = []
    for ask in (False, True):
        rng = np.random.default_rng(0)
        generator = make_generator("smote").fit(make_table(60), rng=rng)
        if ask:
            assert generator.label_signal_.real > 0.5
        rows.append(generator.sample(30, rng=rng).to_frame())
    pd.testing.assert_frame_equal(*rows)


def test_what_can_not_be_measured_is_named():
    table = make_table(60)
    with pytest.raises(NotFittedError, match="before label_signal_"):
        _ = make_generator("smote").label_signal_
    with pytest.raises(ValueError, match="n_folds must be an integer of at least 2, got 1"):
        measure("smote", table, n_folds=1)
    with pytest.raises(ValueError, match="n_rows must be an integer of at least 1, got 0"):
        measure("smote", table, n_rows=0)
    with pytest.raises(ValueError, match="n_folds=40 needs at least 80 different rows, but 'made' has 60"):
        measure("smote", table, n_folds=40)
    with pytest.raises(ValueError, match="needs at least 6 different rows, but 'made' has 5"):
        measure("smote", table.take(np.arange(60) % 5))
    with pytest.raises(ValueError, match="one class only, 'yes'"):
        measure("smote", table.take((table.y == "yes").to_numpy()))


class Given(Memory):
    """Notes which edge probabilities it was given."""

    name = "given of tests"
    given: list = []  # noqa: RUF012

    def __init__(self, *, edge_probabilities=None):
        self.edge_probabilities = edge_probabilities

    def _fit(self, train, rng):
        super()._fit(train, rng)
        self.given.append(self.edge_probabilities)


def test_edge_probabilities_of_all_rows_do_not_reach_the_folds():
    Given.given.clear()
    generator = Given(edge_probabilities="of all rows")
    measure(generator, make_table(60))
    assert Given.given == [None, None, None]
    assert generator.edge_probabilities == "of all rows", "what is passed in is not changed"
