"""Orientation of a PAG: the collider rule and Zhang's rules R1 to R10, in the order of causal-learn.

A PAG is kept as a list of lists, which Python reads several times faster than single cells of an array:
``marks[i][j]`` is the mark at i on the edge between i and j: -1 tail, 1 arrowhead, 2 circle, 0 no edge.
Each rule goes through its candidates in the order in which causal-learn does, since rules applied to tables
with wrong tests can contradict each other, and then the first one wins. Letters are those of the paper.

References: Zhang, Artificial Intelligence 172 (2008), for the rules; Spirtes, Glymour and Scheines, *Causation,
Prediction, and Search* (2000), for FCI.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np

TAIL, ARROW, CIRCLE = -1, 1, 2


class Pag:
    """Marks of a partial ancestral graph, changed in place.

    Parameters
    ----------
    adjacent : ndarray of bool, shape (n, n)
    separating : dict of (int, int) to set of int
        For each separated pair, in the order in which causal-learn keeps it, the columns that separate it.
    """

    def __init__(self, adjacent: np.ndarray, separating: dict[tuple[int, int], set[int]]) -> None:
        self.marks: list[list[int]] = (np.asarray(adjacent) * CIRCLE).tolist()
        self.separating = dict(separating)
        self.places = range(len(self.marks))

    def neighbours(self, node: int) -> list[int]:
        return [other for other, mark in enumerate(self.marks[node]) if mark]

    def marked(self, node: int, mark: int) -> list[int]:
        """Neighbours of `node` on whose edge the mark at `node` is `mark`."""
        return [other for other, here in enumerate(self.marks[node]) if here == mark]

    def is_parent(self, node: int, child: int) -> bool:
        return self.marks[node][child] == TAIL and self.marks[child][node] == ARROW

    def is_collider(self, first: int, middle: int, last: int) -> bool:
        return self.marks[middle][first] == ARROW and self.marks[middle][last] == ARROW

    def set_edge(self, first: int, second: int, at_first: int, at_second: int) -> None:
        self.marks[first][second], self.marks[second][first] = at_first, at_second

    def remove_edge(self, first: int, second: int) -> None:
        self.set_edge(first, second, 0, 0)

    def allows_arrow(self, source: int, end: int) -> bool:
        """Whether the mark at `end` is an arrowhead or may become one."""
        return self.marks[end][source] in (ARROW, CIRCLE)

    def find_reachable(self) -> np.ndarray:
        """Boolean matrix: a path of at least one edge leads from i to j and leaves each node by a tail or a circle."""
        marks = np.array(self.marks).reshape(len(self.marks), -1)
        steps = ((marks == TAIL) | (marks == CIRCLE)).astype(np.float32)
        reached = steps
        while True:
            further = np.minimum(reached + reached @ steps + reached @ reached, 1)
            if (further == reached).all():
                return reached > 0
            reached = further


def orient_colliders(pag: Pag, *, sink: int | None) -> None:
    """Start with circles, point all edges at the sink to it, and make a - b - c a collider where b did not separate.

    The sink's edges are background knowledge and are never turned.
    """
    marks = pag.marks
    for node in pag.places:
        marks[node][:] = [CIRCLE if mark else 0 for mark in marks[node]]
    for node in [] if sink is None else pag.neighbours(sink):
        pag.set_edge(node, sink, TAIL, ARROW)
    for b in pag.places:
        for a, c in combinations(pag.neighbours(b), 2):
            if marks[a][c] or pag.is_collider(a, b, c) or b in pag.separating.get((a, c), (b,)):
                continue
            if pag.allows_arrow(a, b) and pag.allows_arrow(c, b):
                marks[b][a] = marks[b][c] = ARROW


def follow_rules(pag: Pag, is_independent: Callable[[int, int, list[int]], bool]) -> None:
    """Apply R1 to R10 until none changes a mark.

    Parameters
    ----------
    pag : Pag
    is_independent : callable
        ``is_independent(x, y, given)`` answers the tests that R4 asks for.
    """
    changed = True
    while changed:
        changed = _apply_r1_r2(pag)
        changed |= _apply_r3(pag)
        if changed:
            _apply_r4(pag, is_independent)
        for rule in (_apply_r5, _apply_r6, _apply_r7, _apply_r8, _apply_r9, _apply_r10):
            changed |= rule(pag)


def _apply_r1_r2(pag: Pag) -> bool:
    changed = False
    for b in pag.places:
        for a, c in combinations(pag.neighbours(b), 2):
            for first, last in ((a, c), (c, a)):
                changed |= _apply_r1(pag, first, b, last)
            for first, last in ((a, c), (c, a)):
                changed |= _apply_r2(pag, first, b, last)
    return changed


def _apply_r1(pag: Pag, a: int, b: int, c: int) -> bool:
    """a *→ b o-* c without an edge a - c: no collider at b, so b → c."""
    marks = pag.marks
    if marks[a][c] or marks[b][a] != ARROW or marks[b][c] != CIRCLE or not pag.allows_arrow(b, c):
        return False
    pag.set_edge(b, c, TAIL, ARROW)
    return True


def _apply_r2(pag: Pag, a: int, b: int, c: int) -> bool:
    """a → b *→ c or a *→ b → c, and a *-o c: c is no ancestor of a, so a *→ c."""
    marks = pag.marks
    if marks[c][a] != CIRCLE or marks[b][a] != ARROW or marks[c][b] != ARROW:
        return False
    if marks[a][b] != TAIL and marks[b][c] != TAIL:
        return False
    marks[c][a] = ARROW
    return True


def _apply_r3(pag: Pag) -> bool:
    """a *→ b ←* c, a *-o d o-* c without an edge a - c, and d *-o b: d *→ b."""
    marks, changed = pag.marks, False
    for b in pag.places:
        arrows = pag.marked(b, ARROW)
        for d in pag.marked(b, CIRCLE):
            for a, c in combinations(arrows, 2):
                if marks[a][c] or marks[d][a] != CIRCLE or marks[d][c] != CIRCLE:
                    continue
                if d in pag.separating.get((a, c), ()) and pag.allows_arrow(d, b):
                    marks[b][d] = ARROW
                    changed = True
    return changed


def _apply_r4(pag: Pag, is_independent) -> None:
    """A discriminating path d, …, a, b, c with a parent a of c decides the edge b - c."""
    marks = pag.marks
    for b in pag.places:
        before = [a for a in pag.places if marks[a][b] == ARROW]
        circles = pag.marked(b, CIRCLE)
        for a in before:
            for c in circles:
                if pag.is_parent(a, c) and marks[c][b] == ARROW:
                    _search_discriminating_path(pag, a, b, c, is_independent)


def _search_discriminating_path(pag: Pag, a: int, b: int, c: int, is_independent) -> None:
    """Walk back from a over colliders that are parents of c, to the first d not adjacent to c that decides."""
    parents = {node for node in pag.places if pag.is_parent(node, c)}
    waiting, seen, following = deque([a]), {a, b}, {a: b}
    while waiting:
        node = waiting.popleft()
        for d in pag.marked(node, ARROW):
            if d in seen:
                continue
            following[d] = node
            if not pag.is_collider(d, node, following[node]):
                continue
            if not pag.marks[d][c] and d != c and _decide_by_path(pag, d, a, b, c, following, is_independent):
                return
            if d in parents:
                waiting.append(d)
                seen.add(d)


def _decide_by_path(pag: Pag, d: int, a: int, b: int, c: int, following: dict[int, int], is_independent) -> bool:
    path = [following[d]]
    while path[-1] in following:
        path.append(following[path[-1]])
    with_b = is_independent(d, c, path)
    without_b = is_independent(d, c, [node for node in path if node != b])
    if not with_b and not without_b:
        if (d, c) not in pag.separating:
            return False
        with_b = b in pag.separating[d, c]
    if with_b:
        pag.marks[b][c] = TAIL
        return True
    if not (pag.allows_arrow(a, b) and pag.allows_arrow(c, b)):
        return False
    pag.marks[b][a] = pag.marks[b][c] = ARROW
    return True


def _apply_r5(pag: Pag) -> bool:
    """An uncovered path of circles a o-o c … d o-o b beside a o-o b: all of it becomes undirected."""
    marks, changed = pag.marks, False
    for b in pag.places:
        for a in pag.marked(b, CIRCLE):
            if marks[a][b] != CIRCLE:
                continue
            near_a, near_b = ([v for v in _find_circles(pag, node) if v not in (a, b)] for node in (a, b))
            ends = [(c, d) for c in near_a if not marks[b][c] for d in near_b if not marks[a][d]]
            for c, d in ends:
                for path in _find_circle_paths(pag, c, d, exclude=(a, b)):
                    whole = [a, *path, b, a]
                    for first, second in zip(whole[:-1], whole[1:], strict=True):
                        pag.set_edge(first, second, TAIL, TAIL)
                    changed = True
    return changed


def _find_circles(pag: Pag, node: int) -> list[int]:
    return [other for other in pag.marked(node, CIRCLE) if pag.marks[other][node] == CIRCLE]


def _find_circle_paths(pag: Pag, start: int, end: int, *, exclude: tuple[int, int]) -> Iterator[list[int]]:
    """Uncovered paths of circles, found while the caller already changes the marks of those found before."""
    waiting: deque[tuple[int, list[int]]] = deque([(start, [])])
    seen: set[int] = set()
    while waiting:
        node, path = waiting.popleft()
        path = [*path, node]
        if len(path) > 1 and node == end and _is_uncovered(pag, path):
            yield path
        for other in _find_circles(pag, node):
            if other not in exclude and other not in seen:
                seen.add(other)
                waiting.append((other, path))


def _is_uncovered(pag: Pag, path: list[int]) -> bool:
    return not any(pag.marks[first][third] for first, third in zip(path, path[2:], strict=False))


def _apply_r6(pag: Pag) -> bool:
    """a - b o-* c: b -* c."""
    marks, changed = pag.marks, False
    for b in pag.places:
        if any(marks[a][b] == TAIL for a in pag.marked(b, TAIL)):
            for c in pag.marked(b, CIRCLE):
                marks[b][c] = TAIL
                changed = True
    return changed


def _apply_r7(pag: Pag) -> bool:
    """a -o b o-* c without an edge a - c: b -* c."""
    marks, changed = pag.marks, False
    for b in pag.places:
        circles = pag.marked(b, CIRCLE)
        tails = [a for a in circles if marks[a][b] == TAIL]
        for c in circles:
            if any(a != c and not marks[a][c] for a in tails):
                marks[b][c] = TAIL
                changed = True
    return changed


def _apply_r8(pag: Pag) -> bool:
    """a → b → c or a -o b → c, and a o→ c: a → c."""
    marks, changed = pag.marks, False
    for b in pag.places:
        for a, c in combinations(pag.neighbours(b), 2):
            first = marks[a][b] == TAIL and marks[b][a] in (ARROW, CIRCLE)
            if first and pag.is_parent(b, c) and marks[a][c] == CIRCLE and marks[c][a] == ARROW:
                marks[a][c] = TAIL
                changed = True
    return changed


def _apply_r9(pag: Pag) -> bool:
    """a o→ c, and an uncovered possibly directed path a, b, …, c without an edge b - c: a → c."""
    marks, changed = pag.marks, False
    for c in pag.places:
        for a in pag.marked(c, ARROW):
            if marks[a][c] != CIRCLE:
                continue
            children = [b for b in pag.neighbours(a) if b != c and marks[a][b] != ARROW and not marks[b][c]]
            if any(_has_uncovered_path(pag, a, b, c) for b in children):
                marks[a][c] = TAIL
                changed = True
    return changed


def _has_uncovered_path(pag: Pag, a: int, b: int, c: int) -> bool:
    waiting: deque[tuple[int, list[int]]] = deque([(b, [a])])
    seen = {a, b}
    while waiting:
        node, path = waiting.popleft()
        path = [*path, node]
        if node == c and _is_uncovered(pag, path):
            return True
        for other in pag.neighbours(node):
            if pag.marks[node][other] != ARROW and pag.marks[other][node] != TAIL and other not in seen:
                seen.add(other)
                waiting.append((other, path))
    return False


def _apply_r10(pag: Pag) -> bool:
    """a o→ c, b → c ← d, and possibly directed paths from a over two different children to b and to d: a → c."""
    marks, changed = pag.marks, False
    reachable: np.ndarray | None = None
    for c in pag.places:
        arrows = pag.marked(c, ARROW)
        for a in [node for node in arrows if marks[node][c] == CIRCLE]:
            # A set, and not in the order of its nodes: causal-learn tries only one of the two ways to match
            # children with b and d, the one that the set's order gives. Its nodes count from one.
            children = {child + 1 for child in pag.neighbours(a) if child != c and marks[a][child] != ARROW}
            pairs = [(one - 1, two - 1) for one, two in combinations(children, 2) if not marks[one - 1][two - 1]]
            if not pairs:
                continue
            for b, d in combinations(arrows, 2):
                if marks[b][c] != TAIL or marks[d][c] != TAIL:
                    continue
                if reachable is None:
                    reachable = pag.find_reachable()
                if any(reachable[one, b] and reachable[two, d] for one, two in pairs):
                    marks[a][c], reachable = TAIL, None
                    changed = True
    return changed
