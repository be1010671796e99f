"""Assignment: does mixing in causal rows help on a table of your choice? One solution among several.

Eight functions, in their order. Each says what it gets, what it returns and what it must not do, and each can
be tested alone::

    pytest test_assignment.py -k split_rows      # one function
    pytest test_assignment.py                    # all, with the points at the end
    python assignment.py                         # the study itself, on your table

Settings are small, so that the study takes minutes on one processor core.
"""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd

from causalmix_utils.discovery import edge_probabilities
from causalmix_utils.evaluation import bootstrap_interval, synthetic_to_real_auc
from causalmix_utils.finetuning import CausalMixFTClassifier
from causalmix_utils.generators import Generator
from causalmix_utils.graphs import sample_dag
from causalmix_utils.metrics import roc_auc
from causalmix_utils.scm import fit_scm, sample_rows
from causalmix_utils.tables import Table, load_table, scarce_split

TABLE = "credit-g"  # your choice: any name that `causalmix tables` lists
N_ROWS = 120  # train and validation rows together
SPLITS = range(5)
SEED = 0
MODEL = {"n_estimators": 2, "check_every": 2, "device": "cpu"}  # the same for every arm


# Task 1


def split_rows(table: Table, *, n: int, split: int) -> tuple[Table, Table, Table]:
    """Split a table into train, validation and test rows.

    Parameters
    ----------
    table : Table
    n : int
        Train and validation rows together; a third of them is for validation.
    split : int
        Number of the split; another number gives other rows.

    Returns
    -------
    train, validation, test : Table
        No row, and no two equal rows, on more than one side.

    Examples
    --------
    >>> [len(part) for part in split_rows(load_table("wine"), n=90, split=0)]
    [60, 30, 88]
    """
    return scarce_split(table, n=n, split=split)


# Task 2


def estimate_edges(train: Table, *, rng: np.random.Generator) -> pd.DataFrame:
    """Probabilities of all edges between the columns, the target among them.

    Parameters
    ----------
    train : Table
        The train rows, and no others.
    rng : numpy.random.Generator
        The only source of randomness. Four resamples are enough here.

    Returns
    -------
    DataFrame, square
        Entry (i, j) is the probability of the edge from i to j.

    Examples
    --------
    >>> train, _, _ = split_rows(load_table("iris"), n=60, split=0)
    >>> estimate_edges(train, rng=np.random.default_rng(0)).shape
    (5, 5)
    """
    return edge_probabilities(train, rng=rng, n_resamples=4)


# Task 3


def draw_graph(P: pd.DataFrame, *, target: str, rng: np.random.Generator) -> nx.DiGraph:
    """Draw one directed acyclic graph from edge probabilities.

    Parameters
    ----------
    P : DataFrame, square
        Edge probabilities.
    target : str
        The column to predict. It must have a neighbour, since its values could say nothing otherwise.
    rng : numpy.random.Generator
        The only source of randomness.

    Returns
    -------
    networkx.DiGraph
        Over all columns of `P`. A likely edge occurs in most draws, an unlikely one in few.

    Examples
    --------
    >>> P = pd.DataFrame([[0, 1.0], [0, 0]], index=["age", "paid"], columns=["age", "paid"])
    >>> list(draw_graph(P, target="paid", rng=np.random.default_rng(0)).edges)
    [('age', 'paid')]
    """
    return sample_dag(P, target=target, rng=rng)


# Task 4


def make_rows(dag: nx.DiGraph, train: Table, n: int, *, rng: np.random.Generator) -> Table:
    """Fit a structural causal model to the train rows and sample from it.

    Parameters
    ----------
    dag : networkx.DiGraph
        Over the columns of `train`. Linear mechanisms are enough here.
    train : Table
    n : int
        Number of rows to sample.
    rng : numpy.random.Generator
        The only source of randomness.

    Returns
    -------
    Table
        With the columns, types and classes of `train`.

    Examples
    --------
    >>> train, _, _ = split_rows(load_table("iris"), n=60, split=0)
    >>> dag = nx.DiGraph([(train.X.columns[0], train.target)])
    >>> dag.add_nodes_from(train.X.columns)
    >>> len(make_rows(dag, train, 25, rng=np.random.default_rng(0)))
    25
    """
    scm = fit_scm(dag, train, mechanisms="linear")
    return sample_rows(scm, n, like=train, rng=rng)


class PipelineGenerator(Generator):
    """Your tasks 2 to 4 as a generator, so that the classifier can draw rows by itself. Nothing to fill in."""

    name = "pipeline"
    summary = "rows of the functions of this assignment"

    def __init__(self, *, n_dags: int = 3, cover_classes: bool = True) -> None:
        self.n_dags = n_dags
        self.cover_classes = cover_classes

    def _fit(self, train: Table, rng: np.random.Generator) -> None:
        P = estimate_edges(train, rng=rng)
        self.train_ = train
        self.dags_ = [draw_graph(P, target=train.target, rng=rng) for _ in range(self.n_dags)]

    def _sample(self, n: int, rng: np.random.Generator) -> pd.DataFrame:
        sizes = [len(part) for part in np.array_split(np.arange(n), self.n_dags)]
        parts = zip(self.dags_, sizes, strict=True)
        rows = [make_rows(dag, self.train_, size, rng=rng).to_frame() for dag, size in parts if size]
        return pd.concat(rows, ignore_index=True)


# Task 5


