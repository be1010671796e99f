"""Forget the executed chapters if anything that they compute with has changed since.

The build keeps executed notebooks in a cache and runs one again only when its cells change. It does not see that
the package, a stored result or an installed version has changed; this script does, by a hash over all of them.
"""

import hashlib
import shutil
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "_build"
FINGERPRINT = BUILD / "computed-with.txt"

SOURCES = ("causalmix_utils/**/*", "book/results/**/*")
# The cache of executed notebooks, and the parsed pages, which hold their outputs, too.
STALE = (".jupyter_cache", ".doctrees", "jupyter_execute")


def main() -> None:
    current = fingerprint()
    if FINGERPRINT.exists() and FINGERPRINT.read_text(encoding="utf-8") == current:
        return
    for name in STALE:
        shutil.rmtree(BUILD / name, ignore_errors=True)
    BUILD.mkdir(exist_ok=True)
    FINGERPRINT.write_text(current, encoding="utf-8")


def fingerprint() -> str:
    """SHA-256 over everything that a chapter computes with: Python, packages, and all files that it may read."""
    digest = hashlib.sha256(sys.version.encode())
    for installed in sorted(f"{found.name} {found.version}" for found in metadata.distributions()):
        digest.update(f"{installed}\n".encode())
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(ROOT)}\n".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


if __name__ == "__main__":
    main()
