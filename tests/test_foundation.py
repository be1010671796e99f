"""Loading foundation models."""

from __future__ import annotations

import shutil
import socket

import numpy as np
import pytest

from causalmix_utils import foundation
from causalmix_utils.foundation import checkpoint_provenance, embedded_checkpoint, load_classifier
from causalmix_utils.metrics import roc_auc
from causalmix_utils.tables import load_table, scarce_split


@pytest.fixture(scope="module")
def wine():
    return scarce_split(load_table("wine"), n=90, split=0)


def test_the_embedded_checkpoint_ranks_easy_rows_nearly_perfectly(wine):
    train, _, test = wine
    classifier = load_classifier(n_estimators=1).fit(train.X, train.y)
    assert roc_auc(test.y, classifier.predict_proba(test.X), classifier.classes_) > 0.95


def test_predictions_depend_on_the_random_state_alone(wine):
    train, _, test = wine
    first, again, other = (
        load_classifier(n_estimators=2, random_state=seed).fit(train.X, train.y).predict_proba(test.X)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_embedded_file_is_small_and_carries_no_pickle():
    path = embedded_checkpoint()
    assert path.suffix == ".safetensors"
    assert path.stat().st_size < 8_000_000


def test_the_provenance_tells_how_the_checkpoint_was_made():
    provenance = checkpoint_provenance()
    assert provenance["steps"] == provenance["settings"]["steps"], "the embedded run must be a finished one"
    assert provenance["training_hours"] >= 0.5
    assert "not one of Prior Labs" in provenance["description"]


def test_a_changed_file_is_not_loaded(tmp_path, monkeypatch):
    source = embedded_checkpoint().parent
    (tmp_path / "weights").mkdir()
    for name in ("nano.safetensors", "nano.json"):
        shutil.copyfile(source / name, tmp_path / "weights" / name)
    with (tmp_path / "weights" / "nano.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"?")
    monkeypatch.setattr(foundation.resources, "files", lambda package: tmp_path)
    with pytest.raises(ValueError, match="SHA-256"):
        embedded_checkpoint()


def test_a_checkpoint_is_loaded_by_its_path(wine):
    train, _, test = wine
    expected = load_classifier("nano", n_estimators=1).fit(train.X, train.y).predict_proba(test.X)
    by_path = load_classifier(embedded_checkpoint(), n_estimators=1).fit(train.X, train.y).predict_proba(test.X)
    np.testing.assert_array_equal(by_path, expected)


@pytest.mark.parametrize("weights", ["tabpfn-v9", "no/such/file.safetensors"])
def test_unknown_weights_are_named(weights):
    with pytest.raises(ValueError, match=weights):
        load_classifier(weights)


def test_a_wrong_number_of_estimators_is_named():
    with pytest.raises(ValueError, match="n_estimators must be an integer of at least 1, got 0"):
        load_classifier(n_estimators=0)


def test_online_weights_say_in_one_sentence_what_is_missing(monkeypatch, tmp_path):
    """No name can be resolved, which is what a machine without a network sees."""

    def fail(*arguments, **options):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    monkeypatch.setattr("tabpfn.model_loading.get_cache_dir", lambda: tmp_path)
    monkeypatch.setattr(foundation, "getproxies", dict)
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    with pytest.raises(ConnectionError, match="TabPFN v2 are not on this machine.*weights='nano'") as caught:
        load_classifier("tabpfn-v2")
    assert "\n" not in str(caught.value)
    assert str(caught.value.__cause__) in str(caught.value), "the cause may be another one, such as a full disk"
