"""Build the embedded networks and their manifest.

    python tools/build_networks.py

The networks come with pgmpy, whose pinned wheel is fetched by pip into a cache folder outside of the repository.
pgmpy also reads them, in an environment of its own in that folder. Building twice gives the same bytes.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import io
import json
import subprocess
import sys
import venv
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from network_builder.recipes import RECIPES, NetworkRecipe
from table_builder.packages import Package, fetch, read_pins
from write_tables_page import write_page

DATA = Path(__file__).resolve().parents[1] / "causalmix_utils" / "data" / "networks"
READER = Path(__file__).parent / "network_builder" / "read_discrete.py"
FIELDS = [
    "name", "kind", "nodes", "edges", "target", "source", "licence", "package", "package_licence", "path", "sha256",
    "remarks",
]  # fmt: skip


def read_gaussian(path: Path) -> dict[str, dict]:
    """Each node's parents, intercept, coefficients and variance of the noise."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    nodes = {}
    for name, entry in stored["cpds"].items():
        coefficients = {parent: values[0] for parent, values in entry["coefficients"].items()}
        nodes[name] = {
            "parents": list(entry["parents"]),
            "intercept": coefficients.pop("(Intercept)"),
            "coefficients": [coefficients[parent] for parent in entry["parents"]],
            "variance": entry["variance"][0],
        }
    if {(parent, name) for name, node in nodes.items() for parent in node["parents"]} != set(
        map(tuple, stored["arcs"])
    ):
        raise ValueError(f"{path.name}: the equations and the graph have different edges")
    return nodes


def read_all(package: Package, cache: Path) -> dict[str, dict[str, dict]]:
    """All networks by name; those of categories are read by pgmpy."""
    folder = fetch(package, cache)
    is_gaussian = {recipe.name: recipe.path.endswith(".json") for recipe in RECIPES}
    discrete = [recipe for recipe in RECIPES if not is_gaussian[recipe.name]]
    python = _make_environment(cache / f"environment-{package.name}-{package.version}", cache / package.file)
    command = [str(python), str(READER), *(str(folder / recipe.path) for recipe in discrete)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = {recipe.name: nodes for recipe, nodes in zip(discrete, json.loads(printed), strict=True)}
    for recipe in RECIPES:
        if is_gaussian[recipe.name]:
            found[recipe.name] = read_gaussian(folder / recipe.path)
    return found


def to_bytes(nodes: dict[str, dict]) -> bytes:
    """The compressed JSON file, nodes in alphabetical order. No time is stored."""
    text = json.dumps(dict(sorted(nodes.items())), ensure_ascii=False, separators=(",", ":"))
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0, compresslevel=9) as file:
        file.write(text.encode())
    return packed.getvalue()


def describe(recipe: NetworkRecipe, nodes: dict[str, dict], content: bytes, package: Package) -> dict[str, object]:
    """A network's row of the manifest."""
    return {
        "name": recipe.name,
        "kind": "discrete" if "levels" in nodes[recipe.target] else "gaussian",
        "nodes": len(nodes),
        "edges": sum(len(node["parents"]) for node in nodes.values()),
        "target": recipe.target,
        "source": recipe.source,
        "licence": recipe.licence,
        "package": package.label,
        "package_licence": package.licence,
        "path": recipe.path,
        "sha256": hashlib.sha256(content).hexdigest(),
        "remarks": recipe.remarks,
    }


def _make_environment(folder: Path, wheel: Path) -> Path:
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", str(wheel)], check=True)
        (folder / "ready").touch()
    return python


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "causalmix-tables")
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args(arguments)
    options.data.mkdir(parents=True, exist_ok=True)
    package = read_pins()["pgmpy"]
    networks = read_all(package, options.cache.resolve())
    rows = []
    for recipe in sorted(RECIPES, key=lambda recipe: recipe.name):
        content = to_bytes(networks[recipe.name])
        (options.data / f"{recipe.name}.json.gz").write_bytes(content)
        rows.append(describe(recipe, networks[recipe.name], content, package))
        print(*(rows[-1][field] for field in ("name", "kind", "nodes", "edges")), f"{len(content):,} bytes")
    with (options.data / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    if options.data == DATA:
        write_page()


if __name__ == "__main__":
    main()
