"""What a table promises, as checks: on its parts when it is made, and against another table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from causalmix_utils.tables.conversion import check_exact

if TYPE_CHECKING:
    from causalmix_utils.tables.table import Table


def check_same_schema(rows: Table, like: Table) -> None:
    """Check that `rows` could have been drawn from the table `like`.

    Same columns in the same order with the same types; no class and no category level that
    `like` has not; numerical values within the range of `like`; missing values only where
    `like` has some.

    Raises
    ------
    ValueError
        At the first difference. The message names the column and the value.
    """
    if rows.columns != like.columns:
        raise ValueError(f"columns are {rows.columns}, expected {like.columns}")
    if rows.categorical != like.categorical:
        raise ValueError(f"categorical columns are {rows.categorical}, expected {like.categorical}")
    new_classes = sorted(set(rows.classes) - set(like.classes))
    if new_classes:
        raise ValueError(f"target {like.target!r} has the class {new_classes[0]!r}, which {like.name!r} has not")
    for column in like.X.columns:
        found, expected = rows.X[column], like.X[column]
        if found.isna().any() and not expected.isna().any():
            raise ValueError(f"column {column!r} has missing values, but {like.name!r} has none there")
        if column in like.categorical:
            new_levels = sorted(set(found.dropna().unique()) - set(expected.dropna().unique()))
            if new_levels:
                raise ValueError(f"column {column!r} has the level {new_levels[0]!r}, which {like.name!r} has not")
            continue
        if found.dtype != expected.dtype:
            raise ValueError(f"column {column!r} has dtype {found.dtype}, expected {expected.dtype}")
        if expected.isna().all() and found.notna().any():
            raise ValueError(f"column {column!r} has values such as {found.max()}, but {like.name!r} has none there")
        if found.min() < expected.min() or found.max() > expected.max():
            raise ValueError(
                f"column {column!r} ranges over [{found.min()}, {found.max()}], "
                f"outside of [{expected.min()}, {expected.max()}] in {like.name!r}"
            )


def check_shape(X: pd.DataFrame, y: pd.Series) -> None:
    if X.shape[0] == 0:
        raise ValueError("the table has no rows")
    if X.shape[1] == 0:
        raise ValueError("the table has no feature columns")
    if len(X) != len(y):
        raise ValueError(f"X has {len(X)} rows, but y has {len(y)}")
    if not (X.index.equals(pd.RangeIndex(len(X))) and y.index.equals(X.index)):
        raise ValueError("the index of X and y must be 0, 1, …; use Table.from_frame, which resets it")


def check_names(columns: list, target: object) -> None:
    for column in [*columns, target]:
        if not isinstance(column, str):
            raise ValueError(f"column name {column!r} is not a string; use Table.from_frame, which converts names")
    repeated = [column for column, count in Counter(columns).items() if count > 1]
    if repeated:
        raise ValueError(f"column name {min(repeated)!r} occurs more than once")
    if target in columns:
        raise ValueError(f"the target {target!r} is also a feature column")


def check_named(argument: str, named: Iterable | None, features: Sequence[str]) -> set[str]:
    """The names as strings; refuse those of columns that are not there. None names none."""
    if isinstance(named, str):
        raise ValueError(f"{argument} must be a sequence of column names, got the text {named!r}")
    texts = {str(name) for name in (() if named is None else named)}
    absent = sorted(texts - set(features))
    if absent:
        raise ValueError(f"{argument} names {absent[0]!r}, which is not a feature column: {list(features)}")
    return texts


def check_categorical(categorical: list[str], X: pd.DataFrame) -> None:
    unknown = [column for column in categorical if column not in X.columns]
    if unknown:
        raise ValueError(f"categorical names {unknown[0]!r}, which is not a column of X")
    named = set(categorical)
    in_order = [column for column in X.columns if column in named]
    if list(categorical) != in_order:
        raise ValueError(f"categorical must be in the order of X, {in_order}, got {categorical!r}")


def check_target(y: pd.Series) -> None:
    if isinstance(y.dtype, pd.CategoricalDtype):
        raise ValueError(f"target {y.name!r} has dtype 'category', but class names must be plain strings")
    bad = [value for value in y.unique() if not isinstance(value, str)]
    if bad:
        raise ValueError(f"target {y.name!r} holds {bad[0]!r}, but class names must be strings")


def check_column(column: pd.Series, *, is_categorical: bool) -> None:
    if is_categorical:
        if not isinstance(column.dtype, pd.CategoricalDtype):
            raise ValueError(f"categorical column {column.name!r} has dtype {column.dtype}, expected 'category'")
        bad = [level for level in column.cat.categories if not isinstance(level, str)]
        if bad:
            raise ValueError(f"categorical column {column.name!r} has the level {bad[0]!r}, which is not a string")
        return
    if column.dtype not in (np.dtype("int64"), np.dtype("float64")):
        raise ValueError(f"column {column.name!r} has dtype {column.dtype}, expected int64, float64 or 'category'")
    if column.dtype == np.dtype("int64"):
        check_exact(column)
    if np.isinf(column).any():
        raise ValueError(
            f"column {column.name!r} holds an infinite value in row {int(np.isinf(column).to_numpy().argmax())}"
        )
