"""From the store to files that can be read anywhere: Parquet, and JSON that says where it comes from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from causalmix_utils.benchmark.arms import RunSettings
from causalmix_utils.benchmark.store import RunStore, distinguish_settings
from causalmix_utils.whole_files import replacing


def export_results(
    store: RunStore | str | Path,
    folder: str | Path,
    *,
    name: str = "runs",
    runs: Sequence[RunSettings] | None = None,
    allow_gaps: bool = False,
) -> list[Path]:
    """Write a store's finished runs for readers who have no store.

    Parameters
    ----------
    store : RunStore or path
    folder : path
        Made if it does not exist.
    name : str
        Start of the file names.
    runs : sequence of RunSettings, optional
        The grid that these results are of, as from `Profile.runs`: only these runs are written, and all of them must
        be there. By default all finished runs are written, whatever they are.
    allow_gaps : bool, default=False
        Write what there is of `runs`; the provenance lists what is missing.

    Returns
    -------
    list of Path
        ``<name>.parquet``, one run a row (`RunStore.results`); ``<name>-trajectories.parquet``, one
        check a row; ``<name>.json``, the provenance: counts, missing runs, settings, environments, failures and the
        hashes of the other two. Each file appears whole or not at all, and all are of one moment, even while runs are
        added.

    Raises
    ------
    ValueError
        If the store holds no finished run, or lacks some of `runs` without `allow_gaps`.
    """
    if not isinstance(store, RunStore):
        if not Path(store).is_file():
            raise ValueError(f"store={str(store)!r} does not exist")
        with RunStore(store, read_only=True) as opened:
            return export_results(opened, folder, name=name, runs=runs, allow_gaps=allow_gaps)
    with store.reading():
        results, failures, paths = store.results(), store.failures(), store.trajectories()
        environments = store.environments()
    missing = _list_missing(results, failures, runs or [])
    if missing and not allow_gaps:
        raise ValueError(_describe_missing(missing, len(runs), store.path))
    if runs is not None:
        grid = {run.identity for run in runs}
        results, failures, paths = (
            frame[frame["id"].isin(grid)].reset_index(drop=True) for frame in (results, failures, paths)
        )
    if results.empty:
        raise ValueError(f"store {store.path} holds no finished run" + ("" if runs is None else " of the grid"))
    made = results["environment"].value_counts()
    provenance = {
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "runs": len(results),
        "fine_tuning_runs": int((results["arm"] != "zero_shot").sum()),
        "missing": missing,
        "tables": sorted(results["table"].unique()),
        "arms": list(results["arm"].unique()),
        "compute_hours": round(float(results["seconds_total"].sum()) / 3600, 3),
        "settings": distinguish_settings(results["settings"]),
        "environments": [
            environment | {"runs": int(made[environment["id"]])}
            for environment in environments
            if environment["id"] in made.index
        ],
        "failures": failures.to_dict("records"),
    }
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tables = {f"{name}.parquet": results, f"{name}-trajectories.parquet": paths}
    with ExitStack() as stack:  # all three are written before the first one appears
        hashes = {}
        for file, table in tables.items():
            temporary = stack.enter_context(replacing(folder / file))
            _write(temporary, table)
            hashes[file] = hashlib.sha256(temporary.read_bytes()).hexdigest()
        _write(stack.enter_context(replacing(folder / f"{name}.json")), provenance | {"file_sha256": hashes})
    return [folder / file for file in (*tables, f"{name}.json")]


def _list_missing(results: pd.DataFrame, failures: pd.DataFrame, runs: Sequence[RunSettings]) -> list[dict]:
    """The runs that are not finished, and whether they failed."""
    done, failed = set(results["id"]), set(failures["id"])
    return [
        {
            "id": run.identity,
            "table": run.table,
            "regime": run.regime,
            "split": run.split,
            "arm": run.arm,
            "seed": run.seed,
            "failed": run.identity in failed,
        }
        for run in runs
        if run.identity not in done
    ]


def _describe_missing(missing: list[dict], n_runs: int, path: Path) -> str:
    n_failed = sum(run["failed"] for run in missing)
    first = ", ".join(f"{name} {missing[0][name]}" for name in ("table", "regime", "split", "arm", "seed"))
    return f"{len(missing)} of {n_runs} runs are missing in {path}, {n_failed} of them failed; the first is {first}"


def write_whole(path: Path, content: pd.DataFrame | dict) -> Path:
    """Write a table as Parquet, or a dictionary as JSON, so that a kill leaves no half file."""
    with replacing(path) as temporary:
        _write(temporary, content)
    return path


def _write(path: Path, content: pd.DataFrame | dict) -> None:
    if isinstance(content, pd.DataFrame):
        content.to_parquet(path, index=False, compression="zstd")
    else:
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
