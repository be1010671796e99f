"""Exercises of the chapter on the benchmark: right answers come from the package, wrong ones get a hint."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from causalmix_utils import exercises
from causalmix_utils.benchmark import read_benchmark
from causalmix_utils.evaluation import add_gains, bootstrap_interval, median_over_tables, per_table

RESULTS = Path(__file__).resolve().parents[1] / "book" / "results"

WRONG = {
    "check_benchmark_4": [1.0, 16 / 7, 5.0, "one"],
    "check_benchmark_5": [2.0, 0.0, 4.0, "much"],
    "check_benchmark_6": [{"a"}, {"c", "d"}, 4],
}


def holm(p_values):
    """The solution of the seventh exercise."""
    order, corrected, largest = np.argsort(p_values, kind="stable"), np.empty(len(p_values)), 0.0
    for place, index in enumerate(order):
        largest = max(largest, (len(p_values) - place) * p_values[index])
        corrected[index] = min(1.0, largest)
    return corrected


@pytest.fixture(scope="module")
def question():
    results = add_gains(read_benchmark(RESULTS, prefer=["chapter"]).results)
    return {"results": results, "arm": "causal", "control": "random_dag", "value": "log_loss_gain"}


@pytest.mark.parametrize("name", list(WRONG))
def test_wrong_answers_are_refused_with_a_hint(name):
    for answer in WRONG[name]:
        feedback = getattr(exercises, name)(answer)
        assert not feedback and feedback.hint
    assert not getattr(exercises, name)(None)


def test_one_table_has_one_vote_in_the_exercise_as_in_the_package():
    runs = pd.DataFrame({"table": list("aaaabcc"), "arm": "causal", "gain": [1.0, 2, 9, 8, 0, -1, -3]})
    assert exercises.check_benchmark_4(median_over_tables(runs).loc["causal", "median"])
    assert not exercises.check_benchmark_4(runs["gain"].median())
    assert not exercises.check_benchmark_4(runs["gain"].mean())


def test_the_best_of_equal_checks_promises_what_a_simulation_says():
    checks = np.random.default_rng(0).normal(0, 2, size=(20_000, 13))
    assert exercises.check_benchmark_5((checks.max(axis=1) - checks[:, 0]).mean())


def test_the_plan_with_the_most_tables_has_the_smallest_error():
    plans = {"a": (30, 11), "b": (10, 33), "c": (5, 66), "d": (1, 330)}
    errors = {letter: np.sqrt((0.8**2 + 1.5**2 / splits) / tables) for letter, (splits, tables) in plans.items()}
    assert exercises.check_benchmark_6({min(errors, key=errors.get)})


def test_holms_correction_is_accepted_and_its_usual_errors_are_not():
    assert exercises.check_benchmark_7(holm)
    assert exercises.check_benchmark_7(lambda p_values: holm(p_values).tolist())
    bonferroni = exercises.check_benchmark_7(lambda p_values: np.minimum(1, np.asarray(p_values) * len(p_values)))
    assert not bonferroni and "k − 1" in bonferroni.hint
    assert "No p-value is larger than 1" in exercises.check_benchmark_7(lambda p: holm(p) + (max(p) > 0.4)).hint
    unordered = exercises.check_benchmark_7(sorted)
    assert not unordered and unordered.hint
    assert "in the same order" in exercises.check_benchmark_7(lambda p_values: [0.1]).hint
    assert "ZeroDivisionError" in exercises.check_benchmark_7(lambda p_values: 1 / 0).hint
    assert not exercises.check_benchmark_7(None)


def test_a_null_results_numbers_are_those_of_the_results_at_hand(question):
    wide = per_table(question["results"], value="log_loss_gain")
    difference = wide["causal"] - wide["random_dag"]
    for seed in (0, 7):
        interval = bootstrap_interval(difference, rng=np.random.default_rng(seed))
        assert exercises.check_benchmark_8((difference.median(), *interval), **question)
    low, high = interval
    typed = [float(f"{number:.2g}") for number in (difference.median(), low, high)]
    assert exercises.check_benchmark_8(typed, **question), "two digits are enough"
    assert (
        "which arm is subtracted" in exercises.check_benchmark_8((-difference.median(), -high, -low), **question).hint
    )
    narrow = (difference.median(), difference.median() - 1e-4, difference.median() + 1e-4)
    assert "Resample tables" in exercises.check_benchmark_8(narrow, **question).hint
    for wrong in ("some", (1, 2), None, 3):
        assert not exercises.check_benchmark_8(wrong, **question)
