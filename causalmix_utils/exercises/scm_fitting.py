"""Exercises of the chapter on structural causal models."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from causalmix_utils.exercises.feedback import Feedback, check_number, check_set
from causalmix_utils.exercises.quizzes import ask, right, true_or_false, wrong

if TYPE_CHECKING:
    import networkx as nx

QUIZ = (
    ask(
        "What does a structural causal model add to a graph?",
        wrong("the directions of the edges", hint="A DAG has these already. What can it not do: draw a row?"),
        right(
            "how each column is made from its parents and noise",
            because="One mechanism for each column makes of the graph a program that draws rows.",
        ),
        wrong("a probability for each edge", hint="That was the matrix before the graph was drawn."),
    ),
    ask(
        "A very flexible regressor fits the rows nearly perfectly, and the noise is drawn from its residuals there. "
        "What is wrong with the rows that the model draws?",
        right(
            "They vary too little.", because="Residuals on the rows of the fit are smaller than errors on unseen rows."
        ),
        wrong(
            "They vary too much.", hint="How large are the residuals of a regressor that has learnt its rows by heart?"
        ),
        wrong(
            "Nothing; a better fit is a better model.", hint="Compare the residuals on test rows with those of the fit."
        ),
    ),
    true_or_false(
        "If every column of the synthetic rows has the right histogram, the graph is about right.",
        False,
        because="The empty graph has the right histograms, too. Look at pairs of columns, and at the label signal.",
        hint="Draw each column by itself. What do its histograms look like?",
    ),
    ask(
        "Which rows may judge the label signal of a generator?",
        wrong("the rows that it was fitted to", hint="How good would a generator look that repeats them?"),
        wrong("the test rows", hint="You are going to choose by this number. What are test rows worth after a choice?"),
        right(
            "train rows that this fit of the generator has not seen",
            because="Cross-fitting fits it anew for each part, without that part.",
        ),
    ),
    ask(
        "A fitted model passes every test of the diagnosis. What do you know about its answers to interventions?",
        wrong("They are right.", hint="A chain and a fork pass the same tests. Do they answer the same?"),
        right(
            "That they may still be wrong.",
            because="Equivalent graphs and hidden causes pass every test on rows, and differ when something is set.",
        ),
        wrong("They are right on average.", hint="An arrow that is turned is wrong for every row, not only for some."),
    ),
)


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
