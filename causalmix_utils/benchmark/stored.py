"""The stored benchmark that chapters and pages read: the full one if it is there, whole or in part, else the small one.

A long benchmark is exported while it still runs, so a reader must be able to say how much of the grid is there, and a
comparison must not set an arm with ten splits of a table against one with nine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from causalmix_utils.arguments import check_choice
from causalmix_utils.benchmark.reading import MissingResultsError, read_results, read_trajectories
from causalmix_utils.benchmark.repeat import StoredRun, pick_run

STORED_BENCHMARKS = ("paper", "chapter")
"""Names of stored benchmarks, the one to prefer first."""

_SPLIT = ["checkpoint", "regime", "table", "split", "seed"]


@dataclass(frozen=True)
class StoredBenchmark:
    """Exported runs of one benchmark.

    Attributes
    ----------
    name : str
        Which benchmark, such as "paper".
    results : DataFrame
        One run a row; see `RunStore.results`.
    trajectories : DataFrame
        One check a row; ``id`` says whose it is. Empty where none are stored.
    provenance : dict
        See `export_results`.

    Examples
    --------
    >>> runs = {"arm": ["default", "causal", "default"], "split": [0, 0, 1]}
    >>> runs = pd.DataFrame({"id": list("abc"), "regime": 200, "checkpoint": "c6", "table": "wine", "seed": 0} | runs)
    >>> missing = [{"id": "d", "regime": 200, "table": "wine", "split": 1, "arm": "causal", "seed": 0, "failed": False}]
    >>> stored = StoredBenchmark("paper", runs, pd.DataFrame({"id": []}), {"missing": missing})
    >>> stored.share_done
    0.75
    >>> stored.whole_splits().results["id"].tolist()
    ['a', 'b']
    """

    name: str
    results: pd.DataFrame = field(repr=False)
    trajectories: pd.DataFrame = field(repr=False)
    provenance: dict[str, Any] = field(repr=False)

    @property
    def regimes(self) -> list[int]:
        """Numbers of rows of the train and validation parts together, the largest first."""
        return sorted((int(rows) for rows in self.results["regime"].unique()), reverse=True)

    @property
    def n_wanted(self) -> int:
        """Runs of the whole grid, those included that are still missing."""
        return len(self.results) + len(self.provenance.get("missing", []))

    @property
    def share_done(self) -> float:
        """Share of the grid's runs that are there, from 0 to 1."""
        return len(self.results) / self.n_wanted if self.n_wanted else 0.0

    def select(self, *, regime: int | None = None, arms: Sequence[str] | None = None) -> StoredBenchmark:
        """The runs of one regime, of all arms or some.

        Parameters
        ----------
        regime : int, optional
            By default the largest.
        arms : sequence of str, optional
            By default all.

        Raises
        ------
        ValueError
            If there are no runs of that regime or of one of the arms.
        """
        if not self.regimes:
            raise ValueError(f"the stored benchmark {self.name!r} holds no runs")
        regime = self.regimes[0] if regime is None else check_choice("regime", regime, self.regimes)
        runs = self.results[self.results["regime"] == regime]
        if arms is not None:
            unknown = [arm for arm in arms if arm not in set(runs["arm"])]
            if unknown:
                raise ValueError(f"arms names {unknown[0]!r}, which has no runs; the arms are {_names(runs['arm'])}")
            runs = runs[runs["arm"].isin(arms)]
        missing = [
            run
            for run in self.provenance.get("missing", [])
            if run["regime"] == regime and (arms is None or run["arm"] in arms)
        ]
        return self._keep(runs, missing)

    def whole_splits(self) -> StoredBenchmark:
        """Only splits on which every arm of the regime has finished, so that all arms are compared on the same rows.

        The runs of the other splits count as missing. An arm that fails on a table takes the table with it; leave that
        arm out with `select` to keep the table.
        """
        present = self.results.groupby(_SPLIT)["arm"].transform("nunique")
        wanted = self.results["regime"].map(self._count_arms())
        left_out = self.results.loc[present != wanted, ["id", "table", "regime", "split", "arm", "seed"]]
        missing = [*self.provenance.get("missing", []), *left_out.assign(failed=False).to_dict("records")]
        return self._keep(self.results[present == wanted], missing)

    def find(self, beginning: str) -> StoredRun:
        """A run by its identity or the beginning of it, for `repeat_run`; it works for results read by address, too.

        Raises
        ------
        ValueError
            If there is no such run or more than one.
        """
        return pick_run(beginning, self.results, self.provenance["environments"], place=f"the benchmark {self.name!r}")

    def coverage(self) -> pd.DataFrame:
        """How much of the grid is there, one row for each regime.

        Returns
        -------
        DataFrame
            Index ``regime``, the largest first; columns ``runs``, ``missing`` (of them ``failed``), ``tables``,
            ``arms`` (with missing ones), ``fewest_splits`` and ``most_splits`` (of a table, counting those that every
            arm has finished),
            and ``whole_tables``, which have at least one such split.
        """
        missing = pd.DataFrame(self.provenance.get("missing", []), columns=["regime", "failed"])
        rows = []
        for regime in self.regimes:
            part = self.select(regime=regime)
            splits = part.whole_splits().results.groupby("table")["split"].nunique()
            splits = splits.reindex(part.results["table"].unique(), fill_value=0)
            of_regime = missing[missing["regime"] == regime]
            rows.append(
                {
                    "runs": len(part.results),
                    "missing": len(of_regime),
                    "failed": int(of_regime["failed"].astype(bool).sum()),
                    "tables": len(splits),
                    "arms": part._count_arms()[regime],
                    "fewest_splits": int(splits.min()),
                    "most_splits": int(splits.max()),
                    "whole_tables": int((splits > 0).sum()),
                }
            )
        return pd.DataFrame(rows, index=pd.Index(self.regimes, name="regime"))

    def describe(self) -> str:
        """A few lines for a reader: which benchmark, how much of it is there, from which checkpoint and commit."""
        lines = [f"stored benchmark: {self.name}, {len(self.results):,} of {self.n_wanted:,} runs"]
        lines[0] += f" ({100 * self.share_done:.0f} % of its grid)"
        for regime, row in self.coverage().iterrows():
            splits = " to ".join(dict.fromkeys([str(row["fewest_splits"]), str(row["most_splits"])]))
            lines.append(
                f"{regime} rows: tables: {row['tables']}; splits of each with all {row['arms']} arms: {splits}; "
                f"runs missing: {row['missing']} ({row['failed']} failed)"
            )
        lines.append(f"checkpoint: {', '.join(_names(self.results['weights']))}")
        lines[-1] += f" ({', '.join(_names(self.results['checkpoint']))})"
        lines.append(f"commit: {', '.join(commit[:10] for commit in _names(self.results['commit'].dropna()))}")
        lines.append(f"exported: {self.provenance.get('exported_at', 'unknown')[:10]}")
        return "\n".join(lines)

    def _count_arms(self) -> dict[int, int]:
        """Arms of each regime, those included of which no run is there yet."""
        arms = pd.concat([self.results, pd.DataFrame(self.provenance.get("missing", []), columns=["regime", "arm"])])
        return arms.groupby("regime")["arm"].nunique().to_dict()

    def _keep(self, results: pd.DataFrame, missing: list[dict]) -> StoredBenchmark:
        provenance = self.provenance | {"missing": missing}
        trajectories = self.trajectories[self.trajectories["id"].isin(results["id"])]
        return replace(
            self,
            results=results.reset_index(drop=True),
            trajectories=trajectories.reset_index(drop=True),
            provenance=provenance,
        )


