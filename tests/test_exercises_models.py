"""The exercises on prior-fitted networks: their answers hold, and wrong ones are refused."""

import math

import numpy as np
import pytest

from causalmix_utils import exercises
from causalmix_utils.evaluation import log_loss
from causalmix_utils.pretraining import sample_batch
from causalmix_utils.tables import load_table

WRONG = {
    "check_foundation_1": [120, 16 * 120, 16 * 90],
    "check_foundation_2": [0.3, math.log(2), 0.8813],
    "check_foundation_3": [{"a"}, {"a", "b", "c"}, "d"],
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_answers_are_refused_with_a_hint(name):
    for answer in WRONG[name]:
        feedback = getattr(exercises, name)(answer)
        assert not feedback
        assert feedback.hint
    assert not getattr(exercises, name)(None)


def test_the_labels_of_a_training_step_are_those_of_its_query_rows():
    batch = sample_batch(16, n_rows=120, n_features=8, n_context=90, rng=np.random.default_rng(0))
    assert exercises.check_foundation_1(batch.y[batch.n_context :].size)


def test_the_loss_of_a_guess_is_the_entropy_of_the_classes():
    y = load_table("credit-g").y
    classes, counts = np.unique(y, return_counts=True)
    guess = np.tile(counts / len(y), (len(y), 1))
    assert exercises.check_foundation_2(log_loss(y, guess, classes))


def test_the_statements_are_given_as_letters_in_any_collection():
    assert exercises.check_foundation_3(["b", "a"])


def vote(context_X, context_y, query_X):
    squared = ((query_X[:, np.newaxis] - context_X) ** 2).sum(axis=2)
    votes = np.exp(-squared / 2)
    return votes @ context_y / votes.sum(axis=1)


def test_a_weighted_vote_is_accepted_in_another_form_too():
    def loop(context_X, context_y, query_X):
        weights = [[math.exp(-(math.dist(a, b) ** 2) / 2) for a in context_X] for b in query_X]
        return [sum(np.multiply(w, context_y)) / sum(w) for w in weights]

    assert exercises.check_foundation_4(vote)
    assert exercises.check_foundation_4(loop)


@pytest.mark.parametrize(
    "answer, hint",
    [
        (None, "is a function"),
        (lambda context_X, context_y, query_X: np.full(len(query_X), context_y.mean()), "Square the differences"),
        (lambda context_X, context_y, query_X: vote(context_X, context_y, query_X)[:3], "shape (3,)"),
        (lambda context_X, context_y, query_X: 1 / 0, "ZeroDivisionError"),
        (lambda context_X, context_y, query_X: "ones", "ValueError"),
    ],
)
def test_another_learner_is_refused_and_told_why(answer, hint):
    feedback = exercises.check_foundation_4(answer)
    assert not feedback
    assert hint in repr(feedback)
