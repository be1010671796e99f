"""Time and memory of causal discovery, beside causal-learn where that can do the same.

    python benchmarks/measure_discovery.py                    # everything: about half an hour on one core
    python benchmarks/measure_discovery.py --parts parallel   # one part; needs two idle cores
    python benchmarks/measure_discovery.py --quick --export FOLDER

Parts:

speed
    PC and FCI with Fisher's z on the same resamples, by causal-learn's own functions and by this package, in one
    process and one thread: seconds, and whether the graphs are the same mark by mark. Simulated tables of 1,000 rows
    and 20 columns, and scikit-learn's digits (pixels with a standard deviation of at least 3; others are nearly
    constant).
hub
    A target with 25 causes: `edge_probabilities` with its default settings, and causal-learn's FCI, which is stopped
    after it has had the processor for two minutes.
cost
    `edge_probabilities` with its default settings for 10² to 10⁵ rows and for 5 to 100 features, numerical and mixed.
parallel
    Twenty resamples with one process and with two.

Measurements of hub and cost run in a process of their own each, so that the peak memory is theirs (Python and its
libraries included). ``seconds`` are the clock's, ``cpu_seconds`` the processor's, which other programs hardly change.
Writes ``book/results/discovery_speed.parquet`` and ``.json``; parts that are not measured stay as they were.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import resource
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from causalmix_utils.benchmark.environment import measure_peak_memory
from causalmix_utils.tables import Table

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # Python looks beside a script, not above it.
    sys.path.insert(0, str(ROOT))

from benchmarks.stored_parts import store_parts  # noqa: E402

RESULTS = ROOT / "book" / "results"
NAME = "discovery_speed"
PARTS = ("speed", "hub", "cost", "parallel")
ALPHA = 0.05
PLAIN_LIMIT = 120  # Seconds of the processor after which causal-learn's FCI is stopped.
ROWS, FEATURES = (100, 1_000, 10_000, 100_000), (5, 10, 20, 50, 100)


class _NumberedName(str):
    """Node name with its number as hash: for others causal-learn's FCI depends on the hash seed of the process."""

    def __hash__(self) -> int:
        return int(self[1:])


def simulate(kind: str, n_rows: int, n_features: int, seed: int = 0) -> Table:
    """Rows of a random sparse graph; in a mixed table every second feature is cut into three levels."""
    rng = np.random.default_rng(seed)
    n = n_features + 1
    weights = np.triu(rng.random((n, n)) < min(1.0, 3 / n), 1) * rng.choice([-1, 1], size=(n, n)) * 0.7
    values = rng.normal(size=(n_rows, n))
    for place in range(n):
        values[:, place] += values @ weights[:, place]
        values[:, place] /= values[:, place].std()
    frame = pd.DataFrame(values, columns=[*(f"x{place}" for place in range(n_features)), "y"])
    for column in list(frame)[1:-1:2] if kind == "mixed" else []:
        frame[column] = np.digitize(frame[column], [-0.6, 0.6]).astype(str)
    return Table.from_frame(frame.assign(y=np.where(frame["y"] > 0, "yes", "no")), target="y")


