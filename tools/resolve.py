"""Show that the ranges of pyproject.toml resolve, and what installing the package changes in Colab.

Usage: python tools/resolve.py UV [--colab FILE]

Resolves the package with every extra for Python 3.11, 3.12 and 3.13, and without extras inside Colab's
preinstalled versions. Exits with an error if a resolution fails or if Colab would have to replace a
package that is not listed in `REPLACED_IN_COLAB`. Nothing is installed.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COLAB_VERSIONS = ROOT / "tests" / "colab_versions.txt"

# dowhy 0.14 needs cvxpy 1.7.1 or newer, and Colab has 1.6.7. Nothing imports cvxpy before, so no restart is needed.
REPLACED_IN_COLAB = {"cvxpy"}

# These belong to the build of torch that Colab ships.
CUDA_ONLY = re.compile(r"^(nvidia-|cuda-|triton$)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("uv", help="path of the resolver uv")
    parser.add_argument("--colab", type=Path, default=COLAB_VERSIONS, help="rows name==version that Colab has")
    arguments = parser.parse_args()

    for python in ("3.11", "3.12", "3.13"):
        tree = resolve(arguments.uv, python, "--all-extras")
        print(f"Python {python}: {len(tree)} packages, all extras")

    colab = read_pins(arguments.colab.read_text(encoding="utf-8"))
    kept = {name: version for name, version in colab.items() if name not in REPLACED_IN_COLAB}
    tree = resolve(arguments.uv, "3.13", constraints=kept)
    added = sorted(set(tree) - set(colab))
    replaced = sorted(name for name, version in tree.items() if colab.get(name, version) != version)
    print(f"Colab: adds {', '.join(added)}")
    print("Colab: replaces " + ", ".join(f"{name} ({colab[name]} by {tree[name]})" for name in replaced))
    if set(replaced) - REPLACED_IN_COLAB:
        sys.exit("Colab would have to replace more than is known to be harmless")


def resolve(uv: str, python: str, *options: str, constraints: dict[str, str] | None = None) -> dict[str, str]:
    """Versions by name of the whole tree; ends the script with the resolver's message if there is none."""
    with tempfile.TemporaryDirectory() as folder:
        command = [uv, "pip", "compile", "pyproject.toml", "--python-version", python, "--no-header", "--no-annotate"]
        command += ["--quiet", *options]
        if constraints is not None:
            file = Path(folder) / "constraints.txt"
            file.write_text("".join(f"{name}=={version}\n" for name, version in constraints.items()), encoding="utf-8")
            command += ["--constraints", str(file)]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"Python {python} does not resolve:\n{result.stderr}")
    return read_pins(result.stdout)


def read_pins(text: str) -> dict[str, str]:
    """Versions by name, in the normal form of both; rows of CUDA libraries are left out."""
    pins = {}
    for line in text.splitlines():
        row = line.partition("#")[0].partition(";")[0].strip()
        name, equals, version = row.partition("==")
        name = re.sub(r"[-_.]+", "-", name).lower()
        if equals and not CUDA_ONLY.match(name):
            pins[name] = version.partition("+")[0]
    return pins


if __name__ == "__main__":
    main()
