"""Exercises on synthetic rows and on the benchmark: right answers come from the package, wrong ones get a hint."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from causalmix_utils import exercises
from causalmix_utils.benchmark import get_profile
from causalmix_utils.evaluation import closest_record_distances, normalised_gain, score_synthetic_rows, smallest_p_value
from causalmix_utils.generators import Generator, list_generators, make_generator
from causalmix_utils.scm import counterfactual_rows, fit_scm, sample_rows
from causalmix_utils.tables import Table, load_table, scarce_split

WRONG = {
    "check_sampling_1": [24 / 68, 0.5, "near"],
    "check_sampling_2": [{"independent"}, ["independent", "random_dag"], 3],
    "check_sampling_3": [5 / 9, 7 / 9, 8 / 9, "high"],
    "check_sampling_4": [{"A": "smote"}, dict.fromkeys("ABCD", "copies"), ["smote", "copies"], 4],
    "check_sampling_6": ["no such generator", 3, "independent", "smote", "permuted_target"],
    "check_benchmark_1": [1.0, 0.25, "four"],
    "check_benchmark_2": [6, 7, 9],
    "check_benchmark_3": [{"a"}, {"a", "b", "d", "e"}, "a"],
}


class ByClass(Generator):
    """The solution of the sixth exercise on sampling."""

    name = "by class of tests"

    def _fit(self, train, rng):
        self.rows_, self.target_ = train.to_frame(), train.target

    def _sample(self, n, rng):
        parts = []
        for label, count in zip(
            *np.unique(rng.choice(self.rows_[self.target_], size=n), return_counts=True), strict=True
        ):
            of_class = self.rows_[self.rows_[self.target_] == label]
            drawn = {c: of_class[c].to_numpy()[rng.integers(len(of_class), size=count)] for c in of_class}
            parts.append(pd.DataFrame(drawn))
        return pd.concat(parts, ignore_index=True)


class BothClassesAlike(ByClass):
    """Draws every class equally often."""

    def _sample(self, n, rng):
        parts = []
        for label in sorted(self.rows_[self.target_].unique()):
            of_class = self.rows_[self.rows_[self.target_] == label]
            rows = rng.integers(len(of_class), size=(of_class.shape[1], (n + 1) // 2))
            parts.append(pd.DataFrame({c: of_class[c].to_numpy()[of] for c, of in zip(of_class, rows, strict=True)}))
        return pd.concat(parts, ignore_index=True).head(n)


class AnyValue(ByClass):
    """Draws each of the values of a class equally often."""

    def _sample(self, n, rng):
        rows = super()._sample(n, rng)
        for label, of_class in self.rows_.groupby(self.target_):
            chosen = rows[self.target_] == label
            for c in of_class.columns.drop(self.target_):
                rows.loc[chosen, c] = rng.choice(of_class[c].unique(), size=chosen.sum())
        return rows


@pytest.mark.parametrize("name", list(WRONG))
def test_wrong_answers_are_refused_with_a_hint(name):
    for answer in WRONG[name]:
        feedback = getattr(exercises, name)(answer)
        assert not feedback
        assert feedback.hint
    assert not getattr(exercises, name)(None)


def test_the_closest_record_is_the_one_that_the_measure_finds():
    records = {"months": [36, 12, 4, 72], "purpose": ["car", "radio", "tv", "tv"], "y": list("aaaa")}
    row = {"months": [12], "purpose": ["car"], "y": ["a"]}
    tables = [Table.from_frame(pd.DataFrame(rows), target="y") for rows in (row, records)]
    assert exercises.check_sampling_1(closest_record_distances(*tables)[0])


def test_generators_without_a_label_signal_are_those_that_draw_classes_apart():
    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    train = Table.from_frame(pd.DataFrame({"x": x, "y": np.where(x > 0, "u", "v")}), target="y")
    apart = set()
    for name in ("independent", "permuted_target", "smote", "table_augment"):
        assert name in set(list_generators()["name"])
        rows = make_generator(name).fit(train, rng=rng).sample(400, rng=rng)
        if abs(rows.X["x"].groupby(rows.y).mean().diff().iloc[-1]) < 0.4:
            apart.add(name)
    assert exercises.check_sampling_2(apart)


def test_the_attack_by_hand_has_the_area_under_its_curve():
    from sklearn.metrics import roc_auc_score

    distances = np.array([0.1, 0.3, 0.2, 0.2, 0.4, 0.5])
    assert exercises.check_sampling_3(roc_auc_score([1, 1, 1, 0, 0, 0], -distances))


def test_the_mystery_rows_are_told_apart_by_three_looks():
    train, _, test = scarce_split(load_table("credit-g"), n=200)
    samples = exercises.draw_mystery_rows(train, 300, rng=np.random.default_rng(0))
    assert [rows.name for rows in samples.values()] == list(samples)
    scores = {
        letter: score_synthetic_rows(rows, train=train, test=test, rng=np.random.default_rng(1), n_trees=30)
        for letter, rows in samples.items()
    }
    found = {}
    for letter, score in scores.items():
        if score["copies"] == 1:
            found[letter] = "copies" if score["usefulness"] > 0.65 else "permuted_target"
        else:
            found[letter] = "smote" if score["usefulness"] > 0.65 else "independent"
    assert exercises.check_sampling_4(found)
    assert "2 of 4 are right" in exercises.check_sampling_4({**found, "A": found["B"], "B": found["A"]}).hint


def test_the_share_of_rows_that_would_change_is_that_of_the_model_and_not_of_fresh_rows():
    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    y = np.where(x + rng.normal(size=300) > 0, "u", "v")
    table = Table.from_frame(pd.DataFrame({"x": x, "y": y}), target="y")
    scm = fit_scm(nx.DiGraph([("x", "y")]), table, mechanisms="linear")
    question = {"scm": scm, "rows": table.take(np.arange(60)), "column": "x", "value": 1.0, "like": table}
    repeated = question["rows"].take(np.tile(np.arange(60), 100))
    new = counterfactual_rows(scm, repeated, interventions={"x": 1.0}, like=table, rng=rng)
    assert exercises.check_sampling_5((new.y != repeated.y).mean(), **question)
    fresh = sample_rows(scm, 6000, like=table, rng=rng, interventions={"x": 1.0})
    for wrong in ((fresh.y != repeated.y).mean(), (fresh.y == "u").mean(), "some", None):
        feedback = exercises.check_sampling_5(wrong, **question)
        assert not feedback and feedback.hint


def test_a_generator_of_ones_own_is_accepted_as_class_or_instance():
    assert exercises.check_sampling_6(ByClass)
    assert exercises.check_sampling_6(ByClass())


@pytest.mark.parametrize(("generator", "hint"), [(BothClassesAlike, "as often"), (AnyValue, "rare")])
def test_shares_of_classes_and_of_values_are_those_of_the_rows(generator, hint):
    assert hint in exercises.check_sampling_6(generator).hint


def test_a_generator_that_raises_has_its_message_as_the_hint():
    class Broken(ByClass):
        def _sample(self, n, rng):
            raise KeyError("months")

    assert "KeyError: 'months'" in exercises.check_sampling_6(Broken).hint


def test_the_same_point_counts_four_times_as_much():
    assert exercises.check_benchmark_1(normalised_gain(0.91, 0.90) / normalised_gain(0.61, 0.60))


def test_the_number_of_tables_is_the_first_that_can_be_significant():
    first = next(n for n in range(1, 20) if 5 * smallest_p_value(n) <= 0.05)
    assert exercises.check_benchmark_2(first)


def test_runs_are_made_again_when_their_settings_change():
    """The letters of the chapter: a steps, b processes, c one arm more, d another checkpoint, e test rows."""
    profile = get_profile("smoke")
    before = {run.identity for run in profile.subset(arms=["default"]).runs()}
    changed = {
        "a": replace(profile, fine_tuning={**profile.fine_tuning, "max_steps": 9}).subset(arms=["default"]).runs(),
        "c": profile.subset(arms=["default", "smote"]).runs(),
        "d": [replace(run, checkpoint="0") for run in profile.subset(arms=["default"]).runs()],
        "e": replace(profile, test_rows=99).subset(arms=["default"]).runs(),
    }
    again = {letter for letter, runs in changed.items() if not before <= {run.identity for run in runs}}
    assert exercises.check_benchmark_3(again)
