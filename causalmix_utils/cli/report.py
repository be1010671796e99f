"""The command ``causalmix report``: print a stored benchmark, rebuild its tables and figures, write the claims page."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from causalmix_utils.benchmark import StoredBenchmark

SCORES = "generators"
"""Name of the stored scores of synthetic rows, on which half of claim 6 rests."""


def report(options: argparse.Namespace) -> None:
    from causalmix_utils.cli.commands import print_report

    stored = _read_stored(options)
    if stored.results.empty:
        raise ValueError("there are no finished runs to report")
    print_report(stored.results, value=options.value, baseline=options.baseline)
    if options.out is None and options.claims is None:
        return
    from causalmix_utils.cli.claims_page import judge_stored, render_claims, update_page

    judged = judge_stored(stored, scores=_read_scores(options.results))
    _print_verdicts(judged)
    if options.out is not None:
        from causalmix_utils.cli.report_files import write_report

        written = write_report(judged, options.out, baseline=options.baseline)
        print(f"{len(written)} files written to {options.out}")
    if options.claims is not None:
        update_page(options.claims, render_claims(judged))
        print(f"written: {options.claims}")


def _print_verdicts(judged) -> None:
    main = judged.verdicts[judged.regime, "gain"]
    print(f"\nverdicts from {judged.stored.name!r} at {judged.regime} rows")
    for verdict in main:
        print(f"{verdict.number}  {verdict}")
    print(f"Does the causal structure matter? {judged.structure[judged.regime, 'causal'].answer}")


def _read_stored(options: argparse.Namespace) -> StoredBenchmark:
    from causalmix_utils.benchmark import STORED_BENCHMARKS, RunStore, StoredBenchmark, read_benchmark

    if options.store is None:
        return read_benchmark(options.results, prefer=STORED_BENCHMARKS if options.name is None else (options.name,))
    if not options.store.is_file():
        raise ValueError(f"--store={options.store} does not exist")
    with RunStore(options.store) as store:
        return StoredBenchmark(options.store.stem, store.results(), store.trajectories(), {})


def _read_scores(folder: Path) -> pd.DataFrame | None:
    """The scores of synthetic rows that lie beside the results; None where there are none."""
    from causalmix_utils.benchmark import read_results

    return read_results(folder, name=SCORES)[0] if (folder / f"{SCORES}.parquet").is_file() else None
