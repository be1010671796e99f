"""A SQLite file of finished scores, so that a script can be stopped at any moment and started again."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any


class JsonStore:
    """Scores as JSON by their identity. Also a context manager that closes the file.

    Parameters
    ----------
    path : Path
        Made, with its folder, if it does not exist.
    """

    TABLES = ("scores (identity TEXT PRIMARY KEY, content TEXT)",)
    """What the file holds; a subclass may add to it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=60)
        with self._connection:
            for table in self.TABLES:
                self._connection.execute(f"CREATE TABLE IF NOT EXISTS {table}")

    def __enter__(self):
        return self

    def __exit__(self, *exception) -> None:
        self._connection.close()

    def insert(self, table: str, key: str, value: Any) -> None:
        """Add a line, within the caller's transaction; one that is already there stays as it is."""
        self._connection.execute(f"INSERT OR IGNORE INTO {table} VALUES (?, ?)", (key, value))

    def keep(self, identity: str, record: Any) -> None:
        """Store one finished score, or a list of them; what is already there stays as it is."""
        with self._connection:
            self.insert("scores", identity, json.dumps(record))

    def read(self, table: str) -> dict[str, Any]:
        """All lines of a table by their key."""
        return dict(self._connection.execute(f"SELECT * FROM {table}"))

    def records(self) -> dict[str, Any]:
        """The finished scores by identity."""
        return {key: json.loads(text) for key, text in self.read("scores").items()}
