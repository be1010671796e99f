"""TabEBM: rows that follow the energy of a network which tells a class from far corner points."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_choice, check_count, check_number
from causalmix_utils.generators._coding import FeatureCoder
from causalmix_utils.generators._energy import compute_energy, draw_corners, split_rows, walk_down
from causalmix_utils.generators.base import Generator
from causalmix_utils.generators.registry import register_generator
from causalmix_utils.generators.smote import share_out
from causalmix_utils.randomness import fence_global_randomness
from causalmix_utils.tables import Table
from causalmix_utils.threads import single_thread

if TYPE_CHECKING:
    from causalmix_utils.tabpfn_bridge import QueryLogits

ENERGIES = ("auto", "log_sum_exp", "class_logit")
CODINGS = ("ordered", "one_hot")
PUBLISHED_PACKAGE = {"energy": "class_logit", "gradient": "mean", "temperature": 0.9, "gradient_every": 1}
"""Options with which rows follow the law of the rows of the package tabebm 2025.8.19 beside tabpfn 2.2.1."""

_FLAT = 1e-3
"""An energy that varies by less than this says nothing."""


@register_generator
class TabEbmGenerator(Generator):
    """TabEBM, written from the paper's description: for each class an energy, and rows that walk down it.

    For each class, the network is given the rows of this class as context rows, labelled 0, and a few corners of a cube
    far outside, the *negatives*, labelled 1. What it says of any point is turned into an energy. New rows start at real
    rows of the class with a little noise, and take `n_steps` steps of stochastic gradient Langevin dynamics: down the
    gradient of the energy with respect to the point itself, with noise at every step. Nothing is trained, and a class
    knows nothing of the other classes. Classes keep their shares.

    Parameters
    ----------
    weights : {"nano", "tabpfn-v2"} or path, default="nano"
        The network, as `causalmix_utils.foundation.load_classifier` takes it. It is used as a single view, without the
        library's preparation of the table, through which no gradient would pass.
    energy : {"auto", "log_sum_exp", "class_logit"}, default="auto"
        "log_sum_exp" is the paper's: minus the logarithm of the sum of both logits' exponentials. "class_logit" is
        minus the logit of the class. "auto" takes the paper's unless it is the same everywhere; see the notes.
    gradient : {"mean", "row"}, default="mean"
        Of what each row follows the gradient: of the mean energy of all rows that are drawn of the class, as in the
        authors' code, so that a step is the smaller the more rows are drawn; or of its own energy, as the paper's
        equation for a single row reads.
    temperature : float, default=1.0
        Divides the logits.
    n_steps : int, default=200
        Number of steps.
    step_size : float, default=0.1
        Factor of the gradient in a step.
    noise_scale : float, default=0.01
        Standard deviation of the noise in a step.
    start_noise : float, default=0.01
        Standard deviation of the noise at the start.
    gradient_every : int, default=20
        Steps that share a gradient, which is what takes the time. 1 computes each.
    n_negatives : int, default=4
        Number of negatives, even, since each has its mirror image. Fewer where the cube has fewer corners.
    distance : float, default=5.0
        Size of each coordinate of a negative. Like the noises, it is in units of standardised columns.
    categories : {"ordered", "one_hot"}, default="ordered"
        How a category becomes a number that can move: as its place in an order of the levels in which neighbours go
        with the same classes, or as one number for each level. A new row takes the nearest level.
    max_context : int, default=1000
        Most rows of a class that the network reads; a larger class is represented by so many rows drawn at random. New
        rows start from all.
    device : str, default="auto"
        As in `causalmix_utils.foundation.load_classifier`.
    cover_classes : bool, default=True
        Whether every class occurs in a sample that is large enough.

    Attributes
    ----------
    energy_ : str
        The energy that is used, "log_sum_exp" or "class_logit".
    coder_ : object
        Turns features into points by ``encode``, and back by ``decode``.
    contexts_, negatives_ : dict of str to ndarray
        What the network has read of each class: real rows and corners, as points.

    Notes
    -----
    *Columns.* Numerical columns are standardised over the training table, as the paper does. The paper codes categories
    by a statistic of the target. Here they are ordered by one and numbered, which keeps that idea for any number of
    classes, can be turned back into levels, and leaves the table as wide as the network has learnt to read. Plain codes
    would lead a walk from one level to another through unrelated ones. Missing values are filled before and put back
    afterwards, as in every generator.

    *The energy of newer networks.* The paper's energy needs logits with a level of their own, as TabPFN v1 and v2 have
    them. The embedded checkpoint and others with the library's layout v3 give logarithms of shares that sum to one:
    their log-sum-exp is zero everywhere, and walks along it would be noise alone. There, "auto" takes the logit of the
    class.

    *The published package*, tabebm 2025.8.19 beside tabpfn 2.2.1, differs from the paper. When it hands its starting
    points, all of one class, to the library, that forgets the second class; so the energy that is followed is minus
    the class's logit, divided by the library's temperature of 0.9. The gradient is divided by the number of rows drawn.
    `PUBLISHED_PACKAGE` holds the options that do the same. Three of its traits are left out: every class has the same
    noise; a second call gives every class the energy of the last; and a table of one column never ends.
    ``benchmarks/compare_tabebm.py`` compares both on one checkpoint.

    *Where it fails.*

    - With the default options rows hardly follow the energy: the noise of the steps adds up to ``noise_scale *
      sqrt(n_steps)``, 0.14 standard deviations of a column, while the gradient moves them far less. They are jittered
      copies of real rows, and categories hardly ever change. They are no choice where real rows are private.
    - With ``gradient="row"`` and the energy "log_sum_exp", rows run far away from the data: the energy also falls where
      the network is sure that a point is *not* of the class, and nothing binds a walk to the real rows.
    - Noise is the same in all columns and ignores how these depend on each other: near duplicates of a column, sums and
      other exact relations break.
    - Each class is drawn as if it were alone, so where classes overlap, labels are as noisy as the real ones, and noise
      moves rows of one class into another's region.
    - A row with a wrong label is varied like any other. A class of a single row is that row with noise.

    References
    ----------
    A. Margeloiu, X. Jiang, N. Simidjievski, M. Jamnik: TabEBM: A Tabular Data Augmentation Method with Distinct
    Class-Specific Energy-Based Models. NeurIPS 2024, arXiv 2409.16118.

    Examples
    --------
    >>> from causalmix_utils.tables import load_table, scarce_split
    >>> train, _, _ = scarce_split(load_table("wine"), n=60, split=0)
    >>> rng = np.random.default_rng(0)
    >>> TabEbmGenerator(n_steps=20).fit(train, rng=rng).sample(30, rng=rng)
    Table('wine/tabebm': 30 rows, 13 features (0 categorical), 3 classes)
    """

    name = "tabebm"
    summary = "real rows that walk down the energy of a network which knows their class"
    source = "Margeloiu et al. 2024, arXiv 2409.16118"
    cost = "3 seconds"

    def __init__(
        self,
        *,
        weights: str | os.PathLike = "nano",
        energy: str = "auto",
        gradient: str = "mean",
        temperature: float = 1.0,
        n_steps: int = 200,
        step_size: float = 0.1,
        noise_scale: float = 0.01,
        start_noise: float = 0.01,
        gradient_every: int = 20,
        n_negatives: int = 4,
        distance: float = 5.0,
        categories: str = "ordered",
        max_context: int = 1000,
        device: str = "auto",
        cover_classes: bool = True,
    ) -> None:
        self.weights = weights
        self.energy = energy
        self.gradient = gradient
        self.temperature = temperature
        self.n_steps = n_steps
        self.step_size = step_size
        self.noise_scale = noise_scale
        self.start_noise = start_noise
        self.gradient_every = gradient_every
        self.n_negatives = n_negatives
        self.distance = distance
        self.categories = categories
        self.max_context = max_context
        self.device = device
        self.cover_classes = cover_classes

    def _check_options(self) -> None:
        check_choice("energy", self.energy, ENERGIES)
        check_choice("gradient", self.gradient, ("row", "mean"))
        check_choice("categories", self.categories, CODINGS)
        for name in ("n_steps", "gradient_every", "max_context"):
            check_count(name, getattr(self, name))
        for name in ("temperature", "distance"):
            check_number(name, getattr(self, name), 0, closed="neither")
        for name in ("step_size", "noise_scale", "start_noise"):
            check_number(name, getattr(self, name), 0)
        if check_count("n_negatives", self.n_negatives, minimum=2) % 2:
            raise ValueError(f"n_negatives must be even, since each has its mirror image, got {self.n_negatives!r}")

    def _fit(self, train: Table, rng: np.random.Generator) -> None:
        self.shares_ = train.y.value_counts(normalize=True).sort_index()
        self.coder_ = FeatureCoder(self.categories).fit(train)
        coded = self.coder_.encode(train.X)
        self.rows_ = {label: coded[(train.y == label).to_numpy()] for label in self.shares_.index}
        self.contexts_, self.negatives_ = {}, {}
        for label, rows in self.rows_.items():
            kept = rng.permutation(len(rows))[: self.max_context] if len(rows) > self.max_context else slice(None)
            self.contexts_[label] = rows[kept]
            self.negatives_[label] = draw_corners(coded.shape[1], self.n_negatives, distance=self.distance, rng=rng)
        with _working_alone():
            self._passes = self._read_contexts()
            self.energy_ = self._choose_energy() if self.energy == "auto" else self.energy

    def _read_contexts(self) -> list[tuple[list[str], QueryLogits]]:
        """Classes with equally many context rows share one pass through the network."""
        from causalmix_utils.foundation import load_classifier
        from causalmix_utils.tabpfn_bridge import QueryLogits

        classifier = load_classifier(self.weights, n_estimators=1, device=self.device)
        by_size: dict[int, list[str]] = {}
        for label, rows in self.contexts_.items():
            by_size.setdefault(len(rows), []).append(label)
        passes = []
        for size, labels in by_size.items():
            X = np.stack([np.vstack([self.contexts_[label], self.negatives_[label]]) for label in labels])
            is_negative = np.arange(X.shape[1]) >= size
            passes.append((labels, QueryLogits(classifier, X, np.tile(is_negative.astype(int), (len(labels), 1)))))
        return passes

    def _choose_energy(self) -> str:
        """The paper's energy, unless it is the same for all points that the network has seen."""
        values = []
        for labels, logits in self._passes:
            points = np.stack([np.vstack([self.contexts_[label], self.negatives_[label]]) for label in labels])
            values.append(compute_energy(logits(logits.tensor(points)), "log_sum_exp").flatten().cpu().numpy())
        return "class_logit" if np.ptp(np.concatenate(values)) < _FLAT else "log_sum_exp"

    def class_energies(self, table: Table) -> pd.DataFrame:
        """Energy of each row as a row of each class: the lower, the more it looks like one.

        Parameters
        ----------
        table : Table
            With the columns of the training table, no missing values, and no level that the training table lacks. Its
            target does not matter.

        Returns
        -------
        DataFrame of shape (n_rows, n_classes)

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `fit` was not called before.
        ValueError
            If a column has missing values or an unknown level.
        """
        self._check_fitted("class_energies")
        gaps = table.X.columns[table.X.isna().any()]
        if len(gaps):
            raise ValueError(f"column {gaps[0]!r} has missing values, for which there is no energy")
        coded = self.coder_.encode(table.X)
        energies = {}
        with _working_alone():
            for labels, logits in self._passes:
                points = np.stack([coded] * len(labels))
                parts = [
                    compute_energy(logits(logits.tensor(part)), self.energy_, temperature=self.temperature)
                    for part in split_rows(points)
                ]
                values = np.concatenate([part.detach().cpu().numpy() for part in parts], axis=1)
                energies.update(zip(labels, values, strict=True))
        return pd.DataFrame({label: energies[label] for label in self.shares_.index})

    def _sample(self, n: int, rng: np.random.Generator) -> pd.DataFrame:
        at_least = 1 if self.cover_classes and n >= len(self.shares_) else 0
        drawn = self.draw_coded(share_out(n, self.shares_, rng=rng, at_least=at_least), rng=rng)
        frames = [self.coder_.decode(rows).assign(**{self.shares_.index.name: label}) for label, rows in drawn.items()]
        return pd.concat(frames, ignore_index=True).iloc[rng.permutation(n)]

    def draw_coded(self, wanted: Mapping[str, int], *, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Rows as the network reads them, before they become rows of the table again.

        Parameters
        ----------
        wanted : mapping of str to int
            Number of rows of each class.
        rng : numpy.random.Generator

        Returns
        -------
        dict of str to ndarray of shape (``wanted[label]``, n_coded)
            Standardised numbers, see `categories`; neither clipped to the range of the column nor rounded.
        """
        drawn = {}
        with _working_alone():
            for labels, logits in self._passes:
                # Classes of one pass have the same number of real rows, so they hardly differ in what they need.
                n = max(int(wanted[label]) for label in labels)
                start = np.stack([self._draw_start(label, n, rng) for label in labels])
                parts = [
                    self._walk(logits, part, draw=rng.standard_normal, n_rows=[wanted[label] for label in labels])
                    for part in (split_rows(start) if n else [])
                ]
                rows = np.concatenate(parts, axis=1) if n else start
                drawn.update({label: of_class[: wanted[label]] for label, of_class in zip(labels, rows, strict=True)})
        return {label: drawn[label] for label in self.shares_.index}

    def _walk(
        self,
        logits: QueryLogits,
        start: np.ndarray,
        *,
        draw: Callable[[tuple[int, ...]], np.ndarray],
        n_rows: Sequence[int],
    ) -> np.ndarray:
        """All steps of the chains of one pass, see `walk_down`; `n_rows` are the rows wanted of each of its classes."""
        return walk_down(
            lambda points: compute_energy(logits(points), self.energy_, temperature=self.temperature),
            logits.tensor(start),
            draw=lambda shape: logits.tensor(draw(shape)),
            n_steps=self.n_steps,
            gradient_every=self.gradient_every,
            step_size=logits.tensor(self._scale_steps(n_rows)),
            noise_scale=self.noise_scale,
        )

    def _scale_steps(self, n_rows: Sequence[int]) -> np.ndarray:
        """Step size of each class: the mean energy of n rows has an nth of the gradient."""
        divisors = np.maximum(np.asarray(n_rows), 1) if self.gradient == "mean" else np.ones(len(n_rows))
        return (self.step_size / divisors)[:, None, None]

    def _draw_start(self, label: str, n: int, rng: np.random.Generator) -> np.ndarray:
        real = self.rows_[label][rng.integers(len(self.rows_[label]), size=n)]
        return real + self.start_noise * rng.standard_normal(real.shape)


@contextmanager
def _working_alone() -> Iterator[None]:
    """One thread, which makes results repeatable, and the caller's global random state as it was."""
    with fence_global_randomness(), single_thread():
        yield
