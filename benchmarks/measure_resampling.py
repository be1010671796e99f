"""False edges and power of PC and FCI under several ways of resampling the rows.

    python benchmarks/measure_resampling.py --tables 20
    python benchmarks/measure_resampling.py --copies --tables 20
    python benchmarks/measure_resampling.py --blanket --tables 20

Two kinds of simulated table: independent columns, where every edge is false, and a random graph of mixed columns,
where the share of true adjacencies found is the power. The last column is the target. Prints a table of
means over simulated tables: expected edges on independent columns, expected false edges, power, power at the
target, and the share of sampled graphs in which the target has no neighbour.

With ``--copies``: one of two causes of the target gets a twin of a given correlation. Printed is how sure the edge from
the cause or its twin to the target still is, whichever is surer, if the twin takes part in the search, and by default.

With ``--blanket``: how much of the target's true Markov blanket is among the columns that `blanket_probabilities` puts
above a threshold, and how many of these columns are in the blanket, for several levels of the tests.
"""

import argparse

import networkx as nx
import numpy as np
import pandas as pd

from causalmix_utils.discovery import edge_probabilities
from causalmix_utils.graphs import blanket_probabilities, markov_blanket, random_dag, sample_dag
from causalmix_utils.tables import Table

SCHEMES = {
    "all rows": {"sample_fraction": 1.0, "n_resamples": 1},
    "bootstrap": {"resampling": "bootstrap", "sample_fraction": 1.0},
    "subsample 1/2": {"sample_fraction": 0.5},
    "subsample 0.65": {"sample_fraction": 0.65},
    "subsample 0.8": {"sample_fraction": 0.8},
    "subsample 0.9": {"sample_fraction": 0.9},
}


def simulate(n_rows: int, n_features: int, n_edges: int, rng: np.random.Generator) -> tuple[Table, nx.DiGraph]:
    """Draw a table of mixed columns from a random graph: even columns numerical, odd ones of three levels."""
    nodes = [f"x{place}" for place in range(n_features)] + ["y"]
    dag = random_dag(nodes, n_edges, rng=rng)
    scores = {}
    for node in nx.topological_sort(dag):
        effects = [rng.choice([-1, 1]) * rng.uniform(0.4, 0.9) * scores[parent] for parent in dag.predecessors(node)]
        scores[node] = np.sum(effects, axis=0) + rng.normal(size=n_rows)
        scores[node] = (scores[node] - scores[node].mean()) / scores[node].std()
    frame = pd.DataFrame({node: scores[node] for node in nodes})
    for node in nodes[1::2]:
        frame[node] = np.digitize(frame[node], [-0.6, 0.6]).astype(str)
    frame["y"] = np.where(scores["y"] + 0 > 0, "yes", "no")
    return Table.from_frame(frame, target="y"), dag


def measure(table: Table, dag: nx.DiGraph, options: dict, alpha: float, rng: np.random.Generator) -> dict[str, float]:
    """Compare edge probabilities with the graph that the table was drawn from."""
    options = {"n_resamples": 10, **options}
    P = edge_probabilities(table, rng=rng, alpha=alpha, **options)
    pairs = (P + P.T).to_numpy()
    truth = nx.to_numpy_array(dag, nodelist=list(P.columns))
    truth = (truth + truth.T) > 0
    upper = np.triu(np.ones_like(truth, dtype=bool), 1)
    at_target = np.zeros_like(truth)
    at_target[:, -1] = True
    alone = [sample_dag(P, rng=rng, connect_target=False).degree(table.target) == 0 for _ in range(20)]
    return {
        "false edges": pairs[upper & ~truth].sum(),
        "power": pairs[upper & truth].mean() if (upper & truth).any() else np.nan,
        "power at target": pairs[upper & truth & at_target].mean() if (upper & truth & at_target).any() else np.nan,
        "target alone": np.mean(alone),
    }


def measure_copies(n_rows: int, correlation: float, rng: np.random.Generator) -> dict[str, float]:
    """Edge probability at the target of a cause or its twin, the larger one, with and without the rule for copies."""
    X = rng.normal(size=(n_rows, 6))
    frame = pd.DataFrame(X, columns=list("abcdef"))
    frame["y"] = np.where(1.2 * X[:, 0] + 0.8 * X[:, 1] + rng.logistic(size=n_rows) > 0, "yes", "no")
    frame.insert(6, "twin", correlation * X[:, 0] + np.sqrt(1 - correlation**2) * rng.normal(size=n_rows))
    table = Table.from_frame(frame, target="y")
    found = {}
    for name, options in {"twin searched": {"collinearity": 1.0}, "default": {}}.items():
        P = edge_probabilities(table, rng=rng, n_resamples=5, **options)
        found[name] = (P + P.T).loc[["a", "twin"], "y"].max()
    return found


def measure_blanket(n_rows: int, alpha: float, seed: int) -> list[dict]:
    """Recall and precision of the columns above a threshold, against the true Markov blanket of the target."""
    rng = np.random.default_rng(seed)
    table, dag = simulate(n_rows, 15, 24, rng)
    true = markov_blanket(dag, "y")
    chances = blanket_probabilities(edge_probabilities(table, rng=rng, alpha=alpha, n_resamples=10))
    rows = []
    for threshold in (0.1, 0.2, 0.5):
        kept = set(chances.index[chances >= threshold])
        hits = len(kept & true)
        recall, precision = hits / len(true) if true else np.nan, hits / len(kept) if kept else np.nan
        rows.append({"threshold": threshold, "recall": recall, "precision": precision, "columns": len(kept)})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=20, help="simulated tables of each kind")
    parser.add_argument("--rows", type=int, nargs="+", default=[133, 400])
    parser.add_argument("--alphas", type=float, nargs="+", default=[0.05])
    parser.add_argument("--copies", action="store_true", help="measure what a near-copy of a cause does")
    parser.add_argument("--blanket", action="store_true", help="measure how much of the target's blanket is found")
    options = parser.parse_args()
    if options.copies:
        frame = pd.DataFrame(
            {"rows": n_rows, "correlation": r, **measure_copies(n_rows, r, np.random.default_rng(seed))}
            for n_rows in options.rows
            for r in (0.0, 0.7, 0.8, 0.9, 0.94, 0.97, 0.985)
            for seed in range(options.tables)
        )
        print(frame.groupby(["rows", "correlation"]).mean().round(2).to_string())
        return
    if options.blanket:
        frame = pd.DataFrame(
            {"rows": n_rows, "alpha": alpha, **row}
            for n_rows in options.rows
            for alpha in options.alphas
            for seed in range(options.tables)
            for row in measure_blanket(n_rows, alpha, seed)
        )
        print(frame.groupby(["rows", "alpha", "threshold"]).mean().round(2).to_string())
        return
    results = []
    for n_rows in options.rows:
        for seed in range(options.tables):
            for kind, n_edges in (("independent", 0), ("dependent", 14)):
                table, dag = simulate(n_rows, 9, n_edges, np.random.default_rng(seed))
                for scheme, settings in SCHEMES.items():
                    for alpha in options.alphas:
                        scores = measure(table, dag, settings, alpha, np.random.default_rng(seed))
                        results.append({"rows": n_rows, "kind": kind, "alpha": alpha, "scheme": scheme, **scores})
    frame = pd.DataFrame(results)
    print(frame.groupby(["rows", "kind", "alpha", "scheme"], sort=False).mean().round(3).to_string())


if __name__ == "__main__":
    main()
