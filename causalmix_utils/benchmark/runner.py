"""Running a grid: what is missing from the store, side by side, here or on a cluster.

Workers only compute; the process that called `run_benchmark` alone writes to the store, as
each run arrives. So no two processes ever write at once, and workers need no shared disk.
"""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from causalmix_utils.arguments import check_choice, check_count
from causalmix_utils.benchmark.arms import RunSettings
from causalmix_utils.benchmark.profiles import Profile, get_profile
from causalmix_utils.benchmark.progress import RunCosts, TimeLeft
from causalmix_utils.benchmark.single import execute_run
from causalmix_utils.benchmark.store import RunStore

if TYPE_CHECKING:
    import pandas as pd

BACKENDS = ("loky", "dask")

_PARENT_CHECK_SECONDS = 1.0
_CONNECT_SECONDS = 20.0
_BAR = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} runs [{elapsed}{postfix}]"


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
    ImportError
        If `backend` is "dask" and the extra ``cluster`` is not installed.
    ConnectionError
        If there is no scheduler at the address.
    RuntimeError
        If a worker process died, for lack of memory for example, or a Dask cluster lost more of them than it
        replaces. What was finished is stored.
    """
    profile = get_profile(profile)
    check_choice("backend", backend, BACKENDS)
    check_count("n_jobs", n_jobs, optional=True)
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
    from tqdm.auto import tqdm

    time_left, n_failed, stored = TimeLeft(pending, RunCosts.of_store(store)), 0, set()
    with tqdm(
        total=n_total, initial=n_total - len(pending), bar_format=_BAR, disable=None if progress else True
    ) as bar:
        try:
            parent = os.getpid() if backend == "loky" else None
            for record in parallel(delayed(_execute_as_worker)(run, parent) for run in pending):
                stored.add(store.add(record))
                n_failed += record["status"] == "failed"
                bar.set_postfix_str(_describe(record, time_left.update(record), n_failed), refresh=False)
                bar.update()
        except _worker_errors(backend) as error:
            # Runs are sent to local processes in their order, so what was being made is among the first ones left.
            left = [run for run in pending if run.identity not in stored]
            suspects = left[: parallel.n_jobs] if backend == "loky" else []
            raise RuntimeError(
                f"workers were lost ({type(error).__name__}), perhaps for lack of memory; {len(stored)} of "
                f"{len(pending)} pending runs were stored: start again to resume, with fewer processes if memory is "
                f"short{_describe_suspects(suspects)}"
            ) from error


def _describe_suspects(runs: list[RunSettings]) -> str:
    if not runs:
        return ""
    named = ", ".join(f"{run.arm} on {run.table} ({run.regime} rows, split {run.split})" for run in runs)
    return f". If it happens again, one of the runs that were being made may be the reason; leave it out: {named}"


def _worker_errors(backend: str) -> tuple[type[BaseException], ...]:
    """What a backend raises when it gives up on its workers."""
    if backend == "loky":
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        return (TerminatedWorkerError,)
    from concurrent.futures import CancelledError

    from distributed import KilledWorker
    from distributed.comm import CommClosedError

    return KilledWorker, CommClosedError, CancelledError


def _execute_as_worker(run: RunSettings, parent: int | None) -> dict[str, Any]:
    """One run in a worker, which ends when the process `parent` that waits for it has died."""
    if parent is not None and parent != os.getpid():
        _follow_parent(parent)
    return execute_run(run)


def _follow_parent(parent: int) -> None:
    """End this process if its parent is gone, and start one thread that goes on watching for that.

    A parent that is killed can't tell its workers, which would finish runs that nobody stores
    and then wait for ever, each with its memory.
    """
    if os.getppid() != parent:  # it was killed while this process was starting
        os._exit(1)
    name = f"follow-{parent}"

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_CHECK_SECONDS)
        os._exit(1)

    if all(thread.name != name for thread in threading.enumerate()):
        threading.Thread(target=watch, name=name, daemon=True).start()


def _describe(record: dict[str, Any], seconds_left: float | None, n_failed: int) -> str:
    """What stands behind the bar: the time left, the run that has just arrived, and how many failed."""
    from tqdm import tqdm

    left = [] if seconds_left is None else [f"{tqdm.format_interval(seconds_left)} left"]
    failed = [f"{n_failed} failed"] if n_failed else []
    return ", ".join([*left, f"last {record['settings']['table']}/{record['settings']['arm']}", *failed])


@contextmanager
def _parallel(backend: str, *, scheduler: str | None, n_jobs: int | None) -> Iterator[Any]:
    """A joblib.Parallel that yields results as they are finished, one task at a time to each worker."""
    from joblib import Parallel, cpu_count, parallel_config

    n_jobs = n_jobs or cpu_count()
    options = {"return_as": "generator_unordered", "batch_size": 1}
    if backend == "loky":
        with warnings.catch_warnings(), parallel_config(backend="loky", n_jobs=n_jobs, inner_max_num_threads=1):
            # loky replaces a worker whose memory has grown, and torch keeps some for each new shape of a table.
            warnings.filterwarnings(
                "ignore", message="A worker stopped while some jobs were given", category=UserWarning
            )
            yield Parallel(**options)
        return
    with _connect(scheduler, n_jobs=n_jobs) as client, parallel_config(backend=_make_dask_backend(client), n_jobs=-1):
        # All at once: workers that join later must find work, and the scheduler repeats what a lost worker had.
        yield Parallel(pre_dispatch="all", **options)


def _make_dask_backend(client: Any) -> Any:
    """joblib's Dask backend, which as it comes would wait for ever for a task that Dask has given up on."""
    from joblib._dask import DaskDistributedBackend

    class Backend(DaskDistributedBackend):
        def submit(self, func, callback=None):
            def tell(done):  # joblib 1.6 calls back for results alone
                if callback is not None and done.exception() is not None:
                    callback(done.exception())

            waiting = super().submit(func, callback)
            waiting.add_done_callback(tell)
            return waiting

    return Backend(client=client)


@contextmanager
def _connect(scheduler: str | None, *, n_jobs: int) -> Iterator[Any]:
    """A Dask client of the scheduler, or of a local cluster that ends with the block."""
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise ImportError("backend='dask' needs the extra 'cluster': pip install 'causalmix-utils[cluster]'") from error
    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=_CONNECT_SECONDS)
        except OSError as error:
            raise ConnectionError(f"scheduler={scheduler!r} can't be reached: {error}") from error
        with client:
            yield client
        return
    with (
        LocalCluster(n_workers=n_jobs, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client
