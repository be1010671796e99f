"""Fitting DoWhy's structural causal models on a graph, or on many."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_choice, check_count, check_rng
from causalmix_utils.graphs import sample_dag
from causalmix_utils.randomness import fence_global_randomness
from causalmix_utils.scm.cache import MechanismCache, fingerprint
from causalmix_utils.scm.quiet import import_gcm
from causalmix_utils.tables import MISSING_LEVEL, Table

MECHANISMS = ("linear", "boosting", "auto")
TARGET_MECHANISMS = ("linear", "boosting", "forest", "foundation")

ROWS_FOR_BOOSTING = 100  # Rows from which on "auto" takes boosting.


def fit_scm(
    dag: nx.DiGraph,
    train: Table,
    *,
    mechanisms: str = "boosting",
    target_mechanism: str | None = None,
    cache: MechanismCache | None = None,
):
    """Fit a structural causal model to a table on a given graph.

    Parameters
    ----------
    dag : networkx.DiGraph
        Acyclic, over exactly the features and the target of `train`. It is copied, never changed.
    train : Table
    mechanisms : {"linear", "boosting", "auto"}
        What predicts a node from its parents: ridge and logistic regression; scikit-learn's histogram
        gradient boosting in a small setting; or, for each node, linear below 100 rows
        in which the node is present and boosting from there on. On the development tables that rule predicts as well as
        a choice for each node by cross-validation, which takes seven times as long: see
        ``benchmarks/choose_mechanisms.py`` and what it stored.
    target_mechanism : {"linear", "boosting", "forest", "foundation"}, optional
        A mechanism of its own for the target, if it has parents: one of the above, a random forest of 200 trees, or
        the embedded foundation model with `train` as its context (at most ten classes). It is cross-fitted, so that
        `vary_rows` knows how probable the class of each real row was. By default the target is a node like any other.
    cache : MechanismCache, optional
        Where mechanisms are looked up and kept.

    Returns
    -------
    dowhy.gcm.StructuralCausalModel
        Every node has its fitted mechanism: a root ``EmpiricalDistribution``, a numerical node
        ``AdditiveNoiseModel``, a categorical node (the target is one) ``ClassifierFCM``.
        ``scm.graph.graph["mechanisms"]`` maps each node to ``"root"``, ``"linear"``, ``"boosting"``, … (a
        `target_mechanism` to its name after ``"cross-fitted "``),
        ``scm.graph.graph["categorical"]`` names the categorical nodes.

    Raises
    ------
    ValueError
        If `mechanisms` or `target_mechanism` is unknown, or the graph has a cycle or other nodes than the table has
        columns.

    Notes
    -----
    The fit draws no random numbers: the same graph and table give the same model.

    The time is proportional to the edges and, from about ten thousand rows on, to the rows; the memory to the size of
    the table. ``benchmarks/measure_scm.py`` measures both.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> frame = pd.DataFrame({"x": rng.normal(size=80)})
    >>> frame["y"] = np.where(frame["x"] + rng.normal(size=80) > 0, "yes", "no")
    >>> scm = fit_scm(nx.DiGraph([("x", "y")]), Table.from_frame(frame, target="y"), mechanisms="linear")
    >>> scm.graph.graph["mechanisms"]
    {'x': 'root', 'y': 'linear'}
    """
    check_choice("mechanisms", mechanisms, MECHANISMS)
    check_choice("target_mechanism", target_mechanism, TARGET_MECHANISMS, optional=True)
    check_graph(dag, train)
    gcm = import_gcm()
    from dowhy.gcm.causal_models import PARENTS_DURING_FIT

    cache = MechanismCache() if cache is None else cache
    scm = gcm.StructuralCausalModel(dag.copy())
    categorical = [*train.categorical, train.target]
    frame = prepare_frame(train)
    kinds = {}
    for node in train.columns:
        parents = tuple(sorted(dag.predecessors(node)))  # DoWhy's own order of parents.
        kinds[node] = _choose_kind(mechanisms, frame[node], parents)
        if node == train.target and parents and target_mechanism is not None:
            kinds[node] = f"cross-fitted {target_mechanism}"
        mechanism = cache.get(
            train, node, parents, kinds[node], lambda *task: _fit_mechanism(frame, categorical, *task)
        )
        scm.set_causal_mechanism(node, mechanism)
        scm.graph.nodes[node][PARENTS_DURING_FIT] = list(parents)  # DoWhy refuses to sample without it.
    scm.graph.graph.update(target=train.target, categorical=categorical, mechanisms=kinds, fitted_to=fingerprint(train))
    return scm


def fit_scm_ensemble(
    P: pd.DataFrame,
    train: Table,
    *,
    rng: np.random.Generator,
    n_dags: int = 10,
    mechanisms: str = "boosting",
    cache: MechanismCache | None = None,
    connect_target: bool = True,
) -> list:
    """Draw graphs from edge probabilities and fit a structural causal model on each.

    Parameters
    ----------
    P : DataFrame
        From `causalmix_utils.discovery.edge_probabilities`.
    train : Table
    rng : Generator
        Draws the graphs; fitting draws nothing.
    n_dags : int
        Number of graphs.
    mechanisms, cache
        As in `fit_scm`. The graphs share one cache in any case.
    connect_target : bool
        As in `causalmix_utils.graphs.sample_dag`.

    Returns
    -------
    list of dowhy.gcm.StructuralCausalModel

    Raises
    ------
    ValueError
        If an argument has a value that is not allowed.
    """
    check_rng(rng)
    check_count("n_dags", n_dags)
    cache = MechanismCache() if cache is None else cache
    dags = [sample_dag(P, rng=rng, target=train.target, connect_target=connect_target) for _ in range(n_dags)]
    return [fit_scm(dag, train, mechanisms=mechanisms, cache=cache) for dag in dags]


def check_graph(dag: nx.DiGraph, train: Table) -> None:
    """Raise a ``ValueError`` unless `dag` is acyclic over exactly the columns of `train`."""
    if not isinstance(dag, nx.DiGraph):
        raise ValueError(f"dag must be a networkx.DiGraph, got {type(dag).__name__}")
    absent = [column for column in train.columns if column not in dag]
    if absent:
        raise ValueError(f"dag has no node for column {absent[0]!r}")
    unknown = [node for node in dag.nodes if node not in train.columns]
    if unknown:
        raise ValueError(f"dag has the node {unknown[0]!r}, which is not a column of {train.name!r}")
    if not nx.is_directed_acyclic_graph(dag):
        cycle = [source for source, _ in nx.find_cycle(dag)]
        raise ValueError(f"dag has a cycle through {cycle}")


def prepare_frame(train: Table) -> pd.DataFrame:
    """Floats and strings with NaN where missing; a column without any value gets one, as DoWhy draws from values."""
    frame, categorical = train.to_frame(), [*train.categorical, train.target]
    columns = {}
    for column in frame.columns:
        values = frame[column].astype(object if column in categorical else float)
        if values.isna().all():
            values[:] = MISSING_LEVEL if column in categorical else 0.0
        columns[column] = values
    return pd.DataFrame(columns)


def _choose_kind(mechanisms: str, values: pd.Series, parents: tuple[str, ...]) -> str:
    if not parents:
        return "root"
    if mechanisms == "auto":
        return "boosting" if values.notna().sum() >= ROWS_FOR_BOOSTING else "linear"
    return mechanisms


def _fit_mechanism(frame: pd.DataFrame, categorical: list[str], node: str, parents: tuple[str, ...], kind: str):
    from causalmix_utils.scm.mechanisms import make_mechanism

    levels = [sorted(frame[parent].dropna().unique()) if parent in categorical else None for parent in parents]
    n_classes = frame[node].nunique() if node in categorical else None
    mechanism = make_mechanism(kind, levels, n_classes=n_classes)
    present = frame[node].notna().to_numpy()
    with fence_global_randomness(0):
        if parents:
            X = frame.loc[present, list(parents)].to_numpy(dtype=object)
            mechanism.fit(X=X, Y=frame.loc[present, node].to_numpy())
        else:
            mechanism.fit(X=frame.loc[present, node].to_numpy())
    return mechanism
