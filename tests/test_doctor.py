"""`causalmix doctor`: its verdict is that of its checks, a fault is found and named, and nothing ends it early."""

import hashlib
import json
import subprocess
import sys
import types
from pathlib import Path

import pytest

from causalmix_utils import foundation
from causalmix_utils.cli import checks, doctor, main
from causalmix_utils.cli.checks import CHECKS, Check, run_check
from tools import measure_chapters


@pytest.fixture
def quick(monkeypatch):
    """The same command, without the two checks that take seconds."""
    monkeypatch.setitem(CHECKS, "tiny run", lambda: Check("ok", "done"))
    monkeypatch.setitem(CHECKS, "speed", lambda: Check("ok", "done", details={"seconds_per_step": 0.5}))


def run(capsys, *arguments):
    status = main(["doctor", *arguments])
    printed = capsys.readouterr()
    assert printed.err == ""
    return status, printed.out


def test_every_check_passes_here_and_the_whole_method_really_runs(capsys):
    status, out = run(capsys, "--json")
    report = json.loads(out)
    assert status == 0, out
    assert report["ok"] is True
    assert list(report["checks"]) == list(CHECKS)
    assert {check["state"] for check in report["checks"].values()} <= {"ok", "unknown"}
    assert report["checks"]["tiny run"]["details"]["seconds"] > 0
    assert report["checks"]["speed"]["details"]["seconds_per_step"] > 0
    assert report["checks"]["packages"]["details"]["numpy"]


def test_each_line_says_its_state_in_a_word_and_by_a_sign(capsys, quick, monkeypatch):
    monkeypatch.setitem(CHECKS, "memory", lambda: Check("failed", "1.0 GB, needed 2 GB", "Use Colab."))
    status, out = run(capsys)
    assert status == 1
    assert "✓ ok      Python: " in out
    assert "✗ failed  memory: 1.0 GB, needed 2 GB\n          Use Colab.\n" in out
    assert out.endswith("Not ready: memory\n")


def test_a_terminal_without_the_signs_gets_plain_ones():
    code = (
        "import argparse; from causalmix_utils.cli import checks, doctor\n"
        "checks.CHECKS.clear(); checks.CHECKS.update(speed=lambda: checks.Check('ok', 'done'))\n"
        "doctor.doctor(argparse.Namespace(json=False))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONIOENCODING": "ascii", "PATH": ""}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("+ ok      speed: done")


def test_what_is_unknown_is_no_failure(capsys, quick, monkeypatch):
    monkeypatch.setattr(checks, "find_memory", lambda: (None, None))
    status, out = run(capsys)
    assert status == 0
    assert "? unknown memory: not told by this system" in out


@pytest.mark.parametrize(("total", "free", "state"), [(1.5, 1.0, "failed"), (8.0, 0.5, "unknown"), (8.0, 6.0, "ok")])
def test_memory_fails_where_it_can_never_suffice(monkeypatch, total, free, state):
    monkeypatch.setattr(checks, "find_memory", lambda: (total, free))
    assert run_check("memory").state == state


def test_the_memory_of_this_machine_is_found():
    total, free = checks.find_memory()
    if sys.platform == "linux":
        assert 0 < free <= total


def test_a_python_outside_the_range_fails(monkeypatch):
    monkeypatch.setattr(checks.platform, "python_version", lambda: "3.9.1")
    found = run_check("Python")
    assert found.state == "failed"
    assert "Python 3.9.1, needed " in found.message


def test_a_missing_and_an_old_package_are_named_with_a_command_that_mends_both(monkeypatch):
    real = checks.metadata.version

    def version(name):
        if name == "dowhy":
            return "0.12"
        if name == "causal-learn":
            raise checks.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(checks.metadata, "version", version)
    found = run_check("packages")
    assert found.state == "failed"
    assert "dowhy 0.12, needed " in found.message
    assert "causal-learn is missing" in found.message
    assert found.advice.startswith("pip install ")
    assert '"dowhy' in found.advice
    assert '"numpy' not in found.advice


def test_where_nothing_is_installed_every_missing_package_is_named_and_the_advice_installs_them(tmp_path):
    root = Path(__file__).resolve().parents[1]
    (found,) = Path(checks.metadata.distribution("causalmix-utils")._path).parent.glob("causalmix_utils-*.dist-info")
    (tmp_path / "causalmix_utils").symlink_to(root / "causalmix_utils")
    (tmp_path / found.name).symlink_to(found)
    code = "import sys; from causalmix_utils.cli import main; sys.exit(main(['doctor', '--json']))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=tmp_path, env={"PATH": ""}, capture_output=True, text=True
    )
    report = json.loads(done.stdout)["checks"]
    assert done.returncode == 1
    assert report["Python"]["state"] == report["checkpoint"]["state"] == "ok"
    for name in ("numpy", "dowhy", "torch", "packaging"):
        assert f"{name} is missing, needed " in report["packages"]["message"]
        assert f'"{name}' in report["packages"]["advice"]
    assert "ctgan" not in report["packages"]["message"]
    assert report["tiny run"]["message"] == "the module 'numpy' is not installed"
    assert "--no-deps" in report["tiny run"]["advice"]