def simulate_hub() -> Table:
    """Twenty-five independent causes of one target."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 25))
    frame = pd.DataFrame(X, columns=[f"x{place}" for place in range(25)])
    return Table.from_frame(frame.assign(y=np.where(X.sum(axis=1) > 0, "yes", "no")), target="y")


def load_digits(n_rows: int | None = None) -> np.ndarray:
    from sklearn.datasets import load_digits

    values = load_digits().data
    return values[:n_rows, values.std(axis=0) >= 3]


def draw_resamples(values: np.ndarray, number: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    n_rows = round(0.8 * len(values))
    return [values[np.sort(rng.choice(len(values), size=n_rows, replace=False))] for _ in range(number)]


@contextlib.contextmanager
def clock() -> Iterator[dict[str, float]]:
    """Seconds of the clock and of the processor that a block takes."""
    measured: dict[str, float] = {}
    wall, cpu = time.perf_counter(), time.process_time()
    yield measured
    measured |= {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}


def run_plain(values: np.ndarray, method: str) -> np.ndarray:
    """Marks of causal-learn's own PC or FCI with its own Fisher's z."""
    from causallearn.search.ConstraintBased.FCI import fci
    from causallearn.search.ConstraintBased.PC import pc

    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if method == "pc":
            return pc(values, ALPHA, "fisherz", show_progress=False).G.graph.astype(int)
        names = [_NumberedName(f"X{place + 1}") for place in range(values.shape[1])]
        return fci(values, "fisherz", ALPHA, show_progress=False, node_names=names)[0].graph


def run_ours(values: np.ndarray) -> dict[str, np.ndarray]:
    from causalmix_utils.discovery.search import search_graphs

    numerical = np.zeros(values.shape[1], dtype=bool)
    options = {"test": "fisherz", "methods": ("pc", "fci"), "alpha": ALPHA, "max_tests": 10**9}
    return search_graphs(values, numerical, **options).marks


def measure_speed(quick: bool) -> list[dict]:
    """Both on each resample, one after the other, so that a busy machine slows both."""
    tables = {f"simulated {seed}": simulate("numerical", 1000, 19, seed).to_frame() for seed in range(3)}
    arrays = {name: frame.assign(y=frame["y"] == "yes").to_numpy(float) for name, frame in tables.items()}
    arrays["digits"] = load_digits(300 if quick else None)
    run_plain(arrays["simulated 0"][:100], "fci")  # Imports and first calls are not measured.
    run_ours(arrays["simulated 0"][:100])
    rows = []
    for name, values in arrays.items():
        for resample, part in enumerate(draw_resamples(values, 1 if quick else 3)):
            theirs = {}
            for method in ("pc", "fci"):
                with clock() as measured:
                    theirs[method] = run_plain(part, method)
                rows.append({"case": name, "resample": resample, "method": f"causal-learn {method}", **measured})
            with clock() as measured:
                ours = run_ours(part)
            same = all((ours[method] == theirs[method]).all() for method in theirs)
            rows.append({"case": name, "resample": resample, "method": "both here", "same_graph": same, **measured})
            for row in rows[-3:]:
                row |= {"rows": len(part), "features": part.shape[1]}
    return rows


def measure_hub(quick: bool) -> list[dict]:
    tasks: list[dict] = [{"task": "hub", "n_resamples": number} for number in (1, 20)]
    tasks.append({"task": "plain hub", "cpu_limit": 3 if quick else PLAIN_LIMIT})
    return [measure_apart(task) for task in tasks]


def measure_cost(quick: bool) -> list[dict]:
    n_rows, n_features = (ROWS[:2], FEATURES[:2]) if quick else (ROWS, FEATURES)
    sizes = {(rows, 20) for rows in n_rows} | {(1000, features) for features in n_features}
    tasks = [
        {"task": "cost", "kind": kind, "rows": rows, "features": features}
        for rows, features in sorted(sizes)
        for kind in ("numerical", "mixed")
    ]
    return [measure_apart(task) for task in tasks]


def measure_parallel(quick: bool) -> list[dict]:
    """The second call with two processes finds them running, as all but the first call of a program do."""
    from causalmix_utils.discovery import edge_probabilities

    tables = {"mixed, 40 features": simulate("mixed", 300 if quick else 1000, 40)}
    frame = pd.DataFrame(load_digits()[: 300 if quick else 1000]).assign(y=["even", "odd"] * (150 if quick else 500))
    tables["digits"] = Table.from_frame(frame, target="y")
    rows = []
    for case, table in tables.items():
        for repeat in range(1 if quick else 3):
            for n_jobs in (1, 2, 2):
                with clock() as measured:
                    edge_probabilities(table, rng=np.random.default_rng(0), n_resamples=20, n_jobs=n_jobs)
                rows.append({"case": case, "n_jobs": n_jobs, "resample": repeat, **measured})
            rows.pop(-2)  # The call that starts the processes.
    return rows


def measure_apart(task: dict) -> dict:
    """One measurement in a process of its own, stopped at the task's limit of processor time."""
    command = [sys.executable, __file__, "--task", json.dumps(task)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    named = {("case" if name == "task" else name): value for name, value in task.items() if name != "cpu_limit"}
    with clock() as waited:
        run = subprocess.run(command, env=environment, capture_output=True, text=True)
    if "cpu_limit" in task and run.returncode == -signal.SIGXCPU:
        return {**named, "seconds": waited["seconds"], "cpu_seconds": float(task["cpu_limit"]), "stopped": True}
    run.check_returncode()
    return {**named, **json.loads(run.stdout.splitlines()[-1]), "stopped": False}


def run_task(task: dict) -> dict:
    """What `measure_apart` measures, in its process."""
    from causalmix_utils.discovery import edge_probabilities

    if task["task"] == "plain hub":
        resource.setrlimit(resource.RLIMIT_CPU, (task["cpu_limit"], task["cpu_limit"] + 10))
        frame = simulate_hub().to_frame()
        with clock() as measured:
            run_plain(frame.assign(y=frame["y"] == "yes").to_numpy(float), "fci")
        return measured
    table = simulate_hub() if task["task"] == "hub" else simulate(task["kind"], task["rows"], task["features"])
    edge_probabilities(table.take(range(50)), rng=np.random.default_rng(0), n_resamples=1)  # Imports, first calls.
    n_resamples = task.get("n_resamples", 20)
    with clock() as measured:
        P = edge_probabilities(table, rng=np.random.default_rng(0), n_resamples=n_resamples)
    told = P.attrs["discovery"]
    return {
        **measured,
        "peak_mib": measure_peak_memory(),
        "n_resamples": n_resamples,
        "tests": told["tests_computed"],
        "fallbacks": sum(told["fallbacks"].values()),
    }


def summarise(frame: pd.DataFrame) -> dict:
    """The figures that decide: seconds of the processor where one process works, of the clock otherwise."""
    found: dict = {}
    speed = frame[frame["part"] == "speed"]
    if len(speed):
        total = (
            speed.assign(ours=speed["method"] == "both here").groupby(["case", "ours"])["cpu_seconds"].sum().unstack()
        )
        found["speed_ratio"] = (total[False] / total[True]).round(2).to_dict()
        found["same_graphs"] = bool(speed["same_graph"].dropna().all())
    hub = frame[frame["part"] == "hub"]
    if len(hub):
        names = hub["case"] + hub["n_resamples"].map(lambda k: "" if pd.isna(k) else f", {k:.0f} resamples")
        found["hub_seconds"] = dict(zip(names, hub["cpu_seconds"].round(2), strict=True))
        found["plain_hub_stopped"] = bool(hub.loc[hub["case"] == "plain hub", "stopped"].all())
    cost = frame[frame["part"] == "cost"]
    if len(cost):
        found["cost_most_seconds"] = round(float(cost["cpu_seconds"].max()), 1)
        found["cost_most_mib"] = round(float(cost["peak_mib"].max()), 1)
    parallel = frame[frame["part"] == "parallel"]
    if len(parallel):
        seconds = parallel.groupby(["case", "n_jobs"])["seconds"].median().unstack()
        found["parallel_ratio"] = (seconds[1] / seconds[2]).round(2).to_dict()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that the script runs")
    parser.add_argument("--export", type=Path, default=RESULTS, help="folder to write to (default: book/results)")
    parser.add_argument("--task", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task is not None:
        print(json.dumps(run_task(options.task)))
        return
    if options.quick and options.export == RESULTS:
        parser.error("--quick needs --export FOLDER, so that it replaces no stored result")
    from threadpoolctl import threadpool_limits

    functions: dict[str, Callable[[bool], list[dict]]] = {
        "speed": measure_speed,
        "hub": measure_hub,
        "cost": measure_cost,
        "parallel": measure_parallel,
    }
    for part in options.parts:
        with threadpool_limits(1):
            rows = functions[part](options.quick)
        print(f"\n{part}\n{pd.DataFrame(rows).round(2).to_string(index=False)}", flush=True)
        command = "python benchmarks/measure_discovery.py" + " --quick" * options.quick
        report = store_parts(options.export, NAME, {part: rows}, command=command, summarise=summarise)
        print(json.dumps(report["summary"], indent=2), flush=True)


if __name__ == "__main__":
    main()
