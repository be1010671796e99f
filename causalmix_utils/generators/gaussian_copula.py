"""A Gaussian copula: each column's own distribution, joined by correlations alone."""

from __future__ import annotations

import numpy as np
import pandas as pd

from causalmix_utils.generators.base import Generator
from causalmix_utils.generators.registry import register_generator
from causalmix_utils.generators.smote import share_out
from causalmix_utils.tables import Table


@register_generator
class GaussianCopulaGenerator(Generator):
    """Columns with their own distributions in each class, joined by one matrix of correlations.

    The simplest statistical baseline that knows more than single columns. Each column is turned into normal scores: of
    its values in a class, the ranks as quantiles of the standard normal distribution. The correlations of
    these scores, pooled over the classes, are all that is learnt about the dependence of features. New rows are
    normal vectors with these correlations, turned back by each column's quantiles in the class.

    Parameters
    ----------
    cover_classes : bool, default=True
        Whether every class occurs in a sample that is large enough.

    Attributes
    ----------
    correlations_ : DataFrame of shape (n_features, n_features)
        Of the normal scores within the classes, shrunk as Ledoit and Wolf do, since with more features than rows the
        matrix would be singular.

    Notes
    -----
    Categories are treated as in the Synthetic Data Vault: the most frequent level takes the lowest part of the unit
    interval, the next one the part above, and so on. Unlike there, the target is not one of the correlated columns:
    classes have no order, and with three or more of them a correlation with the target would rest on one that is made
    up. Here the classes keep their shares, and what tells them apart are the distributions of single columns in each.

    This fails in known ways:

    - Only dependence that rises or falls throughout is seen. A parabola, an exclusive or, and classes that differ by
      how features go together, not by single features, are lost.
    - Levels have no order either, so that only a part of the dependence of columns with many levels is kept. Columns of
      few values, whose scores are tied, come out too weakly correlated.
    - New numbers lie between values that were observed in the class, and never beyond them. A class of one row is
      copied, one of a few rows hardly varied.
    - Combinations that never occur, such as a child with a pension, are drawn.

    Missing values are filled before and put back afterwards, as in every generator.

    References
    ----------
    Patki, Wedge, Veeramachaneni: The Synthetic Data Vault. DSAA 2016.

    Ledoit, Wolf: A well-conditioned estimator for large-dimensional covariance matrices. Journal of Multivariate
    Analysis 88, 2004.

    Examples
    --------
    >>> train = Table.from_frame(pd.DataFrame({"u": [1, 2, 3, 4], "v": [2, 4, 6, 8], "y": list("aabb")}), target="y")
    >>> rng = np.random.default_rng(0)
    >>> GaussianCopulaGenerator().fit(train, rng=rng).sample(50, rng=rng)
    Table('table/gaussian_copula': 50 rows, 2 features (0 categorical), 2 classes)
    """

    name = "gaussian_copula"
    summary = "single columns by class, joined by correlations of their normal scores"
    source = "after Patki et al. 2016, The Synthetic Data Vault"
    cost = "0.05 seconds"

    def __init__(self, *, cover_classes: bool = True) -> None:
        self.cover_classes = cover_classes

    def _fit(self, train: Table, rng: np.random.Generator) -> None:
        self.shares_ = train.y.value_counts(normalize=True).sort_index()
        self.levels_ = {column: order_levels(train.X[column]) for column in train.categorical}
        codes = pd.DataFrame({column: self._order(train.X[column]) for column in train.X.columns})
        self.values_ = {label: np.sort(codes[train.y == label].to_numpy(), axis=0) for label in self.shares_.index}
        scores = codes.groupby(train.y.to_numpy()).transform(compute_normal_scores)
        self.correlations_ = shrink_correlations(scores)

    def _order(self, column: pd.Series) -> pd.Series:
        """Numbers as they are, levels as their place."""
        if column.name not in self.levels_:
            return column.astype(float)
        places = {level: float(place) for place, level in enumerate(self.levels_[column.name])}
        return column.astype(object).map(places)

    def _sample(self, n: int, rng: np.random.Generator) -> pd.DataFrame:
        at_least = 1 if self.cover_classes and n >= len(self.shares_) else 0
        wanted = share_out(n, self.shares_, rng=rng, at_least=at_least)
        parts = [self._draw_class(label, count, rng) for label, count in wanted.items() if count]
        drawn = pd.concat(parts, ignore_index=True)
        return drawn.iloc[rng.permutation(n)]

    def _draw_class(self, label: str, n: int, rng: np.random.Generator) -> pd.DataFrame:
        from scipy.stats import norm

        correlations = self.correlations_.to_numpy()
        uniform = norm.cdf(rng.multivariate_normal(np.zeros(len(correlations)), correlations, size=n, method="eigh"))
        drawn = {self.train_.target: [label] * n}
        for place, column in enumerate(self.correlations_.columns):
            values, points = self.values_[label][:, place], uniform[:, place]
            if column in self.levels_:
                codes = np.quantile(values, points, method="inverted_cdf").astype(int)
                drawn[column] = np.array(self.levels_[column], dtype=object)[codes]
            else:
                drawn[column] = np.quantile(values, points)
        return pd.DataFrame(drawn)


def order_levels(column: pd.Series) -> list[str]:
    """Levels from the most to the least frequent; ties by name, so that the order of the rows does not matter.

    Examples
    --------
    >>> order_levels(pd.Series(["u", "w", "v", "w"]))
    ['w', 'u', 'v']
    """
    counts = column.astype(object).value_counts().sort_index()
    return list(counts.sort_values(ascending=False, kind="stable").index)


def compute_normal_scores(values: pd.Series) -> pd.Series:
    """Ranks as quantiles of the standard normal distribution; equal values have the mean of their ranks.

    Examples
    --------
    >>> compute_normal_scores(pd.Series([10.0, 700.0, 20.0])).round(3).tolist()
    [-0.967, 0.967, 0.0]
    """
    from scipy.stats import norm

    scores = pd.Series(norm.ppf((values.rank() - 0.5) / len(values)), index=values.index)
    # Ties move the mean away from zero, and what is pooled over classes must not differ by that.
    return scores - scores.mean()


def shrink_correlations(scores: pd.DataFrame) -> pd.DataFrame:
    """Correlations of columns with mean zero, shrunk so far that the matrix is well-conditioned.

    Returns
    -------
    DataFrame of shape (n_columns, n_columns)
        Ones on the diagonal, positive definite. A constant column is correlated with no other.
    """
    from sklearn.covariance import ledoit_wolf

    result = pd.DataFrame(np.eye(scores.shape[1]), index=scores.columns, columns=scores.columns)
    spread = np.sqrt((scores**2).mean())
    varying = spread.index[spread > 1e-9]
    if len(varying):
        covariance, _ = ledoit_wolf((scores[varying] / spread[varying]).to_numpy(), assume_centered=True)
        scale = np.sqrt(np.diag(covariance))
        result.loc[varying, varying] = covariance / np.outer(scale, scale)
    return result
