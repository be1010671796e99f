"""The one data type that every stage of the book passes on: a table with a target.

A `Table` is checked once, when it is made.  The stages that follow rely on what is
promised here and do not check it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

MISSING_LEVEL = "missing"
"""Level that stands for a missing value where an algorithm needs every category named."""


@dataclass(frozen=True, eq=False)
class Table:
    """A classification table: features, a target of class names, and where they come from.

    Parameters
    ----------
    name : str
        Short name, used in messages and results.
    X : DataFrame of shape (n_rows, n_features)
        Features. Columns named in `categorical` have dtype ``category`` with string
        categories; all others are ``int64`` or ``float64``. Missing values are NaN;
        infinities are not allowed. The index is ``0 … n_rows - 1``.
    y : Series of shape (n_rows,)
        Class names as strings, never missing. Its name is the target's name and differs
        from every feature's.
    categorical : list of str
        The categorical columns of `X`, in the order of `X`.
    source, licence : str
        Where the data come from and under which terms.

    Raises
    ------
    ValueError
        If a promise above does not hold. The message names the column and the value.

    See Also
    --------
    Table.from_frame : makes a `Table` from any DataFrame, converting types on the way.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"age": [31, 45, 28], "job": ["cook", "smith", "cook"], "paid": ["no", "yes", "no"]})
    >>> table = Table.from_frame(frame, target="paid", name="example")
    >>> table
    Table('example': 3 rows, 2 features (1 categorical), 2 classes)
    >>> table.classes
    ['no', 'yes']
    """

    name: str
    X: pd.DataFrame
    y: pd.Series
    categorical: list[str] = field(default_factory=list)
    source: str = "unknown"
    licence: str = "unknown"

    def __post_init__(self) -> None:
        _check_shape(self.X, self.y)
        _check_names(list(self.X.columns), self.y.name)
        _check_target(self.y)
        unknown = [column for column in self.categorical if column not in self.X.columns]
        if unknown:
            raise ValueError(f"categorical names {unknown[0]!r}, which is not a column of X")
        for column in self.X.columns:
            _check_column(self.X[column], is_categorical=column in self.categorical)

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        target: str,
        categorical: Sequence[str] | None = None,
        name: str = "table",
        source: str = "unknown",
        licence: str = "unknown",
    ) -> Table:
        """Make a `Table` from a DataFrame, converting column types on the way.

        Parameters
        ----------
        frame : DataFrame of shape (n_rows, n_features + 1)
            Features and target. Column names are converted to strings.
        target : str
            Name of the target column. Its values become strings.
        categorical : sequence of str, optional
            The categorical columns, in addition to every column of text, bool or
            ``category`` dtype. Integer codes are categories only if they are named here.
        name, source, licence : str
            Stored as given.

        Returns
        -------
        Table

        Raises
        ------
        ValueError
            If the target is absent or has missing values, two columns have the same name,
            a column holds infinities or dates, or there are no rows or no features.
        """
        frame = frame.rename(columns=str).reset_index(drop=True)
        duplicated = frame.columns[frame.columns.duplicated()]
        if len(duplicated):
            raise ValueError(f"column name {duplicated[0]!r} occurs more than once (names are compared as strings)")
        target = str(target)
        if target not in frame.columns:
            raise ValueError(f"target={target!r} is not a column; the columns are {list(frame.columns)}")
        if frame[target].isna().any():
            raise ValueError(f"target column {target!r} has {int(frame[target].isna().sum())} missing values")
        named = {str(column) for column in categorical or ()}
        absent = sorted(named - set(frame.columns) | named & {target})
        if absent:
            raise ValueError(f"categorical names {absent[0]!r}, which is not a feature column")
        X = frame.drop(columns=target)
        is_text = {column: column in named or not pd.api.types.is_numeric_dtype(X[column]) for column in X.columns}
        is_text.update({column: True for column in X.columns if pd.api.types.is_bool_dtype(X[column])})
        X = pd.DataFrame({column: _convert(X[column], is_categorical=is_text[column]) for column in X.columns}, index=X.index)
        return cls(
            name=name,
            X=X,
            y=_as_text(frame[target]).astype(object),
            categorical=[column for column in X.columns if is_text[column]],
            source=source,
            licence=licence,
        )

    @property
    def target(self) -> str:
        """Name of the target."""
        return self.y.name

    @property
    def classes(self) -> list[str]:
        """The class names that occur, sorted."""
        return sorted(self.y.unique())

    @property
    def numerical(self) -> list[str]:
        """The columns of `X` that are not categorical, in the order of `X`."""
        return [column for column in self.X.columns if column not in self.categorical]

    @property
    def columns(self) -> list[str]:
        """All columns, the target last."""
        return [*self.X.columns, self.target]

    def __len__(self) -> int:
        return len(self.y)

    def __repr__(self) -> str:
        return (
            f"Table({self.name!r}: {len(self)} rows, {self.X.shape[1]} features "
            f"({len(self.categorical)} categorical), {len(self.classes)} classes)"
        )

    def to_frame(self) -> pd.DataFrame:
        """Features and target in one DataFrame of shape (n_rows, n_features + 1), the target last."""
        return self.X.assign(**{self.target: self.y})

    def take(self, rows: Sequence[int] | np.ndarray) -> Table:
        """Rows by position or Boolean mask, as a new `Table` with the same columns and types."""
        X, y = self.X.iloc[rows], self.y.iloc[rows]
        return replace(self, X=X.reset_index(drop=True), y=y.reset_index(drop=True))

    def concat(self, other: Table) -> Table:
        """The rows of this table followed by those of `other`, which must have the same columns and types.

        Category levels are the union of both, this table's first.

        Raises
        ------
        ValueError
            If the columns or their kinds differ.
        """
        if self.columns != other.columns or self.categorical != other.categorical:
            raise ValueError(f"tables {self.name!r} and {other.name!r} differ in columns: {self.columns} against {other.columns}")
        columns = {}
        for column in self.X.columns:
            parts = [self.X[column], other.X[column]]
            if column in self.categorical:
                columns[column] = pd.api.types.union_categoricals(parts, ignore_order=True)
            else:
                columns[column] = np.concatenate(parts)
        y = pd.Series(np.concatenate([self.y, other.y]), name=self.target, dtype=object)
        return replace(self, X=pd.DataFrame(columns), y=y)


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
        if found.min() < expected.min() or found.max() > expected.max():
            raise ValueError(
                f"column {column!r} ranges over [{found.min()}, {found.max()}], "
                f"outside of [{expected.min()}, {expected.max()}] in {like.name!r}"
            )


def _check_shape(X: pd.DataFrame, y: pd.Series) -> None:
    if X.shape[0] == 0:
        raise ValueError("the table has no rows")
    if X.shape[1] == 0:
        raise ValueError("the table has no feature columns")
    if len(X) != len(y):
        raise ValueError(f"X has {len(X)} rows, but y has {len(y)}")
    if not (X.index.equals(pd.RangeIndex(len(X))) and y.index.equals(X.index)):
        raise ValueError("the index of X and y must be 0, 1, …; use Table.from_frame, which resets it")


def _check_names(columns: list, target: object) -> None:
    for column in [*columns, target]:
        if not isinstance(column, str):
            raise ValueError(f"column name {column!r} is not a string; use Table.from_frame, which converts names")
    repeated = {column for column in columns if columns.count(column) > 1}
    if repeated:
        raise ValueError(f"column name {sorted(repeated)[0]!r} occurs more than once")
    if target in columns:
        raise ValueError(f"the target {target!r} is also a feature column")


def _check_target(y: pd.Series) -> None:
    bad = [value for value in y.unique() if not isinstance(value, str)]
    if bad:
        raise ValueError(f"target {y.name!r} holds {bad[0]!r}, but class names must be strings")


def _check_column(column: pd.Series, *, is_categorical: bool) -> None:
    if is_categorical:
        if not isinstance(column.dtype, pd.CategoricalDtype):
            raise ValueError(f"categorical column {column.name!r} has dtype {column.dtype}, expected 'category'")
        bad = [level for level in column.cat.categories if not isinstance(level, str)]
        if bad:
            raise ValueError(f"categorical column {column.name!r} has the level {bad[0]!r}, which is not a string")
        return
    if column.dtype not in (np.dtype("int64"), np.dtype("float64")):
        raise ValueError(f"column {column.name!r} has dtype {column.dtype}, expected int64, float64 or 'category'")
    if np.isinf(column).any():
        raise ValueError(f"column {column.name!r} holds an infinite value in row {int(np.isinf(column).to_numpy().argmax())}")


def _convert(column: pd.Series, *, is_categorical: bool) -> pd.Series:
    """Bring a column to one of the three types that a `Table` knows."""
    if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column):
        raise ValueError(f"column {column.name!r} holds dates; turn them into numbers or categories first")
    if is_categorical:
        text = _as_text(column)
        return text.astype(pd.CategoricalDtype(sorted(text.dropna().unique())))
    if pd.api.types.is_complex_dtype(column):
        raise ValueError(f"column {column.name!r} holds complex numbers")
    if pd.api.types.is_integer_dtype(column) and not column.isna().any():
        return column.astype("int64")
    return column.astype("float64")


def _as_text(column: pd.Series) -> pd.Series:
    """Values as strings, missing ones as NaN; 1.0 becomes '1' where all numbers are whole."""
    values = column.astype(object)
    present = values.notna()
    if pd.api.types.is_float_dtype(column) and np.all(np.mod(values[present].astype(float), 1) == 0):
        values[present] = values[present].astype("int64")
    return values.where(~present, values.astype(str)).where(present, np.nan)
