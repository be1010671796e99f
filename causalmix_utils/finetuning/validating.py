"""Choosing the number of steps on several validation parts instead of one.

One held-out part is small where rows are scarce, and the best of many checks on it is partly luck. So several
trajectories can be watched, each on validation rows of its own; the best check of their mean says how many steps to
take, and one more run takes that many on all rows. With `k` parts this costs `k + 1` fits of the generator and `k + 1`
runs, none of which ends early. What it saves are the rows: the last run trains on all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from causalmix_utils.finetuning.holdout import hold_out
from causalmix_utils.finetuning.steps import LoopSettings
from causalmix_utils.finetuning.stopping import EarlyStopping
from causalmix_utils.folds import assign_folds, count_classes

if TYPE_CHECKING:
    from causalmix_utils.finetuning.inputs import Part
    from causalmix_utils.finetuning.stages import Job, Outcome
    from causalmix_utils.tables import Table

VALIDATIONS = ("hold-out", "repeated", "cross")


def make_splits(
    y: np.ndarray,
    kind: str,
    n_splits: int,
    fraction: float,
    rng: np.random.Generator,
    *,
    groups: np.ndarray | None = None,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Positions of the train and the validation rows of each split.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Class codes.
    kind : {"repeated", "cross"}
        Independent stratified hold-outs of a share `fraction`, or the folds of a cross-validation, in which each
        row is a validation row once, unless a class would have no train row then.
    n_splits : int
    fraction : float
    rng : numpy.random.Generator
    groups : ndarray of shape (n_rows,), optional
        Rows of one group stay together; see `hold_out`.

    Raises
    ------
    ValueError
        If a split's validation rows would be of fewer than two classes.
    """
    if kind == "repeated":
        return [hold_out(y, fraction, part, groups=groups) for part in rng.spawn(n_splits)]
    groups = np.arange(len(y)) if groups is None else pd.factorize(groups)[0]
    firsts = np.unique(groups, return_index=True)[1]
    folds = assign_folds(y, n_splits, rng=rng, groups=groups)[firsts]
    has_class = count_classes(groups, y) > 0
    splits = [_keep_every_class(folds == fold, has_class)[groups] for fold in range(n_splits)]
    for held in splits:
        if len(np.unique(y[held])) < 2:
            raise ValueError(
                f"too few rows for validation='cross': of {len(y)} rows cut into {n_splits} folds, one has "
                "validation rows of fewer than two classes"
            )
    return [(np.flatnonzero(~held), np.flatnonzero(held)) for held in splits]


def _keep_every_class(held: np.ndarray, has_class: np.ndarray) -> np.ndarray:
    """Give back one held group of each class that would have no train row: all of its groups may fall into one fold."""
    is_lacking = ~has_class[~held].any(axis=0)
    held[has_class[:, is_lacking].argmax(axis=0)] = False
    return held


def average_trajectories(trajectories: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The mean of each metric at the steps that all trajectories have; of the seconds, the sum."""
    shared = set.intersection(*(set(path["step"]) for path in trajectories))
    stacked = pd.concat(trajectories)
    grouped = stacked[stacked["step"].isin(shared)].groupby("step")
    return grouped.mean().assign(seconds=grouped["seconds"].sum()).reset_index()


def choose_step(path: pd.DataFrame, settings: LoopSettings) -> int:
    """The step that early stopping keeps on a trajectory which is known as a whole."""
    checks = path.to_dict("records")
    stopping = EarlyStopping(checks[0], settings)
    for check in checks[1:]:
        stopping.update(check)
        if stopping.is_over:
            break
    return stopping.best_step if settings.early_stopping else int(checks[-1]["step"])


def finetune_over_splits(
    job: Job,
    rows: Table,
    real: Part,
    splits: Sequence[tuple[np.ndarray, np.ndarray]],
    settings: LoopSettings,
    rngs: Sequence[np.random.Generator],
) -> Outcome:
    """Watch one run for each split, then take the best number of steps on all rows.

    Parameters
    ----------
    job : Job
    rows, real : Table and Part
        All real rows, as they are and encoded.
    splits : sequence
        From `make_splits`.
    settings : LoopSettings
        The time limit is divided by the number of runs.
    rngs : three numpy.random.Generator
        As `Job.run` takes them.

    Returns
    -------
    Outcome
        Of the last run, with the mean trajectory of the others. If the user interrupts one of the others, this
        one: the best weights on its own validation rows.
    """
    n_runs = len(splits) + 1
    limit = None if settings.time_limit is None else settings.time_limit / n_runs
    settings = replace(settings, time_limit=limit)
    watched = replace(settings, early_stopping=False)
    rngs_of_runs = list(zip(*(rng.spawn(n_runs) for rng in rngs), strict=True))
    paths = []
    for (kept, held), rngs_of_run in zip(splits, rngs_of_runs, strict=False):
        validation = real[0][held], real[1][held]
        outcome = job.run(rows.take(kept), validation, watched, rngs_of_run)
        if outcome.result.interrupted:
            return outcome
        paths.append(outcome.result.trajectory)
    path = average_trajectories(paths)
    step = choose_step(path, settings)
    last = job.run(rows, None, settings, rngs_of_runs[-1], last_step=step)
    return replace(last, result=replace(last.result, trajectory=path))
