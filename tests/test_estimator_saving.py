"""Saving a fitted `CausalMixFTClassifier` to one file, and loading it."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from causalmix_utils import whole_files
from causalmix_utils.cli import main
from causalmix_utils.finetuning import CausalMixFTClassifier, hashed_file
from causalmix_utils.finetuning.hashed_file import read_hashed, write_hashed
from causalmix_utils.foundation import embedded_checkpoint
from causalmix_utils.generators import Generator, make_generator
from causalmix_utils.tables import load_table, scarce_split

QUICK = {"n_estimators": 2, "max_steps": 2, "check_every": 1, "early_stopping": False, "random_state": 0}


@pytest.fixture(scope="module")
def parts():
    return scarce_split(load_table("credit-g"), n=60, split=0)


@pytest.fixture(scope="module")
def fitted(parts):
    return CausalMixFTClassifier("independent", **QUICK).fit(parts[0].X, parts[0].y)


@pytest.fixture(scope="module")
def saved(fitted, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model.safetensors"
    fitted.save(path)
    return path


def test_predictions_after_loading_are_equal_bit_for_bit(fitted, saved, parts):
    X = parts[2].X
    assert X.isna().to_numpy().any() or len(parts[2].categorical) > 0
    loaded = CausalMixFTClassifier.load(saved)
    np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    np.testing.assert_array_equal(loaded.predict(X), fitted.predict(X))


def test_predictions_in_another_process_are_equal_bit_for_bit(fitted, saved, parts, tmp_path):
    X = parts[2].X.head(50)
    X.to_pickle(tmp_path / "rows.pickle")
    code = """
        import sys, numpy as np, pandas as pd
        from causalmix_utils.finetuning import CausalMixFTClassifier
        model = CausalMixFTClassifier.load(sys.argv[1])
        np.save(sys.argv[3], model.predict_proba(pd.read_pickle(sys.argv[2])))
    """
    paths = [str(saved), str(tmp_path / "rows.pickle"), str(tmp_path / "proba.npy")]
    subprocess.run([sys.executable, "-c", textwrap.dedent(code), *paths], check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "proba.npy"), fitted.predict_proba(X))


def test_what_was_learnt_comes_back(fitted, saved, parts):
    loaded = CausalMixFTClassifier.load(saved)
    assert loaded.get_params() == fitted.get_params()
    pd.testing.assert_frame_equal(loaded.trajectory_, fitted.trajectory_)
    assert loaded.best_step_ == fitted.best_step_ and loaded.seconds_ == fitted.seconds_
    np.testing.assert_array_equal(loaded.feature_names_in_, fitted.feature_names_in_)
    assert loaded.feature_names_in_.dtype == fitted.feature_names_in_.dtype
    assert loaded.n_features_in_ == fitted.n_features_in_
    assert not hasattr(loaded, "synthetic_") and not hasattr(loaded, "generator_")
    with pytest.raises(ValueError, match="feature names"):
        loaded.predict(parts[2].X.rename(columns={"purpose": "aim"}))


def test_a_loaded_model_can_be_saved_pickled_and_fitted_again(fitted, saved, parts, tmp_path):
    loaded = CausalMixFTClassifier.load(saved)
    loaded.save(tmp_path / "again.safetensors")
    X = parts[2].X.head(20)
    for model in (CausalMixFTClassifier.load(tmp_path / "again.safetensors"), pickle.loads(pickle.dumps(loaded))):
        np.testing.assert_array_equal(model.predict_proba(X), fitted.predict_proba(X))
    np.testing.assert_array_equal(loaded.fit(parts[0].X, parts[0].y).predict_proba(X), fitted.predict_proba(X))


def test_saving_and_loading_leave_the_model_and_global_random_state_alone(fitted, parts, tmp_path):
    import torch

    before = fitted.predict_proba(parts[2].X.head(20))
    np.random.seed(3)  # noqa: NPY002 (the global state is the subject)
    torch.manual_seed(3)
    expected = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    fitted.save(tmp_path / "model.safetensors")
    CausalMixFTClassifier.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(np.random.get_state()[1], expected[0])  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), expected[1])
    np.testing.assert_array_equal(fitted.predict_proba(parts[2].X.head(20)), before)


@pytest.mark.parametrize("max_steps", [0, 1])
@pytest.mark.parametrize(
    "labels",
    [
        np.array([True, False] * 20),
        np.array([3, 200] * 20, dtype=np.uint8),
        np.array([-1.0, 2.0] * 20, dtype=np.float32),
        np.array(["ä", "\N{SNOWMAN}"] * 20),
        np.array(["no", "yes"] * 20, dtype=object),
    ],
    ids=lambda labels: labels.dtype.name,
)
def test_classes_of_every_type_come_back(labels, max_steps, tmp_path):
    X = np.random.default_rng(0).normal(size=(40, 2))
    model = CausalMixFTClassifier(None, n_estimators=1, max_steps=max_steps, random_state=0).fit(X, labels)
    model.save(tmp_path / "model.safetensors")
    loaded = CausalMixFTClassifier.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.classes_, model.classes_)
    assert loaded.classes_.dtype == loaded.predict(X).dtype == labels.dtype
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert not hasattr(loaded, "feature_names_in_")


class UnregisteredGenerator(Generator):
    """Copies rows; its option is not a plain value."""

    name = "unregistered"

    def __init__(self, *, choose=len):
        self.choose = choose

    def _fit(self, train, rng):
        self.rows_ = train.to_frame()

    def _sample(self, n, rng):
        return self.rows_.sample(n, replace=True, random_state=0)


@pytest.mark.parametrize(
    ("generator", "expected"),
    [
        (None, "None"),
        ("smote", "'smote'"),
        (make_generator("smote", k_neighbors=2), "SmoteGenerator(k_neighbors=2, cover_classes=True)"),
        (UnregisteredGenerator(), repr(repr(UnregisteredGenerator()))),
        (UnregisteredGenerator(choose=None), repr(repr(UnregisteredGenerator(choose=None)))),
    ],
    ids=["none", "name", "instance", "not plain", "not registered"],
)
def test_a_generator_comes_back_as_far_as_it_can_be_described(fitted, generator, expected, tmp_path):
    model = pickle.loads(pickle.dumps(fitted)).set_params(generator=generator)
    model.save(tmp_path / "model.safetensors")
    assert repr(CausalMixFTClassifier.load(tmp_path / "model.safetensors").generator) == expected


def test_parameters_that_are_not_plain_are_dropped_or_refused(fitted, tmp_path):
    path = tmp_path / "model.safetensors"
    model = pickle.loads(pickle.dumps(fitted)).set_params(random_state=np.random.RandomState(0), weights=path)
    model.save(path)
    assert CausalMixFTClassifier.load(path).random_state is None
    assert CausalMixFTClassifier.load(path).weights == str(path)
    with pytest.raises(ValueError, match="patience=<object .* can't be saved"):
        model.set_params(patience=object()).save(tmp_path / "other.safetensors")
    assert os.listdir(tmp_path) == ["model.safetensors"]


def test_numbers_that_python_has_no_type_for_are_refused_by_name(fitted, tmp_path):
    wide = np.longdouble(1e-4)
    model = pickle.loads(pickle.dumps(fitted)).set_params(learning_rate=wide)
    with pytest.raises(ValueError, match="learning_rate=.* can't be saved: longdouble is not a plain value"):
        model.save(tmp_path / "model.safetensors")
    labels = np.array([1, 2] * 20, dtype=np.longdouble)
    X = np.random.default_rng(0).normal(size=(40, 2))
    model = CausalMixFTClassifier(None, n_estimators=1, max_steps=0).fit(X, labels)
    with pytest.raises(ValueError, match="the classes .* can't be saved: longdouble is not a plain value"):
        model.save(tmp_path / "model.safetensors")
    assert os.listdir(tmp_path) == []


def test_a_device_that_this_machine_lacks_is_named_with_what_loads_the_model(saved, tmp_path):
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has the device")
    tensors, description = read_hashed(saved)
    description["parameters"]["device"] = "cuda"
    path = tmp_path / "from_elsewhere.safetensors"
    write_hashed(path, tensors, description)
    for file, options in ((saved, {"device": "cuda"}), (path, {})):
        with pytest.raises(ValueError, match="device='cuda', which this machine lacks .*: device=\"cpu\" loads it"):
            CausalMixFTClassifier.load(file, **options)
    assert CausalMixFTClassifier.load(path, device="cpu").device == "cpu"


def test_the_device_of_the_loaded_model_can_be_chosen(saved):
    assert CausalMixFTClassifier.load(saved, device="cpu").device == "cpu"
    with pytest.raises(ValueError, match="device must be \"auto\" or a torch device .*, got 'moon'"):
        CausalMixFTClassifier.load(saved, device="moon")


def test_the_file_holds_tensors_and_plain_values_only(saved, parts):
    with safe_open(saved, framework="np") as file:
        names, metadata = list(file.keys()), file.metadata()
        assert file.get_tensor("context.X").shape == (len(parts[0]), parts[0].X.shape[1])
    assert sum(name.startswith("network.") for name in names) > 10
    assert set(metadata) == {"format", "version", "description", "sha256"}
    assert json.loads(metadata["description"])["parameters"]["generator"] == "independent"


def test_the_command_line_writes_the_model_that_it_scored(tmp_path, capsys):
    path = tmp_path / "wine.safetensors"
    options = ["--rows", "60", "--generator", "independent", "--steps", "1", "--estimators", "1"]
    assert main(["finetune", "wine", *options, "--save", str(path)]) == 0
    assert f"written: {path}" in capsys.readouterr().out and os.listdir(tmp_path) == [path.name]
    model = CausalMixFTClassifier.load(path)
    train, validation, test = scarce_split(load_table("wine"), n=60, split=0)
    assert model.generator.name == "independent" and model.predict(test.X).shape == (len(test),)
    again = clone(model).set_params(verbose=False)
    again.fit(train.X, train.y, X_validation=validation.X, y_validation=validation.y)
    np.testing.assert_array_equal(again.predict_proba(test.X), model.predict_proba(test.X))
    assert main(["finetune", "wine", *options, "--save", str(tmp_path / "absent" / "model")]) == 2
    assert "absent' does not exist" in capsys.readouterr().err


# ---- damaged and foreign files ---------------------------------------------------------------


@given(data=st.data())
@settings(max_examples=120)
def test_a_changed_byte_is_found_wherever_it_is(data):
    content = _small_file()
    place = data.draw(st.integers(0, len(content) - 1))
    changed = content[place] ^ data.draw(st.integers(1, 255))
    _refuses(content[:place] + bytes([changed]) + content[place + 1 :])


@given(data=st.data())
@settings(max_examples=30)
def test_a_cut_or_lengthened_file_is_found(data):
    content = _small_file()
    _refuses(content[: data.draw(st.integers(0, len(content) - 1))])
    _refuses(content + data.draw(st.binary(min_size=1, max_size=20)))


def _small_file() -> bytes:
    import tempfile

    import torch

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "small")
        write_hashed(path, {"a": torch.arange(6.0), "b": torch.ones(2, 3)}, {"text": 'a "sha256":"quoted"', "n": 1})
        tensors, description = read_hashed(path)
        assert description == {"text": 'a "sha256":"quoted"', "n": 1}
        assert torch.equal(tensors["a"], torch.arange(6.0))
        with open(path, "rb") as file:
            return file.read()


def _refuses(content: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "changed.safetensors")
        with open(path, "wb") as file:
            file.write(content)
        with pytest.raises(ValueError, match="changed.safetensors"):
            read_hashed(path)


def test_a_changed_byte_of_a_model_is_found(saved, tmp_path):
    content = bytearray(saved.read_bytes())
    content[-1] ^= 1
    path = tmp_path / "changed.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"changed\.safetensors' has changed since it was saved: .* SHA-256"):
        CausalMixFTClassifier.load(path)


def test_another_version_is_named(fitted, tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    monkeypatch.setattr(hashed_file, "VERSION", 2)
    fitted.save(path)
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"model\.safetensors' is of version 2 .* reads version 1"):
        CausalMixFTClassifier.load(path)


@pytest.mark.parametrize(
    "content", [b"", b"a,b\n1,2\n", pickle.dumps([1]), embedded_checkpoint().read_bytes()], ids=range(4)
)
def test_a_file_of_another_kind_is_named(content, tmp_path):
    path = tmp_path / "other.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"other\.safetensors' is not a saved CausalMixFTClassifier"):
        CausalMixFTClassifier.load(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("encoder"),
        lambda d: d["parameters"].update(colour="red"),
        lambda d: d["classifier"].update(architecture="os.system"),
        lambda d: d["classifier"]["config"].update(embed_dim=64),
        lambda d: d["encoder"].update(dtype="datetime64[s]"),
        lambda d: d["learnt"].update(predict="os.system"),
    ],
    ids=["no encoder", "unknown parameter", "unknown architecture", "other size", "other dtype", "a method"],
)
def test_a_description_that_makes_no_model_is_refused_with_the_path(saved, change, tmp_path):
    """The hash can be forged, so what a file says is checked all the same."""
    tensors, description = read_hashed(saved)
    change(description)
    path = tmp_path / "forged.safetensors"
    write_hashed(path, tensors, description)
    with pytest.raises(ValueError, match=r"forged\.safetensors' can't be read"):
        CausalMixFTClassifier.load(path)


def test_a_missing_file_folder_or_fit_is_named(fitted, tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        CausalMixFTClassifier.load(tmp_path / "absent.safetensors")
    with pytest.raises(FileNotFoundError, match="the folder .*nowhere' does not exist"):
        fitted.save(tmp_path / "nowhere" / "model.safetensors")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        fitted.save(tmp_path)
    with pytest.raises(NotFittedError):
        CausalMixFTClassifier().save(tmp_path / "model.safetensors")
    assert os.listdir(tmp_path) == []


# ---- interrupted saves --------------------------------------------------------------------------


@pytest.mark.parametrize("function", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(fitted, tmp_path, monkeypatch, function, error):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"old")

    def fail(*_):
        raise error

    monkeypatch.setattr(whole_files.os, function, fail)
    with pytest.raises(type(error)):
        fitted.save(path)
    assert os.listdir(tmp_path) == [path.name] and path.read_bytes() == b"old"


def test_a_save_that_is_killed_leaves_the_old_file(saved, tmp_path):
    """The process is killed for good when half of the new file is on the disk."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(saved.read_bytes())
    code = """
        import os, signal, sys
        from causalmix_utils import whole_files
        from causalmix_utils.finetuning import CausalMixFTClassifier
        model = CausalMixFTClassifier.load(sys.argv[1]).set_params(patience=77)

        def write_half_and_die(descriptor):
            os.truncate(descriptor, os.fstat(descriptor).st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)

        whole_files.os.fsync = write_half_and_die
        model.save(sys.argv[1])
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(path)])
    assert ended.returncode == -9
    assert path.read_bytes() == saved.read_bytes()
    assert all(name.startswith(".") and name.endswith(".tmp") for name in set(os.listdir(tmp_path)) - {path.name})


def test_a_file_is_replaced_as_a_whole_and_a_link_stays_a_link(fitted, saved, tmp_path):
    target, link = tmp_path / "target.safetensors", tmp_path / "link.safetensors"
    target.write_bytes(b"old")
    link.symlink_to(target)
    fitted.save(link)
    assert link.is_symlink() and target.stat().st_size == saved.stat().st_size
    assert sorted(os.listdir(tmp_path)) == ["link.safetensors", "target.safetensors"]
