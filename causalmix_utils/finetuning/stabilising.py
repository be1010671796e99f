"""What keeps a fine-tuned network near the one it started from, or near its own average.

- `pull_towards`: after each step, the weights move a little back to where they started (L2-SP; Li, Grandvalet and
  Davoine, *Explicit Inductive Bias for Transfer Learning with Convolutional Networks*, 2018), as a decay that is
  decoupled from AdamW's gradient.
- `WeightAverage`: the mean of the weights along the trajectory is what is watched and kept (Izmailov et al.,
  *Averaging Weights Leads to Wider Optima and Better Generalization*, 2018).
- `blend`: points on the straight line from the zero-shot to the fine-tuned weights (Wortsman et al., *Robust
  Fine-Tuning of Zero-Shot Models*, 2022).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from causalmix_utils.tabpfn_bridge import TrainableEnsemble

SHARES = (0.25, 0.5, 0.75)
"""Shares of the fine-tuned weights that are tried between the zero-shot and the fine-tuned model."""
DECAY = 0.9
"""Share of itself that the exponential average keeps at each step."""


def pull_towards(weights: list[torch.Tensor], start: list[torch.Tensor], share: float) -> None:
    """Move weights a share of the way back to the start, in place; shares beyond one count as one."""
    import torch

    with torch.no_grad():
        for weight, origin in zip(weights, start, strict=True):
            weight.lerp_(origin, min(1.0, share))


def blend(start: dict[str, torch.Tensor], end: dict[str, torch.Tensor], share: float) -> dict[str, torch.Tensor]:
    """The weights that lie `share` of the way from the first to the second; integers are the second's.

    Examples
    --------
    >>> import torch
    >>> blend({"w": torch.zeros(2)}, {"w": torch.ones(2)}, 0.25)["w"].tolist()
    [0.25, 0.25]
    """
    return {
        name: start[name].lerp(tensor, share) if tensor.is_floating_point() else tensor for name, tensor in end.items()
    }


class WeightAverage:
    """The average of a network's weights over the steps so far.

    Parameters
    ----------
    ensemble : TrainableEnsemble
        Whose network is averaged.
    kind : {"none", "uniform", "exponential"}
        "uniform" gives all steps the same weight; "exponential" starts at the zero-shot weights and keeps `DECAY`
        of itself at each step; "none" is the network as it is.
    """

    def __init__(self, ensemble: TrainableEnsemble, kind: str) -> None:
        self._ensemble, self._kind = ensemble, kind
        self._n_steps = 0
        self._mean = ensemble.snapshot() if kind != "none" else {}

    def update(self) -> None:
        """Take in the weights after a step."""
        if self._kind == "none":
            return
        self._n_steps += 1
        share = 1 / self._n_steps if self._kind == "uniform" else 1 - DECAY
        self._mean = blend(self._mean, self._ensemble.snapshot(), share)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The network has the average inside the block, and its own weights again after it."""
        if self._kind == "none" or self._n_steps == 0:
            yield
            return
        own = self._ensemble.snapshot()
        self._ensemble.restore(self._mean)
        try:
            yield
        finally:
            self._ensemble.restore(own)
