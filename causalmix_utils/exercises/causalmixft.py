"""Exercises of the chapter on CausalMixFT."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from causalmix_utils.arguments import check_rng
from causalmix_utils.exercises.feedback import Feedback, check_number, not_answered
from causalmix_utils.exercises.quizzes import ask, right, true_or_false, wrong

if TYPE_CHECKING:
    import numpy as np

STOPPING_RUN = {0: 0.700, 5: 0.712, 10: 0.708, 15: 0.725, 20: 0.724, 25: 0.719, 30: 0.724, 35: 0.740}
"""Validation AUC by step, of the run in the exercise on early stopping."""

QUIZ = (
    ask(
        "Which rows are the context when a fine-tuned model predicts new rows?",
        wrong("the train rows and the synthetic rows", hint="What would a made-up label do in every prediction?"),
        wrong("the train rows alone", hint="Validation is over by then. What are its labelled rows still good for?"),
        right(
            "all real rows, validation rows included",
            because="Nobody who has labelled rows would leave them out of the context; synthetic rows stay out of it.",
        ),
    ),
    ask(
        "Early stopping reports that validation AUC rose by five points. What do you expect of new rows?",
        right(
            "less than five points",
            because="The step was chosen because its score is high, and part of a high score is luck.",
        ),
        wrong("five points, give or take", hint="Would another step have been chosen, had its luck been better?"),
        wrong("more than five points", hint="The model was chosen for these rows. For which others was it?"),
    ),
    true_or_false(
        "With early stopping by AUC, the validation gain in AUC can be negative at the step that is kept.",
        False,
        because="The zero-shot model is the first candidate, so that no lower AUC is ever kept.",
        hint="Which model is looked at before the first step?",
    ),
    ask(
        'In a step with `mixing="query"`, where are the synthetic rows?',
        wrong("among context and query rows", hint="That is another way of mixing. What does the name say?"),
        right("among the query rows only", because="The network reads real context and is asked for made-up labels."),
        wrong("among the context rows only", hint="Whose labels are predicted, and whose are read?"),
    ),
    ask(
        "CausalMixFT beats default fine-tuning on your table, and random graphs do so by as much. What has been shown?",
        wrong("that causal structure helps", hint="Do the random graphs have that structure?"),
        wrong("nothing at all", hint="Both beat the same baseline. What do they have in common?"),
        right(
            "that synthetic rows help, whatever their structure",
            because="The control has everything but the discovered structure.",
        ),
    ),
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
    """A weight of 0.5 after AdamW's first step: gradient -0.03, learning rate 0.001, weight decay 0.01."""
    hint = (
        "First shrink the weight by learning rate times decay. Then move it: which sign, and does the size of the "
        "gradient matter in the first step?"
    )
    return check_number(answer, expected=0.5 * (1 - 0.001 * 0.01) + 0.001, tolerance=2e-6, hint=hint)


def check_causalmixft_4(answer: object) -> Feedback:
    """The step kept and the last step taken on `STOPPING_RUN`, with a patience of 3 and a least gain of 0.02."""
    if answer is None:
        return not_answered()
    if not _is_pair(answer):
        return Feedback(correct=False, hint="The answer is a pair: the step that is kept, and the last step.")
    right_ones = sum(_equals(given, expected) for given, expected in zip(answer, (15, 30), strict=True))
    hint = f"{right_ones} of 2 are right. A check that gains too little over zero-shot counts as one without a gain."
    return Feedback(correct=right_ones == 2, hint=hint)


def check_causalmixft_5(answer: object) -> Feedback:
    """Expected largest of ten independent normal errors with standard deviation 0.06."""
    hint = "Draw a matrix of errors with ten columns, take the largest of each line, and average over many lines."
    return check_number(answer, expected=0.06 * 1.53875, tolerance=2e-3, hint=hint)


def score_validation_draws(
    scores: np.ndarray, labels: Sequence, n: int, *, rng: np.random.Generator, n_draws: int = 300
) -> np.ndarray:
    """AUC of every check of a run on many random validation parts of `n` rows.

    Parameters
    ----------
    scores : ndarray of shape (n_checks, n_rows)
        Predicted probability of the second class, for rows that the run did not train on.
    labels : sequence of shape (n_rows,)
        Their classes, 0 or 1.
    n : int
        Rows of each part, drawn without replacement and with the shares of the classes.
    rng : Generator
    n_draws : int

    Returns
    -------
    ndarray of shape (n_draws, n_checks)

    Raises
    ------
    ValueError
        If a part of `n` rows would have fewer than one row of a class, or more than there are.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.tile([0, 1], 50)
    >>> scores = np.stack([labels, 1 - labels]).astype(float)
    >>> score_validation_draws(scores, labels, 10, rng=np.random.default_rng(0), n_draws=2)
    array([[1., 0.],
           [1., 0.]])
    """
    import numpy as np
    from scipy.stats import mannwhitneyu

    check_rng(rng)
    classes = [np.flatnonzero(np.asarray(labels) == label) for label in (0, 1)]
    n_second = round(n * len(classes[1]) / len(labels))
    sizes = (n - n_second, n_second)
    if min(sizes) < 1 or any(size > len(rows) for size, rows in zip(sizes, classes, strict=True)):
        raise ValueError(f"n={n} rows need 1 row of each class at least, and no more than there are; got {sizes}")
    drawn = [
        np.stack([rng.choice(rows, size, replace=False) for _ in range(n_draws)])
        for size, rows in zip(sizes, classes, strict=True)
    ]
    first, second = (np.asarray(scores)[:, rows] for rows in drawn)  # (n_checks, n_draws, size)
    pairs = mannwhitneyu(second, first, axis=2, method="asymptotic").statistic
    return (pairs / (sizes[0] * sizes[1])).T


