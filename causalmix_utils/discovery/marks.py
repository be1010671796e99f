"""Marks of a CPDAG or PAG as probability mass."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_choice

MARK_RULES = ("keep", "spread")


def marks_to_mass(marks: np.ndarray | pd.DataFrame, *, rule: str = "keep") -> np.ndarray:
    """Turn the marks of one graph into probability mass for each direction of each edge.

    ========== ===================================== ==================================
    edge       ``rule="keep"``                       ``rule="spread"``
    ========== ===================================== ==================================
    i → j      1 to i → j                            1 to i → j
    i o→ j     1 to i → j                            1/2 to i → j, 1/2 to no edge
    i — j      1/2 each way                          1/2 each way
    i o–o j    1/2 each way                          1/3 each way, 1/3 to no edge
    i ↔ j      1/2 each way                          1 to no edge
    ========== ===================================== ==================================

    ``"keep"`` gives every adjacency its whole mass: the two columns are dependent, and a DAG without
    latent variables can only say so with an edge. ``"spread"`` reads the marks strictly, as statements
    about causes, and loses dependence. An edge with a tail at i and a circle at j counts as i → j.

    Parameters
    ----------
    marks : array or DataFrame of int, shape (n, n)
        ``marks[i, j]`` is the mark at i on the edge between i and j: -1 tail, 1 arrowhead, 2 circle, 0 no edge.
    rule : {"keep", "spread"}

    Returns
    -------
    ndarray of shape (n, n)
        Mass of i → j at [i, j]; ``mass + mass.T <= 1``.

    Raises
    ------
    ValueError
        If `rule` is unknown or a mark is none of -1, 0, 1, 2.

    Examples
    --------
    >>> marks_to_mass(np.array([[0, 2, 0], [1, 0, 1], [0, 1, 0]]))   # 0 o→ 1 ↔ 2
    array([[0. , 1. , 0. ],
           [0. , 0. , 0.5],
           [0. , 0.5, 0. ]])
    """
    check_choice("rule", rule, MARK_RULES)
    at_source = np.asarray(marks)
    at_end = at_source.T
    if not np.isin(at_source, (-1, 0, 1, 2)).all() or ((at_source == 0) != (at_end == 0)).any():
        raise ValueError("marks must hold -1, 0, 1 or 2, and 0 at both ends of a pair or at none")
    forward = (at_end == 1) & (at_source != 1) | (at_source == -1) & (at_end == 2)
    backward = forward.T
    undecided = (at_source != 0) & ~forward & ~backward
    mass = forward * 1.0 + undecided * 0.5
    if rule == "spread":
        mass[forward & (at_source == 2)] = 0.5
        mass[(at_source == 2) & (at_end == 2)] = 1 / 3
        mass[(at_source == 1) & (at_end == 1)] = 0.0
    return mass


def count_edges(marks: np.ndarray) -> Counter:
    """Number of edges of each kind, such as ``"o→"``, in one graph."""
    kinds = {(-1, -1): "—", (-1, 1): "→", (1, 1): "↔", (1, 2): "o→", (2, 2): "o–o", (-1, 2): "–o"}
    upper = np.triu_indices(len(marks), 1)
    pairs = zip(marks[upper], marks.T[upper], strict=True)
    return Counter(kinds[tuple(sorted((int(a), int(b))))] for a, b in pairs if a or b)
