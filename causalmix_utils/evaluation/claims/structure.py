"""Does the causal structure matter? The question that the nine claims leave out, answered from controls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from causalmix_utils.evaluation.claims.evidence import CONTRADICTED, HOLDS, Bootstrap, Comparison, compare_pair
from causalmix_utils.evaluation.claims.findings import METHOD, REAL_ROWS
from causalmix_utils.evaluation.claims.grid import PlannedGrid, Share
from causalmix_utils.evaluation.claims.selection import name_checkpoint, select_runs
from causalmix_utils.evaluation.gains import ZERO_SHOT_ARM

DECISIVE = ("random_dag", "independent")
"""Controls that lack the table's structure; the causal arm must do better than both."""

AGAINST = (REAL_ROWS, *DECISIVE, "smote")
"""What a causal arm is compared with."""

NO_ANSWER = "no answer"
"""What differences of another causal arm say: only from `METHOD` do random DAGs differ in their graphs alone."""

METRICS = {"gain_points": "AUC, points", "log_loss_gain": "log-loss, nats"}
"""The columns in which the question is asked, both higher if better."""


@dataclass(frozen=True)
class StructureAnswer:
    """The answer in each metric and over both.

    Parameters
    ----------
    answer : str
        "yes", "yes, in <metric> only", "no" or "can't be told"; `NO_ANSWER` for another arm than `METHOD`.
    by_metric : dict of str to str
        "yes", "no", "can't be told" or `NO_ANSWER` for each of `METRICS`.
    comparisons : tuple of Comparison
        The causal arm against each of `AGAINST`, for each metric.
    floors : dict of str to Comparison
        For each metric ``default_again`` minus ``default``: the same method with another seed.
    source, checkpoint, regime, share :
        As in `Verdict`.
    """

    answer: str
    by_metric: dict[str, str]
    comparisons: tuple[Comparison, ...]
    floors: dict[str, Comparison]
    source: str
    checkpoint: str
    regime: int
    share: Share | None

    @property
    def provisional(self) -> bool:
        """Whether runs of the planned grid are missing."""
        return self.share is not None and not self.share.complete


def answer_structure(
    results: pd.DataFrame,
    *,
    method: str = METHOD,
    source: str = "results",
    regime: int | None = None,
    grid: PlannedGrid | None = None,
    rng: np.random.Generator | None = None,
    n_resamples: int = 10_000,
) -> StructureAnswer:
    """Does the discovered structure help fine-tuning, or would any additional rows do the same?

    The rule, in one metric: *yes* if the median differences over tables of causal minus ``random_dag`` and of causal
    minus ``independent`` both have intervals above zero and both exceed the noise floor; *no* if one of them
    has an interval, at half the level, since there are two, below zero, and is itself further below zero than the noise
    floor; else it *can't be told*. The noise floor is
    the end farther from zero of the interval of ``default_again`` minus ``default``. Over both metrics: yes if yes in
    both; yes in one only, if the other does not say no; no if one says no and none yes. If one says yes and the
    other no, it can't be told.

    Parameters
    ----------
    results, source, regime, grid, rng, n_resamples :
        As for `judge_claims`.
    method : str
        The causal arm. For another one than `METHOD` the comparisons are made and nothing is concluded: the variant
        that keeps the blanket differs from ``random_dag`` in the target's mechanism and in the noise of its rows, too.

    Returns
    -------
    StructureAnswer

    Raises
    ------
    ValueError
        If a column is missing, or there are no such runs.
    """
    bootstrap = Bootstrap.from_rng(rng, n_resamples)
    runs = select_runs(results if grid is None else grid.pick(results), regime=regime)
    regime = int(runs["regime"].iloc[0])
    floors = {
        value: compare_pair(runs, "default_again", REAL_ROWS, value=value, bootstrap=bootstrap) for value in METRICS
    }
    arms = (ZERO_SHOT_ARM, method, *AGAINST, "default_again")  # without a zero-shot run a split has no gains
    comparisons, by_metric = [], {}
    for value in METRICS:
        floor = noise_bound(floors[value])
        beside = {
            other: compare_pair(
                runs, method, other, value=value, bootstrap=bootstrap, n_beside=len(DECISIVE), floor=floor
            )
            for other in AGAINST
        }
        comparisons += beside.values()
        by_metric[value] = _answer({beside[other].status for other in DECISIVE}) if method == METHOD else NO_ANSWER
    return StructureAnswer(
        answer=_combine(by_metric),
        by_metric=by_metric,
        comparisons=tuple(comparisons),
        floors=floors,
        source=source,
        checkpoint=name_checkpoint(runs),
        regime=regime,
        share=None if grid is None else grid.share(results, regime=regime, arms=arms),
    )


def noise_bound(again: Comparison) -> float:
    """The end farther from zero of an interval that should contain zero; infinite where there is no interval."""
    ends = [abs(again.low), abs(again.high)]
    return max(ends) if np.isfinite(ends).all() else float("inf")


def _answer(found: set[str]) -> str:
    if CONTRADICTED in found:
        return "no"
    return "yes" if found == {HOLDS} else "can't be told"


def _combine(by_metric: dict[str, str]) -> str:
    if NO_ANSWER in by_metric.values():
        return NO_ANSWER
    saying = {answer: [value for value, given in by_metric.items() if given == answer] for answer in ("yes", "no")}
    if len(saying["yes"]) == len(by_metric):
        return "yes"
    if saying["yes"] and not saying["no"]:
        return f"yes, in {METRICS[saying['yes'][0]].split(',')[0]} only"
    if saying["no"] and not saying["yes"]:
        return "no"
    return "can't be told"
