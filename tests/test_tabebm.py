"""TabEBM: its energy, its corners, its walks, its rows, and the stored comparison with the published package."""

import platform
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp
from sklearn.exceptions import NotFittedError

from benchmarks import compare_tabebm
from causalmix_utils.benchmark import read_results
from causalmix_utils.generators import TabEbmGenerator, make_generator
from causalmix_utils.generators._coding import FeatureCoder
from causalmix_utils.generators._energy import compute_energy, draw_corners, split_rows, walk_down
from causalmix_utils.pretraining import PretrainingSettings
from causalmix_utils.pretraining.steps import build_network
from causalmix_utils.pretraining.training import save_checkpoint
from causalmix_utils.tables import Table
from causalmix_utils.tabpfn_bridge import QueryLogits

RESULTS = Path(__file__).resolve().parents[1] / "book" / "results"


@pytest.fixture(scope="module")
def mixed():
    """Class 'low' around 0 and class 'high' around 6, with a category that tells them apart and one that does not."""
    rng = np.random.default_rng(0)
    y = np.repeat(["low", "high"], [40, 25])
    shift = np.where(y == "high", 6.0, 0.0)
    frame = pd.DataFrame(
        {
            "u": shift + rng.normal(size=65),
            "count": rng.integers(0, 9, 65),
            "kind": np.where(y == "high", rng.choice(["b", "c"], 65), "a"),
            "any": rng.choice(["x", "y"], 65),
            "y": y,
        }
    )
    return Table.from_frame(frame, target="y", name="mixed")


@pytest.fixture(scope="module")
def v2_weights(tmp_path_factory):
    """A network of the library's layout v2, whose logits have a level of their own. Its weights are random."""
    shape = {"max_num_classes": 10, "num_buckets": 2, "emsize": 16, "nlayers": 2, "nhead": 2, "features_per_group": 1}
    settings_of_v2 = PretrainingSettings(layout="tabpfn_v2", network=shape)
    network = build_network(settings_of_v2)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        for parameter in network.parameters():
            # The output layers start at zero, and would say nothing.
            parameter.add_(0.3 * torch.randn_like(parameter))
    return save_checkpoint(network, tmp_path_factory.mktemp("v2") / "v2.safetensors", settings=settings_of_v2)


def fit(table, *, seed=0, **options):
    return make_generator("tabebm", device="cpu", **options).fit(table, rng=np.random.default_rng(seed))


def read_logits(generator, label, points):
    labels, logits = next(entry for entry in generator._passes if label in entry[0])
    found = logits(logits.tensor(np.stack([points] * len(labels))))
    return found[labels.index(label)].detach().numpy().astype(float)


