"""Simulated power: its rate of false alarms, its growth, and the number of tables below which nothing is seen."""

import numpy as np
import pytest
from scipy.stats import wilcoxon

from causalmix_utils.evaluation import simulate_power, smallest_p_value


@pytest.mark.parametrize("n_tables", [8, 20])
def test_without_an_effect_alarms_are_as_rare_as_the_level_says(n_tables):
    share = simulate_power(0.0, 1.0, n_tables, rng=np.random.default_rng(0), n_simulations=3000)
    assert 0.025 < share < 0.065


def test_power_grows_with_the_effect_and_with_the_number_of_tables():
    def power(effect, n_tables):
        return simulate_power(effect, 1.0, n_tables, rng=np.random.default_rng(0))

    assert power(0.2, 20) < power(0.5, 20) < power(1.0, 20)
    assert power(0.5, 8) < power(0.5, 16) < power(0.5, 33)
    assert power(0.5, 33) == pytest.approx(simulate_power(5.0, 10.0, 33, rng=np.random.default_rng(0)))


def test_power_agrees_with_the_t_tests_formula():
    # The signed-rank test needs about π / 3 times the rows of the t-test, whose power at this size is 0.80.
    share = simulate_power(0.5, 1.0, 36, rng=np.random.default_rng(0), n_simulations=4000)
    assert 0.76 < share < 0.88


@pytest.mark.parametrize("n_tables", range(1, 12))
def test_the_smallest_p_value_is_that_of_differences_with_one_sign(n_tables):
    differences = np.arange(1, n_tables + 1) / 7
    assert smallest_p_value(n_tables) == pytest.approx(wilcoxon(differences).pvalue)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.5, 0.0, 8), "spread must be a finite number above 0, got 0.0"),
        ((0.5, np.nan, 8), "spread"),
        ((np.inf, 1.0, 8), "effect must be a finite number, got inf"),
        ((0.5, 1.0, 0), "n_tables must be .* got 0"),
        ((0.5, 1.0, 2.5), "n_tables must be .* got 2.5"),
    ],
)
def test_wrong_values_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        simulate_power(*arguments, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="alpha must be a number between 0 and 1, both excluded, got 5"):
        simulate_power(0.5, 1.0, 8, rng=np.random.default_rng(0), alpha=5)
