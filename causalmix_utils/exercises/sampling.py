"""Exercises of the chapter on synthetic rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from causalmix_utils.arguments import check_rng
from causalmix_utils.exercises.feedback import Feedback, check_number, check_set, not_answered
from causalmix_utils.exercises.quizzes import ask, right, true_or_false, wrong

if TYPE_CHECKING:
    import numpy as np

    from causalmix_utils.tables import Table

_MYSTERIES = {"A": "smote", "B": "permuted_target", "C": "copies", "D": "independent"}

QUIZ = (
    ask(
        "A forest can hardly tell the synthetic rows from real ones. What follows for training on them?",
        wrong("They teach as much as real rows.", hint="Exchange the classes of a few rows: would the forest notice?"),
        right(
            "Not much.",
            because="Fidelity and usefulness ask different things: exchanged classes spoil only the second one.",
        ),
        wrong("They are copies.", hint="Copies would pass, but rows that are no copies may pass, too."),
    ),
    ask(
        "To which rows should synthetic rows be compared, to judge how real they look?",
        wrong(
            "to the rows that the generator read", hint="Which generator would win? One that has learnt nothing at all."
        ),
        right(
            "to real rows that it has not read",
            because="Other unseen real rows, scored the same way, are the yardstick: they are not at zero either.",
        ),
        wrong("to rows of another generator", hint="What would you know if both had the same fault?"),
    ),
    true_or_false(
        "No synthetic row equals a real one, so the rows give nothing away.",
        False,
        because="Rows nearer to train rows than to unseen ones betray who was in the table, without any copy.",
        hint="What does the attacker of this chapter measure?",
    ),
    ask(
        "Rows of a causal generator help. To know whether the structure is what helps, which arm do you add?",
        wrong(
            "more rows of the same generator", hint="Then two things are still the same: the structure and the rest."
        ),
        wrong(
            "no synthetic rows at all", hint="That shows that rows help. Which property of the rows it was stays open."
        ),
        right(
            "rows of a graph with the same number of edges, at random places",
            because="Everything is kept except for the structure, so a difference can only come from it.",
        ),
    ),
    ask(
        "What would this loan have become, had it run 12 instead of 24 months? Which question is this?",
        wrong(
            "seeing: compare loans of 12 with loans of 24 months",
            hint="Those are other loans, of people who chose their term for a reason.",
        ),
        wrong(
            "doing: set 12 months and draw new loans",
            hint="New loans have new noises. What about the noise that this loan has?",
        ),
        right("imagining: keep the loan's own noise, and set 12 months", because="That is a counterfactual."),
    ),
)


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
    """AUC of a membership attack from distances to the closest synthetic row.

    Train rows have the distances 0.1, 0.3 and 0.2, held-out rows 0.2, 0.4 and 0.5.
    """
    pairs = [(seen, unseen) for seen in (0.1, 0.3, 0.2) for unseen in (0.2, 0.4, 0.5)]
    expected = sum(1.0 if seen < unseen else 0.5 if seen == unseen else 0.0 for seen, unseen in pairs) / len(pairs)
    hint = "Compare each train row with each held-out row: in what share of the pairs is it closer? Ties count half."
    return check_number(answer, expected=expected, tolerance=5e-3, hint=hint)


def draw_mystery_rows(train: Table, n: int, *, rng: np.random.Generator) -> dict[str, Table]:
    """Four samples whose generators are to be found out: SMOTE, two controls, and copies of the train rows.

    Parameters
    ----------
    train : Table
    n : int
        Rows of each sample.
    rng : Generator

    Returns
    -------
    dict of str to Table
        By the letters A to D.
    """
    from causalmix_utils.generators import make_generator

    check_rng(rng)
    samples = {}
    for letter, name in _MYSTERIES.items():
        if name == "copies":
            rows = train.take(rng.integers(len(train), size=n))
        else:
            rows = make_generator(name).fit(train, rng=rng).sample(n, rng=rng)
        samples[letter] = replace(rows, name=letter)
    return samples


def check_sampling_4(answer: object) -> Feedback:
    """Which of the samples of `draw_mystery_rows` was made how: a mapping of letters to names."""
    if answer is None:
        return not_answered()
    if not isinstance(answer, Mapping):
        return Feedback(correct=False, hint=f"The answer is a dict of letters and names, yours is {answer!r}.")
    right = sum(answer.get(letter) == name for letter, name in _MYSTERIES.items())
    hint = f"{right} of {len(_MYSTERIES)} are right. Two looks are enough: at copies, and at usefulness."
    return Feedback(correct=right == len(_MYSTERIES) and len(answer) == right, hint=hint)


def check_sampling_5(answer: object, *, scm, rows: Table, column: str, value: object, like: Table) -> Feedback:
    """The share of `rows` that would have had another class, had `column` been set to `value`, by the model `scm`."""
    import numpy as np

    from causalmix_utils.scm import counterfactual_rows

    # Levels are drawn, so that one run is not exact; the mean of many is.
    repeated = rows.take(np.tile(np.arange(len(rows)), -(-20_000 // len(rows))))
    options = {"interventions": {column: value}, "like": like, "rng": np.random.default_rng(0)}
    expected = float((counterfactual_rows(scm, repeated, **options).y != repeated.y).mean())
    hint = (
        "Hand the rows themselves to counterfactual_rows, many times over, and compare each row's class with its own. "
        "The classes of freshly drawn rows belong to other loans."
    )
    return check_number(answer, expected=expected, tolerance=0.03, hint=hint)


def check_sampling_6(answer: object) -> Feedback:
    """A generator that draws a class by its share, and then each feature alone from the rows of that class."""
    import numpy as np
    import pandas as pd

    from causalmix_utils.generators import check_generator, make_generator
    from causalmix_utils.tables import Table

    if answer is None:
        return not_answered()
    coin = np.tile([0.0, 0.0, 0.0, 0.0, 1.0], 40)  # in each class four zeros for a one, and three "u" for a "v"
    frame = pd.DataFrame(
        {"a": coin, "b": coin, "c": np.repeat([0.0, 1.0], (150, 50)), "y": np.repeat(["u", "v"], (150, 50))}
    )
    try:
        check_generator(answer)
        generator = make_generator(answer).fit(Table.from_frame(frame, target="y"), rng=np.random.default_rng(0))
        rows = generator.sample(400, rng=np.random.default_rng(1))
    except Exception as error:  # The reader's code may raise anything; the message is the hint.
        return Feedback(correct=False, hint=f"{type(error).__name__}: {error}")
    if (rows.X["c"] != (rows.y == "v")).any():
        return Feedback(correct=False, hint="Some rows hold a value that no row of their class has.")
    if not 0.65 < (rows.y == "u").mean() < 0.85:
        return Feedback(correct=False, hint="A class with three times as many rows must be drawn three times as often.")
    if max(rows.X["a"].mean(), rows.X["b"].mean()) > 0.3:
        return Feedback(correct=False, hint="A value that is rare among the training rows must be rare among yours.")
    if not 0.58 < (rows.X["a"] == rows.X["b"]).mean() < 0.78:
        return Feedback(
            correct=False, hint="Within a class the columns must be drawn apart, yet two still go together."
        )
    return Feedback(correct=True)
