"""Compare this package's fine-tuning with that of the tabpfn library, ``FinetunedTabPFNClassifier``.

    python benchmarks/compare_finetuning.py                  # all parts, then the export
    python benchmarks/compare_finetuning.py --parts speed

*Speed.* Seconds of one optimiser step on 200 rows of 10 and on 1,000 rows of 20 features, 30 % of them query rows:
both loops with one estimator, the same preparation of the table, the same size of the network, side by side on one
thread. A step is everything between two optimiser steps: splitting, preparing, both passes, the update. The library
computes its layers' values again in the backward pass, as it does by default, and, as a further arm, does not. One
more arm of ours replaces the attention kernel by plain softmax(q kᵀ) v while gradients are on. All of it once for the
embedded checkpoint and once for untrained weights in the layout of TabPFN v2.

*Memory.* The process at its highest point, less what it held before, while a fit of four steps with two looks at 200
validation rows runs on 1,000 rows of 20 features; each arm in a process of its own. Both loops with the layers' values
kept, and with the values computed again in the backward pass, which is the library's default and an option of ours.

*Agreement.* The same 60 steps on three development tables, validation AUC at every check: once with the rows of each
step handed from our loop to the library, so that nothing may differ, and once with the library's own draws.

*Work.* Where the time of our step goes: operations and bytes moved against what the machine can do at best.

Seconds are the processor's. Writes ``book/results/finetuning_speed.parquet``, one measurement a row, and
``finetuning_speed.json``, its provenance with the ratios.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import make_classification
from tabpfn.architectures.shared import attention_backends
from tabpfn.constants import ModelVersion
from tabpfn.finetuning import FinetunedTabPFNClassifier, finetuned_base
from torch.utils._python_dispatch import TorchDispatchMode
from tqdm import tqdm

from causalmix_utils.benchmark.environment import measure_peak_memory, reset_peak_memory
from causalmix_utils.finetuning import CausalMixFTClassifier
from causalmix_utils.finetuning.inputs import TableEncoder
from causalmix_utils.finetuning.loop import run_loop
from causalmix_utils.finetuning.steps import QUERY_FRACTION, LoopSettings, RowPool, draw_step
from causalmix_utils.foundation import embedded_checkpoint, load_classifier
from causalmix_utils.metrics import roc_auc
from causalmix_utils.pretraining.settings import PretrainingSettings
from causalmix_utils.pretraining.steps import build_network
from causalmix_utils.pretraining.training import save_checkpoint
from causalmix_utils.tables import load_table, scarce_split
from causalmix_utils.tabpfn_bridge import TrainableEnsemble
from causalmix_utils.threads import single_thread

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # Python looks beside a script, not above it.
    sys.path.insert(0, str(ROOT))

from benchmarks.stored_parts import store_parts  # noqa: E402

RESULTS = ROOT / "book" / "results"
NAME = "finetuning_speed"

SIZES = {(200, 10): 12, (1000, 20): 5}
"""Rows and features, and the number of steps that are timed."""
REPEATS = 2
MEMORY_SIZE, MEMORY_STEPS, N_VALIDATION = (1000, 20), 4, 200
MEMORY_REPEATS = 5
MEMORY_ARMS = ("ours", "ours, values again", "library", "library, values kept")
V2_NETWORK = {"emsize": 64, "nlayers": 4, "nhead": 4, "features_per_group": 2}
TABLES = ("titanic", "saratoga", "auto-origin")
N_ROWS, STEPS, SEED = 200, 60, 0

USUAL = CausalMixFTClassifier().get_params(deep=False)


class PlainAttention:
    """softmax(q kᵀ) v, for the library's register of attention kernels."""

    name = "plain"

    def is_preferred(self, spec) -> bool:
        return spec.is_grad_enabled

    def run(self, q, k, v, **_):
        q, k, v = (part.transpose(1, 2) for part in (q, k, v))
        return (torch.softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5, -1) @ v).transpose(1, 2)


@contextlib.contextmanager
def plain_attention() -> Iterator[None]:
    attention_backends.register_attention_backend(PlainAttention())
    try:
        yield
    finally:
        attention_backends.unregister_attention_backend(PlainAttention.name)


