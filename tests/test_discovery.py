"""Discovery: edge probabilities that mean what they say, on tables that make other searches fail in silence."""

import contextlib
import io
import os
import subprocess
import sys
import warnings

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from causalmix_utils.discovery import (
    edge_probabilities,
    edge_stability,
    find_redundant_columns,
    learn_marks,
    marks_to_mass,
    pag,
)
from causalmix_utils.discovery.fci import learn_pag
from causalmix_utils.discovery.pc import learn_skeleton, orient
from causalmix_utils.discovery.search import search_graphs
from causalmix_utils.graphs import check_edge_probabilities
from causalmix_utils.independence import PValueTable, encode_columns
from causalmix_utils.tables import Table, load_table


def make_table(n: int = 200, seed: int = 0) -> Table:
    """A cause of another column and of the label, a category, and noise."""
    rng = np.random.default_rng(seed)
    cause = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "cause": cause,
            "effect": cause + rng.normal(size=n),
            "group": np.digitize(cause + rng.normal(size=n), [-0.7, 0.7]).astype(str),
            "noise": rng.normal(size=n),
            "label": np.where(cause + 0.7 * rng.normal(size=n) > 0, "yes", "no"),
        }
    )
    return Table.from_frame(frame, target="label", name="made")


def add_columns(table: Table, **columns) -> Table:
    """The table with further features after its own."""
    frame = table.X.assign(**columns).assign(**{table.target: table.y})
    return Table.from_frame(frame, target=table.target, name=table.name)


def probabilities(table: Table, seed: int = 0, **options) -> pd.DataFrame:
    options = {"n_resamples": 3, **options}
    return edge_probabilities(table, rng=np.random.default_rng(seed), **options)


def adjacency(P: pd.DataFrame) -> pd.DataFrame:
    return P + P.T


@pytest.mark.parametrize("name", ["titanic", "tae", "wine"])
def test_edge_probabilities_of_a_real_table_keep_their_contract(name):
    table = load_table(name)
    P = probabilities(table)
    check_edge_probabilities(P)
    assert list(P.columns) == table.columns
    assert P.attrs["discovery"]["test"] == "mixed"


def test_a_real_cause_is_found_and_noise_is_not():
    pairs = adjacency(probabilities(make_table(400)))
    assert pairs.loc["cause", "effect"] == 1
    assert pairs.loc["cause", "label"] == 1
    assert pairs.loc["cause", "group"] == 1
    assert pairs.loc["noise"].max() < 0.5


def test_the_same_seed_gives_the_same_bits_with_any_number_of_processes_and_another_seed_does_not():
    table = make_table(120)
    one = probabilities(table)
    pd.testing.assert_frame_equal(one, probabilities(table), check_exact=True)
    shared = probabilities(table, n_jobs=2)
    pd.testing.assert_frame_equal(one, shared, check_exact=True)
    assert one.attrs == shared.attrs
    assert not one.equals(probabilities(table, seed=1))


def test_the_result_does_not_depend_on_the_hash_seed_of_the_process():
    """FCI walks through sets of nodes, whose order follows the hashes of their names."""
    code = """
import numpy as np, pandas as pd
from causalmix_utils.discovery import learn_marks
from causalmix_utils.tables import Table
for seed in (1, 4, 7, 8):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(150, 14)) @ (np.eye(14) + np.triu(rng.random((14, 14)) < 0.25, 1) * 0.7)
    frame = pd.DataFrame(values).assign(y=["no", "yes"] * 75)
    marks = learn_marks(Table.from_frame(frame, target="y"), method="fci", alpha=0.1)
    print(marks.to_numpy().tobytes().hex())
"""
    outputs = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        outputs.add(run.stdout)
    assert len(outputs) == 1


def test_global_random_state_is_left_alone_and_nothing_is_printed(capfd):
    np.random.seed(3)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    probabilities(make_table(100), target="sink", progress=True)
    assert np.random.random() == expected  # noqa: NPY002
    printed = capfd.readouterr()
    assert printed.out == "" and printed.err == ""


