"""Running a grid: what is missing from the store, side by side, here or on a cluster.

Workers only compute; the process that called `run_benchmark` alone writes to the store, as
each run arrives. So no two processes ever write at once, and workers need no shared disk.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from causalmix_utils.benchmark.arms import RunSettings
from causalmix_utils.benchmark.profiles import Profile, get_profile
from causalmix_utils.benchmark.single import execute_run
from causalmix_utils.benchmark.store import RunStore

if TYPE_CHECKING:
    import pandas as pd

BACKENDS = ("loky", "dask")

_PARENT_CHECK_SECONDS = 1.0


def run_benchmark(
    profile: str | Profile,
    store: RunStore | str | Path,
    *,
    backend: str = "loky",
    scheduler: str | None = None,
    n_jobs: int | None = None,
    retry_failed: bool = False,
    progress: bool = True,
) -> pd.DataFrame:
    """Make the runs of a profile that the store does not hold yet.

    Parameters
    ----------
    profile : str or Profile
        Name of a profile, or one of your own.
    store : RunStore or path
        Where results are kept. Stop at any moment and call again: only runs in flight are lost.
    backend : {"loky", "dask"}
        "loky" runs local processes, one thread each; "dask" sends runs to a Dask cluster.
    scheduler : str, optional
        Address of a Dask scheduler, such as "tcp://127.0.0.1:8786". None starts a local cluster.
    n_jobs : int, optional
        Number of processes; None takes one for each core. Ignored with a `scheduler`, which
        knows its workers.
    retry_failed : bool
        Make runs again that failed before; otherwise they stay as they are.
    progress : bool
        Show a bar with the time left on a terminal.

    Returns
    -------
    DataFrame
        The profile's finished runs; see `RunStore.results`.

    Raises
    ------
    ValueError
        If `profile`, `backend` or `n_jobs` is not valid.
    RuntimeError
        If a worker process died, for lack of memory for example. What was finished is stored.
    """
    profile = get_profile(profile)
    if backend not in BACKENDS:
        raise ValueError(f"backend must be one of {list(BACKENDS)}, got {backend!r}")
    if n_jobs is not None and n_jobs < 1:
        raise ValueError(f"n_jobs must be at least 1, got {n_jobs}")
    if not isinstance(store, RunStore):
        with RunStore(store) as opened:
            return run_benchmark(
                profile,
                opened,
                backend=backend,
                scheduler=scheduler,
                n_jobs=n_jobs,
                retry_failed=retry_failed,
                progress=progress,
            )
    runs = profile.runs()
    pending = find_pending(runs, store, retry_failed=retry_failed)
    if pending:
        with _parallel(backend, scheduler=scheduler, n_jobs=n_jobs) as parallel:
            _collect(parallel, pending, store, backend=backend, n_total=len(runs), progress=progress)
    results = store.results()
    return results[results["id"].isin({run.identity for run in runs})].reset_index(drop=True)


def find_pending(runs: list[RunSettings], store: RunStore, *, retry_failed: bool = False) -> list[RunSettings]:
    """The runs that are still to be made, in their order: not finished, and not failed unless those are retried."""
    settled = store.identities(status="done" if retry_failed else None)
    return [run for run in runs if run.identity not in settled]


def _collect(
    parallel, pending: list[RunSettings], store: RunStore, *, backend: str, n_total: int, progress: bool
) -> None:
    """Execute the pending runs and store each one as it arrives."""
    from joblib import delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError
    from tqdm.auto import tqdm

    n_failed = 0
    with tqdm(
        total=n_total, initial=n_total - len(pending), unit="run", disable=None if progress else True, smoothing=0.1
    ) as bar:
        try:
            parent = os.getpid() if backend == "loky" else None
            for record in parallel(delayed(_execute_as_worker)(run, parent) for run in pending):
                store.add(record)
                n_failed += record["status"] == "failed"
                bar.set_postfix(_describe(record, n_failed))
                bar.update()
        except TerminatedWorkerError as error:
            n_done = len(store.identities() & {run.identity for run in pending})
            raise RuntimeError(
                f"a worker process died, perhaps for lack of memory; {n_done} of {len(pending)} pending runs were "
                "stored: start again to resume, with fewer processes if memory is short"
            ) from error


def _execute_as_worker(run: RunSettings, parent: int | None) -> dict[str, Any]:
    """One run in a worker, which ends when the process `parent` that waits for it has died."""
    if parent is not None and parent != os.getpid():
        _follow_parent(parent)
    return execute_run(run)


def _follow_parent(parent: int) -> None:
    """Start one thread that ends this process when its parent is gone.

    A parent that is killed can't tell its workers, which would finish runs that nobody stores
    and then wait for ever, each with its memory.
    """
    name = f"follow-{parent}"

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_CHECK_SECONDS)
        os._exit(1)

    if os.getppid() == parent and all(thread.name != name for thread in threading.enumerate()):
        threading.Thread(target=watch, name=name, daemon=True).start()


def _describe(record: dict[str, Any], n_failed: int) -> dict[str, Any]:
    settings = record["settings"]
    last = {"last": f"{settings['table']}/{settings['arm']}"}
    return last | {"failed": n_failed} if n_failed else last


@contextmanager
def _parallel(backend: str, *, scheduler: str | None, n_jobs: int | None) -> Iterator[Any]:
    """A joblib.Parallel that yields results as they are finished, one task at a time to each worker."""
    from joblib import Parallel, cpu_count, parallel_config

    n_jobs = n_jobs or cpu_count()
    options = {"return_as": "generator_unordered", "batch_size": 1}
    if backend == "loky":
        with parallel_config(backend="loky", n_jobs=n_jobs, inner_max_num_threads=1):
            yield Parallel(**options)
        return
    with _connect(scheduler, n_jobs=n_jobs) as client, parallel_config(backend="dask", client=client, n_jobs=-1):
        # All at once: workers that join later must find work, and the scheduler repeats what a lost worker had.
        yield Parallel(pre_dispatch="all", **options)


@contextmanager
def _connect(scheduler: str | None, *, n_jobs: int) -> Iterator[Any]:
    """A Dask client of the scheduler, or of a local cluster that ends with the block."""
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise ValueError("backend='dask' needs the extra 'cluster': pip install 'causalmix-utils[cluster]'") from error
    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=20)
        except OSError as error:
            raise ValueError(f"scheduler={scheduler!r} can't be reached: {error}") from error
        with client:
            yield client
        return
    with (
        LocalCluster(n_workers=n_jobs, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client
