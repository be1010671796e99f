"""Exercises of the appendix on pretraining."""

from __future__ import annotations

import math

from causalmix_utils.exercises.feedback import Feedback, check_number, check_set
from causalmix_utils.exercises.quizzes import ask, right, true_or_false, wrong

QUIZ = (
    ask(
        "Which real tables was `nano` trained on?",
        wrong(
            "the development tables",
            hint="These served to choose between settings. Which rows did a training step read?",
        ),
        wrong(
            "all tables of the book", hint="Then no score on them would mean anything. Look at what training imports."
        ),
        right(
            "none", because="Every table of every step was drawn by the prior; the imports show that no other is read."
        ),
    ),
    ask(
        "A forest reaches an AUC of about one half on nearly every table of a prior. What is the matter?",
        right("The tables cannot be learnt.", because="The network could only learn to answer with the class shares."),
        wrong("The tables are too easy.", hint="What is the AUC of a model that guesses?"),
        wrong(
            "Nothing; a network is better than a forest.",
            hint="If the labels are noise, what is there to be better at?",
        ),
    ),
    true_or_false(
        "If the loss rises from one step to the next, the network got worse.",
        False,
        because="Each step reads other tables, some harder than others. Measure from the loss of class shares.",
        hint="Are the tables of the two steps the same?",
    ),
    ask(
        "Why are the outputs for classes that the context does not show masked?",
        wrong("to save memory", hint="They are computed all the same."),
        right(
            "so that no step is spent on learning which classes a table has",
            because="The context says it, so the probability is shared among the classes that can be right.",
        ),
        wrong(
            "so that the network can have more than ten classes", hint="How many outputs are there, mask or no mask?"
        ),
    ),
    ask(
        "A network is worse than a forest on real tables, and better on tables of its prior. What do you suspect?",
        wrong("The network is too small.", hint="Is a network that is too small good at home?"),
        right("The prior is too narrow.", because="It has learnt its tables; the real ones are not like them."),
        wrong("The learning rate is too high.", hint="What would that do to its loss on the prior's own tables?"),
    ),
)


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


def check_pretraining_4(answer: object) -> Feedback:
    """A function of values and a generator: a copy in which large values are more likely to be missing."""
    import numpy as np

    if not callable(answer):
        return Feedback(correct=False, hint="The answer is a function of values and rng.")
    values = np.random.default_rng(0).normal(size=4000)
    try:
        given = np.asarray(answer(values.copy(), np.random.default_rng(1)), dtype=float)
    except Exception as error:  # The reader's code may raise anything; the message is the hint.
        return Feedback(correct=False, hint=f"{type(error).__name__}: {error}")
    if given.shape != values.shape:
        return Feedback(correct=False, hint=f"As many values as before; your result has shape {given.shape}.")
    missing = np.isnan(given)
    if not np.array_equal(given[~missing], values[~missing]):
        return Feedback(correct=False, hint="Values that are not missing must stay as they are.")
    if not 0.08 < missing.mean() < 0.36:
        return Feedback(correct=False, hint=f"{missing.mean():.0%} are missing; a tenth to a third should be.")
    by_size = missing[np.argsort(values)].reshape(4, -1).mean(axis=1)  # the smallest quarter first
    if by_size[-1] < by_size[0] + 0.1:
        return Feedback(
            correct=False, hint="Large values are hardly more often missing. What should the chance depend on?"
        )
    largest = missing[np.argsort(values)[-200:]].mean()
    hint = "The largest values are all missing: that is a limit. Let chance decide about each of them, too."
    return Feedback(correct=bool(largest < 0.97), hint=hint)
