"""Score causal discovery on networks whose true graph is known.

    python benchmarks/score_discovery.py

Draws tables of several sizes from every embedded network and scores what PC, FCI and the thresholded edge probabilities
find. Plain causal-learn runs PC with its own chi-square test beside, on the sizes of `REFERENCES`, and the
search of this package is given that test, too, to see that the graphs are the same. Finished runs are kept in a file,
so that an interrupted measurement goes on where it stopped; remove the file to measure anew. Writes
``book/results/known_graphs.parquet``, one run a row, and ``known_graphs.json``, the provenance.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
from tqdm import tqdm

from causalmix_utils.benchmark.environment import describe_environment
from causalmix_utils.benchmark.export import write_whole
from causalmix_utils.discovery import edge_probabilities, learn_marks
from causalmix_utils.discovery.pc import learn_skeleton, orient
from causalmix_utils.graphs import score_discovery, threshold_graph
from causalmix_utils.independence import encode_columns
from causalmix_utils.tables import KnownNetwork, Table, list_networks, load_network
from causalmix_utils.threads import single_thread

ROOT = Path(__file__).resolve().parents[1]
ALPHA, RESAMPLES = 0.05, 20
DRAWS = {200: 6, 1000: 4, 5000: 3}  # Tables of each size: the smaller, the more they differ.
METHODS = ("pc", "pc_chisq", "fci", "fci_chisq", "threshold")
REFERENCE = "pc_causal_learn"
REFERENCES = {"asia": (5000, 3), "sachs": (5000, 14), "child": (2000, 11), "alarm": (2000, 7)}
"""Rows, and the distance from the true CPDAG that plain causal-learn was seen to have on other rows of that size."""
REFERENCE_DRAWS = 3


def list_jobs(networks: list[str], draws: dict[int, int]) -> list[dict]:
    """The references, then every draw, size, network and method; chi-square needs categories."""
    kinds = list_networks().set_index("name")["kind"]
    jobs = [
        {"network": network, "rows": REFERENCES[network][0], "draw": draw, "method": REFERENCE}
        for network in networks
        if network in REFERENCES
        for draw in range(REFERENCE_DRAWS)
    ]
    return jobs + [
        {"network": network, "rows": rows, "draw": draw, "method": method}
        for draw in range(max(draws.values()))
        for rows, n_draws in draws.items()
        if draw < n_draws
        for network in networks
        for method in METHODS
        if kinds[network] == "discrete" or not method.endswith("chisq")
    ]


def run(job: dict, network: KnownNetwork) -> dict:
    """Draw the job's table, run its method and score the graph. All methods get the same rows of a draw."""
    table = network.sample(job["rows"], rng=np.random.default_rng([job["rows"], job["draw"]]))
    start = time.process_time()
    graph, details = find_graph(job["method"], table, np.random.default_rng(job["draw"]))
    seconds = time.process_time() - start
    scores = score_discovery(graph, network.graph)
    if job["method"].startswith("fci"):  # Its marks say something else than those of a CPDAG, even without circles.
        scores[["shd_dag", "shd_cpdag"]] = np.nan
    return job | details | scores.to_dict() | {"seconds": round(seconds, 3)}


def find_graph(method: str, table: Table, rng: np.random.Generator) -> tuple[pd.DataFrame | nx.DiGraph, dict]:
    """The graph, and the test and the fallbacks that it took."""
    if method == REFERENCE:
        return compare_with_causal_learn(table)
    if method == "threshold":
        P = edge_probabilities(table, n_resamples=RESAMPLES, alpha=ALPHA, rng=rng)
        graph, report = threshold_graph(P), P.attrs["discovery"]
    else:
        algorithm, _, test = method.partition("_")
        graph = learn_marks(table, method=algorithm, test=test or "auto", alpha=ALPHA)
        report = graph.attrs["discovery"]
    return graph, {"test": report["test"], "fallbacks": sum(report["fallbacks"].values())}


