"""One step of pretraining: its tables, its loss, its update.

The tables of a step depend on (seed, step) alone, and the gradients of its groups are added
in a fixed order. So a step gives the same bits whenever it is taken on a machine, and
whatever the number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from causalmix_utils.pretraining.prior import PriorBatch, sample_batch
from causalmix_utils.pretraining.settings import PretrainingSettings

if TYPE_CHECKING:
    import torch


def build_network(settings: PretrainingSettings, *, device: str = "cpu") -> torch.nn.Module:
    """The untrained network, its weights drawn from ``settings.seed``; torch's global generator is left as it was."""
    import torch

    architecture = import_module(f"tabpfn.architectures.{settings.layout}")
    config, unused = architecture.parse_config(dict(settings.network))
    if unused:
        raise ValueError(f"network has the unknown setting {next(iter(unused))!r}")
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        return architecture.get_architecture(config).to(device).train()


def make_optimizers(network: torch.nn.Module, settings: PretrainingSettings) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the hidden layers, AdamW for everything else.

    Muon (K. Jordan et al. 2024) makes every update of a matrix close to orthogonal. In short
    trials on the prior the network learnt much faster with it than with AdamW alone.
    """
    import torch

    hidden_names = {
        f"{name}.weight"
        for name, module in network.named_modules()
        if isinstance(module, torch.nn.Linear) and name != "x_embed" and "softmax_scaling" not in name
    }
    use_muon = settings.matrix_learning_rate > 0
    hidden = [parameter for name, parameter in network.named_parameters() if use_muon and name in hidden_names]
    others = [parameter for name, parameter in network.named_parameters() if not (use_muon and name in hidden_names)]
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(others, lr=settings.learning_rate, weight_decay=settings.weight_decay, betas=(0.9, 0.98))
    ]
    if hidden:
        optimizers.insert(
            0,
            torch.optim.Muon(
                hidden,
                lr=settings.matrix_learning_rate,
                weight_decay=settings.weight_decay,
                adjust_lr_fn="match_rms_adamw",
            ),
        )
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
    return optimizers


def make_average(network: torch.nn.Module, settings: PretrainingSettings) -> torch.optim.swa_utils.AveragedModel | None:
    """What keeps the moving average of the weights, if one is asked for."""
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

    if not settings.average_decay:
        return None
    return AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(settings.average_decay))


def draw_group(settings: PretrainingSettings, step: int, group: int) -> PriorBatch:
    """One group of a step's tables, all of one shape."""
    rng = np.random.default_rng([settings.seed, step, group])
    max_rows, max_features = settings.size_limits(step)
    n_rows = int(np.exp(rng.uniform(np.log(40), np.log(max_rows))))
    n_features = int(np.exp(rng.uniform(np.log(2), np.log(max_features + 1))))
    cells = settings.cells_per_step / settings.groups_per_step
    fewest, most = max(1, 8 // settings.groups_per_step), max(2, 32 // settings.groups_per_step)
    n_tables = int(np.clip(cells / (n_rows * n_features), fewest, most))
    n_context = int(n_rows * rng.uniform(0.4, 0.85))
    return sample_batch(n_tables, n_rows=n_rows, n_features=n_features, n_context=n_context, rng=rng)


def take_step(
    network: torch.nn.Module,
    optimizers: Sequence[torch.optim.Optimizer],
    settings: PretrainingSettings,
    step: int,
    *,
    rate_factor: float,
    executor: Executor,
) -> dict[str, float]:
    """Draw the groups of a step, and change the weights by the mean of their gradients.

    Returns
    -------
    dict
        ``loss`` (mean cross-entropy over the groups), ``tables`` and ``cells`` of the step.
    """
    import torch

    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]

    def differentiate(group: int) -> tuple[float, tuple[torch.Tensor | None, ...], PriorBatch]:
        batch = draw_group(settings, step, group)
        device = parameters[0].device
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda"):
            loss = batch_loss(network, batch, device=device)
        return float(loss.detach()), torch.autograd.grad(loss, parameters, allow_unused=True), batch

    results = list(executor.map(differentiate, range(settings.groups_per_step)))
    for place, parameter in enumerate(parameters):
        gradients = [gradient for _, of_group, _ in results if (gradient := of_group[place]) is not None]
        parameter.grad = sum(gradients) / settings.groups_per_step if gradients else None
    torch.nn.utils.clip_grad_norm_(parameters, settings.clip_norm)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * rate_factor
        optimizer.step()
    return {
        "loss": float(np.mean([loss for loss, _, _ in results])),
        "tables": sum(batch.y.shape[1] for _, _, batch in results),
        "cells": sum(batch.X.size for _, _, batch in results),
    }


def batch_loss(network: torch.nn.Module, batch: PriorBatch, *, device: torch.device | str = "cpu") -> torch.Tensor:
    """Mean cross-entropy of the query rows, over the classes that each table's context rows show."""
    import torch

    X = torch.from_numpy(batch.X).to(device)  # (rows, tables, features)
    y = torch.from_numpy(batch.y).to(device)  # (rows, tables)
    logits = network(X, y[: batch.n_context].float())  # (query rows, tables, up to MAX_CLASSES)
    absent = torch.arange(logits.shape[-1], device=device) >= torch.from_numpy(batch.n_classes).to(device)[:, None]
    logits = logits.float().masked_fill(absent, -1e4)
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), y[batch.n_context :].flatten(), ignore_index=-100)
