"""Fit with one seed again and again, and kill fits at random moments: equal models, and no partial file.

    python benchmarks/check_fits.py

*Repeats.* ``CausalMixFTClassifier`` with its defaults is fitted 20 times on the same rows with the same seed, half of
the times in a process of its own. Probabilities, trajectory and synthetic rows must be the same to the last bit.

*Kills.* ``causalmix finetune … --save`` is ended by SIGKILL, which no process can catch, at moments drawn at random.
Then the folder must hold nothing, or one whole file that loads.

Writes ``book/results/fits.json`` and exits with status 1 if fits differ or something partial was left.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from causalmix_utils.benchmark.environment import describe_environment
from causalmix_utils.benchmark.export import write_whole
from causalmix_utils.finetuning import CausalMixFTClassifier
from causalmix_utils.tables import load_table, scarce_split
from causalmix_utils.threads import single_thread

ROOT = Path(__file__).resolve().parents[1]
TABLE, N_ROWS, SEED = "titanic", 200, 0
QUICK = ("--generator", "smote", "--rows", "90", "--steps", "5", "--estimators", "1")


def fit_once(options: dict) -> str:
    """A hash of everything that a fit gives."""
    train, _, test = scarce_split(load_table(TABLE), n=N_ROWS, split=0, max_test=200)
    with single_thread():
        model = CausalMixFTClassifier(random_state=SEED, device="cpu", **options).fit(train.X, train.y)
        proba = model.predict_proba(test.X)
    parts = [
        proba.tobytes(),
        model.trajectory_.drop(columns="seconds").to_csv().encode(),
        b"" if model.synthetic_ is None else model.synthetic_.to_frame().to_csv().encode(),
    ]
    return hashlib.sha256(b"\x1f".join(parts)).hexdigest()


def repeat_fits(n_repeats: int, **options) -> list[str]:
    """Hashes of fits, every second one in a new process."""
    hashes = []
    for place in range(n_repeats):
        if place % 2 == 0:
            hashes.append(fit_once(options))
            continue
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            hashes.append(pool.apply(fit_once, (options,)))
            pool.close()
            pool.join()
    return hashes


def kill_fits(n_kills: int, folder: Path, rng: np.random.Generator) -> list[dict]:
    """Kill fits that would save a file; what each left behind."""
    longest = run_finetune(folder / "undisturbed" / "model.safetensors", delay=None)
    lines = []
    for place in range(n_kills):
        path = folder / f"kill-{place}" / "model.safetensors"
        delay = float(rng.uniform(0, longest))
        run_finetune(path, delay=delay)
        left = sorted(file.name for file in path.parent.iterdir())
        lines.append({"seconds": delay, "left": left, "whole": left == [path.name] and is_whole(path)})
    return lines


def run_finetune(path: Path, *, delay: float | None) -> float:
    """Seconds of ``causalmix finetune``, which is killed after `delay` seconds if it lasts so long."""
    path.parent.mkdir(parents=True)
    command = [sys.executable, "-m", "causalmix_utils", "finetune", TABLE, *QUICK, "--save", str(path)]
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(timeout=delay)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return time.monotonic() - started


def is_whole(path: Path) -> bool:
    """Whether a file holds a model."""
    try:
        CausalMixFTClassifier.load(path)
    except ValueError:
        return False
    return True


def find_partial(kills: list[dict]) -> list[dict]:
    """The kills that left something, but no whole model, or something beside it."""
    return [kill for kill in kills if kill["left"] and not kill["whole"]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--out", type=Path, default=ROOT / "book" / "results" / "fits.json")
    options = parser.parse_args()
    hashes = repeat_fits(options.repeats)
    with tempfile.TemporaryDirectory() as folder:
        kills = kill_fits(options.kills, Path(folder), np.random.default_rng(SEED))
    partial = find_partial(kills)
    report = {
        "command": "python benchmarks/check_fits.py",
        "table": TABLE,
        "rows": N_ROWS,
        "seed": SEED,
        "repeats": len(hashes),
        "different_models": len(set(hashes)),
        "kills": kills,
        "partial_files": len(partial),
        "environment": describe_environment(),
    }
    write_whole(options.out, report)
    print(f"{len(hashes)} fits, {len(set(hashes))} different models; {len(kills)} kills, {len(partial)} partial files")
    return int(len(set(hashes)) > 1 or bool(partial))


if __name__ == "__main__":
    sys.exit(main())
