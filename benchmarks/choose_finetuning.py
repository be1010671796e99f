"""Choose how to fine-tune, on the development tables alone.

    python benchmarks/choose_finetuning.py                       # all that is missing
    python benchmarks/choose_finetuning.py --minutes 25          # as much as that allows
    python benchmarks/choose_finetuning.py --workers 2           # that many trainings side by side
    python benchmarks/choose_finetuning.py --export              # write what is finished to book/results
    python benchmarks/choose_finetuning.py --evaluate            # means and intervals anew, of what was exported

On each development table with headroom, 200 rows are split into a train and a validation part. A *training* is one
run of the loop: a generator and what changes the weights. It never ends early. At every check the validation rows are
scored with the train rows as context, and the test rows with all 200 rows as context, as the model would be deployed.
Where the number of steps is chosen by cross-validation or repeated hold-outs, the validation scores are the means
over these, and the test scores those of one more run on all 200 rows. A *rule* is a way to choose one of the checks:
it needs no further training, so every rule is tried on every training. All trainings of one table and split have the
same seeds, views, synthetic rows and, at first, weights.

Each finished training is stored at once, so the script can be stopped at any moment and started again; the most
informative trainings come first. ``--export`` leaves out trainings that have not finished at least three splits of
three tables. It writes ``book/results/finetuning_choices.parquet``, one training and rule on one table and split
a row, and ``finetuning_choices.json``: for each training and rule the mean gains over zero-shot, and the share of
runs whose test AUC ends more than 0.01 below zero-shot, with intervals; and for each its difference from the
default choice on the same splits.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from tqdm import tqdm

from causalmix_utils.benchmark import read_results
from causalmix_utils.benchmark.arms import derive_seed, hash_checkpoint
from causalmix_utils.benchmark.environment import describe_environment
from causalmix_utils.benchmark.export import write_whole
from causalmix_utils.finetuning import RECOMMENDED
from causalmix_utils.finetuning.inputs import TableEncoder
from causalmix_utils.finetuning.loop import run_loop
from causalmix_utils.finetuning.steps import LoopSettings, RowPool
from causalmix_utils.finetuning.validating import average_trajectories, make_splits
from causalmix_utils.foundation import EMBEDDED_WEIGHTS, load_classifier
from causalmix_utils.generators import make_generator
from causalmix_utils.metrics import log_loss, roc_auc
from causalmix_utils.randomness import fence_global_randomness
from causalmix_utils.tables import Table, content_hash, duplicate_groups, load_table, scarce_split
from causalmix_utils.tabpfn_bridge import TrainableEnsemble
from causalmix_utils.threads import single_thread

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # Python looks beside a script, not above it.
    sys.path.insert(0, str(ROOT))

from benchmarks.finetuning_rules import (  # noqa: E402
    HARM,
    RULES,
    USUAL,
    apply_rules,
    compare_choices,
    compare_harm,
    summarise,
)
from benchmarks.score_store import JsonStore  # noqa: E402
from benchmarks.stabilisers import OPTIONS, SHARES, blend, stabilised  # noqa: E402

RESULTS = ROOT / "book" / "results"
NAME = "finetuning_choices"
PROTOCOL = 1
"""Part of every training's identity; raised when its meaning changes."""

TABLES = ("attrition", "auto-origin", "phoneme", "saratoga", "tae", "titanic")
"""The development tables on which no model reaches an AUC of 0.97."""
N, N_SPLITS, MAX_TEST_ROWS, N_SYNTHETIC = 200, 5, 400, 1000
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
    "synthetic queries": {"mixing": "query"},
    "staged": {"mixing": "staged"},
    "a quarter synthetic": {"mix_ratio": 0.25},
    "three quarters synthetic": {"mix_ratio": 0.75},
    "cross-validation": {"validation": "cross"},
    "repeated hold-outs": {"validation": "repeated"},
}
"""What changes the weights, or which rows say how many steps to take."""
NEEDS_ROWS = (
    "mix falls",
    "fresh rows",
    "synthetic queries",
    "staged",
    "a quarter synthetic",
    "three quarters synthetic",
)
STAGES = (
    (("default",), (None, "smote", "causal_blanket", "causal"), N_SPLITS),
    (("learning rate 5e-4", "learning rate 1e-4", "uniform average", "L2-SP 200"), (None, "smote"), 3),
    (("head alone", *NEEDS_ROWS), (None, "smote"), 3),
    (("cross-validation", "repeated hold-outs"), (None,), 3),
    (("learning rate 5e-5", "exponential average", "average, rate 5e-4", "L2-SP 1000"), (None, "smote"), 3),
    (tuple(TRAININGS), (None, "smote", "causal_blanket"), N_SPLITS),
)
"""In which order trainings are made, most informative first: names, generators, splits."""


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
    trainings = [
        Training(table, hashes[table], split, generator, name, dict(TRAININGS[name]), checkpoint)
        for names, generators, n_splits in STAGES
        for name in names
        for split in range(n_splits)
        for table in TABLES
        for generator in generators
        if generator is not None or name not in NEEDS_ROWS
    ]
    return list({training.identity: training for training in trainings}.values())


