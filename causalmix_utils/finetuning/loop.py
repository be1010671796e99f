"""The fine-tuning loop: draw a split of the mixed pool, take a step, watch the validation rows.

One step is one classification task made from the pool: some of its rows are shown to the
network as context rows, the labels of the others, the query rows, are to be predicted.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import torch

    from causalmix_utils.tabpfn_bridge import TrainableEnsemble

MIXING = ("pool", "query", "staged")
QUERY_FRACTION = 0.3
"""Share of a step's rows whose labels are to be predicted."""


@dataclass(frozen=True)
class LoopSettings:
    """The options of the loop; see `CausalMixFTClassifier` for their meaning."""

    max_steps: int
    learning_rate: float
    weight_decay: float
    mixing: str
    mix_ratio: float
    early_stopping: bool
    check_every: int
    patience: int
    min_validation_gain: float
    time_limit: float | None


@dataclass(frozen=True)
class RowPool:
    """The rows that steps draw from: the first `n_real` are real, the others synthetic.

    Attributes
    ----------
    y : ndarray of shape (n_rows,)
        Class codes.
    n_real : int
        Number of real rows; every class occurs among them.
    """

    y: np.ndarray
    n_real: int

    @property
    def real(self) -> np.ndarray:
        """Positions of the real rows."""
        return np.arange(self.n_real)

    @property
    def synthetic(self) -> np.ndarray:
        """Positions of the synthetic rows."""
        return np.arange(self.n_real, len(self.y))


def run_loop(
    ensemble: TrainableEnsemble,
    pool: RowPool,
    watch: Callable[[], dict[str, float]],
    settings: LoopSettings,
    *,
    rng: np.random.Generator,
    verbose: bool = False,
) -> tuple[pd.DataFrame, int]:
    """Fine-tune the ensemble's network and leave it with the weights that were chosen.

    Parameters
    ----------
    ensemble : TrainableEnsemble
        Its network is changed.
    pool : RowPool
    watch : callable
        Returns the metrics of the current weights, ``validation_auc`` among them. Called at
        step 0, which is the zero-shot model, and at every check.
    settings : LoopSettings
    rng : numpy.random.Generator
        Draws the splits.
    verbose : bool
        Show a progress bar on a terminal.

    Returns
    -------
    trajectory : DataFrame
        One row a check: ``step``, ``train_loss`` (mean since the last check), the metrics of
        `watch`, ``seconds`` since the start.
    chosen_step : int
        The step whose weights the network has now; 0 is the zero-shot model.

    Warns
    -----
    RuntimeWarning
        If the loss is not finite. The loop ends then, and the best weights so far are kept.
    """
    from tqdm.auto import tqdm

    optimizer = _make_optimizer(ensemble.network, settings)
    started = time.monotonic()
    checks = [{"step": 0, "train_loss": np.nan, **watch(), "seconds": time.monotonic() - started}]
    best, best_weights = checks[0], ensemble.snapshot()
    losses: list[float] = []
    bar = tqdm(range(1, settings.max_steps + 1), desc="fine-tuning", unit="step", disable=None if verbose else True)
    try:
        for step in bar:
            loss = _take_step(ensemble, optimizer, pool, settings, step, rng)
            losses.append(loss)
            if not np.isfinite(loss):
                warnings.warn(f"the loss of step {step} is {loss}: fine-tuning ends here", RuntimeWarning, stacklevel=3)
                break
            out_of_time = settings.time_limit is not None and time.monotonic() - started > settings.time_limit
            if step % settings.check_every and step < settings.max_steps and not out_of_time:
                continue
            check = {"step": step, "train_loss": float(np.mean(losses)), **watch()}
            checks.append({**check, "seconds": time.monotonic() - started})
            losses = []
            bar.set_postfix(train_loss=f"{check['train_loss']:.3f}", validation_auc=f"{check['validation_auc']:.3f}")
            if _is_better(check, best, zero_shot=checks[0], settings=settings):
                best, best_weights = check, ensemble.snapshot()
            waited = sum(1 for earlier in checks if earlier["step"] > best["step"])
            if out_of_time or (settings.early_stopping and waited >= settings.patience):
                break
    except KeyboardInterrupt:
        warnings.warn("fine-tuning was interrupted: the best weights so far are kept", RuntimeWarning, stacklevel=3)
    bar.close()
    ensemble.restore(best_weights)
    return pd.DataFrame(checks), int(best["step"])


def _is_better(check: dict, best: dict, *, zero_shot: dict, settings: LoopSettings) -> bool:
    """Whether a check's weights replace the best so far."""
    if not settings.early_stopping:
        return True
    gain = check["validation_auc"] - zero_shot["validation_auc"]
    return check["validation_auc"] > best["validation_auc"] and gain >= settings.min_validation_gain


