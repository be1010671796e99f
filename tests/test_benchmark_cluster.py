"""The benchmark on several processes of this machine, some of them killed: local workers, and a real Dask cluster."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import pandas as pd
import pytest

from causalmix_utils.benchmark import RunStore, find_pending, get_profile, run_benchmark

pytest.importorskip("distributed")

GRID = replace(get_profile("smoke").subset(tables=["wine"], arms=["zero_shot", "default", "smote"]), regimes={90: 3})
MEASURED = ("seconds", "peak_memory_mb", "finished_at", "commit", "environment")
PATIENCE = 300  # seconds; a busy machine must not fail a test


def without_times(results):
    return results.drop(columns=[column for column in results if column.startswith(MEASURED)])


def launch(module, *arguments, **environment):
    command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_for(what, is_true):
    deadline = time.monotonic() + PATIENCE
    while not is_true():
        assert time.monotonic() < deadline, f"{what} took too long"
        time.sleep(0.05)


@contextmanager
def start_cluster(folder, *, allowed_failures=3):
    """A client of a scheduler, and two worker processes by the names that the scheduler knows them by."""
    from distributed import Client

    about = folder / "scheduler.json"
    options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", about]
    processes = [
        launch("dask_scheduler", *options, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES=str(allowed_failures))
    ]
    try:
        wait_for("the scheduler", about.exists)
        # Without a nanny nobody starts a killed worker again. Two threads each, which must not disturb each other.
        options = ["--scheduler-file", about, "--no-nanny", "--no-dashboard", "--nthreads", "2"]
        workers = {name: launch("dask_worker", *options, "--name", name) for name in ("first", "second")}
        processes += workers.values()
        with Client(scheduler_file=str(about), timeout=60) as client:
            client.wait_for_workers(2, timeout=PATIENCE)
            yield client, workers
    finally:
        for process in processes:
            process.kill()
            process.wait()


def is_in_mid_run(client, path):
    """Whether something is stored and the first worker has something to do."""
    names = {worker["name"]: key for key, worker in client.scheduler_info()["workers"].items()}
    return count_rows(path) > 0 and len(client.processing().get(names.get("first"), ())) > 0


@contextmanager
def killing(victims, *, when):
    """Kill processes once `when` is true, while the block runs; they are looked up then."""

    def kill():
        wait_for("the first result", when)
        for process in victims():
            process.send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    yield
    killer.join()


def check_whole(path, folder):
    """The store holds every run once, none failed, with the numbers of undisturbed runs in this process."""
    results = run_benchmark(GRID, path, n_jobs=1, progress=False)
    assert sorted(results["id"]) == sorted(run.identity for run in GRID.runs())
    with RunStore(path) as store:
        assert store.failures().empty
    here = run_benchmark(GRID, folder / "here.sqlite", n_jobs=1, progress=False)
    pd.testing.assert_frame_equal(without_times(results), without_times(here))


@pytest.mark.slow
def test_a_worker_killed_in_mid_run_loses_nothing_and_doubles_nothing(tmp_path):
    path = tmp_path / "runs.sqlite"
    with start_cluster(tmp_path) as (client, workers):
        address = client.scheduler.address
        with killing(lambda: [workers["first"]], when=lambda: is_in_mid_run(client, path)):
            run_benchmark(GRID, path, backend="dask", scheduler=address, progress=False)
        assert workers["first"].wait(timeout=PATIENCE) == -signal.SIGKILL
        assert workers["second"].poll() is None
    assert count_rows(path) == len(GRID.runs()), "another worker made what the killed one had begun"
    check_whole(path, tmp_path)


@pytest.mark.slow
def test_a_cluster_that_gives_up_is_told_and_what_was_finished_is_kept(tmp_path):
    path = tmp_path / "runs.sqlite"
    with (
        start_cluster(tmp_path, allowed_failures=0) as (client, workers),
        killing(workers.values, when=lambda: is_in_mid_run(client, path)),
        pytest.raises(RuntimeError, match=r"workers were lost \(KilledWorker\).* of 9 pending runs were stored"),
    ):
        run_benchmark(GRID, path, backend="dask", scheduler=client.scheduler.address, progress=False)
    assert 0 < count_rows(path) < len(GRID.runs())
    check_whole(path, tmp_path)


@pytest.mark.slow
def test_a_lost_local_worker_is_told_and_what_was_finished_is_kept(tmp_path):
    psutil = pytest.importorskip("psutil")
    path = tmp_path / "runs.sqlite"

    def workers():
        return [child for child in psutil.Process().children() if "popen_loky" in " ".join(child.cmdline())][:1]

    with (
        killing(workers, when=lambda: count_rows(path) > 0 and workers()),
        pytest.raises(
            RuntimeError, match=r"workers were lost \(TerminatedWorkerError\).* start again to resume"
        ) as lost,
    ):
        run_benchmark(GRID, path, n_jobs=2, progress=False)
    with RunStore(path) as store:
        first = find_pending(GRID.runs(), store)[0]
    assert f"leave it out: {first.arm} on {first.table} ({first.regime} rows" in str(lost.value)
    assert 0 < count_rows(path) < len(GRID.runs())
    check_whole(path, tmp_path)


def count_rows(path):
    if not path.exists():
        return 0
    with RunStore(path) as store:
        return len(store.identities())


def test_a_scheduler_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("causalmix_utils.benchmark.runner._CONNECT_SECONDS", 0.5)
    with pytest.raises(ConnectionError, match="scheduler='tcp://127.0.0.1:9' can't be reached"):
        run_benchmark(GRID, tmp_path / "runs.sqlite", backend="dask", scheduler="tcp://127.0.0.1:9", progress=False)
