"""Fitted mechanisms, kept for the other graphs of an ensemble."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from causalmix_utils.arguments import check_count
from causalmix_utils.tables import Table, content_hash

_fingerprints: WeakKeyDictionary[Table, str] = WeakKeyDictionary()


class MechanismCache:
    """Fitted mechanisms by table, node, parents and kind.

    A mechanism depends on its node's parents alone, and the graphs of an ensemble agree on most parent
    sets. With one cache for all of them each is fitted once. Fitting draws no random numbers, so a cached mechanism is
    the one that a new fit would give.

    Parameters
    ----------
    max_entries : int
        The mechanism that was not used for the longest time is dropped beyond this number.

    Attributes
    ----------
    hits, misses : int
        How often a mechanism was found, and how often it had to be fitted.

    Examples
    --------
    >>> cache = MechanismCache()
    >>> cache
    MechanismCache(0 mechanisms, 0 hits, 0 misses)
    """

    def __init__(self, max_entries: int = 5000) -> None:
        self.max_entries = check_count("max_entries", max_entries)
        self.hits = 0
        self.misses = 0
        self._mechanisms: OrderedDict[tuple, Any] = OrderedDict()

    def __len__(self) -> int:
        return len(self._mechanisms)

    def __repr__(self) -> str:
        return f"MechanismCache({len(self)} mechanisms, {self.hits} hits, {self.misses} misses)"

    def get(self, table: Table, node: str, parents: tuple[str, ...], kind: str, fit: Callable[..., Any]) -> Any:
        """Return the mechanism of `node` given `parents`; if it is not known, that of ``fit(node, parents, kind)``."""
        key = (fingerprint(table), node, parents, kind)
        if key in self._mechanisms:
            self.hits += 1
            self._mechanisms.move_to_end(key)
            return self._mechanisms[key]
        self.misses += 1
        mechanism = self._mechanisms[key] = fit(node, parents, kind)
        if len(self._mechanisms) > self.max_entries:
            self._mechanisms.popitem(last=False)
        return mechanism


def fingerprint(table: Table) -> str:
    """The table's `content_hash`, computed once for each table."""
    if table not in _fingerprints:
        _fingerprints[table] = content_hash(table)
    return _fingerprints[table]
