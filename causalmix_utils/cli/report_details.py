"""What the benchmark's chapter computes beside its main comparison: scales, noise, controls, and promises kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

GAPS = ("optimism_gap", "tracking_gap")

QUESTIONS = {
    "synthetic rows at all": ("causal", "default"),
    "dependences between columns": ("causal", "independent"),
    "the discovered structure": ("causal", "random_dag"),
    "a causal model, not neighbours": ("causal", "smote"),
    "the blanket kept": ("causal_blanket", "causal"),
    "neighbours, not real rows alone": ("smote", "default"),
}
"""What the difference of two arms isolates."""

MATTERS = 0.5
"""Points: the chapter counts the tables on which two arms lie so far apart."""

EASY = 0.75
"""Runs beyond this quantile of the zero-shot AUC are those on easy tables."""


def list_details(
    runs: pd.DataFrame, trajectories: pd.DataFrame, *, baseline: str
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Tables by name, those that the runs allow; `runs` and `baseline` as for `report_chapter.list_tables`."""
    if "settings" in runs:
        yield "settings", count_settings(runs).reset_index()
    fine_tuned = runs[runs["arm"] != "zero_shot"]
    if fine_tuned["gain"].notna().any():
        yield "scales", score_by_scale(fine_tuned).reset_index()
        if has_spread(fine_tuned, arm=baseline):
            yield "easy_tables", share_of_easy_tables(fine_tuned, arm=baseline).reset_index()
    if {"default", "default_again"} <= set(fine_tuned["arm"]):
        yield "instruments", compare_metrics(fine_tuned).reset_index()
    controls = compare_controls(fine_tuned)
    if len(controls):
        yield "controls", controls
    if len(trajectories):
        yield from _list_promises(fine_tuned, trajectories)


def count_settings(runs: pd.DataFrame) -> pd.DataFrame:
    """How many values each setting has over the runs, and one of them, shortened."""
    import pandas as pd

    settings = pd.DataFrame([json.loads(text) for text in runs["settings"]])
    flat = pd.concat([settings.drop(columns="fine_tuning"), pd.DataFrame(list(settings["fine_tuning"]))], axis=1)
    flat = flat.astype(str)
    return pd.DataFrame({"values": flat.nunique(), "example": flat.iloc[0].str.slice(0, 70)}).rename_axis("setting")


def score_by_scale(fine_tuned: pd.DataFrame) -> pd.DataFrame:
    """Each arm by six measures, all higher if better: on another scale another arm may come first."""
    import pandas as pd

    from causalmix_utils.evaluation import average_ranks, min_max_score, per_table

    scored = fine_tuned.assign(min_max=min_max_score(fine_tuned))
    gains = per_table(scored, value="gain")
    return pd.DataFrame(
        {
            "points_median": per_table(scored, value="gain_points").median(),
            "normalised_median": gains.median(),
            "normalised_mean": gains.mean(),
            "min_max_mean": per_table(scored, value="min_max").mean(),
            "minus_average_rank": -average_ranks(scored, value="gain"),
            "log_loss_median": per_table(scored, value="log_loss_gain").median(),
        }
    ).rename_axis("arm")


def has_spread(fine_tuned: pd.DataFrame, *, arm: str) -> bool:
    """Whether the gains of an arm differ at all."""
    of_arm = fine_tuned[fine_tuned["arm"] == arm]
    return bool((of_arm[["gain_points", "gain"]].nunique() > 1).all())


def share_of_easy_tables(fine_tuned: pd.DataFrame, *, arm: str) -> pd.Series:
    """Which share of the spread of an arm's gains comes from the easiest quarter of its runs, on two scales."""
    import pandas as pd

    of_arm = fine_tuned[fine_tuned["arm"] == arm]
    easy = of_arm["zero_shot_auc"] >= of_arm["zero_shot_auc"].quantile(EASY)
    squares = {column: (of_arm[column] - of_arm[column].median()) ** 2 for column in ("gain_points", "gain")}
    shares = {column: spread[easy].sum() / spread.sum() for column, spread in squares.items()}
    return pd.Series(shares, name="share_of_the_spread").rename_axis("value")


def compare_metrics(fine_tuned: pd.DataFrame) -> pd.DataFrame:
    """How far the arms lie apart on a table, and how far two seeds of one arm do, in either metric."""
    import pandas as pd

    from causalmix_utils.evaluation import noise_floor, per_table

    rows = {}
    for value in ("gain_points", "log_loss_gain"):
        # Two normal values with the standard deviation s typically, in the median, differ by 0.6745 √2 s.
        luck = noise_floor(fine_tuned, value=value)["typical"] / (0.6745 * 2**0.5)
        between = per_table(fine_tuned, value=value).drop(columns="default_again").std(axis=1).median()
        rows[value] = {"spread_between_arms": between, "spread_between_seeds": luck, "ratio": between / luck}
    return pd.DataFrame(rows).T.rename_axis("value")


def compare_controls(fine_tuned: pd.DataFrame) -> pd.DataFrame:
    """The differences of `QUESTIONS` in both metrics, with intervals, and on how many tables they are large."""
    import pandas as pd

    from causalmix_utils.evaluation import compare_arms, per_table

    rows = []
    for question, (first, second) in QUESTIONS.items():
        if not {first, second} <= set(fine_tuned["arm"]):
            continue
        pair = fine_tuned[fine_tuned["arm"].isin([first, second])]
        for value in ("gain_points", "log_loss_gain"):
            found = compare_arms(pair, baseline=second, value=value).loc[first]
            row = {"question": question, "arm": first, "against": second, "value": value} | found.to_dict()
            if value == "gain_points":
                wide = per_table(pair, value=value)
                row["tables_half_a_point_apart"] = int(((wide[first] - wide[second]).abs() >= MATTERS).sum())
            rows.append(row)
    return pd.DataFrame(rows).astype({"tables_half_a_point_apart": "Int64"}) if rows else pd.DataFrame()