class TestEnergy:
    def test_it_is_minus_the_log_sum_exp_of_both_logits(self):
        logits = np.random.default_rng(0).normal(scale=5, size=(3, 7, 2))
        by_hand = -np.log(np.exp(logits[..., 0]) + np.exp(logits[..., 1]))
        np.testing.assert_allclose(compute_energy(torch.tensor(logits), "log_sum_exp"), by_hand)
        np.testing.assert_allclose(
            compute_energy(torch.tensor(logits), "log_sum_exp", temperature=0.5), -logsumexp(2 * logits, axis=-1)
        )
        np.testing.assert_allclose(compute_energy(torch.tensor(logits), "class_logit"), -logits[..., 0])

    @pytest.mark.parametrize("energy", ["log_sum_exp", "class_logit"])
    def test_the_energies_of_rows_are_those_of_the_networks_logits(self, mixed, v2_weights, energy):
        generator = fit(mixed, weights=v2_weights, energy=energy, temperature=0.7)
        energies = generator.class_energies(mixed)
        for label in mixed.classes:
            logits = read_logits(generator, label, generator.coder_.encode(mixed.X)) / 0.7
            expected = -logsumexp(logits, axis=1) if energy == "log_sum_exp" else -logits[:, 0]
            np.testing.assert_allclose(energies[label], expected, rtol=1e-5, atol=1e-5)

    def test_the_papers_energy_is_taken_only_where_it_varies(self, mixed, v2_weights):
        assert fit(mixed, weights=v2_weights).energy_ == "log_sum_exp"
        assert fit(mixed).energy_ == "class_logit"
        flat = fit(mixed, energy="log_sum_exp").class_energies(mixed)
        assert np.ptp(flat.to_numpy()) < 1e-3

    def test_a_class_has_less_energy_at_its_own_rows_than_at_the_corners(self, mixed):
        generator = fit(mixed)
        for label in mixed.classes:
            own = read_logits(generator, label, generator.rows_[label])[:, 0]
            far = read_logits(generator, label, generator.negatives_[label])[:, 0]
            assert own.min() > far.max()

    def test_it_says_what_it_cannot_judge(self, mixed):
        with pytest.raises(NotFittedError):
            TabEbmGenerator().class_energies(mixed)
        generator = fit(mixed)
        with pytest.raises(ValueError, match="column 'kind' has the level 'z', unknown in fit"):
            generator.class_energies(
                Table.from_frame(mixed.to_frame().astype({"kind": str}).assign(kind="z"), target="y")
            )
        gap = mixed.to_frame()
        gap.loc[3, "u"] = np.nan
        with pytest.raises(ValueError, match="column 'u' has missing values"):
            generator.class_energies(Table.from_frame(gap, target="y"))


class TestQueryLogits:
    @pytest.mark.parametrize("layout", ["v2", "nano"])
    def test_a_context_that_was_read_before_gives_the_logits_of_a_whole_pass(self, v2_weights, layout):
        from causalmix_utils.foundation import load_classifier

        classifier = load_classifier(v2_weights if layout == "v2" else "nano", n_estimators=1, device="cpu")
        rng = np.random.default_rng(0)
        X, queries = rng.normal(size=(2, 20, 3)), rng.normal(size=(2, 5, 3))
        y = np.tile([0] * 15 + [1] * 5, (2, 1))
        logits = QueryLogits(classifier, X, y)
        classifier._initialize_model_variables()
        rows = torch.tensor(np.concatenate([X, queries], axis=1), dtype=torch.float32).transpose(0, 1)
        whole = classifier.models_[0](rows, torch.tensor(y.T, dtype=torch.float32))[..., :2].transpose(0, 1)
        torch.testing.assert_close(logits(logits.tensor(queries)), whole.detach(), rtol=1e-4, atol=1e-5)
        # Tables of one pass do not see each other.
        alone = QueryLogits(classifier, X[1:], y[1:])
        torch.testing.assert_close(
            alone(alone.tensor(queries[1:]))[0], logits(logits.tensor(queries))[1], rtol=1e-4, atol=1e-5
        )

    def test_gradients_are_those_of_finite_differences_and_the_network_stays_trainable(self, v2_weights):
        from causalmix_utils.foundation import load_classifier

        classifier = load_classifier(v2_weights, n_estimators=1, device="cpu")
        rng = np.random.default_rng(0)
        logits = QueryLogits(classifier, rng.normal(size=(1, 12, 2)), np.array([[0] * 8 + [1] * 4]))
        point = logits.tensor(rng.normal(size=(1, 1, 2))).requires_grad_()
        (slope,) = torch.autograd.grad(logits(point)[0, 0, 0], point)
        for feature in range(2):
            step = torch.zeros(1, 1, 2)
            step[..., feature] = 1e-2
            difference = (logits(point + step) - logits(point - step)).detach()[0, 0, 0] / 2e-2
            assert float(slope[0, 0, feature]) == pytest.approx(float(difference), rel=0.05, abs=2e-3)
        classifier._initialize_model_variables()
        assert all(parameter.requires_grad for parameter in classifier.models_[0].parameters())


