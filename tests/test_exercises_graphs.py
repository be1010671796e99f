"""Exercises on discovery and on structural causal models: right answers pass, likely mistakes get their hint."""

import networkx as nx
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalmix_utils import exercises
from causalmix_utils.discovery import marks_to_mass

DAG = nx.DiGraph([("age", "job"), ("job", "amount"), ("duration", "amount"), ("amount", "risk")])
P = pd.DataFrame([[0, 0.5, 0.25], [0.1, 0, 0.5], [0.5, 0, 0]], index=list("abt"), columns=list("abt"), dtype=float)
P.attrs["discovery"] = {"n_resamples": 20}
WITH_CONTEXT = [
    (exercises.check_discovery_3, {"P": P}),
    (exercises.check_discovery_4, {"P": P}),
    (exercises.check_scm_fitting_2, {"dag": DAG, "column": "job"}),
    (exercises.check_scm_fitting_3, {"dags": [DAG]}),
]
ALONE = [exercises.check_discovery_1, exercises.check_discovery_2, exercises.check_scm_fitting_1]


def test_pairs_joined_by_a_collider_in_either_order():
    right = [("guarantor", "amount"), ("duration", "guarantor")]
    assert exercises.check_discovery_1(right)
    assert exercises.check_discovery_1([set(pair) for pair in right])
    for wrong in (right[:1], [*right, ("amount", "duration")], [*right, ("amount", "risk")], []):
        assert not exercises.check_discovery_1(wrong)


def test_the_probability_of_four_graphs_is_the_mean_mass_by_the_rule_that_is_asked_for():
    ends = [(-1, 1), (-1, -1), (2, 1), (1, 1)]  # a → b, a — b, a o→ b, a ↔ b
    masses = {rule: [marks_to_mass([[0, a], [b, 0]], rule=rule)[0, 1] for a, b in ends] for rule in ("keep", "spread")}
    assert exercises.check_discovery_2(sum(masses["keep"]) / 4)
    assert not exercises.check_discovery_2(sum(masses["spread"]) / 4)


def test_neighbours_are_counted_in_both_directions():
    assert exercises.check_discovery_3(0.25 + 0.5 + 0.5, P=P)
    assert not exercises.check_discovery_3(0.75, P=P)


def test_stable_neighbours_are_those_whose_whole_interval_is_high():
    stable = pd.DataFrame([[0, 0, 1.0], [0, 0, 0.1], [0, 0.75, 0]], index=list("abt"), columns=list("abt"))
    stable.attrs["discovery"] = {"n_resamples": 20}
    assert exercises.check_discovery_4({"a"}, P=stable)
    for wrong in ({"a", "b"}, {"a", "t"}, set()):  # b has 0.85, and an interval that begins below 0.8
        assert not exercises.check_discovery_4(wrong, P=stable)


def test_the_noise_of_a_row_stays_when_its_parent_is_set():
    assert exercises.check_scm_fitting_1(2300)
    assert not exercises.check_scm_fitting_1(1700)  # without the noise


def test_an_intervention_reaches_the_descendants_only():
    assert exercises.check_scm_fitting_2({"amount", "risk"}, dag=DAG, column="job")
    for wrong in ({"amount"}, {"amount", "risk", "age"}, {"job", "amount", "risk"}):
        assert not exercises.check_scm_fitting_2(wrong, dag=DAG, column="job")


def test_equal_mechanisms_of_several_graphs_count_once():
    other = DAG.copy()
    other.add_edge("age", "risk")
    assert exercises.check_scm_fitting_3(6, dags=[DAG, other, DAG])
    assert not exercises.check_scm_fitting_3(15, dags=[DAG, other, DAG])


@pytest.mark.parametrize("check", ALONE)
@given(answer=st.one_of(st.none(), st.integers(), st.text(), st.lists(st.lists(st.integers() | st.text()))))
def test_no_answer_makes_a_check_raise(check, answer):
    assert isinstance(check(answer), exercises.Feedback)


@pytest.mark.parametrize(("check", "context"), WITH_CONTEXT)
@pytest.mark.parametrize("answer", [None, "x", float("nan"), [["a"]], True])
def test_no_answer_makes_a_check_on_the_readers_own_objects_raise(check, context, answer):
    assert not check(answer, **context)
