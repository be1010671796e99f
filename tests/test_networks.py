"""The embedded networks: graphs as published, rows that follow them, and nothing loaded that the manifest denies."""

import gzip
import json
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from causalmix_utils.tables import list_networks, load_network, networks

ROOT = Path(__file__).parents[1]
NETWORKS = list_networks().set_index("name")
PUBLISHED = {"asia": (8, 8), "sachs": (11, 17), "child": (20, 25), "alarm": (37, 46), "ecoli70": (46, 70)}

each_network = pytest.mark.parametrize("name", NETWORKS.index)


def test_the_networks_are_those_that_were_published():
    assert {name: (entry["nodes"], entry["edges"]) for name, entry in NETWORKS.iterrows()} == PUBLISHED
    assert set(NETWORKS["kind"]) == {"discrete", "gaussian"}
    assert (NETWORKS[["source", "licence", "origin", "path", "remarks"]] != "").all(axis=None)


@each_network
def test_a_graph_is_acyclic_and_has_the_nodes_and_edges_of_the_manifest(name):
    graph = load_network(name).graph
    assert nx.is_directed_acyclic_graph(graph)
    assert (graph.number_of_nodes(), graph.number_of_edges()) == PUBLISHED[name]


def test_the_edges_of_asia_are_those_of_the_textbook():
    assert set(load_network("asia").graph.edges) == {
        ("asia", "tub"),
        ("smoke", "lung"),
        ("smoke", "bronc"),
        ("tub", "either"),
        ("lung", "either"),
        ("either", "xray"),
        ("either", "dysp"),
        ("bronc", "dysp"),
    }


@each_network
def test_the_order_of_the_columns_is_alphabetical_with_the_target_last_and_tells_nothing_about_causes(name):
    network = load_network(name)
    table = network.sample(100, rng=np.random.default_rng(0))
    assert table.columns == list(network.graph)
    assert list(table.X.columns) == sorted(table.X.columns)
    assert table.target == network.target == NETWORKS.loc[name, "target"]
    assert len(table.numerical) == (0 if network.kind == "discrete" else len(table.X.columns))


@each_network
def test_the_given_table_is_the_same_every_time_and_other_rows_are_others(name):
    network = load_network(name)
    data = network.data
    assert len(data) == 5000
    pd.testing.assert_frame_equal(data.to_frame(), network.data.to_frame())
    assert not data.to_frame().equals(network.sample(5000, rng=np.random.default_rng(1)).to_frame())


@pytest.mark.parametrize("name", NETWORKS.index[NETWORKS["kind"] == "discrete"])
def test_levels_occur_as_often_as_the_published_probabilities_say(name):
    """Each node given each combination of its parents, in the file as it is stored."""
    stored = json.loads(gzip.decompress((ROOT / f"causalmix_utils/data/networks/{name}.json.gz").read_bytes()))
    frame = load_network(name).sample(8000, rng=np.random.default_rng(0)).to_frame().astype(str)
    distances = []
    for node, entry in stored.items():
        combinations = product(*(stored[parent]["levels"] for parent in entry["parents"]))
        for combination, expected in zip(combinations, entry["probabilities"], strict=True):
            rows = (frame[entry["parents"]] == list(combination)).all(axis=1)
            if rows.sum() < 100:
                continue
            found = frame.loc[rows, node].value_counts(normalize=True).reindex(entry["levels"], fill_value=0)
            spread = np.sqrt(np.multiply(expected, np.subtract(1, expected)) / rows.sum()) + 2 / rows.sum()
            distances += list(np.abs(found - expected) / spread)
    assert len(distances) > 10
    assert max(distances) < 5


def test_numbers_follow_their_parents_and_the_target_is_cut_at_its_mean():
    network = load_network("ecoli70")
    stored = json.loads(gzip.decompress((ROOT / "causalmix_utils/data/networks/ecoli70.json.gz").read_bytes()))
    table = network.sample(20_000, rng=np.random.default_rng(0))
    for node, entry in stored.items():
        if node == network.target:
            continue
        columns = np.column_stack([np.ones(len(table)), *(table.X[parent] for parent in entry["parents"])])
        found, *_ = np.linalg.lstsq(columns, table.X[node], rcond=None)
        residuals = table.X[node] - columns @ found
        covariance = entry["variance"] * np.linalg.inv(columns.T @ columns)
        error = np.abs(found - [entry["intercept"], *entry["coefficients"]]) / np.sqrt(np.diag(covariance))
        assert error.max() < 4.5, node
        assert residuals.var() == pytest.approx(entry["variance"], rel=0.06)
    assert set(table.y) == {"high", "low"}
    assert (table.y == "high").mean() == pytest.approx(0.5, abs=0.02)
    assert network.graph.out_degree(network.target) == 0


def test_a_changed_graph_does_not_change_the_network():
    network = load_network("asia")
    network.graph.remove_node("smoke")
    assert network.graph.number_of_edges() == 8


@pytest.mark.parametrize("wrong", [0, -1, 2.5, True, "10"])
def test_a_number_of_rows_that_is_none_is_named(wrong):
    with pytest.raises(ValueError, match="n_rows must be an integer of at least 1, got"):
        load_network("asia").sample(wrong, rng=np.random.default_rng(0))


def test_an_unknown_network_lists_close_names():
    with pytest.raises(ValueError, match="no embedded network 'Alarms'; did you mean 'alarm'"):
        load_network("Alarms")
    with pytest.raises(ValueError, match="the networks are alarm, asia, child, ecoli70, sachs"):
        load_network("qqqq")


def test_a_changed_file_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "networks"
    shutil.copytree(ROOT / "causalmix_utils" / "data" / "networks", folder)
    (folder / "asia.json.gz").write_bytes((folder / "child.json.gz").read_bytes())
    monkeypatch.setattr(networks, "_network_folder", lambda: folder)
    load_network("child")
    with pytest.raises(ValueError, match="network 'asia' has sha256 .* but the manifest says"):
        load_network("asia")


def test_the_files_are_small_and_are_those_of_the_manifest():
    files = list((ROOT / "causalmix_utils" / "data" / "networks").iterdir())
    assert {file.name for file in files} == {"manifest.csv", *(f"{name}.json.gz" for name in NETWORKS.index)}
    assert sum(file.stat().st_size for file in files) < 50_000


def test_no_graph_library_is_loaded_with_the_tables():
    code = "import sys, causalmix_utils.tables; assert 'networkx' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_books_page_describes_every_network():
    page = (ROOT / "book" / "tables.md").read_text(encoding="utf-8")
    for name, entry in NETWORKS.iterrows():
        assert f"| `{name}` | {entry['nodes']} | {entry['edges']} |" in page
        assert entry["source"] in page and entry["remarks"] in page
