"""``causalmix doctor``: can this machine run the book, and how long will it take?"""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import asdict
from importlib import resources
from typing import Any

from causalmix_utils.cli.checks import CHECKS, Check, run_check

LIMITS = {"book": 180, "smoke": 45}  # seconds that no chapter exceeds on the machine that the book is built on
LONG_CHAPTER = 600  # seconds; above it a class waits too long
SIGNS = {"ok": "✓", "failed": "✗", "unknown": "?"}
PLAIN_SIGNS = {"ok": "+", "failed": "x", "unknown": "?"}  # for terminals that cannot show the others
EXIT_FAILED = 1


def doctor(options: argparse.Namespace) -> int:
    """The command: run all checks, print them as lines or as JSON, and return 0, or 1 if one failed."""
    findings = {}
    for name in CHECKS:
        findings[name] = run_check(name)
        if not options.json:
            print(_format_check(name, findings[name]), flush=True)
    failed = [name for name, check in findings.items() if check.state == "failed"]
    times = estimate_chapters(findings["speed"].details.get("seconds_per_step"))
    if options.json:
        checks = {name: asdict(check) for name, check in findings.items()}
        print(json.dumps({"ok": not failed, "checks": checks, "chapters": times}, indent=2))
    else:
        print(_format_times(times))
        print(f"\nNot ready: {', '.join(failed)}" if failed else "\nReady: this machine can run every chapter.")
    return EXIT_FAILED if failed else 0


def estimate_chapters(step_seconds: float | None) -> list[dict[str, Any]]:
    """Seconds of each chapter on this machine, scaled by the time of a step.

    The stored times are those of one processor core, measured together with the time of a step there. Where there
    are none, or a step could not be measured, a chapter's entry is the limit that all chapters keep.

    Returns
    -------
    list of dict
        ``chapter``, ``book`` and ``smoke`` in seconds, and ``measured``: whether they are scaled measurements.
    """
    stored = read_chapter_times()
    if not stored:
        return [{"chapter": "each", **LIMITS, "measured": False}]
    lines = []
    for chapter, costs in stored.items():
        there = costs.get("seconds_per_step")
        measured = bool(there and step_seconds)
        ratio = step_seconds / there if measured else 1.0
        times = {profile: round(ratio * costs[profile]["seconds"], 1) for profile in LIMITS}
        lines.append({"chapter": chapter, **times, "measured": measured})
    return lines


def read_chapter_times() -> dict[str, dict[str, Any]]:
    """The chapters' stored costs, which `tools/measure_chapters.py` writes; empty where they were never measured."""
    path = resources.files("causalmix_utils") / "data" / "chapter_times.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _format_check(name: str, check: Check) -> str:
    sign = (SIGNS if _can_print("✓✗") else PLAIN_SIGNS)[check.state]
    line = f"{sign} {check.state:<7} {name}: {check.message}"
    return f"{line}\n{'':<10}{check.advice}" if check.advice else line


def _can_print(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _format_times(times: list[dict[str, Any]]) -> str:
    if len(times) == 1 and not times[0]["measured"]:
        return f"\nA chapter takes at most {_say(times[0]['book'])}, in the smoke profile {_say(times[0]['smoke'])}."
    how = "estimated for this machine" if times[0]["measured"] else "as measured on another machine"
    width = max(len(line["chapter"]) for line in times)
    lines = [f"\nTime of each chapter on one core, {how}:", f"  {'':<{width}}  {'book':>8}  {'smoke':>8}"]
    lines += [f"  {line['chapter']:<{width}}  {_say(line['book']):>8}  {_say(line['smoke']):>8}" for line in times]
    total = {profile: sum(line[profile] for line in times) for profile in LIMITS}
    lines.append(f"  {'all':<{width}}  {_say(total['book']):>8}  {_say(total['smoke']):>8}")
    if max(line["book"] for line in times) > LONG_CHAPTER:
        lines.append('Slow: set profile = "smoke" in the chapters, or use Colab.')
    return "\n".join(lines)


def _say(seconds: float) -> str:
    return f"{math.ceil(seconds)} s" if seconds < 100 else f"{math.ceil(seconds / 60)} min"
