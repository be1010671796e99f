"""Which model predicts better over many tables: means, paired differences, and tables on which nobody can fail.

The functions take scores, one row for each table, split and model, as ``benchmarks/compare_models.py`` stores
them: columns ``table``, ``split``, ``model``, and metrics such as ``auc``, ``log_loss`` and ``calibration_error``.
Every table counts equally: first the mean over its splits, then the mean over tables. Splits of a table share
rows, so they are no evidence of their own, and intervals come from resampling whole tables.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_columns, check_rng
from causalmix_utils.evaluation.summaries import bootstrap_interval

LOWER_IS_BETTER = ("log_loss", "calibration_error", "seconds")
"""Metrics of which less is better; of all others more is."""

_NEVER_MIXED = ("n", "checkpoint")


def mean_per_table(scores: pd.DataFrame, *, value: str = "auc") -> pd.DataFrame:
    """Mean of a metric over the splits of each table.

    Parameters
    ----------
    scores : DataFrame
        Scores of one number of context rows.
    value : str
        The metric.

    Returns
    -------
    DataFrame of shape (n_tables, n_models)
        Index ``table``, sorted; models in the order in which `scores` first names them.

    Raises
    ------
    ValueError
        If a column is missing, `scores` has no rows, it mixes numbers of context rows or checkpoints,
        or models differ in their tables or splits: means over different rows can't be compared.

    Examples
    --------
    >>> scores = pd.DataFrame({"table": ["a", "a"], "split": [0, 1], "model": ["forest", "forest"], "auc": [0.6, 0.8]})
    >>> float(mean_per_table(scores).loc["a", "forest"])
    0.7
    """
    _check_scores(scores, value)
    wide = scores.pivot(index=["table", "split"], columns="model", values=value)
    absent = wide.isna().stack()
    if absent.any():
        table, split, model = absent.idxmax()
        raise ValueError(f"scores has no {value!r} of model {model!r} on split {split} of table {table!r}")
    return wide[list(scores["model"].unique())].groupby("table").mean()


def mean_over_tables(scores: pd.DataFrame, *, rng: np.random.Generator, value: str = "auc") -> pd.DataFrame:
    """Mean of a metric over tables for each model, with its bootstrap interval.

    Parameters
    ----------
    scores, value :
        As for `mean_per_table`.
    rng : Generator
        Draws the resamples of tables, the same for every model.

    Returns
    -------
    DataFrame
        Index ``model``; columns ``mean``, ``low`` and ``high`` (95 %, percentile method; NaN for a single table), and
        ``n_tables``. Intervals of two models may overlap although one is better on almost every
        table; see `paired_differences` for that.

    Examples
    --------
    >>> scores = pd.DataFrame({"table": ["a", "b"], "split": 0, "model": "forest", "auc": [0.6, 0.8]})
    >>> mean_over_tables(scores, rng=np.random.default_rng(0)).round(2).loc["forest"].tolist()
    [0.7, 0.6, 0.8, 2.0]
    """
    check_rng(rng)
    wide = mean_per_table(scores, value=value)
    return _summarise(wide, rng).rename_axis("model")


def paired_differences(
    scores: pd.DataFrame,
    *,
    model: str,
    rng: np.random.Generator,
    value: str = "auc",
    rivals: Sequence[str] | None = None,
) -> pd.DataFrame:
    """How much better or worse one model is than others on the same tables.

    Parameters
    ----------
    scores, value :
        As for `mean_per_table`.
    model : str
        The model to judge.
    rng : Generator
        As for `mean_over_tables`.
    rivals : sequence of str, optional
        Models to compare with; by default all others.

    Returns
    -------
    DataFrame
        Index ``rival``; columns ``mean`` (over tables, of `model` minus rival), ``low``, ``high``, ``n_tables``,
        ``better`` and ``worse`` (numbers of tables), and ``verdict``: "better" or "worse" where the interval lies
        on one side of zero, else "not told apart". `LOWER_IS_BETTER` says which side is the good one.

    Raises
    ------
    ValueError
        If `model` or a rival has no scores, or as for `mean_per_table`.

    Examples
    --------
    >>> scores = pd.DataFrame(
    ...     {"table": list("aabb"), "split": 0, "model": ["net", "forest"] * 2, "auc": [0.7, 0.6, 0.9, 0.8]}
    ... )
    >>> paired_differences(scores, model="net", rng=np.random.default_rng(0)).loc["forest", "verdict"]
    'better'
    """
    check_rng(rng)
    differences = differences_per_table(scores, model=model, value=value, rivals=rivals)
    summary = _summarise(differences, rng).rename_axis("rival")
    sign = -1 if value in LOWER_IS_BETTER else 1
    summary["better"], summary["worse"] = (sign * differences > 0).sum(), (sign * differences < 0).sum()
    good, bad = ("high", "low") if sign < 0 else ("low", "high")
    summary["verdict"] = "not told apart"
    summary.loc[sign * summary[good] > 0, "verdict"] = "better"
    summary.loc[sign * summary[bad] < 0, "verdict"] = "worse"
    return summary


def differences_per_table(
    scores: pd.DataFrame, *, model: str, value: str = "auc", rivals: Sequence[str] | None = None
) -> pd.DataFrame:
    """`mean_per_table` of one model minus that of each rival: what `paired_differences` summarises."""
    wide = mean_per_table(scores, value=value)
    rivals = [name for name in wide.columns if name != model] if rivals is None else list(rivals)
    for argument, names in (("model", [model]), ("rivals", rivals)):
        unknown = [name for name in names if name not in wide.columns]
        if unknown:
            raise ValueError(
                f"{argument} names {unknown[0]!r}, which has no scores; the models are {list(wide.columns)}"
            )
    return -wide[rivals].sub(wide[model], axis=0)


def easy_tables(scores: pd.DataFrame, *, models: Sequence[str], threshold: float = 0.97) -> list[str]:
    """Tables on which even the worst of some models ranks nearly perfectly, so that nothing can be told apart there.

    Parameters
    ----------
    scores : DataFrame
        As for `mean_per_table`.
    models : sequence of str
        The models that must all be good: ordinary ones, not the one to be judged.
    threshold : float
        The smallest mean AUC over splits that counts as nearly perfect.

    Returns
    -------
    list of str
        Sorted names of tables.

    Raises
    ------
    ValueError
        If `models` is empty, one of them has no scores, or as for `mean_per_table`.
    """
    wide = mean_per_table(scores, value="auc")
    unknown = [name for name in models if name not in wide.columns]
    if unknown or not len(models):
        raise ValueError(f"models must be some of {list(wide.columns)}, got {list(models)}")
    return sorted(wide.index[wide[list(models)].min(axis=1) >= threshold])


def _summarise(wide: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Mean of each column with its interval. One seed, so that columns differ by their values alone."""
    seed = int(rng.integers(2**63))
    bounds = [bootstrap_interval(wide[name], rng=np.random.default_rng(seed), statistic=np.mean) for name in wide]
    return pd.DataFrame(
        {
            "mean": wide.mean(),
            "low": [low for low, _ in bounds],
            "high": [high for _, high in bounds],
            "n_tables": wide.count(),
        },
        index=wide.columns,
    )


def _check_scores(scores: pd.DataFrame, value: str) -> None:
    check_columns("scores", scores, ["table", "split", "model", value], allow_empty=False)
    for kind in _NEVER_MIXED:
        # Models that have no checkpoint leave the entry empty.
        found = [entry for entry in scores[kind].unique() if entry != ""] if kind in scores.columns else []
        if len(found) > 1:
            raise ValueError(f"scores mixes several values of {kind!r}: {found}; select one")
    twice = scores.duplicated(["table", "split", "model"])
    if twice.any():
        table, split, model = scores.loc[twice, ["table", "split", "model"]].to_numpy()[0]
        raise ValueError(f"scores has more than one row of model {model!r} on split {split} of table {table!r}")
