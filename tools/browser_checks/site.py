"""The built book as a site: its pages in order, and a server on this machine alone."""

from __future__ import annotations

import contextlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
# Sphinx writes these beside the pages of the contents.
EXTRA_PAGES = ("genindex", "search")


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_):
        """Requests are read from the browser's own log."""


@contextlib.contextmanager
def serve(folder: Path):
    """The address, without a slash at its end, under which `folder` is served while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def contents() -> list[str]:
    """The pages of the contents in the order in which a reader meets them, without endings."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]


def built_pages(html: Path) -> list[str]:
    """The pages of the contents and those that Sphinx adds; `ValueError` names a page that was not built."""
    pages = contents()
    missing = [page for page in pages if not (html / f"{page}.html").is_file()]
    if missing:
        raise ValueError(f"html={str(html)!r} lacks pages of the contents: {', '.join(missing)}")
    return pages + [page for page in EXTRA_PAGES if (html / f"{page}.html").is_file()]
