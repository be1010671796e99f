"""Exercises of the chapter on tabular foundation models."""

from __future__ import annotations

import math

from causalmix_utils.exercises.feedback import Feedback, check_number, check_set
from causalmix_utils.exercises.quizzes import ask, right, true_or_false, wrong

QUIZ = (
    ask(
        "You call `fit` of a prior-fitted network on your table. What happens to the network's weights?",
        wrong("They are trained for a few steps on your rows.", hint="You counted the weights that differ: how many?"),
        wrong("They are drawn anew.", hint="Somebody spent hours on the weights. What would be left of that work?"),
        right("Nothing.", because="The rows are stored, and read as context at each prediction."),
    ),
    ask(
        "You double the number of context rows. What gets slower?",
        right("mostly `predict_proba`", because="Every query row looks at every context row."),
        wrong(
            "mostly `fit`", hint="What does `fit` do, beyond storing rows? Look at the seconds in the section on cost."
        ),
        wrong("neither", hint="Where in the network do the context rows enter?"),
    ),
    ask(
        "What is the network's assumption about the world, and where is it written?",
        wrong(
            "in the labels of the context rows", hint="These are data. The assumption was made before they were seen."
        ),
        right(
            "in the program that draws tables", because="The prior decides which tables training shows, and how often."
        ),
        wrong("nowhere; it assumes nothing", hint="What would it have to do with a table that the prior cannot draw?"),
    ),
    true_or_false(
        "The intervals of two models overlap, so neither is shown to be better.",
        False,
        because="Both read the same splits. The interval of their difference decides, and it may lie beside zero.",
        hint="Hard splits are hard for both models. What is left of that if you subtract on each split?",
    ),
    ask(
        "A model ranks rows as well as another one, and has a far larger log-loss. What is the most likely reason?",
        wrong("It has seen fewer rows.", hint="That would show in the ranking, too."),
        right(
            "It is too sure of itself.",
            because="Log-loss punishes a wrong certainty without mercy; AUC sees only the order of the rows.",
        ),
        wrong("Its classes are in another order.", hint="Then its ranking would be turned round, and its AUC with it."),
    ),
)


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


def check_foundation_4(answer: object) -> Feedback:
    """A function of context rows, their labels and query rows: the share of ones, weighted by exp(-d²/2)."""
    import numpy as np

    rng = np.random.default_rng(0)
    context_X, query_X = rng.normal(size=(30, 3)), rng.normal(size=(7, 3))
    context_y = (context_X[:, 0] > 0).astype(float)
    squared = ((query_X[:, np.newaxis] - context_X) ** 2).sum(axis=2)
    votes = np.exp(-squared / 2)
    if not callable(answer):
        return Feedback(correct=False, hint="The answer is a function of context_X, context_y and query_X.")
    try:
        given = np.asarray(answer(context_X.copy(), context_y.copy(), query_X.copy()), dtype=float)
    except Exception as error:  # The reader's code may raise anything; the message is the hint.
        return Feedback(correct=False, hint=f"{type(error).__name__}: {error}")
    if given.shape != (len(query_X),):
        return Feedback(
            correct=False, hint=f"One number for each of 7 query rows; your result has shape {given.shape}."
        )
    if np.allclose(given, votes @ context_y, atol=1e-6):
        return Feedback(correct=False, hint="These are sums of weights. By what must they be divided to become shares?")
    hint = "Square the differences, add them up over the features, and let exp(-d²/2) weigh each context row's label."
    return Feedback(correct=bool(np.allclose(given, votes @ context_y / votes.sum(axis=1), atol=1e-6)), hint=hint)
