"""Tables from OpenML, above all those of TabArena that the package does not embed.

Nothing here runs unless it is called, and what was fetched once is read from disk afterwards.
OpenML's files carry no checksum of their content, so a hash of the table is kept beside the
cached copy and compared on every load.
"""

from __future__ import annotations

import contextlib
import difflib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from causalmix_utils.tables.cache import cache_paths, read_splits, read_table, write_splits, write_table
from causalmix_utils.tables.hashing import content_hash
from causalmix_utils.tables.table import Table

TABARENA_TASKS = {
    "blood-transfusion": 363621,
    "diabetes": 363629,
    "anneal": 363614,
    "credit-g": 363626,
    "maternal_health_risk": 363685,
    "qsar-biodeg": 363696,
    "website_phishing": 363707,
    "Fitness_Club": 363671,
    "MIC": 363711,
    "Is-this-a-good-customer": 363682,
    "Marketing_Campaign": 363684,
    "hazelnut": 363674,
    "seismic-bumps": 363700,
    "splice": 363702,
    "students_dropout": 363704,
    "churn": 363623,
    "polish_bankruptcy": 363694,
    "taiwanese_bankruptcy": 363706,
    "NATICUSdroid": 363689,
    "coil2000": 363624,
    "Bank_Customer_Churn": 363619,
    "heloc": 363676,
    "jm1": 363712,
    "E-Commerce": 363632,
    "online_shoppers": 363691,
    "in_vehicle_coupon": 363681,
}
"""OpenML tasks of the 26 classification tables of TabArena v0.1 within TabPFN v2's limits.

The limits are 10,000 training rows, 500 features and 10 classes.
"""

_ATTEMPTS = 2  # openml's own default of 5 makes a reader without a network wait for ten seconds and more


def tabarena_tasks() -> pd.DataFrame:
    """The TabArena tables that `load_openml_table` knows by name.

    Returns
    -------
    DataFrame
        Columns ``name``, ``openml_task`` and ``embedded`` (the name for `load_table`, or empty).

    Examples
    --------
    >>> len(tabarena_tasks())
    26
    """
    from causalmix_utils.tables.embedded import list_tables

    embedded = list_tables()
    by_task = dict(zip(embedded["openml_task"], embedded["name"], strict=True))
    return pd.DataFrame(
        {
            "name": list(TABARENA_TASKS),
            "openml_task": list(TABARENA_TASKS.values()),
            "embedded": [by_task.get(str(task), "") for task in TABARENA_TASKS.values()],
        }
    )


def load_openml_table(
    name_or_task_id: str | int,
    *,
    cache_dir: str | os.PathLike | None = None,
    expected_hash: str | None = None,
) -> Table:
    """Load the table of an OpenML classification task, from the cache or from the network.

    Needs the package openml: ``pip install "causalmix-utils[openml]"``.

    Parameters
    ----------
    name_or_task_id : str or int
        A name from `tabarena_tasks`, or the number of any OpenML classification task.
    cache_dir : path, optional
        Folder for what was fetched. By default the environment variable ``CAUSALMIX_CACHE``,
        or else ``~/.cache/causalmix``.
    expected_hash : str, optional
        The `content_hash` that the table must have, for results that name the data they rest on.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        If the name or the task is unknown, the task is no classification task, or the table is
        not the one that was cached or expected.
    ConnectionError
        If the table is not in the cache and OpenML cannot be reached.
    ImportError
        If the table is not in the cache and the package openml is not installed.
    """
    task_id = _resolve(name_or_task_id)
    folder = _cache_folder(cache_dir)
    if not cache_paths(folder, task_id)["about"].exists():
        with _openml(folder, task_id) as openml:
            table = _table_of_task(openml.tasks.get_task(task_id, download_splits=False), task_id)
        write_table(table, task_id, folder)
    table = read_table(task_id, folder)
    if expected_hash is not None and content_hash(table) != expected_hash:
        raise ValueError(f"table {table.name!r} has content hash {content_hash(table)}, expected {expected_hash}")
    return table


def openml_split(
    name_or_task_id: str | int,
    fold: int = 0,
    repeat: int = 0,
    *,
    cache_dir: str | os.PathLike | None = None,
) -> tuple[Table, Table]:
    """The official training and test rows of an OpenML task.

    TabArena uses three folds, with ten repeats for tables below 2,500 rows and three for others.

    Parameters
    ----------
    name_or_task_id, cache_dir
        As in `load_openml_table`.
    fold, repeat : int
        Which of the official splits.

    Returns
    -------
    train, test : Table

    Raises
    ------
    ValueError
        As `load_openml_table`, and if the task has no such fold or repeat.
    ConnectionError, ImportError
        As `load_openml_table`.
    """
    table = load_openml_table(name_or_task_id, cache_dir=cache_dir)
    splits = _load_splits(name_or_task_id, cache_dir)
    if (repeat, fold) not in splits:
        repeats, folds = _measure_shape(splits)
        raise ValueError(
            f"task {_resolve(name_or_task_id)} has {folds} folds and {repeats} repeats, got fold={fold!r}, "
            f"repeat={repeat!r}"
        )
    train, test = splits[repeat, fold]
    return table.take(train), table.take(test)