def _split(table: str, split: int) -> tuple[Table, Table, Table]:
    return scarce_split(load_table(table), n=N, split=split, max_test=MAX_TEST_ROWS)


def execute(training: Training) -> dict[str, Any]:
    """Train once, or once for each validation part and once more; returns the checks, and what interpolation gives."""
    started = time.process_time()
    train, validation, test = _split(training.table, training.split)
    real = train.concat(validation)
    if (USUAL | training.options)["validation"] == "hold-out":
        checks = _train(training, train, validation=validation, real=real, test=test)
    else:
        checks = _train_over_splits(training, real, test)
    return {"checks": checks, "seconds": time.process_time() - started}


def _train_over_splits(training: Training, real: Table, test: Table) -> list[dict]:
    """Checks whose validation scores are means over several parts, and whose test scores a run on all rows has."""
    options = USUAL | training.options
    rng = np.random.default_rng(derive_seed("splits", training.table, training.split))
    n_splits, fraction = options["n_validation_splits"], options["validation_fraction"]
    codes = pd.factorize(real.y)[0]
    paths = [
        pd.DataFrame(_train(training, real.take(kept), validation=real.take(held), real=real))
        for kept, held in make_splits(
            codes, options["validation"], n_splits, fraction, rng, groups=duplicate_groups(real.X)
        )
    ]
    last = pd.DataFrame(_train(training, real, real=real, test=test))
    path = average_trajectories([path[path["share"] == 1] for path in paths])
    return path.merge(last[["step", "test_auc", "test_log_loss"]], on="step").to_dict("records")


def _train(
    training: Training, train: Table, *, real: Table, validation: Table | None = None, test: Table | None = None
) -> list[dict]:
    """One run of the loop on the train rows; returns its checks."""
    seed = derive_seed("training", training.table, training.split)
    encoder = TableEncoder()
    encoder.fit(real.X, real.y.to_numpy(), categorical=real.categorical, name="real", target=real.target)
    options = USUAL | OPTIONS | training.options
    settings = LoopSettings(**{name: options[name] for name in LoopSettings.__dataclass_fields__})
    rows, extra, batch = train, None, None
    if training.generator is not None:
        rng = np.random.default_rng(seed)
        generator = _fit(training, train)
        extra = None if validation is None else generator.sample(len(validation), rng=rng)
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
        score = make_watch(ensemble, encoder, train, real, validation=validation, test=test, extra=extra)
        never = replace(settings, patience=10_000, early_stopping=validation is not None)
        watched_weights = []
        with stabilised(ensemble, **{name: options[name] for name in OPTIONS}) as average:

            def watch() -> dict[str, float]:
                with average.applied():
                    watched_weights.append(ensemble.snapshot())
                    return score()

            result = run_loop(ensemble, RowPool(y, len(train), batch), watch, never, rng=np.random.default_rng(seed))
        checks = result.trajectory.assign(share=1.0).to_dict("records")
        if result.step and test is not None and validation is not None:
            best = watched_weights[[check["step"] for check in checks].index(result.step)]
            for share in SHARES:
                ensemble.restore(blend(watched_weights[0], best, share))
                checks.append({"step": result.step, "share": share, **score()})
    return checks


_fitted: dict[tuple[str, str], Any] = {}


def _fit(training: Training, train: Table):
    """A fitted generator; the last one is remembered, since trainings of one split come one after the other."""
    key = training.generator, content_hash(train)
    if key not in _fitted:
        _fitted.clear()
        rng = np.random.default_rng(derive_seed("fit", training.table, training.split))
        _fitted[key] = make_generator(training.generator).fit(train, rng=rng)
    return _fitted[key]


def make_watch(
    ensemble: TrainableEnsemble,
    encoder: TableEncoder,
    train: Table,
    real: Table,
    *,
    validation: Table | None,
    test: Table | None,
    extra: Table | None,
):
    """Scores of the validation rows with the train rows as context, and of the test rows with all real ones.

    Synthetic rows, where there are some, come behind the validation rows: both kinds are predicted at once.
    """
    n_validation = 0 if validation is None else len(validation)
    watched = {}
    if validation is not None:
        widened = validation if extra is None else validation.concat(extra)
        watched["validation"] = (ensemble.evaluator(*_encode(encoder, train)), _encode(encoder, widened))
    if test is not None:
        watched["test"] = (ensemble.evaluator(*_encode(encoder, real)), _encode(encoder, test))
    codes = range(len(encoder.classes_))

    def watch() -> dict[str, float]:
        ensemble.network.eval()
        scores = {"validation_auc": np.nan, "validation_log_loss": np.nan}
        for part, (classifier, (X, y)) in watched.items():
            proba = classifier.predict_proba(X)
            if part == "validation" and extra is not None:
                scores |= _score("widened", y, proba, codes)
                y, proba = y[:n_validation], proba[:n_validation]
            scores |= _score(part, y, proba, codes)
        return scores

    return watch


