"""Training the embedded checkpoint from scratch on the prior.

Every training step draws a fresh batch of tables from `prior.sample_batch` with a generator
that is seeded by (seed, step) alone.  So the state of a run is just its weights, its
optimiser and its step: a run that is stopped and continued sees the very same batches, and
ends with the very same bits on the same machine.
"""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from causalmix_utils.pretraining.prior import PriorBatch, sample_batch
from causalmix_utils.pretraining.settings import PretrainingSettings
from causalmix_utils.pretraining.state import load_state, read_log, save_state, write_log

if TYPE_CHECKING:
    import torch

INFERENCE = {
    "PREPROCESS_TRANSFORMS": [{"name": "none", "categorical_name": "numeric"}],
    "FINGERPRINT_FEATURE": False,
    "SOFTMAX_TEMPERATURE": 1.0,
    "MAX_CPU_SAMPLES": 10_000,
}
"""How the library prepares a table for this network: as it was trained, so nothing but category codes."""


def pretrain(
    folder: str | os.PathLike,
    *,
    settings: PretrainingSettings | None = None,
    device: str = "auto",
    save_every: float = 180.0,
    time_limit: float | None = None,
    progress: bool = True,
) -> Path:
    """Train a network on the prior, or continue the run that `folder` holds.

    Parameters
    ----------
    folder : path
        Holds the run: ``state.safetensors``, ``log.parquet`` and, once all steps are done,
        ``checkpoint.safetensors``.
    settings : PretrainingSettings, optional
        Defaults to ``PretrainingSettings()``. A run can only be continued with the settings
        it was started with.
    device : {"auto", "cpu", "cuda"}
        "auto" takes CUDA where there is a GPU. On CUDA the matrix products run in bfloat16.
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
        If `folder` holds a run with other settings.
    """
    import torch
    from tqdm.auto import tqdm

    settings = settings or PretrainingSettings()
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    device = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    network = build_network(settings, device=device)
    optimizers = make_optimizers(network, settings)
    state_file, log = folder / "state.safetensors", []
    first = 0
    if state_file.exists():
        first, log = load_state(state_file, network, optimizers, settings), read_log(folder / "log.parquet")
        log = log[:first]
    started = last_save = time.monotonic()
    bar = tqdm(
        range(first, settings.steps),
        initial=first,
        total=settings.steps,
        disable=None if progress else True,
        unit="step",
    )
    step = first
    for step in bar:
        begun = time.monotonic()
        batch = _draw_batch(settings, step)
        loss = _take_step(network, optimizers, batch, settings, step)
        seconds = time.monotonic() - begun
        log.append(_log_row(step, loss, settings, batch, seconds))
        bar.set_postfix(
            loss=f"{np.mean([row['loss'] for row in log[-100:]]):.3f}",
            tables_per_second=f"{batch.y.shape[1] / seconds:.0f}",
        )
        now = time.monotonic()
        out_of_time = time_limit is not None and now - started > time_limit
        if now - last_save > save_every or out_of_time:
            save_state(state_file, network, optimizers, settings, step + 1)
            write_log(folder / "log.parquet", log)
            last_save = now
        if out_of_time and step + 1 < settings.steps:
            return state_file
    save_state(state_file, network, optimizers, settings, settings.steps)
    write_log(folder / "log.parquet", log)
    return save_checkpoint(network, folder / "checkpoint.safetensors", settings=settings)


def build_network(settings: PretrainingSettings, *, device: str = "cpu") -> torch.nn.Module:
    """The untrained network, its weights drawn from ``settings.seed``; torch's global generator is left as it was."""
    import torch
    from tabpfn.architectures import tabpfn_v3

    config, unused = tabpfn_v3.parse_config(dict(settings.network))
    if unused:
        raise ValueError(f"network has the unknown setting {next(iter(unused))!r}")
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        return tabpfn_v3.get_architecture(config).to(device).train()


