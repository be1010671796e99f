"""Columns of a reader's own file from which nothing can be learnt as they are: said, never mended in silence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

MANY = 20  # different texts, or rows in a row: fewer may be chance
MOST = 0.9  # of the values


def list_doubts(features: pd.DataFrame, *, categorical: Sequence[str] = ()) -> list[str]:
    """Sentences about columns from which nothing can be learnt as they are, and what can be done about each."""
    doubts = []
    for name, column in features.items() if len(features) else ():
        values = column.dropna()
        said = _doubt(values, is_code=name in categorical, advice=f"leave it out with --drop {name!r}")
        if said:
            doubts.append(f"column {name!r} {said}")
    return doubts


def _doubt(values: pd.Series, *, is_code: bool, advice: str) -> str:
    """What is doubtful about a column's values that are not missing; empty if nothing is."""
    from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype

    if values.nunique() < 2:
        return f"has no two different values: {advice}"
    if is_numeric_dtype(values) and not is_bool_dtype(values):
        is_whole = is_integer_dtype(values) or values.mod(1).eq(0).all()
        if is_code or not is_whole or len(values) < MANY:
            return ""
        if values.diff().iloc[1:].eq(1).all():
            return f"counts the rows: {advice}"
        if values.is_unique:
            return f"has another whole number in each row: if they are names of the rows, {advice}"
        return ""
    text = values.astype(str).str.strip()
    if text.str.fullmatch(r"[+-]?\d{1,3}(?:,\d{3})*(?:\.\d+)?").mean() > MOST and text.str.contains(",").any():
        return (
            "holds numbers with a comma before three digits, which are read as text: if it is a decimal comma, add "
            "--decimal ,; if it parts thousands, write the file without it"
        )
    if text.str.fullmatch(r"[+-]?\d+(?:\.\d{3})*,\d+").mean() > MOST:
        return "holds numbers with a decimal comma, which are read as text: add --decimal ,"
    if text.str.match(r"\d{4}-\d\d?-\d\d?|\d\d?[./]\d\d?[./]\d{2,4}").mean() > MOST:
        return f"holds dates, each of which becomes a category: {advice}, or write numbers, such as days, in its place"
    if text.nunique() >= max(MANY, len(text) / 2):
        return f"has {text.nunique()} different texts in {len(text)} rows, like names or remarks: {advice}"
    return ""
