"""PC and FCI on one array of rows: quiet, deterministic, and within a budget of tests."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from causalmix_utils.discovery.fci import learn_pag
from causalmix_utils.discovery.pc import Skeleton, learn_skeleton, orient
from causalmix_utils.independence import PValueTable, TestBudgetExceeded

_STRONGEST = 8  # Neighbours that conditioning sets are taken from beyond the budget.


@dataclass
class SearchOutcome:
    """The graphs of one resample.

    Attributes
    ----------
    marks : dict of str to ndarray of int, shape (n_columns, n_columns)
        Method → mark at i on the edge between i and j: -1 tail, 1 arrowhead, 2 circle, 0 no edge.
    fallbacks : Counter
        What was done because a search asked for too many tests.
    asked, computed : int
        Tests that the searches asked for, each up to its budget, and tests that were computed. One that comes in a
        batch is computed even if it was before.
    """

    marks: dict[str, np.ndarray] = field(default_factory=dict)
    fallbacks: Counter = field(default_factory=Counter)
    asked: int = 0
    computed: int = 0


def search_graphs(
    values: np.ndarray,
    is_categorical: np.ndarray,
    *,
    test: str,
    methods: tuple[str, ...],
    alpha: float,
    max_tests: int,
    sink: int | None = None,
) -> SearchOutcome:
    """Run PC and FCI on the same rows; they share the skeleton.

    PC that would pass its budget starts again with conditioning sets from each column's eight strongest neighbours
    alone, and ends, if it has to, with the last size of sets that it could finish. FCI needs the budget in a
    second place: its possible-d-separation step goes through all subsets of a set that grows with the degree of the
    graph, 2²⁵ for a hub with 25 neighbours. That number is known beforehand from PC's skeleton, so that FCI is
    started only where it can end; otherwise its place is taken by PC's graph.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
    is_categorical : ndarray of bool, shape (n_columns,)
        Both from `causalmix_utils.independence.encode_columns`.
    test : {"fisherz", "mixed", "chisq"}
    methods : tuple of {"pc", "fci"}
    alpha : float
    max_tests : int
    sink : int, optional
        Column that no edge may leave.

    Returns
    -------
    SearchOutcome
    """
    outcome = SearchOutcome()
    n_columns = values.shape[1]
    varies = [place for place in range(n_columns) if len(np.unique(values[~np.isnan(values[:, place]), place])) > 1]
    if len(varies) < 2:
        outcome.marks = {method: np.zeros((n_columns, n_columns), dtype=int) for method in methods}
        return outcome
    tests = PValueTable(values, is_categorical, test=test, columns=varies)
    sink = varies.index(sink) if sink in varies else None
    search = _Search(tests, len(varies), alpha=alpha, max_tests=max_tests, sink=sink)
    skeleton = search.learn_skeleton()
    within_budget = skeleton.complete
    if not within_budget:
        skeleton = search.learn_skeleton(strongest=_STRONGEST)
        limit = "" if skeleton.complete else f" of at most {skeleton.depth}"
        outcome.fallbacks[f"pc: conditioning sets{limit} from the {_STRONGEST} strongest neighbours"] += 1
    found = {"pc": search.orient(skeleton)}
    if "fci" in methods:
        found["fci"] = search.run_fci(skeleton) if within_budget else None
        if found["fci"] is None:
            outcome.fallbacks["fci: replaced by pc"] += 1
            found["fci"] = found["pc"]
    for method in methods:
        outcome.marks[method] = np.zeros((n_columns, n_columns), dtype=int)
        outcome.marks[method][np.ix_(varies, varies)] = found[method].astype(int)
    outcome.asked, outcome.computed = search.asked, tests.computed
    return outcome


class _Search:
    """PC and FCI on the tests of one array of rows."""

    def __init__(self, tests: PValueTable, n_columns: int, *, alpha: float, max_tests: int, sink: int | None) -> None:
        self._tests, self._n_columns = tests, n_columns
        self._alpha, self._max_tests, self._sink = alpha, max_tests, sink
        self.asked = 0

    def learn_skeleton(self, strongest: int | None = None) -> Skeleton:
        # Always allowed: the unconditional tests, and with few neighbours also those with one condition. Without
        # these every two columns that depend on each other in any way would keep an edge.
        least = (1 if strongest is None else 2 + strongest) * self._n_columns * (self._n_columns - 1)
        self._tests.begin_search(max(self._max_tests, least))
        skeleton = learn_skeleton(self._tests, self._n_columns, alpha=self._alpha, strongest=strongest)
        self.asked += self._tests.asked
        return skeleton

    def orient(self, skeleton: Skeleton) -> np.ndarray:
        return orient(skeleton, sink=self._sink)

    def run_fci(self, skeleton: Skeleton) -> np.ndarray | None:
        """Return the marks of FCI's graph, or None if it would pass the budget."""
        self._tests.begin_search(self._max_tests)
        try:
            return learn_pag(self._tests, skeleton, alpha=self._alpha, sink=self._sink, max_subsets=self._max_tests)
        except TestBudgetExceeded:
            return None
        finally:
            self.asked += self._tests.asked
