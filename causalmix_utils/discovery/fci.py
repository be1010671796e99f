"""FCI from the skeleton that PC has found: the same graphs as causal-learn's, much sooner and within a budget.

FCI starts with PC's skeleton, removes further edges by sets that lie beyond the neighbours (possible
d-separation), and orients what is left by more rules, see `causalmix_utils.discovery.pag`. causal-learn finds the
skeleton a second time and keeps its graph in objects that are searched anew for each question. Here the skeleton
is PC's own. That the graphs are causal-learn's, mark by mark, is tested.

causal-learn walks through Python sets of nodes, so that its result can depend on the hashes of their names,
which change from process to process. Here nodes count from one and their hash is their number.

References: Spirtes, Glymour and Scheines, *Causation, Prediction, and Search* (2000); Zhang, Artificial
Intelligence 172 (2008).
"""

from __future__ import annotations

from collections import deque
from itertools import combinations, islice

import numpy as np

from causalmix_utils.discovery.pag import ARROW, CIRCLE, TAIL, Pag, follow_rules, orient_colliders
from causalmix_utils.discovery.pc import Skeleton
from causalmix_utils.independence import PValueTable

_BATCH = 64  # Sets that are tried at once: the first that separates ends the search.


def learn_pag(
    tests: PValueTable,
    skeleton: Skeleton,
    *,
    alpha: float,
    sink: int | None = None,
    max_subsets: float = float("inf"),
) -> np.ndarray | None:
    """Remove and orient the edges of a skeleton as FCI does.

    The possible-d-separation step goes through all subsets of a set that grows with the degree of the graph,
    2²⁵ for a hub with 25 neighbours. Their number is known beforehand, if no edge falls.

    Parameters
    ----------
    tests : PValueTable
    skeleton : Skeleton
        From `causalmix_utils.discovery.pc.learn_skeleton`, with the same `tests` and `alpha`.
    alpha : float
    sink : int, optional
        Column that no edge leaves.
    max_subsets : float
        Most subsets to go through.

    Returns
    -------
    ndarray of int, shape (n, n), or None
        The mark at i on the edge between i and j: -1 tail, 1 arrowhead, 2 circle, 0 no edge. None if there are more
        subsets than allowed.

    Raises
    ------
    TestBudgetExceeded
        If the budget of `tests` is spent.
    """
    pag = Pag(skeleton.adjacent, skeleton.separating)
    orient_colliders(pag, sink=sink)
    if _count_subsets(pag, max_subsets) > max_subsets:
        return None
    _remove_by_possible_separation(pag, tests, alpha)
    orient_colliders(pag, sink=sink)
    follow_rules(pag, lambda x, y, given: tests.p_value(x, y, given) > alpha)
    return np.array(pag.marks, dtype=int).reshape(skeleton.adjacent.shape)


def _list_edges(pag: Pag) -> list[tuple[int, int]]:
    """Edges from left to right, or against an arrowhead at the left alone: as causal-learn names them."""
    edges = []
    for i in pag.places:
        for j in range(i + 1, len(pag.marks)):
            if pag.marks[i][j]:
                points_left = pag.marks[i][j] == ARROW and pag.marks[j][i] in (TAIL, CIRCLE)
                edges.append((j, i) if points_left else (i, j))
    return edges


def _count_subsets(pag: Pag, enough: float) -> float:
    """Subsets that the possible-d-separation step would go through, if no edge fell, counted until it is `enough`."""
    reachable = pag.find_reachable()
    subsets = 0.0
    for a, b in _list_edges(pag):
        for x, y in ((a, b), (b, a)):
            subsets += 2.0 ** len(_find_possible_separators(pag, x, y, reachable))
            if subsets > enough:
                return subsets
    return subsets


def _remove_by_possible_separation(pag: Pag, tests: PValueTable, alpha: float) -> None:
    reachable = pag.find_reachable()
    for a, b in _list_edges(pag):
        near_a, near_b = set(pag.neighbours(a)), set(pag.neighbours(b))
        for x, y in ((a, b), (b, a)):
            candidates = _find_possible_separators(pag, x, y, reachable)
            found = _find_separating_set(tests, a, b, candidates, near_a, near_b, alpha)
            if found is not None:
                pag.remove_edge(a, b)
                pag.separating[a, b] = set(found)
                reachable = pag.find_reachable()
                break


def _find_separating_set(
    tests: PValueTable, a: int, b: int, candidates: list[int], near_a: set, near_b: set, alpha: float
):
    """The first set of at least two candidates that separates a and b and lies not within the neighbours of either.

    Sets of neighbours alone have been tried when the skeleton was learnt. causal-learn passes over the first set of
    each size where there are several, since its generator changes a set that is still to be tested; so does this
    function, for the same graphs.
    """
    far_from_a, far_from_b = set(candidates) - near_a, set(candidates) - near_b
    if not far_from_a or not far_from_b:
        return None
    for size in range(2, len(candidates) + 1):
        first = 1 if size < len(candidates) else 0
        choices = (
            given
            for given in islice(combinations(candidates, size), first, None)
            if not far_from_a.isdisjoint(given) and not far_from_b.isdisjoint(given)
        )
        while sets := list(islice(choices, _BATCH)):
            separates = tests.p_values(a, np.full(len(sets), b), np.array(sets)) > alpha
            if separates.any():
                return sets[int(separates.argmax())]
    return None


def _find_possible_separators(pag: Pag, x: int, y: int, reachable: np.ndarray) -> list[int]:
    """Nodes that could be part of a set that separates x and y, in the order in which causal-learn tries them.

    A walk from x goes on over colliders and triangles. As in causal-learn, a node is taken when the walk reaches it if
    it or a node seen just before it on some walk may be an ancestor of x or of the node itself, and so
    the result depends on the order of the walk.
    """
    marks = pag.marks
    # Python sets, for their order: that of causal-learn's sets of nodes.
    start = [node - 1 for node in set([node + 1 for node in pag.neighbours(x)]) if node - 1 != y]
    waiting = deque((x, node) for node in start)
    seen = set(waiting)
    before: dict[int, set[int]] = {}
    found = set(start)
    while waiting:
        first, middle = waiting.popleft()
        sources = before.get(middle, ())
        if any(r not in (middle, x) and (reachable[r, x] or reachable[r, middle]) for r in sources):
            found.add(middle)
        for last in pag.neighbours(middle):
            if last in (first, x, y):
                continue
            before.setdefault(last, set()).add(middle)
            if (pag.is_collider(first, middle, last) or marks[first][last]) and (first, last) not in seen:
                seen.add((first, last))
                waiting.append((first, last))
    found -= {x, y}
    return sorted(found, key=lambda node: f"X{node + 1}", reverse=True)
