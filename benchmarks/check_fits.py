"""Fit with one seed again and again, and kill fits at random moments: equal models, and no partial file.

    python benchmarks/check_fits.py

*Repeats.* ``CausalMixFTClassifier`` with its defaults is fitted 20 times on the same rows with the same seed, half of
the times in a process of its own. Probabilities, trajectory and synthetic rows must be the same to the last bit.

*Kills.* ``causalmix finetune … --save`` is ended by SIGKILL, which no process can catch: half of the times at a moment
drawn at random, half of the times within milliseconds of the first trace of the file. Then there must be no file of
that name, or a whole one that loads. Beside it a temporary file may be left, whose name says what it is.

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
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from causalmix_utils.benchmark.environment import describe_environment
from causalmix_utils.benchmark.export import write_whole
from causalmix_utils.finetuning import CausalMixFTClassifier
from causalmix_utils.tables import load_table, scarce_split
from causalmix_utils.threads import single_thread

ROOT = Path(__file__).resolve().parents[1]
TABLE, N_ROWS, SEED = "titanic", 200, 0
WRITING_SECONDS = 0.01
"""Longer than the file takes to be written."""
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
    """Kill fits that would save a file, every second one while it writes; what each left behind.

    Raises
    ------
    RuntimeError
        If a fit that nobody disturbs leaves no whole file: then killing others would show nothing.
    """
    undisturbed = folder / "undisturbed" / "model.safetensors"
    started = time.monotonic()
    status = start_fit(undisturbed).wait()
    longest = time.monotonic() - started
    if status != 0 or not is_whole(undisturbed):
        raise RuntimeError(f"the undisturbed fit ended with status {status} and left no whole file")
    lines = []
    for place in range(n_kills):
        path = folder / f"kill-{place}" / "model.safetensors"
        while_writing = place % 2 == 1
        delay = float(rng.uniform(0, WRITING_SECONDS if while_writing else longest))
        process = start_fit(path)
        while while_writing and process.poll() is None and not any(path.parent.iterdir()):
            time.sleep(0.0005)
        try:
            process.wait(timeout=delay)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        left = sorted(file.name for file in path.parent.iterdir())
        lines.append(
            {
                "while_writing": while_writing,
                "seconds": delay,
                "killed": process.returncode != 0,
                "left": left,
                "whole": path.exists() and is_whole(path),
            }
        )
    return lines


def start_fit(path: Path) -> subprocess.Popen:
    """``causalmix finetune`` in a process of its own, which will save to `path` in a new folder."""
    path.parent.mkdir(parents=True)
    command = [sys.executable, "-m", "causalmix_utils", "finetune", TABLE, *QUICK, "--save", str(path)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def is_whole(path: Path) -> bool:
    """Whether a file holds a model."""
    try:
        CausalMixFTClassifier.load(path)
    except ValueError:
        return False
    return True


def find_partial(kills: list[dict]) -> list[dict]:
    """The kills that left something other than a whole model and a temporary file."""
    return [
        kill
        for kill in kills
        if [name for name in kill["left"] if not (name.startswith(".") and name.endswith(".tmp"))]
        != ["model.safetensors"] * kill["whole"]
    ]


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
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
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