class Library(FinetunedTabPFNClassifier):
    """The library's class with a memory of its steps and of its looks at the validation rows."""

    def __init__(self, **options) -> None:
        super().__init__(**options)
        self.experiment_logger = self
        self.clock: list[float] = []
        self.losses: list[float] = []
        self.seen: list[tuple[int, float]] = []

    def setup(self, config) -> None: ...

    def log_step(self, metrics, step) -> None:
        self.clock.append(time.process_time())
        self.losses.append(metrics["train/loss"])

    def log_epoch(self, metrics, step) -> None: ...

    def finish(self) -> None: ...

    def _log_epoch_evaluation(self, epoch, eval_result, mean_train_loss) -> None:
        self.seen.append((epoch + 1, eval_result.primary))


def make_library(weights: Path, steps: int, *, categorical: list[int] | None = None, **options) -> Library:
    """The library's class with our settings: one estimator, one step an epoch, our share of query rows."""
    values = {
        "device": "cpu",
        "epochs": steps,
        "learning_rate": USUAL["learning_rate"],
        "weight_decay": USUAL["weight_decay"],
        "validation_split_ratio": None,
        "finetune_ctx_query_split_ratio": QUERY_FRACTION,
        "early_stopping": False,
        "n_estimators_finetune": 1,
        "n_estimators_validation": 1,
        "n_estimators_final_inference": 1,
        "random_state": SEED,
        "extra_classifier_kwargs": {"model_path": str(weights), "categorical_features_indices": categorical},
        "model_version": ModelVersion.V2,
    }
    return Library(**values | options)


def fit_quietly(model: Library, *rows) -> Library:
    """Fit without the library's progress bars and its warning that nothing is saved on the way."""
    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(*rows)


def make_settings(steps: int, **options) -> LoopSettings:
    values = {name: USUAL[name] for name in LoopSettings.__dataclass_fields__}
    return LoopSettings(**values | {"max_steps": steps, "early_stopping": False} | options)


def make_ensemble(weights: Path, X: np.ndarray, y: np.ndarray, categorical: list[int] | None = None, **options):
    classifier = load_classifier(
        weights, n_estimators=1, random_state=SEED, device="cpu", categorical_features_indices=categorical
    )
    return TrainableEnsemble(classifier, X, y, **options)


def make_rows(n_rows: int, n_features: int) -> tuple[np.ndarray, np.ndarray]:
    X, y = make_classification(n_rows, n_features, n_informative=5, random_state=SEED)
    return X.astype(float), y


# ---- speed ---------------------------------------------------------------------------------


def time_ours(weights: Path, X: np.ndarray, y: np.ndarray, steps: int, *, again: bool = False) -> float:
    ensemble = make_ensemble(weights, X, y, activation_checkpointing=again)
    clock: list[float] = []

    def draw(*arguments):
        clock.append(time.process_time())
        return draw_step(*arguments)

    settings = make_settings(steps + 1)
    run_loop(ensemble, RowPool(y, len(y)), None, settings, rng=np.random.default_rng(SEED), draw=draw)
    return (clock[-1] - clock[0]) / steps


def time_library(weights: Path, X: np.ndarray, y: np.ndarray, steps: int, *, again: bool) -> float:
    model = make_library(weights, steps + 1, use_activation_checkpointing=again)
    clock = fit_quietly(model, X, y).clock
    return (clock[-1] - clock[0]) / steps


def time_plain(*arguments) -> float:
    with plain_attention():
        return time_ours(*arguments)


ARMS: dict[str, Callable[..., float]] = {
    "ours": time_ours,
    "ours, values again": lambda *arguments: time_ours(*arguments, again=True),
    "library": lambda *arguments: time_library(*arguments, again=True),
    "library, values kept": lambda *arguments: time_library(*arguments, again=False),
    "ours, plain attention": time_plain,
}


def measure_speed(folder: Path) -> list[dict]:
    """Each arm `REPEATS` times, in turns."""
    weights = {"nano": embedded_checkpoint(), "v2 layout": make_v2_checkpoint(folder)}
    tasks = [
        (name, size, repeat, arm) for name in weights for size in SIZES for repeat in range(REPEATS) for arm in ARMS
    ]
    lines = []
    for name, size, repeat, arm in tqdm(tasks, desc="speed", disable=None):
        seconds = ARMS[arm](weights[name], *make_rows(*size), SIZES[size])
        line = {"weights": name, "rows": size[0], "features": size[1], "arm": arm}
        lines.append(line | {"repeat": repeat, "seconds": seconds})
    return lines


