"""What of a chapter stands on a slide, what the teacher says to it, and what is left out.

A chapter needs no marks to become slides. Its headings, lists, tables, formulas on a line of their own, figures, calls
for a prediction and exercises are shown. Its prose becomes the speaker's notes, and so do the solutions of exercises.
Code, the references and everything else stay in the chapter. A tag of a cell overrules this for that cell: `slide`
begins a slide with all of the cell, `subslide` one below it, `fragment` adds the cell at the next key, `notes` leaves
it to the speaker, and `skip-slide` leaves it out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import nbformat

TAGS = {"slide": "slide", "subslide": "subslide", "fragment": "fragment", "notes": "notes", "skip-slide": "skip"}

BADGE = re.compile(r"^\[!\[Open in Colab\].*$", re.MULTILINE)
HEADING = re.compile(r"^(#+) +(.+)$")
PREDICTION = re.compile(r"\*\*Before you (?:run|look|read)", re.IGNORECASE)
EXERCISE = re.compile(r"^\*\*\d+\.")
# A list, a table, a formula on lines of its own, a picture or a quotation, alone or below a line that introduces it.
SHOWN = re.compile(r"^(?:[-*+] |\d+\. |\||\$\$|\\begin|!\[|>)", re.MULTILINE)
UNFOLDED = re.compile(r"<details>\s*<summary>(.*?)</summary>(.*?)</details>", re.DOTALL)
FOR_READERS = re.compile(r"^\*\*(?:What you need|Time and memory)")
LEFT_OUT = ("References",)


@dataclass
class Place:
    """Where in the chapter the rule is: in which section, whether the slide has more than a title, and a figure."""

    section: str = ""
    filled: bool = True
    has_figure: bool = False

    @property
    def is_left_out(self) -> bool:
        return self.section in LEFT_OUT


def to_slides(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A notebook whose cells say what they are on the slides, in the metadata that nbconvert reads.

    Raises
    ------
    ValueError
        If a cell has two of the tags that overrule.
    """
    place, cells = Place(), []
    for cell in notebook.cells:
        named = [TAGS[tag] for tag in cell.metadata.get("tags", []) if tag in TAGS]
        if len(named) > 1:
            raise ValueError(f"tags={cell.metadata.tags!r} say two things about one cell: {cell.source[:60]!r}")
        if named:
            cells.append(as_kind(cell, named[0]))
            place.filled = place.filled or named[0] not in ("notes", "skip")
        elif cell.cell_type == "markdown":
            cells += divide(cell.source, place)
        elif alternative_text(cell) and not place.is_left_out:
            cells.append(figure_alone(cell, "subslide" if place.filled else "-"))
            place.filled = place.has_figure = True
    return nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata)


def divide(text: str, place: Place) -> list[nbformat.NotebookNode]:
    """The cells that a cell of prose becomes; `place` goes on with it."""
    cells = []
    for block in split_blocks(BADGE.sub("", text)):
        heading = HEADING.match(block)
        if heading:
            level = len(heading[1])
            place.section = heading[2] if level <= 2 else place.section
            if not place.is_left_out:
                cells.append(prose(block, "slide" if level <= 2 else "subslide"))
            place.filled = place.has_figure = False
        elif not place.is_left_out:
            kind = choose_kind(block, place)
            cells.append(prose(block, kind))
            place.filled = place.filled or kind != "notes"
            place.has_figure = place.has_figure and kind != "subslide"
    return cells


def choose_kind(block: str, place: Place) -> str:
    """What a block of prose is on the slides."""
    if PREDICTION.search(block) or (place.section == "Exercises" and EXERCISE.match(block)):
        return "subslide" if place.filled else "-"
    if not SHOWN.search(block) or UNFOLDED.match(block) or FOR_READERS.match(block):
        return "notes"
    return "subslide" if place.has_figure else "-"  # a figure needs the room that a slide has


def split_blocks(text: str) -> list[str]:
    """Blocks of Markdown: split at empty lines and after a heading.

    Code in fences, formulas on lines of their own and blocks to unfold stay whole.

    Examples
    --------
    >>> split_blocks("## Title\\n\\nTwo kinds:\\n- one\\n- two\\n\\nA word.")
    ['## Title', 'Two kinds:\\n- one\\n- two', 'A word.']
    """
    blocks, current, until = [], [], None
    for line in text.splitlines():
        if until is None and not line.strip():
            blocks.append(current)
            current = []
            continue
        if until is None and HEADING.match(line):
            blocks += [current, [line]]
            current = []
            continue
        until = closing_mark(line) if until is None else (None if until in line else until)
        current.append(line)
    return ["\n".join(lines) for lines in [*blocks, current] if lines]


def closing_mark(line: str) -> str | None:
    """What ends the block that this line opens, if empty lines may stand in it."""
    stripped = line.strip()
    for opening, closing in (("```", "```"), ("<details", "</details>"), ("$$", "$$")):
        if stripped.startswith(opening) and closing not in stripped[len(opening) :]:
            return closing
    return None


def prose(text: str, kind: str) -> nbformat.NotebookNode:
    """A cell of prose of some kind. What is to be unfolded in a chapter lies open in the speaker's notes."""
    return as_kind(nbformat.v4.new_markdown_cell(UNFOLDED.sub(r"**\1.**\2", text)), kind)


def as_kind(cell: nbformat.NotebookNode, kind: str) -> nbformat.NotebookNode:
    """A copy of a cell with its kind in the metadata that nbconvert reads; a figure's code is left out."""
    if alternative_text(cell):
        return figure_alone(cell, kind)
    copy = nbformat.from_dict(dict(cell))
    copy.metadata = nbformat.from_dict({**cell.metadata, "slideshow": {"slide_type": kind}})
    return copy


def figure_alone(cell: nbformat.NotebookNode, kind: str) -> nbformat.NotebookNode:
    """A copy of a cell with its figures and nothing else; of a cell that did not run, what they would show in words."""
    copy = nbformat.from_dict(dict(cell))
    copy.outputs = [one for one in cell.outputs if any(name.startswith("image/") for name in one.get("data", {}))]
    if not copy.outputs:
        return prose(f"*Figure: {alternative_text(cell)}*", kind)
    copy.metadata = nbformat.from_dict(
        {**cell.metadata, "slideshow": {"slide_type": kind}, "transient": {"remove_source": True}}
    )
    return copy


def alternative_text(cell: nbformat.NotebookNode) -> str:
    """What a figure shows, in words; empty for a cell that draws none."""
    return cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
