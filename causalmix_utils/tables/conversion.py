"""Bringing columns to the types of a `Table`, and reading CSV files without silent repairs."""

from __future__ import annotations

import datetime
import math
import warnings
import zlib
from decimal import Decimal
from lzma import LZMAError
from pathlib import Path
from tarfile import TarError
from zipfile import BadZipFile

import numpy as np
import pandas as pd

LARGEST_WHOLE = 2**53
"""Up to here a float holds every whole number."""

_DATES = (datetime.date, datetime.timedelta, np.datetime64, np.timedelta64, pd.Period)
_UNREADABLE = (
    pd.errors.EmptyDataError,
    pd.errors.ParserError,
    UnicodeDecodeError,
    BadZipFile,
    LZMAError,
    TarError,
    zlib.error,
    EOFError,
)


def read_csv(path: Path, *, separator: str, decimal: str = ".") -> pd.DataFrame:
    """Read a CSV file with a header row; see `Table.from_csv` for what is refused."""
    options = {"sep": separator, "low_memory": False}
    try:
        header = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False, **options)
        with warnings.catch_warnings():
            # Where all rows have a field more than the header, pandas would drop their last one.
            warnings.filterwarnings("error", "Length of header", pd.errors.ParserWarning)
            frame = pd.read_csv(path, index_col=False, decimal=decimal, float_precision="round_trip", **options)
    except pd.errors.ParserWarning as error:
        raise ValueError(
            f"the rows of {str(path)!r} have more fields than its header has names, {header.shape[1]}; "
            "if they begin with row numbers, write the file without them"
        ) from error
    except (*_UNREADABLE, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the system's, such as a missing file; the errors of damaged archives have no number
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
    column = decimals_as_floats(column)
    is_whole = pd.api.types.is_integer_dtype(column) and not column.isna().any()
    return column.astype("int64" if is_whole else "float64")


def check_kind(column: pd.Series) -> None:
    """Refuse dates, complex numbers, and whole numbers that a float can't hold, in a column of numbers."""
    _refuse_dates(column)
    if pd.api.types.is_complex_dtype(column):
        raise ValueError(f"column {column.name!r} holds complex numbers")
    if pd.api.types.is_integer_dtype(column):
        check_exact(column.dropna())
    if _is_decimal(column):
        check_exact(column[np.isfinite(decimals_as_floats(column))].astype(object))


def holds_numbers(column: pd.Series) -> bool:
    """Whether a column is numerical unless it is named as categorical."""
    is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    return is_number or _is_decimal(column)


def _is_decimal(column: pd.Series) -> bool:
    return pd.api.types.infer_dtype(column, skipna=True) == "decimal"


def decimals_as_floats(column: pd.Series) -> pd.Series:
    """A column of exact decimal numbers, as databases hand them out, as floats; any other column as it is."""
    if not _is_decimal(column):
        return column
    return pd.Series(column.to_numpy(dtype=float, na_value=np.nan), index=column.index, name=column.name)


def _refuse_dates(column: pd.Series) -> None:
    # Dates also come as objects, as the values of categories, and in types of other libraries.
    is_date = pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column)
    if not is_date and not pd.api.types.is_numeric_dtype(column):
        is_date = any(isinstance(value, _DATES) for value in _values(column).dropna().astype(object))
    if is_date:
        raise ValueError(f"column {column.name!r} holds dates; turn them into numbers or texts first")


def _values(column: pd.Series) -> pd.Series:
    """The values of a column, or each of its categories once."""
    return column.cat.categories.to_series() if isinstance(column.dtype, pd.CategoricalDtype) else column


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
        if isinstance(value, float | np.floating | Decimal) and math.isinf(value):
            raise ValueError(f"column {column.name!r} holds an infinite value")


def as_text(column: pd.Series) -> pd.Series:
    """Values as strings, missing ones as NaN.

    Each value is written by itself, and a whole number always without a point: the level 1 is the same level in a
    column of integers, of floats because some are missing, or of one row. Other numbers have as many digits as tell
    them apart in the column's own type: the level 0.1 is the same level in a column of single precision.
    """
    dtype = _values(column).dtype
    dtype = getattr(dtype, "numpy_dtype", dtype)  # of a type with missing values
    if dtype in (np.float16, np.float32):
        return column.astype(object).map(lambda value: _write(dtype.type(value)), na_action="ignore")
    return column.astype(object).map(_write, na_action="ignore")


def _write(value: object) -> str:
    if isinstance(value, Decimal):
        is_whole = value.is_finite() and value == value.to_integral_value()
    else:
        is_whole = isinstance(value, float | np.floating) and float(value).is_integer()
    if is_whole:
        return str(int(value))
    return str(float(str(value)) if isinstance(value, np.floating | Decimal) else value)
