"""Exercises of the chapter on the benchmark."""

from __future__ import annotations

from causalmix_utils.exercises.feedback import Feedback, check_number, check_set


def check_benchmark_1(answer: object) -> Feedback:
    """How many times larger the normalised gain is from 0.90 to 0.91 than from 0.60 to 0.61."""
    hint = "Divide each gain by what was left to gain, then one by the other."
    return check_number(answer, expected=0.4 / 0.1, tolerance=0.01, hint=hint)


def check_benchmark_2(answer: object) -> Feedback:
    """Tables at which the smallest of five p-values can be significant at 0.05 after Holm's correction."""
    hint = "Holm multiplies the smallest of five p-values by five. From which n on is 5 · 2^(1 − n) at most 0.05?"
    return check_number(answer, expected=8, hint=hint)


def check_benchmark_3(answer: object) -> Feedback:
    """Which changes make a store's finished runs be made again, as letters."""
    hint = "A run is made again if anything that decides its result has changed, and only then."
    return check_set(answer, expected={"a", "d", "e"}, hint=hint)
