"""Counterfactuals: what given rows would have been, had some of their columns been set to other values.

An intervention asks what rows would be like if a column were set, and draws new ones.  A counterfactual asks it of
a row that is there, and keeps what makes that row this one: its noises.  Pearl's three steps are abduction (which
noises does the row have?), action (set the columns), prediction (run the model again with the same noises).
"""

from __future__ import annotations

from dataclasses import replace

import networkx as nx
import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_rng
from causalmix_utils.scm.fitting import check_graph
from causalmix_utils.scm.restoring import restore_rows
from causalmix_utils.scm.sampling import Interventions, read_interventions
from causalmix_utils.scm.variation import couple
from causalmix_utils.tables import Table


def counterfactual_rows(
    scm, rows: Table, *, interventions: Interventions, like: Table, rng: np.random.Generator
) -> Table:
    """What each row would have been, had columns been set to other values.

    Parameters
    ----------
    scm : dowhy.gcm.StructuralCausalModel
        From `fit_scm`.
    rows : Table
        Rows that are there: of the table that the model was fitted to, or others with the same columns.
    interventions : dict
        As in `sample_rows`: ``{column: value}`` or ``{column: function}``; a function gets the value that the
        column would otherwise have had.
    like : Table
        The table that the model was fitted to. Values that change are rounded and clipped as in `sample_rows`, except
        in columns that are set.
    rng : Generator
        Draws new levels of categories, for each row by itself. Where no category changes nothing is drawn.

    Returns
    -------
    Table
        As many rows, in the same order. A value stays as it was, to the last bit, unless it is set or something that
        it depends on has changed. A missing value stays missing, unless its column is set to a constant.

    Raises
    ------
    ValueError
        If the tables or the model differ in columns, there is no intervention, one sets a column that does not
        exist, a level that does not occur or a column of whole numbers to another value, or a row has a level that
        the model has not seen or no whole number where `like` has them.

    Notes
    -----
    A number keeps its residual, so its counterfactual is certain by the model. A category has no residual: many
    noises lead to the same level, and the probabilities of a mechanism, all that rows can teach, do not say which
    levels other values of the parents would have led to. Here the level is kept where that is possible and otherwise
    drawn (see `causalmix_utils.scm.variation.couple`), so that as few rows change as the probabilities allow. This is
    an assumption; Oberst and Sontag make another one. How certain an answer about a single row is, shows when the row
    is handed in many times.

    A flexible mechanism is too certain about the rows of its own fit, so that these change too rarely or too often;
    ask about other rows where you can.

    References
    ----------
    J. Pearl: *Causality*, 2nd edition, 2009, section 7.1. M. Oberst, D. Sontag: *Counterfactual Off-Policy Evaluation
    with Gumbel-Max Structural Causal Models*, ICML 2019, arXiv 1905.05824.

    Examples
    --------
    >>> from causalmix_utils.scm import fit_scm
    >>> x = np.arange(60)
    >>> frame = pd.DataFrame({"x": x, "z": 2 * x + np.resize([1, -1], 60), "y": np.resize(["a", "b"], 60)})
    >>> table = Table.from_frame(frame, target="y")
    >>> dag = nx.DiGraph([("x", "z")])
    >>> dag.add_node("y")
    >>> scm = fit_scm(dag, table, mechanisms="linear")
    >>> table.X.loc[3].tolist()
    [3, 5]
    >>> row, rng = table.take([3]), np.random.default_rng(0)
    >>> new = counterfactual_rows(scm, row, interventions={"x": 10}, like=table, rng=rng)
    >>> new.X.loc[0].tolist()
    [10, 19]
    """
    check_rng(rng)
    _check_tables(scm, rows, like)
    if not interventions:
        raise ValueError(f"interventions must set at least one column, got {interventions!r}")
    changes = read_interventions(interventions, like)
    fact = _as_floats_and_strings(rows)
    _check_levels(scm, fact, like)
    new = fact.copy()
    for node in nx.lexicographical_topological_sort(scm.graph):
        new[node] = _predict(scm, node, fact, new, rng)
        if node in changes:
            new[node] = _set_values(new[node], changes[node], always=not callable(interventions[node]))
    return _restore(new, fact, rows, like, list(changes), rng)


