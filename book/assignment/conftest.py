"""Points for the tests of the assignment: each is marked with what it is worth, and the sum is printed at the end."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_addoption(parser):
    group = parser.getgroup("assignment")
    group.addoption("--assignment", default=str(HERE / "assignment.py"), metavar="FILE", help="the file to grade")
    group.addoption("--grade", metavar="FILE.json", help="also write the points here")


def pytest_configure(config):
    config.addinivalue_line("markers", "points(number): what a test of the assignment is worth")


@pytest.fixture(scope="session")
def student(request):
    """The module to grade, freshly imported from its file."""
    path = Path(request.config.getoption("--assignment")).resolve()
    if not path.is_file():
        pytest.fail(f"there is no file {path.name} to grade: name it with --assignment", pytrace=False)
    spec = importlib.util.spec_from_file_location("graded_assignment", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    marker = item.get_closest_marker("points")
    if (
        marker is not None
        and report.when == "call"
        or (marker is not None and report.when == "setup" and report.failed)
    ):
        report.points = (item.name.removeprefix("test_"), marker.args[0] if report.passed else 0, marker.args[0])


def pytest_terminal_summary(terminalreporter, config):
    reports = [report for kind in terminalreporter.stats.values() for report in kind if hasattr(report, "points")]
    grades = sorted(report.points for report in reports)
    if not grades:
        return
    terminalreporter.section("points")
    for name, earned, possible in grades:
        terminalreporter.line(f"{earned} of {possible}  {name}")
    earned, possible = (sum(grade[place] for grade in grades) for place in (1, 2))
    terminalreporter.line(f"{earned} of {possible}  in all")
    if config.getoption("--grade"):
        tests = {name: {"earned": earned, "possible": possible} for name, earned, possible in grades}
        content = {"earned": earned, "possible": possible, "tests": tests}
        Path(config.getoption("--grade")).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
