"""What `CausalMixFTClassifier` knows of tables: how to read them, how to predict, and how to be kept."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from causalmix_utils.finetuning.inputs import Part, TableEncoder, as_frame, check_labels
from causalmix_utils.finetuning.options import check_option
from causalmix_utils.foundation import MAX_CLASSES
from causalmix_utils.tables.schema import check_named

if TYPE_CHECKING:
    from causalmix_utils.tables import Table


class FineTunedModel(ClassifierMixin, BaseEstimator):
    """The part of `CausalMixFTClassifier` that does not depend on how it was fitted.

    A fit leaves `classifier_`, `classes_`, the encoder of features and labels, and the context rows behind.
    """

    classes_: np.ndarray
    _encoder: TableEncoder
    _context: tuple[np.ndarray, np.ndarray]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Class probabilities of shape (n_rows, n_classes), columns in the order of ``classes_``.

        They are of type float32, as the network computes them: so scikit-learn's metrics know how closely the sum
        of a row can be 1. A category level that training did not show counts as missing.
        """
        check_is_fitted(self)
        features = self._encoder.encode_features(self._read_features(X, reset=False))
        return self.classifier_.predict_proba(features)

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each row."""
        most_probable = self.predict_proba(X).argmax(axis=1)
        return self.classes_[most_probable]

    def save(self, path: str | os.PathLike) -> None:
        """Write the fitted model to one safetensors file, without a pickle.

        The file holds what predictions depend on: the network's weights, *the real rows and labels given to
        `fit`* as its context, column types, category levels, classes and seeds; besides, the parameters
        and the trajectory. It does not hold the synthetic rows and the fitted generator: a loaded model lacks
        ``synthetic_`` and ``generator_``, unless no generator was used. A `Generator` in the parameter
        `generator` is kept by name and options; if its options are not plain values, its `repr` is kept, as
        a name that no generator has. A `RandomState` becomes None.

        Parameters
        ----------
        path : path
            Usually ends with ``.safetensors``. A file of that name is replaced, and only once the new one is
            complete: if saving is interrupted, the old one stays, and what may be left of the new
            one has a name that begins with a dot and ends with ``.tmp``.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `fit` was not called before.
        ValueError
            If a class or a parameter is not a plain value: a Boolean, a number, a text, or a list of these.
        OSError
            If the file can't be written.

        Examples
        --------
        >>> import tempfile
        >>> from causalmix_utils.finetuning import CausalMixFTClassifier
        >>> from causalmix_utils.tables import load_table, scarce_split
        >>> train, _, test = scarce_split(load_table("wine"), n=60, split=0)
        >>> model = CausalMixFTClassifier(None, max_steps=2, n_estimators=1, random_state=0).fit(train.X, train.y)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/wine.safetensors")
        ...     loaded = CausalMixFTClassifier.load(f"{folder}/wine.safetensors")
        >>> bool((loaded.predict_proba(test.X) == model.predict_proba(test.X)).all())
        True
        """
        from causalmix_utils.finetuning.saving import save_model

        check_is_fitted(self)
        save_model(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike, *, device: str | None = None) -> Self:
        """Read a model that `save` wrote. No code of the file is run, whatever it holds.

        On the same machine, with the same versions, its predictions are equal to those of the saved model bit
        for bit.

        Parameters
        ----------
        path : path
        device : str, optional
            Replaces the parameter `device` of the saved model, as for a model from a machine with a GPU.

        Returns
        -------
        CausalMixFTClassifier
            Fitted.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file was not written by `save`, is of another version, or has changed since (it holds a SHA-256 of
            its content, which finds damage and is no signature), or if this machine lacks the device. The message
            names the path.
        """
        from causalmix_utils.finetuning.saving import load_model

        if device is not None:
            check_option("device", device)
        model = cls()
        load_model(model, path, device)
        return model

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "classifier_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags

    def _read_features(self, X: Any, *, reset: bool) -> pd.DataFrame:
        """`X` as a DataFrame; its names and number of columns are remembered, or compared with those of `fit`."""
        columns = pd.Index(getattr(X, "columns", []))
        if columns.has_duplicates:
            raise ValueError(f"column name {columns[columns.duplicated()][0]!r} occurs more than once")
        frame = as_frame(X)
        validate_data(self, X, skip_check_array=True, reset=reset)
        return frame

    def _learn_table(self, X: Any, y: Any) -> tuple[Table, Part]:
        """The rows as a `Table`, and encoded; their types, levels and classes are remembered."""
        frame = self._read_features(X, reset=True)
        labels = check_labels(frame, y)
        check_named("categorical_features", self.categorical_features, frame.columns)
        self._encoder = TableEncoder()
        # Other objects may mean something else by it, as a DataFrame its column of that name.
        target = str((y.name if isinstance(y, pd.Series) else None) or "target")
        rows = self._encoder.fit(frame, labels, categorical=self.categorical_features, name="train", target=target)
        self.classes_ = self._encoder.classes_
        if len(self.classes_) > MAX_CLASSES:
            raise ValueError(
                f"y holds {len(self.classes_)} classes, but the model can tell at most {MAX_CLASSES} apart"
            )
        return rows, (self._encoder.encode_features(rows.X), self._encoder.encode_classes(rows))

    def _encode_part(self, X: Any, y: Any, part: str) -> Part | None:
        """Encoded features and classes of a part that was handed to `fit`, or None."""
        if (X is None) != (y is None):
            raise ValueError(f"X_{part} and y_{part} must be given together")
        if X is None:
            return None
        features = self._read_features(X, reset=False)
        labels = check_labels(features, y)
        if len(pd.unique(labels)) < 2:
            raise ValueError(f"y_{part} holds one class only, {labels[0]!r}: its AUC would not be defined")
        return self._encoder.encode_features(features), self._encoder.encode_labels(labels)

    def _forget(self) -> None:
        """Drop everything that a fit has learnt, so that half a fit is none."""
        for name in [name for name in vars(self) if name.endswith("_") or name in ("_encoder", "_context")]:
            delattr(self, name)
