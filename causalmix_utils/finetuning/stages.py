"""The stages of a fit that take time: synthetic rows are drawn, then the network is fine-tuned."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from causalmix_utils.finetuning.inputs import TableEncoder
from causalmix_utils.finetuning.loop import LoopSettings, RowPool, run_loop
from causalmix_utils.generators import Generator, make_generator
from causalmix_utils.metrics import log_loss, roc_auc
from causalmix_utils.tabpfn_bridge import TrainableEnsemble

if TYPE_CHECKING:
    from tabpfn import TabPFNClassifier

    from causalmix_utils.tables import Table

Part = tuple[np.ndarray, np.ndarray]
"""Encoded features and class codes of some rows."""


def draw_synthetic_rows(
    generator: str | Generator,
    train: Table,
    n: int,
    *,
    fit_rng: np.random.Generator,
    sample_rng: np.random.Generator,
    seconds: dict[str, float],
) -> tuple[Generator, Table]:
    """Fit a generator on the train rows and draw `n` rows from it; writes what it took into `seconds`."""
    fitted = make_generator(generator)
    started = time.monotonic()
    fitted.fit(train, rng=fit_rng)
    seconds["generator fit"] = time.monotonic() - started
    started = time.monotonic()
    synthetic = fitted.sample(n, rng=sample_rng)
    seconds["generator sample"] = time.monotonic() - started
    return fitted, synthetic


def finetune(
    classifier: TabPFNClassifier,
    encoder: TableEncoder,
    train: Table,
    synthetic: Table | None,
    parts: dict[str, Part],
    settings: LoopSettings,
    *,
    rng: np.random.Generator,
    verbose: bool,
) -> tuple[TrainableEnsemble, pd.DataFrame, int]:
    """Fine-tune a classifier's network.

    Parameters
    ----------
    classifier : TabPFNClassifier
        Not fitted, not changed.
    encoder : TableEncoder
        Fitted on all real rows.
    train : Table
        The real rows to train on; they are the context while fine-tuning is watched.
    synthetic : Table or None
        The synthetic rows.
    parts : dict
        Rows that are scored at every check: ``"validation"``, and ``"test"`` where there are some.
    settings : LoopSettings
    rng : numpy.random.Generator
        Draws the rows of each step.
    verbose : bool
        Show a progress bar on a terminal.

    Returns
    -------
    ensemble : TrainableEnsemble
        With the chosen weights.
    trajectory : DataFrame
        One row a check.
    chosen_step : int
    """
    if np.bincount(encoder.encode_classes(train)).max() < 2:
        raise ValueError(
            f"too few rows to fine-tune on: each of the {len(encoder.classes_)} classes has a single train row, "
            "but a step needs context rows and query rows; use max_steps=0"
        )
    pool = train if synthetic is None else train.concat(synthetic)
    pool_X, pool_y = encoder.encode_features(pool.X), encoder.encode_classes(pool)
    ensemble = TrainableEnsemble(classifier, pool_X, pool_y)
    watched = ensemble.evaluator(pool_X[: len(train)], pool_y[: len(train)])
    codes = range(len(encoder.classes_))

    def watch() -> dict[str, float]:
        ensemble.network.eval()
        scores = {}
        for part, (X, y) in parts.items():
            proba = watched.predict_proba(X)
            scores[f"{part}_auc"] = roc_auc(y, proba, codes)
            scores[f"{part}_log_loss"] = log_loss(y, proba, codes)
        return scores

    trajectory, chosen_step = run_loop(ensemble, RowPool(pool_y, len(train)), watch, settings, rng=rng, verbose=verbose)
    return ensemble, trajectory, chosen_step
