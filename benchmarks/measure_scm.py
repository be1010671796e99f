"""Measure what structural causal models cost: how much an ensemble's cache saves, and how fitting and sampling grow.

    python benchmarks/measure_scm.py                # both parts, then the export
    python benchmarks/measure_scm.py --parts growth

*Ensemble.* Graphs are drawn from edge probabilities that discovery gives on tables of 1,000 rows and 20 mixed
features: two simulated ones, from a sparse and from a denser graph, and ``credit-g``. All models of an ensemble are
fitted in four ways, side by side on one thread: with one cache; each model by itself with this package; each with the
same mechanisms by plain DoWhy (``gcm.fit``); and each with the boosted trees that DoWhy makes by default. That the
cache changes nothing is checked on rows sampled from every model. What the cache saves depends on how many parent
sets the graphs share, which is stored, too.

*Growth.* One model on a random graph with two edges a feature, fitted to 10² to 10⁵ rows and 5 to 100 features of
mixed types; 1,000 rows are sampled. Each measurement has a process of its own, whose memory at its highest
point, less that before the fit, is reported.

Seconds are the processor's, since other programs on the machine hardly change those. Writes
``book/results/scm_speed.parquet``, one measurement a row, and ``scm_speed.json``, its provenance.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
from tqdm import tqdm

from causalmix_utils.benchmark.environment import measure_peak_memory, reset_peak_memory
from causalmix_utils.discovery import edge_probabilities
from causalmix_utils.graphs import random_dag, sample_dag
from causalmix_utils.scm import MechanismCache, fit_scm, sample_rows
from causalmix_utils.tables import Table, load_table
from causalmix_utils.threads import single_thread

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # Python looks beside a script, not above it.
    sys.path.insert(0, str(ROOT))

from benchmarks.stored_parts import store_parts  # noqa: E402

RESULTS = ROOT / "book" / "results"
NAME = "scm_speed"

ENSEMBLE_SIZES = (5, 10, 20, 50)
MAIN_SIZE = 10
"""The size at which DoWhy is measured, too; it takes much longer."""

ROWS = (100, 1000, 10_000, 100_000)
FEATURES = (5, 10, 20, 50, 100)
USUAL_ROWS, USUAL_FEATURES = 1000, 20
KINDS = ("linear", "boosting")
SAMPLED = 1000


def make_tables() -> dict[str, Table]:
    """The three tables of the ensemble part, by name."""
    return {
        "sparse": simulate(USUAL_ROWS, USUAL_FEATURES, 20, np.random.default_rng(0))[0],
        "dense": simulate(USUAL_ROWS, USUAL_FEATURES, 40, np.random.default_rng(0))[0],
        "credit-g": load_table("credit-g"),
    }


def simulate(n_rows: int, n_features: int, n_edges: int, rng: np.random.Generator) -> tuple[Table, nx.DiGraph]:
    """A table drawn from a random graph with linear effects, every second column cut into three levels."""
    nodes = [f"x{place}" for place in range(n_features)] + ["y"]
    dag = random_dag(nodes, n_edges, rng=rng)
    values = {}
    for node in nx.topological_sort(dag):
        effects = [rng.choice([-1, 1]) * rng.uniform(0.4, 0.9) * values[parent] for parent in dag.predecessors(node)]
        score = np.sum(effects, axis=0) + rng.normal(size=n_rows)
        values[node] = (score - score.mean()) / score.std()
    frame = pd.DataFrame({node: values[node] for node in nodes})
    for node in nodes[1::2]:
        frame[node] = np.array(["low", "middle", "high"])[np.digitize(frame[node], [-0.6, 0.6])]
    frame["y"] = np.where(values["y"] > 0, "yes", "no")
    return Table.from_frame(frame, target="y"), dag


def measure_ensembles() -> list[dict]:
    """Seconds of fitting ensembles of several sizes in several ways, on each table."""
    lines = []
    for name, table in tqdm(make_tables().items(), desc="ensembles", disable=None):
        P = edge_probabilities(table, n_resamples=20, rng=np.random.default_rng(0))
        rng = np.random.default_rng(1)
        dags = [sample_dag(P, rng=rng) for _ in range(max(ENSEMBLE_SIZES))]
        for kind in KINDS:
            fit_scm(dags[0], table, mechanisms=kind)  # Imports and first calls do not count.
            for size in ENSEMBLE_SIZES:
                lines += [
                    {"table": name, "kind": kind, "dags": size, **line}
                    for line in measure_ensemble(dags[:size], table, kind)
                ]
    return lines


def measure_ensemble(dags: list[nx.DiGraph], table: Table, kind: str) -> list[dict]:
    """One line for each way of fitting models to all graphs."""
    cache = MechanismCache()
    shared_seconds, shared = clock(lambda: [fit_scm(dag, table, mechanisms=kind, cache=cache) for dag in dags])
    alone_seconds, alone = clock(lambda: [fit_scm(dag, table, mechanisms=kind) for dag in dags])
    check_same(shared, alone, table)
    lines = [
        {"way": "one cache", "seconds": shared_seconds, "fits": cache.misses},
        {"way": "each by itself", "seconds": alone_seconds, "fits": len(dags) * len(table.columns)},
    ]
    if len(dags) == MAIN_SIZE:
        fits = len(dags) * len(table.columns)
        seconds, _ = clock(lambda: [fit_by_dowhy(dag, table, kind, same=True) for dag in dags])
        lines.append({"way": "each by DoWhy, same mechanisms", "seconds": seconds, "fits": fits})
        if kind == "boosting":
            seconds, _ = clock(lambda: [fit_by_dowhy(dag, table, kind, same=False) for dag in dags])
            lines.append({"way": "each by DoWhy, its own boosting", "seconds": seconds, "fits": fits})
    return lines


def check_same(first: list, second: list, table: Table) -> None:
    """Stop if two ensembles do not give the same rows."""
    for place, pair in enumerate(zip(first, second, strict=True)):
        rows = [sample_rows(scm, 50, like=table, rng=np.random.default_rng(place)).to_frame() for scm in pair]
        if not rows[0].equals(rows[1]):
            raise RuntimeError(f"model {place} gives other rows when its mechanisms come from the cache")


def fit_by_dowhy(dag: nx.DiGraph, table: Table, kind: str, *, same: bool):
    """A model that DoWhy fits itself, with this package's mechanisms or with its own boosted trees."""
    from dowhy import gcm

    from causalmix_utils.scm.fitting import prepare_frame
    from causalmix_utils.scm.mechanisms import make_mechanism

    gcm.config.disable_progress_bars()
    frame, categorical = prepare_frame(table), [*table.categorical, table.target]
    scm = gcm.StructuralCausalModel(dag.copy())
    for node in dag:
        parents = sorted(dag.predecessors(node))
        levels = [sorted(frame[parent].dropna().unique()) if parent in categorical else None for parent in parents]
        if same or not parents:
            n_classes = frame[node].nunique() if node in categorical else None
            mechanism = make_mechanism(kind, levels, n_classes=n_classes)
        elif node in categorical:
            mechanism = gcm.ClassifierFCM(gcm.ml.create_hist_gradient_boost_classifier())
        else:
            mechanism = gcm.AdditiveNoiseModel(gcm.ml.create_hist_gradient_boost_regressor())
        scm.set_causal_mechanism(node, mechanism)
    gcm.fit(scm, frame)
    return scm


