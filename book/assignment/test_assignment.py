"""The grader of the assignment. Every test calls one function, says what is wrong with it, and hints at the remedy.

No test looks at how a function is written, only at what it does. A test gives its functions inputs of its own, so that
one mistake costs the points of one task.
"""

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from causalmix_utils.finetuning import CausalMixFTClassifier
from causalmix_utils.graphs import check_edge_probabilities
from causalmix_utils.metrics import roc_auc
from causalmix_utils.tables import Table, check_same_schema, load_table, scarce_split

N_ROWS = 60
SPLITS = [0, 3]


def call(function, *arguments, **options):
    """The function's result; one that is still empty fails the test by its name."""
    try:
        return function(*arguments, **options)
    except NotImplementedError:
        pytest.fail(f"{function.__name__} is not filled in yet", pytrace=False)


def require(condition, message):
    if not condition:
        pytest.fail(message, pytrace=False)


@pytest.fixture(scope="session")
def table():
    return load_table("saheart").take(np.arange(200))


@pytest.fixture(scope="session")
def parts(table):
    return scarce_split(table, n=N_ROWS, split=0)


def make_toy(n=90, seed=0):
    """A table whose structure is known: a causes b and the class, c is alone."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    frame = pd.DataFrame({"a": a, "b": 2 * a + rng.normal(scale=0.5, size=n), "c": rng.normal(size=n)})
    return Table.from_frame(frame.assign(y=np.where(a + rng.normal(scale=0.2, size=n) > 0, "yes", "no")), target="y")


def toy_graph():
    graph = nx.DiGraph([("a", "b"), ("a", "y")])
    graph.add_nodes_from(["a", "b", "c", "y"])
    return graph


def keys(X):
    """Each row as one text, to look for it elsewhere."""
    return set(pd.util.hash_pandas_object(X.astype(str), index=False))


@pytest.mark.points(2)
def test_split_rows(student, table):
    train, validation, test = split = call(student.split_rows, table, n=N_ROWS, split=0)
    sizes = [len(part) for part in split]
    require(
        sizes == [40, 20, 140],
        f"split_rows: expected 40, 20 and 140 rows for n={N_ROWS}, got {sizes}. Is a third of n for validation?",
    )
    for one, other in [(train, validation), (train, test), (validation, test)]:
        shared = len(keys(one.X) & keys(other.X))
        require(not shared, f"split_rows: {shared} rows stand on two sides. scarce_split keeps equal rows together.")
    require(
        keys(call(student.split_rows, table, n=N_ROWS, split=1)[0].X) != keys(train.X),
        "split_rows: split=0 and split=1 give the same train rows. Is the argument handed on?",
    )


@pytest.mark.points(1)
def test_estimate_edges_gives_probabilities(student, parts):
    P = call(student.estimate_edges, parts[0], rng=np.random.default_rng(0))
    expected = [*parts[0].X.columns, parts[0].target]
    require(list(P.index) == list(P.columns) == expected, f"estimate_edges: rows and columns must be {expected}")
    try:
        check_edge_probabilities(P)
    except ValueError as error:
        pytest.fail(f"estimate_edges: {error}", pytrace=False)
    require(P.to_numpy().any(), "estimate_edges: all probabilities are zero. Do you return what discovery found?")


@pytest.mark.points(1)
def test_estimate_edges_is_reproducible(student, parts):
    first, second = (call(student.estimate_edges, parts[0], rng=np.random.default_rng(7)) for _ in range(2))
    require(first.equals(second), "estimate_edges: the same rng gave two results. Hand rng on; make no generator.")


@pytest.mark.points(2)
def test_draw_graph(student):
    nodes = ["a", "b", "c", "y"]
    P = pd.DataFrame(0.0, index=nodes, columns=nodes)
    P.loc["a", "b"], P.loc["b", "c"], P.loc["c", "b"], P.loc["a", "y"], P.loc["c", "y"] = 1.0, 0.5, 0.5, 1.0, 0.25
    rng = np.random.default_rng(0)
    graphs = [call(student.draw_graph, P, target="y", rng=rng) for _ in range(60)]
    for graph in graphs:
        require(set(graph) == set(nodes), "draw_graph: a column has no node. Columns without edges belong to it, too.")
        require(nx.is_directed_acyclic_graph(graph), "draw_graph: a graph has a cycle. sample_dag never makes one.")
        require(all(P.loc[edge] > 0 for edge in graph.edges), "draw_graph: an edge of probability zero was drawn.")
        require(graph.has_edge("a", "b"), "draw_graph: an edge of probability one is missing.")
    shares = {edge: np.mean([graph.has_edge(*edge) for graph in graphs]) for edge in [("b", "c"), ("c", "y")]}
    require(
        0.2 < shares["b", "c"] < 0.8 and 0.05 < shares["c", "y"] < 0.55,
        f"draw_graph: edges of probability 0.5 and 0.25 occurred in shares {list(shares.values())} of 60 graphs. "
        "Draw each graph anew; do not cut the probabilities at a threshold.",
    )
    P.loc[:, "y"] = 0.0
    P.loc["c", "y"] = 0.01
    drawn = [call(student.draw_graph, P, target="y", rng=rng).degree("y") for _ in range(5)]
    require(
        min(drawn) > 0, "draw_graph: the target has no neighbour, so its values mean nothing. Name it to sample_dag."
    )


@pytest.mark.points(2)
def test_make_rows(student):
    train = make_toy()
    rows = call(student.make_rows, toy_graph(), train, 200, rng=np.random.default_rng(0))
    require(len(rows) == 200, f"make_rows: 200 rows were asked for, got {len(rows)}")
    try:
        check_same_schema(rows, train)
    except ValueError as error:
        pytest.fail(f"make_rows: {error}. Hand like=train to sample_rows.", pytrace=False)
    copies = len(keys(rows.X) & keys(train.X))
    require(copies < 10, f"make_rows: {copies} rows are copies of train rows. Sample from a fitted model.")
    for columns, linked in [(("a", "b"), True), (("a", "c"), False)]:
        r = abs(np.corrcoef(rows.X[columns[0]], rows.X[columns[1]])[0, 1])
        require(
            (r > 0.6) == linked,
            f"make_rows: {columns} correlate by {r:.2f}, but the graph has {'an' if linked else 'no'} edge there.",
        )


@pytest.mark.points(1)
def test_make_rows_is_reproducible(student):
    train = make_toy()
    first, second, other = (
        call(student.make_rows, toy_graph(), train, 50, rng=np.random.default_rng(seed)).to_frame()
        for seed in (7, 7, 8)
    )
    require(first.equals(second), "make_rows: the same rng gave two results. Hand rng on; make no generator.")
    require(not first.equals(other), "make_rows: two seeds gave the same rows. Is rng used at all?")


@pytest.mark.points(2)
def test_measure_usefulness(student):
    rows, held_out = make_toy(seed=1), make_toy(seed=2)
    good = call(student.measure_usefulness, rows, held_out, rng=np.random.default_rng(0))
    require(good > 0.85, f"measure_usefulness: rows that tell the classes apart got {good:.2f}. Is it a ROC-AUC?")
    shuffled = rows.to_frame().assign(y=np.random.default_rng(5).permutation(rows.y))
    bad = call(
        student.measure_usefulness, Table.from_frame(shuffled, target="y"), held_out, rng=np.random.default_rng(0)
    )
    require(
        bad < 0.8,
        f"measure_usefulness: rows with shuffled classes got {bad:.2f}. The classifier must learn from the "
        "synthetic rows alone, and be scored on the real ones.",
    )


@pytest.fixture
def fits(monkeypatch):
    """The arguments of every fit of the classifier from here on."""
    seen, fit = [], CausalMixFTClassifier.fit

    def record(self, X, y, **given):
        seen.append({"X": X, "y": y, **given})
        return fit(self, X, y, **given)

    monkeypatch.setattr(CausalMixFTClassifier, "fit", record)
    return seen


@pytest.mark.points(2)
def test_fine_tune_watches_real_rows_only(student, parts, fits):
    train, validation, _ = parts
    call(student.fine_tune, train, validation, generator="independent", seed=0, max_steps=2)
    given = fits[-1]
    watched = given.get("X_validation")
    require(watched is not None, "fine_tune: no validation rows were handed to fit. Use X_validation and y_validation.")
    extra = len(keys(watched) - keys(validation.X))
    require(
        not extra,
        f"fine_tune: {extra} rows that are no validation rows are watched. Early stopping must see real held-back rows "
        "only: on synthetic rows it would choose the step that fits the generator best.",
    )
    require(keys(watched) == keys(validation.X), "fine_tune: not all validation rows are watched.")
    require(
        keys(given["X"]) == keys(train.X),
        "fine_tune: fit must get the real train rows, all and only them. The generator adds its rows by itself.",
    )


@pytest.mark.points(1)
def test_fine_tune_mixes_in_the_rows_of_the_generator(student, parts):
    train, validation, _ = parts
    mixed = call(student.fine_tune, train, validation, generator="independent", seed=0, max_steps=2)
    require(mixed.synthetic_ is not None, "fine_tune: no synthetic rows were drawn. Hand the generator on.")
    require(mixed.trajectory_["step"].max() == 2, "fine_tune: max_steps=2 did not lead to two steps. Hand it on.")
    alone = call(student.fine_tune, train, validation, generator=None, seed=0, max_steps=2)
    require(alone.synthetic_ is None, "fine_tune: generator=None must fine-tune on real rows alone.")


@pytest.mark.points(1)
def test_fine_tune_is_reproducible(student, parts):
    train, validation, test = parts
    predictions = []
    for global_seed, seed in enumerate((7, 7, 8)):
        # Without a random_state the classifier draws from numpy's global state, which differs from run to run.
        np.random.seed(global_seed)  # noqa: NPY002
        model = call(student.fine_tune, train, validation, generator="independent", seed=seed, max_steps=2)
        predictions.append(model.predict_proba(test.X))
    first, second, other = predictions
    require(
        np.array_equal(first, second),
        "fine_tune: the same seed gave two models. Hand seed on as random_state, or nobody can repeat your result.",
    )
    require(not np.array_equal(first, other), "fine_tune: two seeds gave the same model. Is seed used at all?")


@pytest.fixture(scope="session")
def comparison(student, table):
    """The result of `compare`, with each model that predicted, the rows and the probabilities; or the error."""
    predicted, predict_proba = [], CausalMixFTClassifier.predict_proba

    def record(self, X):
        predicted.append((self, X, predict_proba(self, X)))
        return predicted[-1][2]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CausalMixFTClassifier, "predict_proba", record)
        try:
            return student.compare(table, n=N_ROWS, splits=SPLITS, seed=0), predicted
        except Exception as error:
            return error, predicted


def open_comparison(comparison):
    result, predicted = comparison
    if isinstance(result, NotImplementedError):
        pytest.fail(f"compare is not filled in yet, or a function that it calls: {result}", pytrace=False)
    if isinstance(result, Exception):
        pytest.fail(f"compare: {type(result).__name__}: {result}", pytrace=False)
    return result, predicted


@pytest.mark.points(1)
def test_compare_gives_a_line_for_each_split(comparison):
    scores, _ = open_comparison(comparison)
    expected = ["split", "zero_shot", "default", "mixed"]
    require(list(scores.columns) == expected, f"compare: expected the columns {expected}, got {list(scores.columns)}")
    require(list(scores["split"]) == SPLITS, f"compare: expected a line for each of the splits {SPLITS}")
    require(scores[expected[1:]].stack().between(0, 1).all(), "compare: an AUC lies between 0 and 1.")


@pytest.mark.points(1)
def test_compare_scores_test_rows_only(comparison, table):
    _, predicted = open_comparison(comparison)
    require(predicted, "compare: no model predicted anything. Score each by predict_proba on the test rows.")
    splits = [scarce_split(table, n=N_ROWS, split=split) for split in SPLITS]
    tests = [keys(test.X) for _, _, test in splits]
    for _, X, _ in predicted:
        fitted = max(len(keys(X) & (keys(train.X) | keys(validation.X))) for train, validation, _ in splits)
        require(
            keys(X) in tests,
            f"compare: a score was computed on rows that are not the test rows of a split; up to {fitted} of them were "
            "in its train or validation rows. A model is judged on rows that it has never seen.",
        )


@pytest.mark.points(1)
def test_compare_puts_the_score_of_each_model_into_its_column(comparison, table):
    scores, predicted = open_comparison(comparison)
    kinds = {
        "zero_shot": (lambda model: model.max_steps == 0, "a model that takes no step"),
        "default": (lambda model: model.max_steps > 0 and model.generator is None, "fine-tuning without a generator"),
        "mixed": (lambda model: model.max_steps > 0 and is_pipeline(model.generator), "one with PipelineGenerator()"),
    }
    for place, split in enumerate(SPLITS):
        test = scarce_split(table, n=N_ROWS, split=split)[2]
        here = [(model, proba) for model, X, proba in predicted if keys(X) == keys(test.X)]
        for column, (belongs, what) in kinds.items():
            aucs = [roc_auc(test.y, proba, model.classes_) for model, proba in here if belongs(model)]
            require(
                bool(np.isclose(aucs, scores[column].iloc[place]).any()),
                f"compare: {column!r} of split {split} is not the score of {what}. Which model is in this column?",
            )
    seeds = {model.random_state for model, _, _ in predicted}
    require(seeds == {0}, f"compare: seed=0 was asked for, but the models have the seeds {seeds}. Hand it to all arms.")


def is_pipeline(generator):
    """Whether this is the assignment's generator, as an object or as a class."""
    return "PipelineGenerator" in (type(generator).__name__, getattr(generator, "__name__", ""))


