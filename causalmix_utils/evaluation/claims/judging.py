"""The nine claims, and the verdict on each."""

from __future__ import annotations

import numpy as np
import pandas as pd

from causalmix_utils.evaluation.claims.evidence import Bootstrap
from causalmix_utils.evaluation.claims.findings import FINDINGS, PUBLISHED, describe_change
from causalmix_utils.evaluation.claims.grid import PlannedGrid
from causalmix_utils.evaluation.claims.methods import METHOD_STATEMENTS, describe_kept_structure, judge_kept_structure
from causalmix_utils.evaluation.claims.selection import name_checkpoint, select_runs
from causalmix_utils.evaluation.claims.verdicts import AS_STATED, PARTLY, REPRODUCED, Verdict, decide
from causalmix_utils.evaluation.gains import ZERO_SHOT_ARM

CLAIMS: dict[int, str] = {
    1: "CausalMixFT has the highest median improvement over the pre-trained model, +0.12 ± 0.63, on 33 classification "
    "tables.",
    2: "Default fine-tuning varies by ± 0.98, CausalMixFT by ± 0.63: the former is less stable.",
    3: "CausalMixFT ranks first on average over the tables, default fine-tuning second, the purely statistical "
    "generators behind.",
    4: "Generators are compared after a normalisation that is based on the zero-shot performance.",
    5: "CausalMixFT extends fine-tuning by mixing real and causally grounded synthetic rows.",
    6: "The synthetic rows come from SCMs fitted to the target table, so that its structure is kept.",
    7: "PC and FCI estimate the structural relations between the features.",
    8: "DoWhy's SCM framework with additive noise models is used to fit and sample on the DAGs.",
    9: "Numerical features are modelled with regressors, categorical ones with classifiers.",
}
"""What a machine-made report of June 2026 extracted from the paper and did not verify, in our words."""


def judge_claims(
    results: pd.DataFrame,
    *,
    scores: pd.DataFrame | None = None,
    source: str = "results",
    regime: int | None = None,
    value: str = "gain",
    grid: PlannedGrid | None = None,
    rng: np.random.Generator | None = None,
    n_resamples: int = 10_000,
) -> list[Verdict]:
    """The verdict on each of the nine claims, by the rules of `causalmix_utils.evaluation.claims`.

    Parameters
    ----------
    results : DataFrame
        One row for each run; see `causalmix_utils.evaluation`. One checkpoint; gains are added.
    scores : DataFrame, optional
        Scores of synthetic rows, on which half of claim 6 rests; see `judge_kept_structure`. Without them that half is
        open.
    source : str
        Name of the results, for the reader.
    regime : int, optional
        Rows of the train and validation parts together; by default the largest regime.
    value : str
        Column in which claims 1 to 3 are judged; the claimed sizes only in ``gain``, the claims' own scale.
    grid : PlannedGrid, optional
        What should have been run. Only its runs are judged, unless `results` hold none of them. Where runs of it are
        missing, the verdicts on claims 1 to 3 are provisional.
    rng : Generator, optional
        Draws the seed of the bootstrap; by default it is 0, so that verdicts are repeatable.
    n_resamples : int
        Resamples of the bootstrap.

    Returns
    -------
    list of Verdict
        By number.

    Raises
    ------
    ValueError
        If a column is missing, there are no such runs, or they start from several checkpoints.
    """
    bootstrap = Bootstrap.from_rng(rng, n_resamples)
    runs = select_runs(results if grid is None else grid.pick(results), regime=regime)
    chosen = int(runs["regime"].iloc[0])
    share = None if grid is None else grid.share(results, regime=chosen, arms=(ZERO_SHOT_ARM, *PUBLISHED))
    verdicts = []
    for number, judge in FINDINGS.items():
        parts = tuple(judge(runs, value=value, bootstrap=bootstrap))
        verdict, reason = decide(parts)
        verdicts.append(
            Verdict(
                number=number,
                claim=CLAIMS[number],
                verdict=verdict,
                reason=reason,
                parts=parts,
                would_change=describe_change(parts, complete=share is None or share.complete),
                source=source,
                checkpoint=name_checkpoint(runs),
                regime=chosen,
                share=share,
            )
        )
    return verdicts + [_judge_statement(number, scores=scores, bootstrap=bootstrap) for number in METHOD_STATEMENTS]


def _judge_statement(number: int, *, scores: pd.DataFrame | None, bootstrap: Bootstrap) -> Verdict:
    statement = METHOD_STATEMENTS[number]
    verdict, reason, parts = AS_STATED, statement.how, ()
    if number == 6:
        if scores is None:
            said = "That the structure is kept was not measured."
        else:
            parts = tuple(judge_kept_structure(scores, bootstrap=bootstrap))
            said = describe_kept_structure(scores, parts, bootstrap=bootstrap)
        verdict = AS_STATED if parts and decide(parts)[0] == REPRODUCED else PARTLY
        reason = f"{reason} {said}"
    return Verdict(
        number=number,
        claim=CLAIMS[number],
        verdict=verdict,
        reason=reason,
        parts=parts,
        would_change=statement.would_change,
        source=statement.where,
    )
