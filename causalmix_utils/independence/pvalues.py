"""Choosing a test, asking it, remembering its answers, and offering it to causal-learn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from causalmix_utils.arguments import check_choice
from causalmix_utils.independence.columns import encode_columns
from causalmix_utils.independence.statistics import ChiSquare, FisherZ, MixedTest
from causalmix_utils.tables import Table

TESTS = ("auto", "fisherz", "mixed", "chisq")

_TEST_CLASSES = {"fisherz": FisherZ, "mixed": MixedTest, "chisq": ChiSquare}


class TestBudgetExceeded(Exception):
    """Raised inside a search that asks for more tests than its budget allows."""

    __test__ = False  # The name begins with "Test", which pytest would otherwise collect.


def choose_test(table: Table, test: str = "auto") -> str:
    """Name the test that suits a table's column types.

    Parameters
    ----------
    table : Table
    test : {"auto", "fisherz", "mixed", "chisq"}
        ``"auto"`` chooses Fisher's z where every feature is numerical or has two levels and the target has
        two classes, and the mixed test otherwise, also where all columns are categories: chi-square needs rows
        in every combination of levels and runs out of them with one or two conditioning columns. With
        thousands of rows of nothing but categories it finds better graphs than the mixed test; ask for ``"chisq"``
        then. ``benchmarks/score_discovery.py`` compares the two on known networks.

    Returns
    -------
    str
        ``"fisherz"``, ``"mixed"`` or ``"chisq"``.

    Raises
    ------
    ValueError
        If `test` is unknown, or is ``"fisherz"`` while a column has more than two levels: codes of
        three categories have no order that a correlation could use.
    """
    check_choice("test", test, TESTS)
    levels = {column: table.X[column].nunique() for column in table.categorical} | {table.target: table.y.nunique()}
    many = [column for column, n_levels in levels.items() if n_levels > 2]
    if test == "fisherz" and many:
        raise ValueError(
            f"test='fisherz' needs columns that are numerical or have two levels, but column {many[0]!r} "
            f"has {levels[many[0]]} levels; use test='mixed'"
        )
    if test == "auto":
        return "mixed" if many else "fisherz"
    return test


class PValueTable:
    """The tests of one table as a search asks for them: cautious where one cannot be done, and counted.

    PC and FCI share one `PValueTable` for each resample. Single p-values are remembered; those of batches are
    not, since a search asks for each of them once.

    Parameters
    ----------
    values, is_categorical
        From `encode_columns`.
    test : {"fisherz", "mixed", "chisq"}
    columns : sequence of int, optional
        Columns that take part, in the order in which they are numbered here. All by default.

    Attributes
    ----------
    asked : int
        Tests that the search at hand has asked for, at most its budget.
    computed : int
        Tests computed so far, over all searches.
    """

    def __init__(
        self,
        values: np.ndarray,
        is_categorical: np.ndarray,
        *,
        test: str,
        columns: Sequence[int] | None = None,
    ) -> None:
        check_choice("test", test, _TEST_CLASSES)
        if columns is not None:
            values, is_categorical = values[:, columns], np.asarray(is_categorical)[columns]
        self._test = _TEST_CLASSES[test](values, is_categorical)
        self._known: dict[tuple, float] = {}
        self.asked = 0
        self.computed = 0
        self._limit = math.inf

    def begin_search(self, budget: float = math.inf) -> None:
        """Start counting for a new search, which may ask for at most `budget` tests."""
        self.asked = 0
        self._limit = budget

    def p_value(self, x: int, y: int, given: Sequence[int] = ()) -> float:
        """Return a p-value as a search reads it, from memory where it is known.

        A test that cannot be done gives 1 without a conditioning set and 0 with one.

        Raises
        ------
        TestBudgetExceeded
            If the search has asked for more tests than its budget.
        """
        self._count(1)
        key = (x, y, *sorted(given)) if x < y else (y, x, *sorted(given))
        known = self._known.get(key)
        if known is None:
            known = self._test.p_value(key[0], key[1], key[2:])
            if math.isnan(known):
                known = 0.0 if len(given) else 1.0
            self._known[key] = known
            self.computed += 1
        return known

    def p_values(self, x: int, ys: np.ndarray, sets: np.ndarray) -> np.ndarray:
        """Return many p-values of column `x` at once, as a search reads them.

        Parameters
        ----------
        x : int
        ys : ndarray of int, shape (k,)
        sets : ndarray of int, shape (k, d)
            Conditioning sets, all of the same size.

        Returns
        -------
        ndarray of shape (k,)

        Raises
        ------
        TestBudgetExceeded
            If the search has asked for more tests than its budget; nothing is computed then.
        """
        self._count(len(ys))
        answers = self._test.p_values(x, ys, sets)
        self.computed += len(ys)
        return np.where(np.isnan(answers), 0.0 if np.asarray(sets).size else 1.0, answers)

    def _count(self, number: int) -> None:
        if self.asked + number > self._limit:
            self.asked = self._limit
            raise TestBudgetExceeded
        self.asked += number


def independence_p_value(table: Table, x: str, y: str, given: Sequence[str] = (), *, test: str = "auto") -> float:
    """Test whether column `x` is independent of column `y` given the columns `given`.

    Parameters
    ----------
    table : Table
    x, y : str
        Two different columns; the target counts as one.
    given : sequence of str
        The conditioning set.
    test : {"auto", "fisherz", "mixed", "chisq"}
        See `choose_test`.

    Returns
    -------
    float
        The p-value; NaN where the test cannot be done, see the top of this module.

    Raises
    ------
    ValueError
        If a column is unknown or named twice, or `test` does not suit the table.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> cause = rng.normal(size=200)
    >>> frame = pd.DataFrame({"cause": cause, "effect": cause + rng.normal(size=200), "noise": rng.normal(size=200)})
    >>> table = Table.from_frame(frame.assign(label=np.where(cause > 0, "yes", "no")), target="label")
    >>> independence_p_value(table, "cause", "effect") < 0.001
    True
    >>> independence_p_value(table, "cause", "noise") > 0.05
    True
    """
    names = [x, y, *given]
    for name in names:
        if name not in table.columns:
            raise ValueError(f"{name!r} is not a column; the columns are {table.columns}")
        if names.count(name) > 1:
            raise ValueError(f"column {name!r} is named more than once in the test")
    chosen = _TEST_CLASSES[choose_test(table, test)](*encode_columns(table))
    places = [table.columns.index(name) for name in names]
    return chosen.p_value(places[0], places[1], places[2:])


@lru_cache(maxsize=1)
def register_tests() -> dict[str, str]:
    """Register the tests with causal-learn, so that ``pc`` and ``fci`` can use them.

    Returns
    -------
    dict
        Names here → names in causal-learn. There, each test takes the keyword ``is_categorical`` (all columns
        numerical without it) or ``table``, a ready `PValueTable`.

    Examples
    --------
    >>> register_tests()
    {'fisherz': 'causalmix_fisherz', 'mixed': 'causalmix_mixed', 'chisq': 'causalmix_chisq'}
    """
    from causallearn.utils.cit import CIT_Base, register_ci_test

    def make_class(test: str) -> type:
        class RegisteredTest(CIT_Base):
            def __init__(self, data, *, is_categorical=None, table=None, **kwargs) -> None:
                super().__init__(data, **kwargs)
                if is_categorical is None:
                    is_categorical = np.zeros(data.shape[1], dtype=bool)
                self.method = f"causalmix_{test}"
                self._table = table or PValueTable(data, np.asarray(is_categorical), test=test)

            def __call__(self, X, Y, condition_set=None) -> float:
                return self._table.p_value(X, Y, () if condition_set is None else condition_set)

        return RegisteredTest

    names = {test: f"causalmix_{test}" for test in _TEST_CLASSES}
    for test, name in names.items():
        register_ci_test(name, make_class(test))
    return names
