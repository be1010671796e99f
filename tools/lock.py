"""Write requirements.lock: the exact environment of the book and the tests, from the ranges in pyproject.toml.

Usage: python tools/lock.py UV [--upgrade]

UV is the path of the resolver `uv` (`make lock` installs it beside the project's own environment).
Without `--upgrade`, versions that still satisfy the ranges stay as they are.

The lock holds one set of versions for Python 3.11 to 3.13 on Linux, macOS and Windows; rows that are
needed only somewhere carry a marker. It names no address: whoever installs it chooses where from.
"""

import argparse
import re
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"

HEADER = """\
# The exact environment of the book and the tests. Written by `make lock` from pyproject.toml; do not edit.
# torch is listed without its CUDA libraries: they belong to one build of torch, and a processor is enough here.
# The licence of ctgan (an optional extra of the package) is the Business Source License 1.1.
"""

CUDA_ONLY = re.compile(r"^(nvidia-|cuda-|triton==)")
UPPER_BOUND = re.compile(r"python_full_version < '3\.14'( and )?")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("uv", help="path of the resolver uv")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that the ranges admit")
    arguments = parser.parse_args()
    rows = resolve(arguments.uv, upgrade=arguments.upgrade)
    LOCK.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    print(f"{LOCK.name}: {len(rows)} rows")


def resolve(uv: str, *, upgrade: bool) -> list[str]:
    """Rows `name==version ; marker` of the whole tree, all extras included."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / LOCK.name
        if LOCK.exists():
            target.write_text(LOCK.read_text(encoding="utf-8"), encoding="utf-8")
        command = [uv, "pip", "compile", "pyproject.toml", "--all-extras", "--universal", "--python-version", "3.11"]
        command += ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--quiet"]
        command += ["--output-file", str(target), *(["--upgrade"] if upgrade else [])]
        subprocess.run(command, cwd=ROOT, check=True)
        lines = target.read_text(encoding="utf-8").splitlines()
    return [simplify(line) for line in lines if line.strip() and not CUDA_ONLY.match(line)]


def simplify(row: str) -> str:
    """Leave out the marker that every row has: pyproject.toml admits no newer Python anyway."""
    return UPPER_BOUND.sub("", row).removesuffix(" and ").rstrip(" ;")


if __name__ == "__main__":
    main()
