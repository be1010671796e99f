"""Build slides for reveal.js from executed chapters.

Usage: python tools/slides.py CHAPTERS FOLDER REVEAL

CHAPTERS is the folder of executed notebooks that the build of the book leaves, FOLDER where the decks go, and REVEAL a
copy of the npm package reveal.js. `make slides` fetches the latter, builds the book and calls this. The decks need no
network: reveal.js and MathJax lie beside them. What stands on a slide is chosen by the rule in
tools/slide_builder/rule.py.
"""

from __future__ import annotations

import shutil
import sys
from html import escape
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools.slide_builder.rule import to_slides  # noqa: E402

TEMPLATE = ROOT / "tools" / "slide_builder" / "template"
MATHJAX = ROOT / "book" / "_static" / "mathjax"
NEEDED = ("dist", "plugin/notes", "LICENSE")


def main() -> None:
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    chapters, folder, reveal = map(Path, sys.argv[1:])
    build(sorted(chapters.glob("*.ipynb")), folder, reveal)
    print(f"The slides: {folder / 'index.html'}")


def build(chapters: list[Path], folder: Path, reveal: Path) -> None:
    """Write a deck for each chapter, a page that lists them, and what they run on.

    Raises
    ------
    ValueError
        If there is no chapter.
    """
    if not chapters:
        raise ValueError(f"chapters={chapters!r} is empty: build the book first")
    folder.mkdir(parents=True, exist_ok=True)
    copy_programs(folder, reveal)
    titles = {}
    for path in chapters:
        notebook = nbformat.read(path, as_version=4)
        titles[path.stem] = read_title(notebook)
        (folder / f"{path.stem}.html").write_text(export(notebook, titles[path.stem]), encoding="utf-8")
    (folder / "index.html").write_text(list_decks(titles), encoding="utf-8")


def copy_programs(folder: Path, reveal: Path) -> None:
    """Lay reveal.js and MathJax beside the decks."""
    shutil.copytree(MATHJAX, folder / "mathjax", dirs_exist_ok=True)
    for name in NEEDED:
        source, target = reveal / name, folder / "reveal.js" / name
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.map"))
        else:
            target.parent.mkdir(exist_ok=True)
            shutil.copy(source, target)


def export(notebook: nbformat.NotebookNode, title: str) -> str:
    """The deck of a chapter as one page."""
    slides = to_slides(notebook)
    slides.metadata["title"] = title
    exporter = SlidesExporter(
        template_name=TEMPLATE.name,
        extra_template_basedirs=[str(TEMPLATE.parent)],
        reveal_url_prefix="reveal.js",
        reveal_theme="white",
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    return exporter.from_notebook_node(slides)[0]


def read_title(notebook: nbformat.NotebookNode) -> str:
    """The heading that a chapter opens with."""
    return notebook.cells[0].source.partition("\n")[0].lstrip("# ")


def list_decks(titles: dict[str, str]) -> str:
    """A page with a link to every deck."""
    items = "\n".join(f'<li><a href="{name}.html">{escape(title)}</a></li>' for name, title in titles.items())
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>Slides</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>\n<body><main>\n<h1>Slides</h1>\n'
        "<p>The arrow keys turn the slides, S opens the speaker's notes, Esc shows all slides at once.</p>\n"
        f"<ol>\n{items}\n</ol>\n</main></body>\n</html>\n"
    )


if __name__ == "__main__":
    main()
