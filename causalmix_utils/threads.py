"""One thread for everything inside a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def single_thread() -> Iterator[None]:
    """Run torch, OpenMP and the linear-algebra libraries on one thread inside the block.

    The networks and tables of this package are small: one thread does them about as fast as
    two, and where several processes share the cores, further threads only wait for each other (a
    hundredfold slowdown was seen). The order of a parallel sum can also change the last bits of a result.

    Numbers of threads are as before after the block.

    Examples
    --------
    >>> import torch
    >>> with single_thread():
    ...     torch.get_num_threads()
    1
    """
    # Limits reach only libraries that are loaded, so the ones with threads of their own are loaded first.
    import scipy.linalg  # noqa: F401
    import sklearn.ensemble  # noqa: F401
    import torch
    from threadpoolctl import threadpool_limits

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)
