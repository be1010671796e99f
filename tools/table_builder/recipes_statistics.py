"""Reported tables of packages for statistics: surveys, trials, and business data."""

from __future__ import annotations

import numpy as np
import pandas as pd

from table_builder.readers import delimited, rdatasets
from table_builder.recipe import Recipe, drop_rows_without, name_classes

_MODELDATA = "MIT (R package modeldata)"


def _from_r(name: str, item: str, **fields) -> Recipe:
    """A table of an R package, as rdatasets holds it. `item` is package/name."""
    return Recipe(
        name=name,
        role="reported",
        package="rdatasets",
        path=f"rdatasets/_data/{item}.pkl.compress",
        read=rdatasets,
        **fields,
    )


def _deaths_by_1992(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns that were known at the interview of 1971, and whether the person died by 1992."""
    known = (
        "sex race age income marital school ht wt71 smokeintensity smokeyrs asthma bronch tb hf hbp pepticulcer "
        "colitis hepatitis chroniccough hayfever diabetes polio tumor nervousbreak alcoholpy alcoholfreq alcoholtype "
        "alcoholhowmuch pica headache otherpain weakheart allergies nerves lackpep hbpmed boweltrouble wtloss "
        "infection active exercise cholesterol death"
    )
    frame = frame[known.split()]
    # The codebook's codes for an answer that is missing.
    unanswered = {"hbp": 2, "diabetes": 2, "pica": 2, "hbpmed": 2, "boweltrouble": 2, "alcoholpy": 2, "alcoholfreq": 5}
    frame = frame.assign(**{column: frame[column].replace(code, np.nan) for column, code in unanswered.items()})
    return frame.assign(death=frame["death"].map({0: "alive", 1: "dead"}))


def _known_at_intake(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns of the HELP trial that were known when a person entered the clinic."""
    known = "age sex racegrp homeless cesd mcs pcs pss_fr drugrisk sexrisk indtot i1 i2 d1 g1b satreat substance"
    return frame[known.split()]


STATISTICS = [
    _from_r(
        "churn",
        "modeldata/mlc_churn",
        target="churn",
        source="MLC++ (SGI), churn of a telephone company's customers",
        licence=_MODELDATA,
        tabarena="churn",
        openml_task="363623",
        quirks="Made up by its authors after real customers. The charges are multiples of the minutes, up to rounding.",
    ),
    _from_r(
        "credit-barcelona",
        "modeldata/credit_data",
        target="Status",
        source="Credit scoring data, L. Belanche, Universitat Politècnica de Catalunya, by way of G. Sanchez",
        licence=_MODELDATA,
        quirks="Income is missing for 381 persons.",
    ),
    _from_r(
        "hpc-jobs",
        "modeldata/hpc_data",
        target="class",
        source="Run times of jobs on a computing cluster, Kuhn and Johnson (2013), Applied Predictive Modeling",
        licence=_MODELDATA,
        quirks="Classes VF, F, M and L (very fast to long) are unbalanced.",
    ),
    _from_r(
        "alzheimer",
        "modeldata/ad_data",
        target="Class",
        categorical="male",
        source="Craig-Schapiro et al. (2011), PLoS ONE: biomarkers of mild cognitive impairment",
        licence=_MODELDATA,
        quirks="More columns than most scarce splits have rows per class.",
    ),
    _from_r(
        "cells",
        "modeldata/cells",
        target="class",
        drop="case",
        rows=1000,
        digits=6,
        source="Hill et al. (2007), BMC Bioinformatics 8:340: segmentation of cell images",
        licence=_MODELDATA,
        quirks="Stratified subsample of 2019 rows, rounded to six digits. Classes PS (poorly) and WS (well segmented).",
    ),
    _from_r(
        "lending-club",
        "modeldata/lending_club",
        target="Class",
        rows=4000,
        source="Lending Club, loans of the first quarter of 2016",
        licence=_MODELDATA,
        quirks="Stratified subsample of 9857 rows. Five percent are bad. sub_grade has 35 levels, addr_state 50.",
    ),
    _from_r(
        "nhefs",
        "causaldata/nhefs",
        prepare=_deaths_by_1992,
        target="death",
        categorical="sex race marital alcoholtype",
        source="US National Health and Nutrition Examination Survey, Epidemiologic Follow-up Study",
        licence="public domain (US government); MIT (R package causaldata)",
        quirks="Smokers interviewed in 1971; the target is whether they had died by 1992. Columns measured after 1971 "
        "are left out. The codebook's codes for missing answers are marked as missing.",
    ),
    Recipe(
        name="affairs",
        role="reported",
        package="statsmodels",
        path="statsmodels/datasets/fair/fair.csv",
        read=delimited(),
        prepare=lambda frame: frame.assign(affairs=(frame["affairs"] > 0).map({True: "yes", False: "no"})),
        target="affairs",
        categorical="occupation occupation_husb",
        rows=4000,
        source="R. Fair (1978), Journal of Political Economy: survey of Redbook Magazine",
        licence="BSD-3-Clause (statsmodels, with the author's permission)",
        quirks="The target is whether there was any affair. Stratified subsample of 6366 rows. Many equal rows.",
    ),
    Recipe(
        name="anes96",
        role="reported",
        package="statsmodels",
        path="statsmodels/datasets/anes96/anes96.csv",
        read=delimited(sep="\t", quotechar="'"),
        target="PID",
        categorical="vote",
        source="American National Election Studies 1996",
        licence="public domain",
        quirks="Seven ordered classes, from 0 (strong Democrat) to 6 (strong Republican).",
    ),
    _from_r(
        "orange-juice",
        "ISLR/OJ",
        target="Purchase",
        drop="Store7 STORE",
        categorical="StoreID SpecialCH SpecialMM",
        source="Stine, Foster and Waterman (1998), Business Analysis Using Regression",
        licence="GPL-2 (R package ISLR)",
        quirks="Recodings of StoreID are left out. Price differences are exact sums of other columns.",
    ),
    _from_r(
        "chile",
        "carData/Chile",
        prepare=drop_rows_without("vote"),
        target="vote",
        source="FLACSO/Chile survey of April 1988 on the plebiscite",
        licence="GPL-2 (R package carData)",
        quirks="Classes A (abstain), N (no), U (undecided), Y (yes). The 168 persons without an answer are left out.",
    ),
    _from_r(
        "beps",
        "carData/BEPS",
        target="vote",
        source="British Election Panel Study 1997-2001, after Andersen, Heath and Sinnott (2002)",
        licence="GPL-2 (R package carData)",
        quirks="Judgements of the economy and of the party leaders are ordered codes.",
    ),
    _from_r(
        "school-germany",
        "AER/GSOEP9402",
        target="school",
        drop="year",
        source="German Socio-Economic Panel 1994-2002, after Winkelmann and Boes (2009)",
        licence="GPL-2 | GPL-3 (R package AER)",
        quirks="The year of the interview is the year of birth plus 14, so it is left out.",
    ),
    _from_r(
        "fishing",
        "Ecdat/Fishing",
        target="mode",
        drop="price catch ppier",
        source="Herriges and Kling (1999), Review of Economics and Statistics: recreational fishing in California",
        licence="GPL-2 (R package Ecdat)",
        quirks="Price and catch of the chosen mode give the answer away and are left out, and so is ppier, which "
        "equals pbeach.",
    ),
    _from_r(
        "mortgage-boston",
        "AER/HMDA",
        target="deny",
        source="Federal Reserve Bank of Boston: Home Mortgage Disclosure Act data, after Stock and Watson (2007)",
        licence="GPL-2 | GPL-3 (R package AER)",
        quirks="Twelve percent are denied.",
    ),
    _from_r(
        "employment-us",
        "openintro/acs12",
        prepare=drop_rows_without("employment"),
        target="employment",
        drop="hrs_work time_to_work income",
        source="American Community Survey 2012, US Census Bureau",
        licence="public domain (US government); GPL-3 (R package openintro)",
        quirks="Persons without an answer (mostly children) and columns that follow from having work are left out.",
    ),
    _from_r(
        "occupation-us",
        "AER/CPS1985",
        target="occupation",
        source="US Current Population Survey, May 1985, after E. Berndt (1991)",
        licence="GPL-2 | GPL-3 (R package AER)",
        quirks="Age is the sum of education, experience and six in all rows but one.",
    ),
    _from_r(
        "help-clinic",
        "mosaicData/HELPrct",
        prepare=_known_at_intake,
        target="substance",
        source="Health Evaluation and Linkage to Primary Care trial, Samet et al. (2003), Addiction",
        licence="GPL-2 (R package mosaicData)",
        quirks="The columns that were known when the trial began.",
    ),
    _from_r(
        "bfi",
        "psych/bfi",
        prepare=name_classes("gender", {1: "male", 2: "female"}),
        target="gender",
        source="SAPA project: 25 items of personality, W. Revelle",
        licence="GPL-2 (R package psych)",
        quirks="Items are answers from 1 to 6, with missing answers.",
    ),
    _from_r(
        "biliary-cirrhosis",
        "survival/pbc",
        prepare=drop_rows_without("stage"),
        target="stage",
        drop="id time status",
        categorical="trt ascites hepato spiders",
        source="Mayo Clinic trial in primary biliary cirrhosis (1974-84), Therneau and Grambsch (2000)",
        licence="LGPL-2 (R package survival)",
        quirks="The target is the histologic stage; the six patients without one and the follow-up are left out.",
    ),
    _from_r(
        "health-elderly",
        "AER/NMES1988",
        target="health",
        rows=3000,
        source="US National Medical Expenditure Survey 1987-88, after Deb and Trivedi (1997)",
        licence="GPL-2 | GPL-3 (R package AER)",
        quirks="Self-rated health. Stratified subsample of 4406 rows.",
    ),
]
