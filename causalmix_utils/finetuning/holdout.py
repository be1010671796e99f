"""Holding rows back for validation."""

from __future__ import annotations

import numpy as np


def hold_out(y: np.ndarray, fraction: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the train and the validation rows, stratified.

    Every class keeps at least one train row, and every class of two or more rows has at
    least one validation row.

    Raises
    ------
    ValueError
        If fewer than two classes have the two rows that this takes.
    """
    train, held = [], []
    for code in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == code))
        n_held = min(max(1, round(fraction * len(members))), len(members) - 1)
        held.append(members[:n_held])
        train.append(members[n_held:])
    if sum(len(part) > 0 for part in held) < 2:
        raise ValueError(
            f"too few rows to hold some back for validation: of {len(y)} rows in {len(train)} classes, "
            "fewer than two classes have two rows or more"
        )
    return np.sort(np.concatenate(train)), np.sort(np.concatenate(held))
