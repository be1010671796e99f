"""Which mechanism for which node? Linear, boosting, and rules that choose between them, on the development tables.

    python benchmarks/choose_mechanisms.py

For each development table with headroom, number of rows and split, graphs are drawn from edge probabilities, and every
node with parents gets a linear and a boosted mechanism, fitted to the train rows. Both predict up to 500 other
rows. The *skill* is the share of the loss (squared error, or Brier score) that the parents save against the node's
own distribution; 0 or less means that they are of no use. The rules: always one kind; ``by rows``, which is what
``mechanisms="auto"`` does; ``by folds``, whichever is better in three-fold cross-validation on the train rows; and
``better in hindsight``, which no rule can beat.

Prints mean skills, over the tables that are large enough for all numbers of rows, and writes
``book/results/mechanisms.parquet``, one node a row, and ``mechanisms.json``.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from causalmix_utils.benchmark.environment import describe_environment
from causalmix_utils.benchmark.export import write_whole
from causalmix_utils.discovery import edge_probabilities
from causalmix_utils.folds import assign_folds
from causalmix_utils.graphs import sample_dag
from causalmix_utils.scm.fitting import ROWS_FOR_BOOSTING, prepare_frame
from causalmix_utils.scm.mechanisms import make_mechanism
from causalmix_utils.tables import Table, load_table, scarce_split
from causalmix_utils.threads import single_thread

RESULTS = Path(__file__).resolve().parents[1] / "book" / "results"
NAME = "mechanisms"

TABLES = ("attrition", "auto-origin", "phoneme", "saratoga", "tae", "titanic")
"""The development tables on which no model reaches an AUC of 0.97."""

ROWS, SPLITS, DAGS, TEST_ROWS, FOLDS = (60, 100, 133, 200, 400), 2, 3, 500, 3
KINDS = ("linear", "boosting")


def measure(table: Table, n_rows: int, split: int) -> list[dict]:
    """One line for each node and parent set of some graphs."""
    train, _, test = scarce_split(table, n=round(1.5 * n_rows), split=split, max_test=TEST_ROWS)
    rng = np.random.default_rng(split)
    P = edge_probabilities(train, n_resamples=5, rng=rng)
    dags = [sample_dag(P, rng=rng) for _ in range(DAGS)]
    pairs = sorted(
        {(node, tuple(sorted(dag.predecessors(node)))) for dag in dags for node in dag if dag.in_degree(node)}
    )
    seen, new = prepare_frame(train), prepare_frame(test)
    categorical = [*train.categorical, train.target]
    lines = []
    for node, parents in pairs:
        folds = assign_folds(np.zeros(len(train)), FOLDS, rng=rng)
        parts = [(seen[folds != fold], seen[folds == fold]) for fold in range(FOLDS)]
        line = {"table": table.name, "rows": len(train), "split": split, "node": node, "parents": len(parents)}
        for kind in KINDS:
            line[kind] = score(kind, node, parents, seen, new, categorical)
            inside = [score(kind, node, parents, *part, categorical) for part in parts]
            line[f"{kind} in folds"] = float(np.mean(inside))
        lines.append(line | {"is_number": node not in categorical, "rows_present": int(seen[node].notna().sum())})
    return lines


def score(
    kind: str, node: str, parents: tuple[str, ...], seen: pd.DataFrame, new: pd.DataFrame, categorical: list[str]
) -> float:
    """Skill on the rows `new` of a mechanism that is fitted to the rows `seen`."""
    seen, new = seen[seen[node].notna()], new[new[node].notna()]
    levels = [sorted(seen[parent].dropna().unique()) if parent in categorical else None for parent in parents]
    is_number = node not in categorical
    if len(new) == 0 or len(seen) < 2 or seen[node].nunique() < 2:
        return np.nan
    mechanism = make_mechanism(kind, levels, n_classes=None if is_number else seen[node].nunique())
    X, X_new = (frame[list(parents)].to_numpy(dtype=object) for frame in (seen, new))
    mechanism.fit(X=X, Y=seen[node].to_numpy())
    if is_number:
        truth = new[node].to_numpy(dtype=float)[:, None]
        given, alone = mechanism.prediction_model.predict(X_new), float(seen[node].mean())
    else:
        classes = mechanism.classifier_model.classes
        truth = np.array([[value == level for level in classes] for value in new[node]], dtype=float)
        given = mechanism.estimate_probabilities(X_new)
        alone = seen[node].value_counts(normalize=True)[classes].to_numpy()
    loss, reference = ((truth - given) ** 2).sum(), ((truth - alone) ** 2).sum()
    return float(1 - loss / reference) if reference > 0 else np.nan


def apply_rules(frame: pd.DataFrame) -> pd.DataFrame:
    """Skills by rule, one node a row; a skill below -1 counts as -1, since one unlucky node is not all."""
    linear, boosting = (frame[kind].clip(lower=-1) for kind in KINDS)
    return pd.DataFrame(
        {
            "linear": linear,
            "boosting": boosting,
            "by rows": boosting.where(frame["rows_present"] >= ROWS_FOR_BOOSTING, linear),
            "by folds": boosting.where(frame["boosting in folds"] > frame["linear in folds"], linear),
            "better in hindsight": np.maximum(linear, boosting),
        }
    )


def average(frame: pd.DataFrame, rules: pd.DataFrame) -> pd.DataFrame:
    """Mean skill of each rule by rows, over the tables that are large enough for all numbers of rows.

    Every table counts equally. With other tables at each number of rows, the means would differ for that alone.
    """
    sizes = frame.groupby("table")["asked"].nunique()
    chosen = frame["table"].isin(sizes.index[sizes == sizes.max()])
    by_table = rules[chosen].groupby([frame.loc[chosen, "asked"], frame.loc[chosen, "table"]]).mean()
    return by_table.groupby("asked").mean()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--export", type=Path, default=RESULTS, help="folder to write to (default: book/results)")
    options = parser.parse_args()
    tasks = [(name, n_rows, split) for name in TABLES for n_rows in ROWS for split in range(SPLITS)]
    lines = []
    with single_thread():
        for name, n_rows, split in tqdm(tasks, disable=None):
            if n_rows <= 0.45 * len(load_table(name)):  # A table that is too small would repeat itself.
                lines += [line | {"asked": n_rows} for line in measure(load_table(name), n_rows, split)]
    frame = pd.DataFrame(lines).dropna(ignore_index=True)
    rules = apply_rules(frame)
    means, sizes = average(frame, rules), frame.groupby("table")["asked"].nunique()
    report = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": "python benchmarks/choose_mechanisms.py",
        "tables": list(TABLES),
        "tables_of_the_means": sorted(name for name, n in sizes.items() if n == sizes.max()),
        "splits": SPLITS,
        "graphs": DAGS,
        "mean_skill_by_rows": means.round(4).to_dict(orient="index"),
        "environment": describe_environment(),
    }
    options.export.mkdir(parents=True, exist_ok=True)
    print(write_whole(options.export / f"{NAME}.parquet", frame.join(rules, rsuffix=" (clipped)")))
    print(write_whole(options.export / f"{NAME}.json", report))
    print(means.round(3).to_string())
    for kind, part in rules.groupby(frame["is_number"].map({True: "numbers", False: "categories"})):
        print(kind, part.groupby(frame.loc[part.index, "asked"]).mean().round(3).to_string(), sep="\n")


if __name__ == "__main__":
    main()
