"""The one data type that every stage of the book passes on: a table with a target.

A `Table` is checked once, when it is made.  The stages that follow rely on what is
promised here and do not check it again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from causalmix_utils.tables.conversion import as_text, convert_column, holds_numbers, read_csv
from causalmix_utils.tables.schema import (
    check_categorical,
    check_column,
    check_named,
    check_names,
    check_shape,
    check_target,
)

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
    Table.from_csv : reads a `Table` from a file.

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
        check_shape(self.X, self.y)
        check_names(list(self.X.columns), self.y.name)
        check_target(self.y)
        check_categorical(self.categorical, self.X)
        named = set(self.categorical)
        for column in self.X.columns:
            check_column(self.X[column], is_categorical=column in named)

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
            ``category`` dtype. Integer codes are categories only if they are named here. Objects of
            type `decimal.Decimal` are numbers.
        name, source, licence : str
            Stored as given.

        Returns
        -------
        Table

        Raises
        ------
        ValueError
            If the target is absent or has missing values, two columns have the same name,
            a column holds infinities, dates or whole numbers beyond ±2**53, or there are no rows or no features.
        """
        # Numbers that arrive in object columns, as from a mixed NumPy array, are numbers all the same.
        frame = frame.rename(columns=str).reset_index(drop=True).infer_objects()
        duplicated = frame.columns[frame.columns.duplicated()]
        if len(duplicated):
            raise ValueError(f"column name {duplicated[0]!r} occurs more than once (names are compared as strings)")
        target = str(target)
        if target not in frame.columns:
            raise ValueError(f"target={target!r} is not a column; the columns are {list(frame.columns)}")
        if frame[target].isna().any():
            raise ValueError(f"target column {target!r} has {int(frame[target].isna().sum())} missing values")
        X = frame.drop(columns=target)
        named = check_named("categorical", categorical, X.columns)
        is_text = {column: column in named or not holds_numbers(X[column]) for column in X.columns}
        X = pd.DataFrame(
            {column: convert_column(X[column], is_categorical=is_text[column]) for column in X.columns}, index=X.index
        )
        return cls(
            name=name,
            X=X,
            y=as_text(frame[target]).astype(object),
            categorical=[column for column in X.columns if is_text[column]],
            source=source,
            licence=licence,
        )

    @classmethod
    def from_csv(
        cls,
        path: str | os.PathLike,
        *,
        target: str,
        categorical: Sequence[str] | None = None,
        name: str | None = None,
        separator: str = ",",
        source: str | None = None,
        licence: str = "unknown",
    ) -> Table:
        """Read a `Table` from a CSV file with a header row.

        Empty fields and the usual marks (``NA``, ``NaN``, ``null``, …) are missing values, as in
        `pandas.read_csv`. Columns that hold anything but numbers become categorical.

        Parameters
        ----------
        path : path
            The file, possibly compressed (``.gz``, ``.zip``, …).
        target : str
            Name of the target column.
        categorical : sequence of str, optional
            Columns of numbers that are codes of categories.
        name : str, optional
            Name of the table; by default the file's name without its endings.
        separator : str, default ","
            What stands between two fields.
        source, licence : str
            Stored as given; the source is the path by default.

        Returns
        -------
        Table

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file is not a CSV file, two columns have the same name, a column has no
            name, or `Table.from_frame` refuses the content.
        """
        path = Path(path)
        frame = read_csv(path, separator=separator)
        return cls.from_frame(
            frame,
            target=target,
            categorical=categorical,
            name=path.name.split(".")[0] if name is None else name,
            source=str(path) if source is None else source,
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
        named = set(self.categorical)
        return [column for column in self.X.columns if column not in named]

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
        frame = self.X.copy()
        frame[self.target] = self.y
        return frame

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
            raise ValueError(
                f"tables {self.name!r} and {other.name!r} differ in columns: {self.columns} against {other.columns}"
            )
        columns = {}
        for column in self.X.columns:
            parts = [self.X[column], other.X[column]]
            if column in self.categorical:
                columns[column] = pd.api.types.union_categoricals(parts, ignore_order=True)
            else:
                columns[column] = np.concatenate(parts)
        y = pd.Series(np.concatenate([self.y, other.y]), name=self.target, dtype=object)
        return replace(self, X=pd.DataFrame(columns), y=y)
