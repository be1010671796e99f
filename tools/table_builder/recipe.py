"""What one table is made of, and how it is brought to its normal form."""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from table_builder.readers import Reader


@dataclass(frozen=True)
class Recipe:
    """Where a table comes from and what is done to it.

    `categorical` and `drop` are column names separated by blanks. Columns of text are
    categorical without being named. `prepare` receives the frame as read. `rows` bounds the
    size by a stratified subsample, `digits` rounds to so many significant digits; both keep
    the file small, and the quirks mention them.
    """

    name: str
    role: str
    package: str
    path: str
    read: Reader
    target: str
    source: str
    licence: str
    categorical: str = ""
    drop: str = ""
    prepare: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    rows: int | None = None
    digits: int | None = None
    tabarena: str = ""
    openml_task: str = ""
    quirks: str = ""


def make_frame(recipe: Recipe, path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Read a table and bring it to its normal form.

    Returns
    -------
    frame : DataFrame
        Features, then the target. Categories are strings, missing values are NaN, whole
        numbers are integers.
    categorical : list of str
        The categorical features, in the order of the columns.
    """
    frame = recipe.read(path)
    if recipe.prepare is not None:
        frame = recipe.prepare(frame)
    frame = frame.drop(columns=recipe.drop.split()).rename(columns=_tidy_name)
    frame = frame[[column for column in frame.columns if column != recipe.target] + [recipe.target]]
    if frame[recipe.target].isna().any():
        raise ValueError(f"{recipe.name}: the target has missing values")
    named = recipe.categorical.split()
    absent = set(named) - set(frame.columns)
    if absent:
        raise ValueError(f"{recipe.name}: there is no column {sorted(absent)[0]!r}")
    is_text = [column in named or not _is_number(frame[column]) for column in frame.columns[:-1]]
    categorical = [column for column, flag in zip(frame.columns[:-1], is_text, strict=True) if flag]
    for column in frame.columns:
        as_text = column in categorical or column == recipe.target
        frame[column] = _to_text(frame[column]) if as_text else _to_number(frame[column], recipe.digits)
    if recipe.rows is not None and len(frame) > recipe.rows:
        frame = _subsample(frame, recipe.target, recipe.rows)
    return frame.reset_index(drop=True), categorical


def to_bytes(frame: pd.DataFrame) -> bytes:
    """The compressed CSV file. The same frame gives the same bytes, since no time is stored."""
    text = io.StringIO()
    frame.to_csv(text, index=False, lineterminator="\n")
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0, compresslevel=9) as file:
        file.write(text.getvalue().encode())
    return packed.getvalue()


def drop_rare_classes(target: str, fewest: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Leave out the classes with fewer than `fewest` rows. The recipe's quirks say which."""

    def prepare(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[frame.groupby(target, observed=True)[target].transform("size").astype(int) >= fewest]

    return prepare


def drop_rows_without(target: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Leave out the rows whose target is missing. The recipe's quirks say so."""
    return lambda frame: frame.dropna(subset=[target])


def name_classes(target: str, names: dict) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Replace the codes of the classes by the names that the origin documents."""
    return lambda frame: frame.assign(**{target: frame[target].map(names)})


def _tidy_name(name: object) -> str:
    return re.sub(r"[^0-9A-Za-z_]+", "_", str(name)).strip("_")


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _to_number(column: pd.Series, digits: int | None = None) -> pd.Series:
    column = column.astype("float64")
    if digits is not None:
        column = column.map(lambda value: float(f"{value:.{digits}g}"))
    present = column.dropna()
    return column.astype("Int64") if (present == present.round()).all() else column


def _to_text(column: pd.Series) -> pd.Series:
    if _is_number(column):
        column = _to_number(column)
    text = column.astype(object)
    present = text.notna()
    text = text.where(~present, text.astype(str).str.strip()).where(present, np.nan)
    # An empty string would come back as a missing value, so it must not be a level.
    if (text[present] == "").any():
        raise ValueError(f"column {column.name!r} has an empty string as a level")
    return text


def _subsample(frame: pd.DataFrame, target: str, rows: int) -> pd.DataFrame:
    """A stratified subsample with a fixed seed, in the order of the original."""
    rng = np.random.default_rng(20240601)
    share = rows / len(frame)
    kept = [
        rng.choice(part, size=max(1, round(share * len(part))), replace=False)
        for part in frame.groupby(target, sort=True).indices.values()
    ]
    return frame.iloc[np.sort(np.concatenate(kept))]
