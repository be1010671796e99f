"""The quiz at the end of a chapter: a few questions, each with one right choice, that explain themselves.

A chapter's questions stand in its file of `causalmix_utils.exercises`, as a tuple called ``QUIZ``. They are made with
`ask` and `true_or_false`; each wrong choice has a hint, the right one says why it is right::

    QUIZ = (
        ask(
            "Which rows may choose the number of steps?",
            wrong("the test rows", hint="What would they still be good for afterwards?"),
            right("the validation rows", because="They are kept apart for choices, so that test rows stay unseen."),
        ),
        true_or_false("A prior-fitted network trains on your table.", False, because="…", hint="…"),
    )

The chapter's section "Quiz" stands between "Takeaways" and "Exercises" and holds one code cell, which also imports
`exercises` for the sections that follow::

    from causalmix_utils import exercises

    answers = {1: None, 2: None, 3: None, 4: None}  # a letter for each question, such as {1: "b", 2: "a"}
    exercises.quiz("foundation", answers)

The result shows the questions. A choice unfolds when it is clicked on, in Jupyter, in Colab and in the built book,
where no code runs; answers that are typed into the cell are judged as well.
"""

from __future__ import annotations

import html
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from causalmix_utils.arguments import check_choice
from causalmix_utils.exercises.feedback import Feedback, format_text

CHAPTERS = ("foundation", "discovery", "scm_fitting", "sampling", "causalmixft", "benchmark", "claims", "pretraining")
_LETTERS = "abcdef"


@dataclass(frozen=True)
class Choice:
    """One of the answers that a question offers; `feedback` says why it is right, or is a hint that leads on."""

    text: str
    feedback: str
    correct: bool = False

    def judge(self) -> Feedback:
        """What whoever has chosen this is told."""
        return Feedback(correct=self.correct, **{"explanation" if self.correct else "hint": self.feedback})


@dataclass(frozen=True)
class Question:
    """A question with two to six choices, exactly one of which is right.

    Raises
    ------
    ValueError
        If the number of choices or of right ones is another, or if a choice has no feedback.
    """

    text: str
    choices: tuple[Choice, ...]

    def __post_init__(self) -> None:
        if not 2 <= len(self.choices) <= len(_LETTERS):
            raise ValueError(f"choices must be 2 to {len(_LETTERS)}, got {len(self.choices)} for {self.text!r}")
        n_right = sum(choice.correct for choice in self.choices)
        if n_right != 1:
            raise ValueError(f"choices must have one right answer, got {n_right} for {self.text!r}")
        silent = [choice.text for choice in self.choices if not choice.feedback.strip()]
        if silent:
            raise ValueError(f"choices must have feedback each, got none for {silent}")

    @property
    def letters(self) -> dict[str, Choice]:
        """The choices by their letters, from a on."""
        return dict(zip(_LETTERS, self.choices, strict=False))

    def check(self, answer: object) -> Feedback:
        """Judge one answer, a letter such as ``"b"``; never raises, whatever the answer is."""
        letter = str(answer).strip(" ().").lower() if isinstance(answer, str) else ""
        if letter not in self.letters:
            return Feedback(correct=False, hint=f"The answer is one of the letters {', '.join(self.letters)}.")
        return self.letters[letter].judge()


def ask(text: str, *choices: Choice) -> Question:
    """A question with the given choices, lettered in their order.

    Examples
    --------
    >>> question = ask("2 + 2?", wrong("22", hint="Add the numbers."), right("4", because="Two and two are four."))
    >>> question.check("a")
    Not yet. Add the numbers.
    >>> question.check("b")
    Correct. Two and two are four.
    """
    return Question(text, choices)


def right(text: str, *, because: str) -> Choice:
    """The right choice of a question, and why it is right."""
    return Choice(text, because, correct=True)


def wrong(text: str, *, hint: str) -> Choice:
    """A wrong choice of a question, and a hint that leads on without naming the right one."""
    return Choice(text, hint)


def true_or_false(text: str, answer: bool, *, because: str, hint: str) -> Question:
    """A statement that is true or false; `because` is shown for the right verdict, `hint` for the other one.

    Examples
    --------
    >>> true_or_false("One is even.", False, because="It has no half.", hint="Try to halve it.").check("b")
    Correct. It has no half.
    """
    verdicts = [
        right(name, because=because) if truth == answer else wrong(name, hint=hint) for name, truth in _VERDICTS
    ]
    return Question(f"True or false? {text}", tuple(verdicts))


