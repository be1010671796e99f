"""Compare the embedded checkpoint, without any fine-tuning, with ordinary models on every embedded table.

    python benchmarks/compare_models.py                                # all that is missing, then the export
    python benchmarks/compare_models.py --roles development --no-export
    python benchmarks/compare_models.py --models random_forest boosting --jobs 2 --no-export

For each table, split and number of context rows, every model is fitted to the same context rows (the train and
validation parts of `scarce_split`) and predicts the same test rows, on one thread. Each finished score is stored
at once, so the script can be stopped at any moment and started again. A score is known by its table's content, its
split, its model and, for the checkpoint, the hash of its weights: with new weights only the checkpoint's scores are
made again. A store that does not exist yet starts with what was exported last.

Writes ``book/results/zero_shot.parquet``, one score a row, and ``zero_shot.json``, which says where they come from.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import multiprocessing
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # Python looks beside a script, not above it.
    sys.path.insert(0, str(ROOT))

from benchmarks.score_store import JsonStore  # noqa: E402
from causalmix_utils.baselines import BASELINES, make_baseline  # noqa: E402
from causalmix_utils.benchmark.arms import hash_checkpoint  # noqa: E402
from causalmix_utils.benchmark.environment import describe_environment  # noqa: E402
from causalmix_utils.benchmark.export import write_whole  # noqa: E402
from causalmix_utils.foundation import EMBEDDED_WEIGHTS, load_classifier  # noqa: E402
from causalmix_utils.metrics import expected_calibration_error, log_loss, roc_auc  # noqa: E402
from causalmix_utils.tables import Table, content_hash, list_tables, load_table, scarce_split  # noqa: E402
from causalmix_utils.tables.embedded import ROLES  # noqa: E402
from causalmix_utils.threads import single_thread  # noqa: E402

RESULTS = ROOT / "book" / "results"
NAME = "zero_shot"

PROTOCOL = 1
"""Raise it when a model's definition or the way of scoring changes: then every score is made again."""

CONTEXT_ROWS = (200, 500)
N_SPLITS = 5
MAX_TEST_ROWS = 2000
CHECKPOINT_MODELS = {"nano_1": 1, "nano_4": 4}
"""Names of the checkpoint as a model, and the number of estimators of each."""

MODELS = (*CHECKPOINT_MODELS, *BASELINES)
ORDER = ["n", "table", "split", "model"]


@dataclass(frozen=True)
class Task:
    """One score to be made: everything that decides it."""

    table: str
    table_hash: str
    n: int
    split: int
    model: str
    checkpoint: str
    protocol: int = PROTOCOL

    @property
    def identity(self) -> str:
        """The same for equal tasks, in every process."""
        return json.dumps(asdict(self), sort_keys=True)


def list_tasks(*, roles: Sequence[str] = ROLES, models: Sequence[str] = MODELS) -> list[Task]:
    """All scores of some tables and models.

    Where the larger number of context rows gives no more rows than the smaller, because the table is small, it is
    left out: it would repeat the smaller one's score.
    """
    tables = list_tables()
    checkpoint = hash_checkpoint(EMBEDDED_WEIGHTS)
    hashes = {name: hash_table(name) for name in tables.loc[tables["role"].isin(roles), "name"]}
    return [
        Task(
            table=name,
            table_hash=hashes[name],
            n=n,
            split=split,
            model=model,
            checkpoint=checkpoint if model in CHECKPOINT_MODELS else "",
        )
        for name in hashes
        for n in distinct_context_rows(tables.set_index("name").loc[name, "rows"])
        for split in range(N_SPLITS)
        for model in models
    ]


@functools.cache
def hash_table(name: str) -> str:
    """The hash of an embedded table's content, which can't change while the script runs."""
    return content_hash(load_table(name))[:16]


def distinct_context_rows(n_rows: int) -> list[int]:
    """The entries of `CONTEXT_ROWS` that give different context rows on a table of `n_rows` rows.

    >>> distinct_context_rows(1000), distinct_context_rows(303), distinct_context_rows(300)
    ([200, 500], [200, 500], [200])
    """
    by_size = {min(n, int(2 / 3 * n_rows)): n for n in sorted(CONTEXT_ROWS, reverse=True)}
    return sorted(by_size.values())


