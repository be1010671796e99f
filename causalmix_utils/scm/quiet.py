"""DoWhy without its effects on the caller's session: how values are shown, progress bars, warnings, processes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


def import_gcm() -> ModuleType:
    """Import `dowhy.gcm`, and leave alone how the interpreter shows values.

    The first import of DoWhy calls `sympy.init_printing`. From then on a notebook would show every number and list as a
    formula, and a console would show lists of strings without their quotes. A caller who has imported DoWhy before
    keeps what they have.

    Examples
    --------
    >>> import sys
    >>> before = sys.displayhook
    >>> gcm = import_gcm()
    >>> sys.displayhook is before
    True
    """
    import sympy

    usual, sympy.init_printing = sympy.init_printing, lambda *args, **options: None
    try:
        from dowhy import gcm
    finally:
        sympy.init_printing = usual
    return gcm


@contextmanager
def quiet_dowhy() -> Iterator[None]:
    """No progress bars, no warnings, and no further processes; DoWhy's settings are then as they were.

    Its kernel test would start a process for each core, which takes longer than the tests themselves.
    """
    config = import_gcm().config
    shown, jobs = config.show_progress_bars, config.default_n_jobs
    config.show_progress_bars, config.default_n_jobs = False, 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        config.show_progress_bars, config.default_n_jobs = shown, jobs
