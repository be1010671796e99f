"""Exercises of the chapter on CausalMixFT."""

from __future__ import annotations

from causalmix_utils.exercises.feedback import Feedback, check_number


def check_causalmixft_1(answer: object) -> Feedback:
    """Synthetic rows in one step with ``mixing="query"``, 133 real train rows and a mix ratio of one half."""
    hint = "Synthetic rows are query rows only. Three tenths of the step's 133 rows are query rows: take half of these."
    return check_number(answer, expected=20, tolerance=0.5, hint=hint)


def check_causalmixft_2(answer: object) -> Feedback:
    """Optimism gap of a run whose validation AUC rose from 0.68 to 0.77 and whose test AUC from 0.70 to 0.71."""
    hint = "Normalise each gain by what was left to gain on its own rows, then take validation minus test."
    return check_number(answer, expected=0.09 / 0.32 - 0.01 / 0.30, tolerance=5e-3, hint=hint)


def check_causalmixft_3(answer: object) -> Feedback:
    """Expected largest of ten independent normal errors with standard deviation 0.06."""
    hint = "Draw a matrix of errors with ten columns, take the largest of each line, and average over many lines."
    return check_number(answer, expected=0.06 * 1.53875, tolerance=2e-3, hint=hint)