def _make_optimizer(network: torch.nn.Module, settings: LoopSettings) -> torch.optim.Optimizer:
    """AdamW in one pass over all weights where torch can do that: a tenth of a small step's time otherwise."""
    import torch

    weights = list(network.parameters())
    fused = all(weight.device.type in ("cpu", "cuda") for weight in weights)
    return torch.optim.AdamW(weights, lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=fused)


def _take_step(
    ensemble: TrainableEnsemble,
    optimizer: torch.optim.Optimizer,
    pool: RowPool,
    settings: LoopSettings,
    step: int,
    rng: np.random.Generator,
) -> float:
    """One optimiser step; the ensemble's views take turns. Returns the loss before it, NaN if it diverged."""
    import torch

    warm_up = max(1, settings.max_steps // 10)
    for group in optimizer.param_groups:
        group["lr"] = settings.learning_rate * min(1.0, step / warm_up)
    context, query = draw_step(pool, settings, step, rng)
    optimizer.zero_grad(set_to_none=True)
    loss = ensemble.loss(context, query, view=step % ensemble.n_views)
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(ensemble.network.parameters(), 1.0)
    # The network replaces NaN outputs by zeros, so a diverged network shows in its gradient, not in its loss.
    if not (torch.isfinite(loss) and torch.isfinite(norm)):
        return np.nan
    optimizer.step()
    return float(loss.detach())


def draw_step(
    pool: RowPool, settings: LoopSettings, step: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The context and query rows of one step, as positions in the pool.

    Every step has as many rows as there are real ones, so that all ways of mixing cost the
    same. Every class of the pool is among the context rows.

    - ``pool``: a share `mix_ratio` of the rows is synthetic, as context and as query rows alike;
    - ``query``: synthetic rows are query rows only, a share `mix_ratio` of them;
    - ``staged``: synthetic rows alone in the first half of the steps, real rows alone afterwards.
    """
    if not len(pool.synthetic) or settings.mix_ratio == 0:
        return _split(pool.real, pool.y, QUERY_FRACTION, rng)
    if settings.mixing == "query":
        return _draw_synthetic_queries(pool, settings.mix_ratio, rng)
    if settings.mixing == "staged" and step > settings.max_steps // 2:
        return _split(pool.real, pool.y, QUERY_FRACTION, rng)
    share = 1.0 if settings.mixing == "staged" else settings.mix_ratio
    n_synthetic = min(round(share * pool.n_real), len(pool.synthetic))
    rows = rng.choice(pool.synthetic, n_synthetic, replace=False)
    if share < 1:
        rows = np.concatenate([rows, _draw(pool.real, pool.y, pool.n_real - n_synthetic, rng)])
    context, query = _split(_with_every_class(rows, pool, rng), pool.y, QUERY_FRACTION, rng)
    # A handful of synthetic rows may leave no row to ask for.
    return (context, query) if len(query) else _split(pool.real, pool.y, QUERY_FRACTION, rng)


def _draw_synthetic_queries(pool: RowPool, mix_ratio: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Context rows that are all real, and query rows of which a share `mix_ratio` is synthetic."""
    n_query = max(1, round(QUERY_FRACTION * pool.n_real))
    n_synthetic = min(round(mix_ratio * n_query), len(pool.synthetic))
    real = _draw(pool.real, pool.y, pool.n_real - n_synthetic, rng)
    context, query = _split(real, pool.y, (n_query - n_synthetic) / len(real), rng)
    return context, np.concatenate([query, rng.choice(pool.synthetic, n_synthetic, replace=False)])


def _draw(rows: np.ndarray, y: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """`n` of the rows, or all if there are fewer, each class in its share and with at least one row."""
    if n >= len(rows):
        return rows
    drawn = []
    for code in np.unique(y[rows]):
        members = rng.permutation(rows[y[rows] == code])
        share = int(np.floor(len(members) * n / len(rows) + rng.random()))
        drawn.append(members[: max(1, share)])
    return np.concatenate(drawn)


def _with_every_class(rows: np.ndarray, pool: RowPool, rng: np.random.Generator) -> np.ndarray:
    """The rows, with one real row more for each class that they lack."""
    lacking = np.setdiff1d(pool.y[pool.real], pool.y[rows])
    extra = [rng.choice(pool.real[pool.y[pool.real] == code]) for code in lacking]
    return np.concatenate([rows, np.array(extra, dtype=rows.dtype)])


def _split(
    rows: np.ndarray, y: np.ndarray, query_fraction: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Stratified context and query rows: every class keeps a context row, and a query row is found if any is spare."""
    context, query = [], []
    for code in np.unique(y[rows]):
        members = rng.permutation(rows[y[rows] == code])
        n_query = min(int(np.floor(len(members) * query_fraction + rng.random())), len(members) - 1)
        query.append(members[:n_query])
        context.append(members[n_query:])
    if query_fraction > 0 and not sum(map(len, query)):
        largest = max(range(len(context)), key=lambda i: len(context[i]))
        if len(context[largest]) > 1:
            query[largest], context[largest] = context[largest][:1], context[largest][1:]
    return np.concatenate(context), np.concatenate(query)
