"""Results that were exported, from a folder or over the network."""

from __future__ import annotations

import hashlib
import json
from io import BytesIO
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pandas as pd

_TIMEOUT = 60  # seconds without an answer


class MissingResultsError(ValueError):
    """There are no results of that name in a folder or at an address."""


def read_results(folder: str | Path, *, name: str = "runs") -> tuple[pd.DataFrame, dict]:
    """The results that `export_results` or a script in ``benchmarks/`` wrote, and their provenance.

    Parameters
    ----------
    folder : path or address
        A folder, or the address of one, beginning with ``https://``, which is then read over the network.
    name : str
        Start of the file names.

    Returns
    -------
    results : DataFrame
        ``<name>.parquet``.
    provenance : dict
        ``<name>.json``.

    Raises
    ------
    MissingResultsError
        If there are none. It is a ``ValueError``.
    ValueError
        If a file of them is damaged, or of another export than the other.
    ConnectionError
        If `folder` is an address that can't be reached, or that answers with an error other than "not found".
    """
    try:
        content = _read_file(folder, f"{name}.parquet")
    except MissingResultsError as error:
        raise MissingResultsError(f"there are no results named {name!r} in {folder}: {error}") from error
    try:
        provenance = json.loads(_read_file(folder, f"{name}.json"))
        _check_export(content, f"{name}.parquet", provenance)
        return pd.read_parquet(BytesIO(content)), provenance
    except ValueError as error:
        raise ValueError(f"the results named {name!r} in {folder} are damaged: {error}") from error


def read_trajectories(folder: str | Path, *, name: str, provenance: dict) -> pd.DataFrame:
    """The checks of every run of an export, one a row; none where its provenance knows of none.

    Raises
    ------
    ValueError, ConnectionError
        As in `read_results`.
    """
    file = f"{name}-trajectories.parquet"
    try:
        content = _read_file(folder, file)
    except MissingResultsError as error:
        if file in provenance.get("file_sha256", {}):
            raise ValueError(f"the results named {name!r} in {folder} are damaged: {error}") from error
        return pd.DataFrame(columns=["id", "step"])
    try:
        _check_export(content, file, provenance)
        return pd.read_parquet(BytesIO(content))
    except ValueError as error:
        raise ValueError(f"the trajectories named {name!r} in {folder} are damaged: {error}") from error


def _read_file(folder: str | Path, file: str) -> bytes:
    if not str(folder).startswith(("https://", "http://")):
        try:
            return (Path(folder) / file).read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise MissingResultsError(f"it has no file {file}") from error
    address = f"{str(folder).rstrip('/')}/{file}"
    try:
        with urlopen(address, timeout=_TIMEOUT) as answer:
            return answer.read()
    except OSError as error:  # a busy server or a lost connection must not pass for "there are none"
        if isinstance(error, HTTPError) and error.code == 404:
            raise MissingResultsError(f"there is no {address}") from error
        raise ConnectionError(f"{address} can't be read now, try again later: {error}") from error


def _check_export(content: bytes, file: str, provenance: dict) -> None:
    """Refuse a table that was not written together with its provenance; scripts write no hashes."""
    wanted = provenance.get("file_sha256", {}).get(file)
    if wanted is not None and hashlib.sha256(content).hexdigest() != wanted:
        raise ValueError(f"{file} is of another export than the provenance beside it; export them again")
