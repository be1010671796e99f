"""Make stored runs of the benchmark again, drawn at random from every arm and commit, and compare the numbers.

    python benchmarks/check_reruns.py                    # twenty runs of the profile "paper"

On the machine that stored them they must agree to 10⁻⁶. Writes ``book/results/reruns.json``, and exits with status 1
if a test AUC differs by more.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from causalmix_utils.benchmark import TOLERANCE, StoredRun, find_run, read_results, repeat_run
from causalmix_utils.benchmark.environment import describe_environment
from causalmix_utils.benchmark.export import write_whole

RESULTS = Path(__file__).resolve().parents[1] / "book" / "results"
BALANCED = ("arm", "commit", "regime")


def draw_runs(results: pd.DataFrame, n_runs: int, *, seed: int) -> list[str]:
    """Identities of so many of the runs, or of all if there are fewer.

    A grid is made over many hours, by several commits. So runs are drawn at random, but each one from an arm, a commit
    and a regime that have had the fewest so far.
    """
    left = results.sample(frac=1, random_state=seed)
    drawn: list[str] = []
    counts = {column: dict.fromkeys(left[column], 0) for column in BALANCED}
    while len(drawn) < min(n_runs, len(results)):
        seen = sum(left[column].map(counts[column]) for column in BALANCED)
        row = left.loc[seen.idxmin()]
        drawn.append(str(row["id"]))
        left = left.drop(index=row.name)
        for column in BALANCED:
            counts[column][row[column]] += 1
    return drawn


def check_reruns(runs: list[StoredRun]) -> list[dict]:
    """For each run: its identity, its test AUC as stored and again, and the largest difference of any metric."""
    lines = []
    for run in tqdm(runs, disable=None):
        comparison, _ = repeat_run(run)
        auc = comparison.set_index("metric").loc["auc"]
        lines.append(
            {"id": run.settings.identity, "arm": run.settings.arm, "regime": run.settings.regime}
            | {"commit": run.environment["commit"], "auc": auc["stored"], "auc_again": auc["again"]}
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
