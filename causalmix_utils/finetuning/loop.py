"""The fine-tuning loop: draw a split of the mixed pool, take a step, watch the validation rows.

One step is one classification task made from the pool: some of its rows are shown to the
network as context rows, the labels of the others, the query rows, are to be predicted.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from causalmix_utils.finetuning.steps import LoopSettings, RowPool, draw_step
from causalmix_utils.finetuning.stopping import EarlyStopping, has_diverged

if TYPE_CHECKING:
    import torch

    from causalmix_utils.tabpfn_bridge import TrainableEnsemble


@dataclass(frozen=True)
class LoopResult:
    """What a loop left behind.

    Attributes
    ----------
    trajectory : DataFrame
        One row a check: ``step``, ``train_loss`` (mean since the last check), the metrics of `watch`, ``seconds``
        since the start.
    step : int
        The step whose weights the network has now; 0 is the zero-shot model.
    interrupted : bool
        Whether a `KeyboardInterrupt` ended the loop.
    """

    trajectory: pd.DataFrame
    step: int
    interrupted: bool = False


def run_loop(
    ensemble: TrainableEnsemble,
    pool: RowPool,
    watch: Callable[[], dict[str, float]] | None,
    settings: LoopSettings,
    *,
    rng: np.random.Generator,
    last_step: int | None = None,
    draw: Callable[[RowPool, LoopSettings, int, np.random.Generator], tuple[np.ndarray, np.ndarray]] = draw_step,
    verbose: bool = False,
) -> LoopResult:
    """Fine-tune the ensemble's network and leave it with the weights that were chosen.

    Parameters
    ----------
    ensemble : TrainableEnsemble
        Its network is changed.
    pool : RowPool
    watch : callable or None
        Returns the metrics of the current weights, ``validation_auc`` and ``validation_log_loss`` among them. Called
        at step 0, which is the zero-shot model, and at every check. None watches nothing: the weights of the
        last step are kept.
    settings : LoopSettings
    rng : numpy.random.Generator
        Draws the splits.
    last_step : int, optional
        End after this step, although all schedules are those of ``settings.max_steps``.
    draw : callable
        Draws the context and query rows of a step; see `draw_step`.
    verbose : bool
        Show a progress bar on a terminal.

    Returns
    -------
    LoopResult

    Warns
    -----
    RuntimeWarning
        If the loss is not finite, or has grown beyond what any network should lose. The loop ends then, and the best
        weights so far are kept: the zero-shot weights if nothing was watched.
    """
    last_step = settings.max_steps if last_step is None else last_step
    return _Loop(ensemble, watch, settings, draw).run(pool, rng, last_step, verbose)


class _Loop:
    """The state of one run of the loop."""

    def __init__(self, ensemble: TrainableEnsemble, watch: Callable | None, settings: LoopSettings, draw: Callable):
        self.ensemble, self.watch, self.settings, self.draw = ensemble, watch, settings, draw
        self.weights = list(ensemble.network.parameters())
        self.optimizer = _make_optimizer(self.weights, settings)
        self.best = 0, ensemble.snapshot()  # step and weights in one, so that no interrupt parts them
        self.started = time.monotonic()
        self.checks = [{"step": 0, "train_loss": np.nan, **self._look(), "seconds": self._seconds()}]
        self.stopping = EarlyStopping(self.checks[0], settings) if watch else None
        self.keeps_last = watch is None or not settings.early_stopping
        self.losses: list[float] = []

    def run(self, pool: RowPool, rng: np.random.Generator, last_step: int, verbose: bool) -> LoopResult:
        from tqdm.auto import tqdm

        settings = self.settings
        bar = tqdm(range(1, last_step + 1), desc="fine-tuning", unit="step", disable=None if verbose else True)
        went_well, interrupted = True, False
        try:
            for step in bar:
                self.losses.append(self._take_step(pool, step, rng))
                out_of_time = settings.time_limit is not None and self._seconds() > settings.time_limit
                is_check = step % settings.check_every == 0 or step == last_step or out_of_time
                went_well = np.isfinite(self.losses[-1]) and not (is_check and self._has_diverged(pool))
                if not went_well:
                    loss = np.mean(self.losses)
                    warnings.warn(f"the loss at step {step} is {loss:.3g}: fine-tuning ends here", RuntimeWarning, 4)
                    break
                if is_check:
                    self._check(step, bar)
                    if out_of_time or (self.stopping and self.stopping.is_over):
                        break
        except KeyboardInterrupt:
            went_well, interrupted = False, True
            text = "fine-tuning was interrupted: the best weights so far are kept"
            warnings.warn(text, RuntimeWarning, stacklevel=4)
        bar.close()
        return replace(self._finish(went_well), interrupted=interrupted)

    def _take_step(self, pool: RowPool, step: int, rng: np.random.Generator) -> float:
        """One optimiser step; the ensemble's views take turns. Returns the loss before it, NaN if it diverged."""
        import torch

        warm_up = max(1, self.settings.max_steps // 10)
        rate = self.settings.learning_rate * min(1.0, step / warm_up)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        context, query = self.draw(pool.at_step(step, self.settings.redraw_every), self.settings, step, rng)
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.ensemble.loss(context, query, view=step % self.ensemble.n_views)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        # The network replaces NaN outputs by zeros, so a diverged network shows in its gradient, not in its loss.
        if not (torch.isfinite(loss) and torch.isfinite(norm)):
            return np.nan
        self.optimizer.step()
        return float(loss.detach())

    def _has_diverged(self, pool: RowPool) -> bool:
        first = self.checks[1]["train_loss"] if len(self.checks) > 1 else -np.inf
        return has_diverged(float(np.mean(self.losses)), first, len(np.unique(pool.y)))

    def _check(self, step: int, bar) -> None:
        """Look at the watched rows, and keep the weights if they are the best so far."""
        check = {"step": step, "train_loss": float(np.mean(self.losses)), **self._look()}
        self.checks.append({**check, "seconds": self._seconds()})
        if self.stopping and self.stopping.update(check):
            self.best = step, self.ensemble.snapshot()
        self.losses = []
        shown = {name: f"{check[name]:.3f}" for name in ("train_loss", "validation_auc") if name in check}
        bar.set_postfix(shown)

    def _finish(self, went_well: bool) -> LoopResult:
        """Give the network the weights that were chosen."""
        if self.keeps_last and went_well:
            return LoopResult(pd.DataFrame(self.checks), int(self.checks[-1]["step"]))
        step, weights = self.best
        self.ensemble.restore(weights)
        return LoopResult(pd.DataFrame(self.checks), step)

    def _look(self) -> dict[str, float]:
        return self.watch() if self.watch else {}

    def _seconds(self) -> float:
        return time.monotonic() - self.started


def _make_optimizer(weights: list[torch.nn.Parameter], settings: LoopSettings) -> torch.optim.Optimizer:
    """AdamW in one pass over all weights where torch can do that: a tenth of a small step's time otherwise."""
    import torch

    fused = all(weight.device.type in ("cpu", "cuda") for weight in weights)
    return torch.optim.AdamW(weights, lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=fused)