def read_benchmark(
    folder: str | Path, *, prefer: Sequence[str] = STORED_BENCHMARKS, least_tables: int = 0
) -> StoredBenchmark:
    """The first of some stored benchmarks that is there, whole or in part.

    Parameters
    ----------
    folder : path or address
        As for `read_results`.
    prefer : sequence of str
        Names, the one to prefer first.
    least_tables : int
        Pass over a benchmark that has fewer tables on which all arms have finished a split, counted in its largest
        regime; a grid that has just begun is of little use.

    Returns
    -------
    StoredBenchmark
        ``describe()`` says which one it is and how much of its grid is there.

    Raises
    ------
    ValueError
        If `folder` holds none of them, or none with so many tables; or a file of one is damaged.
    ConnectionError
        If `folder` is an address that can't be read now.
    """
    if isinstance(prefer, str):
        raise ValueError(f"prefer must be a sequence of names, got the text {prefer!r}")
    for name in prefer:
        try:
            results, provenance = read_results(folder, name=name)
        except MissingResultsError:
            continue
        stored = StoredBenchmark(name, results, read_trajectories(folder, name=name, provenance=provenance), provenance)
        if least_tables <= 0 or (stored.regimes and stored.coverage()["whole_tables"].iloc[0] >= least_tables):
            return stored
    with_tables = f" with at least {least_tables} tables" if least_tables > 0 else ""
    raise ValueError(f"folder={str(folder)!r} holds none of the benchmarks {list(prefer)}{with_tables}")


def _names(values: pd.Series) -> list[str]:
    return sorted(str(value) for value in values.unique())
