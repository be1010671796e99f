"""The windows and themes in which every page is looked at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """A window and a theme in which a page is looked at; sizes in CSS pixels."""

    name: str
    width: int
    height: int
    theme: str


VIEWS = tuple(
    View(f"{name}, {theme}", width, height, theme)
    for theme in ("light", "dark")
    for name, width, height in (("desktop", 1280, 900), ("phone", 390, 844))
)
