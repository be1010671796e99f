"""Which check a rule chooses on a training that `choose_finetuning` has stored, and what the rules did on many."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from causalmix_utils.evaluation import paired_differences
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
    """One row a training and rule: mean gains over tables with bootstrap intervals, and the share of harm."""
    rng = np.random.default_rng(0)
    lines = []
    for (generator, training, rule), part in frame.groupby(["generator", "training", "rule"]):
        tables = part.groupby("table")[["auc_gain", "log_loss_gain"]].mean().to_numpy()
        means = tables[rng.integers(0, len(tables), (2000, len(tables)))].mean(axis=1)
        low, high = np.quantile(means, [0.025, 0.975], axis=0)
        lines.append(
            {"generator": generator, "training": training, "rule": rule, "runs": len(part), "tables": len(tables)}
            | {"auc_gain": tables[:, 0].mean(), "auc_gain_low": low[0], "auc_gain_high": high[0]}
            | {"log_loss_gain": tables[:, 1].mean(), "log_loss_gain_low": low[1], "log_loss_gain_high": high[1]}
            | _share_of_harm(part)
        )
    return pd.DataFrame(lines)


def _share_of_harm(runs: pd.DataFrame) -> dict[str, float]:
    """The share of runs whose test AUC ends more than `HARM` below zero-shot, with Wilson's interval."""
    harm = binomtest(int((runs["auc_gain"] < -HARM).sum()), len(runs))
    interval = harm.proportion_ci(method="wilson")
    return {"harm": harm.statistic, "harm_low": interval.low, "harm_high": interval.high}


def compare_harm(frame: pd.DataFrame, training: str = "default") -> pd.DataFrame:
    """One row a rule, over all generators that all splits of all tables were trained with.

    Share of runs whose test AUC ends more than `HARM` below zero-shot, with Wilson's interval, and its difference from
    the rule "default", with a bootstrap interval: runs of one table and split share rows, so they are drawn together.
    """
    part = frame[frame["training"] == training]
    full = part.groupby("generator")[["table", "split"]].apply(lambda rows: len(rows.drop_duplicates()))
    part = part[part["generator"].isin(full[full == full.max()].index) & (part["rule"] != "widened validation")]
    harmed = (
        (part["auc_gain"] < -HARM)
        .astype(float)
        .set_axis(pd.MultiIndex.from_frame(part[["table", "split", "rule", "generator"]]))
    )
    shares = harmed.groupby(["table", "split", "rule"]).mean().unstack("rule")
    draws = np.random.default_rng(0).integers(0, len(shares), (2000, len(shares)))
    away = shares.sub(shares["default"], axis=0).to_numpy()[draws].mean(axis=1)
    low, high = np.quantile(away, [0.025, 0.975], axis=0)
    lines = []
    for place, rule in enumerate(shares):
        runs = part[part["rule"] == rule]
        harm = _share_of_harm(runs)
        lines.append(
            {"rule": rule, "runs": len(runs), "generators": sorted(runs["generator"].unique())}
            | harm
            | {"harm_beyond_default": harm["harm"] - float(shares["default"].mean())}
            | {"harm_beyond_default_low": low[place], "harm_beyond_default_high": high[place]}
            | {"auc_gain": runs["auc_gain"].mean(), "log_loss_gain": runs["log_loss_gain"].mean()}
        )
    return pd.DataFrame(lines)


def compare_choices(frame: pd.DataFrame) -> pd.DataFrame:
    """One row a kind of synthetic rows and a choice, which is another training or another rule than the default.

    Mean over tables of its difference from the default choice on the same splits, with a bootstrap interval over
    tables, for AUC and log-loss, and the difference of the shares of runs with harm. Positive gains are better.
    """
    lines = []
    for by, other in (("training", "rule"), ("rule", "training")):
        runs = frame[frame[other] == "default"].rename(columns={by: "model"})
        for generator, part in runs.groupby("generator"):
            usual = part[part["model"] == "default"]
            for name, chosen in part[part["model"] != "default"].groupby("model"):
                same = usual.merge(chosen[["table", "split"]])
                pairs = pd.concat([chosen, same])
                line = {"by": by, "name": name, "generator": generator, "runs": len(chosen)}
                for value in ("auc_gain", "log_loss_gain"):
                    rng = np.random.default_rng(0)
                    found = paired_differences(pairs, model=name, value=value, rng=rng).loc["default"]
                    line |= {value: found["mean"], f"{value}_low": found["low"], f"{value}_high": found["high"]}
                harm = [(part["auc_gain"] < -HARM).mean() for part in (chosen, same)]
                lines.append(line | {"harm": harm[0] - harm[1]})
    return pd.DataFrame(lines)
