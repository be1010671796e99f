"""Compare generators of synthetic rows on embedded tables: do the rows look real, and what do they teach?

    python benchmarks/compare_generators.py                                      # all that is missing, then the export
    python benchmarks/compare_generators.py --generators smote causal --no-export

For each table, split and generator, the generator is fitted to the train part of ``scarce_split(n=200)``, 133 rows, and
draws 500 rows, which are judged by real rows that it has not seen: distance of single columns, association of pairs by
kinds of columns, two-sample AUC of a classifier, and *usefulness*, the AUC on real rows of a random forest that
learnt from the synthetic rows alone; and by the rows that it has seen: do they leak? ``real`` stands for the 133 rows
themselves.

The tables are the first fifteen in alphabetical order whose role is "reported" and that have at most forty features.
That rule and every option of the generators were fixed before the first of these scores was made: all choices
about `causal_blanket` (see ``choose_blanket.py``) were made on the development tables. FROZEN says when.

Each finished score is stored at once, so the script can be stopped at any moment and started again. Further generators
are a line in GENERATORS each; with ``--no-export`` a part can be made first. Writes
``book/results/generators.parquet``, one score a row, and ``generators.json``: provenance and the verdict on two goals.
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # Python looks beside a script, not above it.
    sys.path.insert(0, str(ROOT))

from benchmarks.score_store import JsonStore  # noqa: E402
from causalmix_utils.benchmark.environment import describe_environment, measure_peak_memory, reset_peak_memory  # noqa: E402
from causalmix_utils.benchmark.export import write_whole  # noqa: E402
from causalmix_utils.evaluation import association_errors, bootstrap_interval, score_synthetic_rows  # noqa: E402
from causalmix_utils.generators import make_generator  # noqa: E402
from causalmix_utils.tables import Table, content_hash, list_tables, load_table, scarce_split  # noqa: E402
from causalmix_utils.threads import single_thread  # noqa: E402

RESULTS = ROOT / "book" / "results"
NAME = "generators"

PROTOCOL = 3
"""Raise it when the way of scoring changes: then every score is made again."""

FROZEN = (
    "2026-11-24, before the first of these scores: placement blanket, all features tied, boosting for the target, 0.3 "
    "of the noises exchanged. Chosen by book/results/blanket.parquet, on development tables alone."
)
"""When, and with which options, `causal_blanket` was frozen."""

GENERATORS: dict[str, dict[str, Any]] = {
    "independent": {},
    "permuted_target": {},
    "table_augment": {},
    "smote": {},
    "gaussian_copula": {},
    "random_dag": {},
    "causal": {},
    "causal_blanket": {},
    "ctgan": {},
    "tabebm": {},
}
"""The generators and their options, which are part of a score's identity."""

VERSIONS = {name: 1 for name in GENERATORS}
"""Raise a generator's number when its rows change: then only its scores are made again."""

LIBRARIES = ("ctgan", "dowhy.gcm", "imblearn.over_sampling", "sklearn.ensemble", "tabpfn", "torch")
"""What the generators import when they are fitted; it does not count as their memory."""

REAL = "real"
N_TABLES, MOST_FEATURES = 15, 40
N, N_SPLITS, MAX_TEST_ROWS, N_ROWS, N_TIMED_ROWS = 200, 3, 1000, 500, 1000
GOALS = {REAL: -0.03, "smote": -0.01}
"""By how much the usefulness of `causal_blanket` may at most be below another's, on average over tables."""


@dataclass(frozen=True)
class Task:
    """One score to be made: everything that decides it."""

    table: str
    table_hash: str
    split: int
    generator: str
    options: str
    version: int
    protocol: int = PROTOCOL

    @property
    def identity(self) -> str:
        """The same for equal tasks, in every process."""
        return json.dumps(asdict(self), sort_keys=True)


def choose_tables() -> list[str]:
    """The tables by the rule that the top of this file states."""
    tables = list_tables()
    fits = (tables["role"] == "reported") & (tables["features"] <= MOST_FEATURES)
    return sorted(tables.loc[fits, "name"])[:N_TABLES]