def check_causalmixft_6(answer: object, *, scores: np.ndarray, labels: Sequence, n: int = 20) -> Feedback:
    """AUC points that validation parts of `n` rows promise on average, and those that all rows keep, as a pair."""
    import numpy as np

    if answer is None:
        return not_answered()
    if not _is_pair(answer):
        return Feedback(correct=False, hint="The answer is a pair: the points that are promised, and those kept.")
    options = {"rng": np.random.default_rng(0), "n_draws": 1000}
    draws = score_validation_draws(scores, labels, n, **options)
    truth = score_validation_draws(scores, labels, len(labels), rng=np.random.default_rng(0), n_draws=1)[0]
    best = draws.argmax(axis=1)
    promised = 100 * float(np.mean(draws.max(axis=1) - draws[:, 0]))
    kept = 100 * float(np.mean(truth[best] - truth[0]))
    # Other draws move the first by some hundredths, the second by less.
    if not check_number(answer[0], expected=promised, tolerance=0.2):
        hint = "Promised is the largest value of a line minus its first. Answer in points: hundredths of AUC."
        return Feedback(correct=False, hint=hint)
    hint = "The first is right. Kept is a difference of `truth`: at the check that the line chose, and at the first."
    return check_number(answer[1], expected=kept, tolerance=0.05, hint=hint)


def check_causalmixft_7(answer: object) -> Feedback:
    """A function that draws steps with synthetic rows among the context rows only; called as `draw_step` is."""
    import numpy as np

    from causalmix_utils.finetuning import CausalMixFTClassifier
    from causalmix_utils.finetuning.steps import LoopSettings, RowPool

    if answer is None:
        return not_answered()
    if not callable(answer):
        return Feedback(correct=False, hint=f"The answer is a function, yours is a {type(answer).__name__}.")
    values = CausalMixFTClassifier(mix_ratio=0.4).get_params()
    settings = LoopSettings(**{name: values[name] for name in LoopSettings.__dataclass_fields__})
    y = np.concatenate([np.repeat([0, 1, 2], (60, 30, 5)), np.tile([0, 1], 100)])
    pool = RowPool(y, n_real=95)
    for seed in range(5):
        try:
            fault = _find_fault(answer, pool, settings, seed)
        except Exception as error:  # whatever the reader's function does, the exercise goes on
            return Feedback(correct=False, hint=f"Your function raised {type(error).__name__}: {error}")
        if fault:
            return Feedback(correct=False, hint=fault)
    return Feedback(correct=True)


def _find_fault(draw: Callable, pool, settings, seed: int) -> str:
    """What is wrong with the steps that a reader's function draws; empty if nothing is."""
    import numpy as np

    context, query = (np.asarray(rows) for rows in draw(pool, settings, 1, np.random.default_rng(seed)))
    again = draw(pool, settings, 1, np.random.default_rng(seed))
    other = draw(pool, settings, 1, np.random.default_rng(seed + 100))
    rows = np.concatenate([context, query])
    share = np.mean(context >= pool.n_real)
    if len(np.unique(rows)) < len(rows):
        return "Some row is drawn twice."
    if not len(query) or (query >= pool.n_real).any():
        return "Every query row has to be real, and there must be some."
    if abs(len(rows) - pool.n_real) > 0.05 * pool.n_real:
        return f"A step has as many rows as there are real ones, {pool.n_real}; yours has {len(rows)}."
    if abs(share - settings.mix_ratio) > 0.05:
        return f"A share of {settings.mix_ratio} of the context rows shall be synthetic; yours is {share:.2f}."
    if not np.isin(np.unique(pool.y[: pool.n_real]), pool.y[context]).all():
        return "Every class needs a context row, or its queries can't be predicted: also the class with few rows."
    if not all(np.array_equal(a, b) for a, b in zip((context, query), again, strict=True)):
        return "The same random generator must give the same step: draw with `rng` only."
    if np.array_equal(np.sort(query), np.sort(other[1])):
        return "Another state of the random generator should give other query rows."
    return ""


def _is_pair(answer: object) -> bool:
    return isinstance(answer, (tuple, list)) and len(answer) == 2


def _equals(given: object, expected: int) -> bool:
    return bool(check_number(given, expected=expected))
