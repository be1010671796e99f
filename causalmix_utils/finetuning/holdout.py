"""Holding rows back for validation."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from causalmix_utils.folds import count_classes


def hold_out(
    y: np.ndarray, fraction: float, rng: np.random.Generator, *, groups: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the train and the validation rows, stratified.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Class codes.
    fraction : float
        Share of the rows of each class that is held back.
    rng : numpy.random.Generator
    groups : ndarray of shape (n_rows,), optional
        Rows of one group stay together, as equal rows must: a row that was trained on judges nothing. See
        `causalmix_utils.tables.duplicate_groups`. By default each row is a group of its own.

    Returns
    -------
    train, held : ndarray of int
        In ascending order. Every class keeps at least one train row. Every class in two or more groups has at least
        one validation row, as far as this leaves each class a train row.

    Raises
    ------
    ValueError
        If fewer than two classes have validation rows.

    Warns
    -----
    UserWarning
        If that is so because of the groups. Then they are parted.

    Examples
    --------
    >>> y, groups = np.array([0, 0, 0, 0, 1, 1, 1, 1]), np.array([0, 0, 1, 1, 2, 2, 3, 3])
    >>> train, held = hold_out(y, 0.5, np.random.default_rng(0), groups=groups)
    >>> sorted(set(groups[train]) & set(groups[held])), len(held)
    ([], 4)
    """
    codes, y = np.unique(y, return_inverse=True)
    groups = np.arange(len(y)) if groups is None else pd.factorize(groups)[0]
    counts = count_classes(groups, y)
    sizes = counts.sum(axis=0)
    wanted = np.minimum(np.maximum(1, np.round(fraction * sizes).astype(int)), sizes - 1)
    is_held = np.zeros(len(counts), dtype=bool)
    order = np.concatenate([rng.permutation(np.flatnonzero(y == code)) for code in range(len(codes))])
    for group in groups[order]:
        if not is_held[group] and (counts[group] <= wanted).all():
            is_held[group] = True
            wanted -= counts[group]
    _serve_classes_in_large_groups(counts, is_held)
    if (counts[is_held].sum(axis=0) > 0).sum() < 2:
        if len(counts) < len(y):
            warnings.warn(
                f"of {len(y)} rows only {len(counts)} differ, too few to hold some back for validation: rows are held "
                "back that have equals among the train rows",
                stacklevel=2,
            )
            return hold_out(y, fraction, rng)
        raise ValueError(
            f"too few rows to hold some back for validation: of {len(y)} rows in {len(codes)} classes, "
            "fewer than two classes have two rows or more"
        )
    return np.flatnonzero(~is_held[groups]), np.flatnonzero(is_held[groups])


def _serve_classes_in_large_groups(counts: np.ndarray, is_held: np.ndarray) -> None:
    """Hold the smallest group of each class that has no validation row yet, since all its groups were too large."""
    for code in np.flatnonzero(counts[is_held].sum(axis=0) == 0):
        of_class = np.flatnonzero(counts[:, code] > 0)
        for group in of_class[np.argsort(counts[of_class].sum(axis=1), kind="stable")]:
            if (counts[~is_held].sum(axis=0) - counts[group] > 0).all():
                is_held[group] = True
                break
