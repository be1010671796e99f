"""Variations of real rows: what a row would have been, had some of its noise come out differently.

A structural causal model explains a row by its noises: what a root's value is, what is left of a number after the
prediction from its parents, which level a category fell on.  A fresh sample draws all of them anew, as if they were
independent.  In a fitted model they are not quite: whatever the graph missed has gone into the noise.  So here
a new row starts from a real one, keeps most of that row's noises, draws the others anew, and lets everything that
depends on these follow: a *counterfactual* of the real row, in Pearl's three steps of abduction, action and prediction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import networkx as nx
import numpy as np
import pandas as pd

from causalmix_utils.scm.fitting import check_graph, prepare_frame
from causalmix_utils.tables import Table


def vary_rows(
    scms: Sequence,
    n: int,
    *,
    like: Table,
    rng: np.random.Generator,
    redraw: float = 0.3,
    keep: Collection[str] = (),
    probabilities: Mapping[str, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """Draw variations of the rows of a table from structural causal models.

    Every row of `like` is varied about equally often, and every model gives about equally many rows.

    Parameters
    ----------
    scms : sequence of dowhy.gcm.StructuralCausalModel
        From `fit_scm` or `fit_scm_ensemble`.
    n : int
        Number of rows.
    like : Table
        The table that the models were fitted to.
    rng : Generator
    redraw : float in [0, 1]
        Probability with which the noise of a column is drawn anew, for each row and column by itself. 0 repeats the
        real rows; 1 keeps nothing of them.
    keep : collection of str
        Columns whose noise is never drawn anew.
    probabilities : dict, optional
        For a categorical column, a DataFrame with a row for each row of `like` and a column for each
        level: probabilities given the parents of that row. By default the mechanism's own, which are
        too certain where the mechanism is flexible, since it has seen these rows.

    Returns
    -------
    DataFrame of shape (n, n_columns)
        Raw rows, not rounded and not clipped: floats, strings, and NaN where the real row has a missing value.

    Raises
    ------
    ValueError
        If an argument has a value that is not allowed, or a model does not fit the table.

    Notes
    -----
    A number keeps its residual. For a category, the old level is kept with the probability min(1, p_new / p_old) of
    that level, and otherwise drawn in proportion to max(0, p_new - p_old) over the levels (a *maximal coupling*):
    the result is distributed as p_new says, and no more rows than necessary change their level. A value that
    is missing in the real row has no noise to keep and is drawn anew for the columns that depend on it.

    References
    ----------
    J. Pearl: *Causality*, 2nd edition, 2009, section 7.1. S. Pitis, E. Creager, A. Garg: *Counterfactual Data
    Augmentation using Locally Factored Dynamics*, NeurIPS 2020, vary rows by mixing independent parts of real ones.

    Examples
    --------
    >>> from causalmix_utils.scm import fit_scm
    >>> rng = np.random.default_rng(0)
    >>> frame = pd.DataFrame({"x": np.arange(50.0)})
    >>> table = Table.from_frame(frame.assign(y=np.where(frame["x"] > 20, "late", "early")), target="y")
    >>> scm = fit_scm(nx.DiGraph([("x", "y")]), table, mechanisms="linear")
    >>> same = vary_rows([scm], 50, like=table, rng=rng, redraw=0.0)
    >>> same.sort_values("x", ignore_index=True).equals(table.to_frame())
    True
    """
    if len(scms) == 0:
        raise ValueError("scms must hold at least one model, got none")
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 1:
        raise ValueError(f"n must be a whole number of at least 1, got {n!r}")
    if not 0 <= redraw <= 1:
        raise ValueError(f"redraw must be between 0 and 1, got {redraw}")
    for scm in scms:
        check_graph(scm.graph, like)
    frame = prepare_frame(like)
    repeats = -(-n // len(like))
    rows = np.concatenate([rng.permutation(len(like)) for _ in range(repeats)])[:n]
    models = rng.permutation(np.arange(n) % len(scms))
    abducted: dict[tuple, np.ndarray] = {}  # Shared, since the models share their mechanisms.
    parts = []
    for place, scm in enumerate(scms):
        chosen = np.flatnonzero(models == place)
        if len(chosen):
            part = _vary(scm, frame, rows[chosen], redraw, set(keep), probabilities or {}, abducted, rng)
            parts.append(part.set_axis(chosen))
    varied = pd.concat(parts).sort_index()
    blank = like.X.isna().iloc[rows].reset_index(drop=True)
    for column in blank.columns[blank.any()]:
        varied[column] = varied[column].mask(blank[column])
    return varied[like.columns]


def _vary(
    scm,
    frame: pd.DataFrame,
    rows: np.ndarray,
    redraw: float,
    keep: set[str],
    probabilities: Mapping[str, pd.DataFrame],
    abducted: dict[tuple, np.ndarray],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Variations of some rows of `frame` by one model."""
    new: dict[str, np.ndarray] = {}
    categorical = set(scm.graph.graph["categorical"])
    for node in nx.lexicographical_topological_sort(scm.graph):
        parents, mechanism = sorted(scm.graph.predecessors(node)), scm.causal_mechanism(node)
        old = frame[node].to_numpy()[rows]
        fresh = frame[node].isna().to_numpy()[rows]
        if node not in keep:
            fresh = fresh | (rng.random(len(rows)) < redraw)
        if not parents:
            new[node] = np.where(fresh, rng.choice(frame[node].dropna().to_numpy(), size=len(rows)), old)
            continue
        X = np.column_stack([new[parent].astype(object) for parent in parents])
        key = (id(mechanism), node)
        if key not in abducted:
            abducted[key] = _abduct(mechanism, frame, node, parents, probabilities.get(node), node in categorical)
        known = abducted[key]
        if node in categorical:
            levels = np.array(mechanism.classifier_model.classes, dtype=object)
            given = mechanism.estimate_probabilities(X)
            codes = {level: code for code, level in enumerate(levels)}
            before = np.array([codes.get(level, 0) for level in old])
            kept = couple(before, known[rows], given, rng=rng)
            new[node] = levels[np.where(fresh, _draw(given, rng), kept)]
        else:
            noise = np.where(fresh, rng.choice(known[~np.isnan(known)], size=len(rows)), known[rows])
            new[node] = mechanism.prediction_model.predict(X).ravel() + noise
    return pd.DataFrame(new)


