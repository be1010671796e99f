"""Conditional-independence tests for tables of mixed types with missing values.

Constraint-based discovery asks one question again and again: is X independent of Y given Z?
This module answers it for the three kinds of table that occur: all numerical, all
categorical, and mixed.  The tests work on an encoded table (see `encode_columns`), know
nothing about graphs, and are registered with causal-learn by `register_tests`.

Rules that hold for all tests
-----------------------------
Missing values
    A test uses the rows in which all variables of that test are present (test-wise
    deletion, Tu et al., AISTATS 2019).
Too few rows
    A test that cannot be done has the p-value NaN. A search reads it in the cautious
    direction: without a conditioning set as 1 (no evidence of dependence), with one as 0 (no
    evidence that the set separates the pair, so that an edge stays).
Determined variables
    Where the conditioning set determines X or Y there is nothing left to test. This too
    counts as "cannot be done".
"""

from causalmix_utils.independence.columns import encode_columns
from causalmix_utils.independence.pvalues import (
    TESTS,
    PValueTable,
    TestBudgetExceeded,
    choose_test,
    independence_p_value,
    register_tests,
)
from causalmix_utils.independence.statistics import ChiSquare, FisherZ, MixedTest

__all__ = [
    "TESTS",
    "ChiSquare",
    "FisherZ",
    "MixedTest",
    "PValueTable",
    "TestBudgetExceeded",
    "choose_test",
    "encode_columns",
    "independence_p_value",
    "register_tests",
]
