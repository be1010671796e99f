"""Trying to falsify a graph: DoWhy's permutation test with tests for mixed data."""

from __future__ import annotations

import math
from dataclasses import dataclass

import networkx as nx
import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_count, check_number, check_rng
from causalmix_utils.randomness import draw_seed, fence_global_randomness
from causalmix_utils.scm.fitting import check_graph
from causalmix_utils.scm.quiet import import_gcm, quiet_dowhy
from causalmix_utils.tables import Table

_LEAST_ROWS = 20
_MOST_TESTS = 20_000  # Independence tests of one permutation test, so that a wide graph takes seconds, too.


@dataclass(frozen=True)
class GraphVerdict:
    """What the permutation test says about a graph.

    Attributes
    ----------
    tests : int
        Independences that the graph promises: each node from each non-descendant, given its parents.
    violations : int
        How many of them a test denies.
    permuted_share : float
        Median share of denied independences among the permuted graphs.
    p_value : float
        Share of permuted graphs that do at least as well as this one. Small is good.
    same_class : float
        Share of permuted graphs that are Markov equivalent to this one.
    n_permutations : int
    informative : bool
        Whether the test can say anything: few enough permuted graphs promise the same as this one.
    rejected : bool
        Whether the graph is informative and not clearly better than its permutations.
    """

    tests: int
    violations: int
    permuted_share: float
    p_value: float
    same_class: float
    n_permutations: int
    informative: bool
    rejected: bool

    @property
    def share(self) -> float:
        """Share of the promised independences that are denied; NaN if the graph promises none."""
        return self.violations / self.tests if self.tests else math.nan

    def __str__(self) -> str:
        if not self.tests:
            return "The graph promises no independence, so nothing can speak against it."
        counts = (
            f"The rows deny {self.violations} of the {self.tests} independences that the graph promises "
            f"({self.share:.0%}); of {self.n_permutations} graphs with shuffled nodes the median is "
            f"{self.permuted_share:.0%}."
        )
        if not self.informative:
            return f"{counts} The test is not informative: {self.same_class:.0%} of these promise the same."
        verdict = "rejected: as good as shuffled ones" if self.rejected else "not rejected: clearly better than these"
        return f"{counts} The graph is {verdict} ({self.p_value:.0%} of these do as well)."


def falsify_dag(
    dag: nx.DiGraph,
    table: Table,
    *,
    rng: np.random.Generator,
    n_permutations: int = 20,
    level: float = 0.05,
    test: str = "auto",
) -> GraphVerdict:
    """Try to falsify a graph, with `dowhy.gcm.falsify.falsify_graph`.

    Each node should be independent of its non-descendants given its parents. The share of these promises that a test
    denies is compared with that of graphs of the same shape with shuffled nodes.

    Parameters
    ----------
    dag : networkx.DiGraph
        Acyclic, over the columns of `table`. Not changed.
    table : Table
    rng : Generator
        Shuffles the nodes.
    n_permutations : int
        Shuffled graphs. Fewer are drawn, five at least, where all of them together would need more than 20,000 tests.
    level : float
        Level of the independence tests and of the verdict, between 0 and 1.
    test : str
        Conditional-independence test, see `causalmix_utils.independence.choose_test`; DoWhy's kernel test would
        take hours. A test that can't be done denies nothing.

    Returns
    -------
    GraphVerdict

    Raises
    ------
    ValueError
        If an argument has a value that is not allowed, or the graph does not fit the table.

    References
    ----------
    E. Eulig and others: *Toward Falsifying Causal Graphs Using a Permutation-Based Test*, arXiv 2305.09565, 2023.
    """
    check_rng(rng)
    check_request(table, n_permutations=n_permutations)
    check_number("level", level, 0, 1, closed="neither")
    check_graph(dag, table)
    falsify = import_gcm().falsify

    plain = _plain(dag)
    promises = sum(len(dag) - 1 - len(nx.descendants(dag, node)) - dag.in_degree(node) for node in dag)
    n_permutations = int(np.clip(_MOST_TESTS // max(1, promises), min(5, n_permutations), n_permutations))
    p_value = _make_test(table, test)
    # DoWhy hands the data of the columns to the test, and nothing else: so these are the columns' numbers.
    numbers = pd.DataFrame({column: [place] for place, column in enumerate(table.columns)})
    with fence_global_randomness(draw_seed(rng)), quiet_dowhy():
        result = falsify.falsify_graph(
            plain,
            numbers,
            independence_test=p_value,
            conditional_independence_test=p_value,
            significance_level=level,
            significance_ci=level,
            n_permutations=n_permutations,
            n_jobs=1,
        )
    keys = falsify.FalsifyConst
    markov, classes = result.summary[keys.VALIDATE_LMC], result.summary[keys.VALIDATE_TPA]
    better_or_equal, same_class = float(markov[keys.P_VALUE]), float(classes[keys.P_VALUE])
    # DoWhy's own verdict never rejects where `same_class` equals the level, which happens with few permutations.
    informative = same_class <= level and markov[keys.N_TESTS] > 0
    return GraphVerdict(
        tests=int(markov[keys.N_TESTS]),
        violations=int(markov[keys.GIVEN_VIOLATIONS]),
        permuted_share=float(np.median(markov[keys.F_PERM_VIOLATIONS])),
        p_value=better_or_equal,
        same_class=same_class,
        n_permutations=len(markov[keys.PERM_VIOLATIONS]),
        informative=informative,
        rejected=informative and better_or_equal > level,
    )


def check_request(table: Table, **counts: int) -> None:
    """Raise a ``ValueError`` if a count is too small, or the table has too few rows for a diagnosis."""
    least = {"n_folds": 2, "max_rows": _LEAST_ROWS, "n_permutations": 1}
    for name, value in counts.items():
        check_count(name, value, minimum=least[name])
    if len(table) < _LEAST_ROWS:
        raise ValueError(f"table {table.name!r} has {len(table)} rows; a diagnosis needs at least {_LEAST_ROWS}")


def _plain(dag: nx.DiGraph) -> nx.DiGraph:
    """The graph without what DoWhy and this package keep on it."""
    plain = nx.DiGraph()
    plain.add_nodes_from(dag.nodes)
    plain.add_edges_from(dag.edges)
    return plain


def _make_test(table: Table, test: str):
    from causalmix_utils.independence import ChiSquare, FisherZ, MixedTest, choose_test, encode_columns

    classes = {"fisherz": FisherZ, "mixed": MixedTest, "chisq": ChiSquare}
    tests = classes[choose_test(table, test)](*encode_columns(table))

    def p_value(X: np.ndarray, Y: np.ndarray, Z: np.ndarray | None = None) -> float:
        given = () if Z is None else tuple(int(place) for place in np.ravel(Z))
        value = tests.p_value(int(np.ravel(X)[0]), int(np.ravel(Y)[0]), given)
        return 1.0 if math.isnan(value) else value

    return p_value
