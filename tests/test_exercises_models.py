"""The exercises on prior-fitted networks and on fine-tuning: their answers hold, and wrong ones are refused."""

import math

import numpy as np
import pytest

from causalmix_utils import exercises
from causalmix_utils.evaluation import log_loss, normalised_gain
from causalmix_utils.finetuning.loop import LoopSettings, RowPool, draw_step
from causalmix_utils.pretraining import sample_batch
from causalmix_utils.tables import load_table

WRONG = {
    "check_foundation_1": [120, 16 * 120, 16 * 90],
    "check_foundation_2": [0.3, math.log(2), 0.8813],
    "check_foundation_3": [{"a"}, {"a", "b", "c"}, "d"],
    "check_causalmixft_1": [40, 66, 0],
    "check_causalmixft_2": [0.08, 0.281, 0.033],
    "check_causalmixft_3": [0.0, 0.06, 0.12],
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


def test_a_step_with_synthetic_query_rows_has_the_number_asked_for():
    pool = RowPool(np.tile([0, 1], 133), n_real=133)
    options = dict(max_steps=10, learning_rate=0, weight_decay=0, early_stopping=True, check_every=5, patience=6)
    settings = LoopSettings(**options, mixing="query", mix_ratio=0.5, min_validation_gain=0.0, time_limit=None)
    context, query = draw_step(pool, settings, 1, np.random.default_rng(0))
    assert (context < pool.n_real).all()
    assert exercises.check_causalmixft_1(int((query >= pool.n_real).sum()))


def test_the_optimism_gap_is_the_difference_of_normalised_gains():
    assert exercises.check_causalmixft_2(normalised_gain(0.77, 0.68) - normalised_gain(0.71, 0.70))


def test_the_largest_of_ten_errors_is_what_a_simulation_finds():
    errors = np.random.default_rng(0).normal(scale=0.06, size=(200_000, 10))
    assert exercises.check_causalmixft_3(errors.max(axis=1).mean())
