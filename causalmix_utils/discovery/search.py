"""PC and FCI on one array of rows: quiet, deterministic, and within a budget of tests."""

from __future__ import annotations

import warnings
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from causalmix_utils.discovery.pc import Skeleton, learn_skeleton, orient
from causalmix_utils.independence import PValueTable, TestBudgetExceeded, register_tests

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
        Tests that the searches asked for, and different ones among them.
    """

    marks: dict[str, np.ndarray] = field(default_factory=dict)
    fallbacks: Counter = field(default_factory=Counter)
    asked: int = 0
    computed: int = 0


def search_graphs(
    values: np.ndarray,
    tests: PValueTable,
    *,
    methods: tuple[str, ...],
    alpha: float,
    max_tests: int,
    sink: int | None = None,
) -> SearchOutcome:
    """Run PC and FCI on the same rows; they share the p-values.

    PC that would pass its budget starts again with conditioning sets from each column's eight strongest neighbours
    alone, and ends, if it has to, with the last size of sets that it could finish. FCI is
    causal-learn's and needs the budget in a second place: its possible-d-separation step goes through all subsets of a
    set that grows with the degree of the graph, 2²⁵ for a hub with 25 neighbours, and asks for no test
    on the way. That number is known beforehand from PC's skeleton, so that FCI is started only where it can
    end; otherwise its place is taken by PC's graph.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
    tests : PValueTable
        For the same rows and columns.
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
    search = _Search(values, tests, varies, alpha=alpha, max_tests=max_tests, sink=sink)
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


class _StableName(str):
    """Node name whose hash is the same in every process.

    FCI walks through Python sets of nodes, hence in the order of their hashes, which for ordinary strings
    change from process to process; so would its result.
    """

    def __hash__(self) -> int:
        return int(self[1:])


class _Search:
    """One array of rows, searched by PC and FCI."""

    def __init__(self, values, tests: PValueTable, varies: list[int], *, alpha, max_tests, sink) -> None:
        self._data = np.nan_to_num(values[:, varies])  # Only its shape matters: the tests hold the real values.
        self._tests = tests
        self._view = _ColumnView(tests, varies)
        self._names = [_StableName(f"X{place + 1}") for place in range(len(varies))]
        self._alpha, self._max_tests = alpha, max_tests
        self._sink = varies.index(sink) if sink in varies else None
        self._is_wide = self._data.shape[0] < self._data.shape[1]
        self.asked = 0

    def learn_skeleton(self, strongest: int | None = None) -> Skeleton:
        n_columns = len(self._names)
        # Always allowed: the unconditional tests, and with few neighbours also those with one condition. Without
        # these every two columns that depend on each other in any way would keep an edge.
        least = (1 if strongest is None else 2 + strongest) * n_columns * (n_columns - 1)
        self._tests.begin_search(max(self._max_tests, least))
        skeleton = learn_skeleton(self._view.p_value, n_columns, alpha=self._alpha, strongest=strongest)
        self.asked += self._tests.asked
        return skeleton

    def orient(self, skeleton: Skeleton) -> np.ndarray:
        return orient(skeleton, sink=self._sink)

    def run_fci(self, skeleton: Skeleton) -> np.ndarray | None:
        """Return the marks of FCI's graph, or None if it would pass the budget."""
        from causallearn.search.ConstraintBased import FCI

        if self._count_subsets(skeleton) > self._max_tests:
            return None
        self._tests.begin_search(2 * self._max_tests)  # Its own first stage repeats PC's tests.
        try:
            with _silence(FCI, wide=self._is_wide):
                graph, _ = FCI.fci(
                    self._data,
                    self._test_name(),
                    self._alpha,
                    background_knowledge=self._knowledge(),
                    show_progress=False,
                    node_names=self._names,
                    table=self._view,
                )
            return graph.graph
        except TestBudgetExceeded:
            return None
        finally:
            self.asked += self._tests.asked

    def _test_name(self) -> str:
        return register_tests()["mixed"]  # The name does not matter: the table brings its own test.

    def _knowledge(self):
        if self._sink is None:
            return None
        from causallearn.utils.PCUtils.BackgroundKnowledge import BackgroundKnowledge

        return BackgroundKnowledge().add_forbidden_by_pattern(f"{self._names[self._sink]}$", ".*")

    def _count_subsets(self, skeleton: Skeleton) -> float:
        """Subsets that FCI's possible-d-separation step would go through, if no edge fell; counted to the budget."""
        from causallearn.graph.Edge import Edge
        from causallearn.graph.Endpoint import Endpoint
        from causallearn.graph.GeneralGraph import GeneralGraph
        from causallearn.graph.GraphNode import GraphNode
        from causallearn.search.ConstraintBased.FCI import getPossibleDsep, rule0

        nodes = [GraphNode(name) for name in self._names]
        graph = GeneralGraph(nodes)
        pairs = np.argwhere(np.triu(skeleton.adjacent))
        for first, second in pairs:
            graph.add_edge(Edge(nodes[first], nodes[second], Endpoint.CIRCLE, Endpoint.CIRCLE))
        rule0(graph, nodes, skeleton.separating, None, False)
        subsets = 0.0
        for first, second in (*pairs, *pairs[:, ::-1]):
            subsets += 2.0 ** len(getPossibleDsep(nodes[first], nodes[second], graph, -1))
            if subsets > self._max_tests:
                break
        return subsets


class _ColumnView:
    """The p-values of a table, asked for by the positions of a part of its columns."""

    def __init__(self, tests: PValueTable, places: list[int]) -> None:
        self._tests, self._places = tests, places

    def p_value(self, x: int, y: int, given=()) -> float:
        return self._tests.p_value(self._places[x], self._places[y], tuple(self._places[z] for z in given))


@contextmanager
def _silence(module, *, wide: bool):
    """Keep a module of causal-learn from printing, and from warning of more columns than rows.

    FCI prints whatever its options say. A ``print`` of its own silences that module alone; replacing
    ``sys.stdout`` would take the output of other threads too. Warnings are filtered only where the
    warning will come, since the filter holds for the whole process.
    """
    module.print = _print_nothing
    try:
        if not wide:
            yield
            return
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The number of features is much larger")
            yield
    finally:
        vars(module).pop("print", None)


def _print_nothing(*args, **kwargs) -> None:
    """Take the place of print."""
