"""The book's structure: contents and files agree, notebooks are clean, portable and complete, addresses agree."""

import ast
import json
import re
import tomllib
from collections import Counter
from pathlib import Path

import nbformat
import pytest
import yaml

from tools import measure_chapters
from tools.notebooks import tidy
from tools.retarget import configured_repository, files, own_addresses, published_address

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
REPOSITORY = configured_repository()
BRANCH = CONFIG["repository"]["branch"]

CLOSING = ["Takeaways", "Quiz", "Exercises", "References"]
LARGEST_NOTEBOOK = 200_000  # bytes, without outputs
LARGEST_FILE = 8_000_000

MYST_ONLY = {
    "a directive": re.compile(r"^\s*(:::+|```+|~~~+)\s*\{", re.MULTILINE),
    "a role": re.compile(r"\{[a-z][a-z:+-]*\}`"),
    "a target": re.compile(r"^\([\w-]+\)=\s*$", re.MULTILINE),
    "a comment": re.compile(r"^%\s", re.MULTILINE),
    "a substitution": re.compile(r"\{\{.*?\}\}"),
}

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])


def toc_entries() -> list[str]:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]


def cells(path: Path, kind: str) -> list:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def tagged(path: Path, tag: str) -> list:
    return [cell for cell in cells(path, "code") if tag in cell.metadata.get("tags", [])]


def prose(path: Path) -> str:
    return "\n\n".join(cell.source for cell in cells(path, "markdown"))


def test_every_entry_of_the_contents_is_a_file():
    entries = toc_entries()
    missing = [
        entry for entry in entries if not any((ROOT / entry).with_suffix(end).is_file() for end in (".md", ".ipynb"))
    ]
    assert not missing
    assert len(set(entries)) == len(entries)


def test_every_page_and_notebook_is_in_the_contents():
    pages = [*ROOT.glob("book/*.md"), *ROOT.glob("notebooks/*")]
    files_of_the_book = {str(path.relative_to(ROOT).with_suffix("")) for path in pages if not path.name.startswith(".")}
    assert files_of_the_book <= set(toc_entries())


def test_chapters_are_in_the_order_of_their_numbers():
    chapters = [entry for entry in toc_entries() if entry.startswith("notebooks/")]
    assert chapters == sorted(chapters)
    assert len(chapters) >= 6


@each_notebook
def test_a_notebook_holds_no_outputs_and_no_editor_metadata(path):
    assert path.read_text(encoding="utf-8") == tidy(path), "run `make format`"


@each_notebook
def test_a_notebook_is_small(path):
    assert path.stat().st_size < LARGEST_NOTEBOOK


@each_notebook
def test_one_cell_sets_the_profile_to_book_and_nothing_else(path):
    (cell,) = tagged(path, "parameters")
    (assignment,) = ast.parse(cell.source).body
    assert ast.unparse(assignment) == "profile = 'book'"


@each_notebook
def test_the_prose_of_a_notebook_renders_outside_of_the_book(path):
    for cell in cells(path, "markdown"):
        outside_code = re.sub(r"(?<!`)`[^`\n]+`(?!`)", "``", cell.source)
        for what, pattern in MYST_ONLY.items():
            text = cell.source if what == "a role" else outside_code
            assert not pattern.search(text), f"{what} of MyST, which Colab shows as text:\n{cell.source}"


@each_notebook
def test_the_cost_in_the_opening_box_is_the_measured_one_and_within_the_limits(path):
    measured = json.loads(measure_chapters.STORED.read_text(encoding="utf-8"))[path.stem]
    assert measure_chapters.describe(measured) in nbformat.read(path, as_version=4).cells[1].source
    assert measured["book"]["seconds"] <= 180 and measured["smoke"]["seconds"] <= 45
    assert max(measured[profile]["memory_gb"] for profile in measure_chapters.PROFILES) <= 2


