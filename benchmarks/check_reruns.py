"""Make stored runs of the benchmark again, drawn at random, and compare the numbers.

    python benchmarks/check_reruns.py                    # twenty runs of the profile "paper"

On the machine that stored them they must agree to 10⁻⁶. Writes ``book/results/reruns.json``, and exits with status 1
if a test AUC differs by more.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from causalmix_utils.benchmark import TOLERANCE, StoredRun, find_run, read_results, repeat_run
from causalmix_utils.benchmark.environment import describe_environment
from causalmix_utils.benchmark.export import write_whole

RESULTS = Path(__file__).resolve().parents[1] / "book" / "results"


def draw_runs(results: pd.DataFrame, n_runs: int, *, seed: int) -> list[str]:
    """Identities of so many of the runs, or of all if there are fewer."""
    drawn = np.random.default_rng(seed).choice(results["id"].to_numpy(), min(n_runs, len(results)), replace=False)
    return [str(identity) for identity in drawn]


def check_reruns(runs: list[StoredRun]) -> list[dict]:
    """For each run: its identity, its test AUC as stored and again, and the largest difference of any metric."""
    lines = []
    for run in tqdm(runs, disable=None):
        comparison, _ = repeat_run(run)
        auc = comparison.set_index("metric").loc["auc"]
        lines.append(
            {"id": run.settings.identity, "auc": auc["stored"], "auc_again": auc["again"]}
            | {"auc_difference": auc["difference"], "largest_difference": float(comparison["difference"].max())}
        )
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default="paper", help="profile of the stored results (default: paper)")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    stored, provenance = read_results(RESULTS, name=options.name)
    drawn = draw_runs(stored, options.runs, seed=options.seed)
    lines = check_reruns([find_run(identity, RESULTS, name=options.name) for identity in drawn])
    differing = [line["id"] for line in lines if not line["auc_difference"] <= TOLERANCE]
    command = f"python benchmarks/check_reruns.py --name {options.name} --runs {options.runs} --seed {options.seed}"
    commits = stored.set_index("id").loc[drawn, "commit"].unique()
    about = {
        "command": command,
        "name": options.name,
        "seed": options.seed,
        "drawn_from": len(stored),
        "exported_at": provenance["exported_at"],
        "commits": sorted(commits),
    }
    report = about | {"tolerance": TOLERANCE, "differing": differing, "runs": lines}
    write_whole(RESULTS / "reruns.json", report | {"environment": describe_environment()})
    print(f"{len(lines)} runs made again, {len(differing)} with another test AUC")
    return int(bool(differing))


if __name__ == "__main__":
    sys.exit(main())
