"""Variations of real rows: a row in which some noises are those of another row.

A structural causal model explains a row by its noises: what a root's value is, what is left of a number after the
prediction from its parents, which level a category fell on.  A fresh sample draws all of them anew, as if they were
independent.  In a fitted model they are not quite: whatever the graph missed has gone into the noise.  So here
a new row starts from a real one, takes some noises of a second real row in place of its own, and lets everything that
depends on these follow.  The steps are those of a counterfactual, from a row to its noises and back, but a
counterfactual keeps the noises and sets a column; here noises are exchanged and no column is set.
"""

from __future__ import annotations

from collections.abc import Sequence

import networkx as nx
import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_choice, check_count, check_number, check_rng
from causalmix_utils.scm.cache import fingerprint
from causalmix_utils.scm.fitting import check_graph, prepare_frame
from causalmix_utils.tables import Table

MISSING = ("keep", "borrow")


def vary_rows(
    scms: Sequence,
    n: int,
    *,
    like: Table,
    rng: np.random.Generator,
    exchange: float = 0.3,
    within: str | None = None,
    missing: str = "keep",
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
    exchange : float in [0, 1]
        Probability with which a column takes the noise of the second row, for each new row and column by itself. At
        least one feature in which the two rows differ does, unless it is 0; two missing values count as different. 0
        repeats the first row, 1 the second one, except for what lies below a gap (with 0 only if values are borrowed)
        and for levels of a cross-fitted target that change by chance; 0.5 mixes most. Gaps are those of the first row.
    within : str, optional
        A categorical column, or the target: the second row is drawn from the others of the same level. By default
        from all others.
    missing : {"keep", "borrow"}
        What the columns below a gap see: the gap, as the models did when they were fitted, or the value of any other
        row, drawn at random. A borrowed value that says something else than the row does can change its class
        although no noise was exchanged.

    Returns
    -------
    DataFrame of shape (n, n_columns)
        Raw rows, not rounded and not clipped: floats, strings, and NaN where the first row has a missing value.

    Raises
    ------
    ValueError
        If an argument has a value that is not allowed, or a model was fitted to another table.

    Notes
    -----
    A number takes over a residual. A category takes over a level, which is kept with the probability
    min(1, p_new / p_old) of that level, and otherwise drawn in proportion to max(0, p_new - p_old) over the levels (a
    *maximal coupling*): the result is distributed as p_new says, and no more rows than necessary change their level. A
    cross-fitted target (see `fit_scm`) takes p_old from a fit that has not seen the row; its own would be too
    certain. A row in which a value is missing has no noise to give; that of any other row is taken.

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
    >>> same = vary_rows([scm], 50, like=table, rng=rng, exchange=0.0)
    >>> same.sort_values("x", ignore_index=True).equals(table.to_frame())
    True
    """
    check_rng(rng)
    if len(scms) == 0:
        raise ValueError("scms must hold at least one model, got none")
    check_count("n", n)
    check_number("exchange", exchange, 0, 1)
    if within is not None and within not in [*like.categorical, like.target]:
        raise ValueError(f"within must be a categorical column or the target, got {within!r}")
    for scm in scms:
        check_graph(scm.graph, like)
        if scm.graph.graph.get("fitted_to") != fingerprint(like):
            raise ValueError(f"like must be the table that the models were fitted to, got {like!r}")
    check_choice("missing", missing, MISSING)
    frame = prepare_frame(like)
    repeats = -(-n // len(like))
    first = np.concatenate([rng.permutation(len(like)) for _ in range(repeats)])[:n]
    groups = np.zeros(len(like), dtype=np.int64) if within is None else pd.factorize(frame[within])[0]
    second = _draw_partners(first, groups, rng)
    exchanged = _draw_exchanges(frame.to_numpy(dtype=object), first, second, exchange, rng)
    columns = list(enumerate(like.columns))
    models = rng.permutation(np.arange(n) % len(scms))
    abducted: dict[tuple, np.ndarray] = {}  # Shared, since the models share their mechanisms.
    blank = like.X.isna().to_numpy()[first]
    gaps = {column: blank[:, at] for at, column in enumerate(like.X.columns) if blank[:, at].any()}
    parts = []
    for place, scm in enumerate(scms):
        chosen = np.flatnonzero(models == place)
        if len(chosen):
            sources = {node: np.where(exchanged[chosen, at], second[chosen], first[chosen]) for at, node in columns}
            kept = {node: rows[chosen] for node, rows in gaps.items()} if missing == "keep" else {}
            parts.append(_vary(scm, frame, sources, kept, abducted, rng).set_axis(chosen))
    varied = pd.concat(parts).sort_index()
    for column, rows in gaps.items():
        varied[column] = varied[column].mask(rows)
    return varied[like.columns]


def _draw_partners(first: np.ndarray, codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """For each row another one with the same code, or itself where there is none."""
    second = first.copy()
    for code in np.unique(codes[first]):
        asking, pool = codes[first] == code, np.flatnonzero(codes == code)
        if len(pool) > 1:
            steps = rng.integers(1, len(pool), size=asking.sum())
            second[asking] = pool[(np.searchsorted(pool, first[asking]) + steps) % len(pool)]
    return second


def _draw_exchanges(
    values: np.ndarray, first: np.ndarray, second: np.ndarray, share: float, rng: np.random.Generator
) -> np.ndarray:
    """Which columns of each row, the target being the last, take over a noise."""
    exchanged = rng.random((len(first), values.shape[1])) < share
    if share > 0:
        differs = values[first, :-1] != values[second, :-1]
        idle = np.flatnonzero(~(exchanged[:, :-1] & differs).any(axis=1) & differs.any(axis=1))
        # The largest of the random numbers at the features that differ is at any of these with equal probability.
        chosen = (rng.random((len(idle), differs.shape[1])) * differs[idle]).argmax(axis=1)
        exchanged[idle, chosen] = True
    return exchanged


def _vary(
    scm,
    frame: pd.DataFrame,
    sources: dict[str, np.ndarray],
    gaps: dict[str, np.ndarray],
    abducted: dict[tuple, np.ndarray],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """New rows by one model.

    `sources` says for each column which rows of `frame` its noise comes from, `gaps` in which new rows it is missing.
    """
    new: dict[str, np.ndarray] = {}
    categorical = set(scm.graph.graph["categorical"])
    for node in nx.lexicographical_topological_sort(scm.graph):
        parents, mechanism = sorted(scm.graph.predecessors(node)), scm.causal_mechanism(node)
        rows, present = sources[node], frame[node].notna().to_numpy()
        rows = np.where(present[rows], rows, rng.choice(np.flatnonzero(present), size=len(rows)))
        if not parents:
            new[node] = _leave_out(frame[node].to_numpy()[rows], gaps.get(node))
            continue
        X = np.column_stack([new[parent].astype(object) for parent in parents])
        key = (id(mechanism), node)
        if key not in abducted:
            abducted[key] = _abduct(mechanism, frame, node, parents, node in categorical)
        noise = abducted[key][rows]
        if node in categorical:
            levels = np.array(mechanism.classifier_model.classes, dtype=object)
            codes = {level: code for code, level in enumerate(levels)}
            before = np.array([codes[level] for level in frame[node].to_numpy()[rows]])
            values = levels[couple(before, noise, mechanism.estimate_probabilities(X), rng=rng)]
        else:
            values = mechanism.prediction_model.predict(X).ravel() + noise
        new[node] = _leave_out(values, gaps.get(node))
    return pd.DataFrame(new)


def _leave_out(values: np.ndarray, rows: np.ndarray | None) -> np.ndarray:
    """The values with NaN in some rows."""
    if rows is None or not rows.any():
        return values
    return np.where(rows, np.nan, values)


def _abduct(
    mechanism,
    frame: pd.DataFrame,
    node: str,
    parents: list[str],
    is_categorical: bool,
) -> np.ndarray:
    """What each row of `frame` says about the noise of a node: a residual, or the levels' probabilities."""
    X = frame[parents].to_numpy(dtype=object)
    if not is_categorical:
        return frame[node].to_numpy(dtype=float) - mechanism.prediction_model.predict(X).ravel()
    held_out = getattr(mechanism.classifier_model, "held_out_", None)
    return mechanism.estimate_probabilities(X) if held_out is None else held_out


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
