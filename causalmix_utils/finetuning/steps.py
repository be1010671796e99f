"""What a step of fine-tuning is made of: its settings, the pool of rows, and the rows drawn from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

MIXING = ("pool", "query", "staged")
MIX_SCHEDULES = ("constant", "linear")
METRICS = ("auc", "log_loss")
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
    mix_schedule: str = "constant"
    redraw_every: int | None = None
    early_stopping_metric: str = "auc"
    patience_growth: float = 0.0

    def mix_ratio_at(self, step: int) -> float:
        """Share of synthetic rows in a step, counted from 1; linear: from `mix_ratio` down to none in the last step.

        Examples
        --------
        >>> options = dict(learning_rate=1e-4, weight_decay=0.0, mixing="pool", mix_ratio=0.5, early_stopping=True)
        >>> options |= dict(check_every=5, patience=6, min_validation_gain=0.0, time_limit=None)
        >>> settings = LoopSettings(max_steps=11, mix_schedule="linear", **options)
        >>> [settings.mix_ratio_at(step) for step in (1, 6, 11)]
        [0.5, 0.25, 0.0]
        """
        if self.mix_schedule == "constant":
            return self.mix_ratio
        return self.mix_ratio * (1 - (step - 1) / max(1, self.max_steps - 1))


@dataclass(frozen=True)
class RowPool:
    """The rows that steps draw from: the first `n_real` are real, the others synthetic.

    Attributes
    ----------
    y : ndarray of shape (n_rows,)
        Class codes.
    n_real : int
        Number of real rows; every class occurs among them.
    batch : int or None
        Number of synthetic rows that steps draw from at a time; None: all.
    batch_place : int
        Which batch of them that is.
    """

    y: np.ndarray
    n_real: int
    batch: int | None = None
    batch_place: int = 0

    @property
    def real(self) -> np.ndarray:
        """Positions of the real rows."""
        return np.arange(self.n_real)

    @property
    def synthetic(self) -> np.ndarray:
        """Positions of the synthetic rows that steps draw from."""
        if self.batch is None:
            return np.arange(self.n_real, len(self.y))
        start = self.n_real + self.batch_place * self.batch
        return np.arange(start, min(start + self.batch, len(self.y)))

    def at_step(self, step: int, redraw_every: int | None) -> RowPool:
        """The pool of one step, counted from 1: after each `redraw_every` steps comes the next batch."""
        if self.batch is None or redraw_every is None:
            return self
        return replace(self, batch_place=(step - 1) // redraw_every)


def draw_step(
    pool: RowPool, settings: LoopSettings, step: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The context and query rows of one step, as positions in the pool.

    Every step has as many rows as there are real ones, so that all ways of mixing cost the
    same; a staged step of synthetic rows alone has no more than there are of these. Every class of the pool is among
    the context rows.

    - ``pool``: a share `mix_ratio` of the rows is synthetic, as context and as query rows alike;
    - ``query``: synthetic rows are query rows only, a share `mix_ratio` of them;
    - ``staged``: synthetic rows alone in the first half of the steps, real rows alone afterwards.

    With ``mix_schedule="linear"`` the share falls to zero along a straight line; staged steps have a schedule of
    their own.
    """
    mix_ratio = settings.mix_ratio if settings.mixing == "staged" else settings.mix_ratio_at(step)
    if not len(pool.synthetic) or mix_ratio == 0:
        return _split(pool.real, pool.y, QUERY_FRACTION, rng)
    if settings.mixing == "query":
        return _draw_synthetic_queries(pool, mix_ratio, rng)
    if settings.mixing == "staged" and step > settings.max_steps // 2:
        return _split(pool.real, pool.y, QUERY_FRACTION, rng)
    share = 1.0 if settings.mixing == "staged" else mix_ratio
    n_synthetic = min(count_synthetic(settings.mixing, share, pool.n_real), len(pool.synthetic))
    rows = rng.choice(pool.synthetic, n_synthetic, replace=False)
    if share < 1:
        rows = np.concatenate([rows, _draw(pool.real, pool.y, pool.n_real - n_synthetic, rng)])
    context, query = _split(_with_every_class(rows, pool, rng), pool.y, QUERY_FRACTION, rng)
    # A handful of synthetic rows may leave no row to ask for.
    return (context, query) if len(query) else _split(pool.real, pool.y, QUERY_FRACTION, rng)


def count_queries(n_real: int) -> int:
    """Query rows of a step, by the number of real rows."""
    return max(1, round(QUERY_FRACTION * n_real))


def count_synthetic(mixing: str, mix_ratio: float, n_real: int) -> int:
    """Synthetic rows of a step, if there are enough; a staged step that has any has no others.

    Examples
    --------
    >>> [count_synthetic(mixing, 0.5, 100) for mixing in MIXING]
    [50, 15, 100]
    """
    if mixing == "staged":
        return n_real
    return round(mix_ratio * (count_queries(n_real) if mixing == "query" else n_real))


def _draw_synthetic_queries(pool: RowPool, mix_ratio: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Context rows that are all real, and query rows of which a share `mix_ratio` is synthetic."""
    n_query = count_queries(pool.n_real)
    n_synthetic = min(count_synthetic("query", mix_ratio, pool.n_real), len(pool.synthetic))
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
