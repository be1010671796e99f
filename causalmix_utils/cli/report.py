"""The command ``causalmix report``: print a stored benchmark, rebuild its tables and figures, write the claims page."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from causalmix_utils.cli.files import check_source

if TYPE_CHECKING:
    import pandas as pd

    from causalmix_utils.benchmark import StoredBenchmark

ROWS, MODELS = "generators", "zero_shot"
"""Names of the stored scores of synthetic rows, on which half of claim 6 rests, and of ordinary models."""

LEAST_TABLES = 4
"""A benchmark with fewer tables that every arm has finished gives way to the next one, as in the chapters."""


def report(options: argparse.Namespace) -> None:
    from causalmix_utils.cli.commands import print_report

    stored = _choose(options)
    if stored.results.empty:
        raise ValueError("there are no finished runs to report")
    arms = sorted(stored.results["arm"].unique())
    if options.baseline not in arms:
        raise ValueError(f"--baseline={options.baseline} has no runs; the arms are {', '.join(arms)}")
    missing = stored.provenance.get("missing", [])
    print_report(stored.results, value=options.value, baseline=options.baseline, missing=missing)
    if options.out is None and options.claims is None:
        return
    from causalmix_utils.cli.claims_page import judge_stored, render_claims, update_page

    beside = options.results if options.store is None else options.store.parent
    judged = judge_stored(stored, scores=_read_scores(beside, ROWS))
    _print_verdicts(judged)
    if options.out is not None:
        from causalmix_utils.cli.report_files import write_report

        models = _read_scores(beside, MODELS)
        written = write_report(judged, options.out, baseline=options.baseline, models=models)
        print(f"{len(written)} files written to {options.out}")
    if options.claims is not None:
        update_page(options.claims, render_claims(judged))
        print(f"written: {options.claims}")


def _print_verdicts(judged) -> None:
    main = judged.verdicts[judged.regime, "gain"]
    print(f"\nverdicts from {judged.stored.name!r} at {judged.regime} rows")
    for verdict in main:
        print(f"{verdict.number}  {verdict}")
    structure = judged.structure[judged.regime, "causal"]
    print(f"Does the causal structure matter? {'provisional: ' if structure.provisional else ''}{structure.answer}")


def read_stored(folder: Path) -> StoredBenchmark:
    """The benchmark that the book's pages rest on: the full one once it has enough tables, else the small one."""
    from causalmix_utils.benchmark import read_benchmark

    try:
        return read_benchmark(folder, least_tables=LEAST_TABLES)
    except ValueError:
        return read_benchmark(folder)


def _choose(options: argparse.Namespace) -> StoredBenchmark:
    from causalmix_utils.benchmark import RunStore, StoredBenchmark, read_benchmark

    check_source(options)
    if options.store is None:
        named = options.name is not None
        return read_benchmark(options.results, prefer=[options.name]) if named else read_stored(options.results)
    with RunStore(options.store, read_only=True) as store:
        return StoredBenchmark(options.store.stem, store.results(), store.trajectories(), {})


def _read_scores(folder: Path, name: str) -> pd.DataFrame | None:
    """Scores that lie beside the results; None where there are none."""
    from causalmix_utils.benchmark import read_results

    return read_results(folder, name=name)[0] if (folder / f"{name}.parquet").is_file() else None
