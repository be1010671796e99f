"""How much of a planned benchmark a stored result holds."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from causalmix_utils.benchmark import Profile


@dataclass(frozen=True)
class Share:
    """Finished and planned runs."""

    finished: int
    planned: int

    @property
    def complete(self) -> bool:
        """Whether every planned run is there."""
        return self.finished >= self.planned

    def __str__(self) -> str:
        percent = 100 * self.finished / self.planned if self.planned else 0.0
        # An unfinished grid must not be rounded up to a finished one.
        shown = "100" if self.complete else f"{min(percent, 99.9):.1f}"
        return f"{shown} % of the grid, {self.finished:,} of {self.planned:,} runs"


@dataclass(frozen=True)
class PlannedGrid:
    """The runs that a verdict should rest on.

    Parameters
    ----------
    name : str
        The profile's name.
    tables : tuple of str
    splits : dict of int to int
        Splits of each table for each regime.
    arms : tuple of str
    settings : dict
        What a run's settings must be to count: ``fine_tuning``, ``test_rows``, ``weights``.
    """

    name: str
    tables: tuple[str, ...]
    splits: dict[int, int]
    arms: tuple[str, ...]
    settings: dict

    @classmethod
    def of_profile(cls, profile: str | Profile) -> PlannedGrid:
        """The grid of a profile of the benchmark, whose tables are embedded.

        Raises
        ------
        ValueError
            If there is no such profile.
        """
        from causalmix_utils.benchmark import get_profile

        profile = get_profile(profile)
        settings = {"fine_tuning": profile.fine_tuning, "test_rows": profile.test_rows, "weights": profile.weights}
        return cls(profile.name, tuple(profile.table_names()), dict(profile.regimes), profile.arms, settings)

    def share(self, results: pd.DataFrame, *, regime: int, arms: Collection[str] | None = None) -> Share:
        """How many of the planned runs of a regime are in `results`.

        Parameters
        ----------
        results : DataFrame
            One row for each run, with the column ``settings``; runs with other settings than planned do not count.
        regime : int
            Rows of the train and validation parts together. If there is no planned run of this regime, `results` are
            something else than the grid: none of the grid's largest regime is there.
        arms : collection of str, optional
            Only these arms; by default all of the grid.
        """
        arms = self.arms if arms is None else [arm for arm in self.arms if arm in set(arms)]
        n_splits = self.splits.get(regime, 0)
        chosen = results[
            (results["regime"] == regime)
            & results["table"].isin(self.tables)
            & results["arm"].isin(arms)
            & (results["split"] < n_splits)
        ]
        chosen = chosen[chosen["settings"].map(self._is_planned).astype(bool)]
        if chosen.empty:
            n_splits = self.splits[max(self.splits)]
        finished = len(chosen.drop_duplicates(["table", "split", "arm"]))
        return Share(finished, len(self.tables) * n_splits * len(arms))

    def _is_planned(self, settings: str) -> bool:
        given = json.loads(settings)
        return all(given.get(name) == wanted for name, wanted in self.settings.items())
