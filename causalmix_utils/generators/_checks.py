"""Checks of options."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real

import numpy as np


def check_rng(rng: object) -> None:
    """Raise a ``ValueError`` unless `rng` is a numpy random generator."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng must be a numpy.random.Generator such as numpy.random.default_rng(0), got {rng!r}")


def check_count(name: str, value: object, *, minimum: int = 1) -> int:
    """Return `value` as an int of at least `minimum`, or raise a ``ValueError`` that names the argument."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < minimum:
        raise ValueError(f"{name} must be an integer of at least {minimum}, got {value!r}")
    return int(value)


def check_fraction(name: str, value: object) -> float:
    """Return `value` as a float between 0 and 1, or raise a ``ValueError`` that names the argument."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= value <= 1:
        raise ValueError(f"{name} must be a number between 0 and 1, got {value!r}")
    return float(value)


def check_choice(name: str, value: object, choices: Sequence[object]) -> None:
    """Raise a ``ValueError`` that lists the `choices` unless `value` is one of them."""
    if value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name} must be one of {listed}, got {value!r}")


def check_positive(name: str, value: object, *, or_zero: bool = False) -> float:
    """Return `value` as a finite float above zero, or raise a ``ValueError`` that names the argument."""
    is_number = isinstance(value, Real) and not isinstance(value, bool) and np.isfinite(value)
    if not is_number or value < 0 or (value == 0 and not or_zero):
        raise ValueError(f"{name} must be a finite number {'of at least' if or_zero else 'above'} 0, got {value!r}")
    return float(value)
