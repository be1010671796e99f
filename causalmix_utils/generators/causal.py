"""The causal generator: an ensemble of structural causal models on sampled graphs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_choice, check_count
from causalmix_utils.generators.base import Generator
from causalmix_utils.generators.registry import register_generator
from causalmix_utils.tables import Table


@register_generator
class CausalGenerator(Generator):
    """Rows drawn from structural causal models that are fitted to the training table.

    Four steps, as in the paper: PC and FCI on resamples of the rows give edge probabilities; directed acyclic
    graphs are drawn from these; on each a structural causal model is fitted with DoWhy (additive noise models with
    regressors for numerical columns, classifiers for categorical ones and for the target); each model gives the same
    number of rows.

    Parameters
    ----------
    n_dags : int, default=10
        Number of graphs.
    n_resamples : int, default=20
        Resamples of the rows on which discovery is run.
    methods : sequence of {"pc", "fci"}, default=("pc", "fci")
        Discovery algorithms.
    test : {"auto", "fisherz", "mixed", "chisq"}, default="auto"
        Conditional-independence test; by default chosen by the types of the columns.
    alpha : float, default=0.05
        Level of the tests, between 0 and 1.
    mechanisms : {"boosting", "linear", "auto"}, default="boosting"
        What predicts a column from its parents.
    edge_probabilities : DataFrame, optional
        Probabilities to draw the graphs from, as `causalmix_utils.discovery.edge_probabilities` returns them or as you
        know them: rows and columns are the features and the target. Then there is no discovery, and the options from
        `n_resamples` to `alpha` mean nothing. So several generators can share one discovery on the same rows.
    n_jobs : int, default=1
        Processes that share the discovery. The result does not depend on it.
    cover_classes : bool, default=True
        Whether every class occurs in a sample that is large enough. A rare class that was not drawn is set where
        its causes make it most probable, and what it causes follows.
    progress : bool, default=False
        Show progress bars on a terminal.

    Attributes
    ----------
    edge_probabilities_ : DataFrame of shape (n_features + 1, n_features + 1)
        Probability of each directed edge.
    dags_ : list of networkx.DiGraph
        The graphs.
    scms_ : list of dowhy.gcm.StructuralCausalModel
        The fitted models, one for each graph.

    Notes
    -----
    How PC's and FCI's marks become probabilities, how many graphs are drawn, and what regressors and classifiers are
    used is not known from the paper's abstract: these are choices of this package.

    How much the rows teach about the classes depends on the edges at the target. With few rows the tests miss
    many of them, and then the target is drawn from few features. `CausalBlanketGenerator` mends this.

    It fails in known ways:

    - A missing edge is a lost dependence. Tests that find nothing in few rows, and columns so alike that
      each explains the other away, make rows whose associations are too weak.
    - Graphs that imply the same independences serve equally well, but a hidden common cause or a cycle has no place
      in any.
    - The noise of a number is added to what its causes predict and does not depend on them; where the spread grows
      with the value, or a number is zero in most rows, the shape is lost. Values beyond the observed range are cut off.
    - What a mechanism has not learnt of the parents' influence ends up in its noise, which is drawn without a look at
      the parents. Boosting with few rows learns cautiously, so that effects are narrower, and less tied to their
      causes, than the real ones: the more so, the stronger the real tie is.
    - Discovery takes time that grows quickly with the number of columns. Where it runs out of its budget of tests, FCI
      is replaced by PC; see `causalmix_utils.discovery.edge_probabilities`.

    Missing values need no filling here; `causalmix_utils.scm` says what happens to them.

    References
    ----------
    M. Bühler, L. Purucker, F. Hutter: Causal Data Augmentation for Robust Fine-Tuning of Tabular
    Foundation Models. arXiv 2601.04110.
    """

    name = "causal"
    summary = "rows of structural causal models on graphs sampled from PC and FCI"
    source = "Bühler et al. 2026, arXiv 2601.04110"
    cost = "3 seconds"
    accepts_missing = True
    returns_missing = True

    def __init__(
        self,
        *,
        n_dags: int = 10,
        n_resamples: int = 20,
        methods: Sequence[str] = ("pc", "fci"),
        test: str = "auto",
        alpha: float = 0.05,
        mechanisms: str = "boosting",
        edge_probabilities: pd.DataFrame | None = None,
        n_jobs: int = 1,
        cover_classes: bool = True,
        progress: bool = False,
    ) -> None:
        self.n_dags = n_dags
        self.n_resamples = n_resamples
        self.methods = methods
        self.test = test
        self.alpha = alpha
        self.mechanisms = mechanisms
        self.edge_probabilities = edge_probabilities
        self.n_jobs = n_jobs
        self.cover_classes = cover_classes
        self.progress = progress

    def _check_options(self) -> None:
        from causalmix_utils.scm import MECHANISMS

        # Discovery checks its own options, but after the check here nothing is learnt in vain.
        check_count("n_dags", self.n_dags)
        check_choice("mechanisms", self.mechanisms, MECHANISMS)

    def _fit(self, train: Table, rng: np.random.Generator) -> None:
        self.edge_probabilities_ = self._discover(train, rng)
        self.dags_ = [self._draw_dag(train, rng) for _ in range(self.n_dags)]
        self.scms_ = self._fit_models(train)

    def _discover(self, train: Table, rng: np.random.Generator) -> pd.DataFrame:
        if self.edge_probabilities is not None:
            return _check_probabilities(self.edge_probabilities, train)

        from causalmix_utils.discovery import edge_probabilities

        return edge_probabilities(
            train,
            rng=rng,
            n_resamples=self.n_resamples,
            methods=self.methods,
            test=self.test,
            alpha=self.alpha,
            n_jobs=self.n_jobs,
            progress=self.progress,
        )

    def _draw_dag(self, train: Table, rng: np.random.Generator):
        from causalmix_utils.graphs import sample_dag

        return sample_dag(self.edge_probabilities_, rng=rng)

    def _fit_models(self, train: Table, **options: Any) -> list:
        from tqdm import tqdm

        from causalmix_utils.scm import MechanismCache, fit_scm

        cache = MechanismCache()
        dags = tqdm(self.dags_, desc="Models", disable=None if self.progress else True)
        return [fit_scm(dag, train, mechanisms=self.mechanisms, cache=cache, **options) for dag in dags]

    def _sample(self, n: int, rng: np.random.Generator) -> pd.DataFrame:
        return self._draw_rows(n, self.train_, rng)

    def _draw_rows(self, n: int, like: Table, rng: np.random.Generator) -> pd.DataFrame:
        from causalmix_utils.scm import sample_ensemble

        minimum = 1 if self.cover_classes and n >= len(like.classes) else 0
        return sample_ensemble(self.scms_, n, like=like, rng=rng, min_per_class=minimum).to_frame()


def _check_probabilities(given: Any, train: Table) -> pd.DataFrame:
    """Edge probabilities over the columns of `train`; raises ``ValueError`` if they are not that."""
    from causalmix_utils.graphs import check_edge_probabilities

    if not isinstance(given, pd.DataFrame):
        raise ValueError(f"edge_probabilities must be a DataFrame or None, got {type(given).__name__}")
    if list(given.index) != train.columns or list(given.columns) != train.columns:
        raise ValueError(
            f"edge_probabilities must have the training table's columns {train.columns} as rows and columns, "
            f"in this order, got {list(given.columns)}"
        )
    check_edge_probabilities(given)
    return given