@pytest.mark.points(2)
def test_judge(student):
    def ask(differences):
        return call(student.judge, differences, rng=np.random.default_rng(0))

    cases = [
        ([0.04, 0.05, 0.06, 0.05, 0.045], "better"),
        ([-0.04, -0.05, -0.06, -0.05, -0.045], "worse"),
        ([0.05, -0.03, 0.02, -0.04, 0.01], "undecided"),
        ([0.10, 0.00, 0.01, -0.01, -0.02], "undecided"),
    ]
    for differences, verdict in cases:
        found = ask(differences)
        require(
            found["verdict"] == verdict,
            f"judge: {differences} is {verdict!r}, not {found['verdict']!r}. Look at the interval, not at the mean.",
        )
        require(
            found["low"] < found["mean"] < found["high"], "judge: the interval must hold the mean, and have a width."
        )
    few, many = ask([0.05, -0.03, 0.02, -0.04]), ask([0.05, -0.03, 0.02, -0.04] * 9)
    require(
        many["high"] - many["low"] < 0.6 * (few["high"] - few["low"]),
        "judge: nine times as many splits must make the interval narrower. Is it the interval of the mean?",
    )
    with pytest.raises(ValueError, match=".") as refusal:
        ask([0.05])
    require(str(refusal.value), "judge: a single difference has no interval: raise a ValueError that says so.")
