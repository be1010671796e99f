"""The ordinary models that a tabular foundation model is compared with, each with one setting for every table.

Nothing is tuned to a table, neither here nor in the foundation model. One implementation serves the
chapters and the stored comparison, so that a name means the same model everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalmix_utils.arguments import check_choice

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.base import BaseEstimator

BASELINES: dict[str, str] = {
    "logistic_regression": "logistic regression",
    "random_forest": "random forest",
    "random_forest_leaf3": "random forest, leaves of 3 rows",
    "boosting": "histogram boosting",
    "nearest_neighbours": "nearest neighbours",
    "class_shares": "class shares",
}
"""The name of each baseline, and what readers see instead."""

N_NEIGHBOURS = 15
"""Neighbours that vote. Few for 200 context rows, yet enough for probabilities finer than one vote in ten."""

MAX_BOOSTED_LEVELS = 255
"""scikit-learn's boosting takes no category with more levels."""


def make_baseline(name: str, *, random_state: int = 0) -> BaseEstimator:
    """An ordinary classifier for the features of a `Table`, not fitted.

    ==========================  ================================================================================
    ``logistic_regression``     ridge penalty of scikit-learn's default strength
    ``random_forest``           200 trees, all else scikit-learn's default: leaves of one row, hence
                                probabilities of exactly zero, for which log-loss punishes it hard
    ``random_forest_leaf3``     200 trees with leaves of at least three rows
    ``boosting``                histogram gradient boosting with scikit-learn's defaults; categories and missing
                                values as they are, beyond 255 levels as numbers in the order of the levels
    ``nearest_neighbours``      `N_NEIGHBOURS` neighbours, weighted by inverse distance
    ``class_shares``            the classes' shares among the rows it is fitted to: what any model must beat
    ==========================  ================================================================================

    All but boosting and the class shares see prepared columns: numbers with the
    median for what is missing, a column that says where it was missing, and unit variance; categories one-hot
    encoded, a missing value being a level of its own and unseen levels all zero.

    Parameters
    ----------
    name : str
        A key of `BASELINES`.
    random_state : int
        Seed of the forests' bootstrap samples and candidate features, and of boosting. Same number, same predictions.

    Returns
    -------
    estimator
        A scikit-learn classifier. ``fit(X, y)`` takes a DataFrame like `Table.X`: dtype ``category`` marks the
        categories. The nearest neighbours need at least `N_NEIGHBOURS` rows, logistic regression two classes, and
        boosting one column that is not empty.

    Raises
    ------
    ValueError
        If there is no baseline of that name.

    Examples
    --------
    >>> from causalmix_utils.tables import load_table, scarce_split
    >>> train, _, test = scarce_split(load_table("titanic"), n=90)
    >>> model = make_baseline("logistic_regression").fit(train.X, train.y)
    >>> model.predict_proba(test.X).shape == (len(test), 2)
    True
    """
    from sklearn.dummy import DummyClassifier
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline

    check_choice("name", name, BASELINES)
    if name == "class_shares":
        return DummyClassifier(strategy="prior")
    if name == "boosting":
        boosting = HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=random_state)
        return make_pipeline(_keep_what_can_be_binned(), boosting)
    model = {
        "logistic_regression": LogisticRegression(max_iter=5000),
        "random_forest": RandomForestClassifier(200, random_state=random_state),
        "random_forest_leaf3": RandomForestClassifier(200, min_samples_leaf=3, random_state=random_state),
        "nearest_neighbours": KNeighborsClassifier(N_NEIGHBOURS, weights="distance"),
    }[name]
    return make_pipeline(_prepare_columns(), model)


def _prepare_columns() -> BaseEstimator:
    """Numbers filled, marked where they were missing, and scaled; categories one-hot encoded."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    # A small split can leave a column without any value; it must not vanish with a warning.
    filled = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    return make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_include="category")),
        (make_pipeline(filled, StandardScaler()), make_column_selector(dtype_exclude="category")),
    )


def _keep_what_can_be_binned() -> BaseEstimator:
    """Columns that boosting can bin: none without any value, and codes for categories of very many levels."""
    from sklearn.compose import make_column_transformer
    from sklearn.preprocessing import OrdinalEncoder

    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=float("nan"))
    return make_column_transformer(
        ("passthrough", _find_columns_with_values),
        (codes, _find_columns_with_many_levels),
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")


def _find_columns_with_values(X: pd.DataFrame) -> list[str]:
    long = set(_find_columns_with_many_levels(X))
    return [column for column in X.columns[X.notna().any()] if column not in long]


def _find_columns_with_many_levels(X: pd.DataFrame) -> list[str]:
    """Categories with more levels than scikit-learn's boosting can take as such."""
    nominal = X.select_dtypes("category")
    return [column for column in nominal if len(nominal[column].cat.categories) > MAX_BOOSTED_LEVELS]
