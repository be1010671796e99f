"""Ways to keep a fine-tuned network near the one it started from, or near its own average: tried, and not kept.

On the development tables none of them did better than plain fine-tuning (``finetuning_choices`` in
``book/results``), so the package does without. They are attached to its loop from outside, so that the experiment can
be made again, with `choose_finetuning`.

- `pull_towards`: after each step, the weights move a little back to where they started (L2-SP; Li, Grandvalet and
  Davoine, *Explicit Inductive Bias for Transfer Learning with Convolutional Networks*, 2018), as a decay that is
  decoupled from AdamW's gradient.
- `WeightAverage`: the mean of the weights along the trajectory is what is watched and kept (Izmailov et al.,
  *Averaging Weights Leads to Wider Optima and Better Generalization*, 2018).
- `blend`: points on the straight line from the zero-shot to the fine-tuned weights (Wortsman et al., *Robust
  Fine-Tuning of Zero-Shot Models*, 2022).
- `train_head_alone`: all weights before the head stay what they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

from causalmix_utils.tabpfn_bridge import TrainableEnsemble

OPTIONS: dict[str, Any] = {"averaging": "none", "l2_sp": 0.0, "trainable": "all"}
"""What `stabilised` takes; by default it changes nothing."""
SHARES = (0.25, 0.5, 0.75)
"""Shares of the fine-tuned weights that are tried between the zero-shot and the fine-tuned model."""
DECAY = 0.9
"""Share of itself that the exponential average keeps at each step."""
HEAD = ("output_norm.", "many_class_decoder.", "output_projection.")
"""How the names of the head's parameters begin, in the layouts v2 and v3."""


@contextmanager
def stabilised(ensemble: TrainableEnsemble, *, averaging: str, l2_sp: float, trainable: str) -> Iterator[WeightAverage]:
    """Inside the block, each optimiser step on the ensemble's network is followed by what holds its weights.

    Parameters
    ----------
    ensemble : TrainableEnsemble
    averaging : {"none", "uniform", "exponential"}
        See `WeightAverage`, which the block is given: the caller watches the network with it `applied`.
    l2_sp : float
        Strength of the pull to the start: at each step the weights come nearer by the learning rate times this share
        of the distance.
    trainable : {"all", "head"}
    """
    if trainable == "head":
        train_head_alone(ensemble.network)
    weights = list(ensemble.network.parameters())
    start = [weight.detach().clone() for weight in weights]
    average = WeightAverage(ensemble, averaging)

    def after_step(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        group = optimizer.param_groups[0]
        if group["params"][0] is not weights[0]:  # some other network's
            return
        if l2_sp:
            pull_towards(weights, start, group["lr"] * l2_sp)
        average.update()

    hook = register_optimizer_step_post_hook(after_step)
    try:
        yield average
    finally:
        hook.remove()


def train_head_alone(network: torch.nn.Module) -> None:
    """From now on only what turns the last layer's numbers into probabilities needs a gradient, and the norm before."""
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name.startswith(HEAD))


def pull_towards(weights: list[torch.Tensor], start: list[torch.Tensor], share: float) -> None:
    """Move weights a share of the way back to the start, in place; shares beyond one count as one."""
    with torch.no_grad():
        for weight, origin in zip(weights, start, strict=True):
            weight.lerp_(origin, min(1.0, share))


def blend(start: dict[str, torch.Tensor], end: dict[str, torch.Tensor], share: float) -> dict[str, torch.Tensor]:
    """The weights that lie `share` of the way from the first to the second; integers are the second's.

    Examples
    --------
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
