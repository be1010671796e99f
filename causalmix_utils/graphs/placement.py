"""Where the target stands in a graph: as it was discovered, as a pure effect, or with its Markov blanket kept."""

from __future__ import annotations

from collections.abc import Sequence

import networkx as nx
import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_choice
from causalmix_utils.discovery.matrix import check_edge_probabilities, find_target
from causalmix_utils.graphs.scores import markov_blanket

PLACEMENTS = ("discovered", "sink", "blanket")


def blanket_probabilities(P: pd.DataFrame, *, target: str | None = None) -> pd.Series:
    """Probability of each column to be in the target's Markov blanket, in a graph drawn from `P`.

    A column j is in the blanket if it is a neighbour of the target t or another cause of one of its effects c. As
    pairs are drawn one by one, this happens with probability

        1 - (1 - P[j, t] - P[t, j]) * product over c of (1 - P[t, c] P[j, c]).

    Edges that are skipped because they would close a cycle are not reckoned with.

    Parameters
    ----------
    P : DataFrame of shape (n, n)
        From `causalmix_utils.discovery.edge_probabilities`.
    target : str, optional
        The last column by default.

    Returns
    -------
    Series of shape (n - 1,)
        Indexed by the columns but the target, in their order.

    Raises
    ------
    ValueError
        If `P` is not a matrix of edge probabilities or `target` is not one of its columns.

    Examples
    --------
    >>> names = ["spouse", "effect", "y"]
    >>> P = pd.DataFrame([[0, 0.5, 0], [0, 0, 0], [0, 0.8, 0]], index=names, columns=names)
    >>> blanket_probabilities(P).to_dict()
    {'spouse': 0.4, 'effect': 0.8}
    """
    check_edge_probabilities(P)
    target = find_target(P, target)
    values = P.to_numpy(dtype=float)
    place = P.columns.get_loc(target)
    neighbour = values[place] + values[:, place]
    spouse = 1 - np.prod(1 - values[place] * values, axis=1)
    chances = np.clip(1 - (1 - neighbour) * (1 - spouse), 0.0, 1.0)
    return pd.Series(chances, index=P.columns).drop(target)


def check_placement(placement: str, blanket: Sequence[str] | None, P: pd.DataFrame, target: str) -> None:
    """Check the options of `place_target`."""
    check_choice("placement", placement, PLACEMENTS)
    if blanket is None:
        return
    if placement != "blanket":
        raise ValueError(f"blanket is used with placement='blanket' only, got placement={placement!r}")
    if isinstance(blanket, str):
        raise ValueError(f"blanket must be a sequence of columns, got the string {blanket!r}")
    for column in blanket:
        if column not in P.columns or column == target:
            raise ValueError(f"blanket names {column!r}, which is no column of P other than the target {target!r}")


def place_target(
    dag: nx.DiGraph, P: pd.DataFrame, target: str, *, placement: str, blanket: Sequence[str] | None
) -> None:
    """Change a drawn graph at the target, in place, as `causalmix_utils.graphs.sample_dag` documents it."""
    if placement == "sink":
        _turn_to_sink(dag, target)
    elif placement == "blanket":
        if blanket is None:
            chances = blanket_probabilities(P, target=target)
            blanket = list(chances.index[chances >= 0.5])
        _keep_blanket(dag, P, target, blanket)


def _turn_to_sink(dag: nx.DiGraph, target: str) -> None:
    """Turn round what leaves the target; a node without effects closes no cycle."""
    turned = list(dag.out_edges(target, data=True))
    dag.remove_edges_from([(source, end) for source, end, _ in turned])
    dag.add_edges_from((end, source, data) for source, end, data in turned)
    dag.graph["turned"] += [(end, source) for source, end, _ in turned]


def _keep_blanket(dag: nx.DiGraph, P: pd.DataFrame, target: str, blanket: Sequence[str]) -> None:
    """Tie columns that the drawn blanket lacks to the target: as causes, or as effects where a cycle would close."""
    added = []
    for column in blanket:
        if column in markov_blanket(dag, target):
            continue
        edge = (target, column) if nx.has_path(dag, target, column) else (column, target)
        dag.add_edge(*edge, probability=float(P.loc[edge]), serves_label=True)
        added.append(edge)
    dag.graph["added"] = added
