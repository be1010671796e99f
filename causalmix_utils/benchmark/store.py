"""Where results live: one SQLite file, one row for each run, keyed by the run's identity.

Each finished run is one transaction, so a kill at any moment loses only the runs in flight,
and a run can't be stored twice: a finished one is never overwritten.
"""

from __future__ import annotations

import hashlib
import json
import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from causalmix_utils.benchmark.arms import RunSettings

_SCHEMA = """
CREATE TABLE IF NOT EXISTS environments (
    id TEXT PRIMARY KEY,
    content TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY,
    status TEXT NOT NULL CHECK (status IN ('done', 'failed')),
    message TEXT NOT NULL,
    settings TEXT NOT NULL,
    metrics TEXT NOT NULL,
    trajectory TEXT NOT NULL,
    seconds TEXT NOT NULL,
    peak_memory_mb REAL,
    environment TEXT NOT NULL REFERENCES environments (id),
    finished_at TEXT NOT NULL
);
"""

_CHECK = """
PRAGMA query_only = ON;
SELECT id, content FROM environments LIMIT 0;
SELECT id, status, settings, environment FROM runs LIMIT 0;
"""

_REPLACED = ["status", "message", "metrics", "trajectory", "seconds", "peak_memory_mb", "environment", "finished_at"]

_INSERT = (
    "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in _REPLACED)
    + " WHERE runs.status = 'failed'"
)

SETTINGS_IN_RESULTS = ["table", "regime", "split", "arm", "seed", "weights", "checkpoint"]
"""The settings that have a column of their own in results."""
SECONDS = "seconds_"
"""How the names of the columns with the seconds of a stage begin."""
_LAST = ["peak_memory_mb", "finished_at", "commit", "environment", "settings"]
_NOT_METRICS = frozenset(["id", *SETTINGS_IN_RESULTS, *_LAST])
_ORDER = ["checkpoint", "regime", "table", "split", "arm", "seed", "id"]


def pick_metrics(row: Mapping[str, Any]) -> dict[str, Any]:
    """The metrics of one row of results: what is neither a setting, nor a cost, nor a circumstance of the run.

    Examples
    --------
    >>> pick_metrics({"id": "3f9c", "arm": "causal", "auc": 0.7, "seconds_total": 2.0, "peak_memory_mb": 900.0})
    {'auc': 0.7}
    """
    return {name: row[name] for name in row if name not in _NOT_METRICS and not name.startswith(SECONDS)}


