"""How good synthetic rows are: alike to real ones, useful, and no copies – three things that go separate ways.

Fidelity asks whether the rows look real, usefulness whether a model that learns from them alone predicts
real rows, and closeness (`causalmix_utils.evaluation.closeness`) whether they repeat the rows that the generator
saw. Fidelity is measured against rows that the generator has *not* seen, so that copying is not mistaken for it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_rng
from causalmix_utils.evaluation.associations import association_error, check_columns
from causalmix_utils.evaluation.closeness import (
    closest_record_distances,
    membership_auc,
    nearest_neighbour_ratios,
    share_nearer_to_train,
)
from causalmix_utils.forests import make_forest, predict_by_forest
from causalmix_utils.metrics import roc_auc
from causalmix_utils.randomness import draw_seed
from causalmix_utils.tables import Table


def score_synthetic_rows(
    synthetic: Table, *, train: Table, test: Table, rng: np.random.Generator, n_trees: int = 100
) -> dict[str, float | int]:
    """All measures of one sample.

    Parameters
    ----------
    synthetic : Table
        The rows to judge. Handing in `train` itself gives what real rows reach.
    train : Table
        The rows that the generator saw.
    test : Table
        Real rows that it did not see.
    rng : numpy.random.Generator
        Seeds the forests, and draws as many test rows as there are train rows for the last two comparisons.
    n_trees : int
        Trees in each forest.

    Returns
    -------
    dict
        ``marginal_distance``: median over columns of `marginal_distances` to `test`;
        ``association_error``: mean difference of `pair_associations` from those of `test`, over all pairs;
        ``two_sample_auc``: `two_sample_auc` against `test`;
        ``usefulness``: `synthetic_to_real_auc` on `test`;
        ``closest_record``: median of `closest_record_distances` to `train`;
        ``closest_record_held_out``: the same of the rows of `test`, which is what real rows reach;
        ``copies``: share of rows whose features repeat a row of `train`;
        ``distance_ratio``: median of `nearest_neighbour_ratios` to `train`;
        ``nearer_to_train``: `share_nearer_to_train` with `test` as the rows held out;
        ``membership_auc``: `membership_auc` likewise;
        ``n_rows``.

    Raises
    ------
    ValueError
        If the tables differ in columns, or hold too few rows or classes for a measure.
    """
    check_rng(rng)
    distances = closest_record_distances(synthetic, train)
    return {
        "marginal_distance": float(marginal_distances(test, synthetic).median()),
        "association_error": association_error(test, synthetic),
        "two_sample_auc": two_sample_auc(test, synthetic, rng=rng, n_trees=n_trees),
        "usefulness": synthetic_to_real_auc(synthetic, test, rng=rng, n_trees=n_trees),
        "closest_record": float(np.median(distances)),
        "closest_record_held_out": float(np.median(closest_record_distances(test, train))),
        "copies": float(np.mean(distances == 0)),
        "distance_ratio": float(np.median(nearest_neighbour_ratios(synthetic, train))),
        # Drawn after the forests are seeded, so that these are the same with and without the comparisons.
        "nearer_to_train": share_nearer_to_train(synthetic, train=train, held_out=test, rng=rng),
        "membership_auc": membership_auc(synthetic, train=train, held_out=test, rng=rng),
        "n_rows": len(synthetic),
    }


def marginal_distances(real: Table, synthetic: Table) -> pd.Series:
    """Distance between the distributions of each column, the target included, from 0 (equal) to 1.

    For numbers the largest difference of the two distribution functions (Kolmogorov–Smirnov), for categories
    half the summed difference of the shares (total variation). A missing value is a level of its own in a
    category; of numbers those that are present are compared.

    Returns
    -------
    Series of shape (n_columns,)
        Index: the columns. NaN where a numerical column is wholly missing on one side.

    Examples
    --------
    >>> frame = pd.DataFrame({"x": [1, 2, 3, 4], "y": ["a", "a", "b", "b"]})
    >>> real = Table.from_frame(frame, target="y")
    >>> marginal_distances(real, real.take([0, 1])).to_dict()
    {'x': 0.5, 'y': 0.5}
    """
    from scipy.stats import ks_2samp

    check_columns(real, synthetic)
    first, second = real.to_frame(), synthetic.to_frame()
    distances = {}
    for column in real.columns:
        if column in real.numerical:
            parts = first[column].dropna(), second[column].dropna()
            distances[column] = float(ks_2samp(*parts, method="asymp").statistic) if all(map(len, parts)) else np.nan
        else:
            shares = [_level_shares(frame[column]) for frame in (first, second)]
            distances[column] = float(shares[0].sub(shares[1], fill_value=0.0).abs().sum() / 2)
    return pd.Series(distances)


def two_sample_auc(
    real: Table, synthetic: Table, *, rng: np.random.Generator, n_folds: int = 5, n_trees: int = 100
) -> float:
    """Classifier two-sample test: how well a random forest tells synthetic rows from real ones.

    The forest sees features and target, and is judged by cross-validation on equally many rows of both kinds.

    Parameters
    ----------
    real, synthetic : Table
        With the same columns. Of the longer one, as many rows as the other has are drawn at random.
    rng : numpy.random.Generator
        Draws these rows and the folds, and seeds the forest.
    n_folds : int
    n_trees : int
        Trees of the forest.

    Returns
    -------
    float
        ROC-AUC: 0.5 if they can't be told apart, 1 if always. Rows that stand in both tables pull it below 0.5.

    Raises
    ------
    ValueError
        If the tables differ in columns, or one has fewer rows than `n_folds`.

    References
    ----------
    D. Lopez-Paz, M. Oquab: *Revisiting Classifier Two-Sample Tests*, ICLR 2017.
    """
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    check_rng(rng)
    check_columns(real, synthetic)
    n = min(len(real), len(synthetic))
    if n < n_folds:
        raise ValueError(f"n_folds={n_folds} needs at least as many rows, but real or synthetic has only {n}")
    parts = [table.take(rng.permutation(len(table))[:n]) for table in (real, synthetic)]
    rows = parts[0].concat(parts[1])
    is_synthetic = np.repeat([0, 1], n)
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=draw_seed(rng))
    forest = make_forest([*rows.categorical, rows.target], n_trees, seed=draw_seed(rng))
    proba = cross_val_predict(forest, rows.to_frame(), is_synthetic, cv=folds, method="predict_proba")
    return roc_auc(is_synthetic, proba, [0, 1])


def synthetic_to_real_auc(synthetic: Table, test: Table, *, rng: np.random.Generator, n_trees: int = 100) -> float:
    """Train on synthetic, test on real: ROC-AUC on real rows of a random forest that saw synthetic rows alone.

    Parameters
    ----------
    synthetic : Table
        With at least two classes.
    test : Table
        Real rows, none of which the generator saw.
    rng : numpy.random.Generator
        Seeds the forest.
    n_trees : int
        Trees of the forest.

    Returns
    -------
    float
        See `causalmix_utils.metrics.roc_auc`; 0.5 means that the rows teach nothing about the target. A class that
        does not occur among the synthetic rows counts as predicted with probability 0.

    Raises
    ------
    ValueError
        If the tables differ in columns, or one of them holds a single class.

    References
    ----------
    C. Esteban, S. Hyland, G. Rätsch: *Real-valued (Medical) Time Series Generation with Recurrent Conditional GANs*,
    arXiv 1706.02633, 2017.

    See Also
    --------
    causalmix_utils.generators.measure_label_signal : the same without test rows, by cross-fitting.
    """
    check_rng(rng)
    check_columns(test, synthetic)
    if len(synthetic.classes) < 2:
        raise ValueError(f"synthetic holds one class only, {synthetic.classes[0]!r}: nothing can be learnt from it")
    classes = sorted({*synthetic.classes, *test.classes})
    proba = predict_by_forest(synthetic, test.X, classes, n_trees=n_trees, seed=draw_seed(rng))
    return roc_auc(test.y, proba, classes)


def _level_shares(values: pd.Series) -> pd.Series:
    return values.astype(object).fillna("(missing)").value_counts(normalize=True)
