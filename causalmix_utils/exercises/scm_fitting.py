"""Exercises of the chapter on structural causal models."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from causalmix_utils.exercises.feedback import Feedback, check_number, check_set

if TYPE_CHECKING:
    import networkx as nx


def check_scm_fitting_1(answer: object) -> Feedback:
    """The amount of a loan if its duration is set to 12 months and its noise kept.

    It was 3,500 at 24 months, and the amount is 500 + 100 · duration + noise.
    """
    hint = (
        "First find the noise of this loan: what is left of its amount? Then let the formula run again with 12 months."
    )
    return check_number(answer, expected=500 + 100 * 12 + (3500 - 500 - 100 * 24), tolerance=0.5, hint=hint)


def check_scm_fitting_2(answer: object, *, dag: nx.DiGraph, column: str) -> Feedback:
    """The columns that an intervention on `column` can change in the graph `dag`."""
    import networkx as nx

    hint = "Follow the arrows from the column, and from each column that you reach. Arrows against you do not count."
    return check_set(answer, expected=nx.descendants(dag, column), hint=hint)


def check_scm_fitting_3(answer: object, *, dags: Collection[nx.DiGraph]) -> Feedback:
    """How many mechanisms must be fitted for the graphs `dags` if equal ones are fitted once."""
    needed = {(node, frozenset(dag.predecessors(node))) for dag in dags for node in dag}
    hint = "A mechanism is known by its node and its parents. Put one such pair for each node of each graph in a set."
    return check_number(answer, expected=len(needed), hint=hint)


def check_scm_fitting_4(answer: object, *, dag: nx.DiGraph) -> Feedback:
    """The arrows of the graph `dag`, as pairs, each of which can be turned without changing a promised independence."""
    # An arrow can be turned within the equivalence class if its ends have the same other parents (Chickering 1995).
    covered = {(a, b) for a, b in dag.edges if set(dag.predecessors(b)) - {a} == set(dag.predecessors(a))}
    hint = "Turn one arrow at a time, and see whether a collider comes or goes: two arrows that meet, apart otherwise."
    return check_set(answer, expected=covered, hint=hint)