def list_tasks(generators: Sequence[str] = (REAL, *GENERATORS)) -> list[Task]:
    """All scores of some generators, table by table."""
    hashes = {name: content_hash(load_table(name))[:16] for name in choose_tables()}
    return [
        Task(
            table=name,
            table_hash=hashes[name],
            split=split,
            generator=generator,
            options=json.dumps(GENERATORS.get(generator, {}), sort_keys=True),
            version=VERSIONS.get(generator, 1),
        )
        for name in hashes
        for split in range(N_SPLITS)
        for generator in generators
    ]


def execute(task: Task) -> dict[str, Any]:
    """Make one score on one thread: the task, and what the rows scored."""
    train, _, test = scarce_split(load_table(task.table), n=N, split=task.split, max_test=MAX_TEST_ROWS)
    rng = np.random.default_rng([task.split, *task.generator.encode()])
    with single_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # CTGAN's library warns of its own dependencies.
        rows, costs = draw_rows(task, train, rng)
        scores = score_synthetic_rows(rows, train=train, test=test, rng=np.random.default_rng(task.split))
        errors = association_errors(test, rows).add_prefix("association_error_").drop("association_error_all")
    return {**asdict(task), "n_train": len(train), "n_test": len(test), **scores, **errors.to_dict(), **costs}


def draw_rows(task: Task, train: Table, rng: np.random.Generator) -> tuple[Table, dict[str, float]]:
    """The rows to judge, and what it cost: the processor's seconds, and memory above that before the fit."""
    if task.generator == REAL:
        return train, {}
    generator = make_generator(task.generator, **json.loads(task.options))
    start = time.process_time()
    generator.fit(train, rng=rng)
    fitted = time.process_time()
    rows = generator.sample(N_ROWS, rng=rng)
    ready = time.process_time()
    generator.sample(N_TIMED_ROWS, rng=rng)
    return rows, {"fit_seconds": fitted - start, "sample_seconds": time.process_time() - ready}


def measure_memory(task: Task) -> float | None:
    """Memory in MiB of a fit and a sample of 1,000 rows, above that before; None where a system does not tell it.

    They run in a copy of this process, which must hold little but the imported libraries: memory that
    something else has used and left would be used again and would not count.
    """
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(_fit_and_measure, (task,))


def _fit_and_measure(task: Task) -> float | None:
    train, _, _ = scarce_split(load_table(task.table), n=N, split=task.split, max_test=MAX_TEST_ROWS)
    generator, rng = make_generator(task.generator, **json.loads(task.options)), np.random.default_rng(0)
    reset_peak_memory()
    before = measure_peak_memory()
    with single_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        generator.fit(train, rng=rng).sample(N_TIMED_ROWS, rng=rng)
    return None if before is None else measure_peak_memory() - before


class ScoreStore(JsonStore):
    """A file of finished scores and measurements of memory, each added in one transaction."""

    TABLES = (*JsonStore.TABLES, "memory (identity TEXT PRIMARY KEY, peak_mb REAL)")

    def add(self, task: Task, record: dict[str, Any]) -> None:
        """Store what `execute` returned; a score that is already there stays as it is."""
        self.keep(task.identity, record | {"environment": describe_environment()})

    def add_memory(self, task: Task, peak_mb: float | None) -> None:
        """Store what `measure_memory` returned."""
        with self._connection:
            self.insert("memory", task.identity, peak_mb)

    def memory(self) -> dict[str, float | None]:
        """The measurements of memory by identity."""
        return self.read("memory")


def make_scores(tasks: Sequence[Task], store: ScoreStore) -> None:
    """Make the scores that the store lacks, one after the other."""
    finished = store.records()
    pending = [task for task in tasks if task.identity not in finished]
    with tqdm(total=len(tasks), initial=len(tasks) - len(pending), unit="score", disable=None, smoothing=0.05) as bar:
        for task in pending:
            bar.set_postfix_str(f"{task.table}, {task.generator}")
            store.add(task, execute(task))
            bar.update()


