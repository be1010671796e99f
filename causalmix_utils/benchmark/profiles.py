"""What is run: profiles of the grid (table, split, arm, seed), from a smoke test to the paper's size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from causalmix_utils.benchmark.arms import ARMS, RunSettings, hash_checkpoint

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
    tables : tuple of str, or "reported"
        Names of embedded tables; "reported" stands for all tables with that role.
    regimes : dict of int to int
        For each number of rows of the train and validation parts together, the number of splits.
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

    def runs(self) -> list[RunSettings]:
        """The settings of every run, first splits first, so that an unfinished grid covers all tables."""
        from causalmix_utils.tables import content_hash, load_table

        unknown = [arm for arm in self.arms if arm not in ARMS]
        if unknown:
            raise ValueError(f"arms names {unknown[0]!r}; the arms are {list(ARMS)}")
        checkpoint = hash_checkpoint(self.weights)
        hashes = {table: content_hash(load_table(table)) for table in self.table_names()}
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
            )
            for regime, n_splits in self.regimes.items()
            for split in range(n_splits)
            for seed in range(self.seeds)
            for table in hashes
            for arm in self.arms
        ]

    def table_names(self) -> list[str]:
        """The names of the profile's tables."""
        from causalmix_utils.tables import list_tables

        known = list_tables()
        if self.tables == "reported":
            return known.loc[known["role"] == "reported", "name"].tolist()
        return list(self.tables)

    def subset(self, *, tables: Sequence[str] | None = None, arms: Sequence[str] | None = None) -> Profile:
        """The same grid on some tables or arms only; identities of the remaining runs do not change."""
        return replace(
            self,
            tables=self.tables if tables is None else tuple(tables),
            arms=self.arms if arms is None else tuple(arms),
        )


PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            name="smoke",
            summary="2 development tables × 1 split × all arms, few steps: does everything run? About a minute.",
            tables=("titanic", "wine"),
            regimes={90: 1},
            fine_tuning={**_FINE_TUNING, "n_estimators": 1, "max_steps": 4, "check_every": 2, "n_synthetic": 100},
            generator_options={"ctgan": {"epochs": 10}},
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
            name="paper",
            summary="All reported tables × 10 splits at 600 rows and × 3 splits at 200 rows × all arms: hours.",
            tables="reported",
            regimes={600: 10, 200: 3},
        ),
    )
}
"""The profiles by name."""


def get_profile(profile: str | Profile) -> Profile:
    """The profile of a name; a `Profile` is returned as it is.

    Raises
    ------
    ValueError
        If there is no profile of that name.
    """
    if isinstance(profile, Profile):
        return profile
    if profile not in PROFILES:
        raise ValueError(f"profile must be one of {list(PROFILES)}, got {profile!r}")
    return PROFILES[profile]
