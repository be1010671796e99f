"""Pretraining the embedded checkpoint: the synthetic prior and the training loop."""

from causalmix_utils.pretraining.prior import PriorBatch, sample_batch, sample_table
from causalmix_utils.pretraining.settings import PretrainingSettings
from causalmix_utils.pretraining.steps import batch_loss, build_network
from causalmix_utils.pretraining.training import pretrain, save_checkpoint

__all__ = [
    "PretrainingSettings",
    "PriorBatch",
    "batch_loss",
    "build_network",
    "pretrain",
    "sample_batch",
    "sample_table",
    "save_checkpoint",
]
