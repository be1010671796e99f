"""The report of a run: what was looked at with what, what was found, and what every page weighs."""

from __future__ import annotations

import json
import os
import statistics
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from tools.browser_checks.page import Finding
from tools.browser_checks.views import VIEWS


def summarise(browser_version: str, packages: dict[str, str], measured: dict, findings: list[Finding]) -> dict:
    """Everything about a run, to be stored.

    Parameters
    ----------
    browser_version : str
        The browser's own version.
    packages : dict of str
        Versions of what drove it and of what checked the pages.
    measured : dict
        By page and by view, what `check_page` measured.
    findings : list of Finding
        What must be repaired; the run failed if there is anything.
    """
    rules: dict[str, Counter] = {}
    for views in measured.values():
        for cost in views.values():
            for rule, found in cost["axe"].items():
                rules.setdefault(found["impact"], Counter())[rule] += found["places"]
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"chromium": browser_version} | packages,
        # Seconds mean little on a machine that is busy with something else.
        "machine": {"cores": os.cpu_count(), "load_average": round(os.getloadavg()[1], 1)},
        "views": [{"name": view.name, "width": view.width, "height": view.height} for view in VIEWS],
        "findings": dict(Counter(finding.rule for finding in findings)),
        "axe_places_by_impact_and_rule": {
            impact: dict(sorted(found.items())) for impact, found in sorted(rules.items())
        },
        "pages": {page: describe_page(views) for page, views in measured.items()},
    }


def describe_page(views: dict[str, dict]) -> dict:
    """A page's weight without compression, and its median load time, served from the same machine."""
    return {
        "requests": max(cost["requests"] for cost in views.values()),
        "megabytes": round(max(cost["bytes"] for cost in views.values()) / 1e6, 2),
        "load_seconds": round(statistics.median(cost["load_seconds"] for cost in views.values()), 2),
    }


def write(path: Path, report: dict) -> None:
    """Store a report."""
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def tell(place: str, findings: list[Finding]) -> None:
    """Say at once what was found on a page, since a run takes minutes."""
    lines = [f"  {finding.page} ({finding.view}): {finding.rule}: {finding.detail}" for finding in findings]
    print("\n".join([f"{place}: {len(findings)} findings", *lines]), flush=True)


def say(report: dict) -> str:
    """The sum of a run in words."""
    pages = report["pages"]
    heaviest = max(pages, key=lambda page: pages[page]["megabytes"])
    slowest = max(pages, key=lambda page: pages[page]["load_seconds"])
    return (
        f"{len(pages)} pages in {len(VIEWS)} views: {sum(report['findings'].values())} findings.\n"
        f"Heaviest: {heaviest}, {pages[heaviest]['megabytes']} MB. Slowest: {slowest}, "
        f"{pages[slowest]['load_seconds']} s."
    )
