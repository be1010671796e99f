"""The maintainers' tools: pointing the book to a fork, forgetting stale outputs, tidying notebooks."""

import doctest
import importlib
import json
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from PIL import Image

from causalmix_utils.benchmark import read_benchmark
from tools import clear_stale_outputs, draw_result, measure_chapters, notebooks, retarget

ROOT = Path(__file__).resolve().parents[1]

SCRIPTS = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for folder in ("benchmarks", "tools")
    for path in (ROOT / folder).rglob("*.py")
    if "    >>> " in path.read_text(encoding="utf-8")
)

OWN = """\
git clone https://github.com/old/book
%pip install -q "causalmix-utils[ctgan] @ git+https://github.com/old/book"
(https://colab.research.google.com/github/old/book/blob/main/notebooks/01_discovery.ipynb)
stored = "https://github.com/old/book/raw/main/book/results"
https://old.github.io/book/book/glossary.html#term-zero-shot
repository-code: "https://github.com/old/book"
[assignment](https://github.com/old/book/tree/main/book/assignment)
"""
FOREIGN = """\
git+https://github.com/somebody/else
https://github.com/googlecolab/backend-info
https://tabarena.github.io/leaderboard/index.html
https://colab.research.google.com/github/other/repo/blob/main/examples/a.ipynb
"""


def test_every_address_of_the_repository_is_replaced_and_no_other():
    text = retarget.retarget(OWN + FOREIGN, "new-owner/new.name")
    assert "old" not in text
    assert text.endswith(FOREIGN)
    assert retarget.own_addresses(text) == {"new-owner/new.name", "https://new-owner.github.io/new.name/"}


def test_pointing_somewhere_else_and_back_restores_the_text():
    there = retarget.retarget(OWN + FOREIGN, "new-owner/new.name")
    assert retarget.retarget(there, "old/book") == OWN + FOREIGN


def test_a_repository_of_personal_pages_is_served_without_a_folder():
    text = retarget.retarget(OWN, "reader/reader.github.io")
    assert "https://reader.github.io/book/glossary.html" in text
    assert retarget.retarget(text, "old/book") == OWN


@pytest.fixture
def copy_of_the_book(tmp_path, monkeypatch):
    for name in ("_config.yml", "README.md", "CITATION.cff", "MODEL_CARD.md"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "book", tmp_path / "book", ignore=shutil.ignore_patterns("_static", "results"))
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    monkeypatch.setattr(retarget, "ROOT", tmp_path)
    return tmp_path


def test_a_fork_changes_the_settings_and_every_file_at_once(copy_of_the_book, monkeypatch):
    before = retarget.configured_repository()
    monkeypatch.setattr("sys.argv", ["retarget.py", "reader/fork"])
    retarget.main()
    assert retarget.configured_repository() == "reader/fork"
    for path in retarget.files():
        assert before not in path.read_text(encoding="utf-8")
    for path in copy_of_the_book.glob("notebooks/*.ipynb"):
        nbformat.validate(nbformat.read(path, as_version=4))


@pytest.mark.parametrize("wrong", ["book", "a/b/c", "https://github.com/a/b", "a b/c"])
def test_what_is_not_a_repository_is_refused_and_nothing_changes(copy_of_the_book, monkeypatch, wrong):
    before = (copy_of_the_book / "_config.yml").read_text(encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["retarget.py", wrong])
    with pytest.raises(SystemExit, match=re.escape(f"REPO must be owner/name, got {wrong!r}")):
        retarget.main()
    assert (copy_of_the_book / "_config.yml").read_text(encoding="utf-8") == before