def measure_growth() -> list[dict]:
    """Seconds and memory of one model, by rows and by features."""
    sizes = [(rows, USUAL_FEATURES) for rows in ROWS]
    sizes += [(USUAL_ROWS, features) for features in FEATURES if features != USUAL_FEATURES]
    tasks = [(rows, features, kind) for rows, features in sizes for kind in KINDS]
    return [run_apart(measure_model, *task) for task in tqdm(tasks, desc="growth", disable=None)]


def measure_model(n_rows: int, n_features: int, kind: str) -> dict:
    """Fit one model and sample from it."""
    table, dag = simulate(n_rows, n_features, 2 * n_features, np.random.default_rng(0))
    warm, warm_dag = simulate(60, 3, 3, np.random.default_rng(0))
    sample_rows(fit_scm(warm_dag, warm, mechanisms=kind), 10, like=warm, rng=np.random.default_rng(0))
    reset_peak_memory()
    before = measure_peak_memory()
    fit_seconds, scm = clock(lambda: fit_scm(dag, table, mechanisms=kind))
    fit_peak = measure_peak_memory() - before
    sample_seconds, _ = clock(lambda: sample_rows(scm, SAMPLED, like=table, rng=np.random.default_rng(0)))
    return {
        "kind": kind,
        "rows": n_rows,
        "features": n_features,
        "edges": dag.number_of_edges(),
        "fit_seconds": fit_seconds,
        "sample_seconds": sample_seconds,
        "fit_peak_mb": fit_peak,
        "peak_mb": measure_peak_memory() - before,
    }


def run_apart(function: Callable, *arguments) -> dict:
    """The result of a function that runs in a process of its own, so that its memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        result = pool.apply(_on_one_thread, (function, arguments))
        # A process that is not left to end by itself warns of semaphores that its libraries hold.
        pool.close()
        pool.join()
    return result


def _on_one_thread(function: Callable, arguments: tuple) -> dict:
    with single_thread():
        return function(*arguments)


def clock(work: Callable) -> tuple[float, object]:
    """Seconds of the processor, and the result."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


PARTS = {"ensemble": measure_ensembles, "growth": measure_growth}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="these parts only")
    parser.add_argument("--export", type=Path, default=RESULTS, help="folder to write to (default: book/results)")
    options = parser.parse_args()
    measured = {}
    for part in options.parts:
        with single_thread():
            measured[part] = PARTS[part]()
    store_parts(
        options.export,
        NAME,
        measured,
        command="python benchmarks/measure_scm.py",
        settings={
            "threads": 1,
            "seconds": "of the processor",
            "sampled_rows": SAMPLED,
            "ensemble_sizes": list(ENSEMBLE_SIZES),
        },
    )
    with pd.option_context("display.width", 160):
        for lines in measured.values():
            print(pd.DataFrame(lines).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
