"""A chapter needs nothing but its own file: in an empty folder its first cell brings all that the others use."""

import re
import sys
import sysconfig
from pathlib import Path

import nbformat
import pytest
import yaml
from nbclient.exceptions import CellExecutionError

from tools import run_as_in_colab
from tools.run_as_in_colab import adapt, colab_versions, find_replaced, make_environment, run_alone

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CHAPTER = ROOT / "notebooks" / "01_discovery.ipynb"  # short, and reads stored results
SITE_PACKAGES = Path(sysconfig.get_path("purelib"))


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A fresh environment that lends the packages of this one, but neither the package nor the checkout."""
    folder = tmp_path_factory.mktemp("colab")
    return make_environment(folder, sys.executable, constraints={}, borrow=SITE_PACKAGES)


@pytest.mark.slow
def test_without_its_first_cell_a_chapter_finds_no_package(environment, tmp_path):
    content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import causalmix_utils")])
    nbformat.write(content, tmp_path / "bare.ipynb")
    with pytest.raises(CellExecutionError, match="No module named 'causalmix_utils'"):
        run_alone(tmp_path / "bare.ipynb", environment)


@pytest.mark.slow
def test_a_chapter_alone_in_an_empty_folder_installs_the_package_and_runs(environment):
    where = run_alone(CHAPTER, environment)
    assert Path(where).is_relative_to(environment.folder.resolve())
    assert not Path(where).is_relative_to(ROOT)


@pytest.mark.slow
def test_a_replaced_package_is_found_and_named(environment):
    (row,) = find_replaced(environment, {"pip": "1.0"})
    assert re.fullmatch(r"pip \(1\.0 by \d\S*\)", row)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_no_address_of_the_published_repository_is_left_when_a_chapter_is_tried(path):
    content = nbformat.read(path, as_version=4)
    adapt(content, wheel=Path("/wheels/package.whl"), address="http://127.0.0.1:1")
    code = "\n".join(cell.source for cell in content.cells if cell.cell_type == "code")
    assert '"causalmix-utils @ file:///wheels/package.whl"' in code or "] @ file:///wheels/package.whl" in code
    assert "https://github.com" not in code
    assert 'profile = "smoke"' in code


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_a_file_of_the_book_has_an_address_for_colab_wherever_a_chapter_names_it(path):
    code = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code")
    if "../book" in code:
        assert "/raw/main/book/results" in code
    assert not re.search(r"[\"']\.\./(?!book/results)", code), (
        "a path that does not exist where the chapter comes alone"
    )


def test_the_versions_that_must_stay_leave_out_what_is_known_to_be_replaced():
    versions = colab_versions(ROOT / "tests" / "colab_versions.txt")
    assert {"numpy", "pandas", "scikit-learn", "torch"} <= set(versions)
    assert not run_as_in_colab.REPLACED_IN_COLAB & set(versions)


def test_the_weekly_job_tries_every_chapter_in_todays_versions_of_colab():
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "weekly.yml").read_text(encoding="utf-8"))["jobs"]
    commands = "\n".join(step.get("run", "") for step in jobs["colab"]["steps"])
    (call,) = re.findall(r"tools/run_as_in_colab\.py.*", commands)
    assert "--constraints" in call
    assert ".ipynb" not in call and "--borrow" not in call