def gains_at_the_chosen_step(fine_tuned: pd.DataFrame, trajectories: pd.DataFrame) -> pd.DataFrame:
    """For each run the gains in points on validation and on test rows, both with the train rows as context."""
    path = trajectories.merge(fine_tuned[["id", "best_step"]], on="id").sort_values("step")
    curves = ["validation_auc", "test_auc"]
    chosen = path[path["step"] == path["best_step"]].set_index("id")[curves]
    in_points = 100 * (chosen - path.groupby("id")[curves].first())
    return in_points.join(fine_tuned.set_index("id")[["table", "split", "arm"]]).reset_index()


def _list_promises(fine_tuned: pd.DataFrame, trajectories: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    import pandas as pd

    from causalmix_utils.evaluation import per_table

    in_points = gains_at_the_chosen_step(fine_tuned, trajectories)
    columns = {
        "validation_gain_points": per_table(in_points, value="validation_auc").median(),
        "test_gain_points": per_table(in_points, value="test_auc").median(),
        "share_that_kept_zero_shot": (fine_tuned["best_step"] == 0).groupby(fine_tuned["arm"]).mean(),
    }
    for gap in GAPS:
        if gap in fine_tuned:
            columns[gap] = per_table(fine_tuned, value=gap).median()
            columns[f"runs_without_{gap}"] = fine_tuned[gap].isna().groupby(fine_tuned["arm"]).sum()
    yield "promises", pd.DataFrame(columns).rename_axis("arm").reset_index()
    means = in_points.groupby("table")[["validation_auc", "test_auc"]].mean().mean()
    promised, kept = means["validation_auc"], means["test_auc"]
    row = {"validation_gain_points": promised, "test_gain_points": kept, "share_kept": kept / promised}
    yield "promises_over_all_arms", pd.DataFrame([row])


def draw_easy_tables(fine_tuned: pd.DataFrame, *, arm: str) -> Axes:
    """An arm's runs on two scales over the zero-shot AUC; the easiest quarter is grey."""
    import matplotlib.pyplot as plt

    from causalmix_utils.plots import arm_color, make_axes

    of_arm, shares = fine_tuned[fine_tuned["arm"] == arm], share_of_easy_tables(fine_tuned, arm=arm)
    figure, axes = plt.subplots(1, 2, figsize=(9.2, 3.2), layout="constrained", sharex=True)
    names = {"gain_points": "gain in points", "gain": "normalised gain"}
    for ax, (column, name) in zip(axes, names.items(), strict=True):
        title = f"{100 * shares[column]:.0f} % of the spread is in the grey quarter"
        make_axes(ax, xlabel="zero-shot AUC", ylabel=name, title=title)
        ax.axhline(0, color="#A9A9A9", linewidth=1)
        ax.axvspan(of_arm["zero_shot_auc"].quantile(EASY), 1, color="#F0F0F0", zorder=-2)
        ax.plot(of_arm["zero_shot_auc"], of_arm[column], ".", color=arm_color(arm), alpha=0.6)
    figure.suptitle("The same runs on two scales: easy tables, in grey, weigh differently", x=0.01, ha="left")
    return axes[0]


def draw_differences(fine_tuned: pd.DataFrame, *, baseline: str) -> Axes:
    """Each table's difference from the baseline, for each arm, with the noise of one table as a band."""
    from causalmix_utils.evaluation import noise_floor, per_table
    from causalmix_utils.plots import plot_gains

    wide = per_table(fine_tuned, value="gain_points")
    apart = wide.drop(columns=baseline).sub(wide[baseline], axis=0)
    long = apart.rename_axis(columns="arm").stack().rename("gain_points").reset_index()
    order = list(apart.median().sort_values(ascending=False).index)
    title = f"Differences from {baseline}, table by table"
    floor = None
    if {"default", "default_again"} <= set(wide):
        floor = noise_floor(fine_tuned, value="gain_points")
        title = f"Another seed moves a table's median by {floor['typical']:.2f} points, at most {floor['largest']:.2f}"
    ax = plot_gains(long, value="gain_points", arms=order, linear_up_to=1, title=title)
    if floor is not None:
        ax.axvspan(-floor["typical"], floor["typical"], color="#A9A9A9", alpha=0.3, zorder=-1)
    ax.set_xlabel(f"gain in ROC-AUC minus that of {baseline} (points)")
    return ax


def draw_largest_promise(fine_tuned: pd.DataFrame, trajectories: pd.DataFrame, *, arm: str) -> Axes:
    """The run of an arm whose validation promised most, and what its test rows kept."""
    from causalmix_utils.plots import plot_trajectory

    of_arm = fine_tuned[fine_tuned["arm"] == arm]
    checks = trajectories.merge(of_arm[["id", "table", "best_step"]], on="id").sort_values("step", kind="stable")
    promise = checks.groupby("id")["validation_auc"].agg(lambda auc: auc.max() - auc.iloc[0])
    run = checks[checks["id"] == promise.idxmax()]
    chosen = run[run["step"] == run["best_step"]].iloc[0]
    promised, kept = (100 * (chosen[f"{part}_auc"] - run.iloc[0][f"{part}_auc"]) for part in ("validation", "test"))
    title = f"{chosen['table']}: validation promised {promised:+.1f} points, the test rows kept {kept:+.1f}"
    return plot_trajectory(run, best_step=int(chosen["best_step"]), title=title)
