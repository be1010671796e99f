"""Generators of synthetic rows: one contract, one file for each.

``make_generator("causal").fit(train, rng=rng).sample(500, rng=rng)`` gives a `Table` that could
have been drawn from `train`.  `list_generators` describes all; `causalmix_utils.generators.base`
shows how to write your own.
"""

from causalmix_utils.generators.base import Generator
from causalmix_utils.generators.causal import CausalGenerator
from causalmix_utils.generators.causal_blanket import CausalBlanketGenerator
from causalmix_utils.generators.contract import check_generator
from causalmix_utils.generators.controls import IndependentGenerator, PermutedTargetGenerator, RandomDagGenerator
from causalmix_utils.generators.ctgan import CtganGenerator
from causalmix_utils.generators.gaussian_copula import GaussianCopulaGenerator
from causalmix_utils.generators.hostile import hostile_tables
from causalmix_utils.generators.label_signal import LabelSignal, measure_label_signal
from causalmix_utils.generators.registry import list_generators, make_generator, register_generator
from causalmix_utils.generators.smote import SmoteGenerator
from causalmix_utils.generators.tabebm import TabEbmGenerator
from causalmix_utils.generators.table_augment import TableAugmentGenerator

__all__ = [
    "CausalBlanketGenerator",
    "CausalGenerator",
    "CtganGenerator",
    "GaussianCopulaGenerator",
    "Generator",
    "IndependentGenerator",
    "LabelSignal",
    "PermutedTargetGenerator",
    "RandomDagGenerator",
    "SmoteGenerator",
    "TabEbmGenerator",
    "TableAugmentGenerator",
    "check_generator",
    "hostile_tables",
    "list_generators",
    "make_generator",
    "measure_label_signal",
    "register_generator",
]
