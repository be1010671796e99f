"""Reported tables of statistics packages."""

from __future__ import annotations

from table_builder.recipe import Recipe

STATISTICS: list[Recipe] = []
