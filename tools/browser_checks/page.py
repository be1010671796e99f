"""What is checked on every page, in every view: accessibility, width, headings, images, requests, errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tools.browser_checks.views import View

if TYPE_CHECKING:  # what judges a page needs no browser
    from tools.browser_checks.browser import Browser

SERIOUS = ("serious", "critical")

# Solutions to unfold and hidden cells are read, too; axe judges only what is shown.
# Colours that still change while it reads them are neither the ones before nor the ones after.
UNFOLD = "document.querySelectorAll('details').forEach(element => { element.open = true; });"
REST = """
const style = document.createElement('style');
style.textContent = '*, *::before, *::after { transition: none !important; animation: none !important; }';
document.head.append(style);
"""

RUN_AXE = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ['violations']}).then(results => done(results.violations.map(violation => ({
  rule: violation.id, impact: violation.impact, help: violation.help,
  places: violation.nodes.map(node => node.target.join(' ') + ' :: ' + node.html.slice(0, 160)),
  notes: violation.nodes.map(node => (node.any[0] || node.all[0] || node.none[0] || {}).message || ''),
})))).catch(error => done([{rule: 'axe', impact: 'critical', help: String(error), places: ['document'], notes: ['']}]));
"""

READ_LAYOUT = """
const root = document.scrollingElement, limit = root.clientWidth;
const scrolls = element => {
  for (let parent = element.parentElement; parent; parent = parent.parentElement) {
    if (/auto|scroll|hidden/.test(getComputedStyle(parent).overflowX)) return true;
  }
  return false;
};
const wide = root.scrollWidth <= limit ? [] : [...document.querySelectorAll('body *')].filter(element =>
  element.getBoundingClientRect().right > limit + 1 && !scrolls(element)).slice(0, 5)
  .map(element => element.outerHTML.slice(0, 160));
const shown = element => element.getClientRects().length > 0;
return {
  excess: root.scrollWidth - limit, wide,
  headings: [...document.querySelectorAll('main h1, main h2, main h3, main h4, main h5, main h6')].filter(shown)
    .map(element => [Number(element.tagName[1]), element.textContent.trim().slice(0, 60)]),
  unnamed: [...document.images].filter(image => !image.hasAttribute('alt') || (!image.alt.trim()
    && image.closest('article'))).map(image => image.outerHTML.slice(0, 160)),
  broken: [...document.images].filter(image => image.complete && !image.naturalWidth && image.getAttribute('src'))
    .map(image => image.getAttribute('src')),
  formulas: document.querySelectorAll('.math').length, set: document.querySelectorAll('mjx-container').length,
  formulaErrors: [...document.querySelectorAll('mjx-merror, [data-mjx-error]')].map(element => element.textContent),
};
"""

READ_COST = """
const navigation = performance.getEntriesByType('navigation')[0], resources = performance.getEntriesByType('resource');
return {
  requests: 1 + resources.length,
  bytes: [navigation, ...resources].reduce((sum, entry) => sum + (entry.encodedBodySize || 0), 0),
  load_seconds: navigation.loadEventEnd / 1000,
};
"""


@dataclass(frozen=True)
class Finding:
    """Something that is wrong on a page: where, which rule it breaks, and what is seen there."""

    page: str
    view: str
    rule: str
    detail: str


def check_page(browser: Browser, address: str, page: str, views: list[View], axe: str) -> tuple[list[Finding], dict]:
    """Open a page in a theme, and check it in windows of several sizes.

    Parameters
    ----------
    views : list of View
        Views of one theme; the page is loaded in the first.
    axe : str
        The program axe-core.

    Returns
    -------
    findings : list of Finding
        What must be repaired.
    measured : dict
        By name of a view: `axe`, the number of places for every rule that is broken, with its impact; `requests`,
        `bytes` and `load_seconds` of the page served from this machine, nothing of it in the browser's memory.
    """
    browser.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    browser.open(f"{address}/{page}.html", views[0])
    cost = browser.run(READ_COST)
    browser.run(REST + UNFOLD)
    browser.run(axe)
    findings, measured = [], {}
    for view in views:
        browser.set_size(view)
        browser.settle(600)  # the theme waits a little before it looks which blocks of code scroll
        problems = layout_problems(browser.run(READ_LAYOUT), view)
        violations = browser.run_later(RUN_AXE)
        problems += serious_problems(violations)
        requests, errors = browser.take_log()
        problems += [("console", error) for error in errors]
        problems += [("other host", request) for request in requests if is_elsewhere(request, address)]
        rules = {found["rule"]: {"impact": found["impact"], "places": len(found["places"])} for found in violations}
        findings += [Finding(page, view.name, *problem) for problem in problems]
        measured[view.name] = cost | {"axe": rules}
    return findings, measured


def serious_problems(violations: list[dict]) -> list[tuple[str, str]]:
    """Places at which a rule of axe is broken whose impact is serious or critical."""
    return [
        (f"axe {found['rule']}", f"{place} ({note})")
        for found in violations
        if found["impact"] in SERIOUS
        for place, note in zip(found["places"], found["notes"], strict=True)
    ]


def is_elsewhere(request: str, address: str) -> bool:
    """Whether a request leaves the place that the pages come from."""
    parts = urlsplit(request)
    return parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != urlsplit(address).netloc


def layout_problems(layout: dict, view: View) -> list[tuple[str, str]]:
    """Rules that a page's layout breaks, each with what is seen."""
    problems = []
    if layout["excess"] > 0:
        wide = " | ".join(layout["wide"])
        problems.append(("overflow", f"{layout['excess']} px wider than the window of {view.width} px: {wide}"))
    problems += [("heading order", text) for text in heading_problems(layout["headings"])]
    problems += [("image without alt", image) for image in layout["unnamed"]]
    problems += [("image that does not load", source) for source in layout["broken"]]
    problems += [("formula with an error", text) for text in layout["formulaErrors"]]
    if layout["formulas"] > layout["set"]:
        problems.append(("formula not set", f"{layout['set']} of {layout['formulas']}"))
    return problems


def heading_problems(headings: list[list]) -> list[str]:
    """What is wrong with headings, given as pairs of a level from 1 to 6 and a text, in their order.

    Examples
    --------
    >>> heading_problems([[1, "Title"], [2, "Section"], [4, "Part"]])
    ["level 4 follows level 2 at 'Part'"]
    """
    problems = []
    if [level for level, _ in headings].count(1) != 1:
        problems.append(f"{[level for level, _ in headings].count(1)} headings of level 1")
    for (before, _), (level, text) in zip(headings, headings[1:], strict=False):
        if level > before + 1:
            problems.append(f"level {level} follows level {before} at {text!r}")
    return problems
