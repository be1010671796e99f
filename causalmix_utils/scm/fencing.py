"""Keeping libraries that draw from global random state from changing the caller's."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def fence_global_randomness(seed: int) -> Iterator[None]:
    """Seed the global generators of NumPy and `random` for a while; afterwards they are as before.

    Not safe for threads that draw from global state at the same time, as nothing global is.

    Parameters
    ----------
    seed : int
        Below 2**32.

    Examples
    --------
    >>> random.seed(1); expected = random.random(); random.seed(1)
    >>> with fence_global_randomness(5):
    ...     _ = random.random()
    >>> random.random() == expected
    True
    """
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)
