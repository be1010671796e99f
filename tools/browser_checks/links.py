"""Links from one page of the book to another: the page must be there, and the place on it."""

from __future__ import annotations

from urllib.parse import unquote, urldefrag

from tools.browser_checks.browser import Browser
from tools.browser_checks.page import Finding
from tools.browser_checks.views import VIEWS

READ_LINKS = """
return {ids: [...document.querySelectorAll('[id]')].map(element => element.id),
        links: [...new Set([...document.querySelectorAll('a[href]')].map(element => element.href))]};
"""


def check_links(browser: Browser, address: str, pages: list[str]) -> list[Finding]:
    """Every link within the book that leads nowhere."""
    read = {}
    for page in pages:
        browser.open(f"{address}/{page}.html", VIEWS[0])
        read[page] = browser.run(READ_LINKS)
    places = {f"{address}/{page}.html": set(content["ids"]) for page, content in read.items()}
    findings = []
    for page, content in read.items():
        for link in content["links"]:
            target, place = urldefrag(link)
            if target in places and place and unquote(place) not in places[target]:
                findings.append(Finding(page, VIEWS[0].name, "link to a missing place", link.removeprefix(address)))
            if target.startswith(f"{address}/") and target.endswith(".html") and not known(target, places, address):
                findings.append(Finding(page, VIEWS[0].name, "link to a missing page", link.removeprefix(address)))
    return findings


def known(target: str, places: dict[str, set[str]], address: str) -> bool:
    """Whether a page is one of those that were read, or one that Sphinx adds and that is not read here."""
    return target in places or target.removeprefix(f"{address}/") in ("index.html", "py-modindex.html")