def measure_usefulness(synthetic: Table, held_out: Table, *, rng: np.random.Generator) -> float:
    """How well a classifier that learnt from synthetic rows alone predicts real ones.

    Parameters
    ----------
    synthetic : Table
        What the classifier learns from.
    held_out : Table
        Real rows that neither the classifier nor the generator has seen.
    rng : numpy.random.Generator
        The only source of randomness.

    Returns
    -------
    float
        ROC-AUC on `held_out`: about one half if the synthetic rows teach nothing.

    Examples
    --------
    >>> train, validation, _ = split_rows(load_table("iris"), n=60, split=0)
    >>> bool(measure_usefulness(train, validation, rng=np.random.default_rng(0)) > 0.9)
    True
    """
    return synthetic_to_real_auc(synthetic, held_out, rng=rng)


# Task 6


def fine_tune(
    train: Table, validation: Table, *, generator: Generator | str | None, seed: int, max_steps: int = 10
) -> CausalMixFTClassifier:
    """Fine-tune the embedded checkpoint with or without synthetic rows.

    Parameters
    ----------
    train, validation : Table
        Real rows. Early stopping watches the validation rows, all of them and nothing else: hand them to ``fit``.
    generator : Generator, str or None
        Where synthetic rows come from; None for fine-tuning on real rows alone.
    seed : int
        Same seed, same model. Use the options in ``MODEL``, too.
    max_steps : int
        0 is zero-shot prediction.

    Returns
    -------
    CausalMixFTClassifier
        Fitted.

    Examples
    --------
    >>> train, validation, test = split_rows(load_table("iris"), n=60, split=0)
    >>> model = fine_tune(train, validation, generator=None, seed=0, max_steps=0)
    >>> model.predict_proba(test.X).shape
    (90, 3)
    """
    model = CausalMixFTClassifier(generator, max_steps=max_steps, random_state=seed, **MODEL)
    return model.fit(train.X, train.y, X_validation=validation.X, y_validation=validation.y)


# Task 7


def compare(table: Table, *, n: int, splits: range | list[int], seed: int) -> pd.DataFrame:
    """Test AUC of three arms on several splits.

    Parameters
    ----------
    table : Table
    n : int
        Train and validation rows together.
    splits : sequence of int
        Numbers of the splits.
    seed : int
        Of all arms, so that they differ in nothing but their rows.

    Returns
    -------
    DataFrame
        One row for each split: ``split``, and the ROC-AUC on its test rows of ``zero_shot`` (no steps), ``default``
        (no generator) and ``mixed`` (with ``PipelineGenerator()``).

    Examples
    --------
    >>> compare(load_table("iris"), n=60, splits=[0], seed=0).columns.tolist()
    ['split', 'zero_shot', 'default', 'mixed']
    """
    lines = []
    for split in splits:
        train, validation, test = split_rows(table, n=n, split=split)
        models = {
            "zero_shot": fine_tune(train, validation, generator=None, seed=seed, max_steps=0),
            "default": fine_tune(train, validation, generator=None, seed=seed),
            "mixed": fine_tune(train, validation, generator=PipelineGenerator(), seed=seed),
        }
        scores = {arm: roc_auc(test.y, model.predict_proba(test.X), model.classes_) for arm, model in models.items()}
        lines.append({"split": split, **scores})
    return pd.DataFrame(lines)


# Task 8


def judge(differences: list[float] | np.ndarray, *, rng: np.random.Generator) -> dict:
    """Say what the differences between two arms allow to say.

    Parameters
    ----------
    differences : sequence of float
        One for each split: the one arm minus the other. At least two.
    rng : numpy.random.Generator
        The only source of randomness.

    Returns
    -------
    dict
        ``mean``; ``low`` and ``high``, a 95 % bootstrap interval of the mean; and ``verdict``: "better" or "worse"
        where the interval lies on one side of zero, else "undecided".

    Raises
    ------
    ValueError
        If there are fewer than two differences: one alone has no interval.

    Examples
    --------
    >>> judge([0.02, -0.01, 0.01, -0.02], rng=np.random.default_rng(0))["verdict"]
    'undecided'
    """
    if len(differences) < 2:
        raise ValueError(f"differences must be at least two, got {len(differences)}")
    low, high = bootstrap_interval(differences, rng=rng, statistic=np.mean)
    verdict = "better" if low > 0 else "worse" if high < 0 else "undecided"
    return {"mean": float(np.mean(differences)), "low": float(low), "high": float(high), "verdict": verdict}


def main() -> None:
    """The study on your table. Nothing to fill in; its output belongs in your report."""
    table = load_table(TABLE)
    train, validation, _ = split_rows(table, n=N_ROWS, split=0)
    rng = np.random.default_rng(SEED)
    synthetic = PipelineGenerator().fit(train, rng=rng).sample(300, rng=rng)
    print(f"{table.name}: usefulness of the synthetic rows {measure_usefulness(synthetic, validation, rng=rng):.3f}")
    print(f"                usefulness of the real ones {measure_usefulness(train, validation, rng=rng):.3f}")
    scores = compare(table, n=N_ROWS, splits=SPLITS, seed=SEED)
    print(scores.round(4).to_string(index=False))
    for better, worse in (("default", "zero_shot"), ("mixed", "zero_shot"), ("mixed", "default")):
        verdict = judge(scores[better] - scores[worse], rng=rng)
        print(f"{better} minus {worse}: {verdict['mean']:+.4f}, 95 % interval {verdict['low']:+.4f} to", end=" ")
        print(f"{verdict['high']:+.4f}: {verdict['verdict']}")


if __name__ == "__main__":
    main()
