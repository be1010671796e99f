"""How large a benchmark must be, from the spread of one that is stored: power, and the tables that are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

EFFECTS = (0.25, 0.5, 1.0, 2.0)
"""True differences in AUC points for which tables are counted."""

SPLITS = (1, 2, 3, 5, 10, 30)
TABLES = (4, 8, 16, 33, 64, 128)

ALPHA = 0.05
LEAST_SPREAD = 0.05
"""Points. An estimated spread over tables can come out as zero, which it is of no benchmark."""


def list_planning(fine_tuned: pd.DataFrame, *, baseline: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Tables by name; none if there is nothing to compare.

    Levels are 0.05 for a single comparison, and 0.05 divided by the number of arms beside the baseline, which Holm's
    correction asks of the smallest of their p-values.
    """
    import pandas as pd

    spreads = pool_spreads(fine_tuned, baseline=baseline)
    if spreads is None:
        return
    levels = _list_levels(fine_tuned)
    needed = [count_needed(*spreads, alpha=alpha).rename_axis("splits").assign(alpha=alpha) for alpha in levels]
    yield "tables_needed", pd.concat(needed).reset_index()
    spread = spread_as_tested(fine_tuned, baseline=baseline)
    power = [simulate(spread, alpha=alpha).rename_axis("tables").assign(alpha=alpha) for alpha in levels]
    yield "power", pd.concat(power).reset_index().assign(spread=spread)


def list_planning_figures(fine_tuned: pd.DataFrame, *, baseline: str) -> Iterator[tuple[str, Callable[[], Axes]]]:
    """Figures by name, each with the function that draws it; none if there is nothing to compare."""
    from causalmix_utils.plots import plot_power, plot_tables_needed

    spreads = pool_spreads(fine_tuned, baseline=baseline)
    if spreads is None:
        return
    title = f"Tables needed to see a difference from {baseline}"
    n_tables = fine_tuned["table"].nunique()
    yield (
        "tables_needed",
        partial(plot_tables_needed, count_needed(*spreads), available=n_tables, unit="points", title=title),
    )
    spread = spread_as_tested(fine_tuned, baseline=baseline)
    about = f"Chance to see a true difference, if differences spread by {spread:.2f} points"
    yield "power", lambda: plot_power(simulate(spread), unit="points", title=about)


def spread_as_tested(fine_tuned: pd.DataFrame, *, baseline: str) -> float:
    """Standard deviation over tables of the differences of per-table medians in points, over all arms."""
    from causalmix_utils.evaluation import per_table

    medians = per_table(fine_tuned, value="gain_points")
    others = medians.drop(columns=[baseline, "default_again"], errors="ignore")
    return max(float((others.sub(medians[baseline], axis=0).std() ** 2).mean() ** 0.5), LEAST_SPREAD)


def pool_spreads(fine_tuned: pd.DataFrame, *, baseline: str) -> tuple[float, float] | None:
    """Spread of the differences in points between tables and between splits, over all arms.

    None where the two can't be told apart, as with one split of each table.
    """
    import numpy as np
    import pandas as pd

    from causalmix_utils.evaluation import spread_of_differences

    others = [arm for arm in fine_tuned["arm"].unique() if arm not in (baseline, "default_again")]
    if baseline not in set(fine_tuned["arm"]) or not others:
        return None
    parts = pd.DataFrame([spread_of_differences(fine_tuned, arm=arm, baseline=baseline) for arm in others])
    between, within = np.sqrt((parts[["between", "within"]] ** 2).mean())
    if not np.isfinite([between, within]).all():
        return None
    return max(float(between), LEAST_SPREAD), float(within)


def count_needed(between: float, within: float, *, alpha: float = ALPHA) -> pd.DataFrame:
    """Tables by the number of splits (rows) and the true difference (columns)."""
    import pandas as pd

    from causalmix_utils.evaluation import tables_needed

    spreads = {k: (between**2 + within**2 / k) ** 0.5 for k in SPLITS}
    return pd.DataFrame(
        {effect: {k: tables_needed(effect, spreads[k], alpha=alpha) for k in SPLITS} for effect in EFFECTS}
    )


def simulate(spread: float, *, alpha: float = ALPHA) -> pd.DataFrame:
    """Power by the number of tables (rows) and the true difference (columns)."""
    import numpy as np
    import pandas as pd

    from causalmix_utils.evaluation import simulate_power

    return pd.DataFrame(
        {
            effect: {n: simulate_power(effect, spread, n, rng=np.random.default_rng(0), alpha=alpha) for n in TABLES}
            for effect in EFFECTS
        }
    )


def _list_levels(fine_tuned: pd.DataFrame) -> tuple[float, ...]:
    n_comparisons = fine_tuned["arm"].nunique() - 1
    return (ALPHA,) if n_comparisons < 2 else (ALPHA, ALPHA / n_comparisons)
