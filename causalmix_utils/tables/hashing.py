"""One number that names a table's content."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pandas as pd

from causalmix_utils.tables.table import Table


def content_hash(table: Table) -> str:
    """A sha256 of a table's content: names, kinds and values of its columns, in order.

    It does not depend on the table's name, on files, or on the versions of libraries.

    Examples
    --------
    >>> from causalmix_utils.tables import load_table
    >>> content_hash(load_table("iris")) == content_hash(load_table("iris"))
    True
    """
    digest = hashlib.sha256()
    for column, values in [*table.X.items(), (table.target, table.y)]:
        is_text = column in table.categorical or column == table.target
        kind = "text" if is_text else values.dtype.kind
        digest.update(json.dumps([column, kind]).encode())
        if is_text:
            digest.update(json.dumps([None if pd.isna(value) else value for value in values]).encode())
        elif kind == "i":
            digest.update(values.to_numpy().astype("<i8").tobytes())
        else:
            # One NaN and one zero, since both have several bit patterns.
            numbers = values.to_numpy()
            digest.update((np.where(np.isnan(numbers), np.nan, numbers) + 0.0).astype("<f8").tobytes())
    return digest.hexdigest()
