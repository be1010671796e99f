"""What the theme and its extensions leave untidy in a page: scripts that run twice or for nothing, wrong labels."""

from __future__ import annotations

# The button that starts a server for a page is not part of this book, and its script names another host.
UNUSED = ("THEBE_JS_URL", "sphinx-thebe")
# The label hides from a screen reader what the button says, and whether the code is shown.
LABEL = ' aria-label="Toggle hidden content"'


def tidy(app, pagename, templatename, context, doctree) -> None:
    """Drop what is unused or doubled from the page's scripts, and labels that contradict what is written."""
    kept = {}
    for script in context.get("script_files", []):
        text = script if isinstance(script, str) else f"{script.filename} {script.attributes.get('body', '')}"
        if not any(name in text for name in UNUSED):
            kept.setdefault(text, script)
    context["script_files"] = list(kept.values())
    context["css_files"] = [
        sheet for sheet in context.get("css_files", []) if "sphinx-thebe" not in str(sheet.filename)
    ]
    context["body"] = context.get("body", "").replace(LABEL, "")


def setup(app) -> dict:
    # After every extension that adds scripts to a single page.
    app.connect("html-page-context", tidy, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