def simulate(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    n_columns, density = int(rng.integers(4, 16)), rng.choice([0.15, 0.3, 0.5])
    weights = np.eye(n_columns) + 0.7 * np.triu(rng.random((n_columns, n_columns)) < density, 1)
    return (rng.normal(size=(int(rng.choice([60, 150, 500])), n_columns)) @ weights)[:, rng.permutation(n_columns)]


@pytest.mark.parametrize("sink", [None, 2])
@pytest.mark.parametrize("seed", [*range(8), 1002, 1048, 1125])
def test_pc_gives_the_graph_of_causal_learn_mark_by_mark(seed, sink):
    """The last seeds are tables on which causal-learn misses a long path and lets a rule close a cycle."""
    from causallearn.search.ConstraintBased.PC import pc
    from causallearn.utils.PCUtils.BackgroundKnowledge import BackgroundKnowledge

    values = simulate(seed)
    knowledge = None if sink is None else BackgroundKnowledge().add_forbidden_by_pattern(f"X{sink + 1}$", ".*")
    theirs = pc(values, 0.1, "fisherz", show_progress=False, background_knowledge=knowledge).G.graph
    tests = PValueTable(values, np.zeros(values.shape[1], dtype=bool), test="fisherz")
    skeleton = learn_skeleton(tests, values.shape[1], alpha=0.1)
    assert skeleton.complete
    np.testing.assert_array_equal(orient(skeleton, sink=sink), theirs)


def simulate_confounded(seed: int) -> np.ndarray:
    """Some of the causes are left out, as FCI allows."""
    rng = np.random.default_rng(seed)
    n_columns, n_hidden = int(rng.integers(4, 18)), int(rng.integers(0, 5))
    density = rng.choice([0.1, 0.2, 0.35, 0.5])
    n_all = n_columns + n_hidden
    weights = np.eye(n_all) + 0.8 * np.triu(rng.random((n_all, n_all)) < density, 1)
    values = rng.normal(size=(int(rng.choice([60, 150, 500, 2000])), n_all)) @ weights
    return values[:, rng.permutation(n_all)[:n_columns]]


class NumberedName(str):
    """Node name with its number as hash: for others causal-learn's FCI depends on the hash seed of the process."""

    def __hash__(self) -> int:
        return int(self[1:])


def run_plain_fci(values: np.ndarray, alpha: float, knowledge=None) -> np.ndarray:
    from causallearn.search.ConstraintBased.FCI import fci

    names = [NumberedName(f"X{place + 1}") for place in range(values.shape[1])]
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # More columns than rows.
        options = {"show_progress": False, "background_knowledge": knowledge, "node_names": names}
        return fci(values, "fisherz", alpha, **options)[0].graph


@pytest.mark.parametrize("sink", [None, 2])
@pytest.mark.parametrize("seed", [1, 12, 19, 25, 35, 37, 63, 76, 102, 110, 141, 205])
def test_fci_gives_the_graph_of_causal_learn_mark_by_mark(seed, sink):
    """Tables on which edges fall by possible d-separation, or the rules R3, R4, R5, R6 or R9 apply."""
    from causallearn.utils.PCUtils.BackgroundKnowledge import BackgroundKnowledge

    values, alpha = simulate_confounded(seed), [0.01, 0.05, 0.1, 0.2][seed % 4]
    knowledge = None if sink is None else BackgroundKnowledge().add_forbidden_by_pattern(f"X{sink + 1}$", ".*")
    tests = PValueTable(values, np.zeros(values.shape[1], dtype=bool), test="fisherz")
    skeleton = learn_skeleton(tests, values.shape[1], alpha=alpha)
    marks = learn_pag(tests, skeleton, alpha=alpha, sink=sink)
    np.testing.assert_array_equal(marks, run_plain_fci(values, alpha, knowledge))


@settings(max_examples=150)
@given(st.integers(0, 2**31), st.integers(4, 8), st.floats(0.3, 0.9))
def test_each_rule_of_fci_does_to_any_marks_what_that_of_causal_learn_does(seed, n, density):
    """Marks as they come from no table: here even the rarest rules apply."""
    from causallearn.graph.GeneralGraph import GeneralGraph
    from causallearn.graph.GraphNode import GraphNode
    from causallearn.search.ConstraintBased import FCI

    rng = np.random.default_rng(seed)
    chances = rng.dirichlet([1, 1, 2], size=2)
    ends = np.where(rng.random((n, n)) < 0.5, *(rng.choice([-1, 1, 2], size=(n, n), p=p) for p in chances))
    adjacent = np.triu(rng.random((n, n)) < density, 1)
    adjacent |= adjacent.T
    marks = np.where(adjacent, ends, 0)
    separating = {
        (a, c): set(rng.permutation(n)[:2].tolist()) for a in range(n) for c in range(n) if rng.random() < 0.8
    }

    def is_independent(x, y, given):
        return (5 * x + 3 * y + sum(given)) % 3 == 0

    graph = GeneralGraph([GraphNode(NumberedName(f"X{place + 1}")) for place in range(n)])

    def ask(x, y, given):
        return float(is_independent(x, y, given))

    theirs = {
        "_apply_r1_r2": lambda: FCI.rulesR1R2cycle(graph, None, False),
        "_apply_r3": lambda: FCI.ruleR3(graph, separating, None, False),
        "_apply_r4": lambda: FCI.ruleR4B(graph, -1, None, ask, 0.5, separating, False, None),
        "_apply_r5": lambda: FCI.ruleR5(graph, False),
        "_apply_r6": lambda: FCI.ruleR6(graph, False),
        "_apply_r7": lambda: FCI.ruleR7(graph, False),
        "_apply_r8": lambda: FCI.rule8(graph, None, False),
        "_apply_r9": lambda: FCI.rule9(graph, None, False),
        "_apply_r10": lambda: FCI.rule10(graph, False),
    }
    for name, run in theirs.items():
        ours = pag.Pag(adjacent, separating)
        ours.marks = marks.tolist()
        graph.graph = marks.copy()
        changed = getattr(pag, name)(ours, *[is_independent][: name == "_apply_r4"])
        assert changed in (run(), None), name
        np.testing.assert_array_equal(ours.marks, graph.graph, err_msg=name)


@pytest.mark.parametrize("seed", range(3))
def test_a_budget_gives_the_graph_of_pc_with_smaller_conditioning_sets(seed):
    from causallearn.search.ConstraintBased.PC import pc

    values = simulate(seed + 40)
    tests = PValueTable(values, np.zeros(values.shape[1], dtype=bool), test="fisherz")
    learn_skeleton(tests, values.shape[1], alpha=0.1)
    tests.begin_search(tests.asked * 0.8)
    skeleton = learn_skeleton(tests, values.shape[1], alpha=0.1)
    assert not skeleton.complete
    theirs = pc(values, 0.1, "fisherz", show_progress=False, max_k=skeleton.depth).G.graph
    np.testing.assert_array_equal(orient(skeleton), theirs)


def test_with_all_neighbours_among_the_strongest_the_skeleton_is_that_of_pc():
    values = simulate(3)
    tests = PValueTable(values, np.zeros(values.shape[1], dtype=bool), test="fisherz")
    every, most = (learn_skeleton(tests, values.shape[1], alpha=0.1, strongest=k) for k in (None, 99))
    np.testing.assert_array_equal(every.adjacent, most.adjacent)
    assert every.separating == most.separating


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("method", ["pc", "fci"])
def test_the_graph_of_a_table_is_the_one_of_plain_causal_learn_with_fisher_z(method, seed):
    from causallearn.search.ConstraintBased.PC import pc

    rng = np.random.default_rng(seed)
    values = rng.normal(size=(250, 12)) @ (np.eye(12) + np.triu(rng.random((12, 12)) < 0.2, 1) * 0.8)
    values[:, -1] = values[:, -1] > 0
    frame = pd.DataFrame(values, columns=[f"x{place}" for place in range(11)] + ["y"]).astype({"y": int})
    ours = learn_marks(Table.from_frame(frame, target="y"), method=method)
    theirs = run_plain_fci(values, 0.05)
    if method == "pc":
        theirs = pc(values, 0.05, "fisherz", show_progress=False).G.graph
    np.testing.assert_array_equal(ours.to_numpy(), theirs)
    assert np.count_nonzero(theirs) > 10


def test_bootstrap_finds_more_false_edges_than_subsampling():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(200, 9)), columns=[f"x{place}" for place in range(9)])
    table = Table.from_frame(frame.assign(y=rng.choice(["no", "yes"], size=200)), target="y")
    subsample = probabilities(table, n_resamples=10, methods="pc")
    bootstrap = probabilities(table, n_resamples=10, methods="pc", resampling="bootstrap", sample_fraction=1.0)
    assert bootstrap.to_numpy().sum() > 1.5 * subsample.to_numpy().sum()


