"""What judges the pages that a browser read, and the report of the last run. `make browser` runs the checks."""

import json
import re
from pathlib import Path

import pytest

from tools.browser_checks import page, report, site
from tools.browser_checks.views import VIEWS

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / "tools" / "browser_checks"
GOOD = {
    "excess": 0,
    "wide": [],
    "headings": [[1, "Title"], [2, "Section"], [3, "Part"], [2, "Section"]],
    "unnamed": [],
    "broken": [],
    "formulas": 2,
    "set": 3,
    "formulaErrors": [],
}


def test_a_good_page_has_no_problem():
    assert page.layout_problems(GOOD, VIEWS[0]) == []


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"excess": 12, "wide": ["<table>"]}, "overflow"),
        ({"headings": [[1, "Title"], [3, "Part"]]}, "heading order"),
        ({"headings": [[2, "Section"]]}, "heading order"),
        ({"headings": [[1, "Title"], [1, "Title"]]}, "heading order"),
        ({"unnamed": ["<img>"]}, "image without alt"),
        ({"broken": ["a.png"]}, "image that does not load"),
        ({"set": 1}, "formula not set"),
        ({"formulaErrors": ["Undefined control sequence"]}, "formula with an error"),
    ],
)
def test_what_is_wrong_with_a_page_is_named(changed, rule):
    assert [name for name, _ in page.layout_problems(GOOD | changed, VIEWS[1])] == [rule]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ("http://127.0.0.1:80/a.css", False),
        ("data:image/png;base64,AA", False),
        ("http://127.0.0.1:81/a.css", True),
        ("https://fonts.example.org/a.woff2", True),
        ("wss://example.org", True),
    ],
)
def test_a_request_to_another_host_is_noticed(request_, expected):
    assert page.is_elsewhere(request_, "http://127.0.0.1:80") is expected


def test_a_page_of_the_contents_that_was_not_built_is_named(tmp_path):
    for name in site.contents()[1:]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.html").touch()
    with pytest.raises(ValueError, match=re.escape(f"lacks pages of the contents: {site.contents()[0]}")):
        site.built_pages(tmp_path)


def test_the_report_counts_places_over_views_and_findings_by_rule(capsys):
    cost = {
        "requests": 3,
        "bytes": 2_500_000,
        "load_seconds": 0.25,
        "axe": {"region": {"impact": "moderate", "places": 2}},
    }
    measured = {"book/index": {view.name: cost for view in VIEWS}}
    findings = [page.Finding("book/index", "phone, light", "overflow", "12 px")]
    summary = report.summarise("1.0", {"axe-core": "4"}, measured, findings)
    assert summary["axe_places_by_impact_and_rule"] == {"moderate": {"region": 2 * len(VIEWS)}}
    assert summary["findings"] == {"overflow": 1}
    assert summary["pages"]["book/index"] == {"requests": 3, "megabytes": 2.5, "load_seconds": 0.25}
    assert "1 pages in 4 views: 1 findings." in report.say(summary)
    report.tell("book/index", findings)
    assert "book/index (phone, light): overflow: 12 px" in capsys.readouterr().out


def test_the_stored_report_of_the_last_run_has_nothing_to_repair():
    stored = json.loads((TOOLS / "report.json").read_text(encoding="utf-8"))
    assert stored["findings"] == {}
    assert not {"serious", "critical"} & set(stored["axe_places_by_impact_and_rule"])
    assert {view["name"] for view in stored["views"]} == {view.name for view in VIEWS}


def test_what_is_fetched_for_the_checks_has_exact_versions_and_no_address():
    package = json.loads((TOOLS / "package.json").read_text(encoding="utf-8"))
    assert {"axe-core", "reveal.js"} <= set(package["dependencies"])
    for number in package["dependencies"].values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", number)
    for line in (TOOLS / "requirements.txt").read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"[a-z0-9-]+==[\d.]+", line)


def test_the_weekly_run_installs_a_browser_and_looks_at_the_book():
    weekly = (ROOT / ".github" / "workflows" / "weekly.yml").read_text(encoding="utf-8")
    assert re.search(r"apt-get install .*\bchromium\b.*\bchromium-driver\b", weekly)
    assert re.search(r"run: make browser\b", weekly)
