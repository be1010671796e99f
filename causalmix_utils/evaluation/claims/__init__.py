"""Verdicts on the nine claims of a machine-made report, by rules that were written before the results.

Claims 1 to 3 are *findings*. Each is split into parts, and each part into comparisons over tables: a median over tables
of a difference (the median over the splits of each table taken first), a ratio of spreads, or a mean difference of
ranks. Every comparison uses only splits that all its arms have, and has a percentile bootstrap interval over tables
(of a median over all resamples, else over 10,000, seeded), at 95 %.

- A comparison *holds* if its interval lies on the claimed side of no difference. It is *contradicted* if the interval
  lies on the other side, at a level divided by the number of comparisons of its part. Else it *can't be told*; always
  so with fewer than six tables, where no outcome is significant at 0.05.
- A claimed size *holds* if the interval contains it and not "no difference"; it is *contradicted* if the interval
  does not contain it. It is taken as it stands: how far it might itself be off, by the luck of other tables, is not
  known and not counted. In log-loss no size was claimed, so only directions are judged there.
- A part holds if all its comparisons hold, which needs no correction for their number: each of them must pass. It is
  contradicted if one of them is.
- The verdict: *reproduced* if all parts hold, *partly* if some do, *not reproduced* if none does. Then its reason says
  whether the runs contradict the claim or no difference can be told.
- While runs of the planned grid are missing, the verdict is *provisional*, with the share that is there.

Claims 4 to 9 are *method statements*: the verdict is *method statement, implemented as stated*, and tests hold the code
to it. Claim 6 adds that the structure is kept. That is a finding, so it is measured on the scores of synthetic rows;
if not all of its parts hold, the verdict is *partly*.

`answer_structure` asks what the claims leave out: does the causal structure matter?

>>> from causalmix_utils.evaluation.claims import CLAIMS
>>> len(CLAIMS)
9
"""

from causalmix_utils.evaluation.claims.beside import (
    CLAIMED_GAPS,
    CLAIMED_SPREADS,
    measure_gaps,
    measure_spreads,
)
from causalmix_utils.evaluation.claims.evidence import (
    CONTRADICTED,
    FEWEST_TABLES,
    HOLDS,
    LEVEL,
    UNTOLD,
    Bootstrap,
    Comparison,
    Part,
    compare_pair,
    pair_splits,
)
from causalmix_utils.evaluation.claims.findings import (
    CLAIMED_GAIN,
    CLAIMED_RATIO,
    PUBLISHED,
    STATISTICAL_ARMS,
    judge_highest_gain,
    judge_ranks,
    judge_spread,
    ratio_of_spreads,
)
from causalmix_utils.evaluation.claims.grid import PlannedGrid, Share
from causalmix_utils.evaluation.claims.judging import CLAIMS, judge_claims
from causalmix_utils.evaluation.claims.methods import METHOD_STATEMENTS, MethodStatement, judge_kept_structure
from causalmix_utils.evaluation.claims.selection import select_runs
from causalmix_utils.evaluation.claims.simulation import (
    SHAPES,
    best_of_equal_arms,
    coverage_with_families,
    draw_gains,
    median_after_selection,
    share_told_apart,
)
from causalmix_utils.evaluation.claims.structure import (
    METRICS,
    NO_ANSWER,
    StructureAnswer,
    answer_structure,
    noise_bound,
)
from causalmix_utils.evaluation.claims.verdicts import (
    AS_STATED,
    NOT_REPRODUCED,
    PARTLY,
    REPRODUCED,
    Verdict,
    decide,
    list_comparisons,
    list_evidence,
    list_verdicts,
)

__all__ = [
    "AS_STATED",
    "CLAIMED_GAIN",
    "CLAIMED_GAPS",
    "CLAIMED_RATIO",
    "CLAIMED_SPREADS",
    "CLAIMS",
    "CONTRADICTED",
    "FEWEST_TABLES",
    "HOLDS",
    "LEVEL",
    "METHOD_STATEMENTS",
    "METRICS",
    "NOT_REPRODUCED",
    "NO_ANSWER",
    "PARTLY",
    "PUBLISHED",
    "REPRODUCED",
    "SHAPES",
    "STATISTICAL_ARMS",
    "UNTOLD",
    "Bootstrap",
    "Comparison",
    "MethodStatement",
    "Part",
    "PlannedGrid",
    "Share",
    "StructureAnswer",
    "Verdict",
    "answer_structure",
    "best_of_equal_arms",
    "compare_pair",
    "coverage_with_families",
    "decide",
    "draw_gains",
    "judge_claims",
    "judge_highest_gain",
    "judge_kept_structure",
    "judge_ranks",
    "judge_spread",
    "list_comparisons",
    "list_evidence",
    "list_verdicts",
    "measure_gaps",
    "measure_spreads",
    "median_after_selection",
    "noise_bound",
    "pair_splits",
    "ratio_of_spreads",
    "select_runs",
    "share_told_apart",
]