def _score(part: str, y: np.ndarray, proba: np.ndarray, codes: range) -> dict[str, float]:
    return {f"{part}_auc": roc_auc(y, proba, codes), f"{part}_log_loss": log_loss(y, proba, codes)}


def _encode(encoder: TableEncoder, rows: Table) -> tuple[np.ndarray, np.ndarray]:
    return encoder.encode_features(rows.X), encoder.encode_classes(rows)


class TrainingStore(JsonStore):
    """Finished trainings in one SQLite file, with what was trained."""

    def add(self, training: Training, record: dict[str, Any]) -> None:
        self.keep(training.identity, {"training": asdict(training), "record": record})


def export(store: TrainingStore, folder: Path) -> pd.DataFrame:
    """Write what is finished; returns the summary."""
    stored = store.records()
    made = [stored[training.identity] for training in list_trainings() if training.identity in stored]
    lines = [line for one in made for line in apply_rules(one["training"], one["record"])]
    seconds = sum(one["record"]["seconds"] for one in made)
    frame = pd.DataFrame(lines)
    splits = frame.groupby(["generator", "training", "table"])["split"].nunique()
    tables = (splits >= 3).groupby(["generator", "training"]).sum()
    enough = set(tables[tables >= 3].index)
    pairs = list(zip(frame["generator"], frame["training"], strict=True))
    frame = frame[[pair in enough for pair in pairs]].reset_index(drop=True)
    if "default" not in set(frame["training"]):
        raise ValueError("too little is finished: the default training needs three splits of three tables")
    report = {
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": "python benchmarks/choose_finetuning.py --export",
        "rows": N,
        "tables": sorted(frame["table"].unique()),
        "synthetic_rows": N_SYNTHETIC,
        "trainings": TRAININGS,
        "rules": RULES,
        **evaluate(frame),
        "recommended": RECOMMENDED,
        "default": {name: USUAL[name] for name in LoopSettings.__dataclass_fields__},
        "checkpoint": hash_checkpoint(EMBEDDED_WEIGHTS),
        "processor_seconds": round(seconds),
        "environment": describe_environment(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / f"{NAME}.parquet", frame)
    write_whole(folder / f"{NAME}.json", report)
    return pd.DataFrame(report["summary"])


def evaluate(frame: pd.DataFrame) -> dict[str, Any]:
    """What the stored trainings say, all of it computed from their lines alone."""
    return {
        "harm": f"test AUC more than {HARM} below zero-shot; Wilson's interval of 95 % over runs",
        "intervals_of_means": "95 %, Student's t over tables",
        "harm_by_rule": compare_harm(frame).round(4).to_dict("records"),
        "differences_from_default": compare_choices(frame).round(5).to_dict("records"),
        "summary": summarise(frame).round(4).to_dict("records"),
    }


def _execute_until(training: Training, until: float) -> tuple[Training, dict | None]:
    """The training and its record, None if it is too late to start."""
    if time.time() > until:
        return training, None
    with single_thread():
        return training, execute(training)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, default=ROOT / "runs" / "choose_finetuning.sqlite")
    parser.add_argument("--minutes", type=float, default=np.inf, help="start no training after so many minutes")
    parser.add_argument("--workers", type=int, default=1, help="trainings side by side, each on one thread")
    parser.add_argument(
        "--export", type=Path, nargs="?", const=RESULTS, help="write what is finished, and train nothing"
    )
    parser.add_argument("--evaluate", action="store_true", help="evaluate what was exported anew, and train nothing")
    options = parser.parse_args()
    if options.evaluate:
        frame, report = read_results(RESULTS, name=NAME)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        write_whole(RESULTS / f"{NAME}.json", report | evaluate(frame) | {"evaluated_at": now})
        return
    store = TrainingStore(options.store)
    if options.export is not None:
        summary = export(store, options.export)
        print(summary.round(4).to_string(index=False))
        return
    finished, until = store.records(), time.time() + 60 * options.minutes
    pending = [training for training in list_trainings() if training.identity not in finished]
    work = Parallel(n_jobs=options.workers, return_as="generator_unordered", batch_size=1)
    records = work(delayed(_execute_until)(training, until) for training in pending)
    for training, record in tqdm(records, total=len(pending), disable=None):
        if record is not None:
            store.add(training, record)


if __name__ == "__main__":
    main()
