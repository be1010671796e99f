"""The table of a run and its three parts, from the package or from OpenML."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalmix_utils.arguments import check_choice
from causalmix_utils.benchmark.arms import SOURCES, RunSettings

if TYPE_CHECKING:
    from causalmix_utils.tables import Table


def load_source_table(name: str, *, source: str = "embedded") -> Table:
    """The table of that name from one of `SOURCES`.

    Raises
    ------
    ValueError
        If there is no such source or no such table.
    ConnectionError
        If a table of OpenML is not on this machine and can't be fetched.
    """
    from causalmix_utils.tables import load_openml_table, load_table

    check_choice("source", source, SOURCES)
    return load_openml_table(name) if source == "openml" else load_table(name)


def count_splits(name: str, wanted: int, *, source: str = "embedded") -> int:
    """How many splits of a table there are, at most as many as `wanted`; only official splits come to an end."""
    if source != "openml":
        return wanted
    from causalmix_utils.tables import openml_split_shape

    repeats, folds = openml_split_shape(name)
    return min(wanted, repeats * folds)


def split_table(settings: RunSettings) -> tuple[Table, Table, Table]:
    """The train, validation and test parts that all arms of a split share, as three Tables.

    The train and validation parts have `settings.regime` rows together, or two thirds of the table where
    that is less; the test part has at most `settings.test_rows` of the others, stratified. Of an OpenML task
    they are the official training and test rows: split k is fold ``k % folds`` of repeat ``k // folds``.

    Raises
    ------
    ValueError
        If the table's content is not what the settings were made for, or an official part has more rows than
        the settings allow.
    """
    from causalmix_utils.tables import content_hash, scarce_split

    table = load_source_table(settings.table, source=settings.source)
    found = content_hash(table)
    if found != settings.table_hash:
        raise ValueError(f"table {settings.table!r} has the hash {found}, expected {settings.table_hash}")
    if settings.source == "openml":
        return _split_officially(settings)
    return scarce_split(
        table,
        n=settings.regime,
        validation_fraction=settings.fine_tuning["validation_fraction"],
        split=settings.split,
        max_test=settings.test_rows,
    )


def watch_rows(test: Table, n: int | None) -> Table:
    """The test rows that are scored at every check: a stratified part, the same for all arms of a split."""
    from causalmix_utils.tables.splits import thin_out

    if n is None or len(test) <= n:
        return test
    return test.take(thin_out(np.arange(len(test)), test.y, n))


def _split_officially(settings: RunSettings) -> tuple[Table, Table, Table]:
    from causalmix_utils.finetuning.holdout import hold_out
    from causalmix_utils.tables import duplicate_groups, openml_split, openml_split_shape

    _, folds = openml_split_shape(settings.table)
    real, test = openml_split(settings.table, repeat=settings.split // folds, fold=settings.split % folds)
    for part, rows, limit in (("training", real, settings.regime), ("test", test, settings.test_rows)):
        if len(rows) > limit:
            raise ValueError(
                f"the official {part} part of {settings.table!r} has {len(rows)} rows, more than the {limit} of the run"
            )
    fraction, rng = settings.fine_tuning["validation_fraction"], np.random.default_rng(settings.split_seed)
    train, held = hold_out(real.y.to_numpy(dtype=str), fraction, rng, groups=duplicate_groups(real.X))
    return real.take(train), real.take(held), test
