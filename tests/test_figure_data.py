"""Key figures draw what they drew: their data and words are compared with stored ones, not their pixels.

Points, bars, cells, intervals, labels and titles are taken from the axes and rounded, so that fonts and versions of
matplotlib do not matter, but a changed quantile, place or label does. After a change that is meant, look at the
figure, store anew with `python tests/test_figure_data.py`, and look at the difference of figure_data.json.
"""

import json
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.collections import LineCollection

from causalmix_utils import plots
from causalmix_utils.tables import load_table

STORED = Path(__file__).with_name("figure_data.json")
DIGITS = 5
MOST_POINTS = 40  # of one element; longer ones are stored as a summary


def make_results() -> pd.DataFrame:
    """Runs of three arms on six tables and two splits, with gains that differ by table and by arm."""
    rows = []
    for arm, shift in (("default", 0.0), ("causal", 0.02), ("smote", -0.01)):
        for table in range(6):
            for split in range(2):
                gain = shift + 0.03 * np.sin(1 + 2 * table) + 0.01 * np.cos(5 * split + table)
                gap = {"optimism_gap": gain + 0.02 * table, "gain_validation": gain + 0.01 * split}
                rows.append({"table": f"t{table}", "n": 200, "split": split, "arm": arm, "gain": gain, **gap})
    return pd.DataFrame(rows)


def make_trajectory() -> pd.DataFrame:
    steps = np.arange(0, 60, 5)
    rise = 1 - np.exp(-steps / 15)
    columns = {"step": steps, "validation_auc": 0.7 + 0.08 * rise, "test_auc": 0.71 + 0.03 * rise - 0.0004 * steps}
    return pd.DataFrame(columns)


def make_probabilities() -> pd.DataFrame:
    names = ["age", "duration", "amount", "purpose", "class"]
    values = np.zeros((5, 5))
    values[0, 3], values[1, 2], values[2, 1], values[2, 4], values[4, 1], values[3, 4] = 0.15, 0.6, 0.4, 0.35, 0.25, 0.9
    return pd.DataFrame(values, index=names, columns=names)


def make_means() -> dict[str, pd.DataFrame]:
    columns = {"mean": [0.78, 0.75, 0.71], "low": [0.74, 0.7, 0.69], "high": [0.81, 0.79, 0.74]}
    summary = pd.DataFrame(columns, index=["nano_4", "random_forest", "boosting"])
    return {"200 rows": summary, "500 rows": summary + 0.02}


def make_differences() -> pd.DataFrame:
    places = np.arange(8)
    return pd.DataFrame({"random_forest": np.sin(places), "boosting": 0.5 + np.cos(3 * places)})


def draw_marginals():
    credit = load_table("credit-g")
    halves = (credit.take(range(0, len(credit), 2)), credit.take(range(1, len(credit), 2)))
    return plots.plot_marginals(
        *halves, columns=["duration_in_month", "age_in_years", "housing", credit.target], title="Two halves"
    )


FIGURES = {
    "gains": lambda: plots.plot_gains(make_results(), rng=np.random.default_rng(0), title="Gains"),
    "ranks": lambda: plots.plot_ranks(make_results(), title="Ranks"),
    "gap": lambda: plots.plot_gap(make_results(), rng=np.random.default_rng(0), title="Gap"),
    "trajectory": lambda: plots.plot_trajectory(make_trajectory(), best_step=40, title="Fine-tuning"),
    "marginals": draw_marginals,
    "edge probabilities": lambda: plots.plot_edge_probabilities(make_probabilities(), title="Edges"),
    "neighbourhood": lambda: plots.draw_neighbourhood(make_probabilities(), "class", title="Neighbours"),
    "model means": lambda: plots.plot_model_means(make_means(), models=list(plots_of_models()), title="Means"),
    "differences": lambda: plots.plot_differences(make_differences(), xlabel="difference"),
}


def plots_of_models() -> pd.Index:
    return next(iter(make_means().values())).index


def drawn_data(figure) -> list[dict]:
    """Points, bars, cells and words of each of a figure's axes, rounded, in the order in which they were drawn."""
    return [
        {
            "title": ax.get_title(loc="left") or ax.get_title(),
            "axes": [ax.get_xlabel(), ax.get_ylabel()],
            "ticks": [tick.get_text() for tick in [*ax.get_xticklabels(), *ax.get_yticklabels()] if is_word(tick)],
            "texts": [text.get_text() for text in ax.texts],
            "lines": sorted(sorted(shorten(line.get_xydata())) for line in ax.lines),  # drawn in any order
            "points": [shorten(dots.get_offsets()) for dots in ax.collections if len(dots.get_offsets()) > 1],
            "segments": [
                shorten(part)
                for lines in ax.collections
                if isinstance(lines, LineCollection)
                for part in lines.get_segments()
            ],
            "bars": shorten([bar.get_bbox().extents for bar in ax.patches if hasattr(bar, "get_bbox")]),
            "cells": [shorten(image.get_array()) for image in ax.images],
        }
        for ax in figure.axes
    ]


def is_word(tick) -> bool:
    """Numbers along an axis are matplotlib's choice, words are ours."""
    text = tick.get_text().replace("−", "-").replace("$", "")
    return bool(text) and not text.replace(".", "").replace("-", "").isdigit()


def shorten(values) -> list:
    """Numbers as lists, rounded; of many only their number, mean and quartiles, column by column."""
    array = np.ma.filled(np.ma.asarray(values, dtype=float), np.nan)
    if array.size == 0:
        return []
    if len(array) > MOST_POINTS:
        flat = array.reshape(len(array), -1)
        array = np.vstack(
            [np.full(flat.shape[1], len(flat)), flat.mean(axis=0), np.quantile(flat, [0, 0.25, 0.5, 0.75, 1], axis=0)]
        )
    return (np.round(array, DIGITS) + 0.0).tolist()


def draw(name: str) -> list[dict]:
    drawn = FIGURES[name]()
    try:
        return drawn_data(drawn if isinstance(drawn, mpl.figure.Figure) else drawn.figure)
    finally:
        plt.close("all")


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_draws_the_stored_data(name):
    stored = json.loads(STORED.read_text(encoding="utf-8"))[name]
    now = json.loads(json.dumps(draw(name)))
    assert len(now) == len(stored)
    for ax, expected in zip(now, stored, strict=True):
        for part, values in expected.items():
            same = flatten(ax[part]), flatten(values)
            assert len(same[0]) == len(same[1]), f"{part} of {name!r}"
            assert same[0] == pytest.approx(same[1], abs=2 * 10**-DIGITS, nan_ok=True), f"{part} of {name!r}"


def flatten(values) -> list:
    return [deeper for value in values for deeper in flatten(value)] if isinstance(values, list) else [values]


def test_every_stored_figure_is_still_drawn():
    assert set(json.loads(STORED.read_text(encoding="utf-8"))) == set(FIGURES)


def test_a_moved_point_and_another_word_are_seen():
    before = draw("gains")
    results = make_results()
    results.loc[results["arm"] == "causal", "gain"] += 0.001
    after = drawn_data(plots.plot_gains(results, rng=np.random.default_rng(0), title="Gains").figure)
    plt.close("all")
    assert before[0]["lines"] + before[0]["points"] != after[0]["lines"] + after[0]["points"]
    assert draw("gains") == before


if __name__ == "__main__":
    STORED.write_text(
        json.dumps({name: draw(name) for name in FIGURES}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    print(f"stored {len(FIGURES)} figures in {STORED.name}; look at what has changed")
