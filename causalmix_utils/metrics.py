"""How good predicted class probabilities are: one implementation for every stage.

Fine-tuning watches these on the validation part and the benchmark reports them on the test
part. Sharing them keeps the two from drifting apart, which would show up as a gap between
validation and test that is not there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SMALLEST_PROBABILITY = 1e-15
"""Log-loss treats smaller probabilities as this one, so that one wrong certainty stays finite."""


def roc_auc(y_true: Sequence, proba: np.ndarray, classes: Sequence) -> float:
    """Area under the ROC curve; macro one-versus-rest for more than two classes.

    For two classes it is the chance that a row of the second class gets a higher probability
    of that class than a row of the first. For more, that chance is computed for each class
    that occurs in `y_true` against all others, and averaged with equal weights. Classes of
    `classes` without a row in `y_true` are left out, since nothing can be ranked for them.

    Parameters
    ----------
    y_true : sequence of shape (n_rows,)
        The true class of each row.
    proba : array of shape (n_rows, n_classes)
        Predicted probabilities, one column for each entry of `classes`.
    classes : sequence of shape (n_classes,)
        The classes that the columns stand for, such as a classifier's ``classes_``.

    Returns
    -------
    float
        Between 0 and 1; 0.5 is what constant scores get.

    Raises
    ------
    ValueError
        If `y_true` holds one class only (AUC is not defined), a class that is not in
        `classes`, or shapes or probabilities don't fit.

    Examples
    --------
    >>> roc_auc(["no", "yes", "yes"], [[0.9, 0.1], [0.4, 0.6], [0.8, 0.2]], ["no", "yes"])
    1.0
    """
    from sklearn.metrics import roc_auc_score

    codes, proba = _check_predictions(y_true, proba, classes)
    present = np.unique(codes)
    if len(present) < 2:
        raise ValueError(f"y_true holds one class only, {classes[present[0]]!r}: AUC needs rows of at least two")
    if proba.shape[1] == 2:
        return float(roc_auc_score(codes, proba[:, 1]))
    return float(np.mean([roc_auc_score(codes == code, proba[:, code]) for code in present]))


def log_loss(y_true: Sequence, proba: np.ndarray, classes: Sequence) -> float:
    """Mean negative log-probability of the true class, in nats; 0 is perfect.

    Parameters are those of `roc_auc`. Probabilities below `SMALLEST_PROBABILITY` count as
    that value.

    Raises
    ------
    ValueError
        If `y_true` holds a class that is not in `classes`, or shapes or probabilities don't fit.

    Examples
    --------
    >>> round(log_loss(["no", "yes"], [[0.5, 0.5], [0.5, 0.5]], ["no", "yes"]), 4)
    0.6931
    """
    codes, proba = _check_predictions(y_true, proba, classes)
    of_true_class = proba[np.arange(len(codes)), codes]
    return float(-np.mean(np.log(np.clip(of_true_class, SMALLEST_PROBABILITY, 1.0))))


def expected_calibration_error(y_true: Sequence, proba: np.ndarray, classes: Sequence, *, n_bins: int = 10) -> float:
    """Mean distance between confidence and accuracy of the most probable class.

    Rows fall into `n_bins` bins of equal width by the probability of their most probable
    class; each bin counts by its number of rows (Guo et al., *On Calibration of Modern Neural
    Networks*, 2017, eq. 3). The first three parameters are those of `roc_auc`.

    Parameters
    ----------
    n_bins : int
        Number of bins of (0, 1].

    Returns
    -------
    float
        Between 0 (calibrated in every bin) and 1.

    Raises
    ------
    ValueError
        If `n_bins` is below 1, `y_true` holds a class that is not in `classes`, or shapes or
        probabilities don't fit.

    Examples
    --------
    >>> expected_calibration_error(["no", "yes"], [[1.0, 0.0], [1.0, 0.0]], ["no", "yes"])
    0.5
    """
    if n_bins < 1:
        raise ValueError(f"n_bins must be at least 1, got {n_bins}")
    codes, proba = _check_predictions(y_true, proba, classes)
    confidence = proba.max(axis=1)
    is_right = proba.argmax(axis=1) == codes
    bins = np.clip(np.ceil(confidence * n_bins).astype(int) - 1, 0, n_bins - 1)
    distance = np.bincount(bins, weights=confidence, minlength=n_bins) - np.bincount(bins, is_right, minlength=n_bins)
    return float(np.abs(distance).sum() / len(codes))


def _check_predictions(y_true: Sequence, proba: np.ndarray, classes: Sequence) -> tuple[np.ndarray, np.ndarray]:
    """The position of each true class in `classes`, and the probabilities as a float array."""
    proba = np.asarray(proba, dtype=float)
    y_true = np.asarray(y_true, dtype=object)
    if proba.ndim != 2 or proba.shape != (len(y_true), len(classes)):
        raise ValueError(f"proba must have the shape ({len(y_true)}, {len(classes)}), got {proba.shape}")
    if len(y_true) == 0:
        raise ValueError("y_true has no rows")
    if not np.isfinite(proba).all() or proba.min() < 0 or proba.max() > 1 + 1e-6:
        bad = proba[~np.isfinite(proba) | (proba < 0) | (proba > 1 + 1e-6)][0]
        raise ValueError(f"proba must hold probabilities between 0 and 1, got {bad}")
    position = {label: code for code, label in enumerate(classes)}
    unknown = [label for label in y_true if label not in position]
    if unknown:
        raise ValueError(f"y_true holds the class {unknown[0]!r}, which is not in classes={list(classes)}")
    return np.array([position[label] for label in y_true]), proba
