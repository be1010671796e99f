"""One causal discovery for all arms of a split.

The arms that draw graphs differ in what they do with the edge probabilities, not in how these are
estimated. With a seed that belongs to the split, all of them rest on the same probabilities: what differs between
them is the arm alone, and a process that makes several of them runs PC and FCI once.
"""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from causalmix_utils.generators import Generator
    from causalmix_utils.tables import Table

_OPTIONS = ("n_resamples", "methods", "test", "alpha")
_LARGEST_NUMBER = 16

_found: OrderedDict[tuple[str, str, int], tuple[pd.DataFrame, float]] = OrderedDict()


def share_discovery(generator: Generator, train: Table, *, seed: int) -> tuple[float, bool] | None:
    """Hand a causal generator the edge probabilities of its training table.

    Parameters
    ----------
    generator : Generator
        Changed: its option `edge_probabilities` is set. Any other kind of generator is left alone, and so is one
        with this option set already.
    train : Table
    seed : int
        Of the resamples. Same table, options and seed, same probabilities.

    Returns
    -------
    tuple of float and bool, or None
        Seconds that the estimation took when it was done, and whether it was done before and not now. None
        if the generator needs none.
    """
    options = generator.get_params()
    if options.get("edge_probabilities", ...) is not None:
        return None
    P, seconds, is_known = _estimate_once(train, {name: options[name] for name in _OPTIONS}, seed)
    generator.set_params(edge_probabilities=P)
    return seconds, is_known


def _estimate_once(train: Table, options: dict[str, Any], seed: int) -> tuple[pd.DataFrame, float, bool]:
    """Edge probabilities, the seconds they took, and whether they were known."""
    import numpy as np

    from causalmix_utils.discovery import edge_probabilities
    from causalmix_utils.tables import content_hash

    key = (content_hash(train), json.dumps(options, sort_keys=True), seed)
    is_known = key in _found
    if not is_known:
        start = time.perf_counter()
        P = edge_probabilities(train, rng=np.random.default_rng(seed), **options)
        _found[key] = P, time.perf_counter() - start
        if len(_found) > _LARGEST_NUMBER:
            _found.popitem(last=False)
    return *_found[key], is_known
