"""What ``causalmix doctor`` looks at, one function each.

Only the standard library is imported at the top: a package that is missing is a finding, not a crash.
"""

from __future__ import annotations

import operator
import os
import platform
import re
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGE = "causalmix-utils"
TABLE = "credit-g"
NEEDED_GB = 2.0  # no chapter needs more
STEPS = 5  # of fine-tuning, for the time of one


@dataclass
class Check:
    """What one check found: a state, one sentence, and what to do if it failed."""

    state: str  # "ok", "failed" or "unknown"; unknown does not count as a failure
    message: str
    advice: str = ""
    details: dict[str, Any] = field(default_factory=dict)


def check_python() -> Check:
    """Whether Python's version is in the package's range."""
    found = platform.python_version()
    wanted = metadata.metadata(PACKAGE)["Requires-Python"]
    fits = _contains(wanted, found)
    advice = "" if fits else "Install a Python in this range, and the package in an environment of its own."
    return Check(_state(fits), f"Python {found}, needed {wanted}", advice, {"version": found, "range": wanted})


def check_packages() -> Check:
    """Whether every package that ours depends on is there, in its range."""
    wrong, versions = {}, {}
    for name, wanted in _read_requirements():
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            wrong[name] = f"{name} is missing, needed {wanted or 'in any version'}"
            continue
        if not _contains(wanted, versions[name]):
            wrong[name] = f"{name} {versions[name]}, needed {wanted}"
    message = "; ".join(wrong.values()) or f"{len(versions)} packages, all within their ranges"
    ranges = dict(_read_requirements())
    install = " ".join(f'"{name}{ranges[name]}"' for name in wrong)
    return Check(_state(not wrong), message, f"pip install {install}" if wrong else "", versions)


def check_checkpoint() -> Check:
    """Whether the embedded checkpoint is the one that was published."""
    from causalmix_utils.foundation import checkpoint_provenance, embedded_checkpoint

    path = embedded_checkpoint()
    digest = checkpoint_provenance()["sha256"]
    return Check("ok", f"{path.name} has the SHA-256 {digest[:12]}…, as recorded", details={"sha256": digest})


def check_memory() -> Check:
    """Whether there is as much memory as the largest chapter needs."""
    total, free = find_memory()
    if total is None:
        return Check("unknown", f"not told by this system; {NEEDED_GB:.0f} GB are needed")
    enough = total >= NEEDED_GB
    message = f"{total:.1f} GB" + (f", {free:.1f} GB of it free" if free is not None else "")
    details = {"total_gb": round(total, 2), "free_gb": None if free is None else round(free, 2)}
    if enough and free is not None and free < NEEDED_GB:
        return Check("unknown", message, "Close other programs before you run a chapter.", details)
    return Check(_state(enough), f"{message}, needed {NEEDED_GB:.0f} GB", "" if enough else "Use Colab.", details)


def check_cores() -> Check:
    """How many processor cores this process may use. One is enough."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Check("ok", f"{cores}, needed 1", details={"cores": cores})


def check_pipeline() -> Check:
    """A tiny run of the whole method: edge probabilities, causal rows, fine-tuning, prediction."""
    import numpy as np

    from causalmix_utils.finetuning import CausalMixFTClassifier
    from causalmix_utils.generators import make_generator
    from causalmix_utils.tables import load_table, scarce_split

    start = time.perf_counter()
    train, _, test = scarce_split(load_table(TABLE), n=90, max_test=50)
    generator = make_generator("causal", n_resamples=2, n_dags=2, mechanisms="linear")
    options = {"n_estimators": 1, "max_steps": 2, "check_every": 2, "device": "cpu", "random_state": 0}
    with _one_quiet_thread():
        model = CausalMixFTClassifier(generator, **options).fit(train.X, train.y)
        if model.interrupted_:
            raise KeyboardInterrupt
        proba = model.predict_proba(test.X)
    seconds = round(time.perf_counter() - start, 1)
    if proba.shape != (len(test), len(test.classes)) or not np.allclose(proba.sum(axis=1), 1, atol=1e-4):
        return Check("failed", f"its predictions on {TABLE} are no probabilities", "Install the package again.")
    message = f"discovery, causal rows, fine-tuning and prediction on {TABLE} in {seconds} s"
    return Check("ok", message, details={"seconds": seconds})


def check_speed() -> Check:
    """Processor time of one fine-tuning step on the book's usual number of rows."""
    seconds = measure_step_seconds()
    return Check("ok", f"{seconds:.2f} s for a fine-tuning step", details={"seconds_per_step": round(seconds, 4)})


