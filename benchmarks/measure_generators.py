"""Measure what generators of synthetic rows cost: seconds to fit and to draw 1,000 rows, and memory.

    python benchmarks/measure_generators.py                            # all generators, then the export
    python benchmarks/measure_generators.py --quick --export FOLDER    # small tables and cheap options, to try it

Every generator of `list_generators` is fitted, with its default options, to 200 rows and 20 features: of ``credit-g``
and of a simulated table of mixed types. CTGAN is measured twice, with this package's number of steps and with its
library's defaults. Each measurement has a process of its own with one thread, in which a small table comes first, so
that imports do not count. Memory is that of the process at its highest point, less that before the fit.

Seconds are the processor's, since other programs on the machine hardly change those. Writes
``book/results/generator_cost.parquet``, one measurement a row, and ``generator_cost.json``: provenance, medians, and
the verdict on the goal that the causal generator, discovery included, costs less than CTGAN at its library's defaults.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # Python looks beside a script, not above it.
    sys.path.insert(0, str(ROOT))

from benchmarks.measure_scm import clock, run_apart, simulate  # noqa: E402
from causalmix_utils.benchmark.environment import (  # noqa: E402
    describe_environment,
    measure_peak_memory,
    reset_peak_memory,
)
from causalmix_utils.benchmark.export import write_whole  # noqa: E402
from causalmix_utils.generators import list_generators, make_generator  # noqa: E402
from causalmix_utils.tables import Table, load_table, scarce_split  # noqa: E402

RESULTS = ROOT / "book" / "results"
NAME = "generator_cost"

ROWS, FEATURES, SAMPLED, REPEATS = 200, 20, 1000, 3
QUICK_ROWS, QUICK_FEATURES = 60, 5
TABLES = ("credit-g", "simulated")

LIBRARY_CTGAN = "ctgan, library defaults"
LIBRARY_OPTIONS = {"epochs": 300, "batch_size": 500}
"""The defaults of ctgan's own class."""

FEW_GRAPHS = {"n_dags": 1, "n_resamples": 1, "mechanisms": "linear"}
CHEAP: dict[str, dict[str, Any]] = {
    "causal": FEW_GRAPHS,
    "causal_blanket": FEW_GRAPHS | {"target_mechanism": "linear"},
    "random_dag": FEW_GRAPHS,
    "ctgan": {"epochs": 1},
    "tabebm": {"n_steps": 5},
}
"""Options under which a generator does all that it does, in less time: for the first table, and for --quick."""


def list_ways() -> dict[str, tuple[str, dict[str, Any]]]:
    """What is measured, by the name in the result: a generator of this package and its options."""
    names = [
        name
        for name in list_generators()["name"]
        if type(make_generator(name)).__module__.startswith("causalmix_utils.")
    ]
    return {name: (name, {}) for name in names} | {LIBRARY_CTGAN: ("ctgan", LIBRARY_OPTIONS)}


def is_installed(name: str) -> bool:
    """Whether the library that a generator needs, if any, is there."""
    requires = make_generator(name).requires
    return not requires or importlib.util.find_spec(requires) is not None


