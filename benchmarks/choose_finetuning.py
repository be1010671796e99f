"""Choose how to fine-tune, on the development tables alone.

    python benchmarks/choose_finetuning.py                       # all that is missing
    python benchmarks/choose_finetuning.py --minutes 25          # as much as that allows
    python benchmarks/choose_finetuning.py --export              # write what is finished to book/results

On each development table with headroom, 200 rows are split into a train and a validation part. A *training* is one
run of the loop: a generator and what changes the weights. It never ends early. At every check the validation rows are
scored with the train rows as context, and the test rows with all 200 rows as context, as the model would be deployed.
A *rule* is a way to choose one of the checks: it needs no further training, so every rule is tried on every
training. All trainings of one table and split have the same seeds, views, synthetic rows and, at first, weights.

Each finished training is stored at once, so the script can be stopped at any moment and started again; the most
informative trainings come first. ``--export`` leaves out trainings that have not finished at least three splits of
three tables. It writes ``book/results/finetuning_choices.parquet``, one training and rule on one table and split
a row, and ``finetuning_choices.json``: for each training and rule the mean gains over zero-shot, and the share of
runs whose test AUC ends more than 0.01 below zero-shot, with intervals.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from tqdm import tqdm

from causalmix_utils.benchmark.arms import derive_seed, hash_checkpoint
from causalmix_utils.benchmark.environment import describe_environment
from causalmix_utils.benchmark.export import write_whole
from causalmix_utils.finetuning import CausalMixFTClassifier
from causalmix_utils.finetuning.inputs import TableEncoder
from causalmix_utils.finetuning.loop import LoopSettings, RowPool, run_loop
from causalmix_utils.finetuning.stabilising import SHARES, blend
from causalmix_utils.finetuning.validating import choose_step
from causalmix_utils.foundation import EMBEDDED_WEIGHTS, load_classifier
from causalmix_utils.generators import make_generator
from causalmix_utils.metrics import log_loss, roc_auc
from causalmix_utils.randomness import fence_global_randomness
from causalmix_utils.tables import Table, content_hash, load_table, scarce_split
from causalmix_utils.tabpfn_bridge import TrainableEnsemble
from causalmix_utils.threads import single_thread

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "book" / "results"
NAME = "finetuning_choices"
PROTOCOL = 1
"""Part of every training's identity; raised when its meaning changes."""

TABLES = ("attrition", "auto-origin", "phoneme", "saratoga", "tae", "titanic")
"""The development tables on which no model reaches an AUC of 0.97."""
N, N_SPLITS, MAX_TEST_ROWS, N_SYNTHETIC = 200, 5, 400, 1000
HARM = 0.01
"""A run does harm if its test AUC is lower than zero-shot by more than this."""
GENERATORS = (None, "smote", "causal_blanket")

USUAL = CausalMixFTClassifier().get_params(deep=False)
TRAININGS: dict[str, dict[str, Any]] = {
    "default": {},
    "uniform average": {"averaging": "uniform"},
    "L2-SP 200": {"l2_sp": 200.0},
    "learning rate 5e-4": {"learning_rate": 5e-4},
    "learning rate 1e-4": {"learning_rate": 1e-4},
    "head alone": {"trainable": "head"},
    "mix falls": {"mix_schedule": "linear"},
    "fresh rows": {"redraw_every": 1},
    "learning rate 5e-5": {"learning_rate": 5e-5},
    "exponential average": {"averaging": "exponential"},
    "average, rate 5e-4": {"averaging": "uniform", "learning_rate": 5e-4},
    "L2-SP 1000": {"l2_sp": 1000.0},
}
"""What changes the weights, most informative first."""
NEEDS_ROWS = ("mix falls", "fresh rows")

RULES: dict[str, dict[str, Any]] = {
    "default": {},
    "gain of .005": {"min_validation_gain": 0.005},
    "gain of .01": {"min_validation_gain": 0.01},
    "gain of .02": {"min_validation_gain": 0.02},
    "log-loss": {"early_stopping_metric": "log_loss"},
    "log-loss, gain of .005": {"early_stopping_metric": "log_loss", "min_validation_gain": 0.005},
    "log-loss, gain of .01": {"early_stopping_metric": "log_loss", "min_validation_gain": 0.01},
    "log-loss, gain of .02": {"early_stopping_metric": "log_loss", "min_validation_gain": 0.02},
    "patience 3": {"patience": 3},
    "patience 3, growing": {"patience": 3, "patience_growth": 0.5},
    "last step": {"early_stopping": False},
}
"""How a check is chosen. Two more rules follow from what is stored: ``interpolated`` and ``widened validation``."""


@dataclass(frozen=True)
class Training:
    """One run of the loop."""

    table: str
    table_hash: str
    split: int
    generator: str | None
    name: str
    options: dict[str, Any] = field(default_factory=dict)
    checkpoint: str = ""
    protocol: int = PROTOCOL

    @property
    def identity(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]


