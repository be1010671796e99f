"""From what scikit-learn users hand in to what the network reads.

`TableEncoder` remembers the types and category levels of the training data, so that new
rows are read the same way: a category level that was not seen in training becomes a missing
value, as in scikit-learn's histogram boosting.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from causalmix_utils.tables import Table
from causalmix_utils.tables.conversion import check_kind, convert_column, decimals_as_floats

TARGET = "target"
Part = tuple[np.ndarray, np.ndarray]
"""Encoded features and class codes of some rows."""

_TRUTH = {"False": "0", "True": "1"}
_TRUTH_IN_WORDS = {number: word for word, number in _TRUTH.items()}


class TableEncoder:
    """Turns features and labels into a `Table`, and a `Table`'s features into numbers.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels as given, sorted.
    class_names_ : list of str
        The same as strings, in the same order.
    """

    def fit(
        self,
        X: pd.DataFrame,
        y: Sequence,
        *,
        categorical: Sequence[str] | None = None,
        name: str,
        target: str = TARGET,
    ) -> Table:
        """Learn types, levels and classes; returns the training data as a `Table`.

        The target column is called `target`, with underscores behind it where a feature has that name.

        Raises
        ------
        ValueError
            If `y` holds missing values or fewer than two classes, or a column can't be read.
        """
        labels = np.asarray(y)
        self.classes_ = np.unique(labels)
        if len(self.classes_) < 2:
            raise ValueError(f"y holds one class only, {self.classes_[0]!r}: a classifier needs at least two classes")
        texts = [str(label) for label in self.classes_]
        # Labels of a subclass of str may differ and be written the same: number the classes then.
        self.class_names_ = texts if len(set(texts)) == len(texts) else [f"class {i}" for i in range(len(texts))]
        while target in X.columns:
            target += "_"
        frame = X.copy()
        frame[target] = np.array(self.class_names_, dtype=object)[self.encode_labels(labels)]
        table = Table.from_frame(frame, target=target, categorical=categorical, name=name)
        self.columns_ = list(table.X.columns)
        self.levels_ = {column: list(table.X[column].cat.categories) for column in table.categorical}
        return table

    def encode_labels(self, y: Sequence) -> np.ndarray:
        """Class codes ``0 … n_classes - 1``.

        Raises
        ------
        ValueError
            If a label was not seen in `fit`.
        """
        labels = np.asarray(y)
        unknown = ~np.isin(labels, self.classes_)
        if unknown.any():
            raise ValueError(f"y holds the class {labels[unknown][0]!r}, which is not among {list(self.classes_)}")
        return np.searchsorted(self.classes_, labels)

    def encode_classes(self, table: Table) -> np.ndarray:
        """Class codes of a `Table` with the same classes as the training data."""
        return np.array([self.class_names_.index(name) for name in table.y], dtype=np.int64)

    def encode_features(self, X: pd.DataFrame) -> np.ndarray:
        """Features as numbers, shape (n_rows, n_features): categories as codes, NaN where missing.

        Raises
        ------
        ValueError
            If a numerical column holds text, dates, an infinite value, or a whole number beyond ±2**53.
        """
        encoded = np.empty((len(X), len(self.columns_)))
        for position, column in enumerate(self.columns_):
            values = X.iloc[:, position]
            if column in self.levels_:
                encoded[:, position] = _encode_levels(values, self.levels_[column])
            else:
                encoded[:, position] = _encode_numbers(values, column)
        return encoded


def _encode_levels(values: pd.Series, levels: list[str]) -> np.ndarray:
    text = convert_column(values.infer_objects(), is_categorical=True)
    for written in (_TRUTH, _TRUTH_IN_WORDS):  # True equals 1, however a file or a library hands it on
        if set(levels) <= set(written.values()):
            text = text.astype(object).map(partial(_rename, written), na_action="ignore")
    codes = pd.Categorical(text, categories=levels).codes.astype(float)
    return np.where(codes < 0, np.nan, codes)


def _rename(names: dict[str, str], level: str) -> str:
    return names.get(level, level)


def _encode_numbers(values: pd.Series, column: str) -> np.ndarray:
    values = values.infer_objects()
    check_kind(values)
    try:
        numbers = pd.to_numeric(decimals_as_floats(values)).to_numpy(dtype=float, na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise ValueError(f"column {column!r} was numerical in training, but holds text now: {error}") from error
    if np.isinf(numbers).any():
        raise ValueError(f"column {column!r} holds infinity in row {int(np.isinf(numbers).argmax())}")
    return numbers


def as_frame(X: Any) -> pd.DataFrame:
    """`X` as a DataFrame with string column names and a plain index; arrays get the names ``x0, x1, …``."""
    if hasattr(X, "toarray"):
        raise TypeError("Sparse data was passed for X, but dense data is required: use X.toarray()")
    frame = X.rename(columns=str).reset_index(drop=True) if isinstance(X, pd.DataFrame) else _array_as_frame(X)
    for count, what in zip(frame.shape, ("sample", "feature"), strict=True):
        if count == 0:
            raise ValueError(f"X has 0 {what}(s) (shape={frame.shape}) while a minimum of 1 is required.")
    return frame


def _array_as_frame(X: Any) -> pd.DataFrame:
    values = np.asarray(X)
    if values.ndim != 2:
        raise ValueError(f"Expected 2D array for X, got an array of shape {values.shape}. Reshape your data.")
    if values.dtype.kind == "c":
        raise ValueError("Complex data not supported: X holds complex numbers")
    return pd.DataFrame(values, columns=[f"x{i}" for i in range(values.shape[1])]).infer_objects()


def check_labels(X: pd.DataFrame, y: Any) -> np.ndarray:
    """`y` as a one-dimensional array of as many labels as `X` has rows."""
    if y is None:
        raise ValueError("This CausalMixFTClassifier requires y to be passed, but the target y is None")
    labels = column_or_1d(_as_numpy_type(y), warn=True)
    unknown = pd.isna(labels) | (np.isinf(labels) if labels.dtype.kind == "f" else False)
    if unknown.any():
        row = int(np.argmax(unknown))
        raise ValueError(f"y holds missing or infinite values (NaN or inf), the first in row {row}: {labels[row]}")
    if len(labels) != len(X):
        raise ValueError(f"X has {len(X)} rows, but y has {len(labels)}: inconsistent numbers of samples")
    _check_types(labels)
    return labels


def _check_types(labels: np.ndarray) -> None:
    """Refuse labels that are no classes, among them those of several types, which can't be sorted."""
    try:
        check_classification_targets(labels)
    except (TypeError, ValueError) as error:
        examples = list({type(label): label for label in labels}.values())
        are_numbers = all(isinstance(label, Number) and not isinstance(label, bool) for label in examples)
        if isinstance(error, ValueError) and (len(examples) == 1 or are_numbers):
            raise
        raise ValueError(f"y must hold numbers, or texts, or truth values alone, got {examples}: {error}") from error


def _as_numpy_type(y: Any) -> Any:
    """Labels of one of pandas' nullable types, as ``Int64``, as the NumPy type of that name; others as they are."""
    numpy_type = getattr(getattr(y, "dtype", None), "numpy_dtype", None)
    if numpy_type is None or numpy_type.kind not in "biuf" or pd.isna(y).any():
        return y
    return y.to_numpy(dtype=numpy_type)
