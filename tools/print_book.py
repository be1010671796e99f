"""Print all pages of the built book into one file, as a reader's browser would.

Usage: python tools/print_book.py HTML FILE

`make pdf` builds the book and calls this. Links to other pages lead to the published book.
"""

from __future__ import annotations

import base64
import io
import sys
from pathlib import Path

from pypdf import PdfReader, PdfWriter

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools.browser_checks import site  # noqa: E402
from tools.browser_checks.browser import Browser  # noqa: E402
from tools.browser_checks.views import VIEWS  # noqa: E402
from tools.retarget import configured_repository, published_address  # noqa: E402

MARGIN = 0.6  # inches
A4 = {"paperWidth": 8.27, "paperHeight": 11.69}

# On paper there is no server: links within the book go where it is published, and nothing can be unfolded.
PREPARE = """
for (const link of document.querySelectorAll('a[href]')) {
  if (link.href.startsWith(arguments[0]) && !link.getAttribute('href').startsWith('#')) {
    link.href = arguments[1] + link.href.slice(arguments[0].length);
  }
}
document.querySelectorAll('details').forEach(element => { element.open = true; });
return document.querySelector('main h1').firstChild.textContent.trim();
"""


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    html, target = Path(sys.argv[1]), Path(sys.argv[2])
    book = PdfWriter()
    with site.serve(html) as address, Browser() as browser:
        for page in site.contents():
            title, printed = print_page(browser, address, page)
            book.append(io.BytesIO(printed), outline_item=title)
            print(f"{page}: {len(PdfReader(io.BytesIO(printed)).pages)} sheets", flush=True)
    book.compress_identical_objects(remove_duplicates=True, remove_unreferenced=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    book.write(target)
    print(f"The book: {target}, {len(book.pages)} sheets, {target.stat().st_size / 1e6:.1f} MB")


def print_page(browser: Browser, address: str, page: str) -> tuple[str, bytes]:
    """Title and PDF of a page."""
    browser.open(f"{address}/{page}.html", VIEWS[0])
    title = browser.run(PREPARE, f"{address}/", published_address(configured_repository()))
    margins = {f"margin{side}": MARGIN for side in ("Top", "Bottom", "Left", "Right")}
    settings = A4 | margins | {"printBackground": True, "generateTaggedPDF": True}
    return title, base64.b64decode(browser.driver.execute_cdp_cmd("Page.printToPDF", settings)["data"])


if __name__ == "__main__":
    main()
