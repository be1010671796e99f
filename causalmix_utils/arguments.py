"""Checks of arguments, with one wording for the whole package.

Each check returns the value, so that it can be used where it is needed, or raises a ``ValueError`` that names the
argument, says what it must be, and shows what it was.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Iterable
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def check_count(name: str, value: Any, *, minimum: int = 1, maximum: int | None = None, optional: bool = False) -> Any:
    """An integer of at least `minimum`, or None if `optional`. True and 2.0 are none.

    Examples
    --------
    >>> check_count("n_rows", 7)
    7
    >>> check_count("n_rows", 0)
    Traceback (most recent call last):
    ...
    ValueError: n_rows must be an integer of at least 1, got 0
    """
    if optional and value is None:
        return None
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not is_whole or value < minimum or (maximum is not None and value > maximum):
        limits = f"of at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
        _refuse(name, f"an integer {limits}", value, optional)
    return int(value)


def check_number(
    name: str,
    value: Any,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    closed: str = "both",
    optional: bool = False,
) -> Any:
    """A finite number from `low` to `high`, or None if `optional`.

    `closed` says which of the limits is allowed itself: "both", "left", "right" or "neither", as in pandas.

    Examples
    --------
    >>> check_number("share", 0.05, 0, 1)
    0.05
    >>> check_number("alpha", 1, 0, 1, closed="neither")
    Traceback (most recent call last):
    ...
    ValueError: alpha must be a number between 0 and 1, both excluded, got 1
    """
    if optional and value is None:
        return None
    is_finite = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    without = [low] * (closed not in ("both", "left")) + [high] * (closed not in ("both", "right"))
    if not is_finite or not low <= value <= high or value in without:
        _refuse(name, _describe_numbers(low, high, without), value, optional)
    return float(value)


def check_choice(name: str, value: Any, choices: Collection[Any], *, optional: bool = False) -> Any:
    """One of `choices`, or None if `optional`.

    Examples
    --------
    >>> check_choice("colour", "red", ("green", "blue"))
    Traceback (most recent call last):
    ...
    ValueError: colour must be one of ['green', 'blue'], got 'red'
    """
    if optional and value is None:
        return None
    if not isinstance(value, Hashable) or value not in choices:
        _refuse(name, f"one of {list(choices)}", value, optional)
    return value


def check_flag(name: str, value: Any) -> bool:
    """True or False; NumPy's are welcome, since a grid of options made by NumPy holds them."""
    if type(value).__name__ not in ("bool", "bool_"):
        _refuse(name, "True or False", value)
    return bool(value)


def check_columns(name: str, frame: Any, columns: Iterable[Any], *, allow_empty: bool = True) -> None:
    """A DataFrame that has all `columns`, and rows unless `allow_empty`.

    Examples
    --------
    >>> import pandas as pd
    >>> check_columns("results", pd.DataFrame({"auc": [0.7]}), ["table", "auc"])
    Traceback (most recent call last):
    ...
    ValueError: results has no column 'table'; its columns are ['auc']
    """
    for column in columns:
        if column not in frame.columns:
            raise ValueError(f"{name} has no column {column!r}; its columns are {list(frame.columns)}")
    if frame.empty and not allow_empty:
        raise ValueError(f"{name} has no rows")


def check_rng(rng: Any, *, default_seed: int | None = None) -> np.random.Generator:
    """A NumPy random generator; None stands for a new one with `default_seed`, where that is given."""
    import numpy as np  # not at the top, since `causalmix doctor` runs where nothing is installed

    if rng is None and default_seed is not None:
        return np.random.default_rng(default_seed)
    if not isinstance(rng, np.random.Generator):
        _refuse("rng", "a numpy.random.Generator such as numpy.random.default_rng(0)", rng)
    return rng


def _describe_numbers(low: float, high: float, without: list[float]) -> str:
    if high == math.inf:
        limit = "" if low == -math.inf else f" above {low}" if low in without else f" of at least {low}"
        return f"a finite number{limit}"
    excluded = ", both excluded" if len(without) == 2 else "".join(f", {limit} excluded" for limit in without)
    return f"a number between {low} and {high}{excluded}"


def _refuse(name: str, kind: str, value: Any, optional: bool = False) -> None:
    raise ValueError(f"{name} must be {kind}{' or None' if optional else ''}, got {value!r}")
