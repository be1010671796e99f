"""scikit-learn estimators as the prediction models of DoWhy's mechanisms.

DoWhy's own wrapper codes categorical parents itself, by their mean target where they have many levels, and stops at a
missing category.  The models here know the type and the levels of every parent, so that boosting gets
categories as categories and missing values as missing.

This module imports DoWhy; `causalmix_utils.scm` imports it only when something is fitted.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from dowhy.gcm.causal_mechanisms import AdditiveNoiseModel, ClassifierFCM
from dowhy.gcm.ml import ClassificationModel, PredictionModel
from dowhy.gcm.stochastic_models import EmpiricalDistribution
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from causalmix_utils.baselines import MAX_BOOSTED_LEVELS
from causalmix_utils.folds import assign_folds

_MAX_TREES = 400  # Trees of one classifier, over all classes.
_FOLDS = 5  # Folds of a cross-fitted classifier.

CROSS_FITTED = "cross-fitted "


def make_mechanism(kind: str, levels: Sequence[list[str] | None], *, n_classes: int | None):
    """Return an unfitted mechanism for a node.

    Parameters
    ----------
    kind : {"linear", "boosting", "forest", "foundation"}
        After "cross-fitted ", for a categorical node, the mechanism also knows how it predicts rows that it
        has not seen.
    levels : sequence, one entry a parent
        The parent's levels, or None for a numerical parent. Empty for a root.
    n_classes : int or None
        Number of levels of the node itself, None if it is numerical.
    """
    if not levels:
        return EmpiricalDistribution()
    estimator = _make_estimator(kind.removeprefix(CROSS_FITTED), levels, n_classes)
    if n_classes is None:
        return AdditiveNoiseModel(ParentsRegressor(estimator, levels))
    model = CrossFittedClassifier if kind.startswith(CROSS_FITTED) else ParentsClassifier
    return ClassifierFCM(model(estimator, levels))


class _ParentsModel(PredictionModel):
    """An estimator of a node from its parents.

    Parameters
    ----------
    estimator : scikit-learn estimator
        Gets an array of floats in which a category is its level's number; missing values are NaN.
    levels : sequence, one entry a parent
        The parent's levels, or None for a numerical parent. An estimator that ignores the parents needs none.

    Attributes
    ----------
    fitted_ : scikit-learn estimator
        After `fit`; `estimator` itself stays as it was given, so that a clone can learn from other rows.
    empty_ : ndarray of bool, shape (n_parents,)
        Parents that had no value in any row of the fit. They are ignored.
    """

    def __init__(self, estimator: BaseEstimator, levels: Sequence[list[str] | None]) -> None:
        self.estimator = estimator
        self.levels = list(levels)

    def clone(self):
        """Return the same model, not fitted."""
        return type(self)(clone(self.estimator), self.levels)

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.fitted_.predict(self._encode_as_fitted(X)).reshape(-1, 1)

    def _fit_to(self, X: np.ndarray, y: np.ndarray) -> None:
        """Fit to encoded parents; one without any value in these rows says nothing, and boosting refuses it."""
        encoded = self._encode(X)
        self.empty_ = np.isnan(encoded).all(axis=0)
        encoded[:, self.empty_] = 0.0
        self.fitted_.fit(encoded, y)

    def _encode_as_fitted(self, X: np.ndarray) -> np.ndarray:
        encoded = self._encode(X)
        encoded[:, self.empty_] = 0.0
        return encoded

    def _encode(self, X: np.ndarray) -> np.ndarray:
        X = np.asarray(X, dtype=object).reshape(len(X), -1)
        encoded = np.zeros(X.shape, dtype=float)
        for place, levels in enumerate(self.levels):
            if levels is None:
                encoded[:, place] = X[:, place].astype(float)
            else:
                codes = {level: float(code) for code, level in enumerate(levels)}
                encoded[:, place] = [codes.get(value, np.nan) for value in X[:, place]]
        return encoded

    def __str__(self) -> str:
        return str(self.estimator)


class ParentsRegressor(_ParentsModel):
    """Regressor of a numerical node; a node with one value is predicted as that value."""

    def fit(self, X: np.ndarray, Y: np.ndarray) -> None:
        y = np.asarray(Y, dtype=float).ravel()
        if len(np.unique(y)) < 2:
            self.fitted_ = DummyRegressor(strategy="constant", constant=y[0])
        else:
            self.fitted_ = clone(self.estimator)
        self._fit_to(X, y)


class ParentsClassifier(_ParentsModel, ClassificationModel):
    """Classifier of a categorical node; a node with one level is predicted as that level."""

    def fit(self, X: np.ndarray, Y: np.ndarray) -> None:
        y = np.asarray(Y, dtype=str).ravel()
        if len(np.unique(y)) < 2:
            self.fitted_ = DummyClassifier(strategy="prior")
        else:
            self.fitted_ = clone(self.estimator)
        with warnings.catch_warnings():
            # A column of names has nearly as many levels as rows; that is what it is.
            warnings.filterwarnings("ignore", message="The number of unique classes is greater than 50%")
            warnings.filterwarnings("ignore", category=ConvergenceWarning)
            self._fit_to(X, y)

    def predict_probabilities(self, X: np.ndarray) -> np.ndarray:
        return self.fitted_.predict_proba(self._encode_as_fitted(X))

    @property
    def classes(self) -> list[str]:
        return [str(level) for level in self.fitted_.classes_]


class CrossFittedClassifier(ParentsClassifier):
    """A classifier that also knows how it predicts the rows of its fit when it has not seen them.

    What a flexible classifier says about the rows of its own fit is nearly certain, and tells nothing about how
    likely their levels were.

    Attributes
    ----------
    held_out_ : ndarray of shape (n_rows, n_classes)
        For each row of the fit, the probabilities by the same estimator fitted to four fifths of the rows, that row
        not among them. Columns as in `classes`.
    """

    def fit(self, X: np.ndarray, Y: np.ndarray) -> None:
        X, y = np.asarray(X, dtype=object).reshape(len(X), -1), np.asarray(Y, dtype=str).ravel()
        super().fit(X, y)
        self.held_out_ = np.zeros((len(y), len(self.classes)))
        # Always the same folds, since a fit draws no random numbers.
        folds = assign_folds(y, min(_FOLDS, len(y)), rng=np.random.default_rng(0))
        for fold in range(folds.max() + 1):
            others = ParentsClassifier(self.estimator, self.levels)
            seen = folds != fold if folds.max() else folds == fold
            others.fit(X[seen], y[seen])
            places = [self.classes.index(level) for level in others.classes]
            self.held_out_[np.ix_(folds == fold, places)] = others.predict_probabilities(X[folds == fold])


def _make_estimator(kind: str, levels: Sequence[list[str] | None], n_classes: int | None) -> BaseEstimator:
    if kind == "forest":
        return RandomForestClassifier(n_estimators=200, random_state=0)
    if kind == "foundation":
        from causalmix_utils.foundation import load_classifier

        nominal = [place for place, known in enumerate(levels) if known is not None]
        return load_classifier(categorical_features_indices=nominal)
    if kind == "boosting":
        # Small trees, few rounds, shrunken leaves: chosen by held-out log-loss and R² on the development tables,
        # from 60 to 600 rows; 40 rounds of 8 leaves took twice as long and were worse. A round grows
        # a tree for each class, so that many classes get fewer rounds.
        settings = {
            "max_iter": int(np.clip(_MAX_TREES // (n_classes or 1), 10, 30)),
            "max_leaf_nodes": 4,
            "min_samples_leaf": 8,
            "learning_rate": 0.1,
            "l2_regularization": 5.0,
            "early_stopping": False,
            "random_state": 0,
            "categorical_features": [known is not None and len(known) <= MAX_BOOSTED_LEVELS for known in levels],
        }
        return (
            HistGradientBoostingRegressor(**settings)
            if n_classes is None
            else HistGradientBoostingClassifier(**settings)
        )
    numerical = [place for place, known in enumerate(levels) if known is None]
    nominal = [place for place, known in enumerate(levels) if known is not None]
    scale = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    prepare = ColumnTransformer(
        [("numerical", scale, numerical), ("nominal", OneHotEncoder(handle_unknown="ignore"), nominal)],
        sparse_threshold=0.0,
    )
    return make_pipeline(prepare, Ridge(alpha=1.0) if n_classes is None else LogisticRegression(max_iter=1000))
