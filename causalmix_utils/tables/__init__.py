"""Tables: the data type, the embedded tables, tables from OpenML, and scarce splits."""

from causalmix_utils.tables.table import MISSING_LEVEL, Table, check_same_schema

__all__ = ["MISSING_LEVEL", "Table", "check_same_schema"]