def list_trainings() -> list[Training]:
    """All trainings; the first splits of all tables come first."""
    checkpoint = hash_checkpoint(EMBEDDED_WEIGHTS)
    hashes = {table: content_hash(load_table(table)) for table in TABLES}
    stages = [(range(3), 0, 8, GENERATORS[:2]), (range(3), 0, 1, GENERATORS[2:]), (range(N_SPLITS), 0, 99, GENERATORS)]
    trainings = [
        Training(table, hashes[table], split, generator, name, dict(TRAININGS[name]), checkpoint)
        for splits, first, last, generators in stages
        for name in list(TRAININGS)[first:last]
        for split in splits
        for table in TABLES
        for generator in generators
        if generator is not None or name not in NEEDS_ROWS
    ]
    return list({training.identity: training for training in trainings}.values())


@cache
def _split(table: str, split: int) -> tuple[Table, Table, Table]:
    return scarce_split(load_table(table), n=N, split=split, max_test=MAX_TEST_ROWS)


@cache
def _fit(table: str, split: int, generator: str):
    train, _, _ = _split(table, split)
    return make_generator(generator).fit(train, rng=np.random.default_rng(derive_seed("fit", table, split)))


def execute(training: Training) -> dict[str, Any]:
    """Train once; returns the checks, and what interpolation after the last one gives."""
    started = time.process_time()
    train, validation, test = _split(training.table, training.split)
    real = train.concat(validation)
    seed = derive_seed("training", training.table, training.split)
    encoder = TableEncoder()
    encoder.fit(real.X, real.y.to_numpy(), categorical=real.categorical, name="real", target=real.target)
    options = USUAL | training.options
    settings = LoopSettings(**{name: options[name] for name in LoopSettings.__dataclass_fields__})
    rows, extra, batch = train, None, None
    if training.generator is not None:
        rng = np.random.default_rng(seed)
        generator = _fit(training.table, training.split, training.generator)
        extra = generator.sample(len(validation), rng=rng)
        batches = 1 if settings.redraw_every is None else settings.max_steps // settings.redraw_every
        batch = N_SYNTHETIC if batches == 1 else len(train)
        rows = train.concat(generator.sample(batch * batches, rng=rng))
    with fence_global_randomness():
        classifier = load_classifier(
            n_estimators=options["n_estimators"],
            random_state=seed,
            device="cpu",
            categorical_features_indices=[real.X.columns.get_loc(name) for name in real.categorical],
        )
        X, y = _encode(encoder, rows)
        ensemble = TrainableEnsemble(classifier, X, y)
        watch = make_watch(ensemble, encoder, (train, validation, real, test), extra)
        start = ensemble.snapshot()
        never = replace(settings, patience=10_000)
        result = run_loop(ensemble, RowPool(y, len(train), batch), watch, never, rng=np.random.default_rng(seed))
        checks = result.trajectory.assign(share=1.0).to_dict("records")
        if result.step:
            best = ensemble.snapshot()
            for share in SHARES:
                ensemble.restore(blend(start, best, share))
                checks.append({"step": result.step, "share": share, **watch()})
    return {"checks": checks, "seconds": time.process_time() - started}


def make_watch(ensemble: TrainableEnsemble, encoder: TableEncoder, parts: tuple[Table, ...], extra: Table | None):
    """Scores of the validation rows with the train rows as context, and of the test rows with all real ones."""
    train, validation, real, test = parts
    watched = {"validation": (ensemble.evaluator(*_encode(encoder, train)), _encode(encoder, validation))}
    if extra is not None:
        widened = _encode(encoder, validation.concat(extra))
        watched["widened"] = (watched["validation"][0], widened)
    watched["test"] = (ensemble.evaluator(*_encode(encoder, real)), _encode(encoder, test))
    codes = range(len(encoder.classes_))

    def watch() -> dict[str, float]:
        ensemble.network.eval()
        scores = {}
        for part, (classifier, (X, y)) in watched.items():
            proba = classifier.predict_proba(X)
            scores |= {f"{part}_auc": roc_auc(y, proba, codes), f"{part}_log_loss": log_loss(y, proba, codes)}
        return scores

    return watch


def _encode(encoder: TableEncoder, rows: Table) -> tuple[np.ndarray, np.ndarray]:
    return encoder.encode_features(rows.X), encoder.encode_classes(rows)


