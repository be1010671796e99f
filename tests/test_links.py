"""Links within the book and the repository lead somewhere, down to the anchor. External ones are tried every week."""

import re
from pathlib import Path

import nbformat
import pytest
import yaml
from docutils.nodes import make_id

from tools.retarget import configured_repository, published_address

ROOT = Path(__file__).resolve().parents[1]
BASE = published_address(configured_repository())
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
BOOK_PAGES = sorted((ROOT / "book").glob("*.md"))
OTHER_PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob(".github/**/*.md"), ROOT / "book" / "assignment" / "README.md"])
SOURCES = sorted((ROOT / "causalmix_utils").rglob("*.py"))
PAGES = [*NOTEBOOKS, *BOOK_PAGES, *OTHER_PAGES]

# Pages of which Sphinx writes the text, so that their anchors are not in the source.
WRITTEN_BY_SPHINX = {"book/api"}

each_page = pytest.mark.parametrize("path", PAGES, ids=[str(path.relative_to(ROOT)) for path in PAGES])


def toc_entries() -> set[str]:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return {toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])}


def read(path: Path) -> str:
    """The prose of a page or of a notebook, without its blocks of code."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = nbformat.reads(text, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return re.sub(r"^```(?!\{).*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def find_page(entry: str) -> Path | None:
    files = [ROOT / f"{entry}{end}" for end in (".md", ".ipynb")]
    return next((path for path in files if path.is_file()), None)


def anchors(page: Path) -> set[str]:
    """What a link to the page can end with after its #."""
    text = read(page)
    targets = set(re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE))
    headings = {make_id(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    return targets | headings | {f"term-{make_term_id(term)}" for term in terms(text)}


def terms(text: str) -> set[str]:
    glossary = re.findall(r":::\{glossary\}\n(.*?)\n:::", text, re.DOTALL)
    return {term for block in glossary for term in re.findall(r"^(\S.*)$", block, re.MULTILINE)}


def make_term_id(term: str) -> str:
    # Sphinx keeps capital letters in the anchors of glossary terms.
    return re.sub(r"[^A-Za-z0-9.]+", "-", term).strip("-")


def broken_links_to_the_book(text: str) -> list[str]:
    """Addresses of the published book in a text that no page or no anchor answers to."""
    broken = []
    for page, anchor in re.findall(rf"{re.escape(BASE)}([\w/]+)\.html(?:#([\w.-]+))?", text):
        path = find_page(page) if page in toc_entries() else None
        known = path is not None and (not anchor or page in WRITTEN_BY_SPHINX or anchor in anchors(path))
        if not known:
            broken.append(f"{page}#{anchor}")
    return broken


def broken_links_to_files(path: Path, text: str) -> list[str]:
    """Relative links of a text at a place that no file or no anchor answers to."""
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


@each_page
def test_links_to_the_published_book_lead_somewhere(path):
    assert not broken_links_to_the_book(read(path))


@each_page
def test_links_to_files_of_the_repository_lead_somewhere(path):
    assert not broken_links_to_files(path, read(path))


@pytest.mark.parametrize("path", BOOK_PAGES, ids=[path.name for path in BOOK_PAGES])
def test_roles_name_pages_targets_and_terms_that_exist(path):
    text = read(path)
    everything = "\n".join(read(page) for page in BOOK_PAGES)
    targets, known = set(re.findall(r"^\(([\w-]+)\)=$", everything, re.MULTILINE)), terms(everything)
    for role, content in re.findall(r"\{(doc|ref|term)\}`([^`]+)`", text):
        name = re.sub(r"^.*<(.+)>$", r"\1", content, flags=re.DOTALL)
        if role == "doc":
            place = (path.parent / name).resolve().relative_to(ROOT)
            assert find_page(str(place)), f"{path.name} names the page {name}"
        else:
            assert name in (targets if role == "ref" else known), f"{path.name} names {role} {name!r}"


def test_addresses_of_the_book_in_the_package_lead_somewhere():
    broken = {path.name: broken_links_to_the_book(path.read_text(encoding="utf-8")) for path in SOURCES}
    assert not {name: links for name, links in broken.items() if links}


def test_pages_link_to_the_glossary_the_references_and_each_other():
    text = "\n".join(read(path) for path in NOTEBOOKS)
    for start in ("book/glossary.html#term-", "book/references.html#ref-", "notebooks/0"):
        assert text.count(BASE + start) > 20


@pytest.mark.parametrize(
    "link",
    ["book/glossary.html#term-nonsense", "book/nowhere.html", "notebooks/01_discovery.html#no-such-section"],
)
def test_a_broken_link_to_the_book_is_found(link):
    assert broken_links_to_the_book(f"[here]({BASE}{link})")


def test_a_link_to_a_section_of_a_chapter_and_to_a_term_is_accepted():
    text = f"{BASE}notebooks/01_discovery.html#takeaways {BASE}book/glossary.html#term-CPDAG"
    assert broken_links_to_the_book(text) == []


def test_a_broken_link_to_a_file_is_found():
    assert broken_links_to_files(ROOT / "README.md", "[a](book/nowhere.md) [b](CONTRIBUTING.md#no-such-section)") == [
        "book/nowhere.md",
        "CONTRIBUTING.md#no-such-section",
    ]
