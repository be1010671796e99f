"""What a verdict rests on: paired comparisons of arms over tables, each judged by its interval.

A comparison uses only splits that all its arms have, so that an unfinished benchmark never compares an arm on easy
splits with another on hard ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_rng
from causalmix_utils.evaluation.summaries import bootstrap_interval, per_table

LEVEL = 0.05
"""Share of intervals that may miss what they are meant to contain; the confidence is 1 − `LEVEL`."""

FEWEST_TABLES = 6
"""With fewer tables no pattern of signs has a two-sided p-value of at most `LEVEL`; see `smallest_p_value`."""

HOLDS, CONTRADICTED, UNTOLD = "holds", "contradicted", "can't be told"

KINDS = ("difference", "ratio", "ranks")
"""How the two arms of a comparison are set against each other."""


@dataclass(frozen=True)
class Comparison:
    """One number over tables with its interval, and what it says about a statement.

    Parameters
    ----------
    what : str
        What was computed, in words.
    arm, against : str
        Names of the arms (or generators); `against` is "" where nothing is subtracted.
    value : str
        Column of the results.
    estimate, low, high : float
        The number over tables, and its bootstrap interval at `LEVEL`.
    low_all, high_all : float
        The interval at `LEVEL` divided by the number of comparisons that were made side by side.
    null : float
        What the number would be if there were no difference.
    without_one : (float, float)
        Smallest and largest estimate if any one table is left out.
    status : str
        "holds", "contradicted" or "can't be told".
    n_tables, n_splits, n_runs : int
        Tables; pairs of table and split; runs.
    claimed : float or None
        The claimed size, where a size is judged.
    kind : str
        One of `KINDS`: whether `against` is subtracted from `arm`, divides it, or is ranked behind it. A rank is better
        if it is smaller, so `estimate` is then the rank of `against` minus that of `arm`.
    """

    what: str
    arm: str
    against: str
    value: str
    estimate: float
    low: float
    high: float
    low_all: float
    high_all: float
    null: float
    without_one: tuple[float, float]
    status: str
    n_tables: int
    n_splits: int
    n_runs: int
    claimed: float | None = None
    kind: str = "difference"


@dataclass(frozen=True)
class Part:
    """One statement that a claim consists of, and the comparisons that it rests on.

    It holds if all of them hold, and is contradicted if one of them is.
    """

    text: str
    comparisons: tuple[Comparison, ...]

    @property
    def status(self) -> str:
        """ "holds", "contradicted" or "can't be told"."""
        found = {comparison.status for comparison in self.comparisons}
        if CONTRADICTED in found:
            return CONTRADICTED
        return HOLDS if found == {HOLDS} else UNTOLD


@dataclass(frozen=True)
class Bootstrap:
    """How intervals are made: the same seed for every comparison, so that all use the same resamples of tables."""

    seed: int = 0
    n_resamples: int = 10_000

    @classmethod
    def from_rng(cls, rng: np.random.Generator | None, n_resamples: int = 10_000) -> Bootstrap:
        """Draw the seed; without a generator it is 0, so that a report is repeatable."""
        return cls(0 if rng is None else int(check_rng(rng).integers(2**63)), n_resamples)

    def interval(self, values: np.ndarray, statistic: Callable, level: float) -> tuple[float, float]:
        """Percentile interval over the rows of `values`: one column, or two columns that stay together."""
        if values.ndim == 1:
            return bootstrap_interval(
                values,
                rng=np.random.default_rng(self.seed),
                statistic=statistic,
                n_resamples=self.n_resamples,
                confidence=1 - level,
            )
        rng = np.random.default_rng(self.seed)
        drawn = rng.integers(len(values), size=(self.n_resamples, len(values)))
        found = statistic(values[drawn], axis=1)
        found = found[~np.isnan(found)]
        if not len(found):
            return float("nan"), float("nan")
        low, high = np.quantile(found, [level / 2, 1 - level / 2], method="inverted_cdf")  # no mean of infinities
        return float(low), float(high)


def pair_splits(results: pd.DataFrame, *, arms: Sequence[str], value: str, by: str = "arm") -> pd.DataFrame:
    """The runs of some arms on the splits that all of them have.

    Parameters
    ----------
    results : DataFrame
        One row for each run; see `causalmix_utils.evaluation`.
    arms : sequence of str
    value : str
        Runs without this value do not count.
    by : str
        The column that holds the arms.

    Returns
    -------
    DataFrame
        Rows of `results`; none if no split has every arm.

    Examples
    --------
    >>> runs = pd.DataFrame({"table": "a", "split": [0, 0, 1], "arm": ["causal", "default", "causal"], "gain": 0.1})
    >>> pair_splits(runs, arms=["causal", "default"], value="gain")["split"].tolist()
    [0, 0]
    """
    chosen = results[results[by].isin(list(arms))].dropna(subset=[value])
    if chosen.empty:
        return chosen
    keys = [key for key in ("table", "split", "seed") if key in chosen]
    return chosen[chosen.groupby(keys, observed=True)[by].transform("nunique") == len(set(arms))]


def compare_over_tables(
    runs: pd.DataFrame,
    values: pd.Series | pd.DataFrame,
    *,
    what: str,
    arms: tuple[str, str],
    value: str,
    bootstrap: Bootstrap,
    statistic: Callable = np.median,
    null: float = 0.0,
    n_beside: int = 1,
    claimed: tuple[float, float, float] | None = None,
    floor: float = 0.0,
    kind: str = "difference",
) -> Comparison:
    """Judge one number over tables by its interval.

    Parameters
    ----------
    runs : DataFrame
        What the values come from, to be counted; those of tables without a value are left out.
    values : Series or DataFrame
        One row for each table.
    what, arms, value, null, kind :
        As in `Comparison`.
    bootstrap : Bootstrap
    statistic : callable
        Takes an array and the keyword ``axis``.
    n_beside : int
        Comparisons of the same part.
    claimed : (float, float, float), optional
        Judge the size: the claimed number, and the smallest and largest number that would be rounded to it.
    floor : float
        The estimate must also be further than this from `null`, on either side.

    Returns
    -------
    Comparison
    """
    values = values.dropna()
    runs = runs[runs["table"].isin(values.index)] if len(runs) else runs
    array = values.to_numpy(dtype=float)
    n_tables = len(array)
    estimate = low = high = low_all = high_all = float("nan")
    without_one = (float("nan"), float("nan"))
    if n_tables:
        estimate = float(statistic(array, axis=0))
    if n_tables > 1:
        low, high = bootstrap.interval(array, statistic, LEVEL)
        low_all, high_all = bootstrap.interval(array, statistic, LEVEL / n_beside)
    if n_tables > 2:
        left = [float(statistic(np.delete(array, table, axis=0), axis=0)) for table in range(n_tables)]
        without_one = (min(left), max(left))
    if n_tables < FEWEST_TABLES:
        status = UNTOLD
    elif claimed is None:
        status = _judge_direction(estimate - null, low - null, high_all - null, floor=floor)
    else:
        status = _judge_size(low, high, null=null, smallest=claimed[1], largest=claimed[2])
    return Comparison(
        what=what,
        arm=arms[0],
        against=arms[1],
        value=value,
        estimate=estimate,
        low=low,
        high=high,
        low_all=low_all,
        high_all=high_all,
        null=null,
        without_one=without_one,
        status=status,
        n_tables=n_tables,
        n_splits=len(runs[["table", "split"]].drop_duplicates()) if len(runs) else 0,
        n_runs=len(runs),
        claimed=None if claimed is None else claimed[0],
        kind=kind,
    )


def compare_pair(
    results: pd.DataFrame,
    arm: str,
    against: str,
    *,
    value: str,
    bootstrap: Bootstrap,
    by: str = "arm",
    n_beside: int = 1,
    floor: float = 0.0,
) -> Comparison:
    """Median over tables of one arm minus another, the median over the splits of each table taken first."""
    runs = pair_splits(results, arms=[arm, against], value=value, by=by)
    wide = wide_per_table(runs, arms=[arm, against], value=value, by=by)
    return compare_over_tables(
        runs,
        wide[arm] - wide[against],
        what="median difference",
        arms=(arm, against),
        value=value,
        bootstrap=bootstrap,
        n_beside=n_beside,
        floor=floor,
    )


def wide_per_table(runs: pd.DataFrame, *, arms: Sequence[str], value: str, by: str = "arm") -> pd.DataFrame:
    """`per_table` with the columns `arms`; no rows if there are no runs."""
    if runs.empty:
        return pd.DataFrame(columns=list(arms), dtype=float)
    return per_table(runs, value=value, by=by)[list(arms)]


def _judge_direction(estimate: float, low: float, high_all: float, *, floor: float) -> str:
    if low > 0 and estimate > floor:
        return HOLDS
    return CONTRADICTED if high_all < 0 and estimate < -floor else UNTOLD


def _judge_size(low: float, high: float, *, null: float, smallest: float, largest: float) -> str:
    if np.isnan([low, high]).any():
        return UNTOLD
    if high < smallest or low > largest:
        return CONTRADICTED
    # An interval that contains both the claimed size and no effect at all speaks for neither.
    return UNTOLD if low <= null <= high else HOLDS
