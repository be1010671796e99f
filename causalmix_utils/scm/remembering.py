"""Mechanisms that predict all rows of an evaluation at once.

DoWhy's evaluation draws a hundred values for one row after another, and each time asks the model for the
prediction of a hundred copies of that row.  A scikit-learn pipeline takes a few milliseconds for any call, so nearly
all of the time would go there.  Here each fit is followed by one prediction of all rows, and copies are looked up.

This module imports DoWhy; `causalmix_utils.scm` imports it only when a model is diagnosed.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from dowhy import gcm
from dowhy.gcm.ml import ClassificationModel, PredictionModel


class _RememberingModel(PredictionModel):
    """A prediction model that knows its predictions for `rows`.

    Parameters
    ----------
    model : PredictionModel
    rows : ndarray of shape (n_rows, n_parents)
        Complete; rows may repeat.
    """

    _method = "predict"

    def __init__(self, model: PredictionModel, rows: np.ndarray) -> None:
        self.model = model
        self.rows = rows
        self._known: dict[tuple, np.ndarray] = {}

    def clone(self):
        """Return the same model, not fitted."""
        return type(self)(self.model.clone(), self.rows)

    def fit(self, X: np.ndarray, Y: np.ndarray) -> None:
        self.model.fit(X, Y)
        predictions = getattr(self.model, self._method)(self.rows)
        self._known = dict(zip(map(tuple, self.rows), predictions, strict=True))

    def _answer(self, X: np.ndarray) -> np.ndarray:
        known = self._known.get(tuple(X[0])) if len(X) else None
        if known is None or not (X[0] == X).all():
            return getattr(self.model, self._method)(X)
        return np.repeat(known[None, :], len(X), axis=0)

    def __str__(self) -> str:
        return str(self.model)


class RememberingRegressor(_RememberingModel):
    """A regressor that knows its predictions for some rows."""

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self._answer(X)


class RememberingClassifier(_RememberingModel, ClassificationModel):
    """A classifier that knows its probabilities for some rows."""

    _method = "predict_probabilities"

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.model.predict(X)

    def predict_probabilities(self, X: np.ndarray) -> np.ndarray:
        return self._answer(X)

    @property
    def classes(self) -> list[str]:
        return self.model.classes


def remember_rows(scm, frame: pd.DataFrame):
    """Copy a fitted model with mechanisms that know the rows of `frame` after each fit.

    Parameters
    ----------
    scm : dowhy.gcm.StructuralCausalModel
        From `fit_scm`. Not changed.
    frame : DataFrame
        Complete rows of all nodes.

    Returns
    -------
    dowhy.gcm.StructuralCausalModel
        Its mechanisms are fitted as those of `scm` are, and their clones, fitted anew, give the same values.
    """
    copy = gcm.StructuralCausalModel(scm.graph.copy())
    for node in scm.graph.nodes:
        mechanism = scm.causal_mechanism(node)
        rows = frame[sorted(scm.graph.predecessors(node))].to_numpy(dtype=object)
        if isinstance(mechanism, gcm.AdditiveNoiseModel):
            model = RememberingRegressor(mechanism.prediction_model, rows)
            mechanism = gcm.AdditiveNoiseModel(model, noise_model=mechanism.noise_model)
        elif isinstance(mechanism, gcm.ClassifierFCM):
            mechanism = gcm.ClassifierFCM(RememberingClassifier(mechanism.classifier_model, rows))
        copy.set_causal_mechanism(node, mechanism)
    return copy
