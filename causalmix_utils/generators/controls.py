"""Controls: generators that keep one part of the data's structure and destroy another.

If an arm with a control helps fine-tuning as much as the causal one, the part that the control
destroys is not what helps.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from causalmix_utils.generators.base import Generator
from causalmix_utils.generators.causal import CausalGenerator
from causalmix_utils.generators.registry import register_generator
from causalmix_utils.tables import Table


@register_generator
class RandomDagGenerator(CausalGenerator):
    """The causal generator on random graphs with as many edges as the discovered ones.

    Isolates the causal structure: the number of graphs, edges and rows and the kinds of mechanisms, fitted to the same
    training table, are as in `CausalGenerator`, while the edges join columns at random. An arm that gains as much with
    these rows as with the causal ones does not gain from the structure that discovery found. Part of that structure is
    how many edges the target has: at random it has as many as any other column, found it may have more or fewer.

    Each random graph has the number of edges of a graph drawn from the edge probabilities, so discovery is run
    here too, and takes as long, unless these are given. As there, the target is not left alone: a graph in which it has
    no neighbour is drawn again.

    Parameters
    ----------
    n_dags, n_resamples, methods, test, alpha, mechanisms, edge_probabilities, n_jobs, cover_classes, progress
        As in `CausalGenerator`.

    Attributes
    ----------
    discovered_dags_ : list of networkx.DiGraph
        The graphs whose numbers of edges those in `dags_` have, one for each.
    edge_probabilities_, dags_, scms_
        As in `CausalGenerator`.

    Notes
    -----
    It fails as a control where a random graph is nearly as good as a discovered one: with few columns, or
    with so many edges that most pairs are joined anyway. It fails as a generator by design: columns that depend on each
    other are drawn apart unless chance has joined them, so that rows hold combinations that never occur.
    """

    name = "random_dag"
    summary = "control: the causal generator on random graphs with as many edges"
    source = "this package"

    def _fit(self, train: Table, rng: np.random.Generator) -> None:
        self.discovered_dags_ = []
        super()._fit(train, rng)

    def _draw_dag(self, train: Table, rng: np.random.Generator):
        from causalmix_utils.graphs import random_dag

        discovered = super()._draw_dag(train, rng)
        self.discovered_dags_.append(discovered)
        while True:
            dag = random_dag(train.columns, discovered.number_of_edges(), rng=rng)
            if dag.degree(train.target) > 0 or discovered.degree(train.target) == 0:
                return dag


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

    Notes
    -----
    It fails as a generator by design: combinations that never occur are drawn, and a model that is trained on these
    rows alone predicts the shares of the classes at best. Values are those of real rows, so that a value which
    identifies a person does so here, too, while whole rows are hardly ever repeated.
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

    Notes
    -----
    It fails as a generator by design: labels are wrong wherever the real ones depend on the features. Every row of
    features is a copy of a real one, so it protects nobody's privacy, and measures of fidelity that do not look at the
    target find it perfect. Classes that are drawn by chance agree with the real ones in part: with a frequent
    class, in most rows.
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
        X[self.y_.name] = self.y_.to_numpy()[labels]
        return X
