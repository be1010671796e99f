"""A check for those who write a generator of their own: does it keep the contract of `Generator`?"""

from __future__ import annotations

import random
import sys

import numpy as np

from causalmix_utils.generators.base import Generator
from causalmix_utils.generators.hostile import make_difficult_table
from causalmix_utils.generators.registry import make_generator
from causalmix_utils.tables import Table, check_same_schema

_N_ROWS = 60


def check_generator(generator: str | type[Generator] | Generator, *, table: Table | None = None) -> None:
    """Try a generator on a small difficult table, and raise where it breaks its contract.

    The tests of this package run it for every generator of `list_generators` on every table of `hostile_tables`; do
    the same with your own. A generator that takes long by default may be handed over with options that make
    it cheap.

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
    >>> from causalmix_utils.generators import hostile_tables
    >>> for table in hostile_tables().values():
    ...     check_generator("independent", table=table)
    """
    table = make_difficult_table() if table is None else table
    made = make_generator(generator)
    copy = type(made)(**made.get_params())
    if copy.get_params() != made.get_params():
        raise ValueError(f"{made!r} does not store its options as given: a copy is {copy!r}")
    before = table.to_frame().copy(deep=True)
    # A caller who has not imported torch has no state that a generator could change.
    with_torch = "torch" in sys.modules
    global_state = _describe_global_state(with_torch=with_torch)
    first = _fit_and_sample(made, table, seed=0)
    if not before.equals(table.to_frame()):
        raise ValueError(f"{made!r} changes the table that it is fitted to")
    _check_rows(first, table, made)
    # The global generators stand elsewhere by now if they were used, so that rows drawn from them differ.
    if not first.to_frame().equals(_fit_and_sample(copy, table, seed=0).to_frame()):
        raise ValueError(f"{made!r} gives different rows for the same seed: draw from the rng that is handed over")
    if first.to_frame().equals(made.sample(_N_ROWS, rng=np.random.default_rng(1)).to_frame()):
        raise ValueError(f"{made!r} gives the same rows for different seeds")
    if _describe_global_state(with_torch=with_torch) != global_state:
        raise ValueError(
            f"{made!r} draws from or seeds the global state of random, numpy or torch: use the rng it gets"
        )


def _check_rows(rows: Table, table: Table, made: Generator) -> None:
    if len(rows) != _N_ROWS:
        raise ValueError(f"{made!r} returned {len(rows)} rows, {_N_ROWS} were asked for")
    check_same_schema(rows, table)
    if list(rows.X.dtypes) != list(table.X.dtypes):
        raise ValueError(f"{made!r} returned columns of the types {list(rows.X.dtypes)}, not {list(table.X.dtypes)}")
    if getattr(made, "cover_classes", True) and rows.classes != table.classes:
        raise ValueError(f"{made!r} returned the classes {rows.classes}, expected {table.classes}")


def _fit_and_sample(generator: Generator, table: Table, *, seed: int) -> Table:
    rng = np.random.default_rng(seed)
    fitted = generator.fit(table, rng=rng)
    if fitted is not generator:
        raise ValueError(f"fit of {generator!r} returned {fitted!r} and not the generator itself")
    return generator.sample(_N_ROWS, rng=rng)


def _describe_global_state(*, with_torch: bool) -> tuple:
    numpy_state = np.random.get_state()  # noqa: NPY002
    torch_state = sys.modules["torch"].get_rng_state().numpy().tobytes() if with_torch else b""
    return random.getstate(), numpy_state[1].tobytes(), numpy_state[2], torch_state
