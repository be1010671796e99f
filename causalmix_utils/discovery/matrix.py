"""The matrix of edge probabilities: what it must fulfil, with messages that name what is wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd

TOLERANCE = 1e-9
"""Rounding that a matrix of averaged masses may carry."""


def check_edge_probabilities(P: pd.DataFrame) -> None:
    """Check that `P` is a matrix of edge probabilities.

    Raises
    ------
    ValueError
        If `P` is not a square DataFrame with the same unique names on both sides, holds values outside [0, 1] or
        missing ones, has an edge from a column to itself, or gives a pair more than probability 1.
        The message names the first pair that is wrong.

    Examples
    --------
    >>> check_edge_probabilities(pd.DataFrame([[0.0, 0.7], [0.6, 0.0]], index=["a", "b"], columns=["a", "b"]))
    Traceback (most recent call last):
        ...
    ValueError: P gives the pair 'a', 'b' probability 0.7 + 0.6, more than 1
    """
    if not isinstance(P, pd.DataFrame):
        raise ValueError(f"P must be a DataFrame, got {type(P).__name__}")
    if list(P.index) != list(P.columns):
        raise ValueError("P must have the same names in the same order as index and columns")
    if P.index.has_duplicates:
        raise ValueError(f"P names {P.index[P.index.duplicated()][0]!r} more than once")
    if len(P) == 0:
        raise ValueError("P is empty")
    values = P.to_numpy(dtype=float)
    wrong = ~((values >= -TOLERANCE) & (values <= 1 + TOLERANCE))
    if wrong.any():
        i, j = np.argwhere(wrong)[0]
        raise ValueError(f"P gives the edge {P.index[i]!r} → {P.index[j]!r} the probability {values[i, j]}")
    if np.diag(values).any():
        i = int(np.flatnonzero(np.diag(values))[0])
        raise ValueError(f"P gives {P.index[i]!r} an edge to itself with probability {values[i, i]}")
    over = values + values.T > 1 + TOLERANCE
    if over.any():
        i, j = np.argwhere(over)[0]
        raise ValueError(
            f"P gives the pair {P.index[i]!r}, {P.index[j]!r} probability {values[i, j]} + {values[j, i]}, more than 1"
        )


def find_target(P: pd.DataFrame, target: str | None) -> str:
    """The column named `target`, or the last one.

    Raises
    ------
    ValueError
        If `P` has no such column.
    """
    target = P.columns[-1] if target is None else target
    if target not in P.columns:
        raise ValueError(f"target={target!r} is not a column of P; the columns are {list(P.columns)}")
    return target
