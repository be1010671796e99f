"""Exercises of the chapter on the benchmark."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from causalmix_utils.exercises.feedback import Feedback, check_number, check_set, not_answered
from causalmix_utils.exercises.quizzes import ask, right, true_or_false, wrong

if TYPE_CHECKING:
    import pandas as pd

QUIZ = (
    ask(
        "A method gains one point of AUC on every table. Where is its normalised gain largest?",
        wrong("where zero-shot is worst", hint="One point of how many that were left to gain?"),
        right("where zero-shot is best", because="The gain is divided by what was left to gain, and that is little."),
        wrong("nowhere; it is the same", hint="What stands below the fraction line?"),
    ),
    true_or_false(
        "Ten splits of three tables are as good as one split of thirty tables.",
        False,
        because="Splits share rows and say the same about their table. The next table is what you want to know about.",
        hint="Which question is the benchmark to answer: about these tables, or about the next one?",
    ),
    ask(
        "An arm's optimism gap is close to zero, smaller than that of all others. What follows?",
        wrong("Its validation rows are better.", hint="All arms of a split have the same validation rows."),
        wrong("It generalises best.", hint="Think of an arm that never leaves the zero-shot model."),
        right(
            "Nothing, without its gain.",
            because="An arm that hardly moves promises nothing and keeps it. Read a gap beside the gain.",
        ),
    ),
    ask(
        "Causal rows and rows of random graphs help equally, and both beat real rows alone. What has been shown?",
        right(
            "Synthetic rows helped; the discovered structure was not what did it.",
            because="The control has everything but the right structure. That is what controls are for.",
        ),
        wrong("Causal structure helps.", hint="Does the control have the right structure, too?"),
        wrong("Nothing, since the two are equal.", hint="Compare each with the arm without synthetic rows."),
    ),
    ask(
        "p = 0.4 over six tables. Which sentence is right?",
        wrong("The arms are equal.", hint="How large a difference could have been missed by six tables?"),
        wrong("The difference is 60 % likely to be real.", hint="A p-value is computed as if none were there."),
        right(
            "See how wide the interval is.",
            because="It says which differences are still possible; with few tables that is nearly all of them.",
        ),
    ),
)


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


def check_benchmark_4(answer: object) -> Feedback:
    """The median gain over three tables with gains 1, 2, 9 and 8; 0; and -1, -3.

    Examples
    --------
    >>> check_benchmark_4(1.0)
    Not yet. First one number for each table, from its own splits; then one for all tables.
    """
    hint = "First one number for each table, from its own splits; then one for all tables."
    per_table = [np.median([1, 2, 9, 8]), np.median([0]), np.median([-1, -3])]
    return check_number(answer, expected=float(np.median(per_table)), hint=hint)


def check_benchmark_5(answer: object) -> Feedback:
    """Points of AUC that the best of thirteen equally good checks promises, with a noise of 2 points each."""
    hint = "Draw 13 numbers many times, and look at how far the largest of them lies above the first, on average."
    return check_number(answer, expected=2 * 1.66799, tolerance=0.1, hint=hint)


def check_benchmark_6(answer: object) -> Feedback:
    """Which plan sees the difference most often: splits × tables of the same number of runs, as a letter."""
    hint = "Write down the variance of the mean over tables, (between² + within² / splits) / tables, for each plan."
    return check_set(answer, expected={"d"}, hint=hint)


def check_benchmark_7(correct: Callable | None) -> Feedback:
    """A function that corrects p-values by Holm's method, held against statsmodels on drawn ones.

    Parameters
    ----------
    correct : callable
        Takes a list of p-values, and returns the corrected ones in the same order.
    """
    from statsmodels.stats.multitest import multipletests

    if correct is None:
        return not_answered()
    rng = np.random.default_rng(0)
    cases = [[0.01, 0.04, 0.03], [0.5, 0.001], [0.2], [0.02, 0.02, 0.9], *(rng.uniform(0, 0.2, 6) for _ in range(20))]
    for case in map(list, cases):
        expected = multipletests(case, method="holm")[1]
        try:
            given = np.asarray(correct(list(case)), dtype=float)
        except Exception as error:  # whatever a reader's function raises is the hint
            return Feedback(correct=False, hint=f"For {_write(case)} it raised {type(error).__name__}: {error}")
        if given.shape != expected.shape or not np.allclose(given, expected):
            return Feedback(correct=False, hint=_explain_holm(case, given, expected))
    return Feedback(correct=True)


def check_benchmark_8(answer: object, *, results: pd.DataFrame, arm: str, control: str, value: str) -> Feedback:
    """The median difference between two arms and its interval, as three numbers, from the results at hand.

    Parameters
    ----------
    answer : sequence of three numbers
        Median over tables, lower and upper end of the bootstrap interval.
    results : DataFrame
        One row for each run, with gains.
    arm, control : str
        The arms to compare.
    value : str
        The metric.
    """
    from causalmix_utils.evaluation import compare_arms

    if answer is None:
        return not_answered()
    try:
        median, low, high = map(float, answer)
    except (TypeError, ValueError):
        return Feedback(correct=False, hint="The answer is three numbers: the median, and the ends of its interval.")
    both = results[results["arm"].isin([arm, control])]
    row = compare_arms(both, baseline=control, value=value).loc[arm]
    if not np.isclose(median, row["median_difference"], rtol=0.05, atol=1e-6):  # two digits are enough
        return Feedback(correct=False, hint="The median is not right. Per table first; and which arm is subtracted?")
    width = max(float(row["high"] - row["low"]), 1e-9)
    if np.isnan(width) or max(abs(low - row["low"]), abs(high - row["high"])) <= 0.15 * width:
        return Feedback(correct=True)
    return Feedback(correct=False, hint="The median is right, the interval is not. Resample tables, not runs.")


def _explain_holm(case: list[float], given: np.ndarray, expected: np.ndarray) -> str:
    text = f"For {_write(case)} it gives {_write(given)}."
    if given.shape != expected.shape:
        return f"{text} One corrected p-value for each p-value, in the same order."
    if (given > 1).any():
        return f"{text} No p-value is larger than 1."
    return f"{text} The smallest of k is multiplied by k, the next by k − 1; and none falls below the one before it."


def _write(values) -> str:
    return ", ".join(f"{value:.3g}" for value in np.atleast_1d(values))
