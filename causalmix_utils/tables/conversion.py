"""Bringing columns to the types of a `Table`, and reading CSV files without silent repairs."""

from __future__ import annotations

import warnings
from lzma import LZMAError
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pandas as pd

LARGEST_WHOLE = 2**53
"""Up to here a float holds every whole number."""


def read_csv(path: Path, *, separator: str, decimal: str = ".") -> pd.DataFrame:
    """Read a CSV file with a header row; see `Table.from_csv` for what is refused."""
    options = {"sep": separator, "low_memory": False}
    try:
        header = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False, **options)
        with warnings.catch_warnings():
            # Where all rows have a field more than the header, pandas would drop their last one.
            warnings.filterwarnings("error", "Length of header", pd.errors.ParserWarning)
            frame = pd.read_csv(path, index_col=False, decimal=decimal, **options)
    except pd.errors.ParserWarning as error:
        raise ValueError(
            f"the rows of {str(path)!r} have more fields than its header has names, {header.shape[1]}; "
            "if they begin with row numbers, write the file without them"
        ) from error
    except (
        pd.errors.EmptyDataError,
        pd.errors.ParserError,
        UnicodeDecodeError,
        BadZipFile,
        LZMAError,
        EOFError,
    ) as error:
        raise ValueError(f"{str(path)!r} cannot be read as a CSV file: {error}") from error
    # pandas renames repeated and empty names without a word, so the header is checked as it stands.
    names = [str(column).strip() for column in header.iloc[0]]
    for place, column in enumerate(names, start=1):
        if column == "":
            raise ValueError(
                f"column {place} of {str(path)!r} has no name; if it holds row numbers, write the file without them"
            )
    frame.columns = names
    for place, column in enumerate(names):
        values = frame.iloc[:, place]
        # Whole numbers beside an empty field are read as floats, which don't hold all of them.
        if pd.api.types.is_float_dtype(values) and (beyond := values.abs() > LARGEST_WHOLE).any():
            texts = read_texts(path, column, separator=separator)[beyond]
            if texts.str.fullmatch(r"\s*[+-]?\d+\s*").all():
                check_exact(texts.map(int).rename(column))
    return frame


def read_texts(path: Path, column: str, *, separator: str) -> pd.Series:
    """A column of a CSV file as it is written, with empty texts where nothing is."""
    options = {"sep": separator, "dtype": str, "keep_default_na": False, "index_col": False}
    return pd.read_csv(path, usecols=lambda name: name.strip() == column, **options).iloc[:, 0]


def convert_column(column: pd.Series, *, is_categorical: bool) -> pd.Series:
    """Bring a column to one of the three types that a `Table` knows."""
    if is_categorical:
        _refuse_dates(column)
        _check_finite(column)
        text = as_text(column)
        return text.astype(pd.CategoricalDtype(sorted(text.dropna().unique())))
    check_kind(column)
    is_whole = pd.api.types.is_integer_dtype(column) and not column.isna().any()
    return column.astype("int64" if is_whole else "float64")


def check_kind(column: pd.Series) -> None:
    """Refuse dates, complex numbers, and whole numbers that a float can't hold, in a column of numbers."""
    _refuse_dates(column)
    if pd.api.types.is_complex_dtype(column):
        raise ValueError(f"column {column.name!r} holds complex numbers")
    if pd.api.types.is_integer_dtype(column):
        check_exact(column.dropna())


def _refuse_dates(column: pd.Series) -> None:
    if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column):
        raise ValueError(f"column {column.name!r} holds dates; turn them into numbers or categories first")


def check_exact(column: pd.Series) -> None:
    """Refuse whole numbers that change when they become floats, as they do in the network and in every generator."""
    beyond = (column > LARGEST_WHOLE) | (column < -LARGEST_WHOLE)
    if beyond.any():
        raise ValueError(
            f"column {column.name!r} holds {column[beyond].iloc[0]}: whole numbers beyond 2**53 can't be told from "
            "their neighbours. Leave the column out if it names rows; make times coarser, such as days"
        )


def _check_finite(column: pd.Series) -> None:
    for value in column.dropna().unique():
        if isinstance(value, float | np.floating) and np.isinf(value):
            raise ValueError(f"column {column.name!r} holds an infinite value")


def as_text(column: pd.Series) -> pd.Series:
    """Values as strings, missing ones as NaN.

    Each value is written by itself, and a whole number always without a point: the level 1 is the same level in a
    column of integers, of floats because some are missing, or of one row.
    """
    return column.astype(object).map(_write, na_action="ignore")


def _write(value: object) -> str:
    is_whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value)) if is_whole else str(value)
