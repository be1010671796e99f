"""How likely a benchmark of a given size is to see a difference that is there."""

from __future__ import annotations

import numpy as np

from causalmix_utils.arguments import check_count, check_number, check_rng

_MOST_TABLES = 1_000_000


def simulate_power(
    effect: float,
    spread: float,
    n_tables: int,
    *,
    rng: np.random.Generator,
    alpha: float = 0.05,
    n_simulations: int = 2000,
) -> float:
    """Share of simulated benchmarks in which Wilcoxon's signed-rank test finds a difference between two arms.

    The differences of a benchmark, one for each table, are drawn from a normal distribution. With an effect of 0 the
    share is the rate of false alarms.

    Parameters
    ----------
    effect : float
        True mean difference over tables.
    spread : float
        Standard deviation over tables of the per-table differences, in the same unit. It holds both what differs
        between tables and the noise of the runs on each.
    n_tables : int
    rng : numpy.random.Generator
        Draws the differences. The same state gives the same share.
    alpha : float
        Two-sided level of the test. For one of several comparisons divide it by their number (Bonferroni), which
        is what Holm's correction asks of the smallest p-value.
    n_simulations : int

    Returns
    -------
    float
        Between 0 and 1. It is 0 for so few tables that no outcome at all is significant; see `smallest_p_value`.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> simulate_power(effect=100.0, spread=1.0, n_tables=5, rng=rng)
    0.0
    >>> simulate_power(effect=100.0, spread=1.0, n_tables=6, rng=rng)
    1.0
    """
    from scipy.stats import wilcoxon

    check_rng(rng)
    _check_effect(effect, spread)
    check_count("n_simulations", n_simulations)
    _check(n_tables, alpha)
    differences = rng.normal(effect, spread, size=(n_simulations, n_tables))
    return float(np.mean(wilcoxon(differences, axis=1).pvalue <= alpha))


def tables_needed(effect: float, spread: float, *, power: float = 0.8, alpha: float = 0.05) -> int:
    """Number of tables with which Wilcoxon's signed-rank test finds a difference between two arms often enough.

    Parameters
    ----------
    effect, spread, alpha :
        As for `simulate_power`; the sign of `effect` does not matter.
    power : float
        How often the difference shall be found.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If an argument is out of range, or more than a million tables would be needed, as for an effect of 0.

    Notes
    -----
    The t-test's number of tables times π / 3, the inverse of the test's asymptotic relative efficiency for normal
    differences, and at least so many that the smallest possible p-value reaches `alpha`. `simulate_power` agrees to
    within a few hundredths from about ten tables on; with fewer, the test has so few possible p-values that its power
    is lower.

    References
    ----------
    E. L. Lehmann: *Nonparametrics: Statistical Methods Based on Ranks*, Holden-Day 1975, chapter 4.

    Examples
    --------
    >>> tables_needed(0.5, 1.0)
    35
    >>> tables_needed(100.0, 1.0)
    6
    """
    from statsmodels.stats.power import TTestPower

    _check_effect(effect, spread)
    _check(1, alpha)
    check_number("power", power, 0, 1, closed="neither")
    least = next(n for n in range(1, 10_000) if smallest_p_value(n) <= alpha)
    test, size = TTestPower(), abs(effect) / spread

    def suffices(n: int) -> bool:
        # For large differences, which are seen for sure, the formula overflows.
        found = test.power(size, nobs=max(2.0, n * 3 / np.pi), alpha=alpha)
        return bool(np.isnan(found) or found >= power)

    low, high = least - 1, least
    while not suffices(high):
        low, high = high, 2 * high
        if low > _MOST_TABLES:
            raise ValueError(f"effect={effect} with spread={spread} would need more than {_MOST_TABLES:,} tables")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle, high)
    return high


def smallest_p_value(n_tables: int) -> float:
    """Smallest two-sided p-value that Wilcoxon's signed-rank test can give on so many tables.

    If all n differences have the same sign, each of the 2ⁿ patterns of signs was equally likely, and two of
    them are as extreme.

    Examples
    --------
    >>> smallest_p_value(4)
    0.125
    """
    _check(n_tables, 0.5)
    return min(1.0, 2.0 ** (1 - n_tables))


def _check_effect(effect: float, spread: float) -> None:
    check_number("spread", spread, 0, closed="neither")
    check_number("effect", effect)


def _check(n_tables: int, alpha: float) -> None:
    check_count("n_tables", n_tables)
    check_number("alpha", alpha, 0, 1, closed="neither")
