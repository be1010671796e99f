"""A check for those who write a generator of their own: does it keep the contract of `Generator`?"""

from __future__ import annotations

import random

import numpy as np
import pandas as pd

from causalmix_utils.generators.base import Generator
from causalmix_utils.generators.registry import make_generator
from causalmix_utils.tables import Table, check_same_schema

_N_ROWS = 60


def check_generator(generator: str | type[Generator] | Generator, *, table: Table | None = None) -> None:
    """Try a generator on a small difficult table, and raise where it breaks its contract.

    Parameters
    ----------
    generator : str, subclass of Generator, or Generator
        As `make_generator` takes it.
    table : Table, optional
        The table to try it on; by default one with whole numbers, decimals, categories, missing values, a
        constant column and a class of three rows.

    Raises
    ------
    ValueError
        At the first breach: options that are not stored as given, a ``fit`` that changes the table or does not
        return the generator, a wrong number of rows, rows that could not belong to the table, a class that is left
        out, rows that the same seed does not repeat or that another seed repeats, random numbers from global state.

    Examples
    --------
    >>> check_generator("smote")
    """
    table = make_difficult_table() if table is None else table
    made = make_generator(generator)
    copy = type(made)(**made.get_params())
    if copy.get_params() != made.get_params():
        raise ValueError(f"{made!r} does not store its options as given: a copy is {copy!r}")
    before = table.to_frame().copy(deep=True)
    global_state = _describe_global_state()
    first = _fit_and_sample(made, table, seed=0)
    if not before.equals(table.to_frame()):
        raise ValueError(f"{made!r} changes the table that it is fitted to")
    if len(first) != _N_ROWS:
        raise ValueError(f"{made!r} returned {len(first)} rows, {_N_ROWS} were asked for")
    check_same_schema(first, table)
    if getattr(made, "cover_classes", True) and first.classes != table.classes:
        raise ValueError(f"{made!r} returned the classes {first.classes}, expected {table.classes}")
    # The global generators stand elsewhere by now if they were used, so that rows drawn from them differ.
    if not first.to_frame().equals(_fit_and_sample(copy, table, seed=0).to_frame()):
        raise ValueError(f"{made!r} gives different rows for the same seed: draw from the rng that is handed over")
    if first.to_frame().equals(_fit_and_sample(make_generator(made), table, seed=1).to_frame()):
        raise ValueError(f"{made!r} gives the same rows for different seeds")
    if _describe_global_state() != global_state:
        raise ValueError(f"{made!r} draws from or seeds the global state of random or numpy: use the rng it is given")


def make_difficult_table() -> Table:
    """A table of 63 rows that has a bit of everything that makes generators fail; always the same."""
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


def _fit_and_sample(generator: Generator, table: Table, *, seed: int) -> Table:
    rng = np.random.default_rng(seed)
    fitted = generator.fit(table, rng=rng)
    if fitted is not generator:
        raise ValueError(f"fit of {generator!r} returned {fitted!r} and not the generator itself")
    return generator.sample(_N_ROWS, rng=rng)


def _describe_global_state() -> tuple:
    numpy_state = np.random.get_state()  # noqa: NPY002
    return random.getstate(), numpy_state[1].tobytes(), numpy_state[2]
