"""One discovery for all arms of a split: the same probabilities, whoever asks first, and nothing else shared."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from causalmix_utils.benchmark import execute_run, get_profile, sharing, split_table
from causalmix_utils.benchmark.sharing import share_discovery
from causalmix_utils.generators import make_generator

FEW = {"n_dags": 2, "n_resamples": 3, "mechanisms": "linear"}
CAUSAL = ("causal", "random_dag", "causal_blanket")


def without_seconds(trajectory):
    return {column: values for column, values in trajectory.items() if column != "seconds"}


@pytest.fixture(autouse=True)
def nothing_known():
    sharing._found.clear()


@pytest.fixture(scope="module")
def train():
    return split_table(get_profile("smoke").subset(tables=["wine"]).runs()[0])[0]


def test_the_arms_of_a_split_rest_on_the_same_probabilities_and_discovery_runs_once(train):
    generators = [make_generator(name, **FEW) for name in CAUSAL]
    told = [share_discovery(generator, train, seed=1) for generator in generators]
    assert [is_known for _, is_known in told] == [False, True, True]
    assert len({seconds for seconds, _ in told}) == 1 and told[0][0] > 0
    for generator in generators:
        pd.testing.assert_frame_equal(generator.edge_probabilities, generators[0].edge_probabilities)
        generator.fit(train, rng=np.random.default_rng(0))
        pd.testing.assert_frame_equal(generator.edge_probabilities_, generators[0].edge_probabilities)
    assert set(generators[0].dags_[0].edges) != set(generators[1].dags_[0].edges)


def test_probabilities_are_those_that_discovery_gives_with_this_seed(train):
    from causalmix_utils.discovery import edge_probabilities

    generator = make_generator("causal", **FEW)
    share_discovery(generator, train, seed=5)
    P = edge_probabilities(train, rng=np.random.default_rng(5), n_resamples=3)
    pd.testing.assert_frame_equal(generator.edge_probabilities, P)


@pytest.mark.parametrize("change", ["seed", "rows", "options"])
def test_another_seed_table_or_option_is_another_discovery(train, change):
    share_discovery(make_generator("causal", **FEW), train, seed=1)
    options = FEW | ({"alpha": 0.2} if change == "options" else {})
    rows = train.take(range(len(train) - 5)) if change == "rows" else train
    _, is_known = share_discovery(make_generator("causal", **options), rows, seed=2 if change == "seed" else 1)
    assert not is_known


def test_generators_without_discovery_and_given_probabilities_are_left_alone(train):
    smote = make_generator("smote")
    assert share_discovery(smote, train, seed=1) is None
    given = pd.DataFrame(0.0, index=train.columns, columns=train.columns)
    generator = make_generator("causal", edge_probabilities=given)
    assert share_discovery(generator, train, seed=1) is None
    assert generator.edge_probabilities is given


def test_no_more_than_a_few_discoveries_are_remembered(train, monkeypatch):
    monkeypatch.setattr(sharing, "_LARGEST_NUMBER", 2)
    for seed in (1, 2, 3):
        share_discovery(make_generator("causal", n_resamples=1, methods=("pc",)), train, seed=seed)
    assert [key[-1] for key in sharing._found] == [2, 3]


def test_a_run_gives_the_same_numbers_and_the_same_cost_whether_discovery_was_done_before_or_not():
    first, second = get_profile("smoke").subset(tables=["wine"], arms=["causal", "random_dag"]).runs()
    execute_run(first)
    seconds = next(iter(sharing._found.values()))[1]
    for key, (P, _) in list(sharing._found.items()):
        sharing._found[key] = P, 1000.0
    after = execute_run(second)
    assert seconds > 0 and after["seconds"]["discovery"] == 1000.0
    assert after["seconds"]["total"] > 1000.0, "what the run would take by itself"
    sharing._found.clear()
    alone = execute_run(second)
    assert alone["metrics"] == after["metrics"]
    assert without_seconds(alone["trajectory"]) == without_seconds(after["trajectory"])
    assert "seconds_elsewhere" not in alone
    assert execute_run(replace(second, arm="smote", generator="smote", generator_options={}))["status"] == "done"


@pytest.mark.parametrize("name", CAUSAL)
def test_given_probabilities_must_be_those_of_the_training_table(train, name):
    P = pd.DataFrame(0.0, index=train.columns, columns=train.columns)
    rng = np.random.default_rng(0)
    for wrong, culprit in (
        (P.iloc[::-1], "training table's columns"),
        (P.to_numpy(), "must be a DataFrame or None, got ndarray"),
        (P + 1.0, "P gives"),
    ):
        with pytest.raises(ValueError, match=culprit):
            make_generator(name, **FEW, edge_probabilities=wrong).fit(train, rng=rng)