def _abduct(
    mechanism,
    frame: pd.DataFrame,
    node: str,
    parents: list[str],
    probabilities: pd.DataFrame | None,
    is_categorical: bool,
) -> np.ndarray:
    """What each row of `frame` says about the noise of a node: a residual, or the levels' probabilities."""
    X = frame[parents].to_numpy(dtype=object)
    if not is_categorical:
        return frame[node].to_numpy(dtype=float) - mechanism.prediction_model.predict(X).ravel()
    if probabilities is None:
        return mechanism.estimate_probabilities(X)
    return probabilities[list(mechanism.classifier_model.classes)].to_numpy(dtype=float)


def couple(before: np.ndarray, old: np.ndarray, new: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Change levels that were drawn from one distribution to levels of another, in as few rows as possible.

    Parameters
    ----------
    before : ndarray of int, shape (n_rows,)
        Levels by position.
    old, new : ndarray of shape (n_rows, n_levels)
        Probabilities in each row, before and after.
    rng : Generator

    Returns
    -------
    ndarray of int, shape (n_rows,)
        If `before` is drawn from `old`, this is drawn from `new`, and a row changes with the probability
        ``(abs(new - old)).sum() / 2``, which is the smallest possible (the maximal coupling).

    Examples
    --------
    >>> levels, same = np.array([0, 1]), np.array([[0.5, 0.5], [0.5, 0.5]])
    >>> couple(levels, same, same, rng=np.random.default_rng(0)).tolist()
    [0, 1]
    """
    places = np.arange(len(before))
    keeps = rng.random(len(before)) * old[places, before] < new[places, before]
    gains = np.clip(new - old, 0.0, None)
    # Where nothing gains, nothing is given up either, up to rounding.
    gains = np.where(gains.sum(axis=1, keepdims=True) > 1e-12, gains, new)
    return np.where(keeps, before, _draw(gains, rng))


def _draw(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A level for each row, in proportion to the weights of the row."""
    edges = np.cumsum(weights, axis=1)
    return (rng.random(len(weights))[:, None] * edges[:, -1:] >= edges).sum(axis=1).clip(max=weights.shape[1] - 1)
