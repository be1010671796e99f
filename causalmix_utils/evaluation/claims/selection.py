"""Which of the stored runs a verdict rests on."""

from __future__ import annotations

import pandas as pd

from causalmix_utils.arguments import check_columns
from causalmix_utils.evaluation.gains import add_gains


def select_runs(results: pd.DataFrame, *, regime: int | None = None) -> pd.DataFrame:
    """The runs of one regime, with gains.

    Parameters
    ----------
    results : DataFrame
        One row for each run; see `causalmix_utils.evaluation`.
    regime : int, optional
        Rows of the train and validation parts together; by default the largest regime.

    Returns
    -------
    DataFrame

    Raises
    ------
    ValueError
        If a column is missing, there are no such runs, or they start from several checkpoints.
    """
    check_columns("results", results, ["table", "split", "arm", "regime"], allow_empty=False)
    wanted = results["regime"].max() if regime is None else regime
    runs = results[results["regime"] == wanted]
    if runs.empty:
        raise ValueError(f"regime={regime} has no runs; the regimes are {sorted(results['regime'].unique())}")
    if "checkpoint" in runs and runs["checkpoint"].nunique() > 1:
        raise ValueError(f"results mixes the checkpoints {sorted(runs['checkpoint'].unique())}; select one")
    return add_gains(runs)


def name_checkpoint(runs: pd.DataFrame) -> str:
    """Name and hash of the weights that runs started from."""
    hashed = runs["checkpoint"].iloc[0] if "checkpoint" in runs else ""
    return f"{runs['weights'].iloc[0]} {hashed}".strip() if "weights" in runs else hashed
