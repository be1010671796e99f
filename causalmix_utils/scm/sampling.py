"""Drawing rows from structural causal models, as tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import networkx as nx
import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_count, check_rng
from causalmix_utils.randomness import fence_global_randomness
from causalmix_utils.scm.quiet import import_gcm
from causalmix_utils.scm.restoring import restore_rows
from causalmix_utils.tables import Table

_REDRAWS = 5  # Further draws in which a rare class may turn up by itself.

Interventions = Mapping[str, object]


def sample_rows(
    scm,
    n: int,
    *,
    like: Table,
    rng: np.random.Generator,
    interventions: Interventions | None = None,
    min_per_class: int = 0,
) -> Table:
    """Draw rows from a fitted structural causal model.

    Parameters
    ----------
    scm : dowhy.gcm.StructuralCausalModel
        From `fit_scm`.
    n : int
        Number of rows.
    like : Table
        The table that the model was fitted to.
    rng : Generator
        The same state gives the same rows. DoWhy draws from global random state; that is seeded from `rng`
        for the time of the draw and is then as it was before.
    interventions : dict, optional
        ``{column: value}`` sets a column to a value, Pearl's do; ``{column: function}`` replaces each value
        by a function of it. All that the column causes follows. Intervened columns are neither clipped to
        the range of `like` nor rounded, and have no missing values; a column of whole numbers takes only these.
    min_per_class : int
        Rows that every class of `like` gets at least. A class that lacks rows is drawn again a few times;
        if that is not enough, rows whose parents make the class most probable are set to it, and what the
        target causes follows. They take the place of rows of the most frequent classes.

    Returns
    -------
    Table
        `n` rows with the columns, order and types of `like`, that pass
        `causalmix_utils.tables.check_same_schema` (an intervention may leave the range). Numbers are
        rounded to the decimals that the column has and clipped to its range; a column of at most 20 different values
        takes only values that occur. Missing values: see `causalmix_utils.scm`.

    Raises
    ------
    ValueError
        If an argument has a value that is not allowed, or an intervention sets a column that does not exist,
        a level that does not occur, or a column of whole numbers to another value.

    Examples
    --------
    >>> import networkx as nx
    >>> from causalmix_utils.scm import fit_scm
    >>> rng = np.random.default_rng(0)
    >>> frame = pd.DataFrame({"x": rng.normal(size=80)})
    >>> frame["y"] = np.where(frame["x"] > 0, "yes", "no")
    >>> table = Table.from_frame(frame, target="y")
    >>> scm = fit_scm(nx.DiGraph([("x", "y")]), table, mechanisms="linear")
    >>> sample_rows(scm, 50, like=table, rng=rng)
    Table('table/scm': 50 rows, 1 features (0 categorical), 2 classes)
    >>> set(sample_rows(scm, 50, like=table, rng=rng, interventions={"x": 2.0}).y) == {"yes"}
    True
    """
    return sample_ensemble([scm], n, like=like, rng=rng, interventions=interventions, min_per_class=min_per_class)


def sample_ensemble(
    scms: Sequence,
    n: int,
    *,
    like: Table,
    rng: np.random.Generator,
    interventions: Interventions | None = None,
    min_per_class: int = 0,
) -> Table:
    """Draw rows from several structural causal models, the same number from each, in random order.

    Parameters
    ----------
    scms : sequence of dowhy.gcm.StructuralCausalModel
        From `fit_scm_ensemble`. If `n` is not a multiple of their number, models drawn at random give one row more.
    n, like, rng, interventions, min_per_class
        As in `sample_rows`.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        As in `sample_rows`, or if there is no model.
    """
    check_rng(rng)
    _check_request(scms, n, like, interventions, min_per_class)
    changes = read_interventions(interventions or {}, like)
    frame = _draw(scms, n, changes, rng)
    if min_per_class:
        frame = _cover_classes(frame, scms, like, changes, min_per_class, rng)
    return restore_rows(frame[like.columns], like, rng=rng, keep=list(changes))


def _check_request(scms: Sequence, n: int, like: Table, interventions: Interventions | None, minimum: int) -> None:
    if len(scms) == 0:
        raise ValueError("scms must hold at least one model, got none")
    check_count("n", n)
    check_count("min_per_class", minimum, minimum=0)
    if minimum * len(like.classes) > n:
        raise ValueError(f"min_per_class={minimum} for {len(like.classes)} classes needs more than n={n} rows")
    if minimum and like.target in (interventions or {}):
        raise ValueError(f"min_per_class={minimum} can't be kept while an intervention sets the target {like.target!r}")
    for scm in scms:
        if sorted(scm.graph.nodes) != sorted(like.columns):
            raise ValueError(f"the model has the nodes {sorted(scm.graph.nodes)}, but {like.name!r} {like.columns}")


def read_interventions(interventions: Interventions, like: Table) -> dict[str, Callable]:
    """Interventions as the functions of one value that DoWhy takes, each with a checked result."""
    changes = {}
    for column, change in interventions.items():
        if column not in like.columns:
            raise ValueError(f"interventions name {column!r}, which is not a column; the columns are {like.columns}")
        function = change if callable(change) else _always(change)
        if column == like.target:
            levels = like.classes
        else:
            levels = sorted(like.X[column].dropna().unique()) if column in like.categorical else None
        is_whole = column in like.numerical and like.X[column].dtype == "int64"
        if not callable(change):
            _check_value(column, change, levels, is_whole)
        changes[column] = _checked(function, column, levels, is_whole)
    return changes


def _always(value: object) -> Callable:
    return lambda _: value


def _checked(function: Callable, column: str, levels: list[str] | None, is_whole: bool) -> Callable:
    def apply(value):
        result = function(value)
        _check_value(column, result, levels, is_whole)
        return str(result) if levels is not None else float(result)

    return apply


def _check_value(column: str, value: object, levels: list[str] | None, is_whole: bool) -> None:
    if levels is not None:
        if value not in levels:
            raise ValueError(f"interventions set {column!r} to {value!r}; its levels are {levels}")
        return
    try:
        finite = np.isfinite(float(value))
    except (TypeError, ValueError):
        finite = False
    if not finite:
        raise ValueError(f"interventions set the numerical column {column!r} to {value!r}")
    if is_whole and not float(value).is_integer():
        # It would be rounded in its column, while its effects would follow from the value as it was given.
        raise ValueError(f"interventions set {column!r} to {value!r}, but the column holds whole numbers")


def _draw(scms: Sequence, n: int, changes: dict[str, Callable], rng: np.random.Generator) -> pd.DataFrame:
    """`n` complete rows, about equally many from each model, in random order."""
    gcm = import_gcm()
    counts = np.full(len(scms), n // len(scms))
    counts[rng.permutation(len(scms))[: n % len(scms)]] += 1
    parts = []
    for scm, count in zip(scms, counts, strict=True):
        seed = int(rng.integers(2**32))
        if count == 0:
            continue
        with fence_global_randomness(seed):
            part = gcm.draw_samples(scm, int(count))
            if changes:
                part = gcm.interventional_samples(scm, changes, observed_data=part)
        parts.append(part)
    frame = pd.concat(parts, ignore_index=True)
    return frame if len(scms) == 1 else frame.iloc[rng.permutation(n)].reset_index(drop=True)


def _cover_classes(
    frame: pd.DataFrame,
    scms: Sequence,
    like: Table,
    changes: dict[str, Callable],
    minimum: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Give every class its minimum of rows, in place of rows of the most frequent classes."""
    target = like.target
    lacking = {name: minimum - int((frame[target] == name).sum()) for name in like.classes}
    lacking = {name: count for name, count in lacking.items() if count > 0}
    if not lacking:
        return frame
    new_rows = []
    for _ in range(_REDRAWS):
        more = _draw(scms, len(frame), changes, rng)
        for name in list(lacking):
            found = more[more[target] == name].head(lacking[name])
            new_rows.append(found)
            lacking[name] -= len(found)
    for name, count in lacking.items():
        if count:
            new_rows.append(_set_class(scms[int(rng.integers(len(scms)))], name, count, like, changes, rng))
    new = pd.concat(new_rows, ignore_index=True)
    kept = frame.drop(index=_choose_surplus(frame[target], len(new), minimum, rng))
    return pd.concat([kept, new], ignore_index=True).iloc[rng.permutation(len(frame))].reset_index(drop=True)


