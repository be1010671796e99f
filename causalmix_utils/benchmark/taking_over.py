"""From exported files back into a store, so that an unfinished grid goes on where its store is lost.

A store is a large file of one machine. What `export_results` writes is small, can be committed, and holds
everything that a finished run left.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from causalmix_utils.benchmark.arms import RunSettings
from causalmix_utils.benchmark.reading import read_results, read_trajectories
from causalmix_utils.benchmark.store import SECONDS, RunStore, pick_metrics


def take_over_results(store: RunStore, folder: str | Path, *, name: str = "runs") -> int:
    """Add the runs of an earlier export to a store; those that it has already stay as they are.

    Failed runs are not taken over: they are made again.

    Parameters
    ----------
    store : RunStore
    folder : path
        Where `export_results` wrote.
    name : str
        Start of the file names.

    Returns
    -------
    int
        Number of runs that were added.

    Raises
    ------
    ValueError
        If there are no such results, a run's settings do not belong to its identity, or the files lack the
        environment of a run.
    """
    results, provenance = read_results(folder, name=name)
    paths = read_trajectories(folder, name=name, provenance=provenance)
    trajectories = {identity: path.drop(columns="id") for identity, path in paths.groupby("id")}
    environments = {environment["id"]: environment for environment in provenance["environments"]}
    finished = store.identities(status="done")
    records = []
    for row in results.to_dict("records"):
        settings = RunSettings.from_json(row["settings"])
        if settings.identity != row["id"]:
            raise ValueError(f"the settings of run {row['id']} in {folder} belong to run {settings.identity}")
        if row["environment"] not in environments:
            raise ValueError(f"environment {row['environment']} of run {row['id']} is not in {name}.json in {folder}")
        if row["id"] not in finished:
            trajectory = trajectories.get(row["id"], pd.DataFrame())
            records.append(_restore(row, settings, environments[row["environment"]], trajectory))
    for record in records:
        store.add(record)
    return len(records)


def _restore(
    row: dict[str, Any], settings: RunSettings, environment: dict[str, Any], trajectory: pd.DataFrame
) -> dict[str, Any]:
    """The record of a run, as `execute_run` returns it."""
    stages = {name.removeprefix(SECONDS): value for name, value in row.items() if name.startswith(SECONDS)}
    return {
        "settings": json.loads(settings.to_json()),
        "status": "done",
        "message": "",
        "metrics": {name: _or_none(value) for name, value in pick_metrics(row).items()},
        "trajectory": {
            column: [_or_none(value) for value in trajectory[column]]
            for column in trajectory.dropna(axis=1, how="all").columns
        },
        "seconds": {stage: value for stage, value in stages.items() if not pd.isna(value)},
        "environment": {name: value for name, value in environment.items() if name not in ("id", "runs")},
        "peak_memory_mb": row["peak_memory_mb"],
        "finished_at": row["finished_at"],
    }


def _or_none(value: Any) -> Any:
    """NaN as None: strict JSON."""
    return None if pd.isna(value) else value
