"""Checks of arguments, each with a message that names the argument and the value received."""

from __future__ import annotations

import numpy as np

METHODS = ("pc", "fci")


def check_methods(methods) -> tuple[str, ...]:
    methods = tuple(methods) if not isinstance(methods, str) else (methods,)
    if not methods or len(set(methods)) < len(methods) or not set(methods) <= set(METHODS):
        raise ValueError(f"methods must name each of {list(METHODS)} at most once and at least one, got {methods!r}")
    return methods


def check_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {list(allowed)}, got {value!r}")


def check_share(name: str, value: float, *, open_end: bool = False) -> None:
    if not 0 < value <= 1 or (open_end and value == 1):
        raise ValueError(f"{name} must be greater than 0 and {'less than' if open_end else 'at most'} 1, got {value}")


def check_count(name: str, value: int) -> None:
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be a positive whole number, got {value!r}")