class RunStore:
    """A file of finished and failed runs. Also a context manager that closes it.

    Parameters
    ----------
    path : path
        The SQLite file; made, with its folder, if it does not exist.
    read_only : bool
        Change nothing: the file must be there, and hold the tables of a store.

    Raises
    ------
    ValueError
        If the file is not a store of runs, or can't be opened.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False):
        self.path = Path(path)
        if not read_only:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        # Opened for writing in any case: what a killed process left half done is undone by whoever reads next.
        address = f"{self.path.absolute().as_uri()}?mode={'rw' if read_only else 'rwc'}"
        connection = None
        try:
            connection = sqlite3.connect(address, uri=True, timeout=60)
            connection.executescript(_CHECK if read_only else _SCHEMA)
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()
            raise ValueError(f"path must be a store of runs, but {self.path} can't be read as one: {error}") from error
        self._connection = connection

    def __enter__(self) -> RunStore:
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; everything added is already in it."""
        self._connection.close()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Let several reads see the same runs, although another process may be adding some."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.rollback()

    def identities(self, *, status: str | None = None) -> set[str]:
        """Identities of the stored runs, of one status ("done" or "failed") or of both."""
        query = "SELECT id FROM runs WHERE ? IS NULL OR status = ?"
        return {identity for (identity,) in self._connection.execute(query, (status, status))}

    def add(self, record: dict[str, Any]) -> str:
        """Store one run, as `execute_run` returns it, in one transaction; returns its identity.

        A failed run of the same identity is replaced; a finished one is kept as it is.
        """
        settings = RunSettings(**record["settings"])
        environment = _to_json(record["environment"])
        environment_id = hashlib.sha256(environment.encode()).hexdigest()[:16]
        row = (
            settings.identity,
            record["status"],
            record["message"],
            settings.to_json(),
            _to_json(record["metrics"]),
            _to_json(record["trajectory"]),
            _to_json(record["seconds"]),
            record["peak_memory_mb"],
            environment_id,
            record["finished_at"],
        )
        with self._connection:
            self._connection.execute("INSERT OR IGNORE INTO environments VALUES (?, ?)", (environment_id, environment))
            self._connection.execute(_INSERT, row)
        return settings.identity

    def find(self, beginning: str) -> str:
        """The identity of the one stored run that begins like this.

        Raises
        ------
        ValueError
            If there is no such run or more than one.
        """
        return match_identity(beginning, self.identities(), place=self.path)

    def settings(self, identity: str) -> RunSettings:
        """The settings of a stored run.

        Raises
        ------
        ValueError
            If there is no such run.
        """
        found = self._connection.execute("SELECT settings FROM runs WHERE id = ?", (identity,)).fetchone()
        if found is None:
            raise ValueError(f"identity={identity!r} is not in {self.path}")
        return RunSettings.from_json(found[0])

    def results(self) -> pd.DataFrame:
        """The finished runs, one a row, in an order that does not depend on when they finished.

        Returns
        -------
        DataFrame
            ``id``; ``table``, ``regime``, ``split``, ``arm``, ``seed``, ``weights``, ``checkpoint``;
            the metrics that `causalmix_utils.evaluation` knows; ``seconds_…`` for each stage; ``peak_memory_mb``;
            ``finished_at``, ``commit`` and ``environment``, the ``id`` of one of `environments`; all
            ``settings`` as JSON.
        """
        query = (
            "SELECT runs.id, settings, metrics, seconds, peak_memory_mb, finished_at, environment, content "
            "FROM runs JOIN environments ON environments.id = runs.environment WHERE status = 'done'"
        )
        rows = [
            {"id": identity}
            | {name: value for name, value in json.loads(settings).items() if name in SETTINGS_IN_RESULTS}
            | {name: math.nan if value is None else value for name, value in json.loads(metrics).items()}
            | {f"{SECONDS}{stage}": value for stage, value in json.loads(seconds).items()}
            | {"peak_memory_mb": peak, "finished_at": finished, "commit": json.loads(content).get("commit")}
            | {"environment": environment, "settings": settings}
            for identity, settings, metrics, seconds, peak, finished, environment, content in self._connection.execute(
                query
            )
        ]
        frame = pd.DataFrame(rows, columns=None if rows else ["id", *SETTINGS_IN_RESULTS])
        # Arms have different stages, so the order in which columns are met depends on the order of the runs.
        stages = sorted(column for column in frame if column.startswith(SECONDS))
        last = [*stages, *(column for column in _LAST if column in frame)]
        first = [column for column in frame if column not in last]
        return frame[first + last].sort_values(_ORDER, ignore_index=True)

    def trajectories(self) -> pd.DataFrame:
        """The trajectories of the finished runs, one check a row; ``id`` says whose it is."""
        paths = [
            pd.DataFrame(json.loads(trajectory)).apply(pd.to_numeric).assign(id=identity)
            for identity, trajectory in self._connection.execute(
                "SELECT id, trajectory FROM runs WHERE status = 'done' AND trajectory <> '{}' ORDER BY id"
            )
        ]
        return pd.concat(paths, ignore_index=True) if paths else pd.DataFrame(columns=["id", "step"])

    def failures(self) -> pd.DataFrame:
        """The failed runs, one a row: ``id``, ``table``, ``regime``, ``split``, ``arm``, ``seed``, ``message``."""
        columns = ["id", *SETTINGS_IN_RESULTS[:5], "message"]
        rows = [
            {"id": identity, **json.loads(settings), "message": message}
            for identity, settings, message in self._connection.execute(
                "SELECT id, settings, message FROM runs WHERE status = 'failed'"
            )
        ]
        return pd.DataFrame(rows, columns=columns).sort_values(["table", "split", "arm", "id"], ignore_index=True)

    def environments(self) -> list[dict[str, Any]]:
        """Where the stored runs were made, each with its ``id`` and number of ``runs``: versions, commit, machine."""
        query = (
            "SELECT environments.id, content, COUNT(*) FROM environments "
            "JOIN runs ON environments.id = runs.environment GROUP BY environments.id ORDER BY environments.id"
        )
        return [
            {"id": identity} | json.loads(content) | {"runs": count}
            for identity, content, count in self._connection.execute(query)
        ]


def distinguish_settings(texts: Iterable[str]) -> list[dict[str, Any]]:
    """The different fine-tuning settings among those of many runs, without what the grid varies."""
    varied = {"table", "table_hash", "split", "seed", "arm", "generator", "generator_options", "fine_tunes"}
    kept = {_to_json({name: value for name, value in json.loads(text).items() if name not in varied}) for text in texts}
    return [json.loads(text) for text in sorted(kept)]


def match_identity(beginning: str, identities: Iterable[str], *, place: object) -> str:
    """The one identity that begins like this; a ``ValueError`` names `place` if there is none, or more than one."""
    found = sorted(identity for identity in identities if identity.startswith(beginning)) if beginning else []
    if len(found) == 1:
        return found[0]
    if not found:
        raise ValueError(f"identity={beginning!r} is not in {place}")
    raise ValueError(
        f"identity={beginning!r} stands for {len(found)} runs in {place}, {found[0]} and {found[1]} among them"
    )


def _to_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
