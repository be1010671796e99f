"""All tables, in one list."""

from __future__ import annotations

from table_builder.recipe import Recipe
from table_builder.recipes_development import DEVELOPMENT
from table_builder.recipes_statistics import STATISTICS
from table_builder.recipes_uci import UCI

RECIPES: list[Recipe] = sorted([*UCI, *STATISTICS, *DEVELOPMENT], key=lambda recipe: recipe.name)
