"""How one sees that a structural causal model is wrong: DoWhy's own checks in a readable summary.

Three questions, three answers, none of which proves a model right:

- Does a mechanism predict its node from its parents, on rows that it was not fitted to? (`diagnose_mechanisms`)
- Is what it leaves over independent of the parents, as an additive noise model says? (`diagnose_mechanisms`)
- Does the graph promise independences that the rows deny, and does it do better than the same graph with its nodes
  shuffled? (`falsify_dag`)

`diagnose_scm` asks all of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_rng
from causalmix_utils.randomness import draw_seed, fence_global_randomness
from causalmix_utils.scm.falsification import GraphVerdict, check_request, falsify_dag
from causalmix_utils.scm.filling import fill_missing
from causalmix_utils.scm.fitting import check_graph
from causalmix_utils.scm.quiet import import_gcm, quiet_dowhy
from causalmix_utils.tables import Table


@dataclass(frozen=True)
class ScmDiagnosis:
    """What `diagnose_scm` found.

    Attributes
    ----------
    nodes : DataFrame, one row a node
        See `diagnose_mechanisms`.
    graph : GraphVerdict
        See `falsify_dag`.
    """

    nodes: pd.DataFrame
    graph: GraphVerdict

    def __str__(self) -> str:
        skill = self.nodes["skill"].dropna()
        noise = self.nodes["noise_p"].dropna()
        # Bonferroni's correction: with many nodes some p-value is always small.
        dependent = noise.index[noise * len(noise) < 0.05]
        named = f": {', '.join(dependent)}" if len(dependent) else ""
        verb = "depends" if len(dependent) == 1 else "depend"
        lines = [
            f"{int((self.nodes['parents'] != '').sum())} of {len(self.nodes)} nodes have parents. With them, on rows "
            f"that the mechanism has not seen, {int((skill > 0).sum())} of the {len(skill)} that vary can be predicted "
            "better than without.",
            f"Of {len(noise)} additive noises, {len(dependent)} {verb} on the parents{named}.",
            str(self.graph),
        ]
        return "\n".join(lines)


def diagnose_scm(
    scm,
    table: Table,
    *,
    rng: np.random.Generator,
    n_folds: int = 3,
    max_rows: int = 200,
    n_permutations: int = 20,
    level: float = 0.05,
) -> ScmDiagnosis:
    """Judge a fitted structural causal model by rows of its table.

    Parameters
    ----------
    scm : dowhy.gcm.StructuralCausalModel
        From `fit_scm`.
    table : Table
        Rows to judge it by. The noise of a flexible mechanism looks too good on the rows of its fit; rows that it
        has not seen are better, if there are any to spare.
    rng : Generator
        Chooses rows, folds and permutations. The global random state is left as it was.
    n_folds, max_rows
        See `diagnose_mechanisms`.
    n_permutations, level
        See `falsify_dag`.

    Returns
    -------
    ScmDiagnosis

    Raises
    ------
    ValueError
        If an argument has a value that is not allowed, or `table` does not have the nodes as its columns.

    Examples
    --------
    >>> import networkx as nx
    >>> from causalmix_utils.scm import fit_scm
    >>> rng = np.random.default_rng(0)
    >>> frame = pd.DataFrame({"x": rng.normal(size=100)})
    >>> frame["y"] = np.where(frame["x"] + 0.3 * rng.normal(size=100) > 0, "yes", "no")
    >>> table = Table.from_frame(frame, target="y")
    >>> scm = fit_scm(nx.DiGraph([("x", "y")]), table, mechanisms="linear")
    >>> diagnosis = diagnose_scm(scm, table, rng=rng)
    >>> bool(diagnosis.nodes.loc["y", "skill"] > 0.2)
    True
    >>> print(diagnosis.graph)
    The graph promises no independence, so nothing can speak against it.
    """
    nodes = diagnose_mechanisms(scm, table, rng=rng, n_folds=n_folds, max_rows=max_rows)
    graph = falsify_dag(scm.graph, table, rng=rng, n_permutations=n_permutations, level=level)
    return ScmDiagnosis(nodes=nodes, graph=graph)


def diagnose_mechanisms(
    scm, table: Table, *, rng: np.random.Generator, n_folds: int = 3, max_rows: int = 200
) -> pd.DataFrame:
    """Judge each mechanism of a fitted model, with `dowhy.gcm.evaluate_causal_model`.

    Parameters
    ----------
    scm : dowhy.gcm.StructuralCausalModel
        From `fit_scm`. Not changed.
    table : Table
        Missing values are filled with observed values of the same class, since DoWhy takes complete rows only: read
        the line of a column with many missing values with care.
    rng : Generator
        Chooses rows and folds.
    n_folds : int
        Folds of the cross-validation. Each mechanism is fitted anew on all but one fold and scored on that one.
    max_rows : int
        Rows that are used, drawn at random if there are more: scoring draws a hundred values for each row.

    Returns
    -------
    DataFrame
        Index: the nodes in the order of the columns. Columns: ``mechanism`` ("root", "linear", "boosting", …);
        ``parents``, their names; ``crps``, the continuous ranked probability score on held-out rows in units of the
        node's standard deviation (for a category, of the indicators of its levels), smaller is better; ``baseline``,
        the score of the node's own distribution, which ignores the parents; ``skill``, the share of the baseline's
        score that the parents save, 0 or less if they are of no use; ``noise_p``, p-value of a kernel test that
        the noise of an additive noise model is independent of the parents. NaN where it does not apply.

    Raises
    ------
    ValueError
        If an argument has a value that is not allowed, or `table` does not have the nodes as its columns.

    References
    ----------
    P. Blöbaum and others: *DoWhy-GCM*, JMLR 25, 2024. T. Gneiting, A. Raftery: *Strictly Proper Scoring Rules,
    Prediction, and Estimation*, JASA 102, 2007. K. Zhang and others: *Kernel-based Conditional Independence Test*,
    UAI 2011.
    """
    check_rng(rng)
    check_request(table, n_folds=n_folds, max_rows=max_rows)
    check_graph(scm.graph, table)
    gcm = import_gcm()
    from dowhy.gcm.model_evaluation import EvaluateCausalModelConfig

    from causalmix_utils.scm.remembering import remember_rows

    rows = table.take(np.sort(rng.permutation(len(table))[:max_rows]))
    frame = fill_missing(rows, rng=rng).to_frame().astype({column: object for column in rows.categorical})
    frame = frame.astype({column: float for column in rows.numerical})
    with fence_global_randomness(draw_seed(rng)), quiet_dowhy():
        result = gcm.evaluate_causal_model(
            remember_rows(scm, frame),
            frame,
            compare_mechanism_baselines=True,
            evaluate_overall_kl_divergence=False,
            evaluate_causal_structure=False,
            config=EvaluateCausalModelConfig(
                mechanism_evaluation_kfolds=n_folds,
                baseline_models_regression=[_ignore_parents_regressor],
                baseline_models_classification=[_ignore_parents_classifier],
                fdr_control_method_invertible=None,
                n_jobs=1,
            ),
        )
    lines = {}
    for node in table.columns:
        scores, noise = result.mechanism_performances[node], result.pnl_assumptions.get(node)
        crps, baseline = (
            math.nan if value is None else value for value in (scores.crps, scores.best_baseline_performance)
        )
        lines[node] = {
            "mechanism": scm.graph.graph["mechanisms"][node],
            "parents": ", ".join(sorted(scm.graph.predecessors(node))),
            "crps": crps,
            "baseline": baseline,
            "skill": 1 - crps / baseline if baseline > 0 else math.nan,
            "noise_p": math.nan if noise is None else float(noise[0]),
        }
    return pd.DataFrame.from_dict(lines, orient="index")


def _ignore_parents_regressor():
    from sklearn.dummy import DummyRegressor

    from causalmix_utils.scm.mechanisms import ParentsRegressor

    # An additive noise model around the mean draws from the observed values: the node's own distribution.
    return ParentsRegressor(DummyRegressor(), [])


def _ignore_parents_classifier():
    from sklearn.dummy import DummyClassifier

    from causalmix_utils.scm.mechanisms import ParentsClassifier

    return ParentsClassifier(DummyClassifier(strategy="prior"), [])
