"""How good predicted class probabilities are, and what a run gained: one implementation for every stage.

Fine-tuning watches these on the validation part, the benchmark stores them for the test part, and the evaluation
compares runs by them. Sharing them keeps the parts from drifting apart, which would show up as a gap between validation
and test that is not there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_count

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
    check_count("n_bins", n_bins)
    codes, proba = _check_predictions(y_true, proba, classes)
    confidence = proba.max(axis=1)
    is_right = proba.argmax(axis=1) == codes
    bins = np.clip(np.ceil(confidence * n_bins).astype(int) - 1, 0, n_bins - 1)
    distance = np.bincount(bins, weights=confidence, minlength=n_bins) - np.bincount(bins, is_right, minlength=n_bins)
    return float(np.abs(distance).sum() / len(codes))


def normalised_gain(auc, auc_zero_shot):
    """Share of the zero-shot model's shortfall in AUC that a run made good.

    ``(auc - auc_zero_shot) / (1 - auc_zero_shot)``: 1 means a perfect ranking, 0 no change,
    and below 0 a loss. The scale makes tables with different headroom comparable. The
    published method reports a normalised gain without its formula; this one is our choice.

    Parameters
    ----------
    auc, auc_zero_shot : float, array or Series
        AUC of the run and of the zero-shot model, between 0 and 1. They broadcast.

    Returns
    -------
    float, array or Series
        NaN where the zero-shot AUC is 1, since nothing was left to gain, and where an AUC is NaN.

    Raises
    ------
    ValueError
        If an AUC is below 0 or above 1.

    Examples
    --------
    >>> round(normalised_gain(0.85, 0.80), 4)
    0.25
    """
    _check_auc(auc, name="auc")
    _check_auc(auc_zero_shot, name="auc_zero_shot")
    auc, auc_zero_shot = _as_numbers(auc), _as_numbers(auc_zero_shot)
    headroom = 1.0 - auc_zero_shot
    is_defined = headroom > 0
    # A Series stays one, so that rows are matched by their labels throughout.
    headroom = headroom.where(is_defined) if isinstance(headroom, pd.Series) else np.where(is_defined, headroom, np.nan)
    gain = (auc - auc_zero_shot) / headroom
    return float(gain) if np.ndim(gain) == 0 else gain


def gain_in_points(auc, auc_zero_shot):
    """Gain in AUC over the zero-shot model, in points (hundredths).

    Examples
    --------
    >>> round(gain_in_points(0.85, 0.80), 4)
    5.0
    """
    _check_auc(auc, name="auc")
    _check_auc(auc_zero_shot, name="auc_zero_shot")
    return 100.0 * (_as_numbers(auc) - _as_numbers(auc_zero_shot))


def validation_test_gap(trajectory: pd.DataFrame, *, best_step: int | None = None) -> dict[str, float]:
    """How far the validation part misled one run, in two readings.

    The published method speaks of a "validation-test performance correlation gap" without a
    formula, so both readings are reported.

    Parameters
    ----------
    trajectory : DataFrame
        Columns ``step``, ``validation_auc`` and ``test_auc``; one row for each check, the
        first of them before any training. Both AUCs have the train part as context.
    best_step : int, optional
        The step that early stopping chose; by default the first with the highest validation AUC.

    Returns
    -------
    dict
        ``optimism_gap``: normalised validation gain minus normalised test gain at the chosen
        step (positive: validation promised more than the test part gave; NaN where either AUC
        started at 1).
        ``tracking_gap``: 1 minus the Spearman correlation of the two AUCs along the trajectory,
        between 0 (they rise and fall together) and 2; NaN with fewer than three
        checks or where one of them never changes.

    Raises
    ------
    ValueError
        If a column is missing, there are no checks, or `best_step` is not one of the steps.

    Examples
    --------
    >>> path = pd.DataFrame({"step": [0, 5, 10], "validation_auc": [0.6, 0.7, 0.8], "test_auc": [0.6, 0.62, 0.64]})
    >>> {name: round(value, 3) for name, value in validation_test_gap(path).items()}
    {'optimism_gap': 0.4, 'tracking_gap': 0.0}
    """
    missing = sorted({"step", "validation_auc", "test_auc"} - set(trajectory.columns))
    if missing:
        raise ValueError(f"trajectory has no column {missing[0]!r}; a test part must be given to fit")
    path = trajectory.dropna(subset=["validation_auc", "test_auc"]).sort_values("step")
    if path.empty:
        raise ValueError("trajectory holds no check with both a validation and a test AUC")
    if best_step is None:
        best_step = path["step"].iloc[int(path["validation_auc"].to_numpy().argmax())]
    chosen = path[path["step"] == best_step]
    if chosen.empty:
        raise ValueError(f"best_step={best_step} is not a checked step; these are {path['step'].tolist()}")
    validation_gain = normalised_gain(float(chosen["validation_auc"].iloc[0]), float(path["validation_auc"].iloc[0]))
    test_gain = normalised_gain(float(chosen["test_auc"].iloc[0]), float(path["test_auc"].iloc[0]))
    return {
        "optimism_gap": validation_gain - test_gain,
        "tracking_gap": _tracking_gap(path["validation_auc"].to_numpy(), path["test_auc"].to_numpy()),
    }


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


def _tracking_gap(validation: np.ndarray, test: np.ndarray) -> float:
    from scipy.stats import spearmanr

    if len(validation) < 3 or np.ptp(validation) == 0 or np.ptp(test) == 0:
        return float("nan")
    return float(1.0 - spearmanr(validation, test).statistic)


def _as_numbers(values):
    if isinstance(values, pd.Series):
        return values
    return float(values) if np.ndim(values) == 0 else np.asarray(values, dtype=float)


def _check_auc(values, *, name: str) -> None:
    array = np.asarray(values, dtype=float)
    outside = array[(array < 0) | (array > 1)]
    if outside.size:
        raise ValueError(f"{name} must be between 0 and 1, got {outside.ravel()[0]}")
