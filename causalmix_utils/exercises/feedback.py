"""What a check returns, and the two comparisons that most checks are made of."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from numbers import Real


@dataclass(frozen=True)
class Feedback:
    """What an exercise says about an answer; true in a condition exactly if the answer is right.

    Parameters
    ----------
    correct : bool
        Whether the answer is right.
    hint : str, default ""
        Shown if the answer is wrong: a way to go on, not the solution.
    explanation : str, default ""
        Shown if the answer is right: why it is.

    Examples
    --------
    >>> Feedback(correct=True)
    Correct.
    >>> Feedback(correct=False, hint="Count each pair once.")
    Not yet. Count each pair once.
    """

    correct: bool
    hint: str = ""
    explanation: str = ""

    def __bool__(self) -> bool:
        return self.correct

    def __repr__(self) -> str:
        return " ".join(self._parts()).rstrip()

    def _parts(self) -> tuple[str, str]:
        return ("Correct.", self.explanation) if self.correct else ("Not yet.", self.hint)

    def _repr_html_(self) -> str:
        # A mark and a word, not only a colour, tell right from wrong.
        mark, colour = ("✓", "#00664a") if self.correct else ("✗", "#a14000")
        verdict, more = self._parts()
        return f'<p><strong style="color: {colour}">{mark} {verdict}</strong> {format_text(more)}</p>'


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
        return not_answered()
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
        return not_answered()
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


def not_answered() -> Feedback:
    return Feedback(correct=False, hint="Replace None by your answer.")


def format_text(text: str) -> str:
    """Text as HTML, with what stands between backticks as code."""
    # The colour of code that a dark theme chooses could not be read on the light ground that outputs have there.
    return re.sub(r"`([^`]+)`", r'<code style="color: inherit">\1</code>', html.escape(text))
