"""Compare the generator `tabebm` with the published package on one checkpoint: energies, walks, rows.

    python -m venv FOLDER && FOLDER/bin/pip install tabebm==2025.8.19 tabpfn==2.2.1
    python benchmarks/compare_tabebm.py --reference-python FOLDER/bin/python

The package cannot be installed beside our tabpfn, so it runs in an environment of its own, see ``tabebm_reference.py``.
Both get one file: a small network with the library's layout v2, trained here from scratch on our prior, written so
that tabpfn 2.2 and 9.2 read it. On each of three tables, for each class:

- *energies* of real rows, corners, and points between and around them, by both with the same context;
- *walks* of 200 steps from the same starts with the same noise;
- *rows* that each generates on its own, with several seeds, compared by a permutation test of the energy distance, once
  as they are and once as distances from the nearest real row. So that the test can be seen to have power, our rows with
  twice the noise are tested in the same way.

Writes ``book/results/tabebm.parquet``, one measurement a row, and ``tabebm.json``: provenance and verdicts.
"""

from __future__ import annotations

import argparse
import ast
import copy
import hashlib
import inspect
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from scipy.stats import combine_pvalues, permutation_test

from causalmix_utils import tabpfn_bridge
from causalmix_utils.benchmark.environment import describe_environment
from causalmix_utils.benchmark.export import write_whole
from causalmix_utils.generators import TabEbmGenerator, _coding, _energy, tabebm
from causalmix_utils.generators.tabebm import PUBLISHED_PACKAGE
from causalmix_utils.pretraining import PretrainingSettings, pretrain
from causalmix_utils.tables import Table, load_table, scarce_split
from causalmix_utils.threads import single_thread

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "book" / "results"
NAME = "tabebm"
TABLES = ("auto-origin", "phoneme", "wine")
"""Development tables whose columns are all numerical, since the package knows no others."""
SEEDS = (0, 1, 2, 3, 4)
N, N_ROWS, N_WALKS, N_POINTS, N_RESAMPLES = 200, 150, 40, 200, 999
TOLERANCE = 1e-4
LEVEL = 0.05
NETWORK = {"max_num_classes": 10, "num_buckets": 2, "emsize": 32, "nlayers": 3, "nhead": 4, "features_per_group": 1}
SETTINGS = PretrainingSettings(
    steps=300,
    max_rows=200,
    max_features=16,
    growth_steps=100,
    cells_per_step=16_000,
    layout="tabpfn_v2",
    network=NETWORK,
)


def write_shared_checkpoint(folder: Path) -> Path:
    """Train the small network unless `folder` has it, and write it with the names that tabpfn 2.2 gives the weights."""
    import torch
    from safetensors.torch import load_file

    state = load_file(pretrain(folder / "pretraining", settings=SETTINGS))
    path = folder / "shared.ckpt"
    torch.save({"state_dict": dict(rename_weights(state)), "config": NETWORK}, path)
    return path


