"""No result is typed into prose, where nobody would correct it: a cell prints it, or a stored run holds it.

Decimal numbers and percentages outside of code, formulas, links and exercises must be listed, with a reason, in
numbers_in_prose.toml. The cost in a chapter's opening box is compared with the measured one by test_book.py.
"""

import re
import tomllib
from pathlib import Path

import nbformat
import pytest

from causalmix_utils.cli.claims_page import BEGIN, END

ROOT = Path(__file__).resolve().parents[1]
ALLOWED = tomllib.loads((ROOT / "tests" / "numbers_in_prose.toml").read_text(encoding="utf-8"))
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("book/*.md")), *sorted(ROOT.glob("notebooks/*.ipynb"))]

NUMBER = re.compile(r"(?<![\w.,/–-])[+−-]?(?:\d[\d,]*\.\d+|\.\d+|\d[\d,]*(?:\.\d+)?\s?%)(?!\w|\.\d)")
NO_PROSE = re.compile(r"```.*?```|\$\$.*?\$\$|(?<!`)`[^`\n]+`(?!`)|\$[^$\n]+\$|\]\([^)\s]*\)|https?://\S+", re.DOTALL)
COST = re.compile(r"\*\*Time and memory:\*\*[^\n]*")


def read_prose(path: Path) -> str:
    """A page's text, or a notebook's without the exercises, whose numbers belong to the task."""
    if path.suffix == ".md":  # on the claims page results stand between two marks, and no hand writes there
        before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
        return before + rest.partition(END)[2]
    cells = nbformat.read(path, as_version=4).cells
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    exercises, references = (text.find(f"\n## {name}\n") for name in ("Exercises", "References"))
    return text[:exercises] + text[references:] if -1 < exercises < references else text


def blank(pattern: re.Pattern, text: str) -> str:
    """The text with spaces in place of each match, so that places stay what they are."""
    return pattern.sub(lambda found: " " * len(found.group()), text)


def typed_numbers(name: str, text: str) -> list[str]:
    """Numbers that are not allowed on the page of this name, each with some words around it."""
    if name in ALLOWED["pages"]:
        return []
    flat = text.replace("\n", " ")
    allowed = [re.compile(entry["pattern"]) for entry in ALLOWED["anywhere"]]
    allowed += [re.compile(re.escape(words)) for words in passages(name)]
    spans = [found.span() for pattern in allowed for found in pattern.finditer(flat)]
    prose = blank(NO_PROSE, blank(COST, text))
    return [
        flat[max(0, found.start() - 40) : found.end() + 20]
        for found in NUMBER.finditer(prose)
        if not any(start <= found.start() and found.end() <= end for start, end in spans)
    ]


def passages(name: str) -> list[str]:
    return [words for entry in ALLOWED["passage"] if entry["page"] == name for words in entry["texts"]]


@pytest.mark.parametrize("path", PAGES, ids=[path.name for path in PAGES])
def test_no_result_is_typed_into_prose(path):
    found = typed_numbers(str(path.relative_to(ROOT)), read_prose(path))
    assert not found, "print these from a cell, or say in numbers_in_prose.toml why they are no results: " + repr(found)


@pytest.mark.parametrize("path", PAGES, ids=[path.name for path in PAGES])
def test_every_passage_that_is_allowed_still_stands_on_its_page(path):
    flat = read_prose(path).replace("\n", " ")
    gone = [words for words in passages(str(path.relative_to(ROOT))) if words not in flat]
    assert not gone


def test_every_exception_has_a_reason_and_a_page():
    entries = ALLOWED["anywhere"] + ALLOWED["passage"]
    assert all(len(entry["reason"]) >= 10 for entry in entries)
    assert all(len(reason) >= 10 for reason in ALLOWED["pages"].values())
    named = {entry["page"] for entry in ALLOWED["passage"]} | set(ALLOWED["pages"])
    assert named <= {str(path.relative_to(ROOT)) for path in PAGES}


@pytest.mark.parametrize(
    "sentence",
    [
        "It reaches an AUC of .853 here.",
        "The gain is +0.051 on average.",
        "It wins on 85 % of the tables.",
        "It wins on 85% of them.",
        "A loss of 1.23.",
        "It costs 3,000.5 seconds",
    ],
)
def test_a_typed_result_is_found(sentence):
    assert len(typed_numbers("book/index.md", sentence)) == 1


@pytest.mark.parametrize(
    "sentence",
    [
        "Set `scale=0.3` or $p = 0.05$.",
        "See [here](https://example.org/1.5/).",
        "There are 20 resamples of 1,000 rows.",
        "```python\nx = 0.5\n```",
        "The 95 % interval is wide.",
        "Version v1.2.3 of it.",
    ],
)
def test_code_formulas_and_counts_are_no_typed_results(sentence):
    assert typed_numbers("book/index.md", sentence) == []
