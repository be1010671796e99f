"""How the embedded checkpoint should see a table, and how many views of it should be averaged.

    python benchmarks/choose_inference.py --export book/results

Every setting predicts the same test rows of the development tables from 200 context rows. No reported table is read.
Means over tables hide that a setting may help one table and harm another, so the scores are stored table by table.
"""

from __future__ import annotations

import argparse
import time
from datetime import date
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from causalmix_utils.benchmark.export import write_whole
from causalmix_utils.foundation import EMBEDDED_WEIGHTS, checkpoint_provenance, load_classifier
from causalmix_utils.metrics import log_loss, roc_auc
from causalmix_utils.tables import list_tables, load_table, scarce_split
from causalmix_utils.threads import single_thread

PREPARATIONS = {
    # what is done with the numbers and with the categories' codes; the views take turns
    "as they are": [("none", "numeric")],
    "as they are, and one-hot": [("none", "numeric"), ("none", "onehot")],
    "as they are, codes shuffled": [("none", "ordinal_shuffled")],
    "as they are, and squashed": [("none", "numeric"), ("squashing_scaler_default", "numeric")],
    "as they are, and ranks": [("none", "numeric"), ("quantile_uni_coarse", "numeric")],
}
"""The settings that are compared, in the words of the tabpfn library."""

CHOSEN = "as they are, and ranks"
VIEWS = (1, 2, 4, 8, 16)


def list_settings() -> list[tuple[str, int]]:
    """Preparations at four views, and numbers of views with the chosen preparation."""
    return [(name, 4) for name in PREPARATIONS] + [(CHOSEN, views) for views in VIEWS if views != 4]


def score(preparation: str, n_estimators: int, context, test, *, weights: str, seed: int) -> dict[str, float]:
    transforms = [
        {"name": numbers, "categorical_name": categories} for numbers, categories in PREPARATIONS[preparation]
    ]
    begun = time.process_time()
    model = load_classifier(
        weights,
        n_estimators=n_estimators,
        random_state=seed,
        device="cpu",
        inference_config={"PREPROCESS_TRANSFORMS": transforms},
    ).fit(context.X, context.y)
    proba = model.predict_proba(test.X)
    return {
        "auc": roc_auc(test.y, proba, model.classes_),
        "log_loss": log_loss(test.y, proba, model.classes_),
        "seconds": time.process_time() - begun,
    }


def compare(weights: str, n_splits: int) -> pd.DataFrame:
    """One row for each table, split and setting; tables that are easy for every model are left out."""
    tables = list_tables("development")
    names = tables.loc[tables[["lr_auc", "rf_auc"]].min(axis=1) < 0.97, "name"]
    rows = []
    for name in tqdm(names, unit="table", disable=None):
        for split in range(n_splits):
            train, validation, test = scarce_split(load_table(name), n=200, split=split, max_test=1000)
            context = train.concat(validation)
            for preparation, views in list_settings():
                scores = score(preparation, views, context, test, weights=weights, seed=split)
                rows.append({"table": name, "split": split, "preparation": preparation, "views": views, **scores})
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default=EMBEDDED_WEIGHTS)
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--export", type=Path, help="write inference_choices.parquet and .json to this folder")
    options = parser.parse_args()
    with single_thread():
        scores = compare(options.weights, options.splits)
    means = scores.groupby(["preparation", "views", "table"])[["auc", "log_loss", "seconds"]].mean()
    print(means.groupby(["preparation", "views"]).mean().round(4).to_string())
    if options.export:
        write_whole(options.export / "inference_choices.parquet", scores)
        provenance = {
            "command": "python benchmarks/choose_inference.py --export book/results",
            "date": date.today().isoformat(),
            "checkpoint": checkpoint_provenance()["sha256"] if options.weights == EMBEDDED_WEIGHTS else options.weights,
            "tables": sorted(scores["table"].unique()),
            "splits": options.splits,
            "context_rows": 200,
        }
        write_whole(options.export / "inference_choices.json", provenance)


if __name__ == "__main__":
    main()
