"""The ways to hold weights in place that were tried: each does what it says, and nothing outside its block."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

from benchmarks.stabilisers import OPTIONS, WeightAverage, blend, pull_towards, stabilised
from causalmix_utils.finetuning.loop import run_loop
from causalmix_utils.finetuning.steps import LoopSettings, RowPool
from causalmix_utils.foundation import load_classifier
from causalmix_utils.tabpfn_bridge import TrainableEnsemble

POOL = RowPool(np.tile([0, 1], 20), 40)
LOOP = LoopSettings(
    max_steps=4,
    learning_rate=1e-3,
    weight_decay=0.0,
    mixing="pool",
    mix_ratio=0.0,
    early_stopping=False,
    check_every=2,
    patience=2,
    min_validation_gain=0.0,
    time_limit=None,
)


@pytest.fixture
def ensemble():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 3)), np.tile([0, 1], 20)
    return TrainableEnsemble(load_classifier(n_estimators=1, device="cpu"), X, y)


def train(ensemble, **options):
    """Fine-tune with a stabiliser; the weights after each step, and the average in the end."""
    walked = []
    hook = register_optimizer_step_post_hook(lambda *_: walked.append(ensemble.snapshot()))
    with stabilised(ensemble, **OPTIONS | options) as average:
        run_loop(ensemble, POOL, None, LOOP, rng=np.random.default_rng(0))
        with average.applied():
            mean = ensemble.snapshot()
    hook.remove()
    return walked, mean


def distance(weights, others):
    return float(sum(((weights[name] - others[name]) ** 2).sum() for name in weights)) ** 0.5


def test_averages_are_those_of_the_weights_and_last_inside_the_block_alone(ensemble):
    start = ensemble.snapshot()
    averages = {kind: WeightAverage(ensemble, kind) for kind in ("none", "uniform", "exponential")}
    for factor in (2.0, 4.0):
        ensemble.restore({name: factor * tensor for name, tensor in start.items()})
        for average in averages.values():
            average.update()
    expected = {"none": 4.0, "uniform": 3.0, "exponential": 0.9 * (0.9 + 0.1 * 2) + 0.1 * 4}
    name = max(start, key=lambda name: start[name].abs().sum())
    for kind, average in averages.items():
        with average.applied():
            np.testing.assert_allclose(ensemble.snapshot()[name], expected[kind] * start[name], rtol=1e-4)
        np.testing.assert_allclose(ensemble.snapshot()[name], 4 * start[name], rtol=1e-6)


def test_the_loop_is_averaged_over_all_its_steps(ensemble):
    walked, mean = train(ensemble, averaging="uniform")
    assert len(walked) == 4
    name = max(mean, key=lambda name: distance({name: walked[0][name]}, {name: walked[-1][name]}))
    torch.testing.assert_close(mean[name], torch.stack([weights[name] for weights in walked]).mean(0))


def test_a_pull_moves_weights_its_share_of_the_way_and_never_past_the_start():
    for share, expected in ((0.25, 0.75), (5.0, 0.0)):
        weights = [torch.ones(3)]
        pull_towards(weights, [torch.zeros(3)], share)
        np.testing.assert_allclose(weights[0], expected)


def test_an_endless_pull_leaves_the_zero_shot_model(ensemble):
    start = ensemble.snapshot()
    train(ensemble, l2_sp=1e9)
    assert distance(ensemble.snapshot(), start) == 0
    train(ensemble)
    assert distance(ensemble.snapshot(), start) > 1e-3, "without a pull, and outside its block, weights move"


def test_a_step_of_another_network_pulls_nothing(ensemble):
    doubled = {name: 2 * tensor for name, tensor in ensemble.snapshot().items()}
    other = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(other.parameters(), lr=1.0)
    with stabilised(ensemble, **OPTIONS | {"l2_sp": 1e9}):
        ensemble.restore(doubled)
        other(torch.ones(1, 2)).sum().backward()
        optimizer.step()
    assert distance(ensemble.snapshot(), doubled) == 0


def test_training_the_head_changes_nothing_before_it(ensemble):
    start = ensemble.snapshot()
    train(ensemble, trainable="head")
    changed = {name.split(".")[0] for name, tensor in ensemble.snapshot().items() if not (tensor == start[name]).all()}
    assert changed == {"many_class_decoder", "output_norm"}


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_blend_lies_on_the_line_between_its_ends(share):
    mixed = blend(
        {"w": torch.tensor([1.0]), "n": torch.tensor(1)}, {"w": torch.tensor([3.0]), "n": torch.tensor(5)}, share
    )
    assert mixed["w"].item() == 1 + 2 * share
    assert mixed["n"].item() == 5
