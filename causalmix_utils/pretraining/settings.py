"""What decides the weights of a pretraining run: the network's shape and the settings of its training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from causalmix_utils.arguments import check_choice, check_count, check_number
from causalmix_utils.pretraining.prior import MAX_CLASSES

NETWORK = {
    "max_num_classes": MAX_CLASSES,
    "num_buckets": 2,  # the library builds a regression buffer of this size even for classifiers
    "embed_dim": 32,
    "dist_embed_num_blocks": 1,
    "dist_embed_num_heads": 4,
    "dist_embed_num_inducing_points": 16,
    "feat_agg_num_blocks": 2,
    "feat_agg_num_heads": 4,
    "feat_agg_num_cls_tokens": 4,
    "nlayers": 6,
    "icl_num_heads": 4,
    "decoder_head_dim": 16,
    "decoder_num_heads": 4,
    "softmax_scaling_mlp_hidden_dim": 16,
}
"""The shape of the network, in the words of the library's ``tabpfn_v3`` layout."""


LAYOUTS = ("tabpfn_v3", "tabpfn_v2")


@dataclass(frozen=True)
class PretrainingSettings:
    """Everything that decides which weights a run ends with.

    Attributes
    ----------
    steps : int
        Optimiser steps. The learning rates rise over the first `warm_up_steps`, stay, and fall
        to zero along a straight line over the last `decay_share` of the steps. So a run can be
        lengthened: it goes on from the state that it had before the fall.
    seed : int
        Seeds the weights and, together with the step's number, each batch.
    matrix_learning_rate : float
        Learning rate of Muon, which trains the matrices of the hidden layers; 0 leaves all
        parameters to AdamW.
    learning_rate : float
        Learning rate of AdamW, which trains all other parameters.
    weight_decay, clip_norm : float
        Both optimisers' weight decay, and the largest norm of the gradient.
    warm_up_steps, decay_share : int, float
        See `steps`.
    average_decay : float
        If above zero, the checkpoint holds an exponential moving average of the weights, which keeps this share of
        itself at every step, instead of the last weights.
    max_rows, max_features : int
        Largest table.
    growth_steps : int
        Training starts with tables of at most 96 rows and 8 features; the limits grow to
        `max_rows` and `max_features` over this many steps.
    cells_per_step : int
        Rows x features x tables of one step, so that each step costs about the same.
    groups_per_step : int
        The tables of a step come in this many groups. The tables of one group have one shape.
    layout : {"tabpfn_v3", "tabpfn_v2"}
        The library's architecture.
    network : dict
        Shape of the network in the words of that architecture, see `NETWORK`.
    """

    steps: int = 7_200
    seed: int = 0
    matrix_learning_rate: float = 4e-3
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    warm_up_steps: int = 100
    decay_share: float = 0.25
    average_decay: float = 0.0
    max_rows: int = 512
    max_features: int = 60
    growth_steps: int = 2_500
    cells_per_step: int = 28_000
    groups_per_step: int = 4
    layout: str = "tabpfn_v3"
    network: Mapping[str, int] = field(default_factory=lambda: dict(NETWORK))

    def __post_init__(self) -> None:
        for name in ("steps", "cells_per_step", "groups_per_step"):
            check_count(name, getattr(self, name))
        for name in ("warm_up_steps", "growth_steps"):
            check_count(name, getattr(self, name), minimum=0)
        for name in ("learning_rate", "clip_norm"):
            check_number(name, getattr(self, name), 0, closed="neither")
        for name in ("matrix_learning_rate", "weight_decay"):
            check_number(name, getattr(self, name), 0)
        check_number("average_decay", self.average_decay, 0, 1, closed="left")
        check_number("decay_share", self.decay_share, 0, 1)
        check_count("max_rows", self.max_rows, minimum=48)
        check_count("max_features", self.max_features, minimum=2)
        check_choice("layout", self.layout, LAYOUTS)

    @property
    def decay_start(self) -> int:
        """The first step of the final fall of the learning rates."""
        return self.steps - round(self.decay_share * self.steps)

    def rate_factor(self, step: int) -> float:
        """By what the learning rates are multiplied at `step`."""
        rise = (step + 1) / self.warm_up_steps if self.warm_up_steps else 1.0
        fall = (self.steps - step) / max(1, self.steps - self.decay_start)
        return min(1.0, rise, fall)

    def size_limits(self, step: int) -> tuple[int, int]:
        """Largest number of rows and of features of a table at `step`."""
        grown = min(1.0, step / self.growth_steps) if self.growth_steps else 1.0
        return tuple(
            round(start + (end - start) * grown) if end > start else end
            for start, end in ((96, self.max_rows), (8, self.max_features))
        )
