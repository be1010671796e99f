"""Bringing columns to the types of a `Table`, and reading CSV files without silent repairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd


def read_csv(path: Path, *, separator: str, decimal: str = ".") -> pd.DataFrame:
    """Read a CSV file with a header row; see `Table.from_csv` for what is refused."""
    options = {"sep": separator, "low_memory": False}
    try:
        header = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False, **options)
        frame = pd.read_csv(path, index_col=False, decimal=decimal, **options)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise ValueError(f"{str(path)!r} cannot be read as a CSV file: {error}") from error
    # pandas renames repeated and empty names without a word, so the header is checked as it stands.
    names = [str(column).strip() for column in header.iloc[0]]
    for place, column in enumerate(names, start=1):
        if column == "":
            raise ValueError(
                f"column {place} of {str(path)!r} has no name; if it holds row numbers, write the file without them"
            )
    frame.columns = names
    return frame


def convert_column(column: pd.Series, *, is_categorical: bool) -> pd.Series:
    """Bring a column to one of the three types that a `Table` knows."""
    if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column):
        raise ValueError(f"column {column.name!r} holds dates; turn them into numbers or categories first")
    if is_categorical:
        text = as_text(column)
        return text.astype(pd.CategoricalDtype(sorted(text.dropna().unique())))
    if pd.api.types.is_complex_dtype(column):
        raise ValueError(f"column {column.name!r} holds complex numbers")
    if pd.api.types.is_integer_dtype(column) and not column.isna().any():
        return column.astype("int64")
    return column.astype("float64")


def as_text(column: pd.Series) -> pd.Series:
    """Values as strings, missing ones as NaN; 1.0 becomes '1' where all numbers are whole."""
    values = column.astype(object)
    present = values.notna()
    if pd.api.types.is_float_dtype(column) and np.all(np.mod(values[present].astype(float), 1) == 0):
        values[present] = values[present].astype("int64").to_numpy()  # a Series would be aligned, and floats again
    return values.where(~present, values.astype(str)).where(present, np.nan)
