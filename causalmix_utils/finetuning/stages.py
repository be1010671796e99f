"""The stages of a fit that take time: synthetic rows are drawn, then the network is fine-tuned."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from causalmix_utils.finetuning.inputs import Part, TableEncoder
from causalmix_utils.finetuning.loop import LoopSettings, RowPool, run_loop
from causalmix_utils.generators import Generator
from causalmix_utils.metrics import log_loss, roc_auc
from causalmix_utils.tabpfn_bridge import TrainableEnsemble

if TYPE_CHECKING:
    from tabpfn import TabPFNClassifier

    from causalmix_utils.tables import Table


@contextmanager
def stage(name: str, seconds: dict[str, float], *, verbose: bool) -> Iterator[None]:
    """Write into `seconds` how long a block took; while it runs, a line on a terminal says so if `verbose`."""
    from tqdm.auto import tqdm

    started = time.monotonic()
    with tqdm(total=1, desc=name, bar_format="{desc}: {elapsed}", disable=None if verbose else True):
        yield
    seconds[name] = time.monotonic() - started


def fit_generator(
    generator: Generator, train: Table, *, rng: np.random.Generator, seconds: dict[str, float], verbose: bool
) -> Generator:
    """Fit a generator on the train rows; its own progress bars are shown, too, if it has some."""
    if verbose and "progress" in generator.get_params():
        generator.set_params(progress=True)
    with stage("generator fit", seconds, verbose=verbose):
        return generator.fit(train, rng=rng)


def draw_rows(
    generator: Generator, n: int, *, rng: np.random.Generator, seconds: dict[str, float], verbose: bool
) -> Table:
    """Draw `n` rows from a fitted generator."""
    with stage("generator sample", seconds, verbose=verbose):
        return generator.sample(n, rng=rng)


def finetune(
    classifier: TabPFNClassifier,
    encoder: TableEncoder,
    train: Table,
    synthetic: Table | None,
    parts: dict[str, Part],
    settings: LoopSettings,
    *,
    rng: np.random.Generator,
    seconds: dict[str, float],
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
    seconds : dict
        Is told how long it took.
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
    started = time.monotonic()
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
    seconds["fine-tuning"] = time.monotonic() - started
    return ensemble, trajectory, chosen_step
