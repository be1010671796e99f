"""Slides: every chapter becomes a deck that shows its sections and figures, says its prose, and asks no other host."""

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import pytest

from tools import notebooks, slides
from tools.slide_builder.rule import LEFT_OUT, TAGS, alternative_text, split_blocks, to_slides

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LOADED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}


class Deck(HTMLParser):
    """What a deck consists of: slides, pictures, what it loads, and its text on slides and in notes."""

    def __init__(self, text):
        super().__init__()
        self.depth, self.slides, self.in_notes = 0, 0, False
        self.loaded, self.pictures, self.shown, self.said, self.code = [], [], "", "", ""
        self.inside = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag in LOADED and LOADED[tag] in attributes:
            self.loaded.append(attributes[LOADED[tag]])
        if tag == "img":
            self.pictures.append(attributes)
        if tag == "section":
            self.depth += 1
            self.slides += self.depth == 2
        if tag == "aside":
            self.in_notes = True
        self.inside.append(tag)

    def handle_endtag(self, tag):
        self.depth -= tag == "section"
        self.in_notes = self.in_notes and tag != "aside"
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data):
        if {"script", "style"} & set(self.inside):
            self.code += data
        elif self.in_notes:
            self.said += data
        elif self.depth:
            self.shown += data


def png() -> str:
    figure, ax = plt.subplots(figsize=(1, 1))
    ax.plot([0, 1])
    file = io.BytesIO()
    figure.savefig(file, format="png")
    plt.close(figure)
    return base64.b64encode(file.getvalue()).decode()


def markdown(text, *tags):
    return nbformat.v4.new_markdown_cell(text, metadata={"tags": list(tags)} if tags else {})


def figure_cell(alt, *tags):
    output = nbformat.v4.new_output("display_data", data={"image/png": png(), "text/plain": "<Figure>"})
    stream = nbformat.v4.new_output("stream", text="printed beside the figure")
    metadata = {"mystnb": {"image": {"alt": alt}}} | ({"tags": list(tags)} if tags else {})
    return nbformat.v4.new_code_cell("draw_secret()", outputs=[stream, output], metadata=metadata)


def chapter(*cells):
    return nbformat.v4.new_notebook(cells=[markdown("# A title"), *cells], metadata=notebooks.NOTEBOOK_METADATA)


def deck(*cells) -> Deck:
    return Deck(slides.export(chapter(*cells), "A title"))


def kinds(*cells) -> list[str]:
    return [cell.metadata.slideshow.slide_type for cell in to_slides(chapter(*cells)).cells][1:]


@pytest.mark.parametrize("path", CHAPTERS, ids=[path.stem for path in CHAPTERS])
def test_every_section_and_every_figure_of_a_chapter_is_on_its_slides(path):
    notebook = nbformat.read(path, as_version=4)
    shown = [cell for cell in to_slides(notebook).cells if cell.metadata.slideshow.slide_type not in ("notes", "skip")]
    text = "\n".join(cell.source for cell in shown)
    prose = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    sections = [heading for block in split_blocks(prose) for heading in re.findall(r"\A## (.+)", block)]
    assert len(sections) > 4
    for section in sections:
        assert (f"## {section}" in text) == (section not in LEFT_OUT)
    for cell in notebook.cells:
        if alternative_text(cell):
            assert f"*Figure: {alternative_text(cell)}*" in text


def test_a_deck_of_a_chapter_has_slides_and_notes_and_loads_nothing_from_another_host():
    notebook = nbformat.read(CHAPTERS[0], as_version=4)
    built = Deck(slides.export(notebook, slides.read_title(notebook)))
    assert built.slides > 20
    assert len(built.said.split()) > 300
    assert {"reveal.js/dist/reveal.js", "mathjax/tex-chtml-full.js"} <= set(built.loaded)
    assert not [address for address in built.loaded if re.match(r"(https?:)?//", address)]
    assert not re.search(r"url\(['\"]?(https?:)?//|@import|\bimport\b[^;]*https?:", built.code)


def test_a_figure_is_shown_with_its_description_and_without_its_code():
    built = deck(markdown("## Section"), figure_cell('A line rises; it says "up" & <more>.'))
    (picture,) = built.pictures
    assert picture["alt"] == 'A line rises; it says "up" & <more>.'
    assert picture["src"].startswith("data:image/png;base64,")
    assert "draw_secret" not in built.shown + built.said
    assert "printed beside" not in built.shown
    assert built.slides == 2


def test_prose_is_said_and_lists_tables_formulas_and_predictions_are_shown():
    prediction = "**Before you run the next cell**: what will rise?"
    built = deck(
        markdown(
            "## Section\n\nA long explanation.\n\nIt is two:\n- one\n- two\n\n| a | b |\n|---|---|\n| left | right |"
        ),
        markdown(f"$$\nx^2\n$$\n\n{prediction}"),
        nbformat.v4.new_code_cell("print('code')"),
    )
    for text in ("Section", "It is two", "left", "x^2", "what will rise?"):
        assert text in built.shown
    assert "A long explanation." in built.said
    assert "A long explanation." not in built.shown
    assert "print" not in built.shown + built.said
    assert built.slides == 3


def test_an_exercise_is_shown_its_solution_is_said_and_the_references_are_left_out():
    solution = "<details><summary>Solution</summary>\n\nIt is seven.\n\n</details>"
    built = deck(
        markdown("## Exercises\n\n**1.** How many?"),
        nbformat.v4.new_code_cell("answer = None"),
        markdown(solution),
        markdown("**2.** And then?"),
        markdown("## References\n\n- Somebody (2020)."),
    )
    assert "How many?" in built.shown
    assert "It is seven." in built.said and "It is seven." not in built.shown
    assert "Somebody" not in built.shown + built.said
    assert built.slides == 3


def test_a_list_below_a_figure_begins_a_slide_of_its_own():
    assert kinds(markdown("## Section"), figure_cell("A line."), markdown("- one"), markdown("- two")) == [
        "slide",
        "-",
        "subslide",
        "-",
    ]


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_overrules_the_rule_and_survives_tidying(tag, tmp_path):
    cell = markdown("Some prose.", tag)
    assert kinds(markdown("## Section"), cell) == ["slide", TAGS[tag]]
    assert kinds(markdown("## Section"), figure_cell("A line.", tag))[-1] == TAGS[tag]
    path = tmp_path / "chapter.ipynb"
    nbformat.write(chapter(cell), path)
    path.write_text(notebooks.tidy(path), encoding="utf-8")
    assert nbformat.read(path, as_version=4).cells[1].metadata.tags == [tag]


def test_tags_that_contradict_each_other_are_refused():
    with pytest.raises(ValueError, match=r"tags=\['slide', 'notes'\] say two things"):
        kinds(markdown("Some prose.", "slide", "notes"))


def test_the_folder_of_slides_holds_all_that_they_load(tmp_path):
    package = tmp_path / "npm"
    for name in ("dist/reveal.js", "dist/reveal.css", "dist/theme/white.css", "plugin/notes/notes.js", "LICENSE"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text("")
    source = tmp_path / "00_title.ipynb"
    nbformat.write(chapter(markdown("## Section")), source)
    slides.build([source], tmp_path / "slides", package)
    text = (tmp_path / "slides" / "00_title.html").read_text(encoding="utf-8")
    for name in Deck(text).loaded:
        assert (tmp_path / "slides" / name).is_file()
    assert '<a href="00_title.html">A title</a>' in (tmp_path / "slides" / "index.html").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="build the book first"):
        slides.build([], tmp_path / "slides", package)
