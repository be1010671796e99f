"""Exercises of the chapter on causal discovery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalmix_utils.exercises.feedback import Feedback, check_number, check_set

if TYPE_CHECKING:
    import pandas as pd


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


def _sort_pairs(answer: object) -> object:
    """Pairs in alphabetical order within each; anything that is no collection of pairs stays as it is."""
    try:
        return [tuple(sorted(pair)) if isinstance(pair, tuple | list | set | frozenset) else pair for pair in answer]
    except TypeError:
        return answer