def execute(task: Task) -> dict[str, Any]:
    """Make one score on one thread: the task, what it scored, and where.

    Raises
    ------
    ValueError
        If the weights have been replaced since the task was made.
    """
    if task.checkpoint and hash_checkpoint(EMBEDDED_WEIGHTS) != task.checkpoint:
        raise ValueError(f"the checkpoint is not {task.checkpoint} any more: its weights were replaced; start again")
    with warnings.catch_warnings(), single_thread():
        # The tabpfn library warns of more than 200 rows without a graphics card. Here that is everyday.
        warnings.filterwarnings("ignore", message="Running on CPU with more than")
        warm_up(task.model)
        context, test = load_rows(task.table, task.n, task.split)
        start = time.process_time()
        model = make_model(task.model, random_state=task.split).fit(context.X, context.y)
        proba = model.predict_proba(test.X)
        # Time of the processor, not of the wall: other programs may share the machine.
        seconds = time.process_time() - start
    return {
        **asdict(task),
        "n_context": len(context),
        "n_test": len(test),
        "auc": roc_auc(test.y, proba, model.classes_),
        "log_loss": log_loss(test.y, proba, model.classes_),
        "calibration_error": expected_calibration_error(test.y, proba, model.classes_),
        "seconds": seconds,
        "environment": describe_environment(),
    }


def make_model(name: str, *, random_state: int):
    """A model of `MODELS`, not fitted."""
    if name in CHECKPOINT_MODELS:
        return load_classifier(n_estimators=CHECKPOINT_MODELS[name], random_state=random_state, device="cpu")
    return make_baseline(name, random_state=random_state)


@functools.cache
def warm_up(model: str) -> None:
    """Let a model load its libraries and its weights once in each process, so that this does not count as its time."""
    context, test = load_rows("iris", 90, 0)
    make_model(model, random_state=0).fit(context.X, context.y).predict_proba(test.X)


@functools.lru_cache(maxsize=2)
def load_rows(table: str, n: int, split: int) -> tuple[Table, Table]:
    """Context and test rows of a split. All models of a split follow each other, so keeping the last one is enough."""
    train, validation, test = scarce_split(load_table(table), n=n, split=split, max_test=MAX_TEST_ROWS)
    return train.concat(validation), test


class ScoreStore(JsonStore):
    """A file of finished scores, and of the environments that they were made in."""

    TABLES = (*JsonStore.TABLES, "environments (id TEXT PRIMARY KEY, content TEXT)")

    def add(self, *records: dict[str, Any]) -> None:
        """Store what `execute` returned, in one transaction; a score that is already there stays as it is."""
        with self._connection:
            for record in records:
                environment = json.dumps(record["environment"], sort_keys=True)
                key = hashlib.sha256(environment.encode()).hexdigest()[:16]
                task = Task(**{name: record[name] for name in Task.__dataclass_fields__})
                self.insert("environments", key, environment)
                self.insert("scores", task.identity, json.dumps(record | {"environment": key}))

    def environments(self) -> dict[str, dict[str, Any]]:
        """Versions, commit and machine by the key that the scores name."""
        return {key: json.loads(text) for key, text in self.read("environments").items()}


def open_store(path: Path, *, exported: Path | None) -> ScoreStore:
    """The store, which starts with the scores of the folder `exported` if it is new."""
    is_new = not path.exists()
    store = ScoreStore(path)
    if is_new and exported is not None and (exported / f"{NAME}.parquet").exists():
        provenance = json.loads((exported / f"{NAME}.json").read_text(encoding="utf-8"))
        environments = {entry.pop("id"): entry for entry in provenance["environments"]}
        for entry in environments.values():
            entry.pop("scores")
        frame = pd.read_parquet(exported / f"{NAME}.parquet").drop(columns="role")
        records = frame.to_dict("records")
        store.add(*(record | {"environment": environments[record["environment"]]} for record in records))
    return store


