"""The published TabEBM package's side of ``compare_tabebm.py``; runs in an environment of its own.

    python -m venv FOLDER && FOLDER/bin/pip install tabebm==2025.8.19 tabpfn==2.2.1
    FOLDER/bin/python benchmarks/tabebm_reference.py CHECKPOINT JOB.npz ANSWER.npz

A job holds a standardised table and what our generator has read of each of its classes. The answer holds the package's
energies of given points, its walks from given starts with given noise, and rows that it generates on its own. It uses
neither this project nor the network.
"""

import os
import sys
from importlib.metadata import version

os.environ["TABPFN_DISABLE_TELEMETRY"] = "1"

import numpy as np
import torch
from tabebm.TabEBM import TabEBM


def make_model(checkpoint: str) -> TabEBM:
    model = TabEBM()
    model.device = model.model.device = "cpu"
    model.model.model_path = checkpoint
    return model


def read_class(model: TabEBM, context: np.ndarray, negatives: np.ndarray, label: int) -> bool:
    """Let the package read real rows and corners; returns whether the library has left them as they are."""
    X = torch.from_numpy(np.vstack([context, negatives])).float()
    y = torch.cat([torch.zeros(len(context)), torch.ones(len(negatives))]).long()
    model._fit_predictor_cached(X, y, label)
    prepared = model.model.executor_.X_trains[0][0]
    return prepared.shape == X.shape and bool(torch.equal(prepared.float(), X))


def compute_energies(model: TabEBM, points: np.ndarray) -> np.ndarray:
    """The package's function on the logits of its model, which has both classes as long as it has not walked."""
    with torch.no_grad():
        logits = model.model.forward([torch.from_numpy(points).float()[None]], return_logits=True)
    return TabEBM.compute_energy(logits[0].T).numpy()


def walk(model: TabEBM, start: np.ndarray, noise: np.ndarray, options: dict[str, float]) -> tuple[np.ndarray, int]:
    """The package's chains from a start; returns where they end, and how many classes the energy looks at."""
    X, y = torch.from_numpy(start).float(), torch.zeros(len(start), dtype=torch.long)
    X = model._prepare_tabpfn_batch_data(X, y)["X_train"][0].requires_grad_(True)
    end = model._perform_sgld_sampling(
        X, torch.from_numpy(noise).float()[:, None], options["step_size"], options["noise_scale"], len(noise), False
    )
    return end.detach()[0].numpy(), int(model.model.n_classes_)


def main(checkpoint: str, job_file: str, answer_file: str) -> None:
    torch.set_num_threads(1)
    job = dict(np.load(job_file))
    options = {name: float(job[name]) for name in ("step_size", "noise_scale")}
    answer = {"versions": np.array([f"{name} {version(name)}" for name in ("tabebm", "tabpfn", "torch", "numpy")])}
    for label in range(int(job["n_classes"])):
        model = make_model(checkpoint)
        answer[f"unchanged_{label}"] = read_class(model, job[f"context_{label}"], job[f"negatives_{label}"], label)
        answer[f"energy_{label}"] = compute_energies(model, job[f"points_{label}"])
        walked, n_seen = walk(model, job[f"start_{label}"], job[f"noise_{label}"], options)
        answer[f"walked_{label}"], answer["classes_of_the_energy"] = walked, n_seen
    for seed in job["seeds"]:
        # A new object for each call: a second call would go on with the network of the last class of the first.
        rows = make_model(checkpoint).generate(job["X"], job["y"], num_samples=int(job["n_rows"]), seed=int(seed))
        for label in range(int(job["n_classes"])):
            answer[f"rows_{seed}_{label}"] = rows[f"class_{label}"]
    np.savez(answer_file, **answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
