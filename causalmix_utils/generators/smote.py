"""SMOTE: new rows between a real row and one of its nearest neighbours of the same class."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_count
from causalmix_utils.generators.base import Generator
from causalmix_utils.generators.registry import register_generator
from causalmix_utils.randomness import draw_seed
from causalmix_utils.tables import Table


@register_generator
class SmoteGenerator(Generator):
    """Synthetic minority over-sampling, used here to over-sample every class.

    Imbalanced-learn's `SMOTE` is used if all features are numerical, `SMOTEN` if all are categorical and `SMOTENC`
    otherwise. Classes keep their shares, and only the new rows are returned.

    Parameters
    ----------
    k_neighbors : int, default=5
        Number of nearest rows of the same class between which new rows are drawn. A class with fewer other
        rows uses all that it has; a class of a single row is copied.
    cover_classes : bool, default=True
        Whether every class occurs in a sample that is large enough.

    Notes
    -----
    Numerical columns are standardised before neighbours are searched, so that no column counts more because of
    its unit. Missing values are filled before and put back afterwards, as in every generator.

    New numbers lie on the line between two real rows, so the rows hardly ever leave the data, and labels are about as
    reliable as the real ones. It fails in known ways:

    - New rows are close to real ones, and tell which rows those are; it is no choice where these are private.
    - A category takes the most frequent level among neighbours, so rare levels become rarer or vanish, and rows
      are easily told from real ones.
    - Numbers move towards the middle of their class: their spread becomes smaller, and values between two separate
      groups are drawn although none occur.
    - A row with a wrong label is varied like any other. A class of a single row is copied.

    References
    ----------
    N. V. Chawla, K. W. Bowyer, L. O. Hall, W. P. Kegelmeyer: SMOTE: Synthetic Minority Over-sampling
    Technique. JAIR 16, 2002.
    """

    name = "smote"
    summary = "rows between a real row and a near row of the same class"
    source = "Chawla et al. 2002, SMOTE"
    licence = "MIT (imbalanced-learn)"
    cost = "0.2 seconds"

    def __init__(self, *, k_neighbors: int = 5, cover_classes: bool = True) -> None:
        self.k_neighbors = k_neighbors
        self.cover_classes = cover_classes

    def _check_options(self) -> None:
        check_count("k_neighbors", self.k_neighbors)

    def _fit(self, train: Table, rng: np.random.Generator) -> None:
        self.shares_ = train.y.value_counts(normalize=True).sort_index()
        self.numerical_, self.categorical_ = train.numerical, train.categorical
        self.mean_ = train.X[self.numerical_].mean()
        # A constant column has the scale 0; it must not divide.
        self.scale_ = train.X[self.numerical_].std(ddof=0).replace(0.0, 1.0)
        X = train.X.copy()
        X[self.numerical_] = (X[self.numerical_] - self.mean_) / self.scale_
        self.X_, self.y_ = X.astype(dict.fromkeys(self.categorical_, object)), train.y

    def _sample(self, n: int, rng: np.random.Generator) -> pd.DataFrame:
        at_least = 1 if self.cover_classes and n >= len(self.shares_) else 0
        wanted = share_out(n, self.shares_, rng=rng, at_least=at_least)
        counts = self.y_.value_counts()
        neighbors = {label: min(self.k_neighbors, counts[label] - 1) for label in wanted.index[wanted > 0]}
        parts = [self._copy_rows(label, wanted[label]) for label, k in neighbors.items() if k == 0]
        for k in sorted(set(neighbors.values()) - {0}):
            # One call takes one number of neighbours for all of its classes.
            labels = [label for label in neighbors if neighbors[label] == k]
            parts.append(self._interpolate({label: int(wanted[label]) for label in labels}, k, draw_seed(rng)))
        drawn = pd.concat(parts, ignore_index=True)
        drawn[self.numerical_] = drawn[self.numerical_].astype(float) * self.scale_ + self.mean_
        return drawn.iloc[rng.permutation(n)]

    def _copy_rows(self, label: str, n: int) -> pd.DataFrame:
        rows = self.X_[self.y_ == label].iloc[np.zeros(n, dtype=int)].copy()
        rows[self.y_.name] = label
        return rows

    def _interpolate(self, wanted: dict[str, int], k: int, seed: int) -> pd.DataFrame:
        """Draw ``wanted[label]`` rows of each class from its rows and their `k` nearest neighbours."""
        X, y = self.X_, self.y_
        if y.nunique() == 1:
            # Imbalanced-learn asks for two classes; rows of another one do not influence this one's.
            X = pd.concat([X, X.iloc[:1]], ignore_index=True)
            y = pd.Series([*y, y.iloc[0] + "'"], name=y.name)
        totals = {label: int((y == label).sum()) + new for label, new in wanted.items()}
        with warnings.catch_warnings():
            # It warns that a class grows beyond the largest one, which is meant here.
            warnings.simplefilter("ignore", UserWarning)
            X_all, y_all = self._make_sampler(totals, k, seed).fit_resample(X, y)
        new = X_all.iloc[len(X) :].reset_index(drop=True)
        new[self.y_.name] = y_all.iloc[len(X) :].to_numpy()
        return new

    def _make_sampler(self, totals: dict[str, int], k: int, seed: int):
        from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC

        options = {"sampling_strategy": totals, "k_neighbors": k, "random_state": seed}
        if not self.categorical_:
            return SMOTE(**options)
        if not self.numerical_:
            return SMOTEN(**options)
        return SMOTENC(categorical_features=self.categorical_, **options)


def share_out(n: int, shares: pd.Series, *, rng: np.random.Generator, at_least: int = 0) -> pd.Series:
    """Split `n` into whole numbers in proportion to `shares`; what rounding leaves over is drawn at random.

    Parameters
    ----------
    n : int
        At least ``at_least * n_parts``.
    shares : Series of shape (n_parts,)
        Not negative, sum 1.
    rng : numpy.random.Generator
    at_least : int, default=0
        Smallest part. What small parts need is taken from the largest.

    Returns
    -------
    Series of int with the index of `shares`, sum `n`
        If `at_least` is 0, each is within one of ``n * shares`` and equal to it on average.

    Examples
    --------
    >>> share_out(10, pd.Series({"no": 0.7, "yes": 0.3}), rng=np.random.default_rng(0)).to_dict()
    {'no': 7, 'yes': 3}
    """
    # Rounded so that 10 × 0.7 is not a little less than 7.
    exact = (n * shares).round(9)
    whole = np.floor(exact).astype(int)
    left_over = n - int(whole.sum())
    if left_over:
        # Systematic sampling: each part gets one more with the probability of its remainder.
        edges = np.cumsum(exact - whole)
        points = rng.random() + np.arange(left_over)
        whole.iloc[np.searchsorted(edges, points, side="right").clip(max=len(shares) - 1)] += 1
    while whole.min() < at_least:
        whole[whole.idxmin()] += 1
        whole[whole.idxmax()] -= 1
    return whole