def make_v2_checkpoint(folder: Path) -> Path:
    """Untrained weights in the layout of TabPFN v2."""
    network = {**V2_NETWORK, "max_num_classes": 10, "num_buckets": 2}
    settings = PretrainingSettings(layout="tabpfn_v2", network=network)
    return save_checkpoint(build_network(settings), folder / "v2.safetensors", settings=settings)


# ---- memory --------------------------------------------------------------------------------


def remember_ours(X, y, X_validation, y_validation, *, again: bool) -> None:
    ensemble = make_ensemble(embedded_checkpoint(), X, y, activation_checkpointing=again)
    evaluator = ensemble.evaluator(X, y)

    def watch():
        ensemble.network.eval()
        return {"validation_auc": roc_auc(y_validation, evaluator.predict_proba(X_validation), [0, 1])}

    settings = make_settings(MEMORY_STEPS, check_every=2)
    run_loop(ensemble, RowPool(y, len(y)), watch, settings, rng=np.random.default_rng(SEED))


def remember_library(X, y, X_validation, y_validation, *, again: bool) -> None:
    model = make_library(
        embedded_checkpoint(), MEMORY_STEPS, use_activation_checkpointing=again, validation_frequency=2
    )
    fit_quietly(model, X, y, X_validation, y_validation)


def remember(arm: str) -> dict:
    """Peak memory of one arm, measured in this process."""
    X, y = make_rows(MEMORY_SIZE[0] + N_VALIDATION, MEMORY_SIZE[1])
    parts = X[N_VALIDATION:], y[N_VALIDATION:], X[:N_VALIDATION], y[:N_VALIDATION]
    work = {
        "ours": lambda *rows: remember_ours(*rows, again=False),
        "ours, values again": lambda *rows: remember_ours(*rows, again=True),
        "library": lambda *rows: remember_library(*rows, again=True),
        "library, values kept": lambda *rows: remember_library(*rows, again=False),
    }[arm]
    with single_thread():
        make_ensemble(embedded_checkpoint(), X[:20], y[:20]).evaluator(X[:20], y[:20]).predict_proba(X[:5])
        reset_peak_memory()
        before = measure_peak_memory()
        work(*parts)
        peak = measure_peak_memory()
    return {"weights": "nano", "rows": MEMORY_SIZE[0], "features": MEMORY_SIZE[1], "arm": arm} | {
        "peak_mb": peak - before,
        "process_mb": peak,
    }


def measure_memory(_: Path) -> list[dict]:
    """Each arm several times, since how a process lays out its memory is partly chance."""
    lines = []
    for repeat, arm in tqdm(
        [(k, arm) for k in range(MEMORY_REPEATS) for arm in MEMORY_ARMS], desc="memory", disable=None
    ):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            lines.append(pool.apply(remember, (arm,)) | {"repeat": repeat})
            pool.close()
            pool.join()
    return lines


# ---- agreement -----------------------------------------------------------------------------


def measure_agreement(_: Path) -> list[dict]:
    lines = []
    for name in tqdm(TABLES, desc="agreement", disable=None):
        train, validation, _ = scarce_split(load_table(name), n=N_ROWS, split=0)
        encoder = TableEncoder()
        real = train.concat(validation)
        encoder.fit(real.X, real.y.to_numpy(), categorical=real.categorical, name="real", target=real.target)
        categorical = [real.X.columns.get_loc(column) for column in real.categorical]
        parts = [(encoder.encode_features(rows.X), encoder.encode_classes(rows)) for rows in (train, validation)]
        paths, draws, ensemble = follow_ours(*parts, categorical)
        paths["library, our rows"] = follow_library(*parts, categorical, hand_over(ensemble, draws))
        paths["library, its rows"] = follow_library(*parts, categorical, contextlib.nullcontext())
        lines += [
            {"table": name, "arm": arm, "step": step, "validation_auc": auc}
            for arm, path in paths.items()
            for step, auc in path
        ]
    return lines