def make_optimizers(network: torch.nn.Module, settings: PretrainingSettings) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the hidden layers, AdamW for everything else.

    Muon (K. Jordan et al. 2024) makes every update of a matrix close to orthogonal. In short
    trials on the prior the network learnt much faster with it than with AdamW alone.
    """
    import torch

    matrices = {
        f"{name}.weight"
        for name, module in network.named_modules()
        if isinstance(module, torch.nn.Linear) and name != "x_embed" and "softmax_scaling" not in name
    }
    hidden = [parameter for name, parameter in network.named_parameters() if name in matrices]
    others = [parameter for name, parameter in network.named_parameters() if name not in matrices]
    optimizers = [
        torch.optim.Muon(
            hidden,
            lr=settings.matrix_learning_rate,
            weight_decay=settings.weight_decay,
            adjust_lr_fn="match_rms_adamw",
        ),
        torch.optim.AdamW(others, lr=settings.learning_rate, weight_decay=settings.weight_decay, betas=(0.9, 0.98)),
    ]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
    return optimizers


def save_checkpoint(network: torch.nn.Module, path: Path, *, settings: PretrainingSettings) -> Path:
    """Write the weights as a safetensors file that ``TabPFNClassifier(model_path=…)`` loads."""
    from tabpfn.checkpoint import save_as_safetensors

    checkpoint = {
        "state_dict": network.state_dict(),
        "config": dict(settings.network),
        "architecture_name": "tabpfn_v3",
        "inference_config": _complete_inference_config(),
    }
    temporary = path.with_name(f"unfinished-{path.name}")
    save_as_safetensors(checkpoint, temporary)
    temporary.replace(path)
    return path


def _complete_inference_config() -> dict[str, Any]:
    """The library's own defaults for this layout, with `INFERENCE` on top."""
    from tabpfn.constants import ModelVersion
    from tabpfn.inference_config import InferenceConfig

    default = InferenceConfig.get_default(task_type="multiclass", model_version=ModelVersion.V2)
    return {**asdict(default), **INFERENCE}


def _draw_batch(settings: PretrainingSettings, step: int) -> PriorBatch:
    """The batch of one step: its shape grows with progress, and depends on (seed, step) alone."""
    rng = np.random.default_rng([settings.seed, step])
    done = step / settings.steps
    max_rows = 96 + (settings.max_rows - 96) * min(1.0, done / 0.7) if settings.max_rows > 96 else settings.max_rows
    max_features = (
        8 + (settings.max_features - 8) * min(1.0, done / 0.5) if settings.max_features > 8 else settings.max_features
    )
    n_rows = int(np.exp(rng.uniform(np.log(40), np.log(max_rows))))
    n_features = int(np.exp(rng.uniform(np.log(2), np.log(max_features + 1))))
    n_tables = int(np.clip(settings.cells_per_step / (n_rows * n_features), 8, 32))
    n_context = int(n_rows * rng.uniform(0.4, 0.85))
    return sample_batch(n_tables, n_rows=n_rows, n_features=n_features, n_context=n_context, rng=rng)


def _take_step(
    network: torch.nn.Module,
    optimizers: list[torch.optim.Optimizer],
    batch: PriorBatch,
    settings: PretrainingSettings,
    step: int,
) -> float:
    """One optimiser step on one batch; returns the mean cross-entropy of its query rows."""
    import torch

    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * _schedule(step, settings.steps)
        optimizer.zero_grad(set_to_none=True)
    device = next(network.parameters()).device
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda"):
        loss = batch_loss(network, batch, device=device)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), settings.clip_norm)
    for optimizer in optimizers:
        optimizer.step()
    return float(loss.detach())


def batch_loss(network: torch.nn.Module, batch: PriorBatch, *, device: torch.device | str = "cpu") -> torch.Tensor:
    """Mean cross-entropy of the query rows, over the classes that each table's context rows show."""
    import torch

    X = torch.from_numpy(batch.X).to(device)  # (rows, tables, features)
    y = torch.from_numpy(batch.y).to(device)  # (rows, tables)
    logits = network(X, y[: batch.n_context].float())  # (query rows, tables, up to MAX_CLASSES)
    absent = torch.arange(logits.shape[-1], device=device) >= torch.from_numpy(batch.n_classes).to(device)[:, None]
    logits = logits.float().masked_fill(absent, -1e4)
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), y[batch.n_context :].flatten(), ignore_index=-100)


def _schedule(step: int, steps: int) -> float:
    """Linear warm-up over the first 3 % of the steps, then a cosine down to zero."""
    warm_up = max(1, int(0.03 * steps))
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1 + np.cos(np.pi * (step - warm_up) / max(1, steps - warm_up)))


def _log_row(
    step: int, loss: float, settings: PretrainingSettings, batch: PriorBatch, seconds: float
) -> dict[str, float]:
    n_rows, n_tables, n_features = batch.X.shape
    return {
        "step": step,
        "loss": loss,
        "learning_rate": settings.learning_rate * _schedule(step, settings.steps),
        "tables": n_tables,
        "rows": n_rows,
        "features": n_features,
        "seconds": seconds,
    }
