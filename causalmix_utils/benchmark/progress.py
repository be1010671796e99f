"""How far a grid is, and how long the rest will take.

Arms and tables differ a hundredfold in what a run costs, so the share of runs that are done says little
about time. The cost of a pending run is that of the finished runs most like it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from causalmix_utils.benchmark.arms import RunSettings

if TYPE_CHECKING:
    from causalmix_utils.benchmark.store import RunStore


class RunCosts:
    """What runs cost, learnt from finished ones: the same table and arm first, then the arm, then all.

    Examples
    --------
    >>> costs = RunCosts()
    >>> costs.add(table="wine", arm="smote", regime=200, seconds=3.0)
    >>> costs.add(table="wine", arm="ctgan", regime=200, seconds=9.0)
    >>> [costs.estimate(table="iris", arm=arm, regime=200) for arm in ("ctgan", "causal")]
    [9.0, 6.0]
    """

    def __init__(self) -> None:
        self._seconds: dict[tuple, list[float]] = {}

    @classmethod
    def of_store(cls, store: RunStore) -> RunCosts:
        """The costs of a store's finished runs."""
        costs = cls()
        results = store.results()
        for row in results[["table", "arm", "regime", "seconds_total"]].to_dict("records") if len(results) else []:
            costs.add(row["table"], row["arm"], row["regime"], row["seconds_total"])
        return costs

    def add(self, table: str, arm: str, regime: int, seconds: float) -> None:
        """Learn from a finished run."""
        for key in _like(table, arm, regime):
            total = self._seconds.setdefault(key, [0.0, 0])
            total[0] += seconds
            total[1] += 1

    def estimate(self, table: str, arm: str, regime: int) -> float | None:
        """Mean seconds of the finished runs most like this one; None before there is any."""
        for key in _like(table, arm, regime):
            if key in self._seconds:
                total, number = self._seconds[key]
                return total / number
        return None

    def sum(self, runs: Iterable[RunSettings]) -> float | None:
        """Seconds that runs take together, one after the other; None before there is anything to go by."""
        estimates = [self.estimate(run.table, run.arm, run.regime) for run in runs]
        return None if None in estimates else float(np.sum(estimates))


def _like(table: str, arm: str, regime: int) -> list[tuple]:
    """Keys of ever less similar runs."""
    return [(table, arm, regime), (arm, regime), (arm,), ()]


class TimeLeft:
    """The time until all runs are done, from the costs of runs and from how fast they are done here and now.

    Parameters
    ----------
    pending : list of RunSettings
    costs : RunCosts
    """

    def __init__(self, pending: list[RunSettings], costs: RunCosts) -> None:
        self._pending = {run.identity: run for run in pending}
        self._costs = costs
        self._worked = 0.0
        self._started = time.monotonic()

    def update(self, record: dict[str, Any]) -> float | None:
        """Take a finished run into account, and return the seconds that are left, or None if nothing is known yet."""
        run = RunSettings(**record["settings"])
        self._pending.pop(run.identity, None)
        seconds = record["seconds"]["total"]
        self._worked += seconds
        if record["status"] == "done":
            self._costs.add(run.table, run.arm, run.regime, seconds)
        work = self._costs.sum(self._pending.values())
        if work is None or self._worked == 0:
            return None
        return work * (time.monotonic() - self._started) / self._worked


def summarise_progress(runs: list[RunSettings], store: RunStore) -> pd.DataFrame:
    """How far a grid is, arm by arm.

    Parameters
    ----------
    runs : list of RunSettings
        The grid, as from `Profile.runs`.
    store : RunStore

    Returns
    -------
    DataFrame
        One row for each arm, in the grid's order: ``arm``; ``finished``, ``failed`` and ``pending`` runs;
        ``seconds``, the mean of the finished ones; ``hours_left``, what the pending ones take one after the other. NaN
        where there is nothing to go by.
    """
    done, failed = (store.identities(status=status) for status in ("done", "failed"))
    costs = RunCosts.of_store(store)
    rows = []
    for arm in dict.fromkeys(run.arm for run in runs):
        of_arm = [run for run in runs if run.arm == arm]
        pending = [run for run in of_arm if run.identity not in done | failed]
        finished = [run for run in of_arm if run.identity in done]
        spent, left = costs.sum(finished), costs.sum(pending)
        rows.append(
            {
                "arm": arm,
                "finished": len(finished),
                "failed": len(of_arm) - len(finished) - len(pending),
                "pending": len(pending),
                "seconds": spent / len(finished) if finished else np.nan,
                "hours_left": np.nan if left is None else left / 3600,
            }
        )
    return pd.DataFrame(rows)
