"""What chance alone can do to a claim: small simulations in which the truth is known."""

from __future__ import annotations

import numpy as np

from causalmix_utils.arguments import check_choice, check_count, check_number, check_rng
from causalmix_utils.evaluation.summaries import bootstrap_interval

SHAPES = ("alike", "two groups", "one loud table")
"""Shapes of gains over tables that `draw_gains` knows."""


def draw_gains(shape: str, n_tables: int, *, median: float, spread: float, rng: np.random.Generator) -> np.ndarray:
    """Gains on some tables with exactly this median and this standard deviation, of one of `SHAPES`.

    Parameters
    ----------
    shape : str
        "alike": normal around the median. "two groups": two thirds of the tables gain a little, the others lose much.
        "one loud table": all tables gain nearly the same, and one loses so much that it makes the whole spread.
    n_tables : int
        At least 6.
    median, spread : float
        Median and standard deviation of the sample.
    rng : Generator

    Returns
    -------
    array of shape (n_tables,)

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> gains = draw_gains("one loud table", 33, median=0.12, spread=0.63, rng=np.random.default_rng(0))
    >>> round(float(np.median(gains)), 6), round(float(np.std(gains, ddof=1)), 6), int((gains < 0).sum())
    (0.12, 0.63, 1)
    """
    check_rng(rng)
    check_choice("shape", shape, SHAPES)
    check_count("n_tables", n_tables, minimum=6)
    check_number("median", median)
    check_number("spread", spread, 0, closed="neither")
    noise = rng.normal(size=n_tables)
    if shape == "alike":
        drawn = noise
    elif shape == "two groups":
        drawn = np.where(np.arange(n_tables) % 3 == 2, -6.0, 0.0) + noise
    else:
        drawn = np.where(np.arange(n_tables) == 0, -100.0, 0.0) + noise
    return median + spread * (drawn - np.median(drawn)) / np.std(drawn, ddof=1)


def best_of_equal_arms(
    n_arms: int,
    n_tables: int,
    *,
    spread: float,
    shared: float = 0.0,
    rng: np.random.Generator,
    n_simulations: int = 5000,
) -> np.ndarray:
    """The highest median gain among arms that are all without any effect.

    Parameters
    ----------
    n_arms, n_tables : int
    spread : float
        Standard deviation over tables of each arm's gains, whose true median is zero.
    shared : float
        Share of their variance that the arms of a table have in common, from 0 to 1: the table is easy or hard for all.
    rng : Generator
    n_simulations : int

    Returns
    -------
    array of shape (n_simulations,)

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> best = best_of_equal_arms(5, 33, spread=0.63, rng=np.random.default_rng(0))
    >>> bool(best.mean() > 0.1)
    True
    """
    check_rng(rng)
    check_count("n_arms", n_arms)
    check_count("n_tables", n_tables)
    check_number("spread", spread, 0, closed="neither")
    check_number("shared", shared, 0, 1)
    check_count("n_simulations", n_simulations)
    common = rng.normal(size=(n_simulations, n_tables, 1))
    own = rng.normal(size=(n_simulations, n_tables, n_arms))
    gains = spread * (np.sqrt(shared) * common + np.sqrt(1 - shared) * own)
    return np.median(gains, axis=1).max(axis=1)


def share_told_apart(
    difference: float,
    n_tables: int,
    *,
    spreads: tuple[float, float],
    correlation: float,
    paired: bool = True,
    rng: np.random.Generator,
    n_simulations: int = 500,
    alpha: float = 0.05,
) -> float:
    """Share of simulated benchmarks in which a test tells two arms apart that truly differ.

    Parameters
    ----------
    difference : float
        True difference of their mean gains.
    n_tables : int
    spreads : (float, float)
        Standard deviation over tables of each arm's gains.
    correlation : float
        Correlation of the two arms' gains over tables, from −1 to 1.
    paired : bool
        Wilcoxon's signed-rank test of the differences on each table; else the Mann–Whitney test, which knows only each
        arm's own values, as a reader does who has two medians with their ±.
    rng : Generator
    n_simulations : int
    alpha : float
        Level of the test.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    from scipy.stats import mannwhitneyu, wilcoxon

    check_rng(rng)
    check_number("difference", difference)
    check_count("n_tables", n_tables)
    for spread in spreads:
        check_number("spread", spread, 0, closed="neither")
    check_number("correlation", correlation, -1, 1)
    check_count("n_simulations", n_simulations)
    check_number("alpha", alpha, 0, 1, closed="neither")
    first, second = rng.normal(size=(2, n_simulations, n_tables))
    second = correlation * first + np.sqrt(1 - correlation**2) * second
    first, second = difference + spreads[0] * first, spreads[1] * second
    test = wilcoxon(first - second, axis=1) if paired else mannwhitneyu(first, second, axis=1)
    return float(np.mean(test.pvalue <= alpha))


def median_after_selection(
    n_candidates: int,
    n_kept: int,
    *,
    spread: float,
    reliability: float = 1.0,
    rng: np.random.Generator,
    n_simulations: int = 2000,
) -> float:
    """Mean over simulations of the median gain on those tables of many that suit a method without any effect best.

    Parameters
    ----------
    n_candidates, n_kept : int
        Tables to choose from, and tables that are kept.
    spread : float
        Standard deviation over tables of the gains, whose true median is zero.
    reliability : float
        Correlation of what the choice looks at with the gain, from 0 (chosen blindly) to 1 (chosen by the result).
    rng : Generator
    n_simulations : int

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> abs(median_after_selection(33, 33, spread=0.63, rng=rng)) < 0.02
    True
    """
    check_rng(rng)
    check_number("spread", spread, 0, closed="neither")
    check_count("n_candidates", n_candidates)
    check_count("n_kept", n_kept, maximum=n_candidates)
    check_number("reliability", reliability, 0, 1)
    check_count("n_simulations", n_simulations)
    gains, noise = rng.normal(size=(2, n_simulations, n_candidates))
    seen = reliability * gains + np.sqrt(1 - reliability**2) * noise
    kept = np.argsort(seen, axis=1)[:, n_candidates - n_kept :]
    return float(spread * np.median(np.take_along_axis(gains, kept, axis=1), axis=1).mean())


def coverage_with_families(
    n_tables: int,
    family: int,
    *,
    shared: float,
    rng: np.random.Generator,
    n_simulations: int = 400,
) -> float:
    """How often a 95 % bootstrap interval over tables contains the true median, if tables come in families.

    Parameters
    ----------
    n_tables : int
    family : int
        Tables of one family, such as several from one survey or one laboratory.
    shared : float
        Share of the variance of the gains that a family has in common, from 0 to 1.
    rng : Generator
    n_simulations : int

    Returns
    -------
    float
        Between 0 and 1. For 33 tables that stand alone it is 0.92, since the interval ends at values of tables; 0.95
        lies between two of these. In families it is less.

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    check_rng(rng)
    check_count("n_tables", n_tables)
    check_count("family", family, maximum=n_tables)
    check_number("shared", shared, 0, 1)
    check_count("n_simulations", n_simulations)
    of_family = np.arange(n_tables) // family
    common = rng.normal(size=(n_simulations, of_family[-1] + 1))[:, of_family]
    gains = np.sqrt(shared) * common + np.sqrt(1 - shared) * rng.normal(size=(n_simulations, n_tables))
    hits = 0
    for sample in gains:
        low, high = bootstrap_interval(sample, rng=rng)
        hits += low <= 0 <= high
    return hits / n_simulations