def openml_split_shape(name_or_task_id: str | int, *, cache_dir: str | os.PathLike | None = None) -> tuple[int, int]:
    """How many repeats and folds the official splits of an OpenML task have.

    Parameters
    ----------
    name_or_task_id, cache_dir
        As in `load_openml_table`.

    Returns
    -------
    repeats, folds : int

    Raises
    ------
    ValueError, ConnectionError, ImportError
        As `load_openml_table`.
    """
    return _measure_shape(_load_splits(name_or_task_id, cache_dir))


def _load_splits(name_or_task_id: str | int, cache_dir: str | os.PathLike | None) -> dict:
    """The official splits by repeat and fold, from the cache or from the network."""
    task_id, folder = _resolve(name_or_task_id), _cache_folder(cache_dir)
    if not cache_paths(folder, task_id)["splits"].exists():
        with _openml(folder, task_id) as openml:
            splits = _splits_of_task(openml.tasks.get_task(task_id, download_splits=True))
        write_splits(splits, task_id, folder)
    return read_splits(task_id, folder)


def _measure_shape(splits: dict) -> tuple[int, int]:
    repeats, folds = (max(numbers) + 1 for numbers in zip(*splits, strict=True))
    return repeats, folds


def _resolve(name_or_task_id: str | int) -> int:
    if isinstance(name_or_task_id, int | np.integer) and not isinstance(name_or_task_id, bool):
        if name_or_task_id < 1:
            raise ValueError(f"an OpenML task id is a positive number, got {name_or_task_id}")
        return int(name_or_task_id)
    if name_or_task_id in TABARENA_TASKS:
        return TABARENA_TASKS[name_or_task_id]
    close = difflib.get_close_matches(str(name_or_task_id), TABARENA_TASKS, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, close))}?" if close else "tabarena_tasks() shows the names;"
    raise ValueError(f"no OpenML task is known for {name_or_task_id!r}; {hint} other tasks go by their number")


def _cache_folder(cache_dir: str | os.PathLike | None) -> Path:
    chosen = cache_dir or os.environ.get("CAUSALMIX_CACHE") or Path.home() / ".cache" / "causalmix"
    return Path(chosen).expanduser()


@contextlib.contextmanager
def _openml(folder: Path, task_id: int) -> Iterator:
    """The package openml with its cache in `folder`; its failures become one clear error."""
    try:
        import openml
    except ImportError as error:
        raise ImportError(
            'tables from OpenML need the package openml; install it with pip install "causalmix-utils[openml]"'
        ) from error
    # openml keeps these settings in globals, so the caller's are put back afterwards.
    before = openml.config._root_cache_directory, openml.config.connection_n_retries
    openml.config.set_root_cache_directory(folder / "openml")
    openml.config.connection_n_retries = _ATTEMPTS
    try:
        yield openml
    except openml.exceptions.OpenMLServerException as error:
        raise ValueError(f"OpenML does not serve task {task_id}: {error}") from None
    except (OSError, openml.exceptions.OpenMLServerError, openml.exceptions.OpenMLHashException) as error:
        raise ConnectionError(
            f"OpenML task {task_id} is not in the cache {str(folder)!r}, and OpenML cannot be reached "
            f"({type(error).__name__}): connect to the internet and call again, pass the cache_dir of an earlier "
            "download, or use an embedded table (list_tables() shows them)"
        ) from None
    finally:
        openml.config.set_root_cache_directory(before[0])
        openml.config.connection_n_retries = before[1]


def _table_of_task(task, task_id: int) -> Table:
    if getattr(task, "class_labels", None) is None:
        raise ValueError(f"OpenML task {task_id} is a task of type {task.task_type!r}, not a classification task")
    dataset = task.get_dataset()
    X, y, is_categorical, names = dataset.get_data(target=task.target_name)
    return Table.from_frame(
        X.assign(**{task.target_name: y}),
        target=task.target_name,
        categorical=[name for name, flag in zip(names, is_categorical, strict=True) if flag],
        name=next((name for name, known in TABARENA_TASKS.items() if known == task_id), dataset.name),
        source=f"OpenML task {task_id}, data set {dataset.dataset_id} ({dataset.name}, version {dataset.version})",
        licence=dataset.licence or "not stated",
    )


def _splits_of_task(task) -> dict[tuple[int, int], tuple[list[int], list[int]]]:
    repeats, folds, _ = task.get_split_dimensions()
    return {
        (repeat, fold): tuple(
            np.asarray(side, dtype=int).tolist() for side in task.get_train_test_split_indices(fold=fold, repeat=repeat)
        )
        for repeat in range(repeats)
        for fold in range(folds)
    }
