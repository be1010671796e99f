"""One file with tensors, a description and a hash of both: safetensors, so reading it runs no code.

The hash tells a damaged file from a whole one. It is no signature: whoever writes a file can write its hash.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from causalmix_utils.whole_files import replacing

if TYPE_CHECKING:
    import torch

FORMAT = "causalmix-classifier"
VERSION = 1
BLANK = "0" * 64
"""Stands for the hash while the hash is computed."""


def write_hashed(path: str | os.PathLike, tensors: dict[str, torch.Tensor], description: dict[str, Any]) -> None:
    """Write tensors and a description, which JSON must be able to hold, to one file.

    The file appears as a whole or not at all; see `causalmix_utils.whole_files.replacing`.

    Raises
    ------
    OSError
        If the folder does not exist or can't be written to.
    """
    from safetensors.torch import save

    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "description": json.dumps(description),
        "sha256": BLANK,
    }
    content = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, metadata)
    digest = hashlib.sha256(content).hexdigest()
    with replacing(path) as temporary:
        temporary.write_bytes(content.replace(_hash_entry(BLANK), _hash_entry(digest), 1))


def read_hashed(path: str | os.PathLike) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read what `write_hashed` wrote: tensors and description.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is of another kind or version, or a byte of it has changed. The message names the path.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    content = Path(path).read_bytes()
    metadata = _read_metadata(content)
    if metadata is None or metadata.get("format") != FORMAT:
        raise ValueError(f"{str(path)!r} is not a saved CausalMixFTClassifier, or its first bytes are damaged")
    _check_hash(path, content, str(metadata.get("sha256")))
    if metadata.get("version") != str(VERSION):
        raise ValueError(
            f"{str(path)!r} is of version {metadata.get('version')} of its format, but this package reads version "
            f"{VERSION}: load it with the version of the package that saved it"
        )
    try:
        return load(content), json.loads(metadata["description"])
    except (SafetensorError, KeyError, ValueError) as error:
        raise ValueError(f"{str(path)!r} is not a saved CausalMixFTClassifier: {error}") from error


def _read_metadata(content: bytes) -> dict[str, str] | None:
    """The metadata in the header of a safetensors file; None if there is none."""
    length = int.from_bytes(content[:8], "little")
    try:
        metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return metadata if isinstance(metadata, dict) else None


def _check_hash(path: str | os.PathLike, content: bytes, stored: str) -> None:
    if re.fullmatch("[0-9a-f]{64}", stored):
        found = hashlib.sha256(content.replace(_hash_entry(stored), _hash_entry(BLANK), 1)).hexdigest()
    else:
        found = "unknown"
    if found != stored:
        raise ValueError(
            f"{str(path)!r} has changed since it was saved: its content has the SHA-256 {found}, expected {stored}"
        )


def _hash_entry(digest: str) -> bytes:
    """As the header holds it. Quotes inside of the description are escaped there, so this occurs only once."""
    return f'"sha256":"{digest}"'.encode()
