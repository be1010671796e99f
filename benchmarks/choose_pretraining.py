"""What a few minutes of one core teach networks of different shape, trained in different ways.

    python benchmarks/choose_pretraining.py --minutes 5

Every trial trains from scratch for the same processor time on the prior, with the learning rates and the sizes of
the tables following the share of the time that is spent. It is then scored on prior tables that no trial saw, and
on the development tables (200 context rows, two splits, two estimators). No reported table is read. One run a trial:
read close figures as equal.

Finished trials are kept in the store, and made again only if it is deleted. ``--export`` writes the table that the
appendix of the book shows. It also holds trials from before the prior's last change, which today's code can't
repeat; their notes say so.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from causalmix_utils.benchmark.export import write_whole
from causalmix_utils.foundation import load_classifier
from causalmix_utils.metrics import log_loss, roc_auc
from causalmix_utils.pretraining import PretrainingSettings, batch_loss, sample_batch, save_checkpoint
from causalmix_utils.pretraining.settings import NETWORK
from causalmix_utils.pretraining.steps import build_network, make_optimizers, take_step
from causalmix_utils.tables import list_tables, load_table, scarce_split
from causalmix_utils.threads import single_thread

TRIALS = {
    # name: (question, what it changes, what the network changes)
    "Muon 4e-3, AdamW 1e-3": ("optimiser", {}, {}),
    "Muon 1e-2, AdamW 1e-3": ("optimiser", {"matrix_learning_rate": 0.01}, {}),
    "AdamW 3e-4 alone": ("optimiser", {"matrix_learning_rate": 0.0, "learning_rate": 3e-4}, {}),
    "AdamW 1e-3 alone": ("optimiser", {"matrix_learning_rate": 0.0}, {}),
    "one group a step": ("tables of a step", {"groups_per_step": 1}, {}),
    "half as many cells": ("tables of a step", {"cells_per_step": 14_000}, {}),
    "4 CLS tokens": ("size", {}, {"feat_agg_num_cls_tokens": 4}),
    "4 CLS tokens, 3 layers": ("size", {}, {"feat_agg_num_cls_tokens": 4, "nlayers": 3}),
    "v2 layout, 64 wide, 4 layers": ("layout", {"layout": "tabpfn_v2"}, None),
}
V2_NETWORK = {
    "max_num_classes": 10,
    "num_buckets": 2,
    "emsize": 64,
    "nlayers": 4,
    "nhead": 4,
    "features_per_group": 1,
}


def make_settings(changes: dict, network_changes: dict | None) -> PretrainingSettings:
    base = PretrainingSettings(
        max_rows=300, max_features=40, matrix_learning_rate=4e-3, learning_rate=1e-3, cells_per_step=28_000
    )
    network = V2_NETWORK if network_changes is None else {**NETWORK, "feat_agg_num_cls_tokens": 2, **network_changes}
    return replace(base, network=network, **changes)


def train(settings: PretrainingSettings, minutes: float) -> tuple[torch.nn.Module, int]:
    """Train for a processor time; returns the network and the number of steps."""
    network = build_network(settings)
    optimizers = make_optimizers(network, settings)
    begun, step = time.process_time(), 0
    with ThreadPoolExecutor(1) as executor, tqdm(total=100, unit="%", leave=False) as bar:
        while (share := (time.process_time() - begun) / (60 * minutes)) < 1:
            bar.update(int(100 * share) - bar.n)
            grown = min(1.0, share / 0.5)
            now = replace(
                settings,
                max_rows=round(96 + (settings.max_rows - 96) * grown),
                max_features=round(8 + (settings.max_features - 8) * grown),
                growth_steps=0,
            )
            factor = min(1.0, 0.02 + share / 0.04, (1 - share) / 0.3)
            take_step(network, optimizers, now, step, rate_factor=factor, executor=executor)
            step += 1
    return network, step


def score_on_prior(network: torch.nn.Module) -> float:
    """Mean log-loss on 360 tables that no training step draws."""
    rng = np.random.default_rng(987_654)
    losses = []
    with torch.no_grad():
        for _ in range(120):
            n_features = int(np.exp(rng.uniform(np.log(2), np.log(41))))
            losses.append(
                batch_loss(network, sample_batch(3, n_rows=260, n_features=n_features, n_context=160, rng=rng)).item()
            )
    return float(np.mean(losses))


def score_on_development_tables(checkpoint: Path) -> tuple[float, float]:
    """Mean AUC and log-loss over the development tables that are not easy for everyone."""
    scores = []
    tables = list_tables("development")
    for name in tables.loc[tables["rf_auc"] < 0.995, "name"]:
        table, of_table = load_table(name), []
        for split in range(2):
            train_rows, validation, test = scarce_split(table, n=200, split=split, max_test=500)
            context = train_rows.concat(validation)
            model = load_classifier(checkpoint, n_estimators=2, device="cpu").fit(context.X, context.y)
            proba = model.predict_proba(test.X)
            of_table.append((roc_auc(test.y, proba, model.classes_), log_loss(test.y, proba, model.classes_)))
        scores.append(np.mean(of_table, axis=0))
    auc, loss = np.mean(scores, axis=0)
    return float(auc), float(loss)


def run_trial(name: str, minutes: float, store: Path) -> dict:
    question, changes, network_changes = TRIALS[name]
    settings = make_settings(changes, network_changes)
    network, steps = train(settings, minutes)
    checkpoint = store / f"{''.join(c if c.isalnum() else '_' for c in name)}.safetensors"
    save_checkpoint(network, checkpoint, settings=settings)
    auc, loss = score_on_development_tables(checkpoint)
    return {
        "trial": name,
        "question": question,
        "layout": settings.layout,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "steps": steps,
        "cpu_minutes": minutes,
        "prior_loss": score_on_prior(network),
        "development_auc": auc,
        "development_log_loss": loss,
        "note": json.dumps({**changes, **(network_changes or {})}),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0, help="processor time of a trial")
    parser.add_argument("--trials", nargs="+", choices=list(TRIALS), default=list(TRIALS), metavar="NAME")
    parser.add_argument("--store", type=Path, default=Path("runs/choose_pretraining"))
    parser.add_argument("--export", type=Path, help="write pretraining_choices.parquet and .json to this folder")
    options = parser.parse_args()
    options.store.mkdir(parents=True, exist_ok=True)
    for name in options.trials:
        record = options.store / f"{''.join(c if c.isalnum() else '_' for c in name)}.json"
        if not record.exists():
            with single_thread():
                write_whole(record, run_trial(name, options.minutes, options.store) | {"minutes": options.minutes})
        trial = json.loads(record.read_text())
        if trial.setdefault("minutes", options.minutes) != options.minutes:
            parser.error(f"{record} is of a trial of {trial['minutes']:g} minutes; take another --store")
        print(record.read_text(), flush=True)
    if options.export:
        records = [json.loads(path.read_text()) for path in sorted(options.store.glob("*.json"))]
        order = {name: place for place, name in enumerate(TRIALS)}
        frame = pd.DataFrame(sorted(records, key=lambda record: order.get(record["trial"], len(order))))
        write_whole(options.export / "pretraining_choices.parquet", frame.drop(columns="minutes", errors="ignore"))
        provenance = {
            "command": f"python benchmarks/choose_pretraining.py --minutes {options.minutes:g}",
            "date": date.today().isoformat(),
            "machine": f"{platform.machine()} CPU, one thread",
            "versions": {package: version(package) for package in ("numpy", "tabpfn", "torch")},
        }
        write_whole(options.export / "pretraining_choices.json", provenance)


if __name__ == "__main__":
    main()
