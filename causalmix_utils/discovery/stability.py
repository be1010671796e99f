"""Which edges are stable: how sure a number of resamples makes their probabilities."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_choice, check_count, check_number
from causalmix_utils.discovery.matrix import check_edge_probabilities

KINDS = ("adjacencies", "directions")


def edge_stability(
    P: pd.DataFrame,
    *,
    kind: str = "adjacencies",
    threshold: float = 0.5,
    confidence: float = 0.95,
    n_resamples: int | None = None,
) -> pd.DataFrame:
    """Give every edge an interval over resamples, and say which edges are stable.

    What the interval means: with the rows at hand, an infinite number of resamples would give each edge a certain
    share; the interval covers that share. It is Wilson's, with one trial for each resample, and errs on the wide
    side, since the two algorithms share a resample's mass. **It is no interval for other rows.** Resamples
    of one table overlap and repeat its chance patterns, so that an edge can be stable here and absent
    from another table of the same source; a false assumption makes a false edge stable.

    Parameters
    ----------
    P : DataFrame of shape (n, n)
        From `edge_probabilities`.
    kind : {"adjacencies", "directions"}
        One row for each pair of columns that ever has an edge, whatever its direction, or one for each
        directed edge.
    threshold : float in (0, 1)
        An edge is stable if its whole interval lies above this.
    confidence : float in (0, 1)
        Of the intervals, each by itself.
    n_resamples : int, optional
        Number of resamples; by default what ``P.attrs["discovery"]`` says.

    Returns
    -------
    DataFrame
        Sorted by probability, the largest first: ``source`` and ``target`` (of a pair, in the likelier direction),
        ``probability``, ``low``, ``high`` and ``stable``. What `edge_probabilities` gives redundant columns does
        not depend on resamples: its interval is the point 1.

    Raises
    ------
    ValueError
        If `P` is not a matrix of edge probabilities, an argument has a value that is not allowed, or the number of
        resamples is not known.

    References
    ----------
    Wilson, Journal of the American Statistical Association 22 (1927). Meinshausen and Bühlmann, Journal of the
    Royal Statistical Society B 72 (2010), for stability selection.

    Examples
    --------
    >>> P = pd.DataFrame([[0.0, 0.8, 0.3], [0.2, 0, 0], [0.1, 0, 0]], index=list("abc"), columns=list("abc"))
    >>> edge_stability(P, n_resamples=20).round(2)
      source target  probability   low  high  stable
    0      a      b          1.0  0.84  1.00    True
    1      a      c          0.4  0.22  0.61   False
    """
    check_edge_probabilities(P)
    check_choice("kind", kind, KINDS)
    check_number("threshold", threshold, 0, 1, closed="neither")
    check_number("confidence", confidence, 0, 1, closed="neither")
    told = P.attrs.get("discovery", {})
    n_resamples = told.get("n_resamples") if n_resamples is None else n_resamples
    if n_resamples is None:
        raise ValueError("n_resamples must be given, since P does not tell it")
    check_count("n_resamples", n_resamples)
    names, values = list(P.columns), P.to_numpy(dtype=float)
    shares = values if kind == "directions" else np.where(values > values.T, values + values.T, 0.0)
    if kind == "adjacencies":
        shares += np.triu(np.where(values == values.T, 2 * values, 0.0))
    edges = sorted(zip(*np.nonzero(shares), strict=True), key=lambda edge: -shares[edge])
    # In either direction, since an edge that left a target without effects was turned.
    certain = {frozenset((source, end)) for end, sources in told.get("determined", {}).items() for source in sources}
    rows = []
    for i, j in edges:
        is_certain = frozenset((names[i], names[j])) in certain
        low, high = (1.0, 1.0) if is_certain else _wilson(shares[i, j], n_resamples, confidence)
        rows.append((names[i], names[j], min(shares[i, j], 1.0), low, high, low > threshold))
    columns = ["source", "target", "probability", "low", "high", "stable"]
    return pd.DataFrame(rows, columns=columns).astype({"stable": bool})


def _wilson(share: float, trials: int, confidence: float) -> tuple[float, float]:
    from scipy.special import ndtri

    z2 = float(ndtri((1 + confidence) / 2)) ** 2
    middle = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = math.sqrt(max(share * (1 - share) / trials + z2 / (4 * trials**2), 0.0) * z2) / (1 + z2 / trials)
    return max(middle - half, 0.0), min(middle + half, 1.0)
