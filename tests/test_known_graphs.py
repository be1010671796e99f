"""The scores of discovery on networks with a known graph: measured without gaps, resumable, and stored whole."""

import json
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from benchmarks import score_discovery as measurement
from causalmix_utils.benchmark import read_results
from causalmix_utils.tables import list_networks, load_network

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Arguments of a small measurement that was run once."""
    folder = tmp_path_factory.mktemp("known")
    arguments = ["--networks", "asia", "--rows", "200", "--draws", "1"]
    arguments += ["--store", str(folder / "runs.jsonl"), "--export", str(folder)]
    measurement.main(arguments)
    return arguments, folder


def test_every_method_is_scored_and_only_fci_has_no_distance(small):
    results, provenance = read_results(small[1], name="known_graphs")
    runs = results[results["method"] != measurement.REFERENCE]
    assert sorted(runs["method"]) == sorted(measurement.METHODS)
    is_fci = runs["method"].str.startswith("fci")
    assert runs.loc[~is_fci, ["shd_dag", "shd_cpdag"]].notna().all(axis=None)
    assert runs.loc[is_fci, ["shd_dag", "shd_cpdag"]].isna().all(axis=None)
    assert provenance["references"][0]["same_graph"] is True


def test_a_measurement_that_was_stopped_runs_only_what_is_missing(small, monkeypatch):
    arguments, folder = small
    before, _ = read_results(folder, name="known_graphs")
    store = folder / "runs.jsonl"
    lines = store.read_text().splitlines()
    store.write_text("\n".join(lines[:-2]) + "\n" + lines[-2][:40])  # Stopped while it wrote the last line but one.
    ran = []
    real = measurement.run
    monkeypatch.setattr(measurement, "run", lambda job, network: ran.append(job) or real(job, network))
    measurement.main(arguments)
    after, _ = read_results(folder, name="known_graphs")
    assert len(ran) == 2
    pd.testing.assert_frame_equal(before.drop(columns="seconds"), after.drop(columns="seconds"))


def test_a_graph_that_is_the_truth_has_full_marks(monkeypatch):
    network = load_network("child")
    job = {"network": "child", "rows": 200, "draw": 0, "method": "threshold"}
    monkeypatch.setattr(measurement, "threshold_graph", lambda P: nx.DiGraph(network.graph))
    monkeypatch.setattr(measurement, "RESAMPLES", 1)
    scores = measurement.run(job, network)
    assert scores["shd_dag"] == scores["shd_cpdag"] == 0
    assert scores["skeleton_recall"] == scores["arrow_precision"] == scores["arrow_recall"] == 1


@pytest.fixture(scope="module")
def stored():
    return read_results(ROOT / "book" / "results", name="known_graphs")


def test_the_stored_result_has_every_run_once(stored):
    results, provenance = stored
    jobs = measurement.list_jobs(list(list_networks()["name"]), measurement.DRAWS)
    keys = ["network", "rows", "draw", "method"]
    assert not results.duplicated(keys).any()
    assert set(results[keys].itertuples(index=False, name=None)) == {tuple(job[key] for key in keys) for job in jobs}
    assert provenance["draws"] == {str(rows): count for rows, count in measurement.DRAWS.items()}
    assert provenance["alpha"] == measurement.ALPHA and provenance["resamples"] == measurement.RESAMPLES
    assert "+changes" not in provenance["environment"]["commit"]


def test_the_stored_scores_are_possible(stored):
    results, _ = stored
    shares = results[["skeleton_precision", "skeleton_recall", "skeleton_f1", "arrow_precision", "arrow_recall"]]
    assert shares.stack().between(0, 1).all()
    edges = list_networks().set_index("name")["edges"]
    assert (results["true_edges"] == results["network"].map(edges)).all()
    found = results["skeleton_recall"] * results["true_edges"]
    np.testing.assert_allclose(found, found.round())
    not_fci = ~results["method"].str.startswith("fci")
    assert results.loc[not_fci, ["shd_dag", "shd_cpdag"]].notna().all(axis=None)
    wrong = results["edges"] + results["true_edges"] - 2 * found
    assert (results.loc[not_fci, "shd_cpdag"] >= wrong[not_fci] - 1e-9).all()


def test_our_search_found_the_graphs_of_causal_learn(stored):
    results, provenance = stored
    reference = results[results["method"] == measurement.REFERENCE]
    assert set(reference["network"]) == set(measurement.REFERENCES)
    assert reference["same_graph"].astype(bool).all()
    assert all(entry["same_graph"] for entry in provenance["references"])


@pytest.mark.parametrize(("network", "rows"), [("asia", 200), ("sachs", 1000)])
def test_a_stored_run_can_be_repeated(stored, network, rows):
    results, _ = stored
    for method in ("pc", "pc_chisq"):
        job = {"network": network, "rows": rows, "draw": 0, "method": method}
        again = measurement.run(job, load_network(network))
        (record,) = results[(results[list(job)] == pd.Series(job)).all(axis=1)].to_dict("records")
        for measure in ("edges", "skeleton_recall", "skeleton_precision", "shd_dag", "shd_cpdag"):
            assert again[measure] == pytest.approx(record[measure]), measure


def test_the_provenance_is_plain_json():
    text = (ROOT / "book" / "results" / "known_graphs.json").read_text(encoding="utf-8")
    assert json.loads(text)["command"] == "python benchmarks/score_discovery.py"
