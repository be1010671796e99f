"""Exercises of the chapter on synthetic rows."""

from __future__ import annotations

from causalmix_utils.exercises.feedback import Feedback, check_number, check_set, not_answered


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
        return not_answered()
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