def follow_ours(train, validation, categorical):
    """Validation AUC at our checks, the rows of our steps, and the ensemble that they are positions in."""
    ensemble = make_ensemble(embedded_checkpoint(), *train, categorical)
    evaluator = ensemble.evaluator(*train)
    draws = []

    def draw(*arguments):
        draws.append(draw_step(*arguments))
        return draws[-1]

    def watch():
        ensemble.network.eval()
        auc = roc_auc(validation[1], evaluator.predict_proba(validation[0]), range(len(np.unique(train[1]))))
        return {"validation_auc": auc}

    pool = RowPool(train[1], len(train[1]))
    result = run_loop(ensemble, pool, watch, make_settings(STEPS), rng=np.random.default_rng(SEED), draw=draw)
    path = list(zip(result.trajectory["step"], result.trajectory["validation_auc"], strict=True))
    return {"ours": path}, draws, ensemble


def follow_library(train, validation, categorical, rows: contextlib.AbstractContextManager) -> list[tuple[int, float]]:
    """Validation AUC at the library's checks, with our schedule of the learning rate."""
    model = make_library(
        embedded_checkpoint(), STEPS, categorical=categorical, validation_frequency=USUAL["check_every"]
    )
    with rows, our_schedule():
        return fit_quietly(model, *train, *validation).seen


