"""What the book does for a reader: search, themes, the way through the pages, buttons, the foot; a folder will do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.request import urlopen

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tools.browser_checks.browser import Browser
from tools.browser_checks.page import is_elsewhere
from tools.browser_checks.site import ROOT, contents
from tools.browser_checks.views import VIEWS

QUERY = "edge probability"
# Where a reader who looks for it must be led.
EXPECTED = ("notebooks/01_discovery", "book/glossary")

ICONS_LOADED = """
return [...document.fonts].some(font => font.family.includes('Font Awesome') && font.status === 'loaded');
"""

Problems = list[tuple[str, str]]


def check_search(browser: Browser, address: str, html: Path) -> Problems:
    """Search as a reader does, from the keyboard, on a served page; and again in a folder, without a server."""
    browser.open(f"{address}/book/index.html", VIEWS[0])
    browser.press(Keys.CONTROL, "k")
    browser.driver.switch_to.active_element.send_keys(QUERY, Keys.ENTER)
    problems = [("search", problem) for problem in result_problems(browser)]
    browser.driver.get(f"{html.resolve().as_uri()}/search.html?q={QUERY.replace(' ', '+')}")
    return problems + [("search in a folder", problem) for problem in result_problems(browser)]


def result_problems(browser: Browser) -> list[str]:
    """What is missing among the results of the search that is shown."""
    # The results come one after the other; the summary is written when they are all there.
    WebDriverWait(browser.driver, 20).until(
        lambda driver: re.search(r"found|did not match", driver.find_element(By.ID, "search-results").text)
    )
    links = [link.get_attribute("href") for link in browser.driver.find_elements(By.CSS_SELECTOR, "#search-results a")]
    return [f"{QUERY!r} does not find {page}" for page in EXPECTED if not any(f"{page}.html" in link for link in links)]


def check_theme(browser: Browser, address: str) -> Problems:
    """The button changes the theme, the ground's colour with it, and the next page remembers it."""
    browser.open(f"{address}/book/index.html", VIEWS[0])
    grounds = {}
    for _ in range(3):
        browser.driver.find_element(By.CSS_SELECTOR, ".theme-switch-button").click()
        theme, ground = browser.run(
            "return [document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor]"
        )
        grounds[theme] = ground
    problems = [] if len(set(grounds.values())) == 2 else [("theme", f"the button shows {grounds}")]
    browser.run("localStorage.setItem('mode', 'dark'); localStorage.setItem('theme', 'dark')")
    browser.driver.get(f"{address}/book/glossary.html")
    if browser.run("return document.documentElement.dataset.theme") != "dark":
        problems.append(("theme", "the next page forgets it"))
    return problems


def check_order(browser: Browser, address: str) -> Problems:
    """Previous and next lead through the contents in their order."""
    pages, problems = contents(), []
    for place, page in enumerate(pages):
        browser.open(f"{address}/{page}.html", VIEWS[0])
        expected = [pages[place - 1] if place else None, pages[place + 1] if place + 1 < len(pages) else None]
        found = browser.run(
            "return ['.left-prev', '.right-next'].map(name => (document.querySelector(name) || {}).href || null)"
        )
        shown = [link and link.removeprefix(f"{address}/").removesuffix(".html") for link in found]
        if shown != expected:
            problems.append(("previous and next", f"{page} leads to {shown} instead of {expected}"))
    return problems


def check_buttons(browser: Browser, address: str, repository: str, branch: str) -> Problems:
    """Each chapter opens in Colab and downloads as the notebook that it is."""
    problems = []
    for page in (page for page in contents() if page.startswith("notebooks/")):
        browser.open(f"{address}/{page}.html", VIEWS[0])
        colab = f"https://colab.research.google.com/github/{repository}/blob/{branch}/{page}.ipynb"
        launch = menu_links(browser, ".dropdown-launch-buttons")
        if colab not in launch:
            problems.append(("button for Colab", f"{page} offers {launch}"))
        offered = [link for link in menu_links(browser, ".dropdown-download-buttons") if link.endswith(".ipynb")]
        if not offered or not same_notebook(offered[0], ROOT / f"{page}.ipynb"):
            problems.append(("button for the notebook", f"{page} offers {offered}"))
    return problems


def menu_links(browser: Browser, menu: str) -> list[str]:
    """Addresses that a menu at a page's top shows when it is opened."""
    browser.driver.find_element(By.CSS_SELECTOR, f"{menu} > button").click()
    links = browser.driver.find_elements(By.CSS_SELECTOR, f"{menu} .dropdown-menu a")
    shown = [link.get_attribute("href") for link in links if link.is_displayed()]
    browser.press(Keys.ESCAPE)
    return shown


def same_notebook(address: str, source: Path) -> bool:
    """Whether a served notebook has the cells of the one that it was built from."""
    with urlopen(address) as answer:
        served = json.load(answer)
    cells = json.loads(source.read_text(encoding="utf-8"))["cells"]
    return [cell["id"] for cell in served["cells"]] == [cell["id"] for cell in cells]


def check_foot(browser: Browser, address: str) -> Problems:
    """Every page says with what it was computed, and leads to the page on how to cite."""
    problems = []
    for page in contents():
        browser.open(f"{address}/{page}.html", VIEWS[0])
        text, links = browser.run(
            """const foot = document.querySelector('.computed-with');
            return [foot ? foot.textContent : '', foot ? [...foot.querySelectorAll('a')].map(link => link.href) : []]"""
        )
        needed = [r"causalmix-utils \d", r"tabpfn \d", r"torch \d", r"dowhy \d", r"causal-learn \d", r"\b[0-9a-f]{8}\b"]
        missing = [pattern for pattern in needed if not re.search(pattern, text)]
        if missing or f"{address}/book/cite.html" not in [link.removesuffix("#") for link in links]:
            problems.append(("foot", f"{page} says {text!r}"))
    return problems


def check_folder(browser: Browser, html: Path) -> Problems:
    """A chapter opened from a folder, without a server, asks no other host for anything and has its icons."""
    browser.take_log()
    browser.driver.get(f"{html.resolve().as_uri()}/notebooks/01_discovery.html")
    browser.settle()
    requests, errors = browser.take_log()
    elsewhere = [request for request in requests if is_elsewhere(request, "")]
    missing = [] if browser.run(ICONS_LOADED) else ["the icons are missing"]
    return [("page in a folder", problem) for problem in elsewhere + errors + missing]
