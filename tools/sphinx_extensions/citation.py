"""The directive `citation`: how to cite the book and the paper, written from CITATION.cff."""

from __future__ import annotations

from pathlib import Path

import yaml
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "CITATION.cff"


def read_works() -> list[dict]:
    """The book, and then the works that are to be cited with it.

    Each has a `key`, a `type` of BibTeX, and `fields`, the first of them `author`, `title` and `year`.
    """
    cff = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    book = cff | {"year": str(cff["date-released"])[:4], "url": cff["repository-code"]}
    return [describe(book, "causalmix-book"), *(describe(work) for work in cff.get("references", []))]


def describe(work: dict, key: str = "") -> dict:
    """An entry of CITATION.cff as one of BibTeX."""
    fields = {
        "author": " and ".join(say_author(author) for author in work["authors"]),
        "title": work["title"],
        "year": str(work["year"]),
        "version": str(work.get("version", "")),
        "url": work["url"],
    }
    first = work["authors"][0].get("family-names", "")
    return {
        "key": key or f"{first.lower()}-{work['year']}".replace("ü", "ue"),
        "type": "misc",
        "fields": {name: value for name, value in fields.items() if value},
    }


def say_author(author: dict) -> str:
    """An author as BibTeX writes them; a name of several words that is no person's is kept together."""
    if "name" in author:
        return f"{{{author['name']}}}"
    return f"{author['family-names']}, {author['given-names']}"


def write_sentence(work: dict) -> str:
    """A work as a list of references names it."""
    fields = work["fields"]
    authors = fields["author"].replace("{", "").replace("}", "").split(" and ")
    names = authors[0] if len(authors) == 1 else f"{'; '.join(authors[:-1])}; and {authors[-1]}"
    version = f" Version {fields['version']}." if "version" in fields else ""
    return f"{names} ({fields['year']}). {fields['title']}.{version} "


def write_bibtex(work: dict) -> str:
    """A work as an entry of BibTeX; the braces around a title keep its capital letters."""
    fields = work["fields"] | {"title": f"{{{work['fields']['title']}}}"}
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@{work['type']}{{{work['key']},", *lines, "}"])


class Citation(SphinxDirective):
    """Sentences for a list of references, and the same as BibTeX."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(SOURCE))
        works = read_works()
        listed = nodes.bullet_list()
        for work in works:
            sentence = nodes.paragraph("", write_sentence(work))
            sentence += nodes.reference("", work["fields"]["url"], refuri=work["fields"]["url"])
            listed += nodes.list_item("", sentence)
        text = "\n\n".join(map(write_bibtex, works))
        return [listed, nodes.literal_block(text, text, language="bibtex")]


def setup(app) -> dict:
    app.add_directive("citation", Citation)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
