"""What is run: profiles of the grid (table, split, arm, seed), from a smoke test to the paper's size."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from causalmix_utils.arguments import check_choice, check_count
from causalmix_utils.benchmark.arms import ARMS, RunSettings, hash_checkpoint
from causalmix_utils.benchmark.parts import count_splits, load_source_table

COUNTED_ARMS = ("default", "causal", "ctgan", "tabebm", "table_augment", "smote", "random_dag")
"""The arms that are counted as the fine-tuning runs of the profile ``paper``; the others come on top."""

# Frozen on 2026-11-28, before the first run of the profile "paper": see "What was fixed beforehand" in book/cluster.md.
_FINE_TUNING = {
    "n_estimators": 4,
    "learning_rate": 2e-4,
    "weight_decay": 0.01,
    "max_steps": 60,
    "check_every": 5,
    "patience": 6,
    "validation_fraction": 1 / 3,
    "mixing": "pool",
    "mix_ratio": 0.5,
    "n_synthetic": 1000,
}


@dataclass(frozen=True)
class Profile:
    """A grid of runs.

    Parameters
    ----------
    name : str
        Name on the command line.
    summary : str
        What it is for and what it costs.
    tables : tuple of str, "reported" or "tabarena"
        Names of tables; "reported" stands for the embedded tables with that role, "tabarena" for the OpenML
        tables of `causalmix_utils.tables.tabarena_tasks`.
    regimes : dict of int to int
        For each number of rows of the train and validation parts together, the number of splits. A table with fewer
        official splits has only these.
    arms : tuple of str
        Names of arms; see `ARMS`.
    seeds : int
        Repetitions of each run on each split.
    fine_tuning : dict
        Parameters of `CausalMixFTClassifier`, the same for every arm.
    generator_options : dict of str to dict
        Options for generators by name, to make them cheaper in small profiles.
    weights : str
        Checkpoint to start from.
    test_rows : int
        Largest number of test rows.
    trajectory_rows : int, optional
        Of these, so many are scored at every check; by default all.
    largest : int, optional
        Of `tables` only so many, those with the most rows.
    source : str
        Where tables and splits come from: "embedded" or "openml".
    """

    name: str
    summary: str
    tables: tuple[str, ...] | str
    regimes: dict[int, int]
    arms: tuple[str, ...] = tuple(ARMS)
    seeds: int = 1
    fine_tuning: dict[str, Any] = field(default_factory=lambda: dict(_FINE_TUNING))
    generator_options: dict[str, dict[str, Any]] = field(default_factory=dict)
    weights: str = "nano"
    test_rows: int = 2000
    trajectory_rows: int | None = None
    largest: int | None = None
    source: str = "embedded"

    def runs(self) -> list[RunSettings]:
        """The settings of every run, first splits first, so that an unfinished grid covers all tables.

        Raises
        ------
        ValueError
            If there is no such arm or table.
        ConnectionError
            If tables or weights are neither on this machine nor can be fetched.
        """
        from causalmix_utils.tables import content_hash

        unknown = [arm for arm in self.arms if arm not in ARMS]
        if unknown:
            raise ValueError(f"arms names {unknown[0]!r}; the arms are {list(ARMS)}")
        checkpoint = hash_checkpoint(self.weights)
        names = self.table_names()
        hashes = {table: content_hash(load_source_table(table, source=self.source)) for table in names}
        most_splits = max(self.regimes.values(), default=0)
        n_splits = {table: count_splits(table, most_splits, source=self.source) for table in names}
        return [
            RunSettings(
                table=table,
                table_hash=hashes[table],
                regime=regime,
                split=split,
                seed=seed,
                arm=arm,
                generator=ARMS[arm].generator,
                generator_options={
                    **self.generator_options.get(ARMS[arm].generator, {}),
                    **ARMS[arm].generator_options,
                },
                fine_tunes=ARMS[arm].fine_tunes,
                fine_tuning=dict(self.fine_tuning),
                weights=self.weights,
                checkpoint=checkpoint,
                test_rows=self.test_rows,
                trajectory_rows=self.trajectory_rows,
                source=self.source,
            )
            for regime, splits in self.regimes.items()
            for split in range(splits)
            for seed in range(self.seeds)
            for table in names
            if split < n_splits[table]
            for arm in self.arms
        ]

    def table_names(self) -> list[str]:
        """The names of the profile's tables."""
        from causalmix_utils.tables import list_tables, tabarena_tasks

        if self.tables == "tabarena":
            return tabarena_tasks()["name"].tolist()
        known = list_tables()
        reported = known.loc[known["role"] == "reported", "name"].tolist()
        names = reported if self.tables == "reported" else list(self.tables)
        if self.largest is None:
            return names
        rows = known.set_index("name")["rows"]
        kept = sorted(names, key=lambda name: (-rows[name], name))[: self.largest]
        return [name for name in names if name in kept]

    def subset(
        self,
        *,
        tables: Sequence[str] | None = None,
        arms: Sequence[str] | None = None,
        splits: int | None = None,
    ) -> Profile:
        """A part of the grid: some tables, some arms, or the first splits; identities of its runs do not change.

        Raises
        ------
        ValueError
            If `splits` is not positive.
        """
        check_count("splits", splits, optional=True)
        return replace(
            self,
            tables=self.tables if tables is None else tuple(tables),
            largest=self.largest if tables is None else None,
            arms=self.arms if arms is None else tuple(arms),
            regimes=self.regimes if splits is None else {rows: min(n, splits) for rows, n in self.regimes.items()},
        )