class TestCorners:
    @given(st.integers(1, 130), st.integers(1, 4), st.integers(0, 5))
    def test_they_are_different_corners_in_mirrored_pairs(self, n_features, n_pairs, seed):
        corners = draw_corners(n_features, 2 * n_pairs, distance=3.0, rng=np.random.default_rng(seed))
        assert (np.abs(corners) == 3).all()
        assert len(np.unique(corners, axis=0)) == len(corners) == min(2 * n_pairs, 2**n_features)
        np.testing.assert_array_equal(corners.sum(axis=0), 0)


class TestWalk:
    def test_without_noise_it_is_gradient_descent(self):
        start = torch.tensor(np.random.default_rng(0).normal(size=(1, 4, 3)))
        options = {"n_steps": 6, "step_size": torch.tensor(0.1), "noise_scale": 0.0, "draw": torch.zeros}
        found = walk_down(lambda x: x.pow(2).sum(-1) / 2, start, gradient_every=1, **options)
        np.testing.assert_allclose(found, 0.9**6 * start)

    def test_steps_of_one_gradient_add_up(self):
        start = torch.zeros(1, 20_000, 1, dtype=torch.float64)
        rng = np.random.default_rng(0)
        options = {"n_steps": 7, "step_size": torch.tensor(0.5), "noise_scale": 0.1}
        spreads, means = [], []
        for gradient_every in (1, 3, 100):
            found = walk_down(
                lambda x: 2 * x.sum(-1),
                start,
                gradient_every=gradient_every,
                draw=lambda shape: torch.tensor(rng.standard_normal(shape)),
                **options,
            )
            spreads.append(found.std())
            means.append(found.mean())
        np.testing.assert_allclose(spreads, 0.1 * 7**0.5, rtol=0.03)
        np.testing.assert_allclose(means, -7, atol=0.01)

    @given(st.integers(1, 3), st.integers(1, 60), st.integers(1, 900))
    @settings(max_examples=30)
    def test_parts_hold_every_row_once_in_order(self, n_tables, n_rows, n_features):
        points = np.arange(n_tables * n_rows * n_features).reshape(n_tables, n_rows, n_features)
        parts = split_rows(points)
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), points)
        assert all(part.shape[1] for part in parts)

    def test_the_gradient_of_the_mean_shrinks_with_the_rows_and_a_rows_own_does_not(self, mixed):
        for gradient, expected in (("mean", [0.1 / 50, 0.1 / 5]), ("row", [0.1, 0.1])):
            steps = TabEbmGenerator(gradient=gradient)._scale_steps([50, 5])
            np.testing.assert_allclose(steps.ravel(), expected)

    def test_a_strong_pull_brings_lost_points_back_to_their_class(self, mixed):
        generator = fit(mixed, gradient="row", n_steps=30, step_size=5.0, noise_scale=0.0, gradient_every=1)
        labels, logits = generator._passes[0]
        start = np.stack([generator.contexts_[label][:5] + 2.5 for label in labels])
        end = generator._walk(logits, start, draw=np.zeros, n_rows=[5] * len(labels))
        before, after = (
            compute_energy(logits(logits.tensor(points)), "class_logit").detach() for points in (start, end)
        )
        assert (after < before).all()


