"""Exercises that check themselves: compare an answer with what is expected and say so, or give a hint.

A chapter's exercise is one function here, named ``check_<chapter>_<number>``, that takes the reader's answer
and returns a `Feedback`. Most are one call of `check_number` or `check_set`. They never
raise for a wrong answer and never show the solution.
"""

from __future__ import annotations

import html
import math
from collections.abc import Collection
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd

__all__ = [
    "Feedback",
    "check_benchmark_1",
    "check_benchmark_2",
    "check_benchmark_3",
    "check_causalmixft_1",
    "check_causalmixft_2",
    "check_causalmixft_3",
    "check_foundation_1",
    "check_foundation_2",
    "check_foundation_3",
    "check_discovery_1",
    "check_discovery_2",
    "check_discovery_3",
    "check_number",
    "check_sampling_1",
    "check_sampling_2",
    "check_sampling_3",
    "check_scm_fitting_1",
    "check_scm_fitting_2",
    "check_scm_fitting_3",
    "check_set",
]


@dataclass(frozen=True)
class Feedback:
    """What an exercise says about an answer; true in a condition exactly if the answer is right.

    Parameters
    ----------
    correct : bool
        Whether the answer is right.
    hint : str, default ""
        Shown if the answer is wrong: a way to go on, not the solution.

    Examples
    --------
    >>> Feedback(correct=True)
    Correct.
    >>> Feedback(correct=False, hint="Count each pair once.")
    Not yet. Count each pair once.
    """

    correct: bool
    hint: str = ""

    def __bool__(self) -> bool:
        return self.correct

    def __repr__(self) -> str:
        return "Correct." if self.correct else f"Not yet. {self.hint}".rstrip()

    def _repr_html_(self) -> str:
        # A mark and a word, not only a colour, tell right from wrong.
        mark, colour = ("✓", "#00664a") if self.correct else ("✗", "#a14000")
        return f'<p style="color: {colour}"><strong>{mark} {html.escape(repr(self))}</strong></p>'


def check_number(answer: object, *, expected: float, tolerance: float = 1e-6, hint: str = "") -> Feedback:
    """Compare a number with the expected one.

    Parameters
    ----------
    answer : object
        The reader's answer. None stands for an exercise that is not done yet.
    expected : float
        The right answer.
    tolerance : float, default 1e-6
        Largest absolute difference that is still right, in the unit of the answer.
    hint : str, default ""
        Shown for a wrong number.

    Returns
    -------
    Feedback

    Raises
    ------
    ValueError
        If `tolerance` is negative or not finite: an error of the exercise, not of the answer.

    Examples
    --------
    >>> check_number(0.33, expected=1 / 3, tolerance=0.01)
    Correct.
    >>> check_number(3, expected=1 / 3, hint="Is it a share?")
    Not yet. Is it a share?
    >>> check_number(None, expected=1 / 3)
    Not yet. Replace None by your answer.
    """
    if not (math.isfinite(tolerance) and tolerance >= 0):
        raise ValueError(f"tolerance must be a finite number that is not negative, got {tolerance}")
    if answer is None:
        return _not_answered()
    if isinstance(answer, bool) or not isinstance(answer, Real):
        return Feedback(correct=False, hint=f"The answer is a number, yours is a {type(answer).__name__}.")
    return Feedback(correct=abs(float(answer) - expected) <= tolerance, hint=hint)


def check_set(answer: object, *, expected: Collection, hint: str = "") -> Feedback:
    """Compare a collection, whose order does not matter, with the expected one.

    Says how many elements are missing or too many, not which.

    Parameters
    ----------
    answer : object
        The reader's answer: a list, tuple, set or other collection of hashable elements; a text is
        a collection of one element. None stands for an exercise that is not done yet.
    expected : collection
        The right elements.
    hint : str, default ""
        Added where the answer is wrong.

    Returns
    -------
    Feedback

    Examples
    --------
    >>> check_set(["b", "a"], expected={"a", "b"})
    Correct.
    >>> check_set({("a", "b")}, expected={("b", "a")}, hint="Which one is the cause?")
    Not yet. 1 missing, 1 too many. Which one is the cause?
    """
    if answer is None:
        return _not_answered()
    if isinstance(answer, str):
        answer = [answer]
    try:
        given = set(answer)
    except TypeError:
        return Feedback(correct=False, hint="The answer is a list or a set of names, or of pairs of names.")
    missing, surplus = len(set(expected) - given), len(given - set(expected))
    if not missing and not surplus:
        return Feedback(correct=True)
    return Feedback(correct=False, hint=f"{missing} missing, {surplus} too many. {hint}".rstrip())


def _not_answered() -> Feedback:
    return Feedback(correct=False, hint="Replace None by your answer.")


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


def check_sampling_1(answer: object) -> Feedback:
    """Distance of the row (12 months, car) to its closest record, (36 months, car) or (12 months, radio).

    Durations range from 4 to 72 months.
    """
    hint = "Divide the difference of the months by their range, count 0 or 1 for the purpose, and average over both."
    return check_number(answer, expected=(24 / 68) / 2, tolerance=2e-3, hint=hint)


def check_sampling_2(answer: object) -> Feedback:
    """Names of the registered generators whose rows teach nothing about the target, by their construction."""
    hint = "In whose rows is the class drawn without a look at the features? The summaries of list_generators() say so."
    return check_set(answer, expected={"independent", "permuted_target"}, hint=hint)


def check_sampling_3(answer: object) -> Feedback:
    """A generator that draws a class by its share, and then each feature alone from the rows of that class."""
    import numpy as np
    import pandas as pd

    from causalmix_utils.generators import check_generator, make_generator
    from causalmix_utils.tables import Table

    if answer is None:
        return _not_answered()
    coin = np.tile([0.0, 1.0], 100)
    frame = pd.DataFrame({"a": coin, "b": coin, "c": np.repeat([0.0, 1.0], 100), "y": np.repeat(["u", "v"], 100)})
    try:
        check_generator(answer)
        generator = make_generator(answer).fit(Table.from_frame(frame, target="y"), rng=np.random.default_rng(0))
        rows = generator.sample(400, rng=np.random.default_rng(1))
    except Exception as error:  # The reader's code may raise anything; the message is the hint.
        return Feedback(correct=False, hint=f"{type(error).__name__}: {error}")
    if (rows.X["c"] != (rows.y == "v")).any():
        return Feedback(correct=False, hint="Some rows hold a value that no row of their class has.")
    if not 0.35 < (rows.X["a"] == rows.X["b"]).mean() < 0.65:
        return Feedback(
            correct=False, hint="Within a class the columns must be drawn apart, yet two still go together."
        )
    return Feedback(correct=True)


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


def _sort_pairs(answer: object) -> object:
    """Pairs in alphabetical order within each; anything that is no collection of pairs stays as it is."""
    try:
        return [tuple(sorted(pair)) if isinstance(pair, tuple | list | set | frozenset) else pair for pair in answer]
    except TypeError:
        return answer
