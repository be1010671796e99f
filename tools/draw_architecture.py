"""Draw the staircase of the package from its imports: python tools/draw_architecture.py

Writes book/_static/architecture.svg. Every step of the package is a box on a staircase, every import of another step
a dot in the row of the importing step, in the column of the imported one. tests/test_architecture.py checks that the
drawing is up to date and that no import runs back up.
"""

from __future__ import annotations

import ast
import html
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "causalmix_utils"
DRAWING = ROOT / "book" / "_static" / "architecture.svg"

# From the bottom to the top. A step may import from those before it.
STEPS = (
    "arguments",
    "randomness",
    "threads",
    "whole_files",
    "metrics",
    "folds",
    "tables",
    "forests",
    "baselines",
    "independence",
    "discovery",
    "graphs",
    "foundation",
    "tabpfn_bridge",
    "pretraining",
    "scm",
    "generators",
    "finetuning",
    "benchmark",
    "evaluation",
    "plots",
    "exercises",
    "cli",
)
SUBJECTS = {"tables", "discovery", "graphs", "scm", "generators", "finetuning", "benchmark", "evaluation", "plots"}

CELL, MARGIN, BOX = 27, 14, 112
INK, GREY, BLUE = "#1f2933", "#b8c0c8", "#0072B2"


@dataclass(frozen=True)
class Import:
    """That one step of the package imports from another; `late` if only inside of functions."""

    importer: str
    imported: str
    late: bool


def read_imports() -> list[Import]:
    """Each pair of steps once, late only if every such import is; imports for types alone do not count."""
    found: dict[tuple[str, str], bool] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        importer = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if importer.startswith("__"):
            continue
        for imported, late in _imports_of(ast.parse(path.read_text(encoding="utf-8"))):
            if imported != importer:
                found[importer, imported] = found.get((importer, imported), True) and late
    return [Import(*pair, late) for pair, late in sorted(found.items())]


def _imports_of(tree: ast.AST, *, late: bool = False) -> Iterator[tuple[str, bool]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.ImportFrom | ast.Import):
            yield from ((name, late) for name in _steps_named(node))
        inside = late or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _imports_of(node, late=inside)


def _steps_named(node: ast.ImportFrom | ast.Import) -> Iterator[str]:
    names = [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        names = [f"{node.module}.{name}" for name in names] if node.module == PACKAGE.name else [node.module or ""]
    for name in names:
        package, _, rest = name.partition(".")
        step = rest.partition(".")[0]
        if package == PACKAGE.name and step and not step.startswith("__"):
            yield step


def runs_upward(pair: Import) -> bool:
    """Whether a step imports one that stands after it."""
    return STEPS.index(pair.imported) > STEPS.index(pair.importer)


def describe(imports: list[Import]) -> str:
    """The drawing in words, for those who do not see it."""
    return (
        f"A staircase of {len(STEPS)} steps, from {STEPS[0]} at the lower left to {STEPS[-1]} at the upper right. "
        f"Each of {len(imports)} imports of one step by another is a dot in the row of the importing step and the "
        "column of the imported one, to the left of the stairs."
    )


def draw(imports: list[Import]) -> str:
    """The drawing as the text of an SVG file."""
    n = len(STEPS)
    width, height = MARGIN * 2 + (n - 1) * CELL + BOX, MARGIN * 2 + n * CELL + 34
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" font-size="12"',
        ' font-family="Helvetica, Arial, sans-serif">',
        f"<title>{html.escape(describe(imports))}</title>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for x, y in zip(map(_column, range(n)), map(_row, range(n)), strict=True):
        parts.append(f'<line x1="{MARGIN}" y1="{y}" x2="{x}" y2="{y}" stroke="#eef0f2"/>')
        parts.append(f'<line x1="{x}" y1="{y}" x2="{x}" y2="{_row(n - 1)}" stroke="#eef0f2"/>')
    for place, step in enumerate(STEPS):
        subject = step in SUBJECTS
        fill, stroke, text = ("#dcebf5", BLUE, INK) if subject else ("#f4f5f6", GREY, "#45525e")
        x, y = _column(place) - CELL / 2 + 2, _row(place) - CELL / 2 + 3
        box = f'width="{BOX - 4}" height="{CELL - 6}" rx="3" fill="{fill}" stroke="{stroke}"'
        parts.append(f'<rect x="{x}" y="{y}" {box}/>')
        weight = ' font-weight="bold"' if subject else ""
        parts.append(f'<text x="{x + 7}" y="{y + 15}" fill="{text}"{weight}>{step}</text>')
    parts += [_dot(pair) for pair in imports]
    parts.append(_legend(height - MARGIN))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _column(place: int) -> float:
    return MARGIN + CELL / 2 + place * CELL


def _row(place: int) -> float:
    return MARGIN + CELL / 2 + (len(STEPS) - 1 - place) * CELL


def _dot(pair: Import) -> str:
    x, y = _column(STEPS.index(pair.imported)), _row(STEPS.index(pair.importer))
    fill = "white" if pair.late else INK
    return f'<circle cx="{x}" cy="{y}" r="4.2" fill="{fill}" stroke="{INK}" stroke-width="1.4"/>'


def _legend(y: float) -> str:
    words = ("imported with the module", "imported inside a function")
    marks = (
        f'<circle cx="{MARGIN + 6}" cy="{y - 4}" r="4.2" fill="{INK}"/>',
        f'<circle cx="{MARGIN + 196}" cy="{y - 4}" r="4.2" fill="white" stroke="{INK}" stroke-width="1.4"/>',
    )
    texts = (
        f'<text x="{MARGIN + 18 + 190 * place}" y="{y}" fill="{INK}">{word}</text>' for place, word in enumerate(words)
    )
    return "\n".join([*marks, *texts])


def main() -> None:
    DRAWING.write_text(draw(read_imports()), encoding="utf-8")


if __name__ == "__main__":
    main()
