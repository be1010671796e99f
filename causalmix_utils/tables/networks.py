"""Networks whose causal graph is known, to score causal discovery: their graphs, and tables drawn from them.

A network is a directed acyclic graph with a distribution of each node given its parents, so that any number
of rows can be drawn. The files are built once by ``tools/build_networks.py``.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_count, check_rng
from causalmix_utils.tables.embedded_files import describe_unknown, read_checked
from causalmix_utils.tables.table import Table

if TYPE_CHECKING:
    import networkx as nx

_ROWS = 5000  # Of the table that a network is given with.


@dataclass(frozen=True, eq=False)
class KnownNetwork:
    """A causal graph with the distributions of its nodes.

    Attributes
    ----------
    name : str
    kind : {"discrete", "gaussian"}
        All nodes are categories, each with a table of conditional probabilities; or all are numbers, each a
        linear function of its parents plus Gaussian noise, of which the target is told in two classes, ``low`` and
        ``high``. There it is a node without effects, so that the classes change no independence between the others.
    graph : networkx.DiGraph
        The true graph. Nodes in alphabetical order, the target last: an order that tells nothing about causes.
    data : Table
        5,000 rows, the same ones every time. Column order as in `graph`.
    target : str
    source, licence : str
        Who published the network, and the terms as far as they are stated.

    Examples
    --------
    >>> network = load_network("asia")
    >>> network.data
    Table('asia': 5000 rows, 7 features (7 categorical), 2 classes)
    >>> network.graph.number_of_edges()
    8
    """

    name: str
    kind: str
    target: str
    source: str
    licence: str
    _nodes: dict[str, dict] = field(repr=False)

    @property
    def graph(self) -> nx.DiGraph:
        import networkx as nx

        graph = nx.DiGraph(target=self.target)
        graph.add_nodes_from(sorted(self._nodes, key=lambda node: (node == self.target, node)))
        graph.add_edges_from((parent, node) for node in graph for parent in self._nodes[node]["parents"])
        return graph

    @property
    def data(self) -> Table:
        return self.sample(_ROWS, rng=np.random.default_rng(0))

    def sample(self, n_rows: int, *, rng: np.random.Generator) -> Table:
        """Draw rows, each independently of the others, causes before effects.

        Parameters
        ----------
        n_rows : int
        rng : Generator
            The same state gives the same rows.

        Returns
        -------
        Table
            Columns in the order of `graph`. Rare levels, even of the target, may not occur.

        Raises
        ------
        ValueError
            If `n_rows` is not a positive whole number.
        """
        import networkx as nx

        check_rng(rng)
        check_count("n_rows", n_rows)
        graph = self.graph
        drawn: dict[str, np.ndarray] = {}
        for node in nx.lexicographical_topological_sort(graph):
            parents = {parent: drawn[parent] for parent in self._nodes[node]["parents"]}
            draw = self._draw_levels if self.kind == "discrete" else self._draw_numbers
            drawn[node] = draw(node, parents, int(n_rows), rng)
        frame = pd.DataFrame({node: self._name_values(node, drawn[node]) for node in graph})
        return Table.from_frame(
            frame, target=self.target, name=self.name, source=f"drawn from: {self.source}", licence=self.licence
        )

    def _draw_levels(self, node: str, parents: dict, n_rows: int, rng: np.random.Generator) -> np.ndarray:
        """Positions of levels. Each row of the node's table is one combination of the parents' levels, last fastest."""
        cumulative = np.cumsum(np.array(self._nodes[node]["probabilities"]), axis=1)
        cumulative /= cumulative[:, -1:]  # Published probabilities are rounded, so that some add up to 0.9999.
        combination = np.zeros(n_rows, dtype=int)
        for parent, positions in parents.items():
            combination = combination * len(self._nodes[parent]["levels"]) + positions
        return (rng.random((n_rows, 1)) >= cumulative[combination]).sum(axis=1)

    def _draw_numbers(self, node: str, parents: dict, n_rows: int, rng: np.random.Generator) -> np.ndarray:
        entry = self._nodes[node]
        values = rng.normal(entry["intercept"], np.sqrt(entry["variance"]), size=n_rows)
        for weight, parent in zip(entry["coefficients"], parents.values(), strict=True):
            values += weight * parent
        return values

    def _name_values(self, node: str, values: np.ndarray) -> np.ndarray:
        if self.kind == "discrete":
            return np.array(self._nodes[node]["levels"], dtype=object)[values]
        if node == self.target:
            return np.where(values > self._expect(node), "high", "low").astype(object)
        return values

    def _expect(self, node: str) -> float:
        """Expected value of a Gaussian node."""
        entry = self._nodes[node]
        parts = zip(entry["coefficients"], entry["parents"], strict=True)
        return entry["intercept"] + sum(weight * self._expect(parent) for weight, parent in parts)


def list_networks() -> pd.DataFrame:
    """The embedded networks.

    Returns
    -------
    DataFrame
        One row for each network, sorted by name, with the columns ``name``, ``kind`` (``"discrete"`` or
        ``"gaussian"``), ``nodes``, ``edges``, ``target``, ``source``, ``licence``, ``origin`` (package and version
        it was taken from), ``path`` (inside of that package) and ``remarks``.

    Examples
    --------
    >>> list(list_networks()["name"])
    ['alarm', 'asia', 'child', 'ecoli70', 'sachs']
    """
    manifest = _read_manifest().rename(columns={"package": "origin"})
    return manifest[
        ["name", "kind", "nodes", "edges", "target", "source", "licence", "origin", "path", "remarks"]
    ]  # fmt: skip


def load_network(name: str) -> KnownNetwork:
    """Load an embedded network with a known causal graph.

    The file's hash is compared with the manifest's.

    Parameters
    ----------
    name : str
        A name from `list_networks`.

    Returns
    -------
    KnownNetwork

    Raises
    ------
    ValueError
        If there is no network of that name, or its file is not the one that the manifest describes.

    Examples
    --------
    >>> network = load_network("sachs")
    >>> network.sample(200, rng=np.random.default_rng(0))
    Table('sachs': 200 rows, 10 features (10 categorical), 3 classes)
    """
    manifest = _read_manifest().set_index("name")
    if name not in manifest.index:
        raise ValueError(describe_unknown(name, list(manifest.index), kind="network"))
    entry = manifest.loc[name]
    file = _network_folder() / f"{name}.json.gz"
    content = read_checked(file, entry["sha256"], what=f"network {name!r}", command="make tables")
    return KnownNetwork(
        name=name,
        kind=entry["kind"],
        target=entry["target"],
        source=entry["source"],
        licence=entry["licence"],
        _nodes=json.loads(gzip.decompress(content)),
    )


def _network_folder() -> Traversable:
    return files("causalmix_utils") / "data" / "networks"


def _read_manifest() -> pd.DataFrame:
    with (_network_folder() / "manifest.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file, keep_default_na=False)
