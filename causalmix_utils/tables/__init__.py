"""Tables: the data type, the embedded tables and networks, tables from OpenML, and scarce splits."""

from causalmix_utils.tables.embedded import list_tables, load_table
from causalmix_utils.tables.hashing import content_hash
from causalmix_utils.tables.networks import KnownNetwork, list_networks, load_network
from causalmix_utils.tables.online import load_openml_table, openml_split, openml_split_shape, tabarena_tasks
from causalmix_utils.tables.schema import check_same_schema
from causalmix_utils.tables.splits import duplicate_groups, scarce_split
from causalmix_utils.tables.table import MISSING_LEVEL, Table

__all__ = [
    "MISSING_LEVEL",
    "KnownNetwork",
    "Table",
    "check_same_schema",
    "content_hash",
    "duplicate_groups",
    "list_networks",
    "list_tables",
    "load_network",
    "load_openml_table",
    "load_table",
    "openml_split",
    "openml_split_shape",
    "scarce_split",
    "tabarena_tasks",
]
