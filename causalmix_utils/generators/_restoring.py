"""What all generators share: types and missing values restored after the draw.

A generator models complete columns (`causalmix_utils.scm.filling` makes them so) and returns raw rows: numbers where
a column is numerical, level names where it is categorical.  The functions here check such rows and see that every
class occurs; `causalmix_utils.scm.restoring`, the same for all, then makes them a `Table` that could have been drawn
from the training table.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from causalmix_utils.scm.filling import draw_observed
from causalmix_utils.scm.restoring import restore_rows
from causalmix_utils.tables import MISSING_LEVEL, Table


def restore_table(
    frame: pd.DataFrame, *, like: Table, rng: np.random.Generator, name: str, returns_missing: bool, cover_classes: bool
) -> Table:
    """Turn a generator's raw rows into a `Table` with the columns and types of `like`.

    In this order: classes and levels are checked; missing classes are covered; numbers are clipped to the range of
    `like` and rounded to its decimals (whole numbers stay whole), and a column of at most 20 different values
    takes only values that occur; missing values are put where they belong.

    Parameters
    ----------
    frame : DataFrame
        Raw rows with every column of `like`, in any order.
    like : Table
        The training table.
    rng : numpy.random.Generator
        Used for missing values and for classes that do not occur.
    name : str
        Name of the new table.
    returns_missing : bool
        Whether missing values in `frame` are meant. If not, every new row lacks what a training
        row of its class, drawn at random, lacks.
    cover_classes : bool
        Whether a class of `like` that does not occur in `frame` is given one row.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        If a column is absent, or a class, a level or a number is not possible. The message
        names the column and the value.
    """
    absent = [column for column in like.columns if column not in frame.columns]
    if absent:
        raise ValueError(f"the generated rows lack the column {absent[0]!r}")
    frame = frame[like.columns].reset_index(drop=True)
    frame = pd.DataFrame({column: _check_values(frame[column], like) for column in like.columns})
    if cover_classes and len(frame) >= len(like.classes):
        frame = _cover_classes(frame, like, rng)
    gaps = frame[like.X.columns].isna()
    for column in gaps.columns[gaps.any()]:
        frame[column] = frame[column].mask(gaps[column], _draw_for_rows(column, frame[like.target], like, rng))
    # A gap where the training table has none stays filled, and a column without any value stays without.
    missing = (gaps & like.X.isna().any()) | like.X.isna().all() if returns_missing else None
    return replace(restore_rows(frame, like, rng=rng, keep=[], missing=missing), name=name)


def _check_values(values: pd.Series, like: Table) -> pd.Series:
    """Strings as objects or numbers as floats, after a check that `like` could hold them."""
    if values.name == like.target:
        _check_known(values, like.classes, "class")
        return values.astype(object)
    reference = like.X[values.name]
    if values.name in like.categorical:
        _check_known(values.dropna(), sorted(reference.dropna().unique()) or [MISSING_LEVEL], "level")
        return values.astype(object)
    try:
        return values.astype(float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the generated column {values.name!r} should hold numbers: {error}") from None


def _check_known(values: pd.Series, known: list[str], kind: str) -> None:
    possible = set(known)
    for value in pd.unique(values):
        if value not in possible:
            raise ValueError(f"the generated column {values.name!r} has the {kind} {value!r}, not one of {known}")


def _cover_classes(frame: pd.DataFrame, like: Table, rng: np.random.Generator) -> pd.DataFrame:
    """Give every class that does not occur one row, in place of a row of the largest class."""
    frame = frame.copy()
    for label in sorted(set(like.classes) - set(frame[like.target])):
        counts = frame[like.target].value_counts()
        # Ties are broken by name, so that the result does not depend on the order of the rows.
        largest = min(counts.index, key=lambda other: (-counts[other], other))
        row = rng.choice(np.flatnonzero(frame[like.target] == largest))
        of_class = (like.y == label).to_numpy()
        for column in like.X.columns:
            # Column by column, so that the new row is a copy of a training row only if the class has a single one.
            frame.loc[row, column] = draw_observed(like.X[column], of_class, 1, rng)[0]
        frame.loc[row, like.target] = label
    return frame


def _draw_for_rows(column: str, y: pd.Series, like: Table, rng: np.random.Generator) -> np.ndarray:
    """An observed value for each row, drawn from the training rows of the row's class."""
    drawn = np.empty(len(y), dtype=object if column in like.categorical else float)
    for label in sorted(y.unique()):
        rows = (y == label).to_numpy()
        drawn[rows] = draw_observed(like.X[column], (like.y == label).to_numpy(), int(rows.sum()), rng)
    return drawn
