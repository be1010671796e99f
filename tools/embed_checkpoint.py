"""Take a finished pretraining run into the package: its checkpoint, its provenance and its log.

    python tools/embed_checkpoint.py RUN_FOLDER --threads 2

writes ``causalmix_utils/weights/nano.safetensors`` and ``nano.json``, the numbers in ``MODEL_CARD.md``, and, for the
chapters, ``book/results/pretraining_log.parquet`` with its provenance.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import shutil
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from safetensors import safe_open

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools import model_card  # noqa: E402

WEIGHTS = ROOT / "causalmix_utils" / "weights"
RESULTS = ROOT / "book" / "results"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of a finished `causalmix pretrain` run")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads that the run was given")
    options = parser.parse_args()
    run = options.run
    checkpoint = run / "checkpoint.safetensors"
    if not checkpoint.exists():
        parser.error(f"{run} holds no finished run: checkpoint.safetensors is missing")
    log = pd.read_parquet(run / "log.parquet")
    shutil.copyfile(checkpoint, WEIGHTS / "nano.safetensors")
    provenance = describe(run, log, checkpoint, threads=options.threads)
    write_json(WEIGHTS / "nano.json", provenance)
    RESULTS.mkdir(parents=True, exist_ok=True)
    log.to_parquet(RESULTS / "pretraining_log.parquet", index=False)
    write_json(RESULTS / "pretraining_log.json", provenance)
    model_card.main()


def describe(run: Path, log: pd.DataFrame, checkpoint: Path, *, threads: int = 1) -> dict:
    """Everything that one needs to know to make the checkpoint again."""
    with safe_open(run / "state.safetensors", framework="pt") as state:
        settings = json.loads(state.metadata()["settings"])
    with safe_open(checkpoint, framework="pt") as file:
        parameters = sum(file.get_tensor(name).numel() for name in file.keys())  # noqa: SIM118 (not iterable)
    return {
        "name": "nano",
        "description": "Trained from scratch on synthetic tables alone; not one of Prior Labs' models.",
        "licence": "BSD-3-Clause",
        "sha256": hashlib.sha256(checkpoint.read_bytes()).hexdigest(),
        "architecture": settings["layout"],
        "parameters": parameters,
        "settings": settings,
        "steps": len(log),
        "tables": int(log["tables"].sum()),
        "training_hours": round(float(log["seconds"].sum()) / 3600, 3),
        "threads": threads,
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()} CPU, {'one thread' if threads == 1 else f'{threads} threads'}",
        "versions": {package: version(package) for package in ("numpy", "tabpfn", "torch")}
        | {"python": platform.python_version()},
    }


def write_json(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
