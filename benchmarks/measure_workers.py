"""Measure how many runs an hour the benchmark makes with one worker and with two.

The same grid is run with each number of workers, in turn and several times, each time into a new store. Before the
clock starts, every worker has made a run, so that loading the libraries, which a long benchmark does once, is not
counted. Run it on a machine that does nothing else.

    python benchmarks/measure_workers.py

writes ``book/results/workers.json``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from causalmix_utils.benchmark import Profile, get_profile, run_benchmark
from causalmix_utils.benchmark.environment import describe_environment
from causalmix_utils.benchmark.export import write_whole

ROOT = Path(__file__).parents[1]
WORKERS = (1, 2)
ARMS = ("default", "causal", "smote")


def measure(grid: Profile, n_workers: int, folder: Path) -> dict[str, Any]:
    """Run a grid with so many processes.

    Parameters
    ----------
    grid : Profile
    n_workers : int
    folder : Path
        For the store.

    Returns
    -------
    dict
        ``n_workers``, ``runs``, ``seconds`` by the wall, ``runs_per_hour``, and ``compute_seconds``, the sum over the
        runs: where it grows with the number of workers, they slow each other down.
    """
    # One run for each worker, on other splits than those that are timed. The processes are kept for the next call.
    first = replace(grid, tables=tuple(grid.table_names()[:1]), regimes={60: 2 * n_workers}, arms=("zero_shot",))
    run_benchmark(first, folder / f"first-{n_workers}.sqlite", n_jobs=n_workers, progress=False)
    begun = time.monotonic()
    results = run_benchmark(grid, folder / f"grid-{n_workers}.sqlite", n_jobs=n_workers)
    seconds = time.monotonic() - begun
    if len(results) < len(grid.runs()):
        raise RuntimeError(f"only {len(results)} of {len(grid.runs())} runs were finished")
    return {
        "n_workers": n_workers,
        "runs": len(results),
        "seconds": seconds,
        "runs_per_hour": 3600 * len(results) / seconds,
        "compute_seconds": float(results["seconds_total"].sum()),
    }


def compare(grid: Profile, folder: Path, *, workers: tuple[int, ...] = WORKERS, repeats: int = 1) -> dict[str, Any]:
    """Runs an hour for each number of workers, and how many times those of the first.

    Each repetition goes through the numbers of workers in the other order, so that a machine that gets slower or
    faster favours none of them.
    """
    rounds = []
    for repeat in range(repeats):
        place = folder / str(repeat)
        place.mkdir()
        order = workers if repeat % 2 == 0 else workers[::-1]
        made = {n_workers: measure(grid, n_workers, place) for n_workers in order}
        rounds.append([made[n_workers] for n_workers in workers])
    for rows in rounds:
        for row in rows:
            row["times_the_first"] = row["runs_per_hour"] / rows[0]["runs_per_hour"]
    times = [statistics.median(row["times_the_first"] for row in rows) for rows in zip(*rounds, strict=True)]
    return {
        "tables": grid.table_names(),
        "arms": list(grid.arms),
        "regimes": grid.regimes,
        "times_the_first": dict(zip(map(str, workers), times, strict=True)),
        "measured": rounds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profile", default="chapter", help="profile of the grid (default: chapter)")
    parser.add_argument("--arms", default=",".join(ARMS), help=f"arms of the grid (default: {','.join(ARMS)})")
    parser.add_argument("--out", type=Path, default=ROOT / "book" / "results" / "workers.json")
    parser.add_argument("--repeats", type=int, default=3, help="repetitions (default: 3)")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    grid = get_profile(options.profile).subset(arms=options.arms.split(","))
    with tempfile.TemporaryDirectory() as folder:
        found = compare(grid, Path(folder), repeats=options.repeats)
    write_whole(
        options.out, {"profile": options.profile, "load_before": load} | found | {"environment": describe_environment()}
    )
    for row in (row for rows in found["measured"] for row in rows):
        speed = f"{row['runs_per_hour']:.0f} runs an hour, {row['times_the_first']:.2f} times those of the first"
        print(f"{row['n_workers']} workers: {row['runs']} runs in {row['seconds']:.0f} s, {speed}")
    print("median:", ", ".join(f"{n} workers {times:.2f} times" for n, times in found["times_the_first"].items()))


if __name__ == "__main__":
    main()
