"""Tables in, files out: what a command is given, and how it writes."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causalmix_utils.tables import Table


def read_table(options: argparse.Namespace) -> Table:
    """The table that the command line names: an embedded one or a CSV file."""
    from causalmix_utils.tables import load_table

    path = Path(options.table)
    if not (path.suffix.lower() == ".csv" or path.is_file()):
        if options.target is not None or options.categorical:
            raise ValueError(f"--target and --categorical are for CSV files, but {options.table!r} is not one")
        return load_table(options.table)
    return _read_csv(path, target=options.target, categorical=options.categorical)


def _read_csv(path: Path, *, target: str | None, categorical: Sequence[str]) -> Table:
    import pandas as pd

    from causalmix_utils.tables import Table

    if not path.is_file():
        raise ValueError(f"the file {path} does not exist")
    header = pd.read_csv(path, header=None, nrows=1, dtype=str).iloc[0]
    if header.duplicated().any():
        # pandas would rename the second of two equal names and go on.
        raise ValueError(f"column name {header[header.duplicated()].iloc[0]!r} occurs more than once in {path}")
    if target is None:
        raise ValueError(f"--target is missing: name the column to predict, one of {header.tolist()}")
    return Table.from_frame(pd.read_csv(path), target=target, categorical=categorical, name=path.stem, source=str(path))


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place when the block ends well, and vanishes otherwise."""
    if not path.parent.is_dir():
        raise ValueError(f"the folder {path.parent} does not exist")
    if path.is_dir():
        raise ValueError(f"{path} is a folder, not a file")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
