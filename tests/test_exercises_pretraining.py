"""The exercises on pretraining: their answers are what the training does, and wrong ones are refused."""

import math
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from causalmix_utils import exercises
from causalmix_utils.pretraining import PretrainingSettings, PriorBatch, batch_loss, pretrain
from causalmix_utils.pretraining import training as training_module

WRONG = {
    "check_pretraining_1": [1 / 3, math.log(10), math.log10(3), 3],
    "check_pretraining_2": [2000, 6000, 1500, 4500],
    "check_pretraining_3": [{"b"}, {"a", "b", "d"}, "d", set()],
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_answers_are_refused_with_a_hint(name):
    for answer in WRONG[name]:
        feedback = getattr(exercises, name)(answer)
        assert not feedback
        assert feedback.hint
    assert not getattr(exercises, name)(None)


def test_equal_outputs_cost_the_logarithm_of_the_number_of_classes_shown():
    import torch

    def equal_outputs(X, y):
        return torch.zeros(X.shape[0] - y.shape[0], X.shape[1], 10)

    X, y = np.zeros((8, 1, 2), dtype=np.float32), np.array([0, 1, 2, 0, 1, 2, 1, 1])[:, np.newaxis]
    batch = PriorBatch(X=X, y=y, n_context=6, n_classes=np.array([3]))
    assert exercises.check_pretraining_1(batch_loss(equal_outputs, batch).item())


def test_a_lengthened_run_computes_the_steps_after_the_old_fall(tmp_path, monkeypatch):
    # The exercise's run, a thousand times shorter.
    options = dict(cells_per_step=500, max_rows=48, max_features=2, groups_per_step=1, warm_up_steps=1)
    short = PretrainingSettings(steps=4, decay_share=0.25, **options)
    pretrain(tmp_path, settings=short, device="cpu", progress=False)
    computed = []
    take_step = training_module.take_step

    def count_step(network, optimizers, settings, step, **others):
        computed.append(step)
        return take_step(network, optimizers, settings, step, **others)

    monkeypatch.setattr(training_module, "take_step", count_step)
    pretrain(tmp_path, settings=replace(short, steps=6), device="cpu", progress=False)
    assert len(pd.read_parquet(tmp_path / "log.parquet")) == 6
    assert exercises.check_pretraining_2(1000 * len(computed))


def test_what_changes_the_weights_is_a_setting_and_what_does_not_is_an_option_of_the_call():
    deciding = {field.name for field in fields(PretrainingSettings)}
    choices = {"a": "n_threads", "b": "groups_per_step", "c": "time_limit", "d": "seed", "e": "save_every"}
    assert exercises.check_pretraining_3({letter for letter, name in choices.items() if name in deciding})


def hide_by_rank(values, rng):
    ranks = values.argsort().argsort() / len(values)
    return np.where(rng.random(len(values)) < 0.5 * ranks, np.nan, values)


def test_values_that_go_missing_for_a_reason_are_accepted():
    assert exercises.check_pretraining_4(hide_by_rank)


@pytest.mark.parametrize(
    "answer, hint",
    [
        (None, "is a function"),
        (lambda values, rng: np.where(rng.random(len(values)) < 0.2, np.nan, values), "hardly more often"),
        (lambda values, rng: -hide_by_rank(-values, rng), "hardly more often"),
        (lambda values, rng: np.where(values > 1, np.nan, values), "that is a limit"),
        (lambda values, rng: np.where(values > 3, np.nan, values), "a tenth to a third"),
        (lambda values, rng: hide_by_rank(values + 1, rng), "must stay as they are"),
        (lambda values, rng: values[:5], "shape (5,)"),
        (lambda values, rng: values[5000], "IndexError"),
    ],
)
def test_other_ways_to_hide_values_are_refused_and_told_why(answer, hint):
    feedback = exercises.check_pretraining_4(answer)
    assert not feedback
    assert hint in repr(feedback)