class TestCoding:
    @pytest.mark.parametrize("categories", ["ordered", "one_hot"])
    def test_coding_is_undone_and_standardised(self, mixed, categories):
        coder = FeatureCoder(categories).fit(mixed)
        coded = coder.encode(mixed.X)
        np.testing.assert_allclose(coded.mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(coded.std(axis=0), 1)
        assert coded.shape[1] == (4 if categories == "ordered" else 2 + 3 + 2)
        decoded = coder.decode(coded)
        np.testing.assert_allclose(decoded[["u", "count"]], mixed.X[["u", "count"]])
        assert decoded[["kind", "any"]].equals(mixed.X[["kind", "any"]].astype(object))

    def test_levels_that_go_with_the_same_class_are_neighbours(self):
        levels = list("abcdef")
        y = [("yes" if level in "ace" else "no") for level in levels]
        frame = pd.DataFrame({"k": levels * 10, "y": y * 10})
        order = "".join(FeatureCoder("ordered").fit(Table.from_frame(frame, target="y")).levels_["k"])
        assert order in ("acebdf", "bdface")

    def test_a_constant_column_stays_at_zero(self):
        frame = pd.DataFrame({"c": [0.1] * 7, "k": ["a"] * 7, "u": np.arange(7.0), "y": list("ababbab")})
        coded = FeatureCoder("one_hot").fit(table := Table.from_frame(frame, target="y")).encode(table.X)
        np.testing.assert_array_equal(coded[:, :2], 0)


class TestRows:
    def test_rows_follow_their_class(self, mixed):
        rows = fit(mixed).sample(200, rng=np.random.default_rng(1))
        center = rows.X["u"].groupby(rows.y.to_numpy()).mean()
        assert center["low"] == pytest.approx(0, abs=1) and center["high"] == pytest.approx(6, abs=1)
        assert (rows.X["kind"][rows.y == "low"] == "a").all()
        assert rows.y.value_counts().to_dict() == {"low": 123, "high": 77}

    def test_rows_are_new_possible_rows(self, mixed):
        rows = fit(mixed).sample(200, rng=np.random.default_rng(1))
        assert not rows.X["u"].isin(mixed.X["u"]).all() and rows.X["u"].nunique() > 150
        assert rows.X["u"].between(mixed.X["u"].min(), mixed.X["u"].max()).all()
        assert set(rows.X["count"]) <= set(mixed.X["count"]) and rows.X["count"].dtype == np.int64

    def test_missing_values_return_where_they_were(self, mixed):
        frame = mixed.to_frame()
        frame.loc[::3, "u"] = np.nan
        frame.loc[::4, "kind"] = None
        rows = fit(Table.from_frame(frame, target="y")).sample(300, rng=np.random.default_rng(1))
        assert rows.X["u"].isna().mean() == pytest.approx(1 / 3, abs=0.1)
        assert rows.X["kind"].isna().mean() == pytest.approx(1 / 4, abs=0.1)
        assert not rows.X[["count", "any"]].isna().any(axis=None)

    def test_the_same_seed_gives_the_same_bits_whatever_the_global_state(self, mixed):
        states = []
        drawn = []
        for seed in (1, 2):
            random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)  # noqa: NPY002
            before = random.getstate(), np.random.get_state()[1].tobytes(), torch.get_rng_state()  # noqa: NPY002
            drawn.append(fit(mixed).sample(50, rng=np.random.default_rng(1)).to_frame())
            after = random.getstate(), np.random.get_state()[1].tobytes(), torch.get_rng_state()  # noqa: NPY002
            states.append(before[:2] == after[:2] and torch.equal(before[2], after[2]))
        assert drawn[0].equals(drawn[1]) and all(states)
        assert not drawn[0].equals(fit(mixed, seed=5).sample(50, rng=np.random.default_rng(2)).to_frame())

    def test_classes_of_one_size_share_a_pass_and_large_ones_are_cut(self, mixed):
        assert [labels for labels, _ in fit(mixed)._passes] == [["high"], ["low"]]
        cut = fit(mixed, max_context=20)
        assert [labels for labels, _ in cut._passes] == [["high", "low"]]
        assert {len(rows) for rows in cut.contexts_.values()} == {20} and len(cut.rows_["low"]) == 40

    def test_one_column_one_class_and_single_rows_are_drawn(self):
        frame = pd.DataFrame({"u": [0.5, 1.5, 2.5, 9.0], "y": list("aaab")})
        table = Table.from_frame(frame, target="y")
        assert fit(table).sample(10, rng=np.random.default_rng(1)).classes == ["a", "b"]
        one = fit(table.take([0, 1, 2])).sample(6, rng=np.random.default_rng(1))
        assert one.classes == ["a"] and len(one) == 6
        assert len(fit(table, cover_classes=False).sample(1, rng=np.random.default_rng(1))) == 1

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("energy", "free"),
            ("gradient", "sum"),
            ("categories", "codes"),
            ("n_steps", 0),
            ("gradient_every", 2.5),
            ("max_context", 0),
            ("temperature", 0.0),
            ("distance", -5.0),
            ("step_size", -0.1),
            ("noise_scale", np.nan),
            ("start_noise", "small"),
            ("n_negatives", 3),
            ("n_negatives", 0),
            ("weights", "no such file"),
        ],
    )
    def test_wrong_options_are_named(self, mixed, option, value):
        with pytest.raises(ValueError, match=f"{option} must be .*got {value!r}"):
            fit(mixed, **{option: value})


