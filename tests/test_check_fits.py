"""The script that repeats fits with one seed and kills fits at random moments."""

import json

import numpy as np
import pytest

from benchmarks import check_fits

QUICK = {"generator": "smote", "max_steps": 3, "check_every": 3, "n_estimators": 1}


def test_fits_with_one_seed_are_the_same_in_this_process_and_in_another():
    hashes = check_fits.repeat_fits(2, **QUICK)
    assert len(set(hashes)) == 1
    assert check_fits.fit_once(QUICK | {"ensemble_seed": 5}) not in hashes, "a difference would be seen"


def test_a_killed_fit_leaves_nothing_and_a_finished_one_a_whole_file(tmp_path):
    kills = check_fits.kill_fits(2, tmp_path, np.random.default_rng(0))
    assert [kill["while_writing"] for kill in kills] == [False, True]
    assert check_fits.find_partial(kills) == []
    path = tmp_path / "undisturbed" / "model.safetensors"
    assert check_fits.is_whole(path)
    path.write_bytes(path.read_bytes()[:-100])
    assert not check_fits.is_whole(path)
    for left, whole in ((["model.safetensors"], False), (["model.safetensors", "other"], True), (["other"], False)):
        assert check_fits.find_partial([{"left": left, "whole": whole}])
    for left, whole in (([], False), ([".model.safetensors.0f.tmp"], False), (["model.safetensors"], True)):
        assert not check_fits.find_partial([{"left": left, "whole": whole}])


def test_kills_of_a_command_that_does_not_work_are_no_result(tmp_path, monkeypatch):
    monkeypatch.setattr(check_fits, "QUICK", ("--no-such-option",))
    with pytest.raises(RuntimeError, match="the undisturbed fit ended with status 2"):
        check_fits.kill_fits(1, tmp_path, np.random.default_rng(0))


def test_the_stored_check_found_no_difference():
    report = json.loads((check_fits.ROOT / "book" / "results" / "fits.json").read_text(encoding="utf-8"))
    assert (report["repeats"], report["different_models"]) == (20, 1)
    assert (len(report["kills"]), report["partial_files"]) == (20, 0)
