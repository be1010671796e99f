"""Cutting rows into folds that all hold every class, as far as there are rows of it, and counting classes in groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd


def assign_folds(
    y: Sequence, n_folds: int, *, rng: np.random.Generator, groups: np.ndarray | None = None
) -> np.ndarray:
    """The fold of each row: about equally many rows of each class in all folds, however small the class is.

    scikit-learn's stratified folds refuse or warn where a class has fewer rows than there are folds.

    Parameters
    ----------
    y : sequence of str, shape (n_rows,)
        Classes.
    n_folds : int
    rng : numpy.random.Generator
    groups : ndarray of shape (n_rows,), optional
        Rows of one group are in one fold, and the first of them counts for all. By default each row is a group of its
        own.

    Returns
    -------
    ndarray of int, shape (n_rows,)
        Numbers from 0 to ``n_folds - 1``.

    Examples
    --------
    >>> folds = assign_folds(list("aaabbb"), 3, rng=np.random.default_rng(0))
    >>> sorted(folds[:3].tolist()), sorted(folds[3:].tolist())
    ([0, 1, 2], [0, 1, 2])
    """
    if groups is not None:
        _, firsts, places = np.unique(pd.factorize(groups)[0], return_index=True, return_inverse=True)
        return assign_folds(np.asarray(y, dtype=str)[firsts], n_folds, rng=rng)[places]
    order = rng.permutation(len(y))
    order = order[np.argsort(np.asarray(y, dtype=str)[order], kind="stable")]
    folds = np.empty(len(y), dtype=np.int64)
    folds[order] = np.arange(len(y)) % n_folds
    return folds


def count_classes(groups: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """How many rows of each class each group of rows has.

    Parameters
    ----------
    groups, codes : ndarray of int, shape (n_rows,)
        The group and the class of each row, both counted from 0.

    Returns
    -------
    ndarray of int, shape (n_groups, n_classes)

    Examples
    --------
    >>> count_classes(np.array([0, 0, 1]), np.array([0, 1, 1])).tolist()
    [[1, 1], [0, 1]]
    """
    counts = np.zeros((groups.max() + 1, codes.max() + 1), dtype=int)
    np.add.at(counts, (groups, codes), 1)
    return counts
