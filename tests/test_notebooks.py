"""Every chapter runs in the smoke profile, and the book builds from what the runs show, warnings being errors.

Each notebook is executed once; the tests share the executed copy. `make test` distributes whole files, so that
one worker runs all of this while the other runs the rest of the suite (see conftest.py).
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
import papermill
import pytest
import yaml
from traitlets.config import Config

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES_AND_SETTINGS = ("_config.yml", "_toc.yml", "MODEL_CARD.md", "book")

# Seconds that a single cell may take before the run is given up as hanging.
CELL_TIMEOUT = 300

# What a browser fetches without a click. Ordinary links are not among them.
LOADED_FROM_ELSEWHERE = re.compile(
    r"<(?:script|img|iframe|source|video)\b[^>]*\ssrc=\"(?:https?:)?//[^\"]*\""
    r"|<link\b[^>]*rel=\"(?:stylesheet|preload|icon)\"[^>]*href=\"(?:https?:)?//[^\"]*\""
    r"|<link\b[^>]*href=\"(?:https?:)?//[^\"]*\"[^>]*rel=\"(?:stylesheet|preload|icon)\""
)

pytestmark = pytest.mark.slow
each_notebook = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])


@pytest.fixture(scope="module")
def kernel_environment(tmp_path_factory):
    """Make the kernel `python3` the interpreter that runs the tests, whatever else is installed."""
    folder = tmp_path_factory.mktemp("jupyter")
    spec = folder / "kernels" / "python3"
    spec.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": command, "display_name": "Python 3", "language": "python"}))
    settings = {"JUPYTER_PATH": str(folder), "OMP_NUM_THREADS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def execute(kernel_environment, tmp_path_factory):
    """A function that executes a notebook in the smoke profile, once, and returns the path of the result."""
    folder = tmp_path_factory.mktemp("executed")
    # Sockets in the file system: no port can be taken twice, no network device is needed. Their paths must be short.
    sockets = tempfile.TemporaryDirectory(prefix="kernel")
    transport = Config({"KernelManager": {"transport": "ipc", "ip": f"{sockets.name}/k"}})

    def run(notebook: Path) -> Path:
        target = folder / notebook.name
        if not target.exists():
            unfinished = target.with_suffix(".unfinished.ipynb")
            papermill.execute_notebook(
                notebook,
                unfinished,
                parameters={"profile": "smoke"},
                kernel_name="python3",
                cwd=notebook.parent,
                progress_bar=False,
                execution_timeout=CELL_TIMEOUT,
                config=transport,
            )
            unfinished.rename(target)
        return target

    with sockets:
        yield run


def code_cells(path: Path) -> list:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def images(cell) -> list[str]:
    bundles = [output.data for output in cell.outputs if "data" in output]
    return [kind for bundle in bundles for kind in bundle if kind.startswith("image/")]


def alternative_text(cell) -> str:
    return cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")


def test_there_are_chapters():
    assert NOTEBOOKS, "notebooks/ holds no chapter"


@each_notebook
def test_a_chapter_runs_in_the_smoke_profile(execute, notebook):
    cells = code_cells(execute(notebook))
    injected = [i for i, cell in enumerate(cells) if "injected-parameters" in cell.metadata.get("tags", [])]
    declared = [i for i, cell in enumerate(cells) if "parameters" in cell.metadata.get("tags", [])]
    assert injected == [declared[0] + 1]
    assert 'profile = "smoke"' in cells[injected[0]].source


@each_notebook
def test_a_chapter_shows_no_warnings(execute, notebook):
    for cell in code_cells(execute(notebook)):
        noise = [output.text for output in cell.outputs if output.get("name") == "stderr"]
        assert not noise, f"this cell writes to stderr:\n{cell.source}\n{''.join(noise)}"


@each_notebook
def test_every_figure_has_alternative_text_and_nothing_else_has(execute, notebook):
    for cell in code_cells(execute(notebook)):
        if images(cell):
            assert len(alternative_text(cell)) >= 20, f"describe the figure of this cell:\n{cell.source}"
            assert len(images(cell)) == 1, f"one text cannot describe two figures; split this cell:\n{cell.source}"
        else:
            assert not alternative_text(cell), f"this cell has alternative text but no figure:\n{cell.source}"


@each_notebook
def test_a_chapter_shows_at_least_two_figures(execute, notebook):
    assert sum(len(images(cell)) for cell in code_cells(execute(notebook))) >= 2


@pytest.fixture(scope="module")
def built_book(execute, tmp_path_factory):
    """The folder of the book's pages, built from the executed notebooks."""
    site = tmp_path_factory.mktemp("site")
    for name in PAGES_AND_SETTINGS:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, site / name)
    (site / "notebooks").mkdir()
    for notebook in NOTEBOOKS:
        write_without_injected_cell(execute(notebook), site / "notebooks" / notebook.name)
    settings = yaml.safe_load((site / "_config.yml").read_text(encoding="utf-8"))
    settings["execute"]["execute_notebooks"] = "off"
    extensions = settings["sphinx"].get("local_extensions", {})  # their folders are relative to the settings
    settings["sphinx"]["local_extensions"] = {name: str(ROOT / folder) for name, folder in extensions.items()}
    (site / "_config.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    build(site)
    return site / "_build" / "html"


def write_without_injected_cell(source: Path, target: Path) -> None:
    notebook = nbformat.read(source, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    nbformat.write(notebook, target)


def build(site: Path) -> None:
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
    command += ["build", str(site), "-W", "-n", "--keep-going"]
    result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    complaints = [line for line in (result.stdout + result.stderr).splitlines() if "WARNING" in line or "ERROR" in line]
    assert result.returncode == 0, "\n".join(complaints) or result.stderr


def toc_entries() -> list[str]:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]


def test_the_book_has_a_page_for_every_entry_of_its_contents(built_book):
    missing = [entry for entry in toc_entries() if not (built_book / f"{entry}.html").is_file()]
    assert not missing


def test_the_book_loads_nothing_from_elsewhere(built_book):
    for page in built_book.rglob("*.html"):
        found = LOADED_FROM_ELSEWHERE.findall(page.read_text(encoding="utf-8"))
        assert not found, f"{page.name} loads {found[0]}"


def test_the_pages_of_the_book_show_the_alternative_texts(built_book, execute):
    for notebook in NOTEBOOKS:
        page = (built_book / "notebooks" / f"{notebook.stem}.html").read_text(encoding="utf-8")
        shown = len(re.findall(r"<img\b[^>]*\balt=\"[^\"]{20,}\"", page))
        assert shown >= sum(len(images(cell)) for cell in code_cells(execute(notebook)))


def test_the_book_sets_its_formulas_by_itself(built_book):
    page = (built_book / "book" / "glossary.html").read_text(encoding="utf-8")
    (script,) = re.findall(r"<script[^>]*src=\"([^\"]*mathjax[^\"?]*)", page)
    assert (built_book / "book" / script).is_file()
