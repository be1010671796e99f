"""A table's features as numbers of about the same size, and back."""

from __future__ import annotations

import numpy as np
import pandas as pd

from causalmix_utils.tables import Table


class FeatureCoder:
    """Standardised numbers for the features of a table without missing values.

    A numerical column has the mean 0 and the standard deviation 1 over the training table. A categorical column
    becomes either one number, the place of its level in an order, or one number for each level, 1 where the row has
    this level and 0 elsewhere; these are standardised likewise. A column that does not vary is 0.

    In the order, levels that go with the same classes stand beside each other: they are sorted by the share of their
    rows that has the class whose share differs most between the levels, smoothed by one row of the training table.

    Parameters
    ----------
    categories : {"ordered", "one_hot"}
    """

    def __init__(self, categories: str) -> None:
        self.categories = categories

    def fit(self, table: Table) -> FeatureCoder:
        """Learn the levels, their order, means and scales from the training table."""
        self.columns_ = list(table.X.columns)
        self.levels_ = {column: _order_levels(table.X[column], table.y) for column in table.categorical}
        raw = self._spread(table.X)
        self.mean_ = raw.mean(axis=0)
        scale = raw.std(axis=0)
        # A mean is not exact, so that a constant column can seem to vary by a rounding error.
        constant = np.ptp(raw, axis=0) == 0
        self.scale_ = np.where(constant, 1.0, scale)
        self.mean_ = np.where(constant, raw[0], self.mean_)
        return self

    def encode(self, X: pd.DataFrame) -> np.ndarray:
        """Numbers of shape (n_rows, n_coded)."""
        return (self._spread(X) - self.mean_) / self.scale_

    def decode(self, coded: np.ndarray) -> pd.DataFrame:
        """Columns of the table. A category is the level whose number is nearest, or whose share is largest."""
        raw = coded * self.scale_ + self.mean_
        columns, place = {}, 0
        for column in self.columns_:
            levels = self.levels_.get(column)
            width = self._width(column)
            part = raw[:, place : place + width]
            place += width
            if levels is None:
                columns[column] = part[:, 0]
            elif self.categories == "one_hot":
                columns[column] = levels[part.argmax(axis=1)]
            else:
                columns[column] = levels[np.rint(part[:, 0]).clip(0, len(levels) - 1).astype(int)]
        return pd.DataFrame(columns)

    def _width(self, column: str) -> int:
        one_hot = column in self.levels_ and self.categories == "one_hot"
        return len(self.levels_[column]) if one_hot else 1

    def _spread(self, X: pd.DataFrame) -> np.ndarray:
        parts = []
        for column in self.columns_:
            if column not in self.levels_:
                parts.append(X[column].to_numpy(dtype=float)[:, None])
                continue
            codes = pd.Index(self.levels_[column]).get_indexer(X[column].astype(object))
            if (codes < 0).any():
                raise ValueError(f"column {column!r} has the level {X[column].iloc[codes.argmin()]!r}, unknown in fit")
            parts.append(np.eye(self._width(column))[codes] if self.categories == "one_hot" else codes[:, None])
        return np.hstack(parts).astype(float)


def _order_levels(column: pd.Series, y: pd.Series) -> np.ndarray:
    """The levels that occur, sorted by what they say about the classes, ties by name."""
    counts = pd.crosstab(column.astype(object), y)
    overall = counts.sum() / counts.to_numpy().sum()
    # A level of few rows says little: one row with the shares of the whole table is added to each.
    shares = counts.add(overall).div(counts.sum(axis=1) + 1, axis=0)
    spread = (shares - overall).pow(2).mul(counts.sum(axis=1), axis=0).sum()
    by_share = shares[spread.idxmax()].round(12).sort_index().sort_values(kind="stable")
    return by_share.index.to_numpy(dtype=object)