def rename_weights(state: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Weights of tabpfn 9.2's layout v2 under the names and in the shapes of tabpfn 2.2, which 9.2 reads, too."""
    import torch

    plain = {
        "feature_group_embedder": "encoder.5.layer",
        "target_embedder": "y_encoder.2.layer",
        "output_projection": "decoder_dict.standard",
    }
    attentions = {
        "per_sample_attention_between_features": "self_attn_between_features",
        "per_column_attention_between_cells": "self_attn_between_items",
    }
    n_heads = NETWORK["nhead"]
    for name, weight in state.items():
        if not name.startswith("blocks."):
            first, _, rest = name.partition(".")
            yield f"{plain.get(first, first)}.{rest}", weight
    for layer in range(NETWORK["nlayers"]):
        new, old = f"blocks.{layer}", f"transformer_encoder.layers.{layer}"
        yield f"{old}.mlp.linear1.weight", state[f"{new}.mlp.0.weight"]
        yield f"{old}.mlp.linear2.weight", state[f"{new}.mlp.2.weight"]
        for ours, theirs in attentions.items():
            parts = [state[f"{new}.{ours}.{part}_projection.weight"].unflatten(0, (n_heads, -1)) for part in "qkv"]
            yield f"{old}.{theirs}._w_qkv", torch.stack(parts)
            out = state[f"{new}.{ours}.out_projection.weight"]
            yield f"{old}.{theirs}._w_out", out.T.unflatten(0, (n_heads, -1)).contiguous()


def make_job(generator: TabEbmGenerator, train: Table) -> dict[str, np.ndarray]:
    """What the package is asked about a table: see ``tabebm_reference.py``."""
    rng = np.random.default_rng(1)
    coded = generator.coder_.encode(train.X)
    labels = list(generator.shares_.index)
    job = {
        "X": coded,
        "y": np.array([labels.index(label) for label in train.y]),
        "n_classes": len(labels),
        "n_rows": N_ROWS,
        "seeds": np.array(SEEDS),
        "step_size": generator.step_size,
        "noise_scale": generator.noise_scale,
    }
    for code, label in enumerate(labels):
        context, negatives = generator.contexts_[label], generator.negatives_[label]
        mixed = coded[rng.integers(len(coded), size=N_POINTS)] * rng.uniform(0, 3, size=(N_POINTS, 1))
        start = context[rng.integers(len(context), size=N_WALKS)]
        job |= {
            f"context_{code}": context,
            f"negatives_{code}": negatives,
            f"points_{code}": np.vstack([context, negatives, mixed]),
            f"start_{code}": start,
            f"noise_{code}": rng.standard_normal((generator.n_steps, *start.shape)),
        }
    return job


def ask_reference(python: Path, checkpoint: Path, job: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The package's answer, which is kept beside the checkpoint: only another job or checkpoint asks again."""
    script = Path(__file__).with_name("tabebm_reference.py")
    asked = hashlib.sha256(checkpoint.read_bytes() + script.read_bytes())
    for name, value in job.items():
        asked.update(name.encode() + np.ascontiguousarray(value).tobytes())
    answer = checkpoint.with_name(f"answer-{asked.hexdigest()[:16]}.npz")
    if not answer.exists():
        with tempfile.TemporaryDirectory(dir=checkpoint.parent) as folder:
            question, unfinished = Path(folder) / "job.npz", Path(folder) / "answer.npz"
            np.savez(question, **job)
            subprocess.run([python, script, checkpoint, question, unfinished], check=True)
            unfinished.replace(answer)
    return dict(np.load(answer))


def compare_exactly(generator: TabEbmGenerator, job: dict, answer: dict) -> list[dict]:
    """Largest differences of energies and walks, for each class."""
    found = []
    with single_thread():
        for code, label in enumerate(generator.shares_.index):
            labels, logits = next(entry for entry in generator._passes if label in entry[0])
            place, shape = labels.index(label), job[f"points_{code}"].shape
            points = np.broadcast_to(job[f"points_{code}"], (len(labels), *shape))
            both = logits(logits.tensor(points.copy()))[place]
            energies = _energy.compute_energy(both, "log_sum_exp", temperature=generator.temperature)
            start, noise = job[f"start_{code}"], iter(job[f"noise_{code}"])
            walked = generator._walk(
                logits,
                np.stack([start] * len(labels)),
                draw=lambda shape, noise=noise: np.broadcast_to(next(noise), shape).copy(),
                n_rows=[len(start)] * len(labels),
            )[place]
            by_noise = start + generator.noise_scale * job[f"noise_{code}"].sum(axis=0)
            found += [
                {"class": label, "measure": measure, "value": float(value)}
                for measure, value in {
                    "energy difference": np.abs(energies.numpy() - answer[f"energy_{code}"]).max(),
                    "energy range": np.ptp(answer[f"energy_{code}"]),
                    "walk difference": np.abs(walked - answer[f"walked_{code}"]).max(),
                    "walk by gradient": np.abs(answer[f"walked_{code}"] - by_noise).max(),
                    "context unchanged": answer[f"unchanged_{code}"],
                }.items()
            ]
    return found


def compare_rows(generator: TabEbmGenerator, job: dict, answer: dict) -> list[dict]:
    """p-values of the package's rows against ours, and against ours with twice the noise, for each seed and class."""
    noisy = copy.copy(generator).set_params(noise_scale=2 * generator.noise_scale)
    found = []
    wanted = dict.fromkeys(generator.shares_.index, N_ROWS)
    for seed in SEEDS:
        drawn = {
            "ours": generator.draw_coded(wanted, rng=np.random.default_rng([seed, 0])),
            "ours with twice the noise": noisy.draw_coded(wanted, rng=np.random.default_rng([seed, 1])),
        }
        for (name, rows), (code, label) in (
            (entry, pair) for entry in drawn.items() for pair in enumerate(generator.shares_.index)
        ):
            theirs, context = answer[f"rows_{seed}_{code}"], generator.contexts_[label]
            views = {"rows": (theirs, rows[label]), "moves": (_moves(theirs, context), _moves(rows[label], context))}
            found += [
                {
                    "class": label,
                    "measure": f"p, {view} of {name}",
                    "seed": seed,
                    "value": energy_test(*pair, rng=np.random.default_rng([seed, 2])),
                }
                for view, pair in views.items()
            ]
    return found


def _moves(rows: np.ndarray, context: np.ndarray) -> np.ndarray:
    """How far each row is from the nearest real row, one number a row."""
    return cdist(rows, context).min(axis=1, keepdims=True)


def energy_test(first: np.ndarray, second: np.ndarray, *, rng: np.random.Generator) -> float:
    """p-value of the permutation test of the energy distance: do both samples come from one distribution?"""
    distances = cdist(pooled := np.vstack([first, second]), pooled)

    def statistic(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
        signs = np.zeros((*a.shape[:-1], len(pooled)))
        np.put_along_axis(signs, a.astype(int), 1 / a.shape[-1], axis=-1)
        np.put_along_axis(signs, b.astype(int), -1 / b.shape[-1], axis=-1)
        return -np.sum((signs @ distances) * signs, axis=-1)

    places = np.arange(len(pooled))
    result = permutation_test(
        (places[: len(first)], places[len(first) :]),
        statistic,
        vectorized=True,
        n_resamples=N_RESAMPLES,
        alternative="greater",
        batch=200,
        rng=rng,
    )
    return float(result.pvalue)


def judge(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """The goals, what was reached, and whether that is enough."""
    verdicts = {}
    for name in ("energy", "walk"):
        found = float(frame.loc[frame["measure"] == f"{name} difference", "value"].max())
        verdicts[f"{name} within tolerance"] = {"goal": TOLERANCE, "found": found, "reached": found <= TOLERANCE}
    # Two views of the same rows: the smaller p-value counts twice.
    own = min(1.0, 2 * min(combine(frame, f"p, {view} of ours") for view in ("rows", "moves")))
    verdicts["rows not told apart"] = {"goal": LEVEL, "found": own, "reached": own >= LEVEL}
    noisy = combine(frame, "p, moves of ours with twice the noise")
    verdicts["twice the noise told apart"] = {"goal": LEVEL, "found": noisy, "reached": noisy < LEVEL}
    return verdicts


def combine(frame: pd.DataFrame, measure: str) -> float:
    """One p-value from all tests of a measure, by Fisher's method over tables and seeds.

    The package gives all classes of a call the same noise, so their tests depend on each other: of each call the
    smallest p-value counts, times the number of classes.
    """
    calls = frame[frame["measure"] == measure].groupby(["table", "seed"])["value"]
    return float(combine_pvalues((calls.min() * calls.size()).clip(upper=1), method="fisher").pvalue)


def hash_code() -> str:
    """Hash of the code that draws rows, without comments and docstrings; it depends on Python's minor version."""
    sources = [inspect.getsource(part) for part in (tabebm, _energy, _coding, tabpfn_bridge.QueryLogits)]
    trees = [ast.parse(source) for source in sources]
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return hashlib.sha256("\n".join(map(ast.dump, trees)).encode()).hexdigest()[:16]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference-python", type=Path, required=True, help="of the environment with the package")
    parser.add_argument(
        "--store", type=Path, default=ROOT / "runs" / "compare_tabebm", help="keeps checkpoint and answers"
    )
    parser.add_argument("--export", type=Path, default=RESULTS, help="folder to write to (default: book/results)")
    options = parser.parse_args()
    code = hash_code()
    checkpoint = write_shared_checkpoint(options.store)
    found, versions = [], None
    for name in TABLES:
        train, _, _ = scarce_split(load_table(name), n=N, split=0)
        generator = TabEbmGenerator(weights=checkpoint, device="cpu", **PUBLISHED_PACKAGE)
        generator.fit(train, rng=np.random.default_rng(0))
        job = make_job(generator, train)
        answer = ask_reference(options.reference_python, checkpoint, job)
        versions = dict(entry.split() for entry in answer["versions"].tolist())
        measured = compare_exactly(generator, job, answer) + compare_rows(generator, job, answer)
        found += [{"table": name, "seed": -1, **entry} for entry in measured]
        print(pd.DataFrame(measured).groupby("measure")["value"].agg(["min", "median", "max"]), flush=True)
    frame = pd.DataFrame(found)[["table", "class", "measure", "seed", "value"]]
    provenance = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": "python benchmarks/compare_tabebm.py --reference-python PYTHON",
        "code": code,
        "options": PUBLISHED_PACKAGE,
        "reference": versions | {"classes_of_the_energy": int(answer["classes_of_the_energy"])},
        "checkpoint": {
            "layout": SETTINGS.layout,
            "network": NETWORK,
            "steps": SETTINGS.steps,
            "sha256": hashlib.sha256(checkpoint.read_bytes()).hexdigest(),
        },
        "rows": {"train": N * 2 // 3, "drawn_per_class": N_ROWS, "permutations": N_RESAMPLES},
        "verdicts": judge(frame),
        "environment": describe_environment(),
    }
    write_whole(options.export / f"{NAME}.parquet", frame)
    write_whole(options.export / f"{NAME}.json", provenance)
    for goal, verdict in provenance["verdicts"].items():
        print(goal, verdict)


if __name__ == "__main__":
    main()
