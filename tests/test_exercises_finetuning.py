"""The exercises on fine-tuning: right answers come from the package, wrong ones get a hint."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from causalmix_utils import exercises
from causalmix_utils.evaluation import normalised_gain
from causalmix_utils.exercises.causalmixft import STOPPING_RUN, score_validation_draws
from causalmix_utils.finetuning import CausalMixFTClassifier
from causalmix_utils.finetuning.steps import LoopSettings, RowPool, draw_step
from causalmix_utils.finetuning.stopping import EarlyStopping
from causalmix_utils.metrics import roc_auc

WRONG = {
    "check_causalmixft_1": [40, 66, 0],
    "check_causalmixft_2": [0.08, 0.281, 0.033],
    "check_causalmixft_3": [0.501, 0.50003, 0.498995, "half"],
    "check_causalmixft_4": [(35, 35), (15, 35), [0, 10], 15, (15, 30, 30), ("a", None)],
    "check_causalmixft_5": [0.0, 0.06, 0.12],
    "check_causalmixft_7": [draw_step, 3, lambda pool, settings, step, rng: 1 / 0, lambda pool: None],
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_answers_are_refused_with_a_hint(name):
    for answer in WRONG[name]:
        feedback = getattr(exercises, name)(answer)
        assert not feedback
        assert feedback.hint
    assert not getattr(exercises, name)(None)


def make_settings(**options):
    values = CausalMixFTClassifier(**options).get_params()
    return LoopSettings(**{name: values[name] for name in LoopSettings.__dataclass_fields__})


def test_a_step_with_synthetic_query_rows_has_the_number_asked_for():
    pool = RowPool(np.tile([0, 1], 133), n_real=133)
    settings = make_settings(mixing="query", mix_ratio=0.5)
    context, query = draw_step(pool, settings, 1, np.random.default_rng(0))
    assert (context < pool.n_real).all()
    assert exercises.check_causalmixft_1(int((query >= pool.n_real).sum()))


def test_the_optimism_gap_is_the_difference_of_normalised_gains():
    assert exercises.check_causalmixft_2(normalised_gain(0.77, 0.68) - normalised_gain(0.71, 0.70))


def test_the_weight_after_a_first_step_is_the_one_of_the_optimiser():
    weight = torch.nn.Parameter(torch.tensor([0.5], dtype=torch.float64))
    weight.grad = torch.tensor([-0.03], dtype=torch.float64)
    torch.optim.AdamW([weight], lr=0.001, weight_decay=0.01).step()
    assert exercises.check_causalmixft_3(float(weight.detach()[0]))


def test_the_step_kept_and_the_last_one_are_those_of_early_stopping():
    checks = [{"step": step, "validation_auc": auc} for step, auc in STOPPING_RUN.items()]
    stopping = EarlyStopping(checks[0], make_settings(patience=3, min_validation_gain=0.02))
    for check in checks[1:]:
        stopping.update(check)
        if stopping.is_over:
            break
    assert check["step"] < max(STOPPING_RUN), "the best check of all is never reached"
    assert exercises.check_causalmixft_4((stopping.best_step, check["step"]))
    assert exercises.check_causalmixft_4([stopping.best_step, check["step"]])


def test_the_largest_of_ten_errors_is_what_a_simulation_finds():
    errors = np.random.default_rng(0).normal(scale=0.06, size=(200_000, 10))
    assert exercises.check_causalmixft_5(errors.max(axis=1).mean())


@pytest.fixture(scope="module")
def run():
    """Scores of eight checks that hardly differ, on 400 rows."""
    rng = np.random.default_rng(0)
    labels = (rng.random(400) < 0.3).astype(int)
    base = labels + rng.normal(scale=1.2, size=400)
    return np.stack([base + rng.normal(scale=0.3, size=400) for _ in range(8)]), labels


def test_drawn_parts_are_scored_as_the_package_scores_and_keep_the_shares_of_the_classes(run):
    scores, labels = run
    (whole,) = score_validation_draws(scores, labels, len(labels), rng=np.random.default_rng(0), n_draws=1)
    as_probabilities = [1 / (1 + np.exp(-line)) for line in scores]
    expected = [roc_auc(labels, np.column_stack([1 - p, p]), [0, 1]) for p in as_probabilities]
    assert np.allclose(whole, expected)
    small = score_validation_draws(scores, labels, 20, rng=np.random.default_rng(0), n_draws=50)
    assert small.shape == (50, 8)
    n_second = round(20 * labels.mean())
    pairs = small * n_second * (20 - n_second)
    assert np.allclose(2 * pairs, np.round(2 * pairs)), "a tie counts half a pair, and there is nothing smaller"
    assert np.allclose(small.mean(axis=0), whole, atol=0.05)


@pytest.mark.parametrize("n", [1, 401])
def test_a_part_without_a_class_or_larger_than_the_rows_is_refused(run, n):
    with pytest.raises(ValueError, match=f"n={n}"):
        score_validation_draws(*run, n, rng=np.random.default_rng(0))


def test_the_broken_promise_is_what_the_chapter_would_compute(run):
    scores, labels = run
    draws = score_validation_draws(scores, labels, 20, rng=np.random.default_rng(7), n_draws=500)
    (truth,) = score_validation_draws(scores, labels, len(labels), rng=np.random.default_rng(0), n_draws=1)
    promised, kept = draws.max(axis=1) - draws[:, 0], truth[draws.argmax(axis=1)] - truth[0]
    promised, kept = 100 * float(np.mean(promised)), 100 * float(np.mean(kept))
    assert exercises.check_causalmixft_6((promised, kept), scores=scores, labels=labels)
    wrongs = ((promised / 100, kept / 100), (promised, promised), (promised, promised - kept), (kept, promised))
    for wrong in (*wrongs, promised, None, "much", ("a", "b")):
        feedback = exercises.check_causalmixft_6(wrong, scores=scores, labels=labels)
        assert not feedback and feedback.hint


def draw_synthetic_context(pool, settings, step, rng):
    """The solution of the last exercise."""
    context, query = draw_step(pool, replace(settings, mixing="pool", mix_ratio=0.0), step, rng)
    firsts = np.array([np.flatnonzero(pool.y[context] == code)[0] for code in np.unique(pool.y[context])])
    others = rng.permutation(np.delete(context, firsts))
    n = round(settings.mix_ratio * len(context))
    synthetic = rng.choice(pool.synthetic, n, replace=False)
    return np.concatenate([context[firsts], others[n:], synthetic]), query


def test_a_way_of_mixing_of_ones_own_is_accepted_if_it_is_what_was_asked_for():
    assert exercises.check_causalmixft_7(draw_synthetic_context)


def broken(change):
    def draw(pool, settings, step, rng):
        return change(*draw_synthetic_context(pool, settings, step, rng), pool)

    return draw


@pytest.mark.parametrize(
    "change, hint",
    [
        (lambda context, query, pool: (np.append(context, context[0]), query), "drawn twice"),
        (lambda context, query, pool: (query, context), "query row has to be real"),
        (lambda context, query, pool: (context[::2], query), "as many rows"),
        (lambda context, query, pool: (context[pool.y[context] != 2], query), "Every class"),
        (lambda context, query, pool: (context, np.sort(query)[:0]), "there must be some"),
    ],
)
def test_each_fault_of_a_step_has_a_hint_of_its_own(change, hint):
    assert hint in exercises.check_causalmixft_7(broken(change)).hint


def test_a_step_that_ignores_the_random_generator_is_found_out():
    def always_alike(pool, settings, step, rng):
        return draw_synthetic_context(pool, settings, step, np.random.default_rng(0))

    def never_alike(pool, settings, step, rng):
        return draw_synthetic_context(pool, settings, step, np.random.default_rng())

    assert "other query rows" in exercises.check_causalmixft_7(always_alike).hint
    assert "same random generator" in exercises.check_causalmixft_7(never_alike).hint
