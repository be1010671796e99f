"""Which check a rule chooses on a training that `choose_finetuning` has stored, and what the rules did on many."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest, ttest_1samp

from causalmix_utils.finetuning import CausalMixFTClassifier
from causalmix_utils.finetuning.steps import LoopSettings
from causalmix_utils.finetuning.validating import choose_step

HARM = 0.01
"""A run does harm if its test AUC is lower than zero-shot by more than this."""

USUAL = CausalMixFTClassifier().get_params(deep=False)
RULES: dict[str, dict[str, Any]] = {
    "default": {},
    "gain of .005": {"min_validation_gain": 0.005},
    "gain of .01": {"min_validation_gain": 0.01},
    "gain of .02": {"min_validation_gain": 0.02},
    "log-loss": {"early_stopping_metric": "log_loss"},
    "log-loss, gain of .005": {"early_stopping_metric": "log_loss", "min_validation_gain": 0.005},
    "log-loss, gain of .01": {"early_stopping_metric": "log_loss", "min_validation_gain": 0.01},
    "log-loss, gain of .02": {"early_stopping_metric": "log_loss", "min_validation_gain": 0.02},
    "patience 3": {"patience": 3},
    "patience 3, growing": {"patience": 3, "patience_growth": 0.5},
    "last step": {"early_stopping": False},
}
"""How a check is chosen. Two more rules follow from what is stored: ``interpolated`` and ``widened validation``."""


def apply_rules(training: dict, record: dict) -> list[dict]:
    """One line for each rule: the check that it chooses, and its gains over zero-shot."""
    checks = pd.DataFrame(record["checks"])
    path, between = checks[checks["share"] == 1], checks[checks["share"] < 1]
    plain = path[[column for column in path if not column.startswith("widened")]]
    usual = LoopSettings(**{name: USUAL[name] for name in LoopSettings.__dataclass_fields__})
    chosen = {}
    for rule, options in RULES.items():
        step = choose_step(plain, replace(usual, **options))
        chosen[rule] = path.set_index("step").loc[step]
    default = chosen["default"]
    candidates = pd.concat([path[path["step"] == default.name], between[between["step"] == default.name]])
    chosen["interpolated"] = candidates.set_index("step").iloc[int(np.argmax(candidates["validation_auc"]))]
    if "widened_auc" in path:
        chosen["widened validation"] = path.set_index("step").loc[choose_step(path, usual)]
    first = path.iloc[0]
    kept = {name: training[name] for name in ("table", "split", "generator")}
    return [
        {
            **kept,
            "generator": training["generator"] or "none",
            "training": training["name"],
            "rule": rule,
            "step": int(check.name),
            "share": float(check["share"]),
            "zero_shot_auc": first["test_auc"],
            "auc": check["test_auc"],
            "auc_gain": check["test_auc"] - first["test_auc"],
            "log_loss_gain": first["test_log_loss"] - check["test_log_loss"],
            "validation_auc_gain": check["validation_auc"] - first["validation_auc"],
            "seconds": record["seconds"],
        }
        for rule, check in chosen.items()
    ]


def summarise(frame: pd.DataFrame) -> pd.DataFrame:
    """One row a training and rule: mean gains over tables with intervals over tables, and the share of harm."""
    lines = []
    for (generator, training, rule), part in frame.groupby(["generator", "training", "rule"]):
        tables = part.groupby("table")[["auc_gain", "log_loss_gain"]].mean()
        lines.append(
            {"generator": generator, "training": training, "rule": rule, "runs": len(part), "tables": len(tables)}
            | _mean_over_tables(tables["auc_gain"])
            | _mean_over_tables(tables["log_loss_gain"])
            | _share_of_harm(part)
        )
    return pd.DataFrame(lines)


def _mean_over_tables(tables: pd.Series) -> dict[str, float]:
    """The mean with Student's interval of 95 %, under the name of the series.

    The development tables are few. A percentile bootstrap of six values would miss the true mean about
    14 times in a hundred.
    """
    mean = float(tables.mean())
    low = high = mean
    if tables.max() > tables.min():
        low, high = ttest_1samp(tables, 0).confidence_interval()
    return {tables.name: mean, f"{tables.name}_low": float(low), f"{tables.name}_high": float(high)}


def _share_of_harm(runs: pd.DataFrame) -> dict[str, float]:
    """The share of runs whose test AUC ends more than `HARM` below zero-shot, with Wilson's interval over runs."""
    harm = binomtest(int((runs["auc_gain"] < -HARM).sum()), len(runs))
    interval = harm.proportion_ci(method="wilson")
    return {"harm": harm.statistic, "harm_low": interval.low, "harm_high": interval.high}


def compare_harm(frame: pd.DataFrame, training: str = "default") -> pd.DataFrame:
    """One row a rule, over all generators that all splits of all tables were trained with.

    Share of runs whose test AUC ends more than `HARM` below zero-shot, with Wilson's interval over runs, and its
    difference from the rule "default", with Student's interval over tables: runs of one table share its rows.
    """
    part = frame[frame["training"] == training]
    full = part.groupby("generator")[["table", "split"]].apply(lambda rows: len(rows.drop_duplicates()))
    part = part[part["generator"].isin(full[full == full.max()].index) & (part["rule"] != "widened validation")]
    shares = part.assign(harm=part["auc_gain"] < -HARM).groupby(["table", "rule"])["harm"].mean().unstack("rule")
    lines = []
    for rule in shares:
        runs = part[part["rule"] == rule]
        lines.append(
            {"rule": rule, "runs": len(runs), "generators": sorted(runs["generator"].unique())}
            | _share_of_harm(runs)
            | _mean_over_tables((shares[rule] - shares["default"]).rename("harm_beyond_default"))
            | {"auc_gain": runs["auc_gain"].mean(), "log_loss_gain": runs["log_loss_gain"].mean()}
        )
    return pd.DataFrame(lines)


def compare_choices(frame: pd.DataFrame) -> pd.DataFrame:
    """One row a kind of synthetic rows and a choice, which is another training or another rule than the default.

    Mean over tables of its difference from the default choice on the same splits, with Student's interval over
    tables, for AUC and log-loss, and the difference of the shares of runs with harm. Positive gains are better.
    """
    lines = []
    for by, other in (("training", "rule"), ("rule", "training")):
        for generator, part in frame[frame[other] == "default"].groupby("generator"):
            usual = part[part[by] == "default"]
            for name, chosen in part[part[by] != "default"].groupby(by):
                same = usual.merge(chosen[["table", "split"]])
                means = [runs.groupby("table")[["auc_gain", "log_loss_gain"]].mean() for runs in (chosen, same)]
                away = means[0] - means[1]
                harm = [(runs["auc_gain"] < -HARM).mean() for runs in (chosen, same)]
                lines.append(
                    {"by": by, "name": name, "generator": generator, "runs": len(chosen)}
                    | _mean_over_tables(away["auc_gain"])
                    | _mean_over_tables(away["log_loss_gain"])
                    | {"harm": harm[0] - harm[1]}
                )
    return pd.DataFrame(lines)
