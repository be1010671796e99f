"""What can be written on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

import causalmix_utils
from causalmix_utils.cli import commands
from causalmix_utils.cli.doctor import doctor as run_doctor
from causalmix_utils.cli.report import report as run_report


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="causalmix",
        description="Fine-tune a tabular foundation model on real rows mixed with causally sampled ones.",
        epilog="Set CAUSALMIX_TRACEBACK=1 to see where an error comes from.",
    )
    parser.add_argument("--version", action="version", version=f"causalmix {causalmix_utils.__version__}")
    choices = parser.add_subparsers(metavar="COMMAND", required=True)

    tables = choices.add_parser("tables", help="list the embedded tables")
    tables.add_argument("--role", choices=["reported", "development"], help="only the tables of this role")
    tables.set_defaults(command=commands.list_tables)

    augment = choices.add_parser("augment", help="write synthetic rows of a table to a CSV file")
    _add_table_arguments(augment)
    augment.add_argument(
        "--generator", default="causal", metavar="NAME", help="generator of the rows (default: causal)"
    )
    augment.add_argument("--rows", type=int, required=True, metavar="N", help="number of rows")
    augment.add_argument(
        "--out", type=Path, required=True, metavar="FILE.csv", help="file to write; .gz, .bz2 or .xz compresses it"
    )
    augment.set_defaults(command=commands.augment)

    finetune = choices.add_parser("finetune", help="compare zero-shot, default and CausalMixFT on a table")
    _add_table_arguments(finetune)
    finetune.add_argument(
        "--generator", default="causal", metavar="NAME", help="generator of the rows (default: causal)"
    )
    finetune.add_argument("--rows", type=int, metavar="N", help="rows to fine-tune on (default: 200)")
    finetune.add_argument(
        "--split",
        type=int,
        default=0,
        metavar="K",
        help="number of the split; it depends on the file's name, too (default: 0)",
    )
    finetune.add_argument("--weights", default="nano", metavar="NAME|FILE", help="checkpoint (default: nano)")
    finetune.add_argument("--steps", type=int, metavar="N", help="largest number of fine-tuning steps")
    finetune.add_argument("--learning-rate", type=float, metavar="RATE", help="learning rate")
    finetune.add_argument("--estimators", type=int, metavar="N", help="views of the table to average over")
    finetune.add_argument("--save", type=Path, metavar="FILE", help="write the CausalMixFT model to this file")
    finetune.set_defaults(command=commands.finetune)

    benchmark = choices.add_parser("benchmark", help="run or resume a benchmark")
    benchmark.add_argument(
        "--profile",
        default="smoke",
        metavar="NAME",
        help="smoke, chapter, case_study, paper or tabarena (default: smoke)",
    )
    benchmark.add_argument("--store", type=Path, metavar="FILE", help="file of results (default: runs/PROFILE.sqlite)")
    benchmark.add_argument("--backend", default="loky", choices=["loky", "dask"], help="where runs are executed")
    benchmark.add_argument(
        "--scheduler", metavar="ADDRESS", help="Dask scheduler; without it a local cluster is started"
    )
    benchmark.add_argument("--n-jobs", type=int, metavar="N", help="processes (default: one for each core)")
    benchmark.add_argument("--tables", type=_split_names, metavar="A,B", help="only these tables")
    benchmark.add_argument("--arms", type=_split_names, metavar="A,B", help="only these arms")
    benchmark.add_argument("--splits", type=int, metavar="N", help="only the first splits of each table")
    benchmark.add_argument(
        "--continue-from", type=Path, metavar="FOLDER", help="first take over the runs exported to this folder"
    )
    benchmark.add_argument("--retry-failed", action="store_true", help="make failed runs again")
    benchmark.add_argument("--export", type=Path, metavar="FOLDER", help="afterwards write Parquet and provenance here")
    benchmark.add_argument("--allow-gaps", action="store_true", help="export what there is of an unfinished grid")
    benchmark.add_argument("--status", action="store_true", help="only say how far the grid is and what is left")
    benchmark.set_defaults(command=commands.benchmark)

    rerun = choices.add_parser("rerun", help="make one stored run again and compare the numbers")
    rerun.add_argument("identity", metavar="ID", help="the run's identity, or as much of its beginning as is unique")
    _add_source_arguments(rerun)
    rerun.add_argument("--name", help="profile of the exported results (default: any)")
    rerun.set_defaults(command=commands.rerun)

    pretrain = choices.add_parser("pretrain", help="train a checkpoint from scratch, or continue a run")
    pretrain.add_argument(
        "--out", type=Path, default=Path("runs/pretraining"), metavar="FOLDER", help="the run's folder"
    )
    pretrain.add_argument("--steps", type=int, metavar="N", help="optimiser steps; more than before lengthen a run")
    pretrain.add_argument("--seed", type=int, metavar="S", help="seed of weights and tables")
    pretrain.add_argument("--minutes", type=float, metavar="M", help="save and stop after this time")
    pretrain.add_argument("--device", default="auto", metavar="NAME", help="auto, cpu or cuda")
    pretrain.add_argument(
        "--threads", type=int, default=1, metavar="N", help="threads; the result does not depend on it"
    )
    pretrain.set_defaults(command=commands.pretrain)

    report = choices.add_parser(
        "report", help="summarise a benchmark's results, judge the claims, rebuild tables and figures"
    )
    _add_source_arguments(report)
    report.add_argument("--name", help="profile of the exported results (default: paper if it is there, else chapter)")
    report.add_argument(
        "--value", default="gain", choices=["gain", "gain_points", "log_loss_gain"], help="what to compare"
    )
    report.add_argument("--baseline", default="default", metavar="ARM", help="arm to compare with (default: default)")
    report.add_argument("--out", type=Path, metavar="FOLDER", help="write every table (CSV) and figure (PNG, SVG) here")
    report.add_argument(
        "--claims",
        type=Path,
        nargs="?",
        const=Path("book/claims.md"),
        metavar="FILE.md",
        help="write the verdicts between the marks of this page (default: book/claims.md)",
    )
    report.set_defaults(command=run_report)

    doctor = choices.add_parser("doctor", help="check that this machine can run the book, and say how long it takes")
    doctor.add_argument("--json", action="store_true", help="print the findings as JSON")
    doctor.set_defaults(command=run_doctor)
    return parser


def _add_source_arguments(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group()
    help_store = "a benchmark's store; scores of rows and models are read from its folder, if they are there"
    source.add_argument("--store", type=Path, metavar="FILE", help=help_store)
    source.add_argument(
        "--results",
        type=Path,
        default=Path("book/results"),
        metavar="FOLDER",
        help="exported results (default: book/results)",
    )


def _add_table_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("table", metavar="TABLE|FILE.csv", help="an embedded table's name, or a CSV file")
    parser.add_argument("--target", metavar="NAME", help="column to predict (CSV files only)")
    parser.add_argument(
        "--categorical",
        type=_split_names,
        default=[],
        metavar="A,B",
        help="columns of numbers that are categories (CSV files only)",
    )
    parser.add_argument(
        "--drop",
        action="append",
        default=[],
        metavar="NAME",
        help="leave a column out; may be repeated (CSV files only)",
    )
    parser.add_argument("--separator", default=",", metavar="SIGN", help="between fields, such as ';' (CSV files only)")
    parser.add_argument("--decimal", default=".", metavar="SIGN", help="of numbers, such as ',' (CSV files only)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="same seed, same result (default: 0)")


def _split_names(joined: str) -> list[str]:
    return [name.strip() for name in joined.split(",") if name.strip()]
