"""What decides the weights of a pretraining run: the network's shape and the settings of its training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
    "feat_agg_num_cls_tokens": 2,
    "nlayers": 6,
    "icl_num_heads": 4,
    "decoder_head_dim": 16,
    "decoder_num_heads": 4,
    "softmax_scaling_mlp_hidden_dim": 16,
}
"""The shape of the network, in the words of the library's ``tabpfn_v3`` layout."""


@dataclass(frozen=True)
class PretrainingSettings:
    """Everything that decides which weights a run ends with.

    Attributes
    ----------
    steps : int
        Optimiser steps; the learning rates rise over the first 3 % of them, then fall to
        zero along a cosine.
    seed : int
        Seeds the weights and, together with the step's number, each batch.
    matrix_learning_rate : float
        Learning rate of Muon, which trains the matrices of the hidden layers.
    learning_rate : float
        Learning rate of AdamW, which trains all other parameters.
    weight_decay, clip_norm : float
        Both optimisers' weight decay, and the largest norm of the gradient.
    max_rows, max_features : int
        Largest table. Training starts with small tables and reaches these sizes after 70 %
        (rows) and 50 % (features) of the steps.
    cells_per_step : int
        Rows x features x tables of one step, so that each step costs about the same.
    network : dict
        Shape of the network, see `NETWORK`.
    """

    steps: int = 4_000
    seed: int = 0
    matrix_learning_rate: float = 4e-3
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    max_rows: int = 512
    max_features: int = 60
    cells_per_step: int = 28_000
    network: Mapping[str, int] = field(default_factory=lambda: dict(NETWORK))

    def __post_init__(self) -> None:
        for name in ("steps", "matrix_learning_rate", "learning_rate", "clip_norm", "cells_per_step"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        if self.max_rows < 48 or self.max_features < 2:
            raise ValueError(
                f"max_rows and max_features must be at least 48 and 2, got {self.max_rows}, {self.max_features}"
            )
