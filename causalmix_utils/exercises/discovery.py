"""Exercises of the chapter on causal discovery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalmix_utils.exercises.feedback import Feedback, check_number, check_set
from causalmix_utils.exercises.quizzes import ask, right, true_or_false, wrong

if TYPE_CHECKING:
    import pandas as pd

QUIZ = (
    ask(
        "Two columns are independent, and become dependent once a third one is known. Which graph is this?",
        wrong("a chain", hint="Hold the middle of a chain still: does anything get through?"),
        wrong("a fork", hint="Once a common cause is known, what is left of the two columns but their own noises?"),
        right(
            "a collider", because="Know the common effect and one of its causes, and you know something of the other."
        ),
    ),
    true_or_false(
        "With enough rows, PC directs every edge.",
        False,
        because="Directions come from colliders; graphs with the same independences stay apart at no number of rows.",
        hint="How many rows would tell a chain from a fork?",
    ),
    ask(
        "A test finds no dependence between two columns. What may you conclude?",
        wrong(
            "They are independent.", hint="Think of the dependences that the test was not made for, and of few rows."
        ),
        right(
            "This test has found none in these rows.",
            because="No evidence of dependence is no evidence of independence: each test is blind to something.",
        ),
        wrong("Neither is a cause of the other.", hint="What if one acts on the other in a way the test cannot see?"),
    ),
    ask(
        "An edge was found in nearly all resamples of your table. What does this say?",
        wrong("The edge is true.", hint="Would resampling help if the test makes the same mistake every time?"),
        right(
            "It depends little on which of these rows are used.",
            because="Resampling shows instability. A bias is the same in every resample, and stays.",
        ),
        wrong(
            "Its direction is known, too.", hint="Both directions share the edge; look at the two masses one by one."
        ),
    ),
    ask(
        "Why are the resamples drawn without replacement?",
        right(
            "Copies of rows look like evidence.",
            because="A test counts a row twice, and its p-values become too small.",
        ),
        wrong("It is faster.", hint="It is, a little. But what would a test make of a row that it sees three times?"),
        wrong(
            "The resamples become independent of each other.",
            hint="They share most of their rows, with or without replacement.",
        ),
    ),
)


def check_discovery_1(answer: object) -> Feedback:
    """Pairs of columns that become dependent given the risk in guarantor → risk ← amount ← duration.

    A pair is a tuple of two names in either order.

    Examples
    --------
    >>> check_discovery_1({("duration", "amount")})
    Not yet. 2 missing, 1 too many. Look for two columns whose only path meets head to head at the risk.
    """
    hint = "Look for two columns whose only path meets head to head at the risk."
    expected = {("amount", "guarantor"), ("duration", "guarantor")}
    return check_set(_sort_pairs(answer), expected=expected, hint=hint)


def check_discovery_2(answer: object) -> Feedback:
    """The probability of a → b from four graphs with a → b, a — b, a o→ b and a ↔ b, by the rule "keep"."""
    hint = "What mass does each of the four edges give to a → b? Look them up under “keep” and take the mean."
    return check_number(answer, expected=(1 + 0.5 + 1 + 0.5) / 4, tolerance=1e-3, hint=hint)


def check_discovery_3(answer: object, *, P: pd.DataFrame) -> Feedback:
    """The expected number of neighbours that the target, the last column of `P`, has in a sampled graph."""
    expected = float(P.iloc[:, -1].sum() + P.iloc[-1].sum())
    hint = "A neighbour may be a cause or an effect: add up the target's column and its row."
    return check_number(answer, expected=expected, tolerance=0.01, hint=hint)


def check_discovery_4(answer: object, *, P: pd.DataFrame) -> Feedback:
    """The columns whose edge at the target, the last column of `P`, has an interval that lies above 0.8 as a whole."""
    from causalmix_utils.discovery import edge_stability

    told = edge_stability(P, threshold=0.8)
    pairs = told.loc[told["stable"], ["source", "target"]].to_numpy().tolist()
    target = P.columns[-1]
    expected = {name for pair in pairs if target in pair for name in pair if name != target}
    hint = "Use edge_stability with another threshold, and remember that the class may stand on either side of an edge."
    return check_set(answer, expected=expected, hint=hint)


def _sort_pairs(answer: object) -> object:
    """Pairs in alphabetical order within each; anything that is no collection of pairs stays as it is."""
    try:
        return [tuple(sorted(pair)) if isinstance(pair, tuple | list | set | frozenset) else pair for pair in answer]
    except TypeError:
        return answer
