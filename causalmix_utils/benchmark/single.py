"""One run: from its settings to its metrics, by itself, on any machine."""

from __future__ import annotations

import math
import threading
import time
import traceback
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from causalmix_utils.benchmark.arms import RunSettings, hash_checkpoint
from causalmix_utils.benchmark.environment import describe_environment, measure_peak_memory, reset_peak_memory
from causalmix_utils.benchmark.parts import split_table, watch_rows
from causalmix_utils.benchmark.sharing import share_discovery
from causalmix_utils.metrics import expected_calibration_error, log_loss, roc_auc, validation_test_gap
from causalmix_utils.threads import single_thread

if TYPE_CHECKING:
    import pandas as pd

_TRAJECTORY_DECIMALS = 6

# Numbers of threads and global random generators belong to the process: a Dask worker with several
# threads must not make two runs at once.
_one_run = threading.Lock()


def execute_run(settings: RunSettings) -> dict[str, Any]:
    """Make one run on one thread.

    The train part T is the context while fine-tuning is watched on the validation part V. The
    final model, zero-shot included, has all real rows T ∪ V as its context and predicts the test part E once. The
    trajectory's test metrics are those of `watch_rows`.
    Synthetic rows enter neither V nor E nor that context.

    Parameters
    ----------
    settings : RunSettings

    Returns
    -------
    dict
        What `RunStore.add` stores. An exception becomes a record with ``status`` "failed" and its message;
        only an interrupt is passed on. ``seconds`` are those of this run by itself: where edge probabilities were
        remembered from another arm of the split, the time that they took there counts here, too.
    """
    with _one_run:
        return _execute(settings)


def _execute(settings: RunSettings) -> dict[str, Any]:
    from joblib import parallel_config

    record = {
        "settings": asdict(settings),
        "status": "done",
        "message": "",
        "metrics": {},
        "trajectory": {},
        "seconds": {},
        "environment": describe_environment(),
    }
    reset_peak_memory()
    start = time.perf_counter()
    try:
        # On a Dask worker the libraries' own parallel loops would be sent through the cluster, call by call.
        with single_thread(), parallel_config(backend="sequential"):
            record.update(_measure(settings))
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        record["status"] = "failed"
        record["message"] = f"{type(error).__name__}: {error} ({place.name}, line {place.lineno})"
    record["seconds"]["total"] = time.perf_counter() - start + record.pop("seconds_elsewhere", 0.0)
    record["peak_memory_mb"] = measure_peak_memory()
    record["finished_at"] = datetime.now(UTC).isoformat(timespec="seconds")
    return record


def _measure(settings: RunSettings) -> dict[str, Any]:
    """Fit and score one run."""
    from causalmix_utils.finetuning import CausalMixFTClassifier
    from causalmix_utils.generators import make_generator

    _check_weights(settings)
    start = time.perf_counter()
    train, validation, test = split_table(settings)
    seconds = {"load": time.perf_counter() - start}
    generator = settings.generator and make_generator(settings.generator, **settings.generator_options)
    device = settings.fine_tuning.get("device", "cpu")
    if generator is not None:
        # A generator that has a network of its own uses the run's, unless the arm names another one.
        given = {"device": device, "weights": settings.weights} | settings.generator_options
        generator.set_params(**{name: given[name] for name in ("device", "weights") if name in generator.get_params()})
    shared = generator and share_discovery(generator, train, seed=settings.discovery_seed)
    if shared:
        seconds["discovery"], was_done_before = shared
    model = CausalMixFTClassifier(
        generator=generator,
        weights=settings.weights,
        ensemble_seed=settings.split_seed,
        random_state=settings.run_seed,
        **settings.fine_tuning | {"device": device} | ({} if settings.fine_tunes else {"max_steps": 0}),
    )
    watched = watch_rows(test, settings.trajectory_rows)
    model.fit(
        train.X, train.y, X_validation=validation.X, y_validation=validation.y, X_test=watched.X, y_test=watched.y
    )
    if model.interrupted_:  # the estimator keeps the best weights so far, which are no result of this run
        raise KeyboardInterrupt
    seconds |= model.seconds_
    start = time.perf_counter()
    proba = model.predict_proba(test.X)
    seconds["predict"] = time.perf_counter() - start
    metrics = {
        "auc": roc_auc(test.y, proba, model.classes_),
        "log_loss": log_loss(test.y, proba, model.classes_),
        "calibration_error": expected_calibration_error(test.y, proba, model.classes_),
        "accuracy": float(np.mean(model.classes_[proba.argmax(axis=1)] == test.y.to_numpy())),
        "n_rows": len(train) + len(validation),
        "n_train": len(train),
        "n_validation": len(validation),
        "n_test": len(test),
        "n_features": test.X.shape[1],
        "n_classes": len(model.classes_),
        "n_synthetic": 0 if model.synthetic_ is None else len(model.synthetic_),
        "best_step": int(model.best_step_),
        **_describe_path(model.trajectory_, best_step=model.best_step_),
    }
    return {
        "metrics": _plain(metrics),
        "trajectory": _compact(model.trajectory_),
        "seconds": {stage.replace(" ", "_").replace("-", "_"): value for stage, value in seconds.items()},
        "seconds_elsewhere": seconds["discovery"] if shared and was_done_before else 0.0,
    }


def _check_weights(settings: RunSettings) -> None:
    """Another checkpoint under the same name, in a newer package or on another machine, makes other results."""
    found = hash_checkpoint(settings.weights)
    if found != settings.checkpoint:
        raise ValueError(f"weights {settings.weights!r} have the hash {found}, expected {settings.checkpoint}")


def _describe_path(path: pd.DataFrame, *, best_step: int) -> dict[str, float]:
    """The last step of a trajectory and its two gaps; a zero-shot run has no trajectory, hence no gaps."""
    if path.empty:
        return {"last_step": 0, "optimism_gap": math.nan, "tracking_gap": math.nan}
    return {"last_step": path["step"].iloc[-1], **validation_test_gap(path, best_step=best_step)}


def _compact(path: pd.DataFrame) -> dict[str, list]:
    """A trajectory as one list for each column, rounded, NaN as None: strict JSON."""
    return {column: [_plain_number(round(value, _TRAJECTORY_DECIMALS)) for value in path[column]] for column in path}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain_number(value) for name, value in values.items()}


def _plain_number(value):
    """A Python number; NaN becomes None, since JSON knows no NaN."""
    if isinstance(value, (int, np.integer)):
        return int(value)
    return None if math.isnan(value) else float(value)
