"""Look at every page of the built book in a real browser, and store what it finds.

Usage: python tools/check_browser.py HTML JAVASCRIPT [--only PART] | programs

HTML is the folder of the built book, JAVASCRIPT the folder `node_modules` with axe-core. `make browser` fetches what is
needed, builds the book and calls this. The exit status is 1 if there is anything to repair. With `--only`, just the
pages whose name contains PART are looked at, and nothing is stored. With `programs`, only the browser and its driver
are looked for, which is sooner than after a build.
"""

import argparse
import json
import sys
from importlib.metadata import version
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools.browser_checks import behaviour, report, site  # noqa: E402
from tools.browser_checks.browser import Browser, find_program  # noqa: E402
from tools.browser_checks.keyboard import check_keyboard  # noqa: E402
from tools.browser_checks.links import check_links  # noqa: E402
from tools.browser_checks.page import Finding, check_page  # noqa: E402
from tools.browser_checks.views import VIEWS  # noqa: E402
from tools.retarget import configured_repository  # noqa: E402

REPORT = ROOT / "tools" / "browser_checks" / "report.json"


def main() -> None:
    try:
        programs = [find_program(kind) for kind in ("browser", "driver")]
    except FileNotFoundError as error:
        sys.exit(str(error))
    if sys.argv[1:] == ["programs"]:
        print(*programs, sep="\n")
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("html", type=Path)
    parser.add_argument("javascript", type=Path)
    parser.add_argument("--only", default="", metavar="PART")
    options = parser.parse_args()
    package = options.javascript / "axe-core"
    pages = [page for page in site.built_pages(options.html) if options.only in page]
    with site.serve(options.html) as address, Browser() as browser:
        findings, measured = look_at(browser, address, pages, (package / "axe.min.js").read_text(encoding="utf-8"))
        if not options.only:
            found = check_links(browser, address, pages)
            found += [Finding("site", VIEWS[0].name, *problem) for problem in use(browser, address, options.html)]
            report.tell("the site as a whole", found)
            findings += found
        axe_version = json.loads((package / "package.json").read_text(encoding="utf-8"))["version"]
        packages = {"selenium": version("selenium"), "axe-core": axe_version}
        summary = report.summarise(browser.version, packages, measured, findings)
    print(report.say(summary))
    if not options.only:
        report.write(REPORT, summary)
    sys.exit(1 if findings else 0)


def look_at(browser: Browser, address: str, pages: list[str], axe: str) -> tuple[list[Finding], dict]:
    """All pages in all views: what is wrong, and what was measured by page and by view."""
    findings, measured = [], {}
    for page in pages:
        found = []
        for theme in ("dark", "light"):
            views = [view for view in VIEWS if view.theme == theme]
            problems, costs = check_page(browser, address, page, views, axe)
            found += problems
            measured[page] = measured.get(page, {}) | costs
        for view in views:  # the theme changes no stop of the keyboard
            found += [Finding(page, view.name, *problem) for problem in check_keyboard(browser, view)]
        report.tell(page, found)
        findings += found
    return findings, measured


def use(browser: Browser, address: str, html: Path) -> behaviour.Problems:
    """What does not work when the book is used."""
    branch = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["branch"]
    return [
        *behaviour.check_search(browser, address, html),
        *behaviour.check_theme(browser, address),
        *behaviour.check_order(browser, address),
        *behaviour.check_buttons(browser, address, configured_repository(), branch),
        *behaviour.check_foot(browser, address),
        *behaviour.check_folder(browser, html),
    ]


if __name__ == "__main__":
    main()
