"""Small tables, each with something that makes generators fail: what `check_generator` is run on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from causalmix_utils.tables import Table

_N_ROWS = 60


def hostile_tables() -> dict[str, Table]:
    """Tables of about sixty rows, by what is difficult about them; always the same ones.

    Returns
    -------
    dict of str to Table
        ``mixed``: numbers and categories, three classes;
        ``all_categorical``, ``all_numerical``: features of one kind;
        ``missing``: missing values in numbers, in levels, in two columns together, and in a whole column;
        ``sparse``: a number and a level that occur in one row, and two columns of which one is missing where the other
        is not;
        ``tiny_class``: three rows in one class, and one in another;
        ``wide``: sixty features, as many as rows;
        ``ordinal_integers``: whole numbers of few values, counts, prices with two decimals, a level that occurs once,
        and column names that are no identifiers;
        ``constant``: constant columns of both kinds, a column that repeats another, and a level that occurs nowhere.

    Examples
    --------
    >>> hostile_tables()["wide"]
    Table('wide': 60 rows, 60 features (20 categorical), 2 classes)
    """
    # A generator of random numbers for each, so that a further table leaves the others as they are.
    return {name: make(np.random.default_rng(0)) for name, make in _MAKERS.items()}


def make_difficult_table() -> Table:
    """A table of 63 rows with a bit of everything: whole numbers, gaps, a constant column, a class of three rows."""
    rng = np.random.default_rng(0)
    n = 63
    frame = pd.DataFrame(
        {
            "count": rng.integers(0, 9, n),
            "size": np.where(rng.random(n) < 0.2, np.nan, rng.gamma(2.0, 10.0, n).round(1)),
            "price": rng.normal(size=n),
            "kind": rng.choice(["a", "b", None], n),
            "always": 1,
            "outcome": ["rare"] * 3 + ["no"] * 40 + ["yes"] * 20,
        }
    )
    return Table.from_frame(frame, target="outcome", name="difficult")


def _make_mixed(rng: np.random.Generator) -> Table:
    columns, hidden = _draw_columns(rng, n_numerical=3, n_categorical=2)
    return _add_classes(columns, hidden, name="mixed", classes=("a", "b", "c"))


def _make_all_categorical(rng: np.random.Generator) -> Table:
    return _add_classes(*_draw_columns(rng, n_numerical=0, n_categorical=4), name="all_categorical")


def _make_all_numerical(rng: np.random.Generator) -> Table:
    return _add_classes(*_draw_columns(rng, n_numerical=4, n_categorical=0), name="all_numerical")


def _make_missing(rng: np.random.Generator) -> Table:
    columns, hidden = _draw_columns(rng, n_numerical=3, n_categorical=2)
    gaps = rng.random(_N_ROWS) < 0.3
    columns["number 0"][gaps] = np.nan
    columns["number 1"][gaps] = np.nan
    columns["whole"] = np.where(rng.random(_N_ROWS) < 0.2, np.nan, rng.integers(5, size=_N_ROWS))
    columns["level 0"] = np.where(rng.random(_N_ROWS) < 0.2, None, columns["level 0"])
    columns["nothing"] = np.full(_N_ROWS, np.nan)
    return _add_classes(columns, hidden, name="missing", classes=("a", "b", "c"))


def _make_sparse(rng: np.random.Generator) -> Table:
    columns, hidden = _draw_columns(rng, n_numerical=3, n_categorical=2)
    only, first_half = np.arange(_N_ROWS) == 5, np.arange(_N_ROWS) < _N_ROWS // 2
    columns["number 0"][~only] = np.nan
    columns["level 0"] = np.where(only, columns["level 0"], None)
    columns["number 1"][first_half] = np.nan
    columns["number 2"][~first_half] = np.nan
    return _add_classes(columns, hidden, name="sparse")


def _make_tiny_class(rng: np.random.Generator) -> Table:
    columns, hidden = _draw_columns(rng, n_numerical=2, n_categorical=1)
    table = _add_classes(columns, hidden, name="tiny_class", classes=("big", "other"))
    y = table.y.copy()
    y[:3] = "three"
    y[3] = "single"
    return Table(name="tiny_class", X=table.X, y=y, categorical=table.categorical)


def _make_wide(rng: np.random.Generator) -> Table:
    return _add_classes(*_draw_columns(rng, n_numerical=40, n_categorical=20), name="wide")


def _make_ordinal_integers(rng: np.random.Generator) -> Table:
    columns, hidden = _draw_columns(rng, n_numerical=1, n_categorical=1)
    columns["0"] = np.clip(np.round(2 * hidden), -2, 2).astype(int)
    columns["a b/c"] = rng.poisson(2, size=_N_ROWS)
    columns["price in €"] = np.round(np.exp(hidden), 2)
    columns["level 0"][0] = "only once"
    return _add_classes(columns, hidden, name="ordinal_integers", classes=("a", "b", "c"))


def _make_constant(rng: np.random.Generator) -> Table:
    columns, hidden = _draw_columns(rng, n_numerical=2, n_categorical=1)
    columns |= {"same": np.full(_N_ROWS, 7), "also same": ["x"] * _N_ROWS, "copy": columns["number 0"].copy()}
    columns["level 0"] = pd.Categorical(columns["level 0"], categories=["high", "low", "mid"])
    table = _add_classes(columns, hidden, name="constant", classes=("a", "b", "c"))
    return table.take((table.X["level 0"] != "mid").to_numpy())


_MAKERS: dict[str, Callable[[np.random.Generator], Table]] = {
    "mixed": _make_mixed,
    "all_categorical": _make_all_categorical,
    "all_numerical": _make_all_numerical,
    "missing": _make_missing,
    "sparse": _make_sparse,
    "tiny_class": _make_tiny_class,
    "wide": _make_wide,
    "ordinal_integers": _make_ordinal_integers,
    "constant": _make_constant,
}


def _draw_columns(rng: np.random.Generator, *, n_numerical: int, n_categorical: int) -> tuple[dict, np.ndarray]:
    """Columns that depend on one hidden number, and that number."""
    hidden = rng.normal(size=_N_ROWS)
    columns = {f"number {i}": hidden * rng.normal() + rng.normal(size=_N_ROWS) for i in range(n_numerical)}
    for i in range(n_categorical):
        codes = np.digitize(hidden + rng.normal(size=_N_ROWS), [-0.7, 0.7])
        columns[f"level {i}"] = np.array(["low", "mid", "high"], dtype=object)[codes]
    return columns, hidden


def _add_classes(columns: dict, hidden: np.ndarray, *, name: str, classes: Sequence[str] = ("no", "yes")) -> Table:
    """A table whose classes, equally frequent, are parts of the range of the hidden number."""
    place = np.argsort(np.argsort(hidden)) * len(classes) // len(hidden)
    return Table.from_frame(pd.DataFrame({**columns, "class": np.array(classes)[place]}), target="class", name=name)