def test_every_class_is_in_every_resample():
    table = make_table(100)
    table = Table.from_frame(table.to_frame().assign(label=["rare"] + ["a", "b", "b"] * 33), target="label")
    P = probabilities(table, sample_fraction=0.3)
    assert P.attrs["discovery"]["rows"] == 31  # One of the rare class, 10 of 33, 20 of 66.


# Columns that break a search -------------------------------------------------------------------------


def test_a_constant_column_has_no_edge_and_changes_none():
    """In causal-learn it gives p-values that are no numbers, and wrong edges."""
    table = make_table()
    P = probabilities(add_columns(table, one=1.0, empty=np.nan))
    assert P.attrs["discovery"]["constant"] == ["one", "empty"]
    assert adjacency(P).loc[["one", "empty"]].to_numpy().sum() == 0
    pd.testing.assert_frame_equal(P.loc[table.columns, table.columns], probabilities(table), check_exact=True)


def test_a_copy_of_a_column_hangs_on_its_twin_and_changes_nothing_else():
    """In causal-learn it raises "singular"."""
    table = make_table()
    copy = 3 - 2 * table.X["effect"]
    group = table.X["group"].map({"0": "low", "1": "middle", "2": "high"})
    P = probabilities(add_columns(table, copy=copy, named=group))
    assert P.attrs["discovery"]["determined"] == {"copy": ["effect"], "named": ["group"]}
    assert P.loc["effect", "copy"] == 1 and adjacency(P)["copy"].sum() == 1
    assert P.loc["group", "named"] == 1 and adjacency(P)["named"].sum() == 1
    pd.testing.assert_frame_equal(P.loc[table.columns, table.columns], probabilities(table), check_exact=True)


