"""Keeping libraries that seed or draw from global random state from changing the caller's."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def fence_global_randomness(seed: int | None = None) -> Iterator[None]:
    """Let a block use the global generators of `random`, NumPy and torch; afterwards they are as before.

    Not safe for threads that draw from global state at the same time, as nothing global is.

    Parameters
    ----------
    seed : int, optional
        Below 2**32. Seeds `random` and NumPy at the start of the block; None leaves them as they are.

    Examples
    --------
    >>> random.seed(1); expected = random.random(); random.seed(1)
    >>> with fence_global_randomness(5):
    ...     _ = random.random()
    >>> random.random() == expected
    True
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    torch = sys.modules.get("torch")  # a caller who has not imported torch has no state to keep
    torch_state = torch.get_rng_state() if torch else None
    on_cards = torch is not None and torch.cuda.is_initialized()  # and a card not yet used has no state to keep
    cards_state = torch.cuda.get_rng_state_all() if on_cards else None
    if seed is not None:
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002
        if torch:
            torch.set_rng_state(torch_state)
        if on_cards:
            torch.cuda.set_rng_state_all(cards_state)


def draw_seed(rng: np.random.Generator) -> int:
    """Draw a seed, below 2**31 - 1, for a library that takes an integer instead of a generator."""
    return int(rng.integers(2**31 - 1))
