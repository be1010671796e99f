"""The stages of a fit that take time: synthetic rows are drawn, then the network is fine-tuned."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import clone

from causalmix_utils.finetuning.inputs import Part, TableEncoder
from causalmix_utils.finetuning.loop import LoopResult, run_loop
from causalmix_utils.finetuning.steps import LoopSettings, RowPool, count_synthetic
from causalmix_utils.finetuning.stopping import WIDENED
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
    seconds[name] = seconds.get(name, 0.0) + time.monotonic() - started


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


@dataclass(frozen=True)
class Job:
    """Everything that the loops of one fit share.

    Attributes
    ----------
    classifier : TabPFNClassifier
        Not fitted, not changed.
    encoder : TableEncoder
        Fitted on the rows that were handed in to be trained on: a level that only validation rows have is missing.
    generator : Generator or None
        Not fitted, not changed.
    n_synthetic : int or None
        How many synthetic rows are drawn at a time; None: as many as there are train rows.
    validation_synthetic : int
        How many further synthetic rows widen the validation rows.
    test : Part or None
        Rows that are scored at every check for study.
    seconds : dict
        Is told how long each stage took.
    activation_checkpointing : bool
        See `TrainableEnsemble`.
    verbose : bool
        Show progress bars on a terminal.
    """

    classifier: TabPFNClassifier
    encoder: TableEncoder
    generator: Generator | None
    n_synthetic: int | None
    validation_synthetic: int
    test: Part | None
    seconds: dict[str, float]
    activation_checkpointing: bool
    verbose: bool

    def run(
        self,
        train: Table,
        validation: Part | None,
        settings: LoopSettings,
        rngs: Sequence[np.random.Generator],
        *,
        last_step: int | None = None,
    ) -> Outcome:
        """Fit the generator on train rows, draw synthetic ones, and fine-tune.

        Parameters
        ----------
        train : Table
            The real rows to train on; they are the context while fine-tuning is watched.
        validation : Part or None
            The rows to watch; None watches nothing.
        settings : LoopSettings
            The time limit counts from here on, so the loop has what the generator leaves of it.
        rngs : three numpy.random.Generator
            For the generator's fit, for its rows, and for the rows of each step.
        last_step : int, optional
            End after this step.
        """
        started = time.monotonic()
        fit_rng, sample_rng, loop_rng = rngs
        if np.bincount(self.encoder.encode_classes(train)).max() < 2:
            raise ValueError(
                f"too few rows to fine-tune on: each of the {len(self.encoder.classes_)} classes has a single train "
                "row, but a step needs context rows and query rows; use max_steps=0"
            )
        generator, synthetic, batch = None, None, None
        parts = {} if validation is None else {"validation": validation}
        if self.generator is not None:
            told = {"seconds": self.seconds, "verbose": self.verbose}
            generator = fit_generator(clone(self.generator), train, rng=fit_rng, **told)
            batch = self.n_synthetic or len(train)
            _warn_of_small_share(batch, len(train), settings)
            synthetic = draw_rows(generator, batch * _count_batches(settings), rng=sample_rng, **told)
            if validation is not None and self.validation_synthetic:
                more = self._encode(draw_rows(generator, self.validation_synthetic, rng=sample_rng, **told))
                parts[WIDENED] = more
        if validation is not None and self.test is not None:
            parts["test"] = self.test
        with stage("fine-tuning", self.seconds, verbose=False):
            pool_X, pool_y = self._encode(train if synthetic is None else train.concat(synthetic))
            again = self.activation_checkpointing
            ensemble = TrainableEnsemble(self.classifier, pool_X, pool_y, activation_checkpointing=again)
            watch = self._make_watch(ensemble, (pool_X[: len(train)], pool_y[: len(train)]), parts) if parts else None
            pool = RowPool(pool_y, len(train), batch=batch)
            if settings.time_limit is not None:
                left = max(0.0, settings.time_limit - (time.monotonic() - started))
                settings = replace(settings, time_limit=left)
            result = run_loop(ensemble, pool, watch, settings, rng=loop_rng, last_step=last_step, verbose=self.verbose)
        return Outcome(ensemble, result, generator, synthetic)

    def _encode(self, rows: Table) -> Part:
        return self.encoder.encode_features(rows.X), self.encoder.encode_classes(rows)

    def _make_watch(self, ensemble: TrainableEnsemble, context: Part, parts: dict[str, Part]) -> Callable:
        """A function that scores the parts with the network as it is; the widened part is scored with the validation.

        All rows are predicted at once, so that the network reads the context once.
        """
        watched = ensemble.evaluator(*context)
        codes = range(len(self.encoder.classes_))
        rows = np.concatenate([X for X, _ in parts.values()])
        ends = np.cumsum([len(y) for _, y in parts.values()])[:-1]

        def watch() -> dict[str, float]:
            ensemble.network.eval()
            found = np.split(watched.predict_proba(rows), ends)
            scored = {part: (y, proba) for (part, (_, y)), proba in zip(parts.items(), found, strict=True)}
            if WIDENED in scored:
                pairs = zip(scored["validation"], scored[WIDENED], strict=True)
                scored[WIDENED] = tuple(np.concatenate(pair) for pair in pairs)
            scores = {}
            for part, (y, proba) in scored.items():
                scores[f"{part}_auc"] = roc_auc(y, proba, codes)
                scores[f"{part}_log_loss"] = log_loss(y, proba, codes)
            return scores

        return watch


@dataclass(frozen=True)
class Outcome:
    """A fine-tuned ensemble, how it got there, and the fitted generator with its rows, if there is one."""

    ensemble: TrainableEnsemble
    result: LoopResult
    generator: Generator | None
    synthetic: Table | None


def _warn_of_small_share(batch: int, n_train: int, settings: LoopSettings) -> None:
    wanted, asked, steps = count_synthetic(settings.mixing, settings.mix_ratio, n_train), "", "steps have"
    if settings.mixing == "staged":
        steps = "the first half of the steps has"
    else:
        asked = f" and mix_ratio={settings.mix_ratio:g}"
    if batch < wanted:
        warnings.warn(
            f"n_synthetic={batch} is too small for {n_train} train rows with mixing={settings.mixing!r}{asked}: "
            f"{steps} {batch} synthetic rows in place of {wanted}",
            UserWarning,
            stacklevel=5,
        )


def _count_batches(settings: LoopSettings) -> int:
    """How often synthetic rows are drawn."""
    return 1 if settings.redraw_every is None else -(-settings.max_steps // settings.redraw_every)
