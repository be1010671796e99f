"""Fine-tuning a tabular foundation model on real rows mixed with synthetic ones."""

from causalmix_utils.finetuning.estimator import CausalMixFTClassifier
from causalmix_utils.finetuning.options import RECOMMENDED

__all__ = ["RECOMMENDED", "CausalMixFTClassifier"]
