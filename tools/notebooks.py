"""Keep the notebooks tidy: start a new one, strip outputs, or check that there are none.

Usage: python tools/notebooks.py check | strip | new notebooks/06_NAME.ipynb "Title"

The committed notebooks hold no outputs and no execution counts, so that a change of one line is a change of one line.
`new` writes the frame that every chapter has (see CONTRIBUTING.md).
"""

import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools.retarget import configured_repository  # noqa: E402

NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA = {"tags", "mystnb"}

TITLE = """\
# {title}

[![Open in Colab](../book/_static/open-in-colab.svg)](https://colab.research.google.com/github/{repository}/blob/main/notebooks/{file})"""

OPENING = """\
**What you will learn**
- …

**What you need**
- …

**Time and memory:** …"""

INSTALL = """\
import sys

if "google.colab" in sys.modules:
    %pip install -q "causalmix-utils @ git+https://github.com/{repository}\""""

PARAMETERS = 'profile = "book"  # "smoke" is a small setting for tests'

MISTAKES = "## Common mistakes\n\n- **…** …"
TAKEAWAYS = "## Takeaways\n\n- …"
QUIZ_TEXT = """\
## Quiz

One choice of each question is right. Choose first, then click on your choice: it says why it is right, or
gives a hint. Or write letters into the cell, and run it again."""
QUIZ = """\
from causalmix_utils import exercises

answers = {1: None, 2: None, 3: None}  # a letter for each question, such as {1: "b"}
exercises.quiz("…", answers)"""
EXERCISES = "## Exercises\n\n**1.** …"
EXERCISE = """\
answer = None  # your answer
exercises.check_number(answer, expected=0.0, hint="…")"""
SOLUTION = "<details><summary>Solution</summary>\n\n…\n\n</details>"
REFERENCES = "## References\n\n- …"


def main() -> None:
    match sys.argv[1:]:
        case ["check"]:
            untidy = [path for path in notebooks() if tidy(path) != path.read_text(encoding="utf-8")]
            if untidy:
                sys.exit(f"not stripped, run `make format`: {', '.join(path.name for path in untidy)}")
        case ["strip"]:
            for path in notebooks():
                path.write_text(tidy(path), encoding="utf-8")
        case ["new", path, title]:
            write_frame(Path(path), title)
        case _:
            sys.exit(__doc__)


def notebooks() -> list[Path]:
    """The chapters, in order."""
    return sorted((ROOT / "notebooks").glob("*.ipynb"))


def tidy(path: Path) -> str:
    """Text of the notebook without outputs, execution counts and an editor's own metadata."""
    notebook = nbformat.read(path, as_version=4)
    notebook.nbformat_minor = 5  # the first version in which cells have identifiers
    notebook.metadata = nbformat.from_dict(NOTEBOOK_METADATA)
    for cell in notebook.cells:
        kept = {key: value for key, value in cell.metadata.items() if key in CELL_METADATA and value}
        cell.metadata = nbformat.from_dict(kept)
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
    _, notebook = nbformat.validator.normalize(notebook)
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def write_frame(path: Path, title: str) -> None:
    """Write a notebook with the cells that every chapter has."""
    if path.exists():
        sys.exit(f"{path} exists already")
    names = {"title": title, "repository": configured_repository(), "file": path.name}
    markdown, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    cells = [
        markdown(TITLE.format(**names)),
        markdown(OPENING),
        code(INSTALL.format(**names), metadata={"tags": ["install", "hide-cell"]}),
        code(PARAMETERS, metadata={"tags": ["parameters"]}),
        markdown(MISTAKES),
        markdown(TAKEAWAYS),
        markdown(QUIZ_TEXT),
        code(QUIZ),
        markdown(EXERCISES),
        code(EXERCISE),
        markdown(SOLUTION),
        markdown(REFERENCES),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata = nbformat.from_dict(NOTEBOOK_METADATA)
    nbformat.write(notebook, path)


if __name__ == "__main__":
    main()
