"""The checks of the chapter on claims accept what the chapter's own solutions give, and refuse near misses."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalmix_utils.evaluation import bootstrap_interval
from causalmix_utils.evaluation.claims import best_of_equal_arms
from causalmix_utils.exercises import check_claims_1, check_claims_2, check_claims_3, check_claims_4, check_claims_5

CHAPTER = Path(__file__).resolve().parents[1] / "notebooks" / "06_claims.ipynb"
ANYTHING = st.one_of(st.none(), st.booleans(), st.floats(), st.text(), st.lists(st.text()))


def most_influential(gains):
    changes = {table: abs(gains.drop(table).std() - gains.std()) for table in gains.index}
    return max(changes, key=changes.get)


def judge(differences, *, level=0.05, fewest=6):
    if len(differences) < fewest:
        return "can't be told"
    ends = {}
    for confidence in (1 - level, 1 - level / differences.shape[1]):
        ends[confidence] = [
            bootstrap_interval(differences[arm], rng=np.random.default_rng(0), n_resamples=2000, confidence=confidence)
            for arm in differences
        ]
    if all(low > 0 for low, _ in ends[1 - level]):
        return "holds"
    return "contradicted" if any(high < 0 for _, high in ends[1 - level / differences.shape[1]]) else "can't be told"


def judge_each_at_the_full_level(differences):
    """As `judge`, without the correction for the number of columns."""
    alone = [judge(differences[[arm]]) for arm in differences]
    return next((verdict for verdict in ("contradicted", "can't be told") if verdict in alone), "holds")


def judge_by_size(differences):
    """A judge who takes a large median for a sure one."""
    if len(differences) < 6:
        return "can't be told"
    medians = differences.median()
    return "holds" if (medians > 0.25).all() else "contradicted" if (medians < -0.25).any() else "can't be told"


def test_right_answers_are_right():
    assert check_claims_1(1.96 * 0.63 * np.sqrt(np.pi / 66))
    assert check_claims_2({"e", "a"})
    reached = [
        (best_of_equal_arms(n, 33, spread=0.63, rng=np.random.default_rng(1)) >= 0.12).mean() for n in range(1, 8)
    ]
    assert check_claims_3(1 + next(i for i, share in enumerate(reached) if share > 0.5))
    assert check_claims_4(most_influential)
    assert check_claims_5(judge)


def test_near_misses_are_wrong():
    assert not check_claims_1(1.96 * 0.63 / np.sqrt(33))  # a mean, not a median
    assert not check_claims_2({"a", "c", "e"})
    assert not check_claims_3(5)
    assert not check_claims_4(lambda gains: gains.abs().idxmax())
    assert not check_claims_4(lambda gains: gains.idxmin())


@pytest.mark.parametrize(
    "careless",
    [
        lambda differences: judge(differences, fewest=1),
        lambda differences: judge(differences.iloc[:, :1]),
        judge_each_at_the_full_level,
        judge_by_size,
        lambda differences: "holds" if (differences.median() > 0).all() else "contradicted",
        lambda differences: "holds" if (differences.mean() > 0).all() else "can't be told",
        lambda differences: "can't be told",
    ],
)
def test_a_careless_judge_is_found(careless):
    assert not check_claims_5(careless)


@given(answer=ANYTHING)
def test_no_answer_makes_a_check_raise(answer):
    for check in (check_claims_1, check_claims_2, check_claims_3, check_claims_4, check_claims_5):
        assert not check(answer) or check is check_claims_2


def test_code_of_the_reader_that_fails_is_a_hint():
    assert "KeyError" in repr(check_claims_4(lambda gains: gains["nowhere"]))
    assert "ZeroDivisionError" in repr(check_claims_5(lambda differences: 1 / 0))


@pytest.mark.parametrize("number", [3, 4, 5])
def test_the_solution_in_the_chapter_is_right(number):
    """The code block under the solution of an exercise is run as it stands, with what the chapter has imported."""
    cells = json.loads(CHAPTER.read_text(encoding="utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells]
    asked = next(i for i, text in enumerate(texts) if f"exercises.check_claims_{number}(" in text)
    code = texts[asked + 1].split("```python\n")[1].split("```")[0]
    names = {"np": np, "pd": pd, "best_of_equal_arms": best_of_equal_arms, "bootstrap_interval": bootstrap_interval}
    exec(code, names)
    assert [check_claims_3, check_claims_4, check_claims_5][number - 3](names["answer"])
