"""Checks of arguments: what is right comes back unchanged, what is wrong is named with its value."""

import importlib
import inspect
import math
import pkgutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import causalmix_utils
from causalmix_utils.arguments import check_choice, check_count, check_flag, check_number, check_rng

CLOSED = ("both", "left", "right", "neither")
NO_NUMBERS = [None, "1", True, np.bool_(True), math.nan, math.inf, -math.inf, [1], 1j, np.array([1, 2])]


@given(value=st.integers(-20, 20), minimum=st.integers(-10, 10), room=st.none() | st.integers(0, 10))
def test_a_count_is_a_whole_number_within_its_limits(value, minimum, room):
    maximum = None if room is None else minimum + room
    for kind in (int, np.int64, np.int8):
        if value >= minimum and (maximum is None or value <= maximum):
            found = check_count("n", kind(value), minimum=minimum, maximum=maximum)
            assert found == value and type(found) is int
        else:
            with pytest.raises(
                ValueError, match=f"^n must be an integer (of at least|from) {minimum}.*, got .*{value}"
            ):
                check_count("n", kind(value), minimum=minimum, maximum=maximum)


@given(value=st.floats(-2, 2) | st.sampled_from([0.0, 1.0]), closed=st.sampled_from(CLOSED))
def test_a_number_lies_in_the_interval_that_pandas_gives_the_same_name(value, closed):
    import pandas as pd

    if value in pd.Interval(0.0, 1.0, closed=closed):
        assert check_number("share", np.float64(value), 0, 1, closed=closed) == value
    else:
        with pytest.raises(ValueError, match="^share must be a number between 0 and 1"):
            check_number("share", value, 0, 1, closed=closed)


@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
def test_what_is_no_finite_number_is_neither_a_count_nor_a_number(value):
    with pytest.raises(ValueError, match="^n must be an integer of at least 1, got"):
        check_count("n", value)
    for limits in ({}, {"low": 0}, {"low": 0, "high": 1, "closed": "neither"}):
        with pytest.raises(ValueError, match="^x must be a (finite )?number"):
            check_number("x", value, **limits)


@pytest.mark.parametrize(
    "limits, expected",
    [
        ({}, "a finite number"),
        ({"low": 0}, "a finite number of at least 0"),
        ({"low": 0, "closed": "left"}, "a finite number of at least 0"),
        ({"low": 0, "closed": "neither"}, "a finite number above 0"),
        ({"low": 0, "high": 1}, "a number between 0 and 1"),
        ({"low": 0, "high": 1, "closed": "left"}, "a number between 0 and 1, 1 excluded"),
        ({"low": 0, "high": 1, "closed": "right"}, "a number between 0 and 1, 0 excluded"),
        ({"low": 0, "high": 1, "closed": "neither"}, "a number between 0 and 1, both excluded"),
    ],
)
def test_a_message_says_which_limits_are_allowed(limits, expected):
    with pytest.raises(ValueError) as caught:
        check_number("x", "many", **limits)
    assert str(caught.value) == f"x must be {expected}, got 'many'"


def test_a_choice_is_one_of_those_named_whatever_else_is_given():
    assert check_choice("arm", "causal", {"causal": 1, "smote": 2}) == "causal"
    for wrong in ("caus", 3, None, ["causal"], {"causal"}, np.array(["causal", "smote"])):
        with pytest.raises(ValueError, match=r"^arm must be one of \['causal', 'smote'\], got"):
            check_choice("arm", wrong, ("causal", "smote"))


def test_none_is_right_only_where_it_is_optional():
    for check in (check_count, check_number):
        assert check("n", None, optional=True) is None
        with pytest.raises(ValueError, match="^n must be .* or None, got 'x'"):
            check("n", "x", optional=True)
    assert check_choice("kind", None, ("a",), optional=True) is None


def test_flags_and_generators():
    assert check_flag("verbose", np.bool_(True)) is True
    for wrong in (0, 1, "yes", None):
        with pytest.raises(ValueError, match="^verbose must be True or False, got"):
            check_flag("verbose", wrong)
    rng = np.random.default_rng(0)
    assert check_rng(rng) is rng
    for wrong in (0, None, np.random.RandomState(0)):
        with pytest.raises(ValueError, match="^rng must be a numpy.random.Generator"):
            check_rng(wrong)
    assert check_rng(None, default_seed=3).random() == np.random.default_rng(3).random()
    with pytest.raises(ValueError, match="got 0$"):
        check_rng(0, default_seed=3)


def find_functions_with_rng():
    for found in pkgutil.walk_packages(causalmix_utils.__path__, "causalmix_utils."):
        if not found.name.endswith("__main__"):
            module = importlib.import_module(found.name)
            for name in getattr(module, "__all__", ()):
                function = getattr(module, name)
                if inspect.isfunction(function) and "rng" in inspect.signature(function).parameters:
                    yield pytest.param(function, id=f"{found.name.removeprefix('causalmix_utils.')}.{name}")


@pytest.mark.parametrize("function", list(find_functions_with_rng()))
def test_every_public_function_names_a_wrong_rng_before_it_does_anything(function):
    others = {
        name: None
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is parameter.empty and name != "rng"
    }
    with pytest.raises(ValueError, match="^rng must be a numpy.random.Generator such as .*, got 0$"):
        function(**others, rng=0)
