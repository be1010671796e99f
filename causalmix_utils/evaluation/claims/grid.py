"""How much of a planned benchmark a stored result holds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
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
        return f"{shown} % of its runs, {self.finished:,} of {self.planned:,}"


@dataclass(frozen=True)
class PlannedGrid:
    """The runs that a verdict should rest on.

    Parameters
    ----------
    name : str
        The profile's name.
    runs : DataFrame
        One row for each planned run: ``id``, its identity, which every setting of the run decides, and ``regime``,
        ``table``, ``split`` and ``arm``.
    """

    name: str
    runs: pd.DataFrame = field(repr=False)

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
        names = ("regime", "table", "split", "arm")
        runs = [{"id": run.identity, **{name: getattr(run, name) for name in names}} for run in profile.runs()]
        return cls(profile.name, pd.DataFrame(runs))

    def pick(self, results: pd.DataFrame) -> pd.DataFrame:
        """The results that are of the grid. If none is, all of them: they are something else, and stand in for it."""
        planned = results["id"].isin(self.runs["id"])
        return results[planned] if planned.any() else results

    def share(self, results: pd.DataFrame, *, regime: int, arms: Collection[str] | None = None) -> Share:
        """How many of the planned runs of a regime are in `results`.

        Parameters
        ----------
        results : DataFrame
            One row for each run, with the column ``id``; runs that are not planned do not count.
        regime : int
            Rows of the train and validation parts together. If there is no planned run of this regime, `results` are
            something else than the grid: none of the grid's largest regime is there.
        arms : collection of str, optional
            Only these arms; by default all of the grid.
        """
        wanted = self.runs if arms is None else self.runs[self.runs["arm"].isin(list(arms))]
        of_regime = wanted[wanted["regime"] == regime]
        finished = int(of_regime["id"].isin(results["id"]).sum())
        return Share(finished, len(of_regime) if finished else int((wanted["regime"] == wanted["regime"].max()).sum()))
