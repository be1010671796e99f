"""Exercises of the chapter on tabular foundation models."""

from __future__ import annotations

import math

from causalmix_utils.exercises.feedback import Feedback, check_number, check_set


def check_foundation_1(answer: object) -> Feedback:
    """How many labels one training step predicts: 16 tables of 120 rows, 90 of them context rows.

    Examples
    --------
    >>> check_foundation_1(16 * 120)
    Not yet. Context rows show their labels; only query rows have theirs predicted. Count them over all tables.
    """
    hint = "Context rows show their labels; only query rows have theirs predicted. Count them over all tables."
    return check_number(answer, expected=16 * (120 - 90), hint=hint)


def check_foundation_2(answer: object) -> Feedback:
    """The log-loss of predicting 0.7 and 0.3 for every row, where 70 % of the rows are of the first class."""
    hint = (
        "A row of the first class costs −ln 0.7, a row of the second −ln 0.3. Average them with the shares of the "
        "classes, with natural logarithms."
    )
    return check_number(answer, expected=-(0.7 * math.log(0.7) + 0.3 * math.log(0.3)), tolerance=2e-3, hint=hint)


def check_foundation_3(answer: object) -> Feedback:
    """Which statements about in-context learning are true, as letters."""
    return check_set(
        answer,
        expected={"a", "b"},
        hint="What does fit store? What does the network read for each prediction, and what was fixed long before?",
    )
