"""What a fit of `CausalMixFTClassifier` leaves behind when it is repeated, watched, limited, or interrupted."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import warnings

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from causalmix_utils.finetuning import CausalMixFTClassifier, stages
from causalmix_utils.generators import Generator
from causalmix_utils.tables import load_table, scarce_split
from causalmix_utils.tabpfn_bridge import TrainableEnsemble

QUICK = {"n_estimators": 1, "check_every": 1, "random_state": 0}


@pytest.fixture(scope="module")
def parts():
    return scarce_split(load_table("credit-g"), n=60, split=0)


class CopyingGenerator(Generator):
    """Copies rows; waits, or is interrupted, while it is fitted or while it draws."""

    name = "copying"

    def __init__(self, *, seconds=0.0, interrupted_in=None, progress=False):
        self.seconds = seconds
        self.interrupted_in = interrupted_in
        self.progress = progress

    def _fit(self, train, rng):
        self.rows_ = train.to_frame()
        time.sleep(self.seconds)
        if self.interrupted_in == "fit":
            raise KeyboardInterrupt

    def _sample(self, n, rng):
        if self.interrupted_in == "sample":
            raise KeyboardInterrupt
        return self.rows_.iloc[rng.integers(len(self.rows_), size=n)].reset_index(drop=True)


def interrupt_steps(monkeypatch, at):
    """Raise in the middle of the given step: between its loss and its gradient."""
    loss, steps = TrainableEnsemble.loss, []

    def interrupted_loss(self, *arguments, **options):
        steps.append(loss(self, *arguments, **options))
        if len(steps) == at:
            raise KeyboardInterrupt
        return steps[-1]

    monkeypatch.setattr(TrainableEnsemble, "loss", interrupted_loss)


# ---- repeated ----------------------------------------------------------------------------------


def test_fits_with_one_seed_are_the_same_in_all_that_they_learn(parts):
    train, _, test = parts
    model = CausalMixFTClassifier("smote", max_steps=3, early_stopping=False, **QUICK)
    seen = []
    for _ in range(3):
        model.fit(train.X, train.y)
        columns = [column for column in model.trajectory_ if column != "seconds"]
        weights = model.classifier_.models_[0].state_dict().values()
        digest = [tensor.numpy().tobytes() for tensor in weights]
        seen.append((model.predict_proba(test.X), model.trajectory_[columns], model.synthetic_.to_frame(), digest))
    for proba, trajectory, synthetic, digest in seen[1:]:
        np.testing.assert_array_equal(proba, seen[0][0])
        assert trajectory.equals(seen[0][1]) and synthetic.equals(seen[0][2]) and digest == seen[0][3]


def test_a_random_state_object_moves_on_from_fit_to_fit(parts):
    train, _, test = parts
    options = {**QUICK, "max_steps": 0}
    model = CausalMixFTClassifier(None, **{**options, "random_state": np.random.RandomState(0)})
    first, second = (model.fit(train.X, train.y).predict_proba(test.X) for _ in range(2))
    again = CausalMixFTClassifier(None, **{**options, "random_state": np.random.RandomState(0)})
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(again.fit(train.X, train.y).predict_proba(test.X), first)


def test_too_few_synthetic_rows_for_their_share_are_named(parts):
    train, _, _ = parts
    options = {**QUICK, "max_steps": 1, "mix_ratio": 0.75}
    with pytest.warns(UserWarning, match=r"n_synthetic=5 is too small .* and mix_ratio=0.75: steps have 5 synthetic"):
        CausalMixFTClassifier("smote", n_synthetic=5, **options).fit(train.X, train.y)
    with pytest.warns(UserWarning, match="mixing='staged': the first half of the steps has 5 synthetic rows"):
        CausalMixFTClassifier("smote", n_synthetic=5, mixing="staged", **options).fit(train.X, train.y)
    with pytest.warns(UserWarning, match="mixing='query' and mix_ratio=0.75: steps have 5 synthetic rows"):
        CausalMixFTClassifier("smote", n_synthetic=5, mixing="query", **options).fit(train.X, train.y)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        CausalMixFTClassifier("smote", **options).fit(train.X, train.y)


# ---- interrupted -------------------------------------------------------------------------------


def watch_with(monkeypatch, aucs):
    """Let each look at the watched rows find the next of these AUCs, so that the best step is known."""
    found = iter(aucs)
    monkeypatch.setattr(stages, "roc_auc", lambda *_: next(found))


def test_an_interrupt_during_fine_tuning_leaves_the_best_model_so_far(parts, monkeypatch):
    train, _, test = parts
    options = {**QUICK, "learning_rate": 1e-3, "patience": 100}
    aucs = [0.5, 0.6, 0.7, 0.8, 0.7, 0.6, 0.5, 0.5, 0.5]
    watch_with(monkeypatch, aucs)
    whole = CausalMixFTClassifier(None, max_steps=8, **options).fit(train.X, train.y)
    interrupt_steps(monkeypatch, at=6)
    watch_with(monkeypatch, aucs)
    model = CausalMixFTClassifier(None, max_steps=8, **options)
    with pytest.warns(RuntimeWarning, match="interrupted: the best weights so far are kept"):
        model.fit(train.X, train.y)
    assert (whole.interrupted_, model.interrupted_) == (False, True)
    assert list(model.trajectory_["step"]) == [0, 1, 2, 3, 4, 5], "the step that was interrupted is not taken"
    columns = ["train_loss", "validation_auc", "validation_log_loss"]
    assert model.trajectory_[columns].equals(whole.trajectory_.loc[:5, columns])
    assert model.best_step_ == 3
    monkeypatch.undo()
    interrupt_steps(monkeypatch, at=4)
    watch_with(monkeypatch, aucs)
    with pytest.warns(RuntimeWarning, match="interrupted"):
        earlier = CausalMixFTClassifier(None, max_steps=8, **options).fit(train.X, train.y)
    assert earlier.best_step_ == earlier.trajectory_["step"].max() == 3
    np.testing.assert_array_equal(model.predict_proba(test.X), earlier.predict_proba(test.X))


def test_an_interrupt_while_the_best_weights_are_copied_leaves_the_step_of_the_weights_before(parts, monkeypatch):
    train, _, test = parts
    options = {**QUICK, "learning_rate": 1e-3, "patience": 100}
    aucs = [0.5, 0.6, 0.7, 0.8]
    snapshot, copies = TrainableEnsemble.snapshot, []

    def interrupted_snapshot(self):
        copies.append(snapshot(self))
        if len(copies) == 3:  # the zero-shot weights, those of step 1, and these of step 2
            raise KeyboardInterrupt
        return copies[-1]

    models = []
    for part, function in (("snapshot", interrupted_snapshot), (None, None)):
        with monkeypatch.context() as patch:
            watch_with(patch, aucs)
            if part:
                patch.setattr(TrainableEnsemble, part, function)
            else:
                interrupt_steps(patch, at=2)
            with pytest.warns(RuntimeWarning, match="interrupted"):
                models.append(CausalMixFTClassifier(None, max_steps=3, **options).fit(train.X, train.y))
    model, earlier = models
    assert model.best_step_ == earlier.best_step_ == 1
    np.testing.assert_array_equal(model.predict_proba(test.X), earlier.predict_proba(test.X))


def test_an_interrupt_ends_a_fit_over_several_validation_parts(parts, monkeypatch):
    """No further run is begun; the one that was interrupted leaves its best model."""
    train, _, test = parts
    interrupt_steps(monkeypatch, at=2)
    model = CausalMixFTClassifier(None, max_steps=4, validation="repeated", n_validation_splits=3, **QUICK)
    with pytest.warns(RuntimeWarning, match="interrupted") as warned:
        model.fit(train.X, train.y)
    assert len([w for w in warned if "interrupted" in str(w.message)]) == 1
    assert list(model.trajectory_["step"]) == [0, 1]
    assert model.interrupted_
    assert model.predict(test.X).shape == (len(test),)


@pytest.mark.parametrize("stage", ["fit", "sample"])
def test_an_interrupt_before_fine_tuning_leaves_the_estimator_unfitted(parts, stage):
    train, _, test = parts
    model = CausalMixFTClassifier(None, max_steps=1, **QUICK).fit(train.X, train.y)
    model.set_params(generator=CopyingGenerator(interrupted_in=stage))
    with pytest.raises(KeyboardInterrupt):
        model.fit(train.X, train.y)
    with pytest.raises(NotFittedError):
        model.predict(test.X)
    assert not [name for name in vars(model) if name.endswith("_")], "of the earlier fit nothing must be left"
    assert model.set_params(generator=None).fit(train.X, train.y).predict(test.X).shape == (len(test),)


def test_a_fit_that_fails_leaves_the_estimator_unfitted(parts):
    train, _, test = parts
    model = CausalMixFTClassifier(None, max_steps=0, **QUICK).fit(train.X, train.y)
    with pytest.raises(ValueError, match="one class only"):
        model.fit(train.X, ["same"] * len(train))
    with pytest.raises(NotFittedError):
        model.predict(test.X)


def test_a_fit_that_is_killed_leaves_no_file(parts, tmp_path):
    """A whole fit comes first, so that what libraries put into their folders when they are imported is there."""
    parts[0].to_frame().to_csv(tmp_path / "rows.csv", index=False)
    home = tmp_path / "home"
    home.mkdir()
    code = """
        import json, os, signal, sys
        from pathlib import Path
        import pandas as pd
        from causalmix_utils.finetuning import CausalMixFTClassifier
        from causalmix_utils.tabpfn_bridge import TrainableEnsemble
        frame = pd.read_csv(sys.argv[1])
        X, y = frame.drop(columns=frame.columns[-1]), frame[frame.columns[-1]]
        model = CausalMixFTClassifier("smote", n_estimators=1, max_steps=1).fit(X, y)
        print(json.dumps(sorted(map(str, Path.cwd().rglob("*")))), flush=True)
        TrainableEnsemble.loss = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
        model.fit(X, y)
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "rows.csv")],
        cwd=home,
        env={
            **os.environ,
            **dict.fromkeys(["TMPDIR", "HOME", "XDG_CACHE_HOME"], str(home)),
            "PYTHONPATH": os.pathsep.join(map(os.path.abspath, filter(None, sys.path))),
        },
        stdout=subprocess.PIPE,
    )
    assert ended.returncode == -signal.SIGKILL
    assert sorted(map(str, home.rglob("*"))) == json.loads(ended.stdout)


