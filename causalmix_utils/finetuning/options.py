"""What each option of `CausalMixFTClassifier` may be: one line an option."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from causalmix_utils.finetuning.steps import METRICS, MIX_SCHEDULES, MIXING
from causalmix_utils.finetuning.validating import VALIDATIONS

Check = Callable[[Any], str | None]
"""Says what a value must be, or None if it is that."""


def _whole(low: int, *, optional: bool = False) -> Check:
    """An integer of at least `low`."""
    kind = "a positive integer" if low == 1 and optional else f"an integer of at least {low}"
    return _check(lambda value: _is_number(value, Integral) and value >= low, kind, optional=optional)


def _number(low: float, high: float = math.inf, *, within: bool = True, optional: bool = False) -> Check:
    """A number from `low` to `high`; the limits count as wrong if `within` is False. NaN is always wrong."""
    if high == math.inf:
        kind = ("not be negative" if within else "be positive") if low == 0 else f"be at least {low}"
    else:
        kind = f"be between {low} and {high}" + ("" if within else ", both excluded")

    def is_right(value: Any) -> bool:
        return _is_number(value, Real) and (low <= value <= high if within else low < value < high)

    return _check(is_right, kind, optional=optional, verb="")


def _one_of(choices: Sequence[Any]) -> Check:
    return _check(lambda value: isinstance(value, str) and value in choices, f"one of {tuple(choices)}")


def _flag() -> Check:
    """True or False; NumPy's are welcome, as a grid of options made by NumPy holds them."""
    return _check(lambda value: type(value).__name__ in ("bool", "bool_"), "True or False")


def _device() -> Check:
    """ "auto", or what torch takes for a device."""

    def is_right(value: Any) -> bool:
        import torch

        try:
            return value == "auto" or isinstance(torch.device(value), torch.device)
        except (RuntimeError, TypeError):
            return False

    return _check(is_right, 'be "auto" or a torch device such as "cpu"', verb="")


def _check(is_right: Callable[[Any], bool], kind: str, *, optional: bool = False, verb: str = "be ") -> Check:
    expected = f"must {verb}{kind}" + (" or None" if optional else "")
    return lambda value: None if (optional and value is None) or is_right(value) else expected


def _is_number(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


RECOMMENDED: dict[str, Any] = {"early_stopping_metric": "log_loss", "min_validation_gain": 0.02}
"""Options that halved the share of harmful runs on the development tables, though not beyond chance.

They are not the defaults of `CausalMixFTClassifier`, which stay near the paper's plain early stopping. Chosen by
``benchmarks/choose_finetuning.py``; the shares are stored as ``harm_by_rule`` of ``finetuning_choices``.
"""

CHECKS: dict[str, Check] = {
    "n_synthetic": _whole(1, optional=True),
    "mix_ratio": _number(0, 1),
    "mixing": _one_of(MIXING),
    "n_estimators": _whole(1),
    "learning_rate": _number(0),
    "weight_decay": _number(0),
    "max_steps": _whole(0),
    "early_stopping": _flag(),
    "validation_fraction": _number(0, 1, within=False),
    "check_every": _whole(1),
    "patience": _whole(1),
    "min_validation_gain": _number(-math.inf),
    "mix_schedule": _one_of(MIX_SCHEDULES),
    "redraw_every": _whole(1, optional=True),
    "validation": _one_of(VALIDATIONS),
    "n_validation_splits": _whole(2),
    "validation_synthetic": _whole(0),
    "early_stopping_metric": _one_of(METRICS),
    "patience_growth": _number(0),
    "activation_checkpointing": _flag(),
    "time_limit": _number(0, within=False, optional=True),
    "device": _device(),
    "verbose": _flag(),
    "ensemble_seed": _whole(0, optional=True),
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
    expected = CHECKS[name](value)
    if expected is not None:
        raise ValueError(f"{name} {expected}, got {value!r}")
