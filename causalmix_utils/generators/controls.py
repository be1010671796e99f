"""Controls: generators that keep one part of the data's structure and destroy another.

If an arm with a control helps fine-tuning as much as the causal one, the part that the control
destroys is not what helps.  The control of the causal structure itself, `random_dag`, stands
beside the causal generator.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from causalmix_utils.generators.base import Generator
from causalmix_utils.generators.registry import register_generator
from causalmix_utils.tables import Table


@register_generator
class IndependentGenerator(Generator):
    """Each column, the target included, resampled alone from its observed values.

    Isolates the marginal distributions: ranges, levels, shares of classes and of missing values are the real
    ones, while no column depends on any other, so the rows teach nothing about the target. An arm that gains
    with these rows gains from regularisation, or from more optimisation, not from information.

    Parameters
    ----------
    cover_classes : bool, default=True
        Whether every class occurs in a sample that is large enough.
    """

    name = "independent"
    summary = "control: each column resampled alone, no dependence at all"
    source = "this package"
    cost = "0.01 seconds"
    accepts_missing = True
    returns_missing = True

    def __init__(self, *, cover_classes: bool = True) -> None:
        self.cover_classes = cover_classes

    def _fit(self, train: Table, rng: np.random.Generator) -> None:
        self.rows_ = train.to_frame()

    def _sample(self, n: int, rng: np.random.Generator) -> pd.DataFrame:
        columns = {}
        for column in self.rows_:
            columns[column] = self.rows_[column].to_numpy()[rng.integers(len(self.rows_), size=n)]
        return pd.DataFrame(columns)


@register_generator
class PermutedTargetGenerator(Generator):
    """Real rows drawn with replacement, with the classes drawn apart from them.

    Isolates the label: the features of each row are real, with every dependence among them, while the class is
    independent of them. Against `independent` it shows what real feature rows alone are worth; against a
    bootstrap of whole rows it shows what their labels are worth.

    Parameters
    ----------
    cover_classes : bool, default=True
        Whether every class occurs in a sample that is large enough.
    """

    name = "permuted_target"
    summary = "control: real feature rows with classes drawn apart from them"
    source = "this package"
    cost = "0.01 seconds"
    accepts_missing = True
    returns_missing = True

    def __init__(self, *, cover_classes: bool = True) -> None:
        self.cover_classes = cover_classes

    def _fit(self, train: Table, rng: np.random.Generator) -> None:
        self.X_, self.y_ = train.X, train.y

    def _sample(self, n: int, rng: np.random.Generator) -> pd.DataFrame:
        rows, labels = rng.integers(len(self.y_), size=(2, n))
        X = self.X_.iloc[rows].reset_index(drop=True)
        return X.assign(**{self.y_.name: self.y_.to_numpy()[labels]})
