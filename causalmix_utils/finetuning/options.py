"""What each option of `CausalMixFTClassifier` may be: one line an option."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from causalmix_utils.arguments import check_choice, check_count, check_flag, check_number
from causalmix_utils.finetuning.steps import METRICS, MIX_SCHEDULES, MIXING
from causalmix_utils.finetuning.validating import VALIDATIONS

RECOMMENDED: dict[str, Any] = {"early_stopping_metric": "log_loss", "min_validation_gain": 0.02}
"""Options that halved the share of harmful runs on the development tables, though not beyond chance.

They are not the defaults of `CausalMixFTClassifier`, which stay near the paper's plain early stopping. Chosen by
``benchmarks/choose_finetuning.py``; the shares are stored as ``harm_by_rule`` of ``finetuning_choices``.
"""


def _check_device(name: str, value: Any) -> None:
    import torch

    try:
        is_right = value == "auto" or isinstance(torch.device(value), torch.device)
    except (RuntimeError, TypeError):
        is_right = False
    if not is_right:
        raise ValueError(f'{name} must be "auto" or a torch device such as "cpu", got {value!r}')


CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "n_synthetic": partial(check_count, optional=True),
    "mix_ratio": partial(check_number, low=0, high=1),
    "mixing": partial(check_choice, choices=MIXING),
    "n_estimators": check_count,
    "learning_rate": partial(check_number, low=0),
    "weight_decay": partial(check_number, low=0),
    "max_steps": partial(check_count, minimum=0),
    "early_stopping": check_flag,
    "validation_fraction": partial(check_number, low=0, high=1, closed="neither"),
    "check_every": check_count,
    "patience": check_count,
    "min_validation_gain": check_number,
    "mix_schedule": partial(check_choice, choices=MIX_SCHEDULES),
    "redraw_every": partial(check_count, optional=True),
    "validation": partial(check_choice, choices=VALIDATIONS),
    "n_validation_splits": partial(check_count, minimum=2),
    "validation_synthetic": partial(check_count, minimum=0),
    "early_stopping_metric": partial(check_choice, choices=METRICS),
    "patience_growth": partial(check_number, low=0),
    "activation_checkpointing": check_flag,
    "time_limit": partial(check_number, low=0, closed="neither", optional=True),
    "device": _check_device,
    "verbose": check_flag,
    "ensemble_seed": partial(check_count, minimum=0, optional=True),
}
"""Options that can be checked on their own; the others are checked by what uses them."""


def check_options(options: Mapping[str, Any]) -> None:
    """Raise a ``ValueError`` that names the first wrong option and its value.

    Parameters
    ----------
    options : mapping
        Names and values, as from ``get_params(deep=False)``.
    """
    for name in CHECKS:
        check_option(name, options[name])


def check_option(name: str, value: Any) -> None:
    """Raise a ``ValueError`` that names the option and its value if the value is wrong."""
    CHECKS[name](name, value)
