"""Links of the chapters to the published book lead to this copy of it, so that a copy reads without a network.

The chapters address the glossary and each other where the book is published, since Colab, which shows the same
notebooks, has no other pages. In the built book these pages are beside the chapter.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from docutils import nodes

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tools.retarget import configured_repository, published_address  # noqa: E402


def localise(app, doctree, docname) -> None:
    """Replace addresses of pages that this build has."""
    if app.builder.format != "html":
        return
    published = re.compile(
        re.escape(published_address(configured_repository())) + r"(?P<page>[\w/]+)\.html(?P<rest>.*)"
    )
    for link in doctree.findall(nodes.reference):
        found = published.fullmatch(link.get("refuri", ""))
        if found and found["page"] in app.env.found_docs:
            link["refuri"] = app.builder.get_relative_uri(docname, found["page"]) + found["rest"]
            link["internal"] = True
            link["classes"] = [name for name in link["classes"] if name != "external"]


def setup(app) -> dict:
    app.connect("doctree-resolved", localise)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