def _check_tables(scm, rows: Table, like: Table) -> None:
    check_graph(scm.graph, like)
    if rows.columns != like.columns or rows.categorical != like.categorical:
        raise ValueError(f"rows have the columns {rows.columns}, but like has {like.columns}, or other types")
    for column in like.numerical:
        # Half a child can't be written into a column of whole numbers, nor a missing one.
        if like.X[column].dtype == "int64" and rows.X[column].dtype != "int64":
            raise ValueError(
                f"column {column!r} of rows has dtype {rows.X[column].dtype}, but like has whole numbers there"
            )


def _as_floats_and_strings(rows: Table) -> pd.DataFrame:
    """What the mechanisms take; NaN where missing."""
    frame = rows.to_frame()
    return pd.DataFrame(
        {column: frame[column].astype(float if column in rows.numerical else object) for column in frame}
    )


def _check_levels(scm, fact: pd.DataFrame, like: Table) -> None:
    """Refuse levels whose probability the model can't tell."""
    for node in scm.graph.graph["categorical"]:
        if scm.graph.in_degree(node):
            known = scm.causal_mechanism(node).classifier_model.classes
        else:
            known = like.classes if node == like.target else like.X[node].dropna().unique()
        unknown = sorted(set(fact[node].dropna()) - set(known))
        if unknown:
            raise ValueError(f"rows have the level {unknown[0]!r} in column {node!r}, which the model has not seen")


def _predict(scm, node: str, fact: pd.DataFrame, new: pd.DataFrame, rng: np.random.Generator) -> pd.Series:
    """Values of a node by its new parents and its old noise."""
    parents = sorted(scm.graph.predecessors(node))
    # A missing parent is equal to itself here.
    same = (new[parents] == fact[parents]) | (new[parents].isna() & fact[parents].isna())
    places = np.flatnonzero(~same.all(axis=1) & fact[node].notna())
    values = fact[node].copy()
    if len(places) == 0:
        return values
    mechanism = scm.causal_mechanism(node)
    before, after = (frame.iloc[places][parents].to_numpy(dtype=object) for frame in (fact, new))
    if node not in scm.graph.graph["categorical"]:
        predict = mechanism.prediction_model.predict
        values.iloc[places] += (predict(after) - predict(before)).ravel()
        return values
    levels = np.array(mechanism.classifier_model.classes, dtype=object)
    codes = pd.Index(levels).get_indexer(values.iloc[places])
    probabilities = [mechanism.estimate_probabilities(X) for X in (before, after)]
    values.iloc[places] = levels[couple(codes, *probabilities, rng=rng)]
    return values


def _set_values(values: pd.Series, change, *, always: bool) -> pd.Series:
    """Set all values, or, by a function, those that are not missing."""
    chosen = values.notna() | always
    return values.mask(
        chosen, [change(value) if is_set else value for value, is_set in zip(values, chosen, strict=True)]
    )


def _restore(
    new: pd.DataFrame, fact: pd.DataFrame, rows: Table, like: Table, changed: list[str], rng: np.random.Generator
) -> Table:
    """Rows with the types of `like`; what did not change is taken from `rows` as it was."""
    restored = restore_rows(new[like.columns], like, rng=rng, keep=changed, missing=new[like.X.columns].isna())
    columns = {}
    for column in like.X.columns:
        same = (new[column] == fact[column]) | (new[column].isna() & fact[column].isna())
        columns[column] = restored.X[column].mask(same, rows.X[column].astype(restored.X[column].dtype))
    return replace(restored, name=f"{rows.name}/counterfactual", X=pd.DataFrame(columns))