def compare_with_causal_learn(table: Table) -> tuple[pd.DataFrame, dict]:
    """Marks that causal-learn's PC finds, and whether our search finds the same with the same test."""
    from causallearn.search.ConstraintBased.PC import pc
    from causallearn.utils.cit import CIT

    values, _ = encode_columns(table)
    marks = pc(values, ALPHA, "chisq", show_progress=False).G.graph.astype(int)
    test = CIT(values, "chisq")
    own = orient(learn_skeleton(lambda x, y, given: test(x, y, list(given)), values.shape[1], alpha=ALPHA))
    graph = pd.DataFrame(marks, index=table.columns, columns=table.columns)
    return graph, {"test": "causal-learn's chisq", "fallbacks": 0, "same_graph": bool((marks == own).all())}


def read_finished(store: Path) -> list[dict]:
    """Finished runs. A line that was cut off when the measurement was stopped is left out."""
    finished = []
    for line in store.read_text(encoding="utf-8").splitlines() if store.exists() else []:
        try:
            finished.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return finished


def run_all(jobs: list[dict], store: Path) -> list[dict]:
    """Run what is not finished, in the order of the jobs, and return all of them."""
    store.parent.mkdir(parents=True, exist_ok=True)
    finished = {_key(record): record for record in read_finished(store)}
    networks = {job["network"]: load_network(job["network"]) for job in jobs}
    with store.open("a", encoding="utf-8") as file:
        if file.tell():
            file.write("\n")  # In case the last line was cut off.
        for job in tqdm(jobs, disable=None):
            if _key(job) not in finished:
                finished[_key(job)] = run(job, networks[job["network"]])
                file.write(json.dumps(finished[_key(job)]) + "\n")
                file.flush()
    return [finished[_key(job)] for job in jobs]


def summarise_references(results: pd.DataFrame) -> list[dict]:
    """Distances from the true CPDAG beside those seen before."""
    runs = results[results["method"] == REFERENCE]
    return [
        {
            "network": network,
            "rows": int(part["rows"].iloc[0]),
            "shd_cpdag": [int(distance) for distance in part["shd_cpdag"]],
            "seen_before_on_other_rows": REFERENCES[network][1],
            "same_graph": bool(part["same_graph"].all()),
        }
        for network, part in runs.groupby("network", sort=False)
    ]


def _key(record: dict) -> tuple:
    return tuple(record[name] for name in ("network", "rows", "draw", "method"))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=list(list_networks()["name"]))
    parser.add_argument("--rows", type=int, nargs="+", default=list(DRAWS), choices=list(DRAWS))
    parser.add_argument("--draws", type=int, help="tables of each size (default: 6, 4 and 3)")
    parser.add_argument("--store", type=Path, default=ROOT / "runs" / "known_graphs.jsonl", help="finished runs")
    parser.add_argument("--export", type=Path, default=ROOT / "book" / "results", help="folder to write to")
    options = parser.parse_args(arguments)
    draws = {rows: options.draws or DRAWS[rows] for rows in options.rows}
    with single_thread():
        results = pd.DataFrame(run_all(list_jobs(options.networks, draws), options.store))
    provenance = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": "python benchmarks/score_discovery.py",
        "networks": options.networks,
        "draws": {str(rows): count for rows, count in draws.items()},
        "methods": list(METHODS),
        "alpha": ALPHA,
        "resamples": RESAMPLES,
        "seeds": "rows: default_rng([rows, draw]); resamples: default_rng(draw)",
        "threads": 1,
        "compute_hours": round(float(results["seconds"].sum()) / 3600, 3),
        "references": summarise_references(results),
        "environment": describe_environment(),
    }
    options.export.mkdir(parents=True, exist_ok=True)
    print(write_whole(options.export / "known_graphs.parquet", results))
    print(write_whole(options.export / "known_graphs.json", provenance))
    means = results.groupby(["network", "method", "rows"])["shd_cpdag"].mean().unstack().dropna(how="all")
    print("Mean structural Hamming distance from the true CPDAG:", means.round(1).to_string(), sep="\n")


if __name__ == "__main__":
    main()
