"""Which algorithms of discovery can be named."""

from __future__ import annotations

METHODS = ("pc", "fci")


def check_methods(methods) -> tuple[str, ...]:
    """The named algorithms as a tuple, or a ``ValueError`` if there are none, unknown ones, or the same one twice."""
    methods = tuple(methods) if not isinstance(methods, str) else (methods,)
    if not methods or len(set(methods)) < len(methods) or not set(methods) <= set(METHODS):
        raise ValueError(f"methods must name each of {list(METHODS)} at most once and at least one, got {methods!r}")
    return methods