def our_schedule() -> contextlib.AbstractContextManager:
    """Let the library's learning rate follow our schedule."""

    def make(*, total_steps: int, **_) -> Callable[[int], float]:
        return lambda done: min(1.0, (done + 1) / max(1, total_steps // 10))

    return mock.patch.object(finetuned_base, "get_cosine_schedule_with_warmup", make)


@contextlib.contextmanager
def hand_over(ensemble: TrainableEnsemble, draws: list) -> Iterator[None]:
    """Let the library split its rows as our loop did, step by step.

    The library shuffles the prepared rows first, so ours are found again by their content: that they are found also
    shows that both prepared them alike.
    """
    steps = iter(draws)
    known = [row.tobytes() + bytes([code]) for row, code in zip(ensemble._X.astype(float), ensemble._y, strict=True)]

    def split(X, y, **_):
        places: dict[bytes, list[int]] = {}
        for place, (row, code) in enumerate(zip(np.asarray(X, dtype=float), y, strict=True)):
            places.setdefault(row.tobytes() + bytes([int(code)]), []).append(place)
        context, query = ([places[known[position]].pop() for position in rows] for rows in next(steps))
        return X[context], X[query], y[context], y[query]

    with mock.patch.object(finetuned_base, "_ratio_ctx_query_split", split):
        yield


# ---- work ----------------------------------------------------------------------------------


class WorkCounter(TorchDispatchMode):
    """Counts floating-point operations of products, and the bytes that every operation reads and writes."""

    def __init__(self) -> None:
        super().__init__()
        self.operations = {"matrix products": 0, "attention": 0}
        self.bytes = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        name = function._schema.name
        if "scaled_dot_product" in name:
            backward = "backward" in name
            q, k = (args[1], args[2]) if backward else (args[0], args[1])
            pairs = q.shape[0] * q.shape[1] * q.shape[2] * k.shape[2] * q.shape[3]
            self.operations["attention"] += (10 if backward else 4) * pairs
        elif name in ("aten::mm", "aten::bmm"):
            self.operations["matrix products"] += 2 * args[0].numel() * args[1].shape[-1]
        elif name == "aten::addmm":
            self.operations["matrix products"] += 2 * args[1].numel() * args[2].shape[-1]
        is_view = any(
            argument.alias_info and not argument.alias_info.is_write for argument in function._schema.arguments
        )
        if not is_view:
            leaves = [*torch.utils._pytree.tree_leaves((args, kwargs)), *torch.utils._pytree.tree_leaves(result)]
            self.bytes += sum(leaf.numel() * leaf.element_size() for leaf in leaves if isinstance(leaf, torch.Tensor))
        return result


def measure_work(_: Path) -> list[dict]:
    """Operations, bytes and seconds of both passes of our step, and the machine's best."""
    best_operations, best_bytes = measure_machine()
    lines = []
    for (n_rows, n_features), steps in SIZES.items():
        X, y = make_rows(n_rows, n_features)
        ensemble = make_ensemble(embedded_checkpoint(), X, y)
        context, query = draw_step(RowPool(y, n_rows), make_settings(1), 1, np.random.default_rng(SEED))

        def both_passes(context=context, query=query, ensemble=ensemble) -> None:
            ensemble.loss(context, query, view=0).backward()

        with WorkCounter() as counter:
            both_passes()
        times = list_kernel_seconds(both_passes, steps)
        line = {"weights": "nano", "rows": n_rows, "features": n_features, "arm": "ours"}
        for kind, operations in counter.operations.items():
            line |= {f"{kind}, Gflop": operations / 1e9, f"{kind}, seconds": times[kind]}
        line |= {"other, seconds": times["other"], "seconds": sum(times.values()), "bytes_gb": counter.bytes / 1e9}
        line |= {"best_gflop_per_second": best_operations / 1e9, "best_gb_per_second": best_bytes / 1e9}
        line["least_seconds"] = sum(counter.operations.values()) / best_operations
        line["least_seconds_of_bytes"] = counter.bytes / best_bytes
        lines.append(line)
    return lines


def list_kernel_seconds(work: Callable[[], None], steps: int) -> dict[str, float]:
    """Seconds that one call of `work` spends in attention kernels, in matrix products, and in all else."""
    for _ in range(2):
        work()
    start = time.process_time()
    for _ in range(steps):
        work()
    total = (time.process_time() - start) / steps
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        for _ in range(steps):
            work()
    seconds = {"attention": 0.0, "matrix products": 0.0, "other": 0.0}
    for event in profile.key_averages():
        kind = "other"
        if "scaled_dot_product" in event.key:
            kind = "attention"
        elif event.key in ("aten::mm", "aten::bmm", "aten::addmm"):
            kind = "matrix products"
        seconds[kind] += event.self_cpu_time_total / 1e6 / steps
    share = total / sum(seconds.values())  # the profiler itself takes time
    return {kind: value * share for kind, value in seconds.items()}


def measure_machine() -> tuple[float, float]:
    """Operations a second of a large product, and bytes a second of a large copy, on one thread."""
    a, long = torch.randn(1500, 1500), torch.randn(40_000_000)
    target = torch.empty_like(long)
    products = min(_clock(lambda: a @ a) for _ in range(5))
    copies = min(_clock(lambda: target.copy_(long)) for _ in range(5))
    return 2 * 1500**3 / products, 2 * long.numel() * long.element_size() / copies


def _clock(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


PARTS = {"speed": measure_speed, "memory": measure_memory, "agreement": measure_agreement, "work": measure_work}


def summarise(frame: pd.DataFrame) -> dict:
    """The figures that the parts were measured for."""
    summary: dict = {}
    if "speed" in set(frame["part"]):
        speed = frame[frame["part"] == "speed"]
        medians = speed.groupby(["weights", "rows", "features", "arm"])["seconds"].median().unstack("arm")
        ratios = medians.div(medians["library"], axis=0)
        summary["seconds_of_a_step"] = _flatten(medians)
        summary["share_of_the_library's_seconds"] = _flatten(ratios)
    if "memory" in set(frame["part"]):
        memory = frame[frame["part"] == "memory"].groupby("arm")["peak_mb"]
        summary["peak_mb"] = memory.median().round(1).to_dict()
        summary["range_of_peak_mb"] = {
            arm: [round(float(x), 1) for x in (part.min(), part.max())] for arm, part in memory
        }
    if "agreement" in set(frame["part"]):
        paths = frame[frame["part"] == "agreement"].pivot(
            index=["table", "step"], columns="arm", values="validation_auc"
        )
        away = paths.drop(columns="ours").sub(paths["ours"], axis=0).abs()
        summary["largest_difference_of_validation_auc"] = _flatten(away.groupby("table").max())
        summary["mean_difference_of_validation_auc"] = _flatten(away.groupby("table").mean())
    return summary


def _flatten(frame: pd.DataFrame) -> dict[str, dict[str, float]]:
    names = ["×".join(map(str, key)) if isinstance(key, tuple) else str(key) for key in frame.index]
    return {name: row.round(4).to_dict() for name, (_, row) in zip(names, frame.iterrows(), strict=True)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="these parts only")
    parser.add_argument("--export", type=Path, default=RESULTS, help="folder to write to (default: book/results)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, single_thread():
        measured = {part: PARTS[part](Path(folder)) for part in options.parts}
    report = store_parts(
        options.export,
        NAME,
        measured,
        command="python benchmarks/compare_finetuning.py",
        settings={
            "threads": 1,
            "seconds": "of the processor",
            "query_share": QUERY_FRACTION,
            "repeats": REPEATS,
        },
        summarise=summarise,
    )
    for name, value in report["summary"].items():
        print(name, value)


if __name__ == "__main__":
    main()