def test_an_exact_sum_of_columns_hangs_on_its_parts_and_changes_nothing_else():
    """In causal-learn it gives a wrong graph without a word."""
    table = make_table()
    P = probabilities(add_columns(table, total=table.X["cause"] - 2 * table.X["noise"]))
    assert P.attrs["discovery"]["determined"] == {"total": ["cause", "noise"]}
    assert P.loc["cause", "total"] == P.loc["noise", "total"] == 1
    pd.testing.assert_frame_equal(P.loc[table.columns, table.columns], probabilities(table), check_exact=True)


def test_a_feature_that_repeats_the_target_hangs_on_the_target_which_is_never_dropped():
    table = make_table()
    P = probabilities(add_columns(table, leak=(table.y == "yes").astype(int)))
    assert P.attrs["discovery"]["determined"] == {"leak": ["label"]}
    assert P.loc["label", "leak"] == 1
    assert adjacency(P).loc["cause", "label"] == 1


def test_a_near_copy_counts_as_a_copy_only_beyond_the_limit():
    table = make_table()
    near = table.X["effect"] + 0.3 * np.random.default_rng(1).normal(size=len(table))
    table = add_columns(table, near=near)
    assert find_redundant_columns(table).determined == {"near": ["effect"]}
    below = find_redundant_columns(table, collinearity=0.999)
    assert below.determined == {}
    assert [pair[:2] for pair in below.near_copies] == [("effect", "near")]
    assert below.near_copies[0][2] == pytest.approx(table.X["effect"].corr(table.X["near"]), abs=0.001)
    told = probabilities(table, collinearity=0.999, n_resamples=1).attrs["discovery"]
    assert told["near_copies"] == [list(below.near_copies[0])]


def test_the_target_keeps_its_edge_where_a_feature_has_a_near_copy():
    """In causal-learn each of the two separates the other from the target, and both edges fall without a word."""
    table = make_table(133)
    cause = table.X["cause"]
    near = 0.97 * cause + 0.24 * np.random.default_rng(1).normal(size=len(table))
    table = add_columns(table, near=near)
    with_default, without = (adjacency(probabilities(table, **o))["label"] for o in ({}, {"collinearity": 1.0}))
    assert with_default["cause"] == 1
    assert max(without["cause"], without["near"]) < 0.5


def test_a_feature_that_predicts_the_target_well_is_no_copy_of_it():
    table = make_table()
    rng = np.random.default_rng(1)
    good = (table.y == "yes").astype(int) + 0.12 * rng.normal(size=len(table))
    table = add_columns(table, good=good)
    assert good.corr((table.y == "yes").astype(int)) > 0.95
    assert find_redundant_columns(table).determined == {}


@pytest.mark.parametrize(
    ("name", "column", "sources"),
    [
        ("churn", "total_day_charge", ["total_day_minutes"]),
        ("orange-juice", "SalePriceMM", ["PriceMM", "DiscMM"]),
        ("orange-juice", "ListPriceDiff", ["PriceCH", "PriceMM"]),
        ("occupation-us", "age", ["experience"]),
    ],
)
def test_copies_and_exact_sums_of_real_tables_are_named(name, column, sources):
    assert find_redundant_columns(load_table(name)).determined[column] == sources


