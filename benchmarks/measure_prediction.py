"""Measure how long a prediction takes: 200 query rows from 200 context rows with 20 features, on one thread.

    python benchmarks/measure_prediction.py

The rows are those of ``credit-g``. Imports and a first prediction come before the clock starts; `fit`, which reads the
checkpoint's file, and `predict_proba` are timed apart. Writes ``book/results/prediction_time.json``: medians over
repetitions of the processor's time, which other programs on the machine hardly change, and of the wall clock's.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tqdm import tqdm

from causalmix_utils.baselines import make_baseline
from causalmix_utils.benchmark.arms import hash_checkpoint
from causalmix_utils.benchmark.environment import describe_environment
from causalmix_utils.benchmark.export import write_whole
from causalmix_utils.foundation import EMBEDDED_WEIGHTS, load_classifier
from causalmix_utils.tables import Table, load_table
from causalmix_utils.threads import single_thread

RESULTS = Path(__file__).resolve().parents[1] / "book" / "results"
TABLE, N_ROWS = "credit-g", 200
N_ESTIMATORS = (1, 4, 8)


def measure(make_model: Callable, context: Table, query: Table, *, repeats: int) -> dict[str, float]:
    """Median seconds of fitting to `context` and of predicting `query`, after one round that is not counted."""
    seconds = {"fit": [], "predict": [], "wall": []}
    for round_ in range(repeats + 1):
        wall, start = time.perf_counter(), time.process_time()
        model = make_model().fit(context.X, context.y)
        fitted = time.process_time()
        model.predict_proba(query.X)
        done = time.process_time()
        if round_:
            for name, value in zip(seconds, (fitted - start, done - fitted, time.perf_counter() - wall), strict=True):
                seconds[name].append(value)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    total = statistics.median(a + b for a, b in zip(seconds["fit"], seconds["predict"], strict=True))
    return {name: round(value, 4) for name, value in (medians | {"fit_and_predict": total}).items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9, help="repetitions of each measurement (default: 9)")
    parser.add_argument("--export", type=Path, default=RESULTS, help="folder to write to (default: book/results)")
    options = parser.parse_args()
    table = load_table(TABLE)
    context, query = table.take(range(N_ROWS)), table.take(range(N_ROWS, 2 * N_ROWS))
    models = {f"nano_{k}": lambda k=k: load_classifier(n_estimators=k, device="cpu") for k in N_ESTIMATORS}
    models |= {name: lambda name=name: make_baseline(name) for name in ("logistic_regression", "random_forest")}
    with single_thread():
        seconds = {
            name: measure(make_model, context, query, repeats=options.repeats)
            for name, make_model in tqdm(models.items(), disable=None)
        }
    report = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": "python benchmarks/measure_prediction.py",
        "table": TABLE,
        "context_rows": len(context),
        "query_rows": len(query),
        "features": table.X.shape[1],
        "threads": 1,
        "repeats": options.repeats,
        "checkpoint": hash_checkpoint(EMBEDDED_WEIGHTS),
        "seconds": seconds,
        "environment": describe_environment(),
    }
    options.export.mkdir(parents=True, exist_ok=True)
    print(write_whole(options.export / "prediction_time.json", report))
    for name, medians in seconds.items():
        print(f"{name:20} {medians['fit_and_predict']:.3f} s of the processor, {medians['wall']:.3f} s by the clock")


if __name__ == "__main__":
    main()
