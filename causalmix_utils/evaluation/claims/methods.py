"""Claims 4 to 9: statements about the method. They can be implemented and tested; a benchmark can't make them true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from causalmix_utils.evaluation.claims.evidence import HOLDS, Bootstrap, Part, compare_pair


@dataclass(frozen=True)
class MethodStatement:
    """How this package implements one statement.

    Parameters
    ----------
    where : str
        Dotted name of the code.
    how : str
        What the code does.
    ours : str
        What the published text leaves open, so that the choice is ours.
    would_change : str
        What would change the verdict.
    """

    where: str
    how: str
    ours: str
    would_change: str


METHOD_STATEMENTS: dict[int, MethodStatement] = {
    4: MethodStatement(
        where="causalmix_utils.evaluation.normalised_gain",
        how="Every arm is compared by its gain over the zero-shot run of the same table and split, divided by what was "
        "left to gain.",
        ours="The formula. Gains in log-loss stand beside it, and the page says which conclusions hold for both.",
        would_change="The published formula, if it turns out to be another one.",
    ),
    5: MethodStatement(
        where="causalmix_utils.finetuning.CausalMixFTClassifier",
        how="Synthetic rows of the generator join the real train rows in the pool that every fine-tuning step draws "
        "from; validation, test and the final context hold real rows only.",
        ours="The share of synthetic rows, their number, drawing both kinds from one pool, and steps of as many rows "
        "as there are real train rows, so that synthetic rows take the place of real ones in a step.",
        would_change="A published protocol in which the rows are mixed in another way.",
    ),
    6: MethodStatement(
        where="causalmix_utils.generators.causal.CausalGenerator",
        how="The models are fitted on the train rows of the target table alone, and rows are sampled from them.",
        ours="How graphs are drawn and how the target is kept from being isolated. “So that its structure is kept” "
        "is a finding, so it is measured.",
        would_change="Other stored scores of synthetic rows, or another measure of structure.",
    ),
    7: MethodStatement(
        where="causalmix_utils.discovery.edge_probabilities",
        how="PC and FCI run on resamples of the train rows; their results are averaged into edge probabilities. On the "
        "widest tables the search runs out of its budget of tests; there PC looks at the strongest neighbours only and "
        "stands in for FCI, as `P.attrs` says.",
        ours="Resampling four fifths of the rows without replacement, the tests for mixed columns, and how marks of "
        "PAGs and CPDAGs become probabilities.",
        would_change="A published rule for the aggregation that differs.",
    ),
    8: MethodStatement(
        where="causalmix_utils.scm.fit_scm",
        how="Each drawn graph becomes a structural causal model of DoWhy; numerical nodes with parents have additive "
        "noise, and rows are sampled along the graph.",
        ours="Limits that keep samples within the range of the data, and the treatment of missing values.",
        would_change="A published choice of other mechanisms.",
    ),
    9: MethodStatement(
        where="causalmix_utils.scm.fit_scm",
        how="A numerical node with parents has a regressor, a categorical one a classifier; nodes without parents "
        "repeat their observed values.",
        ours="Which regressors and classifiers.",
        would_change="A published choice of models that differs.",
    ),
}
"""The method statements by the claim's number."""


def judge_kept_structure(scores: pd.DataFrame, *, bootstrap: Bootstrap) -> list[Part]:
    """The half of claim 6 that can be measured: the causal rows keep the table's structure.

    Parameters
    ----------
    scores : DataFrame
        Scores of synthetic rows, one row for each table, split and generator, with the columns ``association_error``
        and ``usefulness``; the stored result ``generators``.
    bootstrap : Bootstrap

    Returns
    -------
    list of Part
        First, the associations between columns are closer to the real ones than with columns drawn independently.
        Second, they are closer than with random graphs of as many edges. Third, the rows teach more about the target
        than those of random graphs. Each holds if the interval of the median difference over tables is above zero.
    """
    scores = scores.assign(association_kept=-scores["association_error"])

    def better(value: str, other: str, text: str) -> Part:
        return Part(text, (compare_pair(scores, "causal", other, value=value, by="generator", bootstrap=bootstrap),))

    return [
        better("association_kept", "independent", "associations are kept better than by independent columns"),
        better("association_kept", "random_dag", "associations are kept better than by random graphs"),
        better("usefulness", "random_dag", "the rows teach more about the target than those of random graphs"),
    ]


def describe_kept_structure(scores: pd.DataFrame, parts: Sequence[Part], *, bootstrap: Bootstrap) -> str:
    """What the scores say about the kept structure, in two sentences; the second compares with SMOTE."""
    holding = sum(part.status == HOLDS for part in parts)
    text = (
        f"That the structure is kept is measured on stored scores of such rows: {holding} of {len(parts)} parts hold."
    )
    smote = compare_pair(scores, "causal", "smote", value="usefulness", by="generator", bootstrap=bootstrap)
    if smote.n_tables:
        if smote.high < 0:
            text += " Kept does not mean best: SMOTE's rows, without any graph, teach more about the target"
        else:
            text += f" SMOTE's rows, without any graph, teach {'less' if smote.low > 0 else 'about as much'}"
        numbers = f"{smote.estimate:+.3f}, 95 % interval {smote.low:+.3f} to {smote.high:+.3f}".replace("-", "−")
        text += f" (AUC of a forest trained on the rows, median over tables of causal minus SMOTE: {numbers})."
    return text
