"""Training the embedded checkpoint from scratch on the prior.

The state of a run is just its weights, its optimisers and its step, since the tables of a
step depend on (seed, step) alone. So a run that is stopped and continued sees the very same
tables, and ends with the very same bits on the same machine.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from causalmix_utils.arguments import check_count
from causalmix_utils.pretraining.settings import PretrainingSettings
from causalmix_utils.pretraining.state import RunFolder
from causalmix_utils.pretraining.steps import build_network, make_average, make_optimizers, take_step
from causalmix_utils.whole_files import replacing

if TYPE_CHECKING:
    import torch

INFERENCE = {
    "PREPROCESS_TRANSFORMS": [
        {"name": "none", "categorical_name": "numeric"},
        {"name": "quantile_uni_coarse", "categorical_name": "numeric"},
    ],
    "FINGERPRINT_FEATURE": False,
    "SOFTMAX_TEMPERATURE": 1.0,
    "MAX_CPU_SAMPLES": 10_000,
}
"""How the library prepares a table for this network: every other view as it was trained, with nothing but category
codes, and every other one with the ranks of the numbers. ``benchmarks/choose_inference.py`` compares it with others."""


def pretrain(
    folder: str | os.PathLike,
    *,
    settings: PretrainingSettings | None = None,
    device: str = "auto",
    n_threads: int = 1,
    save_every: float = 180.0,
    time_limit: float | None = None,
    progress: bool = True,
) -> Path:
    """Train a network on the prior, or continue the run that `folder` holds.

    Parameters
    ----------
    folder : path
        Holds the run: ``state.safetensors``, ``before_decay.safetensors`` (the state from which
        a longer run goes on), ``log.parquet`` and, once all steps are done, ``checkpoint.safetensors``.
    settings : PretrainingSettings, optional
        Defaults to ``PretrainingSettings()``. A run can only be continued with the settings
        it was started with, except for `steps`: the new number must leave the learning
        rates of the steps done as they were.
    device : {"auto", "cpu", "cuda"}
        "auto" takes CUDA where there is a GPU. On CUDA the matrix products run in bfloat16.
    n_threads : int
        The groups of a step are worked on by this many threads. The result does not depend on it.
    save_every : float
        Seconds between two saves of the whole state.
    time_limit : float, optional
        Seconds after which the run saves its state and stops early.
    progress : bool
        Show a progress bar on a terminal.

    Returns
    -------
    Path
        The checkpoint if all steps are done, else the saved state.

    Raises
    ------
    ValueError
        If `folder` holds a run with other settings, of another version of the prior, or of too many
        steps, or if `n_threads` is not positive.
    """
    import torch
    from tqdm.auto import tqdm

    from causalmix_utils.threads import single_thread

    check_count("n_threads", n_threads)
    settings = settings or PretrainingSettings()
    run = RunFolder(folder)
    device = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    network = build_network(settings, device=device)
    optimizers = make_optimizers(network, settings)
    average = make_average(network, settings)
    first = run.load(network, optimizers, settings, average=average)
    log = [row for row in run.read_log() if row["step"] < first]
    started = last_save = time.monotonic()
    bar = tqdm(
        range(first, settings.steps),
        initial=first,
        total=settings.steps,
        disable=None if progress else True,
        unit="step",
    )
    with single_thread(), ThreadPoolExecutor(n_threads, initializer=torch.set_num_threads, initargs=(1,)) as executor:
        for step in bar:
            if step == settings.decay_start:
                run.save(network, optimizers, settings, step, average=average, before_decay=True)
            begun, rate_factor = time.monotonic(), settings.rate_factor(step)
            row = take_step(network, optimizers, settings, step, rate_factor=rate_factor, executor=executor)
            if average is not None:
                average.update_parameters(network)
            now = time.monotonic()
            log.append({"step": step, "rate_factor": rate_factor, **row, "seconds": now - begun})
            bar.set_postfix(_summarise(log[-100:]))
            out_of_time = time_limit is not None and now - started > time_limit
            if now - last_save > save_every or out_of_time:
                run.save(network, optimizers, settings, step + 1, average=average)
                run.write_log(log)
                last_save = now
            if out_of_time and step + 1 < settings.steps:
                return run.state_file
    run.save(network, optimizers, settings, settings.steps, average=average)
    run.write_log(log)
    trained = network if average is None else average.module
    return save_checkpoint(trained, run.checkpoint, settings=settings)


def save_checkpoint(network: torch.nn.Module, path: Path, *, settings: PretrainingSettings) -> Path:
    """Write the weights as a safetensors file that ``TabPFNClassifier(model_path=…)`` loads."""
    from tabpfn.checkpoint import save_as_safetensors

    checkpoint = {
        "state_dict": network.state_dict(),
        "config": dict(settings.network),
        "architecture_name": settings.layout,
        "inference_config": _complete_inference_config(),
    }
    with replacing(path) as temporary:
        save_as_safetensors(checkpoint, temporary)
    return path


def _complete_inference_config() -> dict[str, Any]:
    """The library's defaults for its simplest model, v2, with `INFERENCE` on top."""
    from tabpfn.constants import ModelVersion
    from tabpfn.inference_config import InferenceConfig

    default = InferenceConfig.get_default(task_type="multiclass", model_version=ModelVersion.V2)
    return {**asdict(default), **INFERENCE}


def _summarise(rows: list[dict[str, float]]) -> dict[str, str]:
    """What the progress bar shows of the last steps."""
    seconds = sum(row["seconds"] for row in rows)
    return {
        "loss": f"{np.mean([row['loss'] for row in rows]):.3f}",
        "tables_per_second": f"{sum(row['tables'] for row in rows) / seconds:.0f}",
    }