_FEW_GRAPHS = {"n_dags": 2, "n_resamples": 3}

PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            name="smoke",
            summary="2 development tables × 1 split × all arms, few steps: does everything run? Under a minute.",
            tables=("titanic", "wine"),
            regimes={90: 1},
            fine_tuning={**_FINE_TUNING, "n_estimators": 1, "max_steps": 4, "check_every": 2, "n_synthetic": 100},
            generator_options={
                "ctgan": {"epochs": 10},
                "tabebm": {"n_steps": 20},
                "causal": _FEW_GRAPHS,
                "random_dag": _FEW_GRAPHS,
                "causal_blanket": _FEW_GRAPHS,
            },
            test_rows=150,
        ),
        Profile(
            name="chapter",
            summary="4 tables × 2 splits × all arms at 200 rows: what the book shows in minutes.",
            tables=("credit-g", "diabetes", "contraceptive", "vehicle"),
            regimes={200: 2},
            fine_tuning={**_FINE_TUNING, "n_estimators": 2, "max_steps": 30},
            test_rows=500,
        ),
        Profile(
            name="case_study",
            summary="3 tables × 10 splits × 4 arms at 200 rows: fine-tuning with and without causal rows, "
            "with intervals. About 25 minutes on two cores.",
            tables=("credit-g", "diabetes", "vehicle"),
            regimes={200: 10},
            arms=("zero_shot", "default", "causal", "causal_blanket"),
        ),
        Profile(
            name="paper",
            # The smallest tables leave the fewest test rows, hence the noisiest AUC.
            summary="The 33 reported tables with the most rows × (10 splits at 600 rows + 3 splits at 200 rows) × "
            "arms; seven arms at 600 rows are the 2,310 fine-tuning runs, the others come on top. About 14 hours on "
            "two cores.",
            tables="reported",
            largest=33,
            regimes={600: 10, 200: 3},
            # On 2,000 test rows the looks would cost more than the steps; they serve gaps and variants, no verdict.
            trajectory_rows=500,
        ),
        Profile(
            name="tabarena",
            summary="Online: TabArena's 26 tables within TabPFN v2's limits × their official splits (30, or 9 of the "
            "larger tables) × all arms, with TabPFN v2's weights and all official training rows. Needs a GPU.",
            tables="tabarena",
            source="openml",
            regimes={10_000: 30},
            # At the rate that suits the embedded checkpoint the larger network would forget what it knows; this
            # is the rate that its own library fine-tunes with.
            # And as many synthetic rows as there are train rows: a thousand would be a small share of thousands.
            fine_tuning={**_FINE_TUNING, "learning_rate": 1e-5, "n_synthetic": None, "device": "auto"},
            weights="tabpfn-v2",
            test_rows=10_000,
        ),
    )
}
"""The profiles by name."""


def get_profile(profile: str | Profile) -> Profile:
    """The profile of a name, a copy that may be changed; a `Profile` is returned as it is.

    Raises
    ------
    ValueError
        If there is no profile of that name.
    """
    if isinstance(profile, Profile):
        return profile
    return copy.deepcopy(PROFILES[check_choice("profile", profile, PROFILES)])