@pytest.mark.parametrize("beside", ["hardly ever there", "constant where it is there", "a flag of its gaps"])
def test_an_exact_sum_is_named_whatever_stands_beside_it(beside):
    rng = np.random.default_rng(0)
    n = 200
    a, b = rng.normal(size=(2, n))
    other, total = rng.normal(size=n), a + b
    if beside == "hardly ever there":
        other[6:] = np.nan
    elif beside == "constant where it is there":
        other[n // 2 :] = 1.0
        total[: n // 2] = np.nan
    else:
        total[: n // 2], other[:] = np.nan, np.arange(n) >= n // 2
    y = np.where(a + b + rng.normal(size=n) > 0, "p", "q")
    frame = pd.DataFrame({"other": other, "a": a, "b": b, "sum": total, "y": y})
    assert find_redundant_columns(Table.from_frame(frame, target="y")).determined == {"sum": ["a", "b"]}


def test_a_column_that_is_mostly_absent_is_no_copy_of_a_category_of_many_levels():
    rng = np.random.default_rng(0)
    sparse = np.full(600, np.nan)
    sparse[rng.choice(600, 22, replace=False)] = rng.normal(size=22)
    many = rng.permutation([f"level {row % 100}" for row in range(600)])
    table = Table.from_frame(pd.DataFrame({"many": many, "sparse": sparse, "y": ["a", "b"] * 300}), target="y")
    assert find_redundant_columns(table).determined == {}


def test_a_few_rows_of_many_columns_are_not_taken_for_combinations_of_each_other():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(20, 40)), columns=[f"x{place}" for place in range(40)])
    table = Table.from_frame(frame.assign(y=["no", "yes"] * 10), target="y")
    assert find_redundant_columns(table).determined == {}


@pytest.mark.parametrize("test", ["mixed", "chisq"])
def test_missing_values_do_not_empty_the_graph(test):
    """In causal-learn they give an empty graph with chi-square, and an AssertionError with Fisher's z."""
    table = make_table(400)
    rng = np.random.default_rng(0)
    X = table.X.mask(rng.random(table.X.shape) < 0.15)
    table = Table.from_frame(X.assign(label=table.y), target="label")
    pairs = adjacency(probabilities(table, test=test))
    assert pairs.loc["cause", "label"] > 0.5 and pairs.loc["cause", "effect"] > 0.5
    numbers = Table.from_frame(X.drop(columns="group").assign(label=table.y), target="label")
    assert adjacency(probabilities(numbers, test="fisherz")).loc["cause", "label"] == 1


@pytest.mark.parametrize("test", ["auto", "chisq"])
def test_columns_of_text_are_categories(test):
    """In causal-learn an array of objects raises TypeError."""
    table = make_table(400)
    frame = table.to_frame().astype({"group": object, "label": object})
    frame["group"] = frame["group"].map({"0": "small", "1": None, "2": "large"})
    found = probabilities(Table.from_frame(frame, target="label"), test=test)
    assert adjacency(found).loc["cause", "group"] > 0.5


def test_raw_numbers_do_not_empty_the_graph_with_chi_square():
    assert adjacency(probabilities(make_table(400), test="chisq")).loc["cause", "label"] == 1


def test_a_column_that_is_constant_in_one_resample_only_is_harmless():
    table = add_columns(make_table(100), rare=[1.0] + [0.0] * 99)
    P = probabilities(table, n_resamples=4, sample_fraction=0.5)
    check_edge_probabilities(P)
    assert P.attrs["discovery"]["constant"] == []


def test_a_table_of_ten_rows_or_one_usable_column_gives_a_valid_answer():
    check_edge_probabilities(probabilities(make_table(10)))
    only = Table.from_frame(pd.DataFrame({"one": 1.0, "y": ["a", "b"] * 10}), target="y")
    assert probabilities(only).to_numpy().sum() == 0
    one_class = Table.from_frame(make_table(60).to_frame().assign(label="yes"), target="label")
    P = probabilities(one_class)
    assert P.attrs["discovery"]["constant"] == ["label"]
    assert adjacency(P).loc["cause", "effect"] == 1


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_table_gives_edge_probabilities(data):
    n = data.draw(st.integers(2, 40), label="rows")
    rng = np.random.default_rng(data.draw(st.integers(0, 99), label="seed"))
    columns = {}
    for place in range(data.draw(st.integers(1, 5), label="columns")):
        kind = data.draw(
            st.sampled_from(["normal", "whole", "text", "constant", "empty", "copy", "huge"]), label="kind"
        )
        columns[f"x{place}"] = {
            "normal": rng.normal(size=n),
            "whole": rng.integers(3, size=n),
            "text": rng.choice(["u", "v", "w", None], size=n),
            "constant": np.full(n, 1e6),
            "empty": np.full(n, np.nan),
            "copy": columns.get("x0", np.arange(n)),
            "huge": rng.normal(size=n) * 1e150,
        }[kind]
    table = Table.from_frame(pd.DataFrame({**columns, "y": rng.choice(["a", "b", "c"], size=n)}), target="y")
    test = data.draw(st.sampled_from(["auto", "mixed", "chisq"]), label="test")
    check_edge_probabilities(probabilities(table, n_resamples=2, test=test))


# The budget ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hub() -> Table:
    """Twenty-five columns that all cause the target."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 25))
    frame = pd.DataFrame(X, columns=[f"x{place}" for place in range(25)])
    return Table.from_frame(frame.assign(y=np.where(X.sum(axis=1) > 0, "yes", "no")), target="y")


def test_a_hub_of_25_causes_ends_by_a_fallback_that_is_counted(hub):
    """Plain PC and FCI go through two to the power of 25 subsets here."""
    P = probabilities(hub, n_resamples=1, sample_fraction=1.0, max_tests=20_000)
    assert adjacency(P)["y"].drop("y").mean() > 0.8
    told = P.attrs["discovery"]
    assert told["fallbacks"] == {
        "pc: conditioning sets from the 8 strongest neighbours": 1,
        "fci: replaced by pc": 1,
    }
    assert told["tests_asked"] <= 2 * (told["max_tests"] + 1)


def test_the_smallest_budget_still_separates_by_one_condition():
    rng = np.random.default_rng(0)
    factor = rng.normal(size=500)
    frame = pd.DataFrame({f"x{place}": factor + rng.normal(size=500) for place in range(20)})
    P = probabilities(Table.from_frame(frame.assign(y=np.where(factor > 0, "yes", "no")), target="y"), max_tests=1)
    assert list(P.attrs["discovery"]["fallbacks"]) == [
        "pc: conditioning sets of at most 1 from the 8 strongest neighbours",
        "fci: replaced by pc",
    ]
    pairs = adjacency(probabilities(make_table(400), max_tests=1))
    assert pairs.loc["cause", "label"] == 1
    assert pairs.loc["effect", "group"] < 0.5, "both follow from the cause"


def test_pc_and_fci_share_the_skeleton_and_the_p_values_of_a_resample():
    both = probabilities(make_table()).attrs["discovery"]
    pc_only = probabilities(make_table(), methods="pc").attrs["discovery"]
    fci_only = probabilities(make_table(), methods="fci").attrs["discovery"]
    assert both["tests_computed"] == fci_only["tests_computed"] < 1.2 * pc_only["tests_computed"]
    assert both["tests_asked"] == fci_only["tests_asked"] < 1.2 * pc_only["tests_asked"]


# Marks and background knowledge ----------------------------------------------------------------------

MARKS = {"i → j": (-1, 1), "i o→ j": (2, 1), "i ↔ j": (1, 1), "i o–o j": (2, 2), "i — j": (-1, -1), "none": (0, 0)}


@pytest.mark.parametrize(
    ("edge", "keep", "spread"),
    [
        ("i → j", (1, 0), (1, 0)),
        ("i o→ j", (1, 0), (1 / 2, 0)),
        ("i ↔ j", (1 / 2, 1 / 2), (0, 0)),
        ("i o–o j", (1 / 2, 1 / 2), (1 / 3, 1 / 3)),
        ("i — j", (1 / 2, 1 / 2), (1 / 2, 1 / 2)),
        ("none", (0, 0), (0, 0)),
    ],
)
def test_marks_become_mass_by_the_documented_rule(edge, keep, spread):
    at_i, at_j = MARKS[edge]
    marks = np.array([[0, at_i], [at_j, 0]])
    for rule, (forward, backward) in (("keep", keep), ("spread", spread)):
        np.testing.assert_allclose(marks_to_mass(marks, rule=rule), [[0, forward], [backward, 0]])
        np.testing.assert_allclose(marks_to_mass(marks.T, rule=rule), [[0, backward], [forward, 0]])


def test_probabilities_follow_the_rule_for_marks_that_is_asked_for():
    table = make_table(300)
    whole = {"n_resamples": 1, "sample_fraction": 1.0, "methods": ("fci",)}
    marks = learn_marks(table, method="fci")
    assert (marks == 2).any(axis=None), "no circle, so that both rules would say the same"
    for rule in ("keep", "spread"):
        expected = marks_to_mass(marks.to_numpy(), rule=rule)
        np.testing.assert_allclose(probabilities(table, marks=rule, **whole), expected)


def test_the_search_itself_lets_no_edge_leave_a_sink():
    rng = np.random.default_rng(0)
    first = rng.normal(size=200)
    values = np.column_stack([first, first + rng.normal(size=200)])
    options = {"test": "fisherz", "methods": ("pc", "fci"), "alpha": 0.05, "max_tests": 100}
    free = search_graphs(values, np.zeros(2, dtype=bool), **options).marks
    bound = search_graphs(values, np.zeros(2, dtype=bool), sink=1, **options).marks
    for method, tail in (("pc", -1), ("fci", 2)):
        assert free[method].tolist() == [[0, tail], [tail, 0]]
        assert bound[method].tolist() == [[0, -1], [1, 0]], "an arrowhead at the sink"


def test_keeping_mass_gives_every_adjacency_exactly_one():
    marks = learn_marks(load_table("wine").take(range(0, 178, 2)), method="fci")
    mass = marks_to_mass(marks)
    np.testing.assert_array_equal(mass + mass.T, (marks != 0).to_numpy())


def test_marks_that_are_none_are_refused():
    with pytest.raises(ValueError, match="marks must hold"):
        marks_to_mass(np.array([[0, 3], [1, 0]]))
    with pytest.raises(ValueError, match="at both ends"):
        marks_to_mass(np.array([[0, 1], [0, 0]]))


def test_a_collider_is_oriented_into_its_middle():
    label = np.tile([0.0, 1.0], 250)
    start = np.column_stack([np.ones(500), label, np.random.default_rng(0).normal(size=(500, 3))])
    a, b, noise = np.linalg.qr(start)[0].T[2:]  # Uncorrelated in the sample too, also with the label.
    frame = pd.DataFrame({"a": a, "b": b, "both": a + b + noise, "y": label.astype(int)})
    P = probabilities(Table.from_frame(frame, target="y"), sample_fraction=1.0, n_resamples=1)
    assert P.loc["a", "both"] == P.loc["b", "both"] == 1


def test_not_even_to_its_own_copy():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=60), "y": rng.choice(["n", "p"], 60)})
    table = Table.from_frame(frame.assign(copy=frame["y"]), target="y")
    options = {"n_resamples": 2, "rng": np.random.default_rng(0)}
    assert edge_probabilities(table, **options).loc["y", "copy"] == 1
    sink = edge_probabilities(table, target="sink", **options)
    assert sink.loc["copy", "y"] == 1
    assert (sink.loc["y"] == 0).all()
    turned = edge_stability(sink).set_index(["source", "target"]).loc[("copy", "y")]
    assert turned["low"] == turned["high"] == 1 and turned["stable"], "no resample decides about a copy"


def test_no_edge_leaves_a_target_that_is_known_to_be_a_sink():
    table = make_table(300)
    P = probabilities(table, target="sink")
    assert P.loc["label"].sum() == 0
    assert P["label"].max() == 1
    assert probabilities(table).loc["label"].sum() > 0


def test_the_order_of_the_columns_does_not_decide_which_edges_are_found():
    table = make_table(400)
    turned = Table.from_frame(table.to_frame().iloc[:, [3, 2, 1, 0, 4]], target="label")
    before, after = (adjacency(probabilities(t, n_resamples=1, sample_fraction=1.0)) for t in (table, turned))
    pd.testing.assert_frame_equal(before, after.loc[before.index, before.columns], check_exact=True)


def test_sampled_data_of_a_known_network_give_back_its_skeleton():
    truth = nx.DiGraph([("a", "c"), ("b", "c"), ("c", "d"), ("d", "y")])
    rng = np.random.default_rng(0)
    values = {}
    for node in nx.topological_sort(truth):
        values[node] = sum((values[parent] for parent in truth.predecessors(node)), rng.normal(size=2000))
    frame = pd.DataFrame(values)
    frame["y"] = np.where(frame["y"] > 0, "yes", "no")
    P = probabilities(Table.from_frame(frame, target="y"), n_resamples=2, alpha=0.001)
    found = {frozenset(pair) for pair in zip(*np.nonzero((adjacency(P) > 0.5).to_numpy()), strict=True)}
    names = list(P.columns)
    assert {frozenset(names[place] for place in pair) for pair in found} == {frozenset(edge) for edge in truth.edges}


# Stability -------------------------------------------------------------------------------------------


def test_intervals_cover_the_share_over_all_resamples():
    """Where the share over a great many resamples is known, 95 % of intervals hold it, or more."""
    table = make_table(120)
    rng = np.random.default_rng(0)
    many = edge_probabilities(table, rng=rng, n_resamples=300, methods="pc")
    pairs = adjacency(many)
    covered, asked = 0, 0
    for _ in range(12):
        told = edge_stability(edge_probabilities(table, rng=rng, n_resamples=20, methods="pc"))
        assert (told["low"] <= told["probability"]).all() and (told["probability"] <= told["high"]).all()
        for row in told.itertuples():
            covered += row.low - 0.03 <= pairs.loc[row.source, row.target] <= row.high + 0.03
            asked += 1
    assert asked > 40 and covered / asked > 0.9


def test_an_edge_is_stable_where_its_whole_interval_lies_above_the_threshold():
    P = pd.DataFrame([[0, 0.9, 0.35], [0.1, 0, 0], [0.35, 0.4, 0]], index=list("aby"), columns=list("aby"))
    told = edge_stability(P, n_resamples=20).set_index(["source", "target"])
    assert told["stable"].to_dict() == {("a", "b"): True, ("a", "y"): False, ("y", "b"): False}
    assert edge_stability(P, n_resamples=200)["stable"].tolist() == [True, True, False]
    assert edge_stability(P, n_resamples=20, threshold=0.9)["stable"].sum() == 0
    directions = edge_stability(P, n_resamples=20, kind="directions")
    assert directions["probability"].tolist() == [0.9, 0.4, 0.35, 0.35, 0.1]
    assert directions["stable"].tolist() == [True, False, False, False, False]


def test_the_interval_is_that_of_wilson():
    from statsmodels.stats.proportion import proportion_confint

    P = pd.DataFrame([[0, 0.7], [0, 0]], index=list("ab"), columns=list("ab"))
    told = edge_stability(P, n_resamples=30, confidence=0.9).iloc[0]
    assert (told["low"], told["high"]) == pytest.approx(proportion_confint(21, 30, alpha=0.1, method="wilson"))


def test_the_result_says_which_edges_are_stable():
    table = add_columns(make_table(400), copy=make_table(400).X["cause"])
    P = probabilities(table, n_resamples=8)
    stable = {frozenset(pair) for pair in P.attrs["discovery"]["stable"]}
    assert {"cause", "label"} in stable and {"cause", "copy"} in stable
    assert not any("noise" in pair for pair in stable)
    told = edge_stability(P).set_index(["source", "target"])
    assert told.loc[("cause", "copy"), ["low", "high"]].tolist() == [1, 1], "no resample decides it"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "n_resamples must be given"),
        ({"n_resamples": 0}, "n_resamples must be an integer of at least 1, got 0"),
        ({"n_resamples": 9, "threshold": 1.0}, "threshold must be a number between 0 and 1, both excluded, got 1.0"),
        ({"n_resamples": 9, "confidence": 0}, "confidence must be a number between 0 and 1, both excluded, got 0"),
        ({"n_resamples": 9, "kind": "nodes"}, "kind must be one of .* got 'nodes'"),
    ],
)
def test_wrong_arguments_of_the_stability_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        edge_stability(pd.DataFrame(0.0, index=list("ab"), columns=list("ab")), **options)


# Arguments -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("alpha", 1.5, "alpha must be a number between 0 and 1, both excluded, got 1.5"),
        ("sample_fraction", 0, "sample_fraction must be a number between 0 and 1, 0 excluded, got 0"),
        ("n_resamples", 0, "n_resamples must be an integer of at least 1, got 0"),
        ("max_tests", 2.5, "max_tests must be an integer of at least 1, got 2.5"),
        ("methods", ("pc", "ges"), "methods must name"),
        ("methods", (), "methods must name"),
        ("resampling", "jackknife", "resampling must be one of .* got 'jackknife'"),
        ("marks", "lose", "marks must be one of .* got 'lose'"),
        ("target", "root", "target must be one of .* got 'root'"),
        ("collinearity", 0, "collinearity must be a number"),
        ("test", "fisherz", "column 'group' has 3 levels"),
    ],
)
def test_a_wrong_argument_is_named_with_its_value(option, value, message):
    with pytest.raises(ValueError, match=message):
        probabilities(make_table(50), **{option: value})


def test_what_happened_is_told_in_plain_values():
    told = probabilities(add_columns(make_table(), one=1)).attrs["discovery"]
    assert told["rows"] == 160 and told["n_resamples"] == 3 and told["methods"] == ["pc", "fci"]
    assert sum(told["edges"].values()) > 0
    import json

    json.dumps(told)


def test_encoded_columns_keep_the_order_of_the_table():
    values, is_categorical = encode_columns(make_table(30))
    assert values.shape == (30, 5)
    assert is_categorical.tolist() == [False, False, True, False, True]
    assert PValueTable(values, is_categorical, test="mixed").p_value(0, 1) < 0.05
