"""Exercises of the appendix on pretraining."""

from __future__ import annotations

import math

from causalmix_utils.exercises.feedback import Feedback, check_number, check_set


def check_pretraining_1(answer: object) -> Feedback:
    """The loss of a query row if ten outputs are equal and the context shows three classes.

    Examples
    --------
    >>> check_pretraining_1(math.log(10))
    Not yet. Masked outputs get no probability. Among how many classes is it divided, and into equal parts?
    """
    hint = "Masked outputs get no probability. Among how many classes is it divided, and into equal parts?"
    return check_number(answer, expected=math.log(3), tolerance=1e-3, hint=hint)


def check_pretraining_2(answer: object) -> Feedback:
    """How many steps are computed when a finished run of 4,000 steps, a quarter of it falling, becomes one of 6,000."""
    hint = "From which state does a lengthened run go on? What was done after that state is thrown away."
    return check_number(answer, expected=6000 - 3 * 4000 // 4, hint=hint)


def check_pretraining_3(answer: object) -> Feedback:
    """Which changes of a run change its weights, as letters."""
    hint = "What decides which tables a step reads, and in which order their gradients are added?"
    return check_set(answer, expected={"b", "d"}, hint=hint)
