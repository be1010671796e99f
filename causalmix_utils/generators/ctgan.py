"""CTGAN: a conditional generative adversarial network, by the library of its authors."""

from __future__ import annotations

import warnings
from types import ModuleType

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_count
from causalmix_utils.generators.base import Generator
from causalmix_utils.generators.registry import register_generator
from causalmix_utils.randomness import draw_seed, fence_global_randomness
from causalmix_utils.tables import Table

LIBRARY_EPOCHS = 300
MINIMUM_STEPS = 1000


@register_generator
class CtganGenerator(Generator):
    """Conditional tabular GAN on features and target together.

    The library `ctgan` is an optional extra, since its licence is not an open-source one: it is BUSL-1.1, which
    permits any use but a commercial service that creates synthetic data for others.

    Parameters
    ----------
    epochs : int, optional
        Passes over the training table; a table with fewer rows than twice `batch_size` gets one step a pass. By
        default the library's own number, 300, or as many as make 1,000 steps, whichever is more.
    batch_size : int, default=100
        Rows in a step, drawn with replacement; a multiple of 10, since the discriminator judges 10 rows together.
    cover_classes : bool, default=True
        Whether every class occurs in a sample that is large enough.

    Raises
    ------
    ImportError
        By `fit`, if the extra is not installed.

    Notes
    -----
    The library's defaults, 300 epochs with batches of 500, are made for large tables: one of 133 rows gets 300 steps,
    which is too few. With the defaults here a random forest that was trained on 500 synthetic rows alone reached much
    higher AUC on held-out real rows of four tables out of five, and neither setting taught much on the fifth, for
    about half as much time again (breast_cancer, wine, titanic, penguins and credit-g, at most 133 rows, two seeds).
    ``CtganGenerator(epochs=300, batch_size=500)`` is the library's setting; ``benchmarks/measure_generators.py``
    measures what both cost.

    The network always runs on the CPU. Missing values are filled before and put back afterwards, as in every generator.

    It fails on small tables, for which it was not made. From a few hundred rows it learns less of how columns go
    together than a Gaussian copula, in hundreds of times the time. Where classes overlap, the seed decides whether its
    rows teach anything about them. A rare level may never be drawn, and a rare class is left to ``cover_classes``.

    References
    ----------
    L. Xu, M. Skoularidou, A. Cuesta-Infante, K. Veeramachaneni: Modeling Tabular Data using Conditional GAN.
    NeurIPS 2019, arXiv 1907.00503.
    """

    name = "ctgan"
    summary = "rows of a conditional generative adversarial network"
    source = "Xu et al. 2019, arXiv 1907.00503"
    licence = "BUSL-1.1 (ctgan)"
    cost = "30 seconds"
    requires = "ctgan"

    def __init__(self, *, epochs: int | None = None, batch_size: int = 100, cover_classes: bool = True) -> None:
        self.epochs = epochs
        self.batch_size = batch_size
        self.cover_classes = cover_classes

    def _check_options(self) -> None:
        if self.epochs is not None:
            check_count("epochs", self.epochs)
        if check_count("batch_size", self.batch_size) % 10:
            raise ValueError(f"batch_size must be a multiple of 10, got {self.batch_size!r}")

    def _fit(self, train: Table, rng: np.random.Generator) -> None:
        library = import_ctgan()
        with fence_global_randomness(), warnings.catch_warnings():
            # Its mixtures of Gaussians often stop before they converge on a few rows; nothing follows from that.
            warnings.simplefilter("ignore")
            self.model_ = library.CTGAN(
                epochs=self._count_epochs(len(train)), batch_size=self.batch_size, enable_gpu=False
            )
            self.model_.set_random_state(draw_seed(rng))
            self.model_.fit(train.to_frame(), [*train.categorical, train.target])

    def _count_epochs(self, n_rows: int) -> int:
        if self.epochs is not None:
            return self.epochs
        steps_per_epoch = max(n_rows // self.batch_size, 1)
        return max(LIBRARY_EPOCHS, -(-MINIMUM_STEPS // steps_per_epoch))

    def _sample(self, n: int, rng: np.random.Generator) -> pd.DataFrame:
        with fence_global_randomness(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.model_.set_random_state(draw_seed(rng))
            return self.model_.sample(n)


def import_ctgan() -> ModuleType:
    """Import the library, or say how to get it.

    Raises
    ------
    ImportError
        If it is not installed; the message names the extra and the library's licence.
    """
    try:
        import ctgan
    except ImportError as error:
        raise ImportError(
            "the generator 'ctgan' needs the optional library ctgan: pip install 'causalmix-utils[ctgan]'. "
            "Its licence is BUSL-1.1, which is not an open-source licence; read it before you use it."
        ) from error
    return ctgan
