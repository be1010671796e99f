"""Measure the choices behind the generator `causal_blanket`, on the development tables alone.

    python benchmarks/choose_blanket.py

On each development table with headroom and each of three splits, the generator is fitted to the train part of
``scarce_split(n=200)``, at most 133 rows, with one option changed at a time, and draws 500 rows: where the target
stands, how many features are tied to it, what predicts it, and how many noises are exchanged (``none``: all are drawn
anew). Usefulness is the AUC on real rows, which the generator has not seen, of a random forest that learnt from
these rows alone. All options share the edge probabilities of a table and split. For comparison: the real train rows,
`smote`, and `causal`.

Each finished table and split is stored at once, so the script can be stopped and started again. Prints means over
tables and writes ``book/results/blanket.parquet``, one sample of rows a line, and ``blanket.json``.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # Python looks beside a script, not above it.
    sys.path.insert(0, str(ROOT))

from benchmarks.score_store import JsonStore  # noqa: E402
from causalmix_utils.benchmark.environment import describe_environment  # noqa: E402
from causalmix_utils.benchmark.export import write_whole  # noqa: E402
from causalmix_utils.evaluation import association_error, closest_record_distances, synthetic_to_real_auc  # noqa: E402
from causalmix_utils.generators import CausalBlanketGenerator, CausalGenerator, make_generator  # noqa: E402
from causalmix_utils.tables import Table, content_hash, load_table, scarce_split  # noqa: E402
from causalmix_utils.threads import single_thread  # noqa: E402

RESULTS = ROOT / "book" / "results"
NAME = "blanket"

TABLES = ("attrition", "auto-origin", "phoneme", "saratoga", "tae", "titanic")
"""The development tables on which no model reaches an AUC of 0.97."""

N, N_SPLITS, MAX_TEST_ROWS, N_ROWS = 200, 3, 1500, 500
SEEDS = (0, 1)
"""Seeds of the forests that judge; their mean counts."""

OPTIONS = {
    "default": {},
    "placement: sink": {"placement": "sink"},
    "placement: discovered": {"placement": "discovered"},
    "tied: blanket alone": {"n_strongest": 0},
    "tied: blanket and 5 best": {"n_strongest": 5},
    "target: forest": {"target_mechanism": "forest"},
    "target: linear": {"target_mechanism": "linear"},
    "target: foundation": {"target_mechanism": "foundation"},
}
EXCHANGES = {"default": (0.1, 0.2, 0.3, 0.5, None)}
"""What is exchanged, by option; elsewhere the default and None. All share one fit."""


class _Shared:
    """Edge probabilities that all generators of one table and split share; a part of this script alone."""

    known: dict[str, pd.DataFrame] = {}

    def _discover(self, train: Table, rng: np.random.Generator, **options) -> pd.DataFrame:
        key = content_hash(train)
        if key not in self.known:
            self.known.clear()
            self.known[key] = super()._discover(train, np.random.default_rng(0), **options)
        return self.known[key]


class SharedBlanketGenerator(_Shared, CausalBlanketGenerator):
    """`causal_blanket` with shared edge probabilities."""


class SharedCausalGenerator(_Shared, CausalGenerator):
    """`causal` with shared edge probabilities."""


def measure(name: str, split: int) -> list[dict]:
    """One line for each option and exchange."""
    train, _, test = scarce_split(load_table(name), n=N, split=split, max_test=MAX_TEST_ROWS)
    lines = [judge("real", None, train, train, test)]
    for option, generator in (("smote", make_generator("smote")), ("causal", SharedCausalGenerator())):
        generator.fit(train, rng=np.random.default_rng(split))
        lines.append(judge(option, None, generator.sample(N_ROWS, rng=np.random.default_rng(split)), train, test))
    usual = CausalBlanketGenerator().exchange
    for option, values in OPTIONS.items():
        generator = SharedBlanketGenerator(**values).fit(train, rng=np.random.default_rng(split))
        for exchange in EXCHANGES.get(option, (usual, None)):
            rows = generator.set_params(exchange=exchange).sample(N_ROWS, rng=np.random.default_rng(split))
            lines.append(judge(option, exchange, rows, train, test))
    return [{"table": name, "split": split, **line} for line in lines]


def judge(option: str, exchange: float | None, rows: Table, train: Table, test: Table) -> dict:
    """What some rows score."""
    distances = closest_record_distances(rows, train)
    aucs = [synthetic_to_real_auc(rows, test, rng=np.random.default_rng(seed)) for seed in SEEDS]
    return {
        "option": option,
        "exchange": "none" if exchange is None else str(exchange),
        "usefulness": float(np.mean(aucs)),
        "association_error": association_error(test, rows),
        "closest_record": float(np.median(distances)),
        "copies": float(np.mean(distances < 1e-9)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--store", type=Path, default=ROOT / "runs" / f"{NAME}.sqlite", help="finished tables and splits"
    )
    parser.add_argument("--export", type=Path, default=RESULTS, help="folder to write to (default: book/results)")
    options = parser.parse_args()
    tasks = {f"{name}/{split}": (name, split) for split in range(N_SPLITS) for name in TABLES}
    with JsonStore(options.store) as store, single_thread():
        before = store.records()
        for key in tqdm([key for key in tasks if key not in before], disable=None):
            store.keep(key, measure(*tasks[key]))
        finished = store.records()
    frame = pd.DataFrame([line for key in tasks for line in finished[key]])
    values = ["usefulness", "association_error", "closest_record", "copies"]
    means = frame.groupby(["option", "exchange", "table"])[values].mean().groupby(["option", "exchange"]).mean()
    report = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": "python benchmarks/choose_blanket.py",
        "tables": list(TABLES),
        "n": N,
        "splits": N_SPLITS,
        "synthetic_rows": N_ROWS,
        "default_exchange": str(CausalBlanketGenerator().exchange),
        "mean_usefulness": {
            f"{option}, exchange {exchange}": round(float(value), 4)
            for (option, exchange), value in means["usefulness"].items()
        },
        "environment": describe_environment(),
    }
    options.export.mkdir(parents=True, exist_ok=True)
    print(write_whole(options.export / f"{NAME}.parquet", frame))
    print(write_whole(options.export / f"{NAME}.json", report))
    print(means.sort_values("usefulness").round(3).to_string())


if __name__ == "__main__":
    main()
