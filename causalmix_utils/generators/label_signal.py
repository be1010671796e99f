"""Label signal: how much the rows of a generator say about the target, without a look at test rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from causalmix_utils.arguments import check_count, check_rng
from causalmix_utils.folds import assign_folds
from causalmix_utils.forests import predict_by_forest
from causalmix_utils.generators.registry import make_generator
from causalmix_utils.metrics import roc_auc
from causalmix_utils.randomness import draw_seed
from causalmix_utils.tables import Table, duplicate_groups

if TYPE_CHECKING:
    from causalmix_utils.generators.base import Generator


@dataclass(frozen=True)
class LabelSignal:
    """What `measure_label_signal` found.

    Attributes
    ----------
    synthetic : float
        ROC-AUC, on real rows that were held out, of a random forest that saw synthetic rows alone; 0.5 if these teach
        nothing about the target.
    real : float
        The same for a forest that saw the real rows that the generator was fitted to.
    n_folds : int
        Folds of the cross-fitting.
    n_rows : int
        Synthetic rows drawn in each fold.
    """

    synthetic: float
    real: float
    n_folds: int
    n_rows: int

    @property
    def lost(self) -> float:
        """AUC that is lost by learning from synthetic rows in place of real ones."""
        return self.real - self.synthetic

    def __str__(self) -> str:
        return (
            f"a forest that learns from synthetic rows reaches AUC {self.synthetic:.3f} on real rows that were held "
            f"out, one that learns from real rows {self.real:.3f} ({self.n_folds} folds)"
        )


def measure_label_signal(
    generator: str | type[Generator] | Generator,
    train: Table,
    *,
    rng: np.random.Generator,
    n_folds: int = 3,
    n_rows: int = 500,
    n_trees: int = 100,
) -> LabelSignal:
    """Synthetic-to-real AUC of a generator, cross-fitted on its training table.

    The rows that a generator was fitted to would flatter it: one that copies them would seem as good as the
    truth. So the table is cut into folds, with rows of equal features in one. For each, the generator is fitted anew,
    discovery and all, to the other folds, even if it was given edge probabilities, which may come from all rows; a
    forest learns from the rows that it draws, and predicts the fold. No row judges a generator that has seen it or its
    equal, and no validation or test row is used at all.

    Parameters
    ----------
    generator : str, class, or Generator
        As `make_generator` takes it; what is passed in is not changed.
    train : Table
        With at least two classes.
    rng : numpy.random.Generator
        Draws folds and rows, and seeds the forests.
    n_folds : int, default=3
        The cost is `n_folds` fits of the generator. With few folds, it sees clearly fewer rows than in use,
        and the AUC is a little too low; `LabelSignal.real` is so, too, and the difference is fair.
    n_rows : int, default=500
        Synthetic rows drawn in each fold.
    n_trees : int, default=100
        Trees of each forest.

    Returns
    -------
    LabelSignal
        The predictions of all folds are judged together.

    Raises
    ------
    ValueError
        If an argument has a value that is not allowed, or `train` has a single class or fewer than two different rows
        for each fold.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=90)
    >>> table = Table.from_frame(pd.DataFrame({"x": x, "y": np.where(x > 0, "plus", "minus")}), target="y")
    >>> measure_label_signal("smote", table, rng=rng).synthetic > 0.9
    True
    >>> abs(measure_label_signal("independent", table, rng=rng).synthetic - 0.5) < 0.3
    True
    """
    check_rng(rng)
    check_count("n_folds", n_folds, minimum=2)
    check_count("n_rows", n_rows)
    check_count("n_trees", n_trees)
    if len(train.classes) < 2:
        raise ValueError(f"train holds one class only, {train.classes[0]!r}: there is nothing to say about it")
    groups = duplicate_groups(train.X)  # equal rows would give each other away
    n_different = len(np.unique(groups))
    if n_different < 2 * n_folds:
        raise ValueError(
            f"n_folds={n_folds} needs at least {2 * n_folds} different rows, but {train.name!r} has {n_different}"
        )
    folds = assign_folds(train.y, n_folds, rng=rng, groups=groups)
    proba = {kind: np.empty((len(train), len(train.classes))) for kind in ("synthetic", "real")}
    for fold in range(n_folds):
        seen, held_out = train.take(folds != fold), folds == fold
        rows = {"synthetic": _forgetful(generator).fit(seen, rng=rng).sample(n_rows, rng=rng), "real": seen}
        for kind, part in rows.items():
            proba[kind][held_out] = predict_by_forest(
                part, train.X[held_out], train.classes, n_trees=n_trees, seed=draw_seed(rng)
            )
    auc = {kind: roc_auc(train.y, values, train.classes) for kind, values in proba.items()}
    return LabelSignal(synthetic=auc["synthetic"], real=auc["real"], n_folds=n_folds, n_rows=n_rows)


def _forgetful(generator: str | type[Generator] | Generator) -> Generator:
    """A generator that is not fitted and finds its own edge probabilities."""
    made = make_generator(generator)
    return made.set_params(edge_probabilities=None) if "edge_probabilities" in made.get_params() else made