def make_scores(tasks: Sequence[Task], store: ScoreStore, *, n_jobs: int) -> None:
    """Make the scores that the store lacks; those of `n_jobs` processes arrive in any order."""
    finished = store.records()
    pending = [task for task in tasks if task.identity not in finished]
    with tqdm(total=len(tasks), initial=len(tasks) - len(pending), unit="score", disable=None, smoothing=0.05) as bar:
        for record in _execute_all(pending, n_jobs=n_jobs):
            store.add(record)
            bar.set_postfix_str(f"{record['table']}, {record['model']}")
            bar.update()


def _execute_all(pending: Sequence[Task], *, n_jobs: int) -> Iterator[dict[str, Any]]:
    if n_jobs == 1:
        return map(execute, pending)
    return _execute_in_processes(pending, n_jobs=n_jobs)


def _execute_in_processes(pending: Sequence[Task], *, n_jobs: int) -> Iterator[dict[str, Any]]:
    # New processes import this script by its path, so they find its functions and keep what these remember.
    with ProcessPoolExecutor(n_jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        # Batches, since the models of a split share its rows.
        yield from pool.map(execute, pending, chunksize=len(MODELS))


def export(store: ScoreStore, folder: Path) -> list[Path]:
    """Write all scores of today's tables, models and checkpoint for readers who have no store.

    Raises
    ------
    ValueError
        If a score is missing: a mean over some of the tables would mislead.
    """
    tasks, records = list_tasks(), store.records()
    missing = [task for task in tasks if task.identity not in records]
    if missing:
        raise ValueError(f"{len(missing)} of {len(tasks)} scores are missing, such as {missing[0]}")
    roles = list_tables().set_index("name")["role"]
    frame = pd.DataFrame([records[task.identity] for task in tasks]).sort_values(ORDER, ignore_index=True)
    frame.insert(1, "role", frame["table"].map(roles))
    counts = frame["environment"].value_counts()
    provenance = {
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": "python benchmarks/compare_models.py",
        "scores": len(frame),
        "tables": {role: sorted(frame.loc[frame["role"] == role, "table"].unique()) for role in ROLES},
        "models": {name: f"embedded checkpoint, n_estimators={k}" for name, k in CHECKPOINT_MODELS.items()} | BASELINES,
        "checkpoint": hash_checkpoint(EMBEDDED_WEIGHTS),
        "context_rows": list(CONTEXT_ROWS),
        "splits": N_SPLITS,
        "max_test_rows": MAX_TEST_ROWS,
        "random_state": "the number of the split",
        "protocol": PROTOCOL,
        "processor_hours": round(float(frame["seconds"].sum()) / 3600, 3),
        "environments": [
            {"id": key, **content, "scores": int(counts[key])}
            for key, content in sorted(store.environments().items())
            if key in counts
        ],
    }
    folder.mkdir(parents=True, exist_ok=True)
    return [write_whole(folder / f"{NAME}.parquet", frame), write_whole(folder / f"{NAME}.json", provenance)]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--roles", nargs="+", choices=ROLES, default=ROLES, help="tables of these roles only")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS, help="these models only")
    parser.add_argument("--jobs", type=int, default=1, help="processes, one thread each (default: 1)")
    parser.add_argument("--store", type=Path, default=ROOT / "runs" / f"{NAME}.sqlite", help="the file of scores")
    parser.add_argument("--export", type=Path, default=RESULTS, help="folder to export to (default: book/results)")
    parser.add_argument("--no-export", action="store_true", help="only make scores")
    options = parser.parse_args(arguments)
    with open_store(options.store, exported=options.export) as store:
        make_scores(list_tasks(roles=options.roles, models=options.models), store, n_jobs=options.jobs)
        if not options.no_export:
            try:
                for path in export(store, options.export):
                    print(path)
            except ValueError as error:
                sys.exit(f"nothing was exported: {error}")


if __name__ == "__main__":
    main()