class TestComparisonWithThePackage:
    @pytest.fixture
    def stored(self):
        return read_results(RESULTS, name="tabebm")

    def test_the_stored_comparison_reaches_its_goals(self, stored):
        frame, provenance = stored
        assert provenance["verdicts"] == compare_tabebm.judge(frame)
        assert all(verdict["reached"] for verdict in provenance["verdicts"].values())
        assert set(frame["table"]) == set(compare_tabebm.TABLES) and len(compare_tabebm.TABLES) >= 3
        assert set(frame["seed"]) == {-1, *compare_tabebm.SEEDS} and len(compare_tabebm.SEEDS) >= 3
        # The network has something to say, and the walks have followed it, so that agreement means something.
        by_measure = frame.groupby("measure")["value"].min()
        assert by_measure["energy range"] > 0.1
        assert by_measure["walk by gradient"] > 10 * compare_tabebm.TOLERANCE

    def test_each_goal_can_be_missed(self, stored):
        frame, _ = stored
        noisy = frame["measure"].str.endswith("twice the noise")
        swapped = frame.assign(measure=frame["measure"].str.removesuffix(" with twice the noise"))[noisy]
        assert not compare_tabebm.judge(pd.concat([frame, swapped]))["rows not told apart"]["reached"]
        off = frame.assign(value=frame["value"].where(~frame["measure"].str.endswith("difference"), 2e-4))
        assert not any(compare_tabebm.judge(off)[f"{name} within tolerance"]["reached"] for name in ("energy", "walk"))
        weak = frame.assign(value=frame["value"].where(~noisy, 0.5))
        assert not compare_tabebm.judge(weak)["twice the noise told apart"]["reached"]

    def test_the_stored_comparison_belongs_to_this_code(self, stored):
        _, provenance = stored
        assert provenance["options"] == compare_tabebm.PUBLISHED_PACKAGE
        assert provenance["reference"]["tabebm"] == "2025.8.19" and provenance["reference"]["tabpfn"] == "2.2.1"
        if provenance["environment"]["python"].rsplit(".", 1)[0] != platform.python_version().rsplit(".", 1)[0]:
            pytest.skip("the hash of the code depends on Python's minor version")
        assert provenance["code"] == compare_tabebm.hash_code()

    def test_the_test_of_rows_sees_a_difference_and_only_a_difference(self):
        rng = np.random.default_rng(0)
        first, second = rng.normal(size=(2, 60, 3))
        assert compare_tabebm.energy_test(first, second + 0.8, rng=rng) < 0.01
        values = [compare_tabebm.energy_test(*rng.normal(size=(2, 20, 2)), rng=rng) for _ in range(40)]
        assert 0.3 < np.mean(values) < 0.7

    def test_renamed_weights_are_the_same_network_to_the_library(self, tmp_path):
        from causalmix_utils.foundation import load_classifier

        network = build_network(compare_tabebm.SETTINGS)
        renamed = dict(compare_tabebm.rename_weights(network.state_dict()))
        path = tmp_path / "shared.ckpt"
        torch.save({"state_dict": renamed, "config": compare_tabebm.NETWORK}, path)
        classifier = load_classifier(path, n_estimators=1, device="cpu")
        classifier._initialize_model_variables()
        read = classifier.models_[0].state_dict()
        assert set(read) == set(network.state_dict())
        assert all(torch.equal(read[name], weight) for name, weight in network.state_dict().items())