CHECKS: dict[str, Callable[[], Check]] = {
    "Python": check_python,
    "packages": check_packages,
    "checkpoint": check_checkpoint,
    "memory": check_memory,
    "cores": check_cores,
    "tiny run": check_pipeline,
    "speed": check_speed,
}


def run_check(name: str) -> Check:
    """One check's finding; an error in it is a finding, too, so that one fault does not hide the next."""
    try:
        return CHECKS[name]()
    except ModuleNotFoundError as error:
        advice = "Install the package together with all that it needs: pip without --no-deps, in a fresh environment."
        if str(error.name).startswith("causalmix_utils"):
            advice = "This copy of the package is incomplete. Install it again, into a fresh environment."
        return Check("failed", f"the module {error.name!r} is not installed", advice)
    except Exception as error:  # whatever is wrong with a machine must not end the examination
        message = " ".join(str(error).split()) or type(error).__name__
        return Check("failed", message, "Install the package again, into a fresh environment.")


def measure_step_seconds() -> float:
    """Seconds of one processor core that a fine-tuning step takes on `credit-g`, 133 train rows.

    The processor's time, not the clock's: other programs of the machine hardly change it.
    """
    from causalmix_utils.finetuning import CausalMixFTClassifier
    from causalmix_utils.tables import load_table, scarce_split

    train, validation, _ = scarce_split(load_table(TABLE), n=200, max_test=50)
    given = {"X_validation": validation.X, "y_validation": validation.y}

    def measure(steps: int) -> float:
        options = {"n_estimators": 1, "max_steps": steps, "check_every": steps, "device": "cpu", "random_state": 0}
        start = time.process_time()
        model = CausalMixFTClassifier(None, **options).fit(train.X, train.y, **given)
        if model.interrupted_:
            raise KeyboardInterrupt
        return time.process_time() - start

    with _one_quiet_thread():
        measure(1)  # the first fit imports libraries and fills caches
        # The best of three: what else a machine does makes a fit longer and never shorter.
        short, long = (min(measure(steps) for _ in range(3)) for steps in (1, 1 + STEPS))
        return max(long - short, 1e-6) / STEPS


def find_memory() -> tuple[float | None, float | None]:
    """Memory in GB: all that this process may use, and what is free of it. None where the system tells neither."""
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        total = page * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (AttributeError, ValueError, OSError):
        return None, None
    free = None
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        free = int(lines["MemAvailable"].split()[0]) * 1024 / 1e9
    except (OSError, KeyError, ValueError):
        pass
    # A container, as on a teaching server, has a limit of its own below that of its host.
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            total = min(total, int(Path(limit).read_text()) / 1e9)
        except (OSError, ValueError):
            continue
    return total, None if free is None else min(free, total)


@contextmanager
def _one_quiet_thread() -> Iterator[None]:
    from causalmix_utils.threads import single_thread

    with single_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _read_requirements() -> Iterator[tuple[str, str]]:
    """Name and range of each package that is not optional and that this system needs."""
    lines = metadata.requires(PACKAGE) or []
    try:
        from packaging.requirements import Requirement
    except ModuleNotFoundError:  # one of the packages that may be missing; all of them shall be named
        for line in lines:
            name, wanted = re.match(r"([\w.-]+)\s*([^;]*)", line).groups()
            if "extra" not in line:
                yield name, wanted.strip()
        return
    for row in map(Requirement, lines):
        if row.marker is None or row.marker.evaluate({"extra": ""}):
            yield row.name, str(row.specifier)


def _contains(wanted: str | None, version: str) -> bool:
    try:
        from packaging.specifiers import SpecifierSet
    except ModuleNotFoundError:
        return _contains_roughly(wanted or "", version)
    return SpecifierSet(wanted or "").contains(version, prereleases=True)


def _contains_roughly(wanted: str, version: str) -> bool:
    """The same for plain numbers and the signs of this package's own ranges, without a library."""

    def numbers(text: str) -> list[int]:
        return [int(part) for part in re.findall(r"\d+", text)[:3]]

    signs = {">=": operator.ge, "<=": operator.le, "<": operator.lt, ">": operator.gt}
    rules = re.findall(r"(>=|<=|<|>)\s*([\d.]+)", wanted)
    return all(signs[sign](numbers(version), numbers(limit)) for sign, limit in rules)


def _state(good: bool) -> str:
    return "ok" if good else "failed"
