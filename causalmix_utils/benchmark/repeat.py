"""Making a stored run again, to see whether it gives the stored numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from causalmix_utils.benchmark.arms import PROTOCOL, RunSettings
from causalmix_utils.benchmark.reading import MissingResultsError, read_results
from causalmix_utils.benchmark.single import execute_run
from causalmix_utils.benchmark.store import RunStore, match_identity, pick_metrics

TOLERANCE = 1e-6
"""Largest difference between a stored and a repeated metric on the same machine."""


@dataclass(frozen=True)
class StoredRun:
    """A finished run as it was stored.

    Attributes
    ----------
    settings : RunSettings
    metrics : dict
        By name; NaN where there is no value.
    environment : dict
        Versions, commit and machine, as in `describe_environment`.
    """

    settings: RunSettings
    metrics: dict[str, float]
    environment: dict[str, Any]


def find_run(beginning: str, source: str | Path, *, name: str | None = None) -> StoredRun:
    """A finished run by its identity.

    Parameters
    ----------
    beginning : str
        The identity, or as much of its beginning as no other run shares.
    source : path
        A store, or a folder of exported results.
    name : str, optional
        Which of the folder's results, such as "chapter"; by default all are searched.

    Raises
    ------
    ValueError
        If there is no such run, or more than one, or it did not finish; or if a file of the folder is damaged, or of
        another export than its provenance.
    """
    source = Path(source)
    if source.is_dir():
        results, environments = _read_exported(source, name)
    elif source.is_file():
        with RunStore(source, read_only=True) as store:
            identity = store.find(beginning)
            failures = store.failures().set_index("id")
            if identity in failures.index:
                raise ValueError(f"run {identity} has no numbers, since it failed: {failures.loc[identity, 'message']}")
            results, environments = store.results(), store.environments()
    else:
        raise ValueError(f"source={str(source)!r} is neither a store nor a folder")
    return pick_run(beginning, results, environments, place=source)


def pick_run(beginning: str, results: pd.DataFrame, environments: list[dict], *, place: object) -> StoredRun:
    """The one of some exported runs whose identity begins like this; `place` is named where there is none."""
    row = results.set_index("id").loc[match_identity(beginning, results["id"], place=place)]
    settings = RunSettings.from_json(row["settings"])
    environment = next((one for one in environments if one["id"] == row["environment"]), {})
    return StoredRun(settings, {name: float(value) for name, value in pick_metrics(row.to_dict()).items()}, environment)


def repeat_run(stored: StoredRun) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Make a stored run again.

    Parameters
    ----------
    stored : StoredRun

    Returns
    -------
    comparison : DataFrame
        One row for each metric: ``metric``, ``stored``, ``again``, and their absolute ``difference``, which is NaN
        where both are and infinite where one of them is.
    environment : dict
        That of the new run.

    Raises
    ------
    RuntimeError
        If the run fails now: because the table, the checkpoint or a package is not what it was, for example. Or if it
        was made under another protocol, by an older or newer version of this package.
    """
    if stored.settings.protocol != PROTOCOL:
        raise RuntimeError(
            f"this run was made under protocol {stored.settings.protocol}, and the package now follows protocol "
            f"{PROTOCOL}: use the commit that made it, {stored.environment.get('commit')}"
        )
    record = execute_run(stored.settings)
    if record["status"] != "done":
        raise RuntimeError(f"run {stored.settings.identity} can't be made again: {record['message']}")
    again = {name: np.nan if value is None else value for name, value in record["metrics"].items()}
    comparison = pd.DataFrame({"stored": stored.metrics, "again": again}, dtype=float).rename_axis("metric")
    one_is_nan = comparison["stored"].isna() != comparison["again"].isna()
    difference = (comparison["again"] - comparison["stored"]).abs().mask(one_is_nan, np.inf)
    return comparison.assign(difference=difference).reset_index(), record["environment"]


def compare_environments(stored: dict[str, Any], again: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """What differs between two environments: name, stored value, new value.

    Examples
    --------
    >>> before = {"python": "3.11.7", "commit": "a1", "versions": {"torch": "2.12.0", "numpy": "2.4.6"}}
    >>> compare_environments(before, before | {"commit": "b2", "versions": {"torch": "2.13.0", "numpy": "2.4.6"}})
    [('commit', 'a1', 'b2'), ('torch', '2.12.0', '2.13.0')]
    """
    before, now = (
        {key: value for key, value in one.items() if key not in ("id", "runs", "versions")} | one.get("versions", {})
        for one in (stored, again)
    )
    return [(name, before.get(name), now.get(name)) for name in before | now if before.get(name) != now.get(name)]


def _read_exported(folder: Path, name: str | None) -> tuple[pd.DataFrame, list[dict]]:
    """Exported runs that hold their settings, and where they were made; of one name or of all in the folder."""
    results, environments = [], []
    for known in [name] if name else sorted(path.stem for path in folder.glob("*.json")):
        try:
            frame, provenance = read_results(folder, name=known)
        except MissingResultsError:
            if name:
                raise
            continue  # a report without a table
        if {"id", "settings", "environment"} <= set(frame.columns):
            results.append(frame)
            environments += provenance["environments"]
    if not results:
        raise ValueError(f"there are no exported runs with their settings in {folder}")
    return pd.concat(results, ignore_index=True).drop_duplicates("id"), environments