@pytest.mark.parametrize("wanted", ["<3.14,>=3.11", ">=2.0", "<0.15,>=0.14", ""])
@pytest.mark.parametrize("version", ["3.11.7", "3.14.0", "3.9.1", "0.14", "0.14.2", "2.13.0+cpu", "0.15"])
def test_ranges_are_read_without_a_library_as_with_it(wanted, version):
    assert checks._contains_roughly(wanted, version) == checks._contains(wanted, version)


def test_packages_of_extras_are_not_asked_for():
    names = {name for name, _ in checks._read_requirements()}
    assert {"numpy", "tabpfn", "dowhy"} <= names
    assert not {"ctgan", "openml", "pytest", "ruff"} & names


def test_a_changed_checkpoint_is_found(monkeypatch):
    monkeypatch.setattr(
        foundation, "hashlib", types.SimpleNamespace(sha256=lambda data: hashlib.sha256(data + b"changed"))
    )
    found = run_check("checkpoint")
    assert found.state == "failed"
    assert "SHA-256" in found.message


def test_an_error_in_one_check_hides_no_other(capsys, quick, monkeypatch):
    def fail():
        raise ImportError("No module named 'tabpfn'\nand more")

    monkeypatch.setitem(CHECKS, "Python", fail)
    status, out = run(capsys)
    assert status == 1
    assert "✗ failed  Python: No module named 'tabpfn' and more" in out
    assert "ok      cores" in out


STORED = {
    "00_first": {"book": {"seconds": 60.0}, "smoke": {"seconds": 10.0}, "seconds_per_step": 0.25},
    "01_second": {"book": {"seconds": 30.0}, "smoke": {"seconds": 5.0}, "seconds_per_step": 0.5},
}


def test_times_scale_with_the_time_of_a_step_where_the_chapter_was_measured(monkeypatch):
    monkeypatch.setattr(doctor, "read_chapter_times", lambda: STORED)
    first, second = doctor.estimate_chapters(0.5)
    assert first == {"chapter": "00_first", "book": 120.0, "smoke": 20.0, "measured": True}
    assert second == {"chapter": "01_second", "book": 30.0, "smoke": 5.0, "measured": True}


def test_without_a_time_of_a_step_the_stored_times_are_said_to_be_those_of_another_machine(monkeypatch):
    monkeypatch.setattr(doctor, "read_chapter_times", lambda: STORED)
    times = doctor.estimate_chapters(None)
    assert [line["book"] for line in times] == [60.0, 30.0]
    assert not any(line["measured"] for line in times)
    assert "as measured on another machine" in doctor._format_times(times)


def test_a_slow_machine_is_told_of_the_smoke_profile(monkeypatch):
    monkeypatch.setattr(doctor, "read_chapter_times", lambda: STORED)
    assert 'profile = "smoke"' not in doctor._format_times(doctor.estimate_chapters(0.5))
    assert 'profile = "smoke"' in doctor._format_times(doctor.estimate_chapters(5.0))


def test_without_stored_times_the_limits_are_given(monkeypatch):
    monkeypatch.setattr(doctor, "read_chapter_times", dict)
    times = doctor.estimate_chapters(0.5)
    assert times == [{"chapter": "each", **doctor.LIMITS, "measured": False}]
    assert "at most 3 min" in doctor._format_times(times)


def test_stored_times_belong_to_chapters_of_the_book():
    chapters = {path.stem for path in (Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb")}
    stored = doctor.read_chapter_times()
    assert set(stored) <= chapters
    for costs in stored.values():
        assert {"book", "smoke"} <= set(costs)


def test_the_maintainers_tool_hands_the_times_over_without_their_environment(tmp_path, monkeypatch):
    source, packaged = tmp_path / "stored.json", tmp_path / "packaged.json"
    source.write_text(json.dumps({name: costs | {"environment": {"cores": 2}} for name, costs in STORED.items()}))
    monkeypatch.setattr(measure_chapters, "STORED", source)
    monkeypatch.setattr(measure_chapters, "PACKAGED", packaged)
    measure_chapters.package()
    assert json.loads(packaged.read_text()) == STORED