@each_notebook
def test_no_sentence_stands_twice_in_a_cell(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            sentences = re.split(r"(?<=[.!?])\s+|\n", cell.source)
            counts = Counter(sentence.strip() for sentence in sentences if len(sentence.strip()) > 25)
            assert not [sentence for sentence, count in counts.items() if count > 1]


@each_notebook
def test_a_chapter_opens_with_a_title_a_badge_and_what_to_expect(path):
    first, second = nbformat.read(path, as_version=4).cells[:2]
    assert first.source.startswith("# ")
    badge = f"(https://colab.research.google.com/github/{REPOSITORY}/blob/{BRANCH}/notebooks/{path.name})"
    assert f"[![Open in Colab](../book/_static/open-in-colab.svg)]{badge}" in first.source
    positions = [second.source.find(name) for name in ("What you will learn", "What you need", "Time and memory")]
    assert -1 not in positions
    assert positions == sorted(positions)
    assert "…" not in second.source, "fill in the frame"


@each_notebook
def test_a_chapter_has_one_title_and_closes_with_takeaways_quiz_exercises_and_references(path):
    headings = re.findall(r"^(#{1,2}) (.+)$", re.sub(r"```.*?```", "", prose(path), flags=re.DOTALL), re.MULTILINE)
    assert [level for level, _ in headings].count("#") == 1
    assert [text for _, text in headings[-len(CLOSING) :]] == CLOSING


@each_notebook
def test_a_chapter_asks_for_predictions_names_mistakes_and_has_four_exercises(path):
    text = prose(path)
    asked = re.findall(r"\*\*Before you (?:run|look|go|read)\b", text)
    assert len(asked) >= 3, "let readers say what they expect before they see it"
    assert "\n\n## Common mistakes\n" in text
    exercises = text[text.index("## Exercises") :]
    numbers = [int(number) for number in re.findall(r"^\*\*(\d+)\.", exercises, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 4


@pytest.mark.parametrize("chapter", ["00", "04"])
def test_the_weights_are_a_field_to_choose_from_in_colab_and_nothing_is_fetched_by_default(chapter):
    (path,) = (path for path in NOTEBOOKS if path.stem.startswith(chapter))
    chosen = [cell.source.partition("\n")[0] for cell in cells(path, "code") if cell.source.startswith("weights = ")]
    assert chosen == ['weights = "nano"  # @param ["nano", "tabpfn-v2"]']


@each_notebook
def test_an_exercise_checks_itself_and_has_a_solution_to_unfold(path):
    all_cells = nbformat.read(path, as_version=4).cells
    (start,) = [i for i, cell in enumerate(all_cells) if cell.source.startswith("## Exercises")]
    code = "\n".join(cell.source for cell in all_cells[start:] if cell.cell_type == "code")
    text = "\n".join(cell.source for cell in all_cells[start:] if cell.cell_type == "markdown")
    hidden = [cell for cell in all_cells[start:] if "hide-cell" in cell.metadata.get("tags", [])]
    assert re.search(r"\bcheck_\w+\(", code), "no exercise checks an answer"
    assert "<details>" in text or hidden, "no solution to unfold"
    assert text.count("<details>") == text.count("</details>") == text.count("<summary>")


@each_notebook
def test_the_first_code_cell_installs_the_package_in_colab_and_only_there(path):
    cell = cells(path, "code")[0]
    assert {"install", "hide-cell"} <= set(cell.metadata.get("tags", []))
    lines = cell.source.splitlines()
    condition = lines.index('if "google.colab" in sys.modules:')
    installs = [i for i, line in enumerate(lines) if "pip install" in line]
    assert installs
    for i in installs:
        assert i > condition
        assert lines[i].startswith("    %pip install -q ")
    assert re.search(rf'"causalmix-utils(\[[a-z,]+\])? @ git\+https://github\.com/{REPOSITORY}"', cell.source)


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_address_of_the_repository_agrees_with_the_settings(path):
    expected = {REPOSITORY, published_address(REPOSITORY)}
    assert own_addresses(path.read_text(encoding="utf-8")) <= expected, "run `make retarget`"


def test_the_readme_links_to_every_chapter_in_colab():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for path in NOTEBOOKS:
        assert f"https://colab.research.google.com/github/{REPOSITORY}/blob/{BRANCH}/notebooks/{path.name}" in text


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "book/how_to_use.md"])
def test_every_command_that_a_page_names_is_in_the_makefile(name):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = (ROOT / name).read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`|\$ )make ([a-z]+)\b", text))
    assert named
    assert named <= targets


def test_continuous_integration_runs_the_test_command_of_the_readme():
    commands = [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line and not line.startswith("#")]
    assert commands[-1] == "make test"
    assert "make test" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_reference_page_names_every_module_of_the_package():
    page = (ROOT / "book" / "api.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"automodule:: causalmix_utils\.(\w+)", page))
    modules = {path.stem for path in (ROOT / "causalmix_utils").glob("[a-z]*.py")}
    packages = {path.parent.name for path in (ROOT / "causalmix_utils").glob("*/__init__.py")}
    assert documented == (modules | packages) - {"cli"}


def test_no_file_of_the_book_is_large():
    folders = ("book", "notebooks", "causalmix_utils")
    large = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.stat().st_size > LARGEST_FILE]
    assert not large


def test_figures_in_pages_have_alternative_text():
    for path in [ROOT / "README.md", *ROOT.glob("book/*.md"), *NOTEBOOKS]:
        assert "![](" not in path.read_text(encoding="utf-8"), f"{path.name} has an image without alternative text"


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")), ids=lambda path: path.stem
)
def test_an_issue_template_is_a_form_with_questions(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    if path.stem == "config":
        assert all({"name", "url", "about"} == set(link) for link in form["contact_links"])
        return
    assert {"name", "description", "body"} <= set(form)
    ids = [field["id"] for field in form["body"]]
    assert len(set(ids)) == len(ids)
    assert any(field.get("validations", {}).get("required") for field in form["body"])
    assert all(field["attributes"]["label"] for field in form["body"])


def test_the_citation_names_the_version_and_the_licence_of_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(citation)
    assert str(citation["version"]) == project["version"]
    assert citation["license"] == project["license"]
    assert citation["repository-code"] == f"https://github.com/{REPOSITORY}"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", citation["date-released"])


def test_the_changelog_has_a_section_for_what_is_not_released_and_one_for_the_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    unreleased, released = (text.find(f"\n## {name}\n") for name in ("Unreleased", describe_release(citation)))
    assert 0 < unreleased < released


def describe_release(citation):
    return f"{citation['version']} ({citation['date-released']})"


def test_contributing_has_a_checklist_for_each_kind_of_addition():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    sections = {part.partition("\n")[0]: part for part in text.split("\n## ")[1:]}
    for what in ("Add a generator", "Add a table", "Add an exercise or a quiz question", "Add a chapter"):
        assert sections[what].count("- [ ] ") >= 5


def test_files_that_contributing_names_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`(?:\.venv/bin/python )?((?:tests|tools|book|benchmarks|causalmix_utils)/[\w./*-]*)", text)
    missing = [name for name in named if not list(ROOT.glob(name))]
    assert len(named) > 10
    assert not missing
