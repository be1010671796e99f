"""The folder of a pretraining run: weights, optimisers, step and log, without a pickle."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from causalmix_utils.pretraining.prior import PRIOR_VERSION
from causalmix_utils.pretraining.settings import PretrainingSettings
from causalmix_utils.whole_files import replacing

if TYPE_CHECKING:
    import torch


class RunFolder:
    """Reads and writes what a run must remember. Every file is replaced as a whole, so a kill leaves the last one.

    Parameters
    ----------
    folder : path
        Made if it does not exist.
    """

    def __init__(self, folder: str | os.PathLike) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.state_file = self.folder / "state.safetensors"
        self.before_decay_file = self.folder / "before_decay.safetensors"
        self.log_file = self.folder / "log.parquet"
        self.checkpoint = self.folder / "checkpoint.safetensors"

    def save(
        self,
        network: torch.nn.Module,
        optimizers: Sequence[torch.optim.Optimizer],
        settings: PretrainingSettings,
        step: int,
        *,
        average: torch.optim.swa_utils.AveragedModel | None = None,
        before_decay: bool = False,
    ) -> None:
        """Weights, their average, optimiser moments and the number of steps done, in one file."""
        from safetensors.torch import save_file

        path = self.before_decay_file if before_decay else self.state_file
        tensors = {f"network.{name}": tensor.contiguous() for name, tensor in network.state_dict().items()}
        for number, optimizer in enumerate(optimizers):
            for index, moments in optimizer.state_dict()["state"].items():
                tensors.update({f"optimizer{number}.{index}.{name}": tensor for name, tensor in moments.items()})
        if average is not None:
            tensors.update({f"average.{name}": tensor.contiguous() for name, tensor in average.state_dict().items()})
        with replacing(path) as temporary:
            save_file(tensors, temporary, metadata=_describe(step, settings))

    def load(
        self,
        network: torch.nn.Module,
        optimizers: Sequence[torch.optim.Optimizer],
        settings: PretrainingSettings,
        *,
        average: torch.optim.swa_utils.AveragedModel | None = None,
    ) -> int:
        """Put the state back from which a run of these settings goes on; returns the number of steps done."""
        if not self.state_file.exists():
            return 0
        path, step, saved = self.state_file, *_read_metadata(self.state_file)
        self._check_same_run(saved, settings)
        if settings.steps != saved["steps"]:
            if step > PretrainingSettings(**saved).decay_start:
                # The rates have begun to fall: a run of another length goes on from where they were still high.
                path, (step, _) = self.before_decay_file, _read_metadata(self.before_decay_file)
            if step > settings.decay_start:
                raise ValueError(f"{self.folder} holds a run of {step} steps, too many for steps={settings.steps}")
        _put_back(path, network, optimizers, average)
        return step

    def _check_same_run(self, saved: dict, settings: PretrainingSettings) -> None:
        before = asdict(PretrainingSettings(**saved))  # a setting that is younger than the run has its default
        for name, value in asdict(settings).items():
            if name != "steps" and value != before[name]:
                raise ValueError(
                    f"{self.folder} holds a run with {name}={before[name]!r}, "
                    f"got {value!r}; use another folder or the settings of that run"
                )

    def write_log(self, log: list[dict[str, float]]) -> None:
        import pandas as pd

        with replacing(self.log_file) as temporary:
            pd.DataFrame(log).to_parquet(temporary, index=False)

    def read_log(self) -> list[dict[str, float]]:
        import pandas as pd

        return pd.read_parquet(self.log_file).to_dict("records") if self.log_file.exists() else []


def _describe(step: int, settings: PretrainingSettings) -> dict[str, str]:
    return {"step": str(step), "settings": json.dumps(asdict(settings)), "prior": str(PRIOR_VERSION)}


def _read_metadata(path: Path) -> tuple[int, dict]:
    """Number of steps done, and the settings, of a saved state."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    prior = int(metadata.get("prior", 1))  # states without an entry are of the first version
    if prior != PRIOR_VERSION:
        raise ValueError(f"{path.parent} holds a run on version {prior} of the prior, this is version {PRIOR_VERSION}")
    return int(metadata["step"]), json.loads(metadata["settings"])


def _put_back(
    path: Path,
    network: torch.nn.Module,
    optimizers: Sequence[torch.optim.Optimizer],
    average: torch.optim.swa_utils.AveragedModel | None,
) -> None:
    from safetensors.torch import load_file

    tensors = load_file(path)
    for prefix, module in (("network.", network), ("average.", average)):
        if module is not None:
            module.load_state_dict({n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)})
    for number, optimizer in enumerate(optimizers):
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, tensor in tensors.items():
            if name.startswith(f"optimizer{number}."):
                _, index, moment = name.split(".")
                moments.setdefault(int(index), {})[moment] = tensor
        optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})
