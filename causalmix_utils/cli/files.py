"""Tables in, files out: what a command is given, and how it writes."""

from __future__ import annotations

import argparse
import bz2
import difflib
import gzip
import lzma
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from causalmix_utils.cli.doubts import list_doubts

if TYPE_CHECKING:
    import pandas as pd

    from causalmix_utils.tables import Table


ENDINGS = {".csv", ".tsv", ".txt"}
CSV_OPTIONS = {"target": None, "categorical": [], "drop": [], "separator": ",", "decimal": "."}  # and their defaults

COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": partial(gzip.compress, mtime=0),  # without the time, so that the same rows are the same file
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}
ARCHIVES = (".zip", ".zst", ".tar", *(f".tar{ending}" for ending in COMPRESSIONS))


def choose_compression(path: Path) -> Callable[[bytes], bytes]:
    """How the content of a CSV file is written, so that whoever goes by the ending of its name can read it."""
    name = path.name.lower()
    if name.endswith(ARCHIVES):
        raise ValueError(f"--out={path} is no kind of file that can be written: end it with .csv, .gz, .bz2 or .xz")
    return COMPRESSIONS.get(Path(name).suffix, bytes)


def read_table(options: argparse.Namespace) -> Table:
    """The table that the command line names: an embedded one or a CSV file."""
    from causalmix_utils.tables import load_table

    path = Path(options.table)
    if not (ENDINGS & {ending.lower() for ending in path.suffixes} or path.is_file()):
        given = [name for name, default in CSV_OPTIONS.items() if getattr(options, name) != default]
        if given:
            raise ValueError(f"--{given[0]} is for CSV files, but {options.table!r} is not one")
        return load_table(options.table)
    return _read_csv(path, **{name: getattr(options, name) for name in CSV_OPTIONS})


def _read_csv(
    path: Path, *, target: str | None, categorical: Sequence[str], drop: Sequence[str], separator: str, decimal: str
) -> Table:
    from causalmix_utils.tables import Table
    from causalmix_utils.tables.conversion import read_csv

    if not path.is_file():
        raise ValueError(f"the file {path} does not exist")
    separator = separator.replace("\\t", "\t")
    if len(separator) != 1 or len(decimal) != 1:
        raise ValueError(f"--separator and --decimal are one sign each, got {separator!r} and {decimal!r}")
    _check_first_line(path, separator)
    frame = read_csv(path, separator=separator, decimal=decimal)
    if target is None:
        raise ValueError(f"--target is missing: name the column to predict, one of {list(frame.columns)}")
    # Names are compared without the blanks around them, as the file's own are read without them.
    target, categorical, drop = target.strip(), [*map(str.strip, categorical)], [*map(str.strip, drop)]
    _check_names(list(frame.columns), path, target=[target], categorical=categorical, drop=drop)
    if target in drop:
        raise ValueError(f"--drop names the target {target!r}")
    frame = frame.drop(columns=drop)
    _check_labels(frame[target], path, separator)
    categorical = [name for name in categorical if name not in drop]
    for doubt in list_doubts(frame.drop(columns=target), categorical=categorical):
        print(f"causalmix: note: {doubt}", file=sys.stderr)
    name = path.name.split(".")[0]
    return Table.from_frame(frame, target=target, categorical=categorical, name=name, source=str(path))


def _check_names(columns: list[str], path: Path, **options: Sequence[str]) -> None:
    twice = [column for column in columns if columns.count(column) > 1]
    if twice:
        raise ValueError(f"column name {twice[0]!r} occurs more than once in {path}")
    for option, names in options.items():
        for name in names:
            if name not in columns:
                several = [part.strip() for part in name.split(",")]
                if len(several) > 1 and set(several) <= set(columns):  # a name may hold a comma, so none is a separator
                    meant = " ".join(f"--{option} {part!r}" for part in several)
                    raise ValueError(f"--{option} {name!r} is not a column: name each by itself, {meant}")
                suggestion = _suggest(name, columns)
                raise ValueError(f"--{option} {name!r} is not a column{suggestion}; the columns are {columns}")


def _check_labels(labels: pd.Series, path: Path, separator: str) -> None:
    """Refuse rows without a class, and say which classes differ in blanks alone."""
    from causalmix_utils.tables.conversion import read_texts

    unlabelled = labels.index[labels.isna()]
    if len(unlabelled):
        written = read_texts(path, labels.name, separator=separator)[unlabelled].str.strip()
        marks = sorted(set(written) - {""})
        meant = f"; if {marks[0]!r} is a class, give it another name" if marks else ""
        raise ValueError(
            f"target column {labels.name!r} has {len(unlabelled)} missing values, the first in row {unlabelled[0] + 1} "
            f"below the header, where the file says {written.iloc[0]!r}: a row without a class teaches nothing, so "
            f"write the file without such rows{meant}"
        )
    texts = labels.astype(str)
    for name, alike in texts.groupby(texts.str.strip()).unique().items():
        if len(alike) > 1:
            print(
                f"causalmix: note: the classes {sorted(alike)} of {labels.name!r} differ in blanks alone: write them "
                f"all as {name!r} if they are one",
                file=sys.stderr,
            )


def _check_first_line(path: Path, separator: str) -> None:
    """Find a file whose fields are separated by another sign, before everything becomes one column."""
    if path.suffix.lower() not in ENDINGS:
        return  # compressed
    try:
        with path.open(encoding="utf-8") as file:
            line = file.readline()
            for _ in file:  # to the end, so that a letter in another encoding is found wherever it stands
                pass
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not written in UTF-8: save it anew as “CSV UTF-8” ({error})") from error
    found = {sign: line.count(sign) for sign in ",;\t|"}
    likely = max(found, key=found.get)
    if found[likely] and not line.count(separator):
        shown = "\\t" if likely == "\t" else likely
        raise ValueError(f"the fields of {path} seem to be separated by {likely!r}: add --separator '{shown}'")


def check_source(options: argparse.Namespace) -> None:
    """Refuse a store or a folder of results that is not there, as the book's own is outside of its repository."""
    if options.store is not None and options.name is not None:
        raise ValueError(f"--name={options.name} belongs to --results, not to --store")
    if options.store is not None and not options.store.is_file():
        raise ValueError(f"--store={options.store} does not exist")
    if options.store is None and not options.results.exists():
        raise ValueError(
            f"--results={options.results} does not exist: name a folder of exported results with --results, or a "
            "benchmark's store with --store; the book's own results are in its repository, in book/results"
        )


def _suggest(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name.lower(), [column.lower() for column in known], n=1, cutoff=0.6)
    return "".join(f" (did you mean {column!r}?)" for column in known if close and column.lower() == close[0])
