"""How close synthetic rows come to the real rows that their generator saw, and whether that gives these away.

A small distance to the closest record says little by itself: where real rows lie close together, so do good synthetic
ones.  What counts is the comparison with *held-out* rows, real ones that the generator did not see.  If the rows are
as close to them, nothing but the distribution was learnt; if they are closer to the train rows, these leak.

All measures here look at features alone.  They are attacks of one simple kind: a value that shows a leak is
evidence, and one that shows none is no proof that there is none.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_rng
from causalmix_utils.evaluation.associations import check_columns
from causalmix_utils.tables import Table

_BLOCK = 2_000_000
"""Distances held at once, so that memory does not grow with the product of two long tables."""


def closest_record_distances(rows: Table, reference: Table, *, like: Table | None = None) -> np.ndarray:
    """Distance of each row to its closest row of `reference`, by features alone.

    Gower's distance: the mean over the features of the absolute difference divided by the range in `like`, at
    most 1, for numbers, and of 0 (equal) or 1 for categories. Two missing values are equal; one is at distance 1.

    Parameters
    ----------
    rows, reference : Table
        With the same columns.
    like : Table, optional
        Whose ranges scale the numbers; by default `reference`. Distances to different references can be compared only
        if they have the same scale.

    Returns
    -------
    ndarray of shape (n_rows,)
        0 for a copy.

    Raises
    ------
    ValueError
        If the tables differ in columns.

    References
    ----------
    Gower: *A General Coefficient of Similarity and Some of Its Properties*, Biometrics 27, 1971.

    Examples
    --------
    >>> frame = pd.DataFrame({"x": [0, 10, 4], "kind": ["u", "v", "u"], "y": ["a", "b", "a"]})
    >>> table = Table.from_frame(frame, target="y")
    >>> closest_record_distances(table, table.take([0, 1])).tolist()
    [0.0, 0.0, 0.2]
    """
    return np.concatenate([block.min(axis=1) for block in _compute_distances(rows, reference, like)])


def nearest_neighbour_ratios(rows: Table, reference: Table) -> np.ndarray:
    """Distance of each row to its closest row of `reference`, divided by that to the second closest.

    A row near one record and far from every other says something about that record; a row between several says
    something about their neighbourhood.

    Parameters
    ----------
    rows, reference : Table
        With the same columns; `reference` with at least two rows.

    Returns
    -------
    ndarray of shape (n_rows,)
        Between 0, a copy of a single record, and 1, equally far from two; 1 also where two records are copied at once.

    Raises
    ------
    ValueError
        If the tables differ in columns, or `reference` has one row only.

    References
    ----------
    Zhao, Kunar, Birke, Chen: *CTAB-GAN: Effective Table Data Synthesizing*, ACML 2021.

    Examples
    --------
    >>> table = Table.from_frame(pd.DataFrame({"x": [0, 10, 2], "y": ["a", "b", "a"]}), target="y")
    >>> nearest_neighbour_ratios(table, table.take([0, 1])).tolist()
    [0.0, 0.0, 0.25]
    """
    if len(reference) < 2:
        raise ValueError(f"reference must have at least two rows, got {len(reference)}")
    nearest = [np.partition(block, 1, axis=1)[:, :2] for block in _compute_distances(rows, reference, None)]
    first, second = np.concatenate(nearest).T
    return np.divide(first, second, out=np.ones_like(first), where=second > 0)


def share_nearer_to_train(synthetic: Table, *, train: Table, held_out: Table, rng: np.random.Generator) -> float:
    """Share of synthetic rows that are closer to a train row than to every held-out row.

    Both kinds of real rows are equally many, and numbers are scaled by their common range, so a generator that learnt
    the distribution alone is closer to either kind equally often.

    Parameters
    ----------
    synthetic : Table
    train : Table
        The rows that the generator saw.
    held_out : Table
        Real rows of the same distribution that it did not see. Of the longer of the two tables, as many rows
        as the other has are drawn at random.
    rng : numpy.random.Generator
        Draws these.

    Returns
    -------
    float
        0.5: no leak by this measure; 1: every row is closest to a train row. A row that is equally far from both
        counts half.

    Raises
    ------
    ValueError
        If the tables differ in columns.

    References
    ----------
    Platzer, Reutterer: *Holdout-Based Empirical Assessment of Mixed-Type Synthetic Data*, Frontiers in Big
    Data 4, 2021.

    Examples
    --------
    >>> frame = pd.DataFrame({"x": [0, 10, 4, 6], "y": ["a", "b", "a", "b"]})
    >>> table = Table.from_frame(frame, target="y")
    >>> rng = np.random.default_rng(0)
    >>> share_nearer_to_train(table.take([0, 1, 2, 2]), train=table.take([0, 1]), held_out=table.take([2, 3]), rng=rng)
    0.5
    """
    check_rng(rng)
    seen, unseen, like = _pair_up(train, held_out, rng)
    to_seen, to_unseen = (closest_record_distances(synthetic, part, like=like) for part in (seen, unseen))
    # Sums of the same terms may differ in the last bit, which must not decide.
    tied = np.isclose(to_seen, to_unseen, rtol=0.0, atol=1e-12)
    return float(np.mean(np.where(tied, 0.5, to_seen < to_unseen)))


def membership_auc(synthetic: Table, *, train: Table, held_out: Table, rng: np.random.Generator) -> float:
    """Membership inference: how well the distance to the closest synthetic row tells train rows from held-out rows.

    The attacker holds the synthetic rows and some real rows, and asks of each whether the generator was fitted to
    it. The nearer the closest synthetic row, the more the attacker believes so.

    Parameters
    ----------
    synthetic, train, held_out, rng
        As in `share_nearer_to_train`.

    Returns
    -------
    float
        ROC-AUC of the attack on equally many rows of both kinds: 0.5 if it can't tell them apart, 1 if it always can.
        Its standard error with n rows of each kind is about 0.41 / √n where nothing leaks.

    Raises
    ------
    ValueError
        If the tables differ in columns.

    References
    ----------
    Chen, Yu, Zhang, Fritz: *GAN-Leaks: A Taxonomy of Membership Inference Attacks against Generative
    Models*, CCS 2020, arXiv 1909.03935. This is the attack that sees nothing but the generated rows.

    Examples
    --------
    >>> table = Table.from_frame(pd.DataFrame({"x": [0, 10, 4, 6], "y": ["a", "b", "a", "b"]}), target="y")
    >>> seen, unseen = table.take([0, 1]), table.take([2, 3])
    >>> membership_auc(seen, train=seen, held_out=unseen, rng=np.random.default_rng(0))
    1.0
    """
    from sklearn.metrics import roc_auc_score

    check_rng(rng)
    seen, unseen, like = _pair_up(train, held_out, rng)
    distances = [closest_record_distances(part, synthetic, like=like).round(12) for part in (seen, unseen)]
    was_seen = np.repeat([1, 0], [len(seen), len(unseen)])
    return float(roc_auc_score(was_seen, -np.concatenate(distances)))


def _pair_up(train: Table, held_out: Table, rng: np.random.Generator) -> tuple[Table, Table, Table]:
    """Equally many rows of both tables, and all of these rows together."""
    check_columns(train, held_out)
    n = min(len(train), len(held_out))
    seen, unseen = (table.take(rng.permutation(len(table))[:n]) for table in (train, held_out))
    return seen, unseen, seen.concat(unseen)


def _compute_distances(rows: Table, reference: Table, like: Table | None) -> Iterator[np.ndarray]:
    """Gower's distances of some of the rows at a time to all rows of `reference`."""
    like = reference if like is None else like
    check_columns(reference, rows)
    check_columns(reference, like)
    columns = [_prepare_column(rows, reference, like, column) for column in reference.X.columns]
    step = max(1, _BLOCK // len(reference))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        yield sum(_compare(a[part], b, width) for a, b, width in columns) / len(columns)


def _prepare_column(rows: Table, reference: Table, like: Table, column: str) -> tuple[np.ndarray, np.ndarray, float]:
    """The values of a column in both tables as numbers, NaN where missing, and its width; 0 for a category."""
    first, second, widest = (part.X[column] for part in (rows, reference, like))
    if column in reference.numerical:
        present = widest.dropna().to_numpy(dtype=float)
        width = float(np.ptp(present)) if len(present) else 0.0
        return first.to_numpy(dtype=float), second.to_numpy(dtype=float), width
    codes = pd.factorize(np.concatenate([first.astype(object), second.astype(object)]))[0].astype(float)
    codes[codes < 0] = np.nan
    return codes[: len(first)], codes[len(first) :], 0.0


def _compare(a: np.ndarray, b: np.ndarray, width: float) -> np.ndarray:
    """Distances from 0 to 1 of all pairs of values."""
    a, b = a[:, None], b[None, :]
    a_missing, b_missing = np.isnan(a), np.isnan(b)
    # Equal numbers are at distance 0 even in a column that is constant; categories have no width.
    apart = np.minimum(np.abs(a - b) / width, 1.0) if width > 0 else (a != b).astype(float)
    return np.where(a_missing | b_missing, a_missing != b_missing, apart)
