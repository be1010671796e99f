"""What each command does. Options come from `causalmix_utils.cli.parser`."""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from causalmix_utils.cli.files import check_source, choose_compression, read_table
from causalmix_utils.whole_files import replacing

if TYPE_CHECKING:
    import pandas as pd

    from causalmix_utils.benchmark import Profile
    from causalmix_utils.generators import Generator
    from causalmix_utils.tables import Table

EXIT_FAILED_RUNS = EXIT_DIFFERENT = 1
USUAL_ROWS = 200
FEWEST_OF_CLASS = 3
"""One row each for training, validation and testing."""


def list_tables(options: argparse.Namespace) -> None:
    from causalmix_utils.tables import list_tables

    columns = ["name", "role", "rows", "features", "categorical", "missing", "classes", "tabarena", "licence"]
    print(_format(list_tables(options.role)[columns].assign(missing=lambda t: t["missing"].map("{:.1%}".format))))


def augment(options: argparse.Namespace) -> None:
    import numpy as np

    from causalmix_utils.tables import check_same_schema
    from causalmix_utils.threads import single_thread

    _check_seed(options.seed)
    compress = choose_compression(options.out)
    table = read_table(options)
    _check_no_quantity(table)
    rng = np.random.default_rng(options.seed)
    with replacing(options.out) as temporary, single_thread():
        rows = _make_watched_generator(options.generator).fit(table, rng=rng).sample(options.rows, rng=rng)
        check_same_schema(rows, table)
        temporary.write_bytes(compress(rows.to_frame().to_csv(index=False).encode()))
    print(f"{len(rows)} rows like {table.name!r} by {options.generator!r} written to {options.out}")


def finetune(options: argparse.Namespace) -> None:
    import pandas as pd

    from causalmix_utils.finetuning.options import check_option
    from causalmix_utils.tables import scarce_split
    from causalmix_utils.threads import single_thread

    # All options first: a wrong one must not show after two models.
    _check_seed(options.seed)
    chosen = {"learning_rate": options.learning_rate, "max_steps": options.steps, "n_estimators": options.estimators}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    for name, value in chosen.items():
        check_option(name, value)
    generator = _make_watched_generator(options.generator)
    table = read_table(options)
    _check_classes(table)
    parts = scarce_split(table, n=USUAL_ROWS if options.rows is None else options.rows, split=options.split)
    train, validation, test = parts
    used = len(train) + len(validation)
    if options.rows is not None and used < options.rows:
        print(f"causalmix: note: --rows={options.rows} leaves too few test rows; {used} are used", file=sys.stderr)
    print(
        f"{table.name}: {len(train)} train, {len(validation)} validation and {len(test)} test rows, "
        f"{table.X.shape[1]} features, {len(table.classes)} classes",
        flush=True,
    )
    common = {"weights": options.weights, "random_state": options.seed, "verbose": True, **chosen}
    with nullcontext() if options.save is None else replacing(options.save) as temporary, single_thread():
        lines = [
            _fit_and_score(label, parts, save=path, **common | different)
            for label, path, different in (
                ("zero-shot", None, {"generator": None, "max_steps": 0}),
                ("default fine-tuning", None, {"generator": None}),
                (f"CausalMixFT ({options.generator})", temporary, {"generator": generator}),
            )
        ]
    print(_format(pd.DataFrame(lines)))
    if options.save is not None:
        print(f"written: {options.save}")