def make_table(name: str, n_rows: int = ROWS, n_features: int = FEATURES) -> Table:
    """`n_rows` rows of credit-g with its twenty features, or a simulated table of mixed types."""
    if name == "credit-g":
        # One third of the rows becomes the validation part, which is not needed here.
        return scarce_split(load_table(name), n=n_rows * 3 // 2)[0]
    return simulate(n_rows, n_features, 2 * n_features, np.random.default_rng(0))[0]


def measure(way: str, table_name: str, repeat: int, quick: bool) -> dict[str, Any]:
    """Seconds and memory of one fit and one sample; `repeat` is the seed."""
    name, options = list_ways()[way]
    cheap = options | CHEAP.get(name, {})
    sizes = (QUICK_ROWS, QUICK_FEATURES) if quick else (ROWS, FEATURES)
    table = make_table(table_name, *sizes)
    small = make_table("simulated", QUICK_ROWS, QUICK_FEATURES)
    rng = np.random.default_rng(repeat)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # CTGAN's library warns of its own dependencies.
        make_generator(name, **cheap).fit(small, rng=rng).sample(10, rng=rng)
        generator = make_generator(name, **(cheap if quick else options))
        reset_peak_memory()
        before = measure_peak_memory()
        fit_seconds, _ = clock(lambda: generator.fit(table, rng=rng))
        fit_peak = measure_peak_memory()
        sample_seconds, rows = clock(lambda: generator.sample(SAMPLED, rng=rng))
    return {
        "table": table_name,
        "rows": len(table),
        "features": table.X.shape[1],
        "generator": way,
        "options": json.dumps(generator.get_params(), sort_keys=True, default=str),
        "repeat": repeat,
        "sampled": len(rows),
        "fit_seconds": fit_seconds,
        "sample_seconds": sample_seconds,
        "seconds": fit_seconds + sample_seconds,
        "fit_peak_mb": fit_peak - before,
        "peak_mb": measure_peak_memory() - before,
        "process_mb": measure_peak_memory(),
    }


def summarise(frame: pd.DataFrame) -> pd.DataFrame:
    """Medians over the repeats, one row for each table and generator, from the cheapest on."""
    values = ["fit_seconds", "sample_seconds", "seconds", "peak_mb"]
    medians = frame.groupby(["table", "generator"], as_index=False)[values].median()
    return medians.sort_values(["table", "seconds"], ignore_index=True)


def judge_goal(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Whether the causal generator costs less than CTGAN at its library's defaults, for each table."""
    seconds = summarise(frame).pivot(index="table", columns="generator", values="seconds")
    if not {"causal", LIBRARY_CTGAN} <= set(seconds):
        return {}
    return {
        table: {
            "causal_seconds": round(float(row["causal"]), 3),
            "ctgan_seconds": round(float(row[LIBRARY_CTGAN]), 3),
            "causal_over_ctgan": round(float(row["causal"] / row[LIBRARY_CTGAN]), 3),
            "reached": bool(row["causal"] < row[LIBRARY_CTGAN]),
        }
        for table, row in seconds.iterrows()
    }


def main(arguments: Sequence[str] | None = None) -> None:
    ways = list_ways()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generators", nargs="+", choices=ways, default=list(ways), help="only these")
    parser.add_argument("--quick", action="store_true", help="small tables, cheap options, once; needs --export")
    parser.add_argument("--export", type=Path, help="folder to write to (default: book/results)")
    options = parser.parse_args(arguments)
    if options.export is None and (options.quick or set(options.generators) != set(ways)):
        parser.error("a part of the measurement needs --export: it would replace the whole one in book/results")
    folder = options.export or RESULTS
    absent = [way for way in options.generators if not is_installed(ways[way][0])]
    tasks = [
        (way, table, repeat, options.quick)
        for repeat in range(1 if options.quick else REPEATS)
        for table in TABLES
        for way in options.generators
        if way not in absent
    ]
    frame = pd.DataFrame([run_apart(measure, *task) for task in tqdm(tasks, desc="generators", disable=None)])
    report = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": "python benchmarks/measure_generators.py" + (" --quick" if options.quick else ""),
        "quick": options.quick,
        "threads": 1,
        "seconds": "of the processor",
        "sampled_rows": SAMPLED,
        "not_installed": absent,
        # Cheap options say nothing about the goal.
        "causal_costs_less_than_ctgan": {} if options.quick else judge_goal(frame),
        "medians": summarise(frame).round(4).to_dict("records"),
        "environment": describe_environment(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    print(write_whole(folder / f"{NAME}.parquet", frame))
    print(write_whole(folder / f"{NAME}.json", report))
    print(summarise(frame).round(3).to_string(index=False))
    print(json.dumps(report["causal_costs_less_than_ctgan"], indent=1))


if __name__ == "__main__":
    main()
