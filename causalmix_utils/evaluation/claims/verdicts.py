"""What a verdict is, and how it follows from the parts of a claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pandas as pd

from causalmix_utils.evaluation.claims.evidence import CONTRADICTED, HOLDS, UNTOLD, Comparison, Part
from causalmix_utils.evaluation.claims.grid import Share

REPRODUCED = "reproduced"
PARTLY = "partly"
NOT_REPRODUCED = "not reproduced"
AS_STATED = "method statement, implemented as stated"


@dataclass(frozen=True)
class Verdict:
    """The verdict on one claim with all that it rests on.

    Parameters
    ----------
    number : int
        Of the claim, 1 to 9.
    claim : str
        The claim in our words.
    verdict : str
        `REPRODUCED`, `PARTLY`, `NOT_REPRODUCED` or `AS_STATED`.
    reason : str
        The verdict's ground in one sentence.
    parts : tuple of Part
        The statements that were judged; none where nothing is measured.
    would_change : str
        What would change the verdict.
    source : str
        Name of the stored result, or of the code.
    checkpoint : str
        Name and hash of the weights that all runs started from; "" where there are no runs.
    regime : int or None
        Rows of the train and validation parts together.
    share : Share or None
        How much of the planned grid is there; None where nothing is planned.
    """

    number: int
    claim: str
    verdict: str
    reason: str
    parts: tuple[Part, ...]
    would_change: str
    source: str
    checkpoint: str = ""
    regime: int | None = None
    share: Share | None = None

    @property
    def provisional(self) -> bool:
        """Whether runs of the planned grid are missing."""
        return self.share is not None and not self.share.complete

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """The comparisons of all parts."""
        return tuple(comparison for part in self.parts for comparison in part.comparisons)

    @property
    def ground(self) -> str:
        """Why a claim is not reproduced, in two words: "contradicted" or "can't be told"; "" for other verdicts."""
        if self.verdict != NOT_REPRODUCED:
            return ""
        return CONTRADICTED if any(part.status == CONTRADICTED for part in self.parts) else UNTOLD

    def __str__(self) -> str:
        verdict = f"{self.verdict} ({self.ground})" if self.ground else self.verdict
        return f"provisional ({self.share}): {verdict}" if self.provisional else verdict


def decide(parts: Sequence[Part]) -> tuple[str, str]:
    """Verdict and reason from the parts of a finding.

    All parts hold: reproduced. Some hold: partly. None holds: not reproduced, and the reason says whether the runs
    contradict the claim or whether no difference can be told.

    Examples
    --------
    >>> decide([])
    Traceback (most recent call last):
    ...
    ValueError: parts is empty
    """
    if not parts:
        raise ValueError("parts is empty")
    holding = [part for part in parts if part.status == HOLDS]
    against = [part for part in parts if part.status == CONTRADICTED]
    if len(holding) == len(parts):
        return REPRODUCED, "Every part holds."
    open_parts = len(parts) - len(holding) - len(against)
    hold, are = ("holds" if len(holding) == 1 else "hold"), ("is" if len(against) == 1 else "are")
    counts = (
        f"{len(holding)} of {len(parts)} parts {hold}, {len(against)} {are} contradicted, {open_parts} can't be told."
    )
    if against:
        counts += f" Contradicted: {'; '.join(part.text for part in against)}."
    if holding:
        return PARTLY, counts
    if against:
        return NOT_REPRODUCED, f"The runs contradict it: {counts}"
    return NOT_REPRODUCED, f"No difference can be told: {counts}"


def list_verdicts(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """One row for each claim.

    Returns
    -------
    DataFrame
        Columns ``claim`` (number), ``text``, ``verdict``, ``provisional``, ``reason``, ``source``, ``checkpoint``,
        ``regime``, ``finished``, ``planned`` (runs of the grid), ``tables``, ``splits``, ``runs`` (the most that a
        comparison has), and ``would_change``.
    """
    rows = []
    for verdict in verdicts:
        counts = {
            name: max((getattr(comparison, f"n_{name}") for comparison in verdict.comparisons), default=0)
            for name in ("tables", "splits", "runs")
        }
        rows.append(
            {
                "claim": verdict.number,
                "text": verdict.claim,
                "verdict": verdict.verdict,
                "provisional": verdict.provisional,
                "reason": verdict.reason,
                "source": verdict.source,
                "checkpoint": verdict.checkpoint,
                "regime": verdict.regime,
                "finished": None if verdict.share is None else verdict.share.finished,
                "planned": None if verdict.share is None else verdict.share.planned,
                **counts,
                "would_change": verdict.would_change,
            }
        )
    return pd.DataFrame(rows).astype({"regime": "Int64", "finished": "Int64", "planned": "Int64"})


def list_evidence(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """One row for each comparison of all verdicts: ``claim``, ``part``, and what `list_comparisons` gives."""
    labels = [
        {"claim": verdict.number, "part": part.text}
        for verdict in verdicts
        for part in verdict.parts
        for _ in part.comparisons
    ]
    comparisons = [comparison for verdict in verdicts for comparison in verdict.comparisons]
    return pd.concat([pd.DataFrame(labels), list_comparisons(comparisons)], axis=1)


def list_comparisons(comparisons: Sequence[Comparison]) -> pd.DataFrame:
    """One row for each comparison, with its fields as columns; ``without_one`` becomes two."""
    rows = []
    for comparison in comparisons:
        fields = asdict(comparison)
        fields["without_one_low"], fields["without_one_high"] = fields.pop("without_one")
        rows.append(fields)
    return pd.DataFrame(rows)
