"""Exercises accept right answers, refuse wrong ones, and never raise for what a reader may type."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalmix_utils.exercises import Feedback, check_number, check_set

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(),
    st.lists(st.text()),
    st.lists(st.lists(st.integers())),
    st.dictionaries(st.text(), st.integers()),
)


@given(expected=st.floats(-1e6, 1e6), tolerance=st.floats(0.01, 10))
def test_a_number_is_right_exactly_within_the_tolerance(expected, tolerance):
    assert check_number(expected, expected=expected, tolerance=0)
    assert check_number(expected + 0.99 * tolerance, expected=expected, tolerance=tolerance)
    assert not check_number(expected + 1.01 * tolerance, expected=expected, tolerance=tolerance)


@pytest.mark.parametrize("answer", [np.float64(0.5), np.float32(0.5), np.int64(1) / 2])
def test_numbers_of_numpy_are_numbers(answer):
    assert check_number(answer, expected=0.5)


@pytest.mark.parametrize("answer", [float("nan"), float("inf"), True, "1", [1.0]])
def test_what_is_not_the_number_is_wrong(answer):
    assert not check_number(answer, expected=1.0)


@given(answer=ANYTHING)
def test_no_answer_makes_a_check_raise(answer):
    assert isinstance(check_number(answer, expected=0.123), Feedback)
    assert isinstance(check_set(answer, expected={"a"}), Feedback)


@given(expected=st.sets(st.text(), min_size=1), data=st.data())
def test_a_set_is_right_in_any_order_and_wrong_without_one_element(expected, data):
    answer = data.draw(st.permutations(sorted(expected)))
    assert check_set(answer, expected=expected)
    assert not check_set(answer[1:], expected=expected)


def test_a_wrong_answer_shows_the_hint_and_not_the_solution():
    feedback = check_set(["age"], expected={"income"}, hint="Look at the arrows.")
    assert "Look at the arrows." in repr(feedback)
    assert "income" not in repr(feedback)
    assert "income" not in feedback._repr_html_()


def test_the_page_shows_a_mark_and_escapes_the_hint():
    assert "✓" in Feedback(correct=True)._repr_html_()
    shown = Feedback(correct=False, hint="a < b")._repr_html_()
    assert "✗" in shown
    assert "a &lt; b" in shown


def test_an_impossible_tolerance_is_an_error_that_names_it():
    with pytest.raises(ValueError, match="tolerance must be .* got -1"):
        check_number(1.0, expected=1.0, tolerance=-1)
