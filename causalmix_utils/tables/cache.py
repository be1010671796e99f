"""The folder in which tables from OpenML are kept, with hashes that are compared on every read."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pandas as pd

from causalmix_utils.tables.hashing import content_hash
from causalmix_utils.tables.table import Table
from causalmix_utils.whole_files import replacing


def cache_paths(folder: Path, task_id: int) -> dict[str, Path]:
    """The files of one task."""
    return {
        "table": folder / f"openml-task-{task_id}.parquet",
        "about": folder / f"openml-task-{task_id}.json",
        "splits": folder / f"openml-task-{task_id}-splits.json",
    }


def write_table(table: Table, task_id: int, folder: Path) -> None:
    """Store a table and its hash."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = cache_paths(folder, task_id)
    with replacing(paths["table"]) as temporary:
        table.to_frame().to_parquet(temporary, index=False)
    about = {
        "name": table.name,
        "target": table.target,
        "categorical": table.categorical,
        "source": table.source,
        "licence": table.licence,
        "content_hash": content_hash(table),
    }
    # Written last: where this file is, the table is complete.
    _write_text(paths["about"], json.dumps(about, indent=2))


def read_table(task_id: int, folder: Path) -> Table:
    """Read a stored table; raises ValueError if its content is not what was stored."""
    paths = cache_paths(folder, task_id)
    about = json.loads(paths["about"].read_text(encoding="utf-8"))
    table = Table.from_frame(
        pd.read_parquet(paths["table"]),
        target=about["target"],
        categorical=about["categorical"],
        name=about["name"],
        source=about["source"],
        licence=about["licence"],
    )
    if content_hash(table) != about["content_hash"]:
        raise ValueError(
            f"the cached table {str(paths['table'])!r} has content hash {content_hash(table)}, but "
            f"{about['content_hash']} was stored with it; delete {paths['about'].name} there to fetch it again"
        )
    return table


def write_splits(splits: dict, task_id: int, folder: Path) -> None:
    """Store the official splits, {(repeat, fold): (training rows, test rows)}, and their hash."""
    rows = [{"repeat": r, "fold": f, "train": train, "test": test} for (r, f), (train, test) in splits.items()]
    text = json.dumps(rows)
    digest = hashlib.sha256(text.encode()).hexdigest()
    _write_text(cache_paths(folder, task_id)["splits"], json.dumps({"sha256": digest, "splits": text}))


def read_splits(task_id: int, folder: Path) -> dict:
    """Read stored splits; raises ValueError if they are not what was stored."""
    path = cache_paths(folder, task_id)["splits"]
    stored = json.loads(path.read_text(encoding="utf-8"))
    if hashlib.sha256(stored["splits"].encode()).hexdigest() != stored["sha256"]:
        raise ValueError(f"the cached splits {str(path)!r} do not have the hash stored with them; delete the file")
    return {(row["repeat"], row["fold"]): (row["train"], row["test"]) for row in json.loads(stored["splits"])}


def _write_text(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
