"""When fine-tuning ends, and which of its checks is the best."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from causalmix_utils.finetuning.steps import LoopSettings

WIDENED = "widened"
"""The validation rows together with synthetic ones; where they are scored, they decide."""


def score_check(check: Mapping[str, float], metric: str) -> float:
    """What a check is judged by, more being better: the AUC, or the log-loss with its sign turned.

    Parameters
    ----------
    check : mapping
        Metrics of one check, ``validation_auc`` and ``validation_log_loss`` among them. Those of the widened
        validation rows decide where there are some.
    metric : {"auc", "log_loss"}

    Examples
    --------
    >>> score_check({"validation_auc": 0.8, "validation_log_loss": 0.5}, "log_loss")
    -0.5
    """
    part = WIDENED if f"{WIDENED}_{metric}" in check else "validation"
    value = check[f"{part}_{metric}"]
    return float(value if metric == "auc" else -value)


class EarlyStopping:
    """Remembers the best check, and says when waiting for a better one has lasted too long.

    The zero-shot model is the first candidate. Another check replaces the best so far if it is better and its gain
    over zero-shot is at least `min_validation_gain`. The patience may grow with the best step: fine-tuning ends when
    there were ``patience + patience_growth · b`` checks after the best one, which was the `b`-th after zero-shot.

    Parameters
    ----------
    zero_shot : mapping
        Metrics of the model before fine-tuning.
    settings : LoopSettings

    Attributes
    ----------
    best_step : int
        Step of the best check.
    """

    def __init__(self, zero_shot: Mapping[str, float], settings: LoopSettings) -> None:
        self._settings = settings
        self._zero_shot = self._best = score_check(zero_shot, settings.early_stopping_metric)
        self._n_checks = self._best_place = 0
        self.best_step = 0

    def update(self, check: Mapping[str, float]) -> bool:
        """Take notice of a check; True if it is the best so far."""
        self._n_checks += 1
        score = score_check(check, self._settings.early_stopping_metric)
        is_better = score > self._best and score - self._zero_shot >= self._settings.min_validation_gain
        if is_better:
            self._best, self._best_place, self.best_step = score, self._n_checks, int(check["step"])
        return is_better

    @property
    def is_over(self) -> bool:
        """Whether the patience is used up."""
        patience = self._settings.patience + self._settings.patience_growth * self._best_place
        return self._settings.early_stopping and self._n_checks - self._best_place >= patience


def has_diverged(mean_loss: float, first_loss: float, n_classes: int) -> bool:
    """Whether the train loss has left every sensible range.

    That is: it is not finite, or at least twice what guessing all classes alike costs, and twice what it was at first.

    Examples
    --------
    >>> has_diverged(0.7, 0.6, 2), has_diverged(2.0, 0.6, 2), has_diverged(float("nan"), 0.6, 2)
    (False, True, True)
    """
    return bool(not np.isfinite(mean_loss) or mean_loss > 2 * max(first_loss, np.log(n_classes)))
