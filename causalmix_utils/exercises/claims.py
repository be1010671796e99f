"""Exercises of the chapter on reading claims."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from causalmix_utils.exercises.feedback import Feedback, check_number, check_set, not_answered
from causalmix_utils.exercises.quizzes import ask, right, true_or_false, wrong

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

QUIZ = (
    ask(
        "A report gives a median gain ± 0.63 over 33 tables, the standard deviation. What does the 0.63 describe?",
        wrong("how far the median may be from the truth", hint="Would it shrink if there were a thousand tables?"),
        right(
            "how different the tables are",
            because="It stays what it is however many tables there are; the uncertainty of the median shrinks.",
        ),
        wrong("how much two runs on one table differ", hint="Each table gave one number. Which numbers were spread?"),
    ),
    ask(
        "The interval of a difference reaches from just below zero to far above it. What is the verdict?",
        wrong("The arms are equal.", hint="Which differences lie within the interval, besides zero?"),
        wrong("The claim is contradicted.", hint="On which side does the interval lie?"),
        right(
            "Nothing can be told yet.",
            because="Both no difference and a large one are within it. More tables would narrow it.",
        ),
    ),
    true_or_false(
        "To call a method the best of five, each of four comparisons must be corrected for their number.",
        False,
        because="All four must pass, so chance has no choice. Whoever picks one of four that passed must correct.",
        hint="How many of the four may fail before the sentence is false?",
    ),
    ask(
        "The causal arm beats real rows alone. What does this say about the causal structure?",
        right(
            "nothing, before rows without that structure are tried",
            because="Other rows, noisier rows or another seed may do the same; that is what controls are for.",
        ),
        wrong("that it helps", hint="In how many ways do the two arms differ?"),
        wrong("that it does harm", hint="It won. Against which rivals did it have to win?"),
    ),
    ask(
        "A claim is marked as not reproduced. What may you say?",
        wrong("The paper is wrong.", hint="Which checkpoint, tables and formulas were used here, and which there?"),
        right(
            "It was not seen here, with these means.",
            because="Then look whether the runs speak against it, or whether nothing can be told.",
        ),
        wrong("The implementation is wrong.", hint="It may be. What would you see if it were, and who checks it?"),
    ),
)


def check_claims_1(answer: object) -> Feedback:
    """Half the width of a rough 95 % interval for a median of 33 normal gains that spread by 0.63.

    The standard error of the median of n normal values is the standard deviation times √(π / 2n).
    """
    expected = 1.96 * 0.63 * math.sqrt(math.pi / (2 * 33))
    hint = "The standard error first: 0.63 · √(π / (2 · 33)). Then 1.96 of them."
    return check_number(answer, expected=expected, tolerance=5e-3, hint=hint)


def check_claims_2(answer: object) -> Feedback:
    """Letters of the statements that hold by the rule: an interval on the right side, and six tables or more."""
    hint = "Read the rule again: the side of the interval, the fewest tables, and what a size must exclude."
    return check_set(answer, expected={"a", "e"}, hint=hint)


def check_claims_3(answer: object) -> Feedback:
    """The fewest arms without effect of which the best reaches the claimed median in most simulations.

    33 tables, a spread of 0.63, and nothing in common between the arms.
    """
    hint = "Raise n_arms from one on in best_of_equal_arms, and look at the share of outcomes of at least 0.12."
    return check_number(answer, expected=4, hint=hint)


def check_claims_4(answer: object) -> Feedback:
    """A function that names the table without which the standard deviation of the gains changes most.

    It takes a Series of gains by table, and returns the table's name.
    """
    import numpy as np
    import pandas as pd

    if answer is None:
        return not_answered()
    rng = np.random.default_rng(6)
    outlier = pd.Series([0.1, 0.2, -5.0, 0.15, 0.1], index=list("abcde"))
    for gains in (outlier, *(pd.Series(rng.standard_t(2, 9), index=list("pqrstuvwx")) for _ in range(5))):
        try:
            given = answer(gains.copy())
        except Exception as error:  # The reader's code may raise anything; the message is the hint.
            return Feedback(correct=False, hint=f"{type(error).__name__}: {error}")
        if not (isinstance(given, str) and given == _most_influential(gains)):
            hint = f"For the gains {gains.round(2).to_dict()} it returns {given!r}. Leave out one table at a time."
            return Feedback(correct=False, hint=hint)
    return Feedback(correct=True, explanation="Whoever quotes a spread should run this first.")


def check_claims_5(answer: object) -> Feedback:
    """A function that judges one part of a claim: does an arm gain more than every other?

    It takes a DataFrame with one row for each table and one column for each other arm, the arm's gain minus the
    other's, and returns "holds", "contradicted" or "can't be told".
    """
    if answer is None:
        return not_answered()
    for what, differences, expected in _cases():
        try:
            given = answer(differences.copy())
        except Exception as error:  # The reader's code may raise anything; the message is the hint.
            return Feedback(correct=False, hint=f"{type(error).__name__}: {error}")
        if given != expected:
            return Feedback(correct=False, hint=f"It returns {given!r} for {what}. What does the rule say about that?")
    return Feedback(correct=True, explanation="This is a verdict that nobody can argue into another one.")


def _most_influential(gains: pd.Series) -> str:
    return max(gains.index, key=lambda table: abs(gains.drop(table).std() - gains.std()))


def _cases() -> list[tuple[str, pd.DataFrame, str]]:
    """What is judged, and what the rule says about it, far from any limit."""
    import numpy as np

    rng = np.random.default_rng(0)
    clear, unclear = _differences([0.5, 0.5, 0.5], rng=rng), _differences([0.5, 0.0, 0.5], rng=rng)
    # Eight gains and 19 losses: a resample has its median among the gains with a chance of 0.013, which is less than
    # half of 0.05 and more than half of 0.05 / 4.
    few_gains = np.concatenate([np.linspace(0.2, 0.4, 8), -np.linspace(0.2, 0.4, 19)])
    one_in_four = _differences([0.5, 0.5, 0.5], rng=rng).head(27).assign(unlucky=few_gains)
    return [
        ("differences that are clearly positive for every arm", clear, "holds"),
        ("differences that are noise for one of the arms", unclear, "can't be told"),
        ("differences that are clearly negative for one arm", _differences([0.5, -0.5, 0.5], rng=rng), "contradicted"),
        ("differences on four tables", clear.head(4), "can't be told"),
        ("differences on four tables, against the claim", -clear.head(4), "can't be told"),
        ("noise and clear losses", _differences([0.0, -0.5], rng=rng), "contradicted"),
        ("one other arm alone", clear.iloc[:, :1], "holds"),
        ("differences that are small and nearly the same on all tables", clear / 100, "holds"),
        ("a large median whose interval reaches below zero", 10 * _differences([0.03, 0.03], rng=rng), "can't be told"),
        ("losses that are clear for one arm alone, but not as one of four", one_in_four, "can't be told"),
        ("medians, not means: one table of thirty loses greatly", _with_outlier(clear), "holds"),
    ]


def _differences(means: list[float], *, rng: np.random.Generator) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    noise = rng.normal(0, 0.1, size=(15, len(means)))
    # Noise that is symmetrical around its mean, so that zero is in the middle of the interval and not at its end.
    return pd.DataFrame(np.vstack([noise, -noise]) + means, columns=[f"arm {n}" for n in range(len(means))])


def _with_outlier(differences: pd.DataFrame) -> pd.DataFrame:
    changed = differences.copy()
    changed.iloc[0] = -100.0
    return changed
