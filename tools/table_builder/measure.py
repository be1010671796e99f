"""What the manifest says of a table besides its origin."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler


def measure(frame: pd.DataFrame, categorical: list[str]) -> dict[str, object]:
    """Sizes, shares, and the 3-fold ROC-AUC of logistic regression and of a random forest.

    Rows with equal features are kept in one fold, so that duplicates don't flatter the forest.
    For more than two classes the AUC is the macro average of one-versus-rest.
    """
    X, y = frame.iloc[:, :-1], frame.iloc[:, -1]
    return {
        "rows": len(frame),
        "features": X.shape[1],
        "classes": y.nunique(),
        "missing": round(float(X.isna().to_numpy().mean()), 4),
        "duplicates": round(float(frame.duplicated().mean()), 4),
        "lr_auc": round(_cross_validated_auc(_logistic_regression(X, categorical), X, y), 3),
        "rf_auc": round(_cross_validated_auc(_random_forest(X, categorical), X, y), 3),
    }


def _cross_validated_auc(model, X: pd.DataFrame, y: pd.Series) -> float:
    groups = X.groupby(list(X.columns), dropna=False, sort=False).ngroup()
    folds = StratifiedGroupKFold(n_splits=3, shuffle=True, random_state=0)
    numeric = X.select_dtypes("number").columns
    X = X.astype(dict.fromkeys(numeric, "float64"))
    probabilities = cross_val_predict(model, X, y, groups=groups, cv=folds, method="predict_proba")
    if y.nunique() == 2:
        return roc_auc_score(y == np.sort(y.unique())[1], probabilities[:, 1])
    return roc_auc_score(y, probabilities / probabilities.sum(axis=1, keepdims=True), multi_class="ovr")


def _logistic_regression(X: pd.DataFrame, categorical: list[str]):
    numerical = [column for column in X.columns if column not in categorical]
    scaled = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    one_hot = OneHotEncoder(handle_unknown="ignore")
    return make_pipeline(
        make_column_transformer((scaled, numerical), (one_hot, categorical)),
        LogisticRegression(max_iter=5000),
    )


def _random_forest(X: pd.DataFrame, categorical: list[str]):
    numerical = [column for column in X.columns if column not in categorical]
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-2, encoded_missing_value=-1)
    return make_pipeline(
        make_column_transformer((SimpleImputer(strategy="median"), numerical), (codes, categorical)),
        RandomForestClassifier(n_estimators=300, random_state=0),
    )
