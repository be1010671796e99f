"""What the book adds to its theme: the foot, how to cite, links within a copy, tidy scripts and labels.

A book of four pages is built with the project's own settings for them.
"""

import hashlib
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import nbformat
import pytest
import yaml

from tools.notebooks import NOTEBOOK_METADATA
from tools.retarget import configured_repository, published_address
from tools.sphinx_extensions import citation

ROOT = Path(__file__).resolve().parents[1]
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["sphinx"]
CFF = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
PUBLISHED = published_address(configured_repository())

SETTINGS = f"""
import sys
sys.path.insert(0, {str(ROOT / "tools" / "sphinx_extensions")!r})
extensions = ["myst_nb", "sphinx_thebe"] + {list(CONFIG["local_extensions"])!r}
html_theme = "sphinx_book_theme"
templates_path = [{str(ROOT / "book" / "_templates")!r}]
nb_execution_mode = "off"
root_doc = "book/index"
"""
CHAPTER = f"""\
# Chapter

A [term]({PUBLISHED}book/model_card.html#the-card), a [page of another build]({PUBLISHED}book/absent.html), and
[somebody else's](https://example.org/book/model_card.html)."""
INDEX = "# Book\n\n```{toctree}\nmodel_card\ncite\n../notebooks/chapter\n```\n"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The text of a built page by its name."""
    folder = tmp_path_factory.mktemp("small_book")
    hidden = nbformat.v4.new_code_cell("1 + 1", metadata={"tags": ["hide-cell"]})
    chapter = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(CHAPTER), hidden])
    chapter.metadata = NOTEBOOK_METADATA
    for name, text in {
        "conf.py": SETTINGS,
        "book/index.md": INDEX,
        "book/model_card.md": "# The card\n",
        "book/cite.md": (ROOT / "book" / "cite.md").read_text(encoding="utf-8").split("The same is in")[0],
        "notebooks/chapter.ipynb": nbformat.writes(chapter),
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", str(folder), str(folder / "html")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("html/*/*.html")}


@pytest.mark.parametrize("name", ["index", "model_card", "cite", "chapter"])
def test_the_foot_of_every_page_says_what_it_was_computed_with(pages, name):
    (foot,) = re.findall(r'<p class="computed-with">(.*)</p>', pages[name])
    for package in ("causalmix-utils", "tabpfn", "torch", "dowhy", "causal-learn"):
        assert f"{package} {version(package)}" in foot
    weights = (ROOT / "causalmix_utils" / "weights" / "nano.safetensors").read_bytes()
    assert f"nano, {hashlib.sha256(weights).hexdigest()[:8]}" in foot


def test_the_foot_leads_to_the_page_on_how_to_cite_from_every_folder(pages):
    assert '<a href="../book/cite.html">How to cite</a>' in pages["chapter"]
    assert '<a href="cite.html">How to cite</a>' in pages["index"]
    assert "book/cite" in (ROOT / "_toc.yml").read_text(encoding="utf-8")


def test_the_page_on_how_to_cite_names_the_works_of_the_citation_file(pages):
    for work in (CFF, *CFF["references"]):
        assert work["title"] in re.sub(r"<[^>]+>", "", pages["cite"])
    assert CFF["repository-code"] in pages["cite"]
    assert "@misc" in pages["cite"]


def test_authors_are_written_as_bibtex_reads_them():
    book, paper = (citation.write_bibtex(work) for work in citation.read_works())
    assert f"author = {{{{{CFF['authors'][0]['name']}}}}}," in book
    assert "author = {Bühler, Magnus and Purucker, Lennart and Hutter, Frank}," in paper
    for entry in (book, paper):
        assert entry.count("{") == entry.count("}")


def test_links_to_the_published_book_lead_to_pages_of_this_copy(pages):
    assert 'href="../book/model_card.html#the-card"' in pages["chapter"]
    assert f"{PUBLISHED}book/absent.html" in pages["chapter"]
    assert "https://example.org/book/model_card.html" in pages["chapter"]


def test_no_script_stands_twice_in_a_page_and_none_names_another_host(pages):
    scripts = re.findall(r"<script[^>]*>.*?</script>", pages["chapter"].partition("</head>")[0], re.DOTALL)
    assert len(scripts) == len(set(scripts)) > 5
    assert not [script for script in scripts if "http" in script]


def test_icons_come_from_a_font_and_not_from_a_large_script_besides(pages):
    assert re.search(r"<link[^>]*fontawesome[^>]*\.css", pages["chapter"])
    assert not re.search(r"<script[^>]*fontawesome|<link[^>]*preload[^>]*fontawesome", pages["chapter"])
    assert "bootstrap.js" in pages["chapter"]


def test_what_a_button_says_is_what_a_screen_reader_reads(pages):
    assert "Show code cell" in pages["chapter"]
    assert "Toggle hidden content" not in pages["chapter"]
    (search,) = re.findall(r"<button[^>]*search-button-field[^>]*>", pages["chapter"])
    assert "aria-label" not in search