@pytest.fixture
def small_build(tmp_path, monkeypatch):
    """A project with one module and one result, executed once."""
    monkeypatch.setattr(clear_stale_outputs, "ROOT", tmp_path)
    monkeypatch.setattr(clear_stale_outputs, "BUILD", tmp_path / "_build")
    monkeypatch.setattr(clear_stale_outputs, "FINGERPRINT", tmp_path / "_build" / "computed-with.txt")
    for name in ("causalmix_utils/module.py", "book/results/run.json", "book/index.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("before")
    clear_stale_outputs.main()
    (tmp_path / "_build" / ".jupyter_cache").mkdir()
    return tmp_path


@pytest.mark.parametrize("changed", ["causalmix_utils/module.py", "book/results/run.json"])
def test_executed_chapters_are_forgotten_when_what_they_compute_with_changes(small_build, changed):
    (small_build / changed).write_text("after")
    clear_stale_outputs.main()
    assert not (small_build / "_build" / ".jupyter_cache").exists()


def test_executed_chapters_are_forgotten_when_a_module_is_added(small_build):
    (small_build / "causalmix_utils" / "new.py").write_text("")
    clear_stale_outputs.main()
    assert not (small_build / "_build" / ".jupyter_cache").exists()


def test_executed_chapters_are_forgotten_when_a_package_is_installed(small_build, monkeypatch):
    about = small_build / "site" / "new_package-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: new-package\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(about.parent)
    clear_stale_outputs.main()
    assert not (small_build / "_build" / ".jupyter_cache").exists()


def test_executed_chapters_are_kept_when_only_prose_changes(small_build):
    (small_build / "book" / "index.md").write_text("after")
    (small_build / "causalmix_utils" / "__pycache__").mkdir()
    (small_build / "causalmix_utils" / "__pycache__" / "module.pyc").write_text("")
    clear_stale_outputs.main()
    assert (small_build / "_build" / ".jupyter_cache").exists()


def test_tidying_removes_what_a_run_leaves_and_keeps_what_a_writer_set(tmp_path):
    path = tmp_path / "notebook.ipynb"
    cell = nbformat.v4.new_code_cell("1 + 1", metadata={"tags": ["hide-cell"], "collapsed": True})
    cell.outputs = [nbformat.v4.new_output("stream", text="2")]
    cell.execution_count = 7
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata={"colab": {"provenance": []}}), path)
    tidied = json.loads(notebooks.tidy(path))
    assert tidied["cells"][0] | {"id": ""} == {
        "cell_type": "code",
        "execution_count": None,
        "id": "",
        "metadata": {"tags": ["hide-cell"]},
        "outputs": [],
        "source": ["1 + 1"],
    }
    assert "colab" not in tidied["metadata"]
    path.write_text(json.dumps(tidied))
    assert json.loads(notebooks.tidy(path)) == tidied


def test_a_new_chapter_has_the_frame_and_is_tidy(tmp_path):
    path = tmp_path / "06_new.ipynb"
    notebooks.write_frame(path, "A new chapter")
    assert path.read_text(encoding="utf-8") == notebooks.tidy(path)
    tags = [cell.metadata.get("tags", []) for cell in nbformat.read(path, as_version=4).cells]
    assert ["install", "hide-cell"] in tags
    assert ["parameters"] in tags
    with pytest.raises(SystemExit, match="exists already"):
        notebooks.write_frame(path, "Another")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "10 seconds"), (44, "40 seconds"), (62, "60 seconds"), (80, "1.5 minutes"), (118, "2 minutes")],
)
def test_seconds_are_said_in_words_that_a_reader_remembers(seconds, words):
    assert measure_chapters.say_seconds(seconds) == words


def test_the_time_of_a_chapter_is_stamped_into_its_opening_box_and_nothing_else_changes(tmp_path, monkeypatch):
    source = ROOT / "notebooks" / "01_discovery.ipynb"
    chapter = tmp_path / source.name
    shutil.copy(source, chapter)
    costs = {"book": {"seconds": 118.0, "memory_gb": 1.26}, "smoke": {"seconds": 21.0, "memory_gb": 0.5}}
    stored = tmp_path / "chapter_times.json"
    stored.write_text(json.dumps({chapter.stem: costs | {"measured_at": "2030-01-02T03:04:05+00:00"}}))
    monkeypatch.setattr(measure_chapters, "STORED", stored)
    measure_chapters.stamp(chapter)
    before, after = (nbformat.read(path, as_version=4).cells for path in (source, chapter))
    changed = [place for place, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]]
    assert changed == [1]
    sentence = (
        "**Time and memory:** about 2 minutes of one processor core and 1.3 GB in the `book` profile, 20 seconds in "
        "`smoke` (measured on 2030-01-02)."
    )
    assert sentence in after[1].source
    assert after[1].source.replace(sentence, "") == measure_chapters.SENTENCE.sub("", before[1].source)
    once = chapter.read_text()
    measure_chapters.stamp(chapter)
    assert chapter.read_text() == once


def test_the_picture_of_the_readme_is_drawn_from_the_stored_results():
    """After an export: python tools/draw_result.py"""
    stored = read_benchmark(ROOT / "book" / "results", least_tables=draw_result.LEAST_TABLES)
    with Image.open(draw_result.PICTURE) as picture:
        assert picture.text["Source"] == f"{stored.name}, exported at {stored.provenance['exported_at']}"


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_examples_in_scripts_are_right(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0 and result.failed == 0
