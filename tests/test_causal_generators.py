"""What the causal generators learn from a table, and what their controls do not."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from causalmix_utils.evaluation import closest_record_distances, synthetic_to_real_auc
from causalmix_utils.generators import make_generator
from causalmix_utils.generators.causal_blanket import rank_features
from causalmix_utils.tables import Table

CHEAP = {"n_dags": 4, "n_resamples": 3, "mechanisms": "linear"}


def make_chain(n, seed, *, n_noise=2):
    """a → b → class → c, and columns without any part in it."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    b = 2 * a + rng.normal(size=n)
    label = b + rng.normal(size=n) > 0
    c = 3 * label + rng.normal(size=n)
    columns = {"a": a, "b": b, "c": c} | {f"noise {i}": rng.normal(size=n) for i in range(n_noise)}
    return Table.from_frame(pd.DataFrame({**columns, "y": np.where(label, "yes", "no")}), target="y", name="chain")


@pytest.fixture(scope="module")
def chain():
    return make_chain(300, 0)


def fit(name, table, *, seed=0, **options):
    return make_generator(name, **{**CHEAP, **options}).fit(table, rng=np.random.default_rng(seed))


def auc_on_real_rows(rows, real):
    return synthetic_to_real_auc(rows, real, rng=np.random.default_rng(0))


@pytest.mark.parametrize("name", ["causal", "causal_blanket", "random_dag"])
def test_every_graph_is_acyclic_over_all_columns_and_has_a_fitted_model(chain, name):
    generator = fit(name, chain)
    assert len(generator.dags_) == len(generator.scms_) == CHEAP["n_dags"]
    for dag, scm in zip(generator.dags_, generator.scms_, strict=True):
        assert nx.is_directed_acyclic_graph(dag)
        assert sorted(dag) == sorted(scm.graph)
        assert set(chain.columns) <= set(dag)
        assert set(scm.graph.edges) == set(dag.edges)


def test_edge_probabilities_join_what_depends_and_leave_the_noise_alone(chain):
    P = fit("causal", chain, n_resamples=5).edge_probabilities_
    pairs = P + P.T
    for joined in (("a", "b"), ("b", "y"), ("c", "y")):
        assert pairs.loc[joined] > 0.9
    assert pairs.loc["a", "c"] < 0.5
    assert pairs.loc["noise 0"].max() < 0.5


def test_causal_rows_keep_dependence_and_teach_the_classes(chain):
    rows = fit("causal", chain).sample(600, rng=np.random.default_rng(1))
    assert rows.X["a"].corr(rows.X["b"]) == pytest.approx(chain.X["a"].corr(chain.X["b"]), abs=0.1)
    assert abs(rows.X["a"].corr(rows.X["noise 0"])) < 0.15
    assert auc_on_real_rows(rows, make_chain(1000, 5)) > 0.9


def test_random_graphs_have_as_many_edges_as_the_discovered_ones_and_other_ones(chain):
    causal, random = fit("causal", chain, n_dags=20), fit("random_dag", chain, n_dags=20)
    pd.testing.assert_frame_equal(causal.edge_probabilities_, random.edge_probabilities_)
    for dag, discovered in zip(random.dags_, random.discovered_dags_, strict=True):
        assert dag.number_of_edges() == discovered.number_of_edges() > 0
        assert set(dag.edges) != set(discovered.edges)
    counts = [np.mean([dag.number_of_edges() for dag in dags]) for dags in (causal.dags_, random.discovered_dags_)]
    assert counts[0] == pytest.approx(counts[1], abs=0.5), "these are drawn as those of the causal generator are"
    assert all(dag.degree("y") > 0 for dag in random.dags_)
    share_of_a_b = [
        np.mean([dag.has_edge("a", "b") or dag.has_edge("b", "a") for dag in g.dags_]) for g in (causal, random)
    ]
    assert share_of_a_b[0] > 0.9 and share_of_a_b[1] < 0.6


def test_random_graphs_teach_less_than_discovered_ones():
    train, real = make_chain(300, 0, n_noise=10), make_chain(1000, 5, n_noise=10)
    auc = {
        name: auc_on_real_rows(fit(name, train, n_dags=6).sample(600, rng=np.random.default_rng(1)), real)
        for name in ("causal", "random_dag")
    }
    assert auc["causal"] > auc["random_dag"] + 0.05