def _set_class(scm, name: str, count: int, like: Table, changes: dict[str, Callable], rng: np.random.Generator):
    """Rows whose parents make a class most probable, set to that class with all that follows from it."""
    gcm = import_gcm()
    candidates = _draw([scm], max(200, 5 * count), changes, rng)
    parents = sorted(scm.graph.predecessors(like.target))
    chosen = candidates.head(count)
    if parents:
        mechanism = scm.causal_mechanism(like.target)
        place = mechanism.classifier_model.classes.index(name)
        probabilities = mechanism.estimate_probabilities(candidates[parents].to_numpy(dtype=object))[:, place]
        chosen = candidates.iloc[np.argsort(-probabilities, kind="stable")[:count]]
    # Only what the target causes is drawn again; changes anywhere else are in the rows already.
    below = nx.descendants(scm.graph, like.target)
    setting = {column: change for column, change in changes.items() if column in below}
    setting[like.target] = _always(name)
    with fence_global_randomness(int(rng.integers(2**32))):
        return gcm.interventional_samples(scm, setting, observed_data=chosen.reset_index(drop=True))


def _choose_surplus(y: pd.Series, count: int, minimum: int, rng: np.random.Generator) -> list[int]:
    """Rows to give up: always one of the class that has most, never one of a class at its minimum."""
    rows = {name: list(rng.permutation(np.flatnonzero(y == name))) for name in sorted(y.unique())}
    surplus = []
    for _ in range(count):
        largest = max(rows, key=lambda name: len(rows[name]))
        surplus.append(int(rows[largest].pop()))
    return surplus
