"""Where a run was made and what it took: versions, commit, machine, memory."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_PACKAGES = (
    "causalmix-utils",
    "numpy",
    "pandas",
    "scipy",
    "scikit-learn",
    "torch",
    "tabpfn",
    "dowhy",
    "causal-learn",
    "networkx",
    "joblib",
    "ctgan",
    "imbalanced-learn",
)


@functools.cache
def _environment() -> tuple[tuple[str, Any], ...]:
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return tuple(
        {
            "python": platform.python_version(),
            "versions": versions,
            "commit": _read_commit(),
            "system": platform.system(),
            "machine": platform.machine(),
            "processor": _read_processor(),
            "cores": os.cpu_count(),
        }.items()
    )


def describe_environment() -> dict[str, Any]:
    """Versions of Python and of the packages that decide results, the commit, and the machine.

    Returns
    -------
    dict
        ``python``, ``versions`` (None where a package is absent), ``commit`` (None outside a
        checkout, ``+changes`` appended where tracked files differ from it), ``system``, ``machine``,
        ``processor``, ``cores``.
    """
    return dict(_environment())


def reset_peak_memory() -> None:
    """Start measuring the peak memory of this process anew, where the system can (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def measure_peak_memory() -> float | None:
    """Largest resident memory of this process in MiB, since `reset_peak_memory` on Linux, else since its start.

    None on systems that tell neither.
    """
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if platform.system() == "Darwin" else peak / 1024


def _read_commit() -> str | None:
    """The commit that this package was loaded from, if it lies in a git checkout that holds it."""
    folder = Path(__file__).parent

    def ask_git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()

    try:
        ask_git("ls-files", "--error-unmatch", Path(__file__).name)
        changes = "+changes" if ask_git("status", "--porcelain", "--untracked-files=no", "--", "..") else ""
        return ask_git("rev-parse", "HEAD") + changes
    except (OSError, subprocess.SubprocessError):
        return None


def _read_processor() -> str:
    """The processor's name, which `platform.processor` leaves empty on many Linux systems."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
