"""The tables that the package embeds: a manifest, and a loader that checks what it loads.

The files are built once, from pinned packages, by ``tools/build_tables.py``.
"""

from __future__ import annotations

import gzip
import io
from importlib.resources import files
from importlib.resources.abc import Traversable

import pandas as pd

from causalmix_utils.arguments import check_choice
from causalmix_utils.tables.embedded_files import describe_unknown, read_checked
from causalmix_utils.tables.table import Table

ROLES = ("reported", "development")
"""Tables to report results on, and tables for tuning, smoke runs and examples."""

_TEXT_FIELDS = ("target", "categorical", "tabarena", "openml_task", "licence", "source", "quirks")


def list_tables(role: str | None = None) -> pd.DataFrame:
    """The embedded tables.

    Parameters
    ----------
    role : {"reported", "development"}, optional
        Only the tables of this role.

    Returns
    -------
    DataFrame
        One row for each table, sorted by name, with the columns ``name``, ``role``, ``rows``,
        ``features``, ``classes``, ``categorical`` (number of categorical features), ``missing``
        (share of the feature cells without a value), ``duplicates`` (share of the rows that
        repeat an earlier one, target included), ``lr_auc`` and ``rf_auc`` (3-fold ROC-AUC of
        logistic regression and of a random forest), ``target``, ``source``, ``licence``,
        ``tabarena`` (name in TabArena, or empty), ``openml_task`` (TabArena's task on OpenML,
        or empty), ``origin`` (package and version it was taken from), ``path`` (inside of that
        package) and ``quirks``.

    Raises
    ------
    ValueError
        If `role` is not a known role.

    Examples
    --------
    >>> tables = list_tables("development")
    >>> set(tables["role"])
    {'development'}
    """
    check_choice("role", role, ROLES, optional=True)
    manifest = _read_manifest()
    if role is not None:
        manifest = manifest[manifest["role"] == role].reset_index(drop=True)
    return manifest.assign(
        categorical=[len(_split_names(names)) for names in manifest["categorical"]],
        origin=manifest["package"],
    )[
        [
            "name", "role", "rows", "features", "classes", "categorical", "missing", "duplicates", "lr_auc", "rf_auc",
            "target", "source", "licence", "tabarena", "openml_task", "origin", "path", "quirks",
        ]
    ]  # fmt: skip


def load_table(name: str) -> Table:
    """Load an embedded table.

    The file's hash is compared with the manifest's, so that results rest on the data they name.
    Every call reads the file and returns a new `Table`; nothing is shared between calls.

    Parameters
    ----------
    name : str
        A name from `list_tables`.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        If there is no table of that name, or its file is not the one that the manifest describes.

    Examples
    --------
    >>> load_table("credit-g")
    Table('credit-g': 1000 rows, 20 features (13 categorical), 2 classes)
    """
    manifest = _read_manifest().set_index("name")
    if name not in manifest.index:
        raise ValueError(describe_unknown(name, list(manifest.index), kind="table"))
    entry = manifest.loc[name]
    file = _data_folder() / f"{name}.csv.gz"
    content = read_checked(file, entry["sha256"], what=f"table {name!r}", command="make tables")
    categorical = _split_names(entry["categorical"])
    frame = pd.read_csv(
        io.BytesIO(gzip.decompress(content)),
        dtype=dict.fromkeys([*categorical, entry["target"]], str),
        # Only an empty field is missing: "NA" and "None" are levels of some tables.
        keep_default_na=False,
        na_values=[""],
        float_precision="round_trip",
    )
    return Table.from_frame(
        frame,
        target=entry["target"],
        categorical=categorical,
        name=name,
        source=f"{entry['source']}; taken from {entry['package']}",
        licence=entry["licence"],
    )


def _data_folder() -> Traversable:
    return files("causalmix_utils") / "data"


def _read_manifest() -> pd.DataFrame:
    with (_data_folder() / "manifest.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file, dtype=dict.fromkeys(_TEXT_FIELDS, str), keep_default_na=False)


def _split_names(joined: str) -> list[str]:
    return joined.split(";") if joined else []