# ---- limited and watched ------------------------------------------------------------------------


def test_the_time_limit_counts_the_generator(parts):
    """After a generator that takes longer than the limit, one step is taken and no more."""
    train = parts[0]
    model = CausalMixFTClassifier(CopyingGenerator(seconds=0.3), max_steps=50, time_limit=0.3, **QUICK)
    assert list(model.fit(train.X, train.y).trajectory_["step"]) == [0, 1]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("verbose", [True, False])
def test_progress_of_every_stage_is_shown_on_a_terminal_if_it_is_asked_for(parts, monkeypatch, verbose):
    train, terminal = parts[0], Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    model = CausalMixFTClassifier(CopyingGenerator(), max_steps=2, verbose=verbose, **QUICK).fit(train.X, train.y)
    monkeypatch.undo()
    for stage in ("generator fit", "generator sample", "fine-tuning"):
        assert (stage in terminal.getvalue()) == verbose
    assert model.generator_.progress == verbose, "the generator's own bars follow"
    assert set(model.seconds_) == {"generator fit", "generator sample", "fine-tuning"}


def test_nothing_is_written_where_there_is_no_terminal(parts, capfd):
    CausalMixFTClassifier("independent", max_steps=1, verbose=True, **QUICK).fit(parts[0].X, parts[0].y)
    assert capfd.readouterr() == ("", "")