_VERDICTS = (("true", True), ("false", False))


def quiz(chapter: str, answers: object = None) -> Quiz:
    """The quiz of a chapter, to look at and to answer.

    Parameters
    ----------
    chapter : str
        The chapter's name in this package, such as ``"foundation"``.
    answers : mapping of int to str, optional
        Letters by the numbers of the questions, which count from one. None stands for a question that is not answered
        yet. The reader types them, so nothing in here raises.

    Returns
    -------
    Quiz
        Shows the questions as text, or as choices to unfold in a notebook and in the book.

    Raises
    ------
    ValueError
        If no chapter with a quiz has this name.

    Examples
    --------
    >>> shown = quiz("foundation", {1: "a"})
    >>> len(shown.questions) >= 3
    True
    >>> shown.feedback[1].correct or bool(shown.feedback[1].hint)
    True
    """
    check_choice("chapter", chapter, CHAPTERS)
    questions = getattr(importlib.import_module(f"causalmix_utils.exercises.{chapter}"), "QUIZ", None)
    if questions is None:
        raise ValueError(f"chapter must have a quiz, and there is none for {chapter!r}")
    return Quiz(questions=tuple(questions), answers=answers)


@dataclass(frozen=True)
class Quiz:
    """Questions and the reader's answers; true in a condition exactly if all are right.

    Attributes
    ----------
    feedback : dict of int to Feedback
        What there is to say about each answer that was given, by the number of its question.
    notes : list of str
        What could not be understood.
    """

    questions: tuple[Question, ...]
    answers: object = None
    feedback: dict[int, Feedback] = field(init=False)
    notes: list[str] = field(init=False)

    def __post_init__(self) -> None:
        given = self.answers if isinstance(self.answers, Mapping) else {}
        numbers = range(1, len(self.questions) + 1)
        judged = {n: self.questions[n - 1].check(given[n]) for n in numbers if given.get(n) is not None}
        notes = [f"There is no question {key!r}." for key in given if key not in numbers]
        if self.answers is not None and not isinstance(self.answers, Mapping):
            notes.append('Answers are letters by number, such as {1: "b", 2: "a"}.')
        object.__setattr__(self, "feedback", judged)
        object.__setattr__(self, "notes", notes)

    def __bool__(self) -> bool:
        return len(self.feedback) == len(self.questions) and all(self.feedback.values())

    @property
    def score(self) -> str:
        """How many answers are right, in words; empty as long as none is given."""
        n_right = sum(map(bool, self.feedback.values()))
        return f"{n_right} of {len(self.questions)} are right." if self.feedback else ""

    def __repr__(self) -> str:
        lines = []
        for number, question in enumerate(self.questions, start=1):
            lines.append(f"{number}. {question.text}")
            lines += [f"   ({letter}) {choice.text}" for letter, choice in question.letters.items()]
            if number in self.feedback:
                lines.append(f"   Your answer: {self.answers[number]}. {self.feedback[number]!r}")
        return "\n".join(lines + self.notes + [self.score] * bool(self.score))

    def _repr_html_(self) -> str:
        items = []
        for number, question in enumerate(self.questions, start=1):
            choices = "".join(_unfold(letter, choice) for letter, choice in question.letters.items())
            verdict = ""
            if number in self.feedback:
                said = self.feedback[number]._repr_html_()
                verdict = f"<p>Your answer: {html.escape(str(self.answers[number]))}</p>{said}"
            items.append(f'<li style="margin-bottom: 1em"><p>{format_text(question.text)}</p>{choices}{verdict}</li>')
        closing = "".join(f"<p>{format_text(text)}</p>" for text in [*self.notes, self.score] if text)
        return f'<ol style="padding-left: 1.5em">{"".join(items)}</ol>{closing}'


def _unfold(letter: str, choice: Choice) -> str:
    """A choice that shows its feedback when it is opened: plain HTML, so that it works where no code runs."""
    shown = f"<summary>({letter}) {format_text(choice.text)}</summary>{choice.judge()._repr_html_()}"
    return f'<details style="margin: 0.2em 0; cursor: pointer">{shown}</details>'
