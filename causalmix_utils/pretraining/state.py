"""The state of a pretraining run on disk: weights, optimisers, step and log, without a pickle."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from causalmix_utils.pretraining.settings import PretrainingSettings

if TYPE_CHECKING:
    import torch


def save_state(
    path: Path,
    network: torch.nn.Module,
    optimizers: list[torch.optim.Optimizer],
    settings: PretrainingSettings,
    step: int,
) -> None:
    """Weights, optimiser moments and the number of steps done, in one file that is replaced as a whole."""
    from safetensors.torch import save_file

    tensors = {f"network.{name}": tensor.contiguous() for name, tensor in network.state_dict().items()}
    for number, optimizer in enumerate(optimizers):
        for index, moments in optimizer.state_dict()["state"].items():
            tensors.update({f"optimizer{number}.{index}.{name}": tensor for name, tensor in moments.items()})
    temporary = path.with_name(f"unfinished-{path.name}")
    save_file(tensors, temporary, metadata={"step": str(step), "settings": json.dumps(asdict(settings))})
    temporary.replace(path)


def load_state(
    path: Path, network: torch.nn.Module, optimizers: list[torch.optim.Optimizer], settings: PretrainingSettings
) -> int:
    """Put a saved state back; returns the number of steps done."""
    from safetensors import safe_open
    from safetensors.torch import load_file

    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    saved = json.loads(metadata["settings"])
    changed = [name for name, value in asdict(settings).items() if saved.get(name) != value]
    if changed:
        raise ValueError(
            f"{path.parent} holds a run with {changed[0]}={saved.get(changed[0])!r}, "
            f"got {getattr(settings, changed[0])!r}; use another folder or the settings of that run"
        )
    tensors = load_file(path)
    network.load_state_dict(
        {name.removeprefix("network."): t for name, t in tensors.items() if name.startswith("network.")}
    )
    for number, optimizer in enumerate(optimizers):
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, tensor in tensors.items():
            if name.startswith(f"optimizer{number}."):
                _, index, moment = name.split(".")
                moments.setdefault(int(index), {})[moment] = tensor
        optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})
    return int(metadata["step"])


def write_log(path: Path, log: list[dict[str, float]]) -> None:
    import pandas as pd

    temporary = path.with_name(f"unfinished-{path.name}")
    pd.DataFrame(log).to_parquet(temporary, index=False)
    temporary.replace(path)


def read_log(path: Path) -> list[dict[str, float]]:
    import pandas as pd

    return pd.read_parquet(path).to_dict("records") if path.exists() else []