def measure_memories(tasks: Sequence[Task], store: ScoreStore) -> None:
    """Measure the memory of the first split's fits that the store lacks."""
    pending = [task for task in tasks if task.split == 0 and task.generator != REAL]
    pending = [task for task in pending if task.identity not in store.memory()]
    for library in LIBRARIES if pending else ():
        importlib.import_module(library)
    for task in tqdm(pending, desc="memory", disable=None):
        store.add_memory(task, measure_memory(task))


def judge_goals(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Whether `causal_blanket` is as useful as GOALS ask, with intervals over tables."""
    usefulness = frame.pivot_table(index="table", columns="generator", values="usefulness")
    verdicts = {}
    for other, least in GOALS.items():
        difference = usefulness["causal_blanket"] - usefulness[other]
        low, high = bootstrap_interval(difference, rng=np.random.default_rng(0), statistic=np.mean)
        verdicts[f"causal_blanket minus {other}"] = {
            "mean": round(float(difference.mean()), 4),
            "interval": [round(float(low), 4), round(float(high), 4)],
            "goal": f"at least {least}",
            "reached": bool(difference.mean() >= least),
        }
    return verdicts


def export(store: ScoreStore, folder: Path) -> list[Path]:
    """Write all scores of today's tables and generators.

    Raises
    ------
    ValueError
        If a score is missing: a mean over some of the tables would mislead.
    """
    tasks, records, memory = list_tasks(), store.records(), store.memory()
    missing = [task for task in tasks if task.identity not in records]
    if missing:
        raise ValueError(f"{len(missing)} of {len(tasks)} scores are missing, such as {missing[0]}")
    chosen = [records[task.identity] | {"peak_mb": memory.get(task.identity)} for task in tasks]
    environments = [record.pop("environment") for record in chosen]
    frame = pd.DataFrame(chosen)
    provenance = {
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": "python benchmarks/compare_generators.py",
        "scores": len(frame),
        "tables": choose_tables(),
        "rule": f"the first {N_TABLES} reported tables in alphabetical order with at most {MOST_FEATURES} features",
        "frozen": FROZEN,
        "generators": GENERATORS,
        "n": N,
        "splits": N_SPLITS,
        "synthetic_rows": N_ROWS,
        "timed_rows": N_TIMED_ROWS,
        "max_test_rows": MAX_TEST_ROWS,
        "protocol": PROTOCOL,
        "goals": judge_goals(frame),
        "processor_hours": round(float(frame[["fit_seconds", "sample_seconds"]].sum().sum()) / 3600, 3),
        "environments": [json.loads(text) for text in sorted({json.dumps(e, sort_keys=True) for e in environments})],
    }
    folder.mkdir(parents=True, exist_ok=True)
    return [write_whole(folder / f"{NAME}.parquet", frame), write_whole(folder / f"{NAME}.json", provenance)]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generators", nargs="+", choices=(REAL, *GENERATORS), default=(REAL, *GENERATORS))
    parser.add_argument("--store", type=Path, default=ROOT / "runs" / f"{NAME}.sqlite", help="the file of scores")
    parser.add_argument("--export", type=Path, default=RESULTS, help="folder to export to (default: book/results)")
    parser.add_argument("--no-export", action="store_true", help="only make scores")
    options = parser.parse_args(arguments)
    with ScoreStore(options.store) as store:
        tasks = list_tasks(options.generators)
        measure_memories(tasks, store)  # first, while this process is small
        make_scores(tasks, store)
        if not options.no_export:
            try:
                for path in export(store, options.export):
                    print(path)
            except ValueError as error:
                sys.exit(f"nothing was exported: {error}")
            print(json.dumps(json.loads((options.export / f"{NAME}.json").read_text())["goals"], indent=1))


if __name__ == "__main__":
    main()