def make_many_weak_causes(n, seed):
    """Twelve features, each of which says a little about the class: too little for tests on few rows."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 12))
    X[:, 3] = np.where(rng.random(n) < 0.1, np.nan, X[:, 3])
    y = np.where(np.nansum(X, axis=1) + rng.normal(size=n) > 0, "yes", "no")
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(12)])
    return Table.from_frame(frame.assign(y=y), target="y", name="weak causes")


def test_keeping_the_blanket_teaches_the_classes_where_discovery_misses_edges():
    real, auc = make_many_weak_causes(1000, 9), {}
    for name in ("causal", "causal_blanket"):
        rows = [fit(name, make_many_weak_causes(60, seed)).sample(500, rng=np.random.default_rng(2)) for seed in (0, 2)]
        auc[name] = np.mean([auc_on_real_rows(drawn, real) for drawn in rows])
    assert auc["causal_blanket"] > auc["causal"] + 0.1


def test_hidden_column_causes_the_blanket_and_is_not_in_the_rows(chain):
    generator = fit("causal_blanket", chain, n_strongest=0)
    assert generator.hidden_ not in chain.columns
    for dag, blanket in zip(generator.dags_, generator.blankets_, strict=True):
        assert {"b", "c"} <= set(blanket)
        assert set(dag.predecessors("y")) == set(dag.successors(generator.hidden_)) == set(blanket)
        assert not list(dag.successors("y")) and not list(dag.predecessors(generator.hidden_))
    assert generator.sample(5, rng=np.random.default_rng(0)).columns == chain.columns


def test_edges_between_features_stay_as_drawn(chain):
    generator = fit("causal_blanket", chain)
    P = generator.edge_probabilities_
    for dag in generator.dags_:
        between = [edge for edge in dag.edges if not {"y", generator.hidden_} & set(edge)]
        assert between and all(P.loc[edge] > 0 for edge in between)


def test_strongest_features_are_ranked_by_what_they_say_about_the_class(chain):
    assert rank_features(chain, seed=0)[0] == "c"
    assert set(fit("causal_blanket", chain).blankets_[0]) == set(chain.X.columns)
    with pytest.raises(ValueError, match="n_strongest must be an integer of at least 0, got -1"):
        fit("causal_blanket", chain, n_strongest=-1)


def test_edges_that_only_serve_the_label_are_marked(chain):
    generator = fit("causal_blanket", chain)
    plain = fit("causal_blanket", chain, placement="discovered")
    hidden = generator.hidden_
    marked = {edge for dag in generator.dags_ for edge in dag.edges if dag.edges[edge]["serves_label"]}
    assert any(edge[1] == "y" for edge in marked) and any(edge[0] == hidden for edge in marked)
    for dag in generator.dags_:
        for source, end, serves_label in dag.edges(data="serves_label"):
            assert serves_label or hidden not in (source, end)
            if "y" not in (source, end) and hidden not in (source, end):
                assert not serves_label, "edges between features are as drawn"
    for joined, apart in (("b", "noise 0"), ("c", "noise 1")):
        shares = [
            np.mean([dag.edges[name, "y"]["serves_label"] for dag in generator.dags_]) for name in (joined, apart)
        ]
        assert shares[0] < 0.5 < shares[1]
    assert not any(serves for dag in plain.dags_ for *_, serves in dag.edges(data="serves_label"))


def test_the_target_stands_where_it_is_placed(chain):
    discovered, sink = (fit("causal_blanket", chain, placement=name) for name in ("discovered", "sink"))
    for generator in (discovered, sink):
        assert generator.hidden_ is None and all(set(dag) == set(chain.columns) for dag in generator.dags_)
    for drawn, placed in zip(discovered.dags_, sink.dags_, strict=True):
        assert set(placed.predecessors("y")) == set(nx.all_neighbors(drawn, "y"))
        assert not list(placed.successors("y"))
    assert any(list(dag.successors("y")) for dag in discovered.dags_)


def test_graphs_with_the_target_as_discovered_are_those_of_the_causal_generator(chain):
    placed, plain = fit("causal_blanket", chain, placement="discovered"), fit("causal", chain)
    assert [set(dag.edges) for dag in placed.dags_] == [set(dag.edges) for dag in plain.dags_]


def test_the_target_has_a_mechanism_of_its_own(chain):
    for kind in ("forest", "boosting"):
        kinds = [scm.graph.graph["mechanisms"] for scm in fit("causal_blanket", chain, target_mechanism=kind).scms_]
        assert {kind_of["y"] for kind_of in kinds} == {f"cross-fitted {kind}"}
        assert {kind_of[feature] for kind_of in kinds for feature in chain.X.columns} == {"linear"}


def test_the_less_is_exchanged_the_closer_rows_come_to_real_ones(chain):
    generator = fit("causal_blanket", chain)
    distances = []
    for exchange in (0.0, 0.2, 0.5, None):
        rows = generator.set_params(exchange=exchange).sample(300, rng=np.random.default_rng(1))
        distances.append(np.median(closest_record_distances(rows, chain)))
    assert distances[0] < 1e-12 < distances[1] < distances[2] < distances[3]


def test_rows_that_exchange_noises_keep_the_classes_shares_and_lack_what_the_first_row_lacks():
    table = make_many_weak_causes(150, 0)
    rows = fit("causal_blanket", table).sample(900, rng=np.random.default_rng(0))
    assert (rows.y == "yes").mean() == pytest.approx((table.y == "yes").mean(), abs=0.06)
    assert rows.X["x3"].isna().mean() == pytest.approx(table.X["x3"].isna().mean(), abs=0.01)


def test_a_column_named_like_the_hidden_one_does_no_harm(chain):
    table = Table(name="named", X=chain.X.rename(columns={"noise 0": "hidden y"}), y=chain.y)
    rows = fit("causal_blanket", table).sample(20, rng=np.random.default_rng(0))
    assert rows.columns == table.columns


@pytest.mark.parametrize(
    ("option", "value"),
    [("placement", "root"), ("target_mechanism", "magic"), ("exchange", 0.7), ("exchange", -1), ("exchange", "all")],
)
def test_wrong_options_of_the_blanket_are_named_with_their_value(chain, option, value):
    with pytest.raises(ValueError, match=f"{option} must be .*{value}"):
        fit("causal_blanket", chain, **{option: value})


@pytest.mark.parametrize(
    ("option", "value"),
    [("n_dags", 0), ("n_resamples", 0), ("mechanisms", "magic"), ("test", "t"), ("alpha", 2.0), ("methods", ("ges",))],
)
def test_wrong_options_are_named_with_their_value(chain, option, value):
    with pytest.raises(ValueError, match=option) as error:
        fit("causal", chain, **{option: value})
    assert str(value if option != "methods" else "ges") in str(error.value)