class Store:
    """Finished trainings in one SQLite file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=60)
        with self._connection as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS trainings (id TEXT PRIMARY KEY, training TEXT, record TEXT)")

    def add(self, training: Training, record: dict[str, Any]) -> None:
        with self._connection as connection:
            values = training.identity, json.dumps(asdict(training)), json.dumps(record)
            connection.execute("INSERT OR REPLACE INTO trainings VALUES (?, ?, ?)", values)

    def finished(self) -> set[str]:
        return {identity for (identity,) in self._connection.execute("SELECT id FROM trainings")}

    def __iter__(self) -> Iterator[tuple[dict, dict]]:
        for training, record in self._connection.execute("SELECT training, record FROM trainings ORDER BY id"):
            yield json.loads(training), json.loads(record)


def apply_rules(training: dict, record: dict) -> list[dict]:
    """One line for each rule: the check that it chooses, and its gains over zero-shot."""
    checks = pd.DataFrame(record["checks"])
    path, between = checks[checks["share"] == 1], checks[checks["share"] < 1]
    plain = path[[column for column in path if not column.startswith("widened")]]
    usual = LoopSettings(**{name: USUAL[name] for name in LoopSettings.__dataclass_fields__})
    chosen = {}
    for rule, options in RULES.items():
        step = choose_step(plain, replace(usual, **options))
        chosen[rule] = path.set_index("step").loc[step]
    default = chosen["default"]
    candidates = pd.concat([path[path["step"] == default.name], between[between["step"] == default.name]])
    chosen["interpolated"] = candidates.set_index("step").iloc[int(np.argmax(candidates["validation_auc"]))]
    if "widened_auc" in path:
        chosen["widened validation"] = path.set_index("step").loc[choose_step(path, usual)]
    first = path.iloc[0]
    kept = {name: training[name] for name in ("table", "split", "generator")}
    return [
        {
            **kept,
            "generator": training["generator"] or "none",
            "training": training["name"],
            "rule": rule,
            "step": int(check.name),
            "share": float(check["share"]),
            "zero_shot_auc": first["test_auc"],
            "auc": check["test_auc"],
            "auc_gain": check["test_auc"] - first["test_auc"],
            "log_loss_gain": first["test_log_loss"] - check["test_log_loss"],
            "validation_auc_gain": check["validation_auc"] - first["validation_auc"],
            "seconds": record["seconds"],
        }
        for rule, check in chosen.items()
    ]


def summarise(frame: pd.DataFrame) -> pd.DataFrame:
    """One row a training and rule: mean gains over tables with bootstrap intervals, and the share of harm."""
    rng = np.random.default_rng(0)
    lines = []
    for (generator, training, rule), part in frame.groupby(["generator", "training", "rule"]):
        tables = part.groupby("table")[["auc_gain", "log_loss_gain"]].mean().to_numpy()
        means = tables[rng.integers(0, len(tables), (2000, len(tables)))].mean(axis=1)
        low, high = np.quantile(means, [0.025, 0.975], axis=0)
        harm = binomtest(int((part["auc_gain"] < -HARM).sum()), len(part))
        interval = harm.proportion_ci(method="wilson")
        lines.append(
            {"generator": generator, "training": training, "rule": rule, "runs": len(part), "tables": len(tables)}
            | {"auc_gain": tables[:, 0].mean(), "auc_gain_low": low[0], "auc_gain_high": high[0]}
            | {"log_loss_gain": tables[:, 1].mean(), "log_loss_gain_low": low[1], "log_loss_gain_high": high[1]}
            | {"harm": harm.statistic, "harm_low": interval.low, "harm_high": interval.high}
        )
    return pd.DataFrame(lines)


def export(store: Store, folder: Path) -> pd.DataFrame:
    """Write what is finished; returns the summary."""
    known = {training.identity for training in list_trainings()}
    lines, seconds = [], 0.0
    for training, record in store:
        if Training(**training).identity in known:
            lines += apply_rules(training, record)
            seconds += record["seconds"]
    frame = pd.DataFrame(lines)
    splits = frame.groupby(["generator", "training", "table"])["split"].nunique()
    tables = (splits >= 3).groupby(["generator", "training"]).sum()
    enough = set(tables[tables >= 3].index)
    pairs = list(zip(frame["generator"], frame["training"], strict=True))
    frame = frame[[pair in enough for pair in pairs]].reset_index(drop=True)
    summary = summarise(frame)
    report = {
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": "python benchmarks/choose_finetuning.py --export",
        "rows": N,
        "tables": sorted(frame["table"].unique()),
        "synthetic_rows": N_SYNTHETIC,
        "harm": f"test AUC more than {HARM} below zero-shot; Wilson's interval of 95 %",
        "intervals_of_means": "95 %, bootstrap over tables",
        "trainings": TRAININGS,
        "rules": RULES,
        "default": {name: USUAL[name] for name in LoopSettings.__dataclass_fields__},
        "checkpoint": hash_checkpoint(EMBEDDED_WEIGHTS),
        "processor_seconds": round(seconds),
        "summary": summary.round(4).to_dict("records"),
        "environment": describe_environment(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / f"{NAME}.parquet", frame)
    write_whole(folder / f"{NAME}.json", report)
    return summary


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, default=ROOT / "runs" / "choose_finetuning.sqlite")
    parser.add_argument("--minutes", type=float, default=np.inf, help="start no training after so many minutes")
    parser.add_argument(
        "--export", type=Path, nargs="?", const=RESULTS, help="write what is finished, and train nothing"
    )
    options = parser.parse_args()
    store = Store(options.store)
    if options.export is not None:
        summary = export(store, options.export)
        print(summary.round(4).to_string(index=False))
        return
    started, finished = time.monotonic(), store.finished()
    pending = [training for training in list_trainings() if training.identity not in finished]
    with single_thread():
        for training in tqdm(pending, disable=None):
            if time.monotonic() - started > 60 * options.minutes:
                break
            store.add(training, execute(training))


if __name__ == "__main__":
    main()
