"""Kill a benchmark at random moments, resume it each time, and compare its store with an undisturbed one.

Twenty times a run of the ``smoke`` profile is ended by SIGKILL, which no process can catch, at a moment drawn at
random, and started again. Whenever a store is complete, it is compared with the undisturbed one – every number of every
run, and every trajectory – and a new store is begun. Runs that were stored before a kill must not be made again.

    python benchmarks/check_resume.py --kills 20

writes ``book/results/resume.json`` and exits with status 1 if any store differs.
"""

from __future__ import annotations

import argparse
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from causalmix_utils.benchmark import RunStore
from causalmix_utils.benchmark.environment import describe_environment
from causalmix_utils.benchmark.export import write_whole

ROOT = Path(__file__).parents[1]
SMOKE = ("--profile", "smoke", "--n-jobs", "2")
_MEASURED = ("seconds", "peak_memory_mb", "finished_at", "commit", "environment")  # differ between equal runs


def start(arguments: tuple[str, ...], store: Path) -> subprocess.Popen:
    """A benchmark in a process of its own."""
    command = [sys.executable, "-m", "causalmix_utils", "benchmark", *arguments, "--store", str(store)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def run_to_its_end(arguments: tuple[str, ...], store: Path) -> float:
    """Seconds that an undisturbed benchmark takes; raises RuntimeError if it fails."""
    begun = time.monotonic()
    status = start(arguments, store).wait()
    if status != 0:
        raise RuntimeError(f"the undisturbed benchmark ended with status {status}")
    return time.monotonic() - begun


def run_until_killed(arguments: tuple[str, ...], store: Path, *, delay: float | None) -> bool:
    """Kill a benchmark after `delay` seconds; False if it was done before, or `delay` is None."""
    process = start(arguments, store)
    try:
        process.wait(timeout=delay)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def read_finished(store: Path) -> dict[str, str]:
    """When each stored run was finished, by identity; empty before there is a store."""
    if not store.is_file():
        return {}
    with RunStore(store) as opened:
        results = opened.results()
    return dict(zip(results["id"], results["finished_at"], strict=True)) if len(results) else {}


def find_differences(store: Path, reference: Path) -> list[str]:
    """What is not the same in two finished stores, times, memory and place aside; an empty list if all is."""
    found = []
    with sqlite3.connect(store) as connection:
        (answer,) = connection.execute("PRAGMA integrity_check").fetchone()
    if answer != "ok":
        found.append(f"the file is damaged: {answer}")
    with RunStore(store) as left, RunStore(reference) as right:
        pairs = {
            "results": (left.results(), right.results()),
            "trajectories": (left.trajectories(), right.trajectories()),
            "failures": (left.failures(), right.failures()),
        }
    for name, frames in pairs.items():
        try:
            pd.testing.assert_frame_equal(*(_drop_measured(frame) for frame in frames))
        except AssertionError as error:
            found.append(f"{name} differ: {' '.join(str(error).split())}")
    return found


def _drop_measured(frame: pd.DataFrame) -> pd.DataFrame:
    kept = frame.drop(columns=[column for column in frame if column.startswith(_MEASURED)])
    return kept.sort_values(list(kept.columns[:1]), kind="stable", ignore_index=True)


def check_kills(
    arguments: tuple[str, ...], folder: Path, *, n_kills: int, longest_delay: float | None, rng: np.random.Generator
) -> dict[str, Any]:
    """Kill and resume until `n_kills` kills have hit; compare every store that is completed.

    Parameters
    ----------
    arguments : tuple of str
        The benchmark's, without its store.
    folder : Path
        For the stores.
    n_kills : int
    longest_delay : float or None
        Kills come after so many seconds at most; None takes the time of the undisturbed benchmark, start included, so
        that kills fall on all of its runs and several stores are completed.
    rng : numpy.random.Generator
        Draws the moments.

    Returns
    -------
    dict
        ``undisturbed_seconds``; ``kills``, each with its round, its moment and the runs stored before and after;
        ``rounds``, the number of stores that were completed; ``differences``, a list of texts that should be empty.
    """
    reference = folder / "undisturbed.sqlite"
    seconds = run_to_its_end(arguments, reference)
    longest = longest_delay or seconds
    kills, differences, rounds = [], [], 0
    while len(kills) < n_kills or (kills and rounds <= kills[-1]["round"]):
        store = folder / f"round-{rounds}.sqlite"
        before = read_finished(store)
        delay = float(rng.uniform(0, longest)) if len(kills) < n_kills else None
        was_killed = run_until_killed(arguments, store, delay=delay)
        after = read_finished(store)
        changed = [run for run, finished in before.items() if after.get(run) != finished]
        if changed:
            differences.append(f"round {rounds}: {len(changed)} stored runs were lost or made again")
        if was_killed:
            kills.append({"round": rounds, "seconds": delay, "stored_before": len(before), "stored_after": len(after)})
        else:
            differences += [f"round {rounds}: {text}" for text in find_differences(store, reference)]
            rounds += 1
    return {"undisturbed_seconds": seconds, "kills": kills, "rounds": rounds, "differences": differences}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20, help="number of kills (default: 20)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the moments (default: 0)")
    parser.add_argument("--out", type=Path, default=ROOT / "book" / "results" / "resume.json")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        found = check_kills(
            SMOKE, Path(folder), n_kills=options.kills, longest_delay=None, rng=np.random.default_rng(options.seed)
        )
        runs = len(read_finished(Path(folder) / "undisturbed.sqlite"))
    about = {"profile": "smoke", "runs": runs, "seed": options.seed, "load_before": load}
    write_whole(options.out, about | found | {"environment": describe_environment()})
    print(f"{len(found['kills'])} kills, {found['rounds']} stores completed")
    print("\n".join(found["differences"]) or "no difference from the undisturbed store")
    return 1 if found["differences"] else 0


if __name__ == "__main__":
    sys.exit(main())
