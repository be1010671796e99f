"""What the keyboard alone reaches on a page: the way past the navigation, the search, the contents, the theme."""

from __future__ import annotations

from selenium.webdriver.common.keys import Keys

from tools.browser_checks.browser import Browser
from tools.browser_checks.views import View

SKIP_LINK = ".skip-link a"
SEARCH = ".search-button-field"
SEARCH_NARROW = ".search-button"
CONTENTS = ".bd-sidebar-primary nav a"
THEME = ".theme-switch-button"
OPEN_CONTENTS = ".primary-toggle"
# More stops than lie before the article on any page.
STOPS = 60

FOCUSED = """
const element = document.activeElement, style = getComputedStyle(element), box = element.getBoundingClientRect();
return {
  matches: arguments[0].filter(selector => element.matches(selector)),
  inMain: Boolean(element.closest('main')) || element.id === 'main-content',
  seen: box.width > 0 && box.height > 0 && (style.outlineStyle !== 'none' || style.boxShadow !== 'none'),
  html: element.outerHTML.slice(0, 120),
};
"""


def check_keyboard(browser: Browser, view: View) -> list[tuple[str, str]]:
    """Walk through the open page with the tabulator key; returns the rules that are broken, each with what is seen.

    In a narrow window the contents are folded away: the button that unfolds them is looked for instead, and used.
    """
    narrow = view.width < 600
    browser.set_size(view)
    problems = skip_navigation(browser)
    start_again(browser)
    browser.tab()
    problems += walk(browser, [OPEN_CONTENTS, THEME, SEARCH_NARROW] if narrow else [SEARCH, CONTENTS, THEME])
    return problems + (unfold_contents(browser) if narrow else [])


def start_again(browser: Browser) -> None:
    """Let the next stop be the first of the page."""
    browser.run(
        "document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex'); scrollTo(0, 0)"
    )


def skip_navigation(browser: Browser) -> list[tuple[str, str]]:
    """The first stop of a page is a link past the navigation; the stop after it lies in the text."""
    start_again(browser)
    browser.tab()
    first = browser.run(FOCUSED, [SKIP_LINK])
    if not first["matches"]:
        return [("keyboard", f"the first stop is no link past the navigation: {first['html']}")]
    browser.press(Keys.ENTER)
    browser.tab()
    focused = browser.run(FOCUSED, [])
    return [] if focused["inMain"] else [("keyboard", f"the link past the navigation leads to {focused['html']}")]


def walk(browser: Browser, wanted: list[str]) -> list[tuple[str, str]]:
    """Press the tabulator key until everything wanted had the focus; each must show that it has it."""
    missing, problems = set(wanted), []
    for _ in range(STOPS):
        browser.tab()
        focused = browser.run(FOCUSED, wanted)
        if missing & set(focused["matches"]) and not focused["seen"]:
            problems.append(("focus not visible", focused["html"]))
        missing -= set(focused["matches"])
        if not missing:
            return problems
    return problems + [("keyboard", f"{selector} is not reached in {STOPS} stops") for selector in sorted(missing)]


def unfold_contents(browser: Browser) -> list[tuple[str, str]]:
    """Open the folded contents from the keyboard, and reach a page in them."""
    browser.run("document.activeElement.blur(); document.querySelector(arguments[0]).focus()", OPEN_CONTENTS)
    browser.press(Keys.ENTER)
    browser.settle(600)  # the theme slides the contents in, then moves the focus there
    return walk(browser, [CONTENTS])