def _check_no_quantity(table: Table) -> None:
    """Refuse a target that is a number to predict: every value would be a class of its own."""
    from causalmix_utils.foundation import MAX_CLASSES

    if len(table.classes) > MAX_CLASSES and all(map(_is_number, table.classes)):
        raise ValueError(
            f"target {table.target!r} holds {len(table.classes)} different numbers, each of which would be a class: "
            "cut it into classes first"
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _check_classes(table: Table) -> None:
    """Refuse a target of more classes than the model can tell apart; say which classes are too rare to be learnt."""
    from causalmix_utils.foundation import MAX_CLASSES

    counts = table.y.value_counts()
    if len(counts) > MAX_CLASSES:
        raise ValueError(
            f"target {table.target!r} has {len(counts)} different values, but at most {MAX_CLASSES} classes can be "
            "told apart; a number must be cut into classes first"
        )
    for name, count in counts[counts < FEWEST_OF_CLASS].items():
        rows = "one row" if count == 1 else f"{count} rows"
        print(
            f"causalmix: note: class {name!r} of {table.target!r} has {rows}, too few to learn from and to test on: "
            "correct it, merge it with another class, or leave it out",
            file=sys.stderr,
        )


def _make_watched_generator(name: str) -> Generator:
    """The generator of that name, with its progress bars switched on if it has some."""
    from causalmix_utils.generators import make_generator

    generator = make_generator(name)
    return generator.set_params(progress=True) if "progress" in generator.get_params() else generator


def _fit_and_score(
    label: str, parts: tuple[Table, Table, Table], *, save: Path | None, **parameters: Any
) -> dict[str, Any]:
    """One line of the comparison: a model fitted on the first two parts, scored on the third, and saved if asked."""
    from causalmix_utils.finetuning import CausalMixFTClassifier
    from causalmix_utils.metrics import log_loss, roc_auc

    train, validation, test = parts
    start = time.perf_counter()
    model = CausalMixFTClassifier(**parameters)
    with warnings.catch_warnings():
        # The estimator keeps the best weights so far, but a comparison of such models says nothing.
        warnings.filterwarnings("ignore", "fine-tuning was interrupted")
        model.fit(train.X, train.y, X_validation=validation.X, y_validation=validation.y)
    if model.interrupted_:
        raise KeyboardInterrupt
    proba = model.predict_proba(test.X)
    if save is not None:
        model.save(save)
    return {
        "": label,
        "test AUC": f"{roc_auc(test.y, proba, model.classes_):.4f}",
        "test log-loss": f"{log_loss(test.y, proba, model.classes_):.4f}",
        "chosen step": model.best_step_,
        "seconds": f"{time.perf_counter() - start:.1f}",
    }


def benchmark(options: argparse.Namespace) -> int:
    from causalmix_utils.benchmark import RunStore, export_results, get_profile, run_benchmark, take_over_results

    if options.scheduler is not None and options.backend != "dask":
        raise ValueError(f"--scheduler={options.scheduler} needs --backend dask")
    profile = get_profile(options.profile)
    profile = profile.subset(tables=options.tables, arms=options.arms, splits=options.splits)
    path = options.store or Path("runs") / f"{profile.name}.sqlite"
    if options.status:
        return _print_progress(profile, path)
    with RunStore(path) as store:
        if options.continue_from is not None:
            taken = take_over_results(store, options.continue_from, name=profile.name)
            print(f"{taken} runs taken over from {options.continue_from}", flush=True)
        results = run_benchmark(
            profile,
            store,
            backend=options.backend,
            scheduler=options.scheduler,
            n_jobs=options.n_jobs,
            retry_failed=options.retry_failed,
        )
        runs = profile.runs()
        failures = store.failures()
        failures = failures[failures["id"].isin({run.identity for run in runs})]
        print(f"{len(results)} runs of profile {profile.name!r} are finished in {path}")
        if len(results):
            print_report(results, value="gain", baseline="default")
        if len(failures):
            print(f"{len(failures)} runs failed (make them again with --retry-failed):", file=sys.stderr)
            print(_format(failures.drop(columns="id")), file=sys.stderr)
        if options.export is not None:
            written = export_results(store, options.export, name=profile.name, runs=runs, allow_gaps=options.allow_gaps)
            print("".join(f"written: {file}\n" for file in written), end="")
    return EXIT_FAILED_RUNS if len(failures) else 0


def _print_progress(profile: Profile, path: Path) -> int:
    """How far a profile is. Nothing is run, and no store is made."""
    from causalmix_utils.benchmark import RunStore, summarise_progress

    if not path.is_file():
        raise ValueError(f"--store={path} does not exist")
    with RunStore(path, read_only=True) as store:
        progress = summarise_progress(profile.runs(), store)
    print(f"{profile.name}: {profile.summary}\n")
    print(_format(progress))
    finished, failed, pending = (int(progress[column].sum()) for column in ("finished", "failed", "pending"))
    hours = progress["hours_left"].sum(skipna=False)
    left = "how long they take is not known yet" if math.isnan(hours) else f"{hours:.2f} hours of one process are left"
    print(f"\n{finished} runs finished, {failed} failed, {pending} pending: {left}")
    return 0


def rerun(options: argparse.Namespace) -> int:
    from causalmix_utils.benchmark import TOLERANCE, compare_environments, find_run, repeat_run

    check_source(options)
    stored = find_run(options.identity, options.store or options.results, name=options.name)
    run = stored.settings
    print(
        f"{run.identity}: table {run.table}, {run.regime} rows, split {run.split}, arm {run.arm}, seed {run.seed}, "
        f"checkpoint {run.checkpoint}",
        flush=True,
    )
    comparison, environment = repeat_run(stored)
    print(comparison.to_string(index=False, formatters=dict.fromkeys(("stored", "again"), "{:.9g}".format)))
    for what, before, now in compare_environments(stored.environment, environment):
        print(f"{what}: stored with {before}, made again with {now}")
    differs = comparison["difference"] > TOLERANCE
    print(f"the numbers differ by more than {TOLERANCE:g}" if differs.any() else "the numbers are the same")
    return EXIT_DIFFERENT if differs.any() else 0


def pretrain(options: argparse.Namespace) -> None:
    # Tables come in thousands of shapes, and oneDNN would keep what it prepared for each: gigabytes within hours.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "32")

    from dataclasses import replace

    from causalmix_utils.pretraining import PretrainingSettings, pretrain

    chosen = {"steps": options.steps, "seed": options.seed}
    settings = replace(PretrainingSettings(), **{name: value for name, value in chosen.items() if value is not None})
    time_limit = None if options.minutes is None else 60 * options.minutes
    written = pretrain(
        options.out, settings=settings, device=options.device, n_threads=options.threads, time_limit=time_limit
    )
    print(f"written: {written}")


def print_report(results: pd.DataFrame, *, value: str, baseline: str, missing: Sequence[dict] = ()) -> None:
    """One table of arms for each checkpoint and regime, on splits that every arm has; `missing` are planned runs."""
    import pandas as pd

    from causalmix_utils.benchmark import StoredBenchmark
    from causalmix_utils.evaluation import add_gains, summarise_arms

    for (checkpoint, regime), group in results.groupby(["checkpoint", "regime"]):
        absent = {"missing": [run for run in missing if run["regime"] == regime]}
        whole = StoredBenchmark("results", group, pd.DataFrame({"id": []}), absent).whole_splits().results
        runs = add_gains(group if whole.empty else whole)
        summary = summarise_arms(runs, value=value, baseline=baseline)
        print(f"\n{value} at {regime} rows over {runs['table'].nunique()} tables, checkpoint {checkpoint}")
        if whole.empty:
            print("no split has every arm yet, so the arms are summarised on different splits")
        elif len(whole) < len(group):
            print(f"{len(group) - len(whole)} runs are left out, on splits that some arm has not finished")
        print(_format(summary.sort_values("median", ascending=False, kind="stable").reset_index()))


def _check_seed(seed: int) -> None:
    if seed < 0:
        raise ValueError(f"--seed must not be negative, got {seed}")


def _format(frame: pd.DataFrame) -> str:
    """A DataFrame as aligned text, text columns flush left."""
    texts = frame.select_dtypes(exclude="number").columns
    columns = {name: f"{{:<{max([len(str(name)), *frame[name].astype(str).str.len()])}}}".format for name in texts}
    style = {"justify": "left", "float_format": "{:.4f}".format, "na_rep": "–"}
    return frame.to_string(index=False, formatters=columns, **style)
