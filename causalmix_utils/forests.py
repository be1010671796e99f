"""The one random forest that judges synthetic rows: what it learns from them is what they teach.

Generators use it for their own diagnosis, the evaluation for everybody's rows, and the two must not drift apart.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from causalmix_utils.tables import Table


def make_forest(categorical: list[str], n_trees: int, *, seed: int):
    """A random forest for a DataFrame in which some columns are categories, not fitted.

    Categories become codes, of which a level that was not seen has its own, and missing values are read as they are.

    Parameters
    ----------
    categorical : list of str
        The columns of categories.
    n_trees : int
    seed : int
        The same seed gives the same forest.

    Returns
    -------
    sklearn.pipeline.Pipeline
    """
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2)
    return make_pipeline(
        make_column_transformer((codes, categorical), remainder="passthrough"),
        RandomForestClassifier(n_trees, random_state=seed),
    )


def predict_by_forest(rows: Table, X: pd.DataFrame, classes: list[str], *, n_trees: int, seed: int) -> np.ndarray:
    """Class probabilities of a random forest that learns from `rows`.

    Parameters
    ----------
    rows : Table
        What the forest learns from.
    X : DataFrame
        Features to predict for, with the columns of ``rows.X``.
    classes : list of str
        The classes of the result; those that `rows` lacks have probability 0.
    n_trees, seed
        As in `make_forest`.

    Returns
    -------
    ndarray of shape (len(X), n_classes)

    Examples
    --------
    >>> frame = pd.DataFrame({"x": [0, 1, 2, 3], "y": ["a", "a", "b", "b"]})
    >>> rows = Table.from_frame(frame, target="y")
    >>> predict_by_forest(rows, rows.X, ["a", "b", "c"], n_trees=50, seed=0).argmax(axis=1).tolist()
    [0, 0, 1, 1]
    """
    forest = make_forest(rows.categorical, n_trees, seed=seed).fit(rows.X, rows.y)
    proba = pd.DataFrame(forest.predict_proba(X), columns=forest.classes_)
    return proba.reindex(columns=classes, fill_value=0.0).to_numpy()
