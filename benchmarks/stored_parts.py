"""A stored result whose parts can be measured one by one: each says when it was measured, by what, and on what."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from causalmix_utils.benchmark.environment import describe_environment
from causalmix_utils.benchmark.export import write_whole


def store_parts(
    folder: Path,
    name: str,
    measured: Mapping[str, Sequence[dict]],
    *,
    command: str,
    settings: Mapping[str, object] | None = None,
    summarise: Callable[[pd.DataFrame], dict] | None = None,
) -> dict:
    """Replace the measured parts in ``NAME.parquet`` and ``NAME.json``, and leave the others and their provenance.

    Parameters
    ----------
    folder : pathlib.Path
        Made if it is missing.
    name : str
        Of both files, without an ending.
    measured : mapping of str to sequence of dict
        The measurements of each part. The column ``part`` of the table tells them apart.
    command : str
        The script that measured; the parts are added to it.
    settings : mapping, optional
        What holds for all parts, written at the top of the JSON file.
    summarise : callable, optional
        Makes the entry ``summary`` from the measurements of all parts.

    Returns
    -------
    dict
        What the JSON file says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table, provenance = folder / f"{name}.parquet", folder / f"{name}.json"
    frame = pd.concat([pd.DataFrame(rows).assign(part=part) for part, rows in measured.items()], ignore_index=True)
    parts: dict[str, dict] = {}
    if table.exists() and provenance.exists():
        before = pd.read_parquet(table)
        frame = pd.concat([before[~before["part"].isin(list(measured))], frame], ignore_index=True)
        parts = json.loads(provenance.read_text(encoding="utf-8"))["parts"]
    run = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": f"{command} --parts {' '.join(measured)}",
        "load_average": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "environment": describe_environment(),
    }
    report: dict = {**(settings or {}), "parts": parts | dict.fromkeys(measured, run)}
    if summarise is not None:
        report["summary"] = summarise(frame)
    write_whole(table, frame)
    write_whole(provenance, report)
    return report
