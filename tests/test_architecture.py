"""The package is a staircase: no import runs back up, and the drawing in the book is the one of today's imports."""

import ast
import re
from pathlib import Path

import pytest

from tools import draw_architecture
from tools.draw_architecture import DRAWING, PACKAGE, STEPS, Import, describe, draw, read_imports

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "book" / "architecture.md").read_text(encoding="utf-8")


def test_every_part_of_the_package_is_a_step():
    modules = {path.stem for path in PACKAGE.glob("[a-z]*.py")}
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert set(STEPS) == modules | packages
    assert len(set(STEPS)) == len(STEPS)


def test_no_import_runs_back_up_the_staircase():
    upward = [pair for pair in read_imports() if draw_architecture.runs_upward(pair)]
    assert not upward, "a step may import from those below it; see book/architecture.md"


def test_the_drawing_is_the_one_of_todays_imports():
    assert DRAWING.read_text(encoding="utf-8") == draw(read_imports()), "run `python tools/draw_architecture.py`"


def test_the_page_shows_the_drawing_with_its_description_and_names_every_step():
    (alt,) = re.findall(r"!\[([^\]]+)\]\(_static/architecture\.svg\)", PAGE)
    assert len(alt) > 100
    for step in STEPS:
        assert f"`{step}`" in PAGE, f"book/architecture.md does not say what {step} is for"


def test_the_drawing_has_a_mark_for_each_import_and_a_box_for_each_step():
    text = draw([Import("tables", "metrics", late=False), Import("finetuning", "tables", late=True)])
    assert text.count('r="4.2"') == 2 + 2  # the legend has two
    assert all(f">{step}</text>" in text for step in STEPS)
    assert "Each of 1 imports" in describe([Import("tables", "metrics", late=False)])


@pytest.mark.parametrize(
    "code, expected",
    [
        ("from causalmix_utils.tables import Table", [("tables", False)]),
        ("import causalmix_utils.scm.fitting", [("scm", False)]),
        ("from causalmix_utils import plots, scm", [("plots", False), ("scm", False)]),
        ("def f():\n    from causalmix_utils.tables.table import Table", [("tables", True)]),
        ("if TYPE_CHECKING:\n    from causalmix_utils.tables import Table", []),
        ("import numpy\nfrom causalmix_utils import __version__", []),
    ],
)
def test_imports_are_read_wherever_they_stand(code, expected):
    assert list(draw_architecture._imports_of(ast.parse(code))) == expected
