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
from tqdm import tqdm

from causalmix_utils.benchmark import TOLERANCE, find_run, read_results, repeat_run
from causalmix_utils.benchmark.environment import describe_environment
from causalmix_utils.benchmark.export import write_whole

RESULTS = Path(__file__).resolve().parents[1] / "book" / "results"


def check_reruns(folder: Path, name: str, n_runs: int, *, seed: int) -> list[dict]:
    """For each run drawn: its identity, its test AUC as stored and again, and the largest difference of any metric."""
    results, _ = read_results(folder, name=name)
    drawn = np.random.default_rng(seed).choice(results["id"].to_numpy(), min(n_runs, len(results)), replace=False)
    lines = []
    for identity in tqdm(drawn, disable=None):
        comparison, _ = repeat_run(find_run(identity, folder, name=name))
        auc = comparison.set_index("metric").loc["auc"]
        lines.append(
            {"id": str(identity), "auc": auc["stored"], "auc_again": auc["again"]}
            | {"auc_difference": auc["difference"], "largest_difference": float(comparison["difference"].max())}
        )
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default="paper", help="profile of the stored results (default: paper)")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    lines = check_reruns(RESULTS, options.name, options.runs, seed=options.seed)
    differing = [line["id"] for line in lines if not line["auc_difference"] <= TOLERANCE]
    command = f"python benchmarks/check_reruns.py --name {options.name} --runs {options.runs} --seed {options.seed}"
    stored, provenance = read_results(RESULTS, name=options.name)
    commits = stored.set_index("id").loc[[line["id"] for line in lines], "commit"].unique()
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
