"""TableAugment, by our reading of its name: rows that keep a random half or more of their features."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_choice, check_count, check_number
from causalmix_utils.generators.base import Generator
from causalmix_utils.generators.registry import register_generator
from causalmix_utils.tables import Table


@register_generator
class TableAugmentGenerator(Generator):
    """Bootstrapped rows in which a random 50–100 % of the features are kept and the others carry nothing.

    **This is a reading.** The paper on CausalMixFT names a generator TableAugment, and no definition of it was
    found. What is known is a short description of a generator of that name: bootstrap the rows, keep a random
    50–100 % of the features, keep the target. Everything else here is our choice.

    The sample consists of views. For each view a share is drawn between `minimum_share` and 1, that share of the
    features is chosen at random, and rows are drawn with replacement. In the features that were not
    chosen, values are replaced by values drawn from the whole column of the training table, or blanked.

    Parameters
    ----------
    minimum_share : float, default=0.5
        Smallest share of features that a view keeps, between 0 and 1. At least one feature is kept.
    others : {"permuted", "blanked"}, default="permuted"
        What becomes of the features that a view does not keep. Permuted: values are drawn from the
        whole column, so that the marginal distribution stays and the information goes. Blanked: values are missing
        if the column has missing values in the training table, else its median or most frequent level, since the
        rows have to be possible rows of that table.
    n_views : int, default=10
        Number of views that make up a sample. Rows are divided evenly among them.
    cover_classes : bool, default=True
        Whether every class occurs in a sample that is large enough.

    Notes
    -----
    It fails in known ways. The label stays what it was even where the features that decide it are exchanged or blanked,
    so a part of the labels is wrong. Kept and exchanged features do not fit together, and blanked ones pile up at one
    value, so rows are easily told from real ones. The kept part of each row is a copy of a real one: these rows
    regularise, and protect nobody's privacy.
    """

    name = "table_augment"
    summary = "bootstrapped rows, 50–100 % of the features kept (our reading)"
    source = "our reading of a name in Bühler et al. 2026, arXiv 2601.04110"
    cost = "0.01 seconds"
    accepts_missing = True
    returns_missing = True

    def __init__(
        self, *, minimum_share: float = 0.5, others: str = "permuted", n_views: int = 10, cover_classes: bool = True
    ) -> None:
        self.minimum_share = minimum_share
        self.others = others
        self.n_views = n_views
        self.cover_classes = cover_classes

    def _check_options(self) -> None:
        check_number("minimum_share", self.minimum_share, 0, 1)
        check_choice("others", self.others, ("permuted", "blanked"))
        check_count("n_views", self.n_views)

    def _fit(self, train: Table, rng: np.random.Generator) -> None:
        self.rows_ = train.to_frame()
        self.features_ = list(train.X.columns)
        self.blanks_ = {column: _find_blank(train.X[column]) for column in self.features_}

    def _sample(self, n: int, rng: np.random.Generator) -> pd.DataFrame:
        views = [self._draw_view(len(part), rng) for part in np.array_split(np.arange(n), self.n_views) if len(part)]
        return pd.concat(views, ignore_index=True)

    def _draw_view(self, n: int, rng: np.random.Generator) -> pd.DataFrame:
        view = self.rows_.iloc[rng.integers(len(self.rows_), size=n)].reset_index(drop=True)
        share = rng.uniform(self.minimum_share, 1)
        least = math.ceil(round(self.minimum_share * len(self.features_), 9))  # 0.7 of 10 are 7, not 8
        n_kept = max(1, least, round(share * len(self.features_)))
        for column in rng.permutation(self.features_)[n_kept:]:
            if self.others == "permuted":
                source = self.rows_[column].iloc[rng.integers(len(self.rows_), size=n)]
                view[column] = source.reset_index(drop=True)
            else:
                view[column] = pd.Series([self.blanks_[column]] * n, dtype=view[column].dtype)
        return view


def _find_blank(column: pd.Series):
    """A value that stands for no information and that the column may hold."""
    if column.isna().any():
        return np.nan
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.mode().iloc[0]
    # An observed value: the mean of the two middle ones need not be one.
    return column.sort_values(ignore_index=True)[(len(column) - 1) // 2]
