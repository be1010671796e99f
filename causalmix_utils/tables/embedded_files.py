"""What all embedded files have in common: a hash that is checked, and names that can be misspelt."""

from __future__ import annotations

import difflib
import hashlib
from importlib.resources.abc import Traversable


def read_checked(path: Traversable, sha256: str, *, what: str, command: str) -> bytes:
    """Read a file and compare its hash with the manifest's.

    Parameters
    ----------
    path : Traversable
    sha256 : str
        The hash that the manifest names.
    what : str
        What the file holds, such as ``"table 'iris'"``; for the message.
    command : str
        What builds the file again; for the message.

    Raises
    ------
    ValueError
        If the hash is another one.
    """
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(
            f"the file of {what} has sha256 {found}, but the manifest says {sha256}; "
            f"reinstall the package, or rebuild with `{command}`"
        )
    return content


def describe_unknown(name: object, known: list[str], *, kind: str) -> str:
    """Say that there is no table or network of this name, and which ones there are."""
    close = difflib.get_close_matches(str(name).lower(), known, n=3)
    hint = f"did you mean {' or '.join(map(repr, close))}?" if close else f"the {kind}s are {', '.join(known)}"
    return f"there is no embedded {kind} {name!r}; {hint} (list_{kind}s() shows them all)"
