"""Measure what the chapters cost, and write it into their opening boxes.

Usage: python tools/measure_chapters.py measure [CHAPTER …] | stamp

`measure` executes chapters (all, or those whose file name starts with what is given) in both profiles, one after the
other, each in a process of its own, and stores its seconds and its memory in book/results/chapter_times.json.
Seconds are the processor's, on one thread, since other programs of the machine hardly change those. `stamp` writes
the sentence that every chapter opens with; a test compares it with what is stored. It also copies the times into the
package, where `causalmix doctor` scales them by the time of a fine-tuning step, which is therefore measured, too.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools.notebooks import notebooks, tidy  # noqa: E402

STORED = ROOT / "book" / "results" / "chapter_times.json"
PACKAGED = ROOT / "causalmix_utils" / "data" / "chapter_times.json"
PROFILES = ("book", "smoke")
SENTENCE = re.compile(r"\*\*Time and memory:\*\*[^\n]*(?:\n(?!\n)[^\n]+)*")


def main() -> None:
    match sys.argv[1:]:
        case ["measure", *names]:
            for path in notebooks():
                if not names or path.name.startswith(tuple(names)):
                    store(path.stem, {profile: measure(path, profile) for profile in PROFILES})
        case ["stamp"]:
            for path in notebooks():
                stamp(path)
            package()
        case _:
            sys.exit(__doc__)


def measure(path: Path, profile: str) -> dict[str, float]:
    """Execute a chapter: seconds of the processor and of the clock, and its memory at the highest point in GB."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "papermill", str(path), f"{folder}/{path.name}", "-p", "profile", profile]
        command += ["--cwd", str(path.parent), "--kernel", "python3", "--no-progress-bar", "--log-level", "WARNING"]
        start = datetime.now(UTC)
        process = subprocess.Popen(command, env=environment)
        # The usage of the kernel, which papermill has waited for, is part of its own.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{path.name} failed in the profile {profile!r}")
    result = {
        "seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "clock_seconds": round((datetime.now(UTC) - start).total_seconds(), 1),
        "memory_gb": round(usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9, 2),
    }
    print(f"{path.stem}, {profile}: {result}", flush=True)
    return result


def store(chapter: str, profiles: dict[str, dict[str, float]]) -> None:
    """Replace one chapter's measurement; those of chapters that are gone are dropped."""
    from causalmix_utils.benchmark.environment import describe_environment
    from causalmix_utils.benchmark.export import write_whole
    from causalmix_utils.cli.checks import measure_step_seconds

    times = json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}
    measured = {"measured_at": datetime.now(UTC).isoformat(timespec="seconds"), "environment": describe_environment()}
    times[chapter] = profiles | measured | {"seconds_per_step": round(measure_step_seconds(), 4)}
    write_whole(STORED, {path.stem: times[path.stem] for path in notebooks() if path.stem in times})


def stamp(path: Path) -> None:
    """Write the sentence about time and memory into a chapter's opening box."""
    notebook = nbformat.read(path, as_version=4)
    cell = next(cell for cell in notebook.cells if SENTENCE.search(cell.source))
    sentence = describe(json.loads(STORED.read_text(encoding="utf-8"))[path.stem])
    cell.source = SENTENCE.sub(lambda _: sentence, cell.source, count=1)
    nbformat.write(notebook, path)
    path.write_text(tidy(path), encoding="utf-8")


def package() -> None:
    """Copy what `causalmix doctor` needs of the stored times into the package."""
    from causalmix_utils.benchmark.export import write_whole

    kept = (*PROFILES, "measured_at", "seconds_per_step")
    times = json.loads(STORED.read_text(encoding="utf-8"))
    write_whole(PACKAGED, {name: {key: costs[key] for key in kept if key in costs} for name, costs in times.items()})


def describe(measured: dict) -> str:
    """The sentence for one chapter."""
    book, smoke = measured["book"], measured["smoke"]
    return (
        f"**Time and memory:** about {say_seconds(book['seconds'])} of one processor core and "
        f"{max(book['memory_gb'], 0.1):.1f} GB in the `book` profile, {say_seconds(smoke['seconds'])} in `smoke` "
        f"(measured on {measured['measured_at'][:10]})."
    )


def say_seconds(seconds: float) -> str:
    """Seconds in words that a reader remembers: to ten seconds, or to half a minute from a minute and a half on."""
    if seconds < 75:
        return f"{max(10, 10 * round(seconds / 10))} seconds"
    halves = round(seconds / 30)
    minutes = f"{halves // 2}" if halves % 2 == 0 else f"{halves / 2:.1f}"
    return "1 minute" if minutes == "1" else f"{minutes} minutes"


if __name__ == "__main__":
    main()
