"""The foot of every page: with which versions and which checkpoint it was computed, and how to cite it."""

from __future__ import annotations

import json
from html import escape
from importlib.metadata import version
from pathlib import Path

PACKAGE = "causalmix-utils"
LIBRARIES = ("tabpfn", "torch", "dowhy", "causal-learn")
CHECKPOINT = Path(__file__).resolve().parents[2] / "causalmix_utils" / "weights" / "nano.json"
SHORT = 8  # digits of a hash, as git shows them


def read_facts() -> dict:
    """Versions by package, and the checkpoint's name and short hash."""
    checkpoint = json.loads(CHECKPOINT.read_text(encoding="utf-8"))
    return {
        "versions": {name: version(name) for name in (PACKAGE, *LIBRARIES)},
        "checkpoint": checkpoint["name"],
        "hash": checkpoint["sha256"][:SHORT],
    }


def render(facts: dict, model_card: str, citation: str) -> str:
    """The foot as HTML, given the addresses of two pages as seen from the page that it stands on."""
    versions = ", ".join(f"{escape(name)} {escape(number)}" for name, number in facts["versions"].items())
    checkpoint = f"{escape(facts['checkpoint'])}, {facts['hash']}"
    return (
        f'<p class="computed-with">Computed with {versions}; '
        f'<a href="{model_card}">checkpoint {checkpoint}</a>. <a href="{citation}">How to cite</a></p>'
    )


def remember(app, config) -> None:
    """Keep the facts as a setting, so that all pages are written again when one of them changes."""
    config.page_foot_facts = json.dumps(read_facts())


def add(app, pagename, templatename, context, doctree) -> None:
    """Hand the foot to the theme."""
    facts, address = json.loads(app.config.page_foot_facts), context["pathto"]
    context["theme_extra_footer"] = render(facts, address("book/model_card"), address("book/cite"))


def setup(app) -> dict:
    app.add_config_value("page_foot_facts", "{}", "html", [str])
    app.connect("config-inited", remember)
    app.connect("html-page-context", add)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
