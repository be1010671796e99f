"""The prior: random classification tables from random structural causal models.

A prior-fitted network learns to predict by solving many small, made-up tables.  This module
makes them.  One table is drawn in four moves:

1. a random structural causal model gives values to a few dozen nodes (`_draw_nodes`);
2. some nodes become features, some of these categories, whole numbers, skewed or nearly
   copied columns (`_observe_features`);
3. a class is drawn for each row, either from another node of the same model or from a random
   function of the features, with label noise and class imbalance (`_draw_target`);
4. values go missing (`_hide_values`).

No real table is read anywhere in this package: the network that is trained on this prior
has never seen one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from causalmix_utils.arguments import check_count, check_rng

MAX_CLASSES = 10

PRIOR_VERSION = 1
"""Raised with every change of the tables that are drawn, so that no run goes on with other ones."""


@dataclass(frozen=True)
class PriorBatch:
    """Tables of equal shape, ready for one training step.

    Attributes
    ----------
    X : ndarray of shape (n_rows, n_tables, n_features), float32
        Features; NaN marks a missing value, categories are integer codes.
    y : ndarray of shape (n_rows, n_tables), int64
        Class codes ``0 … n_classes - 1`` of each table. The query rows of a class that no
        context row shows hold -100, which PyTorch's cross-entropy ignores.
    n_context : int
        The first `n_context` rows of every table are context rows, the others query rows.
    n_classes : ndarray of shape (n_tables,)
        Number of classes among the context rows of each table.
    """

    X: np.ndarray
    y: np.ndarray
    n_context: int
    n_classes: np.ndarray


def sample_batch(
    n_tables: int, *, n_rows: int, n_features: int, n_context: int, rng: np.random.Generator
) -> PriorBatch:
    """Draw `n_tables` tables of one shape.

    Parameters
    ----------
    n_tables, n_rows, n_features, n_context : int
        The shape; `n_context` of the `n_rows` rows are context rows.
    rng : numpy.random.Generator
        The only source of randomness: equal generators give equal batches.

    Returns
    -------
    PriorBatch

    Examples
    --------
    >>> batch = sample_batch(3, n_rows=50, n_features=4, n_context=30, rng=np.random.default_rng(0))
    >>> batch.X.shape, batch.y.shape
    ((50, 3, 4), (50, 3))
    """
    check_rng(rng)
    check_count("n_context", n_context, minimum=2, maximum=n_rows - 1)
    X = np.empty((n_rows, n_tables, n_features), dtype=np.float32)
    y = np.empty((n_rows, n_tables), dtype=np.int64)
    n_classes = np.empty(n_tables, dtype=np.int64)
    for table in range(n_tables):
        X[:, table], labels = sample_table(n_rows, n_features, rng=rng)
        while len(np.unique(labels[:n_context])) < 2:
            X[:, table], labels = sample_table(n_rows, n_features, rng=rng)
        y[:, table], n_classes[table] = _encode_classes(labels, n_context)
    return PriorBatch(X=X, y=y, n_context=n_context, n_classes=n_classes)


def sample_table(n_rows: int, n_features: int, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw one table.

    Returns
    -------
    X : ndarray of shape (n_rows, n_features), float32
        Features, NaN where missing.
    labels : ndarray of shape (n_rows,), int64
        Classes below `MAX_CLASSES`; some may be absent.
    """
    check_rng(rng)
    n_nodes = n_features + 2 + int(rng.integers(0, max(4, n_features // 2)))
    nodes = _draw_nodes(n_rows, n_nodes, rng)
    order = rng.permutation(n_nodes)
    X = _observe_features(nodes[:, order[:n_features]], rng)
    labels = _draw_target(X, nodes[:, order[n_features:]], rng)
    return _hide_values(X, rng).astype(np.float32), labels


# ---- 1. the structural causal model -------------------------------------------------------


def _draw_nodes(n_rows: int, n_nodes: int, rng: np.random.Generator) -> np.ndarray:
    """Values of all nodes, in causal order: roots first, then layers that read all earlier nodes."""
    n_roots = min(n_nodes, 1 + int(rng.integers(0, max(2, n_nodes // rng.choice([1, 2, 4])))))
    nodes = np.empty((n_rows, n_nodes))
    nodes[:, :n_roots] = _draw_roots(n_rows, n_roots, rng)
    width = int(rng.integers(1, max(2, n_nodes // 2) + 1))
    mean_parents = 1 + rng.exponential(2.0)
    noise = 10 ** rng.uniform(-2, 0.3)
    done = n_roots
    while done < n_nodes:
        new = slice(done, min(done + width, n_nodes))
        n_new = new.stop - new.start
        connected = _connect(done, n_new, mean_parents / done, rng)
        values = _apply_mechanism(nodes[:, :done], connected, rng)
        values += noise * rng.exponential(1.0, n_new) * _draw_noise((n_rows, n_new), rng)
        nodes[:, new] = _standardise(values)
        done = new.stop
    return nodes


def _draw_roots(n_rows: int, n_roots: int, rng: np.random.Generator) -> np.ndarray:
    """Root causes: normal, uniform, skewed, heavy-tailed, clustered or discrete, often correlated."""
    kind = rng.choice(
        ["normal", "uniform", "skewed", "heavy", "clusters", "discrete"], p=[0.35, 0.15, 0.15, 0.1, 0.15, 0.1]
    )
    shape = (n_rows, n_roots)
    if kind == "normal":
        values = rng.standard_normal(shape)
    elif kind == "uniform":
        values = rng.uniform(-1.7, 1.7, shape)
    elif kind == "skewed":
        values = rng.gamma(rng.uniform(0.5, 4), size=shape)
    elif kind == "heavy":
        values = np.clip(rng.standard_t(rng.uniform(2, 6), shape), -15, 15)
    elif kind == "clusters":
        n_clusters = int(rng.integers(2, 9))
        centres = rng.standard_normal((n_clusters, n_roots)) * rng.uniform(0.5, 3)
        values = centres[rng.integers(0, n_clusters, n_rows)] + rng.standard_normal(shape)
    else:
        values = rng.integers(0, rng.integers(2, 8, n_roots), shape).astype(float)
    if rng.random() < 0.3:
        values = values @ (
            np.eye(n_roots) + rng.standard_normal((n_roots, n_roots)) * rng.uniform(0, 1) / np.sqrt(n_roots)
        )
    return _standardise(values)


def _draw_noise(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Noise of unit scale: mostly normal, at times Laplace or heavy-tailed."""
    kind = rng.random()
    if kind < 0.7:
        return rng.standard_normal(shape)
    if kind < 0.9:
        return rng.laplace(0, 0.7, shape)
    return np.clip(rng.standard_t(3, shape), -10, 10)


def _connect(n_inputs: int, n_new: int, density: float, rng: np.random.Generator) -> np.ndarray:
    """Which inputs each new node reads: Boolean, shape (n_inputs, n_new), at least one each."""
    connected = rng.random((n_inputs, n_new)) < density
    connected[rng.integers(0, n_inputs, n_new), np.arange(n_new)] = True
    return connected


def _apply_mechanism(inputs: np.ndarray, connected: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """New nodes of shape (n_rows, n_new) from `inputs` (n_rows, n_inputs) along `connected` (n_inputs, n_new)."""
    kind = rng.choice(["linear", "additive", "network", "tree", "interaction"], p=[0.25, 0.15, 0.25, 0.2, 0.15])
    weights = np.where(connected, rng.standard_normal(connected.shape), 0.0)
    weights /= np.sqrt(np.maximum(connected.sum(axis=0), 1))
    if kind == "tree":
        return _random_trees(inputs, connected, rng)
    if kind == "additive":
        return _activate(inputs * rng.uniform(0.5, 2) + rng.standard_normal(inputs.shape[1]), rng) @ weights
    signal = inputs @ weights
    if kind == "linear":
        return signal
    if kind == "network":
        return _activate(signal * rng.uniform(0.5, 3) + rng.standard_normal(signal.shape[1]), rng)
    other = np.where(connected, rng.standard_normal(connected.shape), 0.0)
    return signal * (inputs @ other)


def _activate(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One of several activation functions, the same for all columns."""
    functions = (
        np.tanh,
        np.sin,
        np.abs,
        np.square,
        np.sign,
        lambda v: np.maximum(v, 0),
        lambda v: np.exp(-np.square(v)),
    )
    return functions[rng.integers(len(functions))](np.clip(values, -10, 10))


def _random_trees(inputs: np.ndarray, connected: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sums of oblivious decision trees: every level of a tree asks one question of one input."""
    n_rows, n_new = inputs.shape[0], connected.shape[1]
    values = np.empty((n_rows, n_new))
    for node in range(n_new):
        parents = np.flatnonzero(connected[:, node])
        depth, n_trees = int(rng.integers(1, 5)), int(rng.integers(1, 4))
        asked = rng.choice(parents, (n_trees, depth))
        thresholds = inputs[rng.integers(0, n_rows, (n_trees, depth)), asked]
        leaf = ((inputs[:, asked] > thresholds) << np.arange(depth)).sum(axis=2)
        leaf_values = rng.standard_normal((n_trees, 2**depth))
        values[:, node] = leaf_values[np.arange(n_trees), leaf].sum(axis=1)
    return values


# ---- 2. features ----------------------------------------------------------------------------


def _observe_features(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turn nodes into columns as they are found in files: categories, whole numbers, skewed or copied columns."""
    X = values.copy()
    share_categorical, share_whole, share_warped = rng.dirichlet([0.7, 0.4, 0.4, 1.2])[:3]
    kinds = rng.random(X.shape[1])
    for column, kind in enumerate(kinds):
        if kind < share_categorical:
            X[:, column] = _cut_into_levels(X[:, column], rng, ordered=rng.random() < 0.3)
        elif kind < share_categorical + share_whole:
            X[:, column] = np.round(X[:, column] * rng.uniform(0.7, 10))
        elif kind < share_categorical + share_whole + share_warped:
            X[:, column] = _warp(X[:, column], rng)
    if X.shape[1] > 2 and rng.random() < 0.1:
        original, copy = rng.choice(X.shape[1], 2, replace=False)
        X[:, copy] = X[:, original] + rng.uniform(0, 0.3) * X[:, original].std() * rng.standard_normal(len(X))
    return X


def _cut_into_levels(
    values: np.ndarray, rng: np.random.Generator, *, ordered: bool, max_levels: int = 12
) -> np.ndarray:
    """Category codes from cutting `values` at random quantiles; a nominal category has its codes shuffled."""
    n_levels = 2 if rng.random() < 0.4 else int(rng.integers(2, max_levels + 1))
    shares = rng.dirichlet(np.full(n_levels, rng.choice([1.0, 2.0, 10.0])))
    cuts = np.quantile(values, np.cumsum(shares)[:-1].clip(0, 1))
    codes = np.searchsorted(cuts, values)
    return (codes if ordered else rng.permutation(n_levels)[codes]).astype(float)


def _warp(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A monotone change of scale that makes a column skewed, heavy-tailed or bounded."""
    warps = (
        lambda v: np.exp(v * rng.uniform(0.3, 1.2)),
        lambda v: v**3,
        lambda v: np.tanh(v * 2),
        lambda v: np.maximum(v, 0),
    )
    return warps[rng.integers(len(warps))](np.clip(values, -5, 5))


# ---- 3. target ------------------------------------------------------------------------------


def _draw_target(X: np.ndarray, hidden: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Classes of shape (n_rows,) from a hidden node or from a random function of the features."""
    n_classes = 2 if rng.random() < 0.5 else int(rng.integers(3, MAX_CLASSES + 1))
    from_hidden_node = rng.random() < 0.4
    labels = _cut_target(hidden[:, 0], n_classes, rng) if from_hidden_node else _score_target(X, n_classes, rng)
    if rng.random() < 0.4:
        flipped = rng.random(len(labels)) < rng.uniform(0, 0.3)
        labels = np.where(flipped, rng.permutation(labels), labels)
    return labels


def _cut_target(values: np.ndarray, n_classes: int, rng: np.random.Generator) -> np.ndarray:
    """Classes from cutting one node at random quantiles, in random order."""
    shares = rng.dirichlet(np.full(n_classes, rng.choice([2.0, 10.0])))
    cuts = np.quantile(values, np.cumsum(shares)[:-1].clip(0, 1))
    return rng.permutation(n_classes)[np.searchsorted(cuts, values)]


def _score_target(X: np.ndarray, n_classes: int, rng: np.random.Generator) -> np.ndarray:
    """Classes drawn from the softmax of random scores of some features."""
    n_features = X.shape[1]
    n_used = min(n_features, 1 + int(rng.geometric(rng.choice([0.1, 0.2, 0.5]))))
    if rng.random() < 0.25:
        n_used = n_features  # many weak effects, as in tables of people
    used = rng.choice(n_features, n_used, replace=False)
    inputs = _standardise(_expand_levels(X[:, used], rng))
    inputs *= rng.exponential(1.0, inputs.shape[1])  # some features matter more than others
    density = rng.choice([0.5, 1.0])
    scores = sum(
        _apply_mechanism(inputs, _connect(n_used, n_classes, density, rng), rng) for _ in range(rng.integers(1, 3))
    )
    scores = _standardise(scores) * 10 ** rng.uniform(-0.4, 1.0)
    scores += rng.standard_normal(n_classes) * rng.uniform(0, 1.5)
    return (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)


def _expand_levels(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give every level of a category its own random effect, so that the codes' order means nothing."""
    expanded = X.copy()
    for column in range(X.shape[1]):
        codes = X[:, column]
        if np.all(codes >= 0) and codes.max() < 12 and np.all(codes == np.floor(codes)) and rng.random() < 0.7:
            expanded[:, column] = rng.standard_normal(12)[codes.astype(int)]
    return expanded


def _encode_classes(labels: np.ndarray, n_context: int) -> tuple[np.ndarray, int]:
    """Number the classes of the context rows from 0; other classes become -100."""
    seen = np.unique(labels[:n_context])
    codes = np.full(MAX_CLASSES, -100)
    codes[seen] = np.arange(len(seen))
    return codes[labels], len(seen)


# ---- 4. missing values ------------------------------------------------------------------------


def _hide_values(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Hide values at random in some columns of every fifth table."""
    if rng.random() > 0.2:
        return X
    rates = np.where(rng.random(X.shape[1]) < 0.5, rng.beta(1, 5, X.shape[1]), 0.0)
    return np.where(rng.random(X.shape) < rates, np.nan, X)


def _standardise(values: np.ndarray) -> np.ndarray:
    """Mean 0 and standard deviation 1 for each column; a constant column becomes 0."""
    spread = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0)
