"""The benchmark on a Dask cluster: a real scheduler and real workers on this machine, one of them killed."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pandas as pd
import pytest

from causalmix_utils.benchmark import RunStore, get_profile, run_benchmark

pytest.importorskip("distributed")

GRID = replace(get_profile("smoke").subset(tables=["wine"], arms=["zero_shot", "default", "smote"]), regimes={90: 3})
MEASURED = ("seconds", "peak_memory_mb", "finished_at", "commit", "environment")
PATIENCE = 300  # seconds; a busy machine must not fail a test


def without_times(results):
    return results.drop(columns=[column for column in results if column.startswith(MEASURED)])


def launch(module, *arguments):
    command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_for(what, is_true):
    deadline = time.monotonic() + PATIENCE
    while not is_true():
        assert time.monotonic() < deadline, f"{what} took too long"
        time.sleep(0.05)


@pytest.fixture
def cluster(tmp_path):
    """A scheduler's address, and two worker processes by the names that the scheduler knows them by."""
    from distributed import Client

    about = tmp_path / "scheduler.json"
    processes = [
        launch("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", about)
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


@pytest.mark.slow
def test_a_worker_killed_in_mid_run_loses_nothing_and_doubles_nothing(cluster, tmp_path):
    client, workers = cluster
    address = client.scheduler.address
    path = tmp_path / "runs.sqlite"
    stored_when_killed = []

    def kill_the_first():
        def is_in_mid_run():
            names = {worker["name"]: key for key, worker in client.scheduler_info()["workers"].items()}
            return count_rows(path) > 0 and len(client.processing().get(names.get("first"), ())) > 0

        wait_for("the first result", is_in_mid_run)
        workers["first"].send_signal(signal.SIGKILL)
        stored_when_killed.append(count_rows(path))

    killer = threading.Thread(target=kill_the_first)
    killer.start()
    results = run_benchmark(GRID, path, backend="dask", scheduler=address, progress=False)
    killer.join()
    (stored,) = stored_when_killed
    assert 0 < stored < len(GRID.runs()), "the worker was killed neither before nor after the work"
    assert workers["first"].wait(timeout=PATIENCE) == -signal.SIGKILL
    assert workers["second"].poll() is None
    assert sorted(results["id"]) == sorted(run.identity for run in GRID.runs())
    with RunStore(path) as store:
        assert store.failures().empty
    here = run_benchmark(GRID, tmp_path / "here.sqlite", n_jobs=1, progress=False)
    pd.testing.assert_frame_equal(without_times(results), without_times(here))


def count_rows(path):
    if not path.exists():
        return 0
    with RunStore(path) as store:
        return len(store.identities())


def test_a_scheduler_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("causalmix_utils.benchmark.runner._CONNECT_SECONDS", 0.5)
    with pytest.raises(ConnectionError, match="scheduler='tcp://127.0.0.1:9' can't be reached"):
        run_benchmark(GRID, tmp_path / "runs.sqlite", backend="dask", scheduler="tcp://127.0.0.1:9", progress=False)
