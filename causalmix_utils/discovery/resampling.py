"""PC and FCI on many resamples of the rows, averaged into edge probabilities."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_choice, check_count, check_number, check_rng
from causalmix_utils.discovery.checks import METHODS, check_methods
from causalmix_utils.discovery.marks import MARK_RULES, count_edges, marks_to_mass
from causalmix_utils.discovery.redundancy import DEFAULT_COLLINEARITY, RedundantColumns, find_redundant_columns
from causalmix_utils.discovery.search import SearchOutcome, search_graphs
from causalmix_utils.discovery.stability import edge_stability
from causalmix_utils.independence import choose_test, encode_columns
from causalmix_utils.tables import Table

RESAMPLINGS = ("subsample", "bootstrap")
TARGET_PLACES = ("discovered", "sink")


def edge_probabilities(
    train: Table,
    *,
    rng: np.random.Generator,
    n_resamples: int = 20,
    methods: tuple[str, ...] = METHODS,
    test: str = "auto",
    alpha: float = 0.05,
    resampling: str = "subsample",
    sample_fraction: float = 0.8,
    marks: str = "keep",
    target: str = "discovered",
    max_tests: int = 100_000,
    collinearity: float = DEFAULT_COLLINEARITY,
    n_jobs: int = 1,
    progress: bool = False,
) -> pd.DataFrame:
    """Estimate the probability of every directed edge by resampled PC and FCI.

    Each resample gives one graph for each method; each graph is turned into masses by
    `marks_to_mass`; the result is their mean over resamples and methods.

    Parameters
    ----------
    train : Table
    rng : Generator
        Draws the resamples. The same state gives the same result, whatever `n_jobs` is.
    n_resamples : int
        Number of resamples.
    methods : sequence of {"pc", "fci"}
        Algorithms to run on each resample.
    test : {"auto", "fisherz", "mixed", "chisq"}
        Independence test, see `causalmix_utils.independence.choose_test`.
    alpha : float in (0, 1)
        Level of the tests.
    resampling : {"subsample", "bootstrap"}
        Rows drawn without or with replacement, in the classes' proportions. The bootstrap repeats rows, which the
        tests take for independent ones, so that it finds several times as many false edges.
    sample_fraction : float in (0, 1]
        Rows of a resample, as a share of all rows. Among subsamples false edges do not depend on the share, but power
        does: at 0.8 most of the power of all rows is left, and the resamples still differ.
        ``benchmarks/measure_resampling.py`` measures both.
    marks : {"keep", "spread"}
        How marks become mass, see `marks_to_mass`.
    target : {"discovered", "sink"}
        Background knowledge as tiers: none (``"discovered"``), or the target in the last tier (``"sink"``), so that PC
        and FCI know that every edge at the target points to it. `causalmix_utils.graphs.sample_dag` can keep the
        target's Markov blanket in every graph.
    max_tests : int
        Tests that one search may ask for. Instead of passing that, PC starts again with conditioning sets from each
        column's eight strongest neighbours, and ends, if it has to, with the last size of sets that it could finish;
        FCI is replaced by the PC graph of the same resample.
    collinearity : float in (0, 1]
        Correlation from which on a column counts as a copy of another, see `find_redundant_columns`. Two columns that
        say nearly the same hide each other's edges in small tables; pairs below this limit are reported.
    n_jobs : int
        Processes that share the resamples (joblib's convention).
    progress : bool
        Show a progress bar, if the output is a terminal.

    Returns
    -------
    DataFrame of shape (n_features + 1, n_features + 1)
        Index and columns are the features and the target. ``P.loc[i, j]`` is the probability of
        i → j; the diagonal is 0, and ``P + P.T <= 1``.
        Constant columns have no edges. A near-copy or an exact combination of other columns takes no part
        in the search; it gets an edge from each column that determines it, with probability 1.
        ``P.attrs["discovery"]`` tells what happened: the settings and the test used, constant and determined
        columns, ``near_copies`` that stayed in the search, the rows of a resample, counts of fallbacks, edge marks
        and tests, and ``stable``: the pairs whose edge is stable by `edge_stability`.

    Raises
    ------
    ValueError
        If an argument has a value that is not allowed.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> cause = rng.normal(size=300)
    >>> frame = pd.DataFrame({"cause": cause, "noise": rng.normal(size=300)})
    >>> frame["label"] = np.where(cause + rng.normal(size=300) > 0, "yes", "no")
    >>> P = edge_probabilities(Table.from_frame(frame, target="label"), n_resamples=5, rng=rng)
    >>> bool(P.loc["cause", "label"] + P.loc["label", "cause"] == 1)
    True
    >>> P.attrs["discovery"]["test"]
    'fisherz'
    """
    check_rng(rng)
    methods = check_methods(methods)
    check_choice("resampling", resampling, RESAMPLINGS)
    check_choice("marks", marks, MARK_RULES)
    check_choice("target", target, TARGET_PLACES)
    check_number("alpha", alpha, 0, 1, closed="neither")
    check_number("sample_fraction", sample_fraction, 0, 1, closed="right")
    check_count("n_resamples", n_resamples)
    check_count("max_tests", max_tests)
    chosen = choose_test(train, test)
    redundant = find_redundant_columns(train, collinearity=collinearity)
    searched = [column for column in train.columns if column not in redundant]
    values, is_categorical = encode_columns(train)
    places = [train.columns.index(column) for column in searched]
    settings = {
        "methods": methods,
        "test": chosen,
        "alpha": float(alpha),
        "max_tests": max_tests,
        "sink": searched.index(train.target) if target == "sink" and train.target in searched else None,
    }
    draws = [_draw_rows(train.y, resampling, sample_fraction, rng) for _ in range(n_resamples)]
    graphs = _run_all(values[:, places], is_categorical[places], draws, settings, n_jobs=n_jobs, progress=progress)

    P = pd.DataFrame(0.0, index=train.columns, columns=train.columns)
    masses = [
        _force_sink(marks_to_mass(graph, rule=marks), settings["sink"])
        for outcome in graphs
        for graph in outcome.marks.values()
    ]
    P.loc[searched, searched] = np.mean(masses, axis=0)
    for column, sources in redundant.determined.items():
        for source in sources:
            ends = (column, source) if target == "sink" and source == train.target else (source, column)
            P.loc[ends] = 1.0
    P.attrs["discovery"] = {
        "test": chosen,
        "methods": list(methods),
        "alpha": float(alpha),
        "n_resamples": n_resamples,
        "resampling": resampling,
        "rows": len(draws[0]),
        "marks": marks,
        "target": target,
        "max_tests": max_tests,
        **_summarise(graphs, redundant),
    }
    stability = edge_stability(P)
    P.attrs["discovery"]["stable"] = stability.loc[stability["stable"], ["source", "target"]].to_numpy().tolist()
    return P


def learn_marks(
    train: Table, *, method: str = "pc", test: str = "auto", alpha: float = 0.05, max_tests: int = 100_000
) -> pd.DataFrame:
    """Run PC or FCI once on all rows and return the marks of its graph.

    Redundant columns are left out of the search and have no edges here.

    Parameters
    ----------
    train : Table
    method : {"pc", "fci"}
    test, alpha, max_tests
        As in `edge_probabilities`.

    Returns
    -------
    DataFrame of int, shape (n_features + 1, n_features + 1)
        ``marks.loc[i, j]`` is the mark at i on the edge between i and j: -1 tail, 1 arrowhead, 2 circle, 0 no edge.
        So i → j is ``marks.loc[i, j] == -1`` and ``marks.loc[j, i] == 1``.
        ``marks.attrs["discovery"]`` tells the test used, the redundant columns and whether a fallback was taken.

    Raises
    ------
    ValueError
        If an argument has a value that is not allowed.
    """
    (method,) = check_methods((method,))
    check_number("alpha", alpha, 0, 1, closed="neither")
    check_count("max_tests", max_tests)
    chosen = choose_test(train, test)
    redundant = find_redundant_columns(train)
    searched = [column for column in train.columns if column not in redundant]
    places = [train.columns.index(column) for column in searched]
    values, is_categorical = encode_columns(train)
    settings = {"methods": (method,), "test": chosen, "alpha": float(alpha), "max_tests": max_tests}
    outcome = search_graphs(values[:, places], is_categorical[places], **settings)
    marks = pd.DataFrame(0, index=train.columns, columns=train.columns)
    marks.loc[searched, searched] = outcome.marks[method]
    marks.attrs["discovery"] = {"test": chosen, **_summarise([outcome], redundant)}
    return marks


def _draw_rows(y: pd.Series, resampling: str, fraction: float, rng: np.random.Generator) -> np.ndarray:
    """Positions of a resample's rows, in the proportions of the classes, at least one row of each."""
    drawn = []
    for _, rows in sorted(y.groupby(y).indices.items()):
        n_rows = max(1, round(fraction * len(rows)))
        drawn.append(rng.choice(rows, size=n_rows, replace=resampling == "bootstrap"))
    return np.sort(np.concatenate(drawn))


def _run_all(
    values: np.ndarray, is_categorical: np.ndarray, draws: list, settings: dict, *, n_jobs: int, progress: bool
) -> list[SearchOutcome]:
    from joblib import Parallel, delayed
    from tqdm import tqdm

    jobs = (delayed(search_graphs)(values[rows], is_categorical, **settings) for rows in draws)
    results = Parallel(n_jobs=n_jobs, return_as="generator")(jobs)
    return list(tqdm(results, total=len(draws), desc="Resamples", disable=None if progress else True))


def _force_sink(mass: np.ndarray, sink: int | None) -> np.ndarray:
    """Move what mass is left on edges that leave the sink to the opposite direction."""
    if sink is not None:
        mass[:, sink] += mass[sink]
        mass[sink] = 0.0
    return mass


def _summarise(outcomes: list[SearchOutcome], redundant: RedundantColumns) -> dict:
    """What happened, over all resamples, as plain values."""
    fallbacks, edges = Counter(), Counter()
    for outcome in outcomes:
        fallbacks.update(outcome.fallbacks)
        for method, marks in outcome.marks.items():
            edges.update({f"{method} {kind}": count for kind, count in count_edges(marks).items()})
    return {
        "constant": list(redundant.constant),
        "determined": {column: list(sources) for column, sources in redundant.determined.items()},
        "near_copies": [list(pair) for pair in redundant.near_copies],
        "fallbacks": dict(fallbacks),
        "edges": dict(edges),
        "tests_asked": sum(outcome.asked for outcome in outcomes),
        "tests_computed": sum(outcome.computed for outcome in outcomes),
    }
