"""The scripts that compare generators and measure the choices behind them: fair, resumable, and on the right tables."""

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks import choose_blanket, choose_mechanisms, compare_generators, measure_scm
from benchmarks.compare_generators import GENERATORS, REAL, ScoreStore, choose_tables, list_tasks
from causalmix_utils.evaluation import synthetic_to_real_auc
from causalmix_utils.generators import causal_blanket, list_generators
from causalmix_utils.tables import list_tables, load_table, scarce_split


@pytest.fixture(scope="module")
def tasks():
    return list_tasks()


def pick(tasks, **wanted):
    return [task for task in tasks if all(getattr(task, name) == value for name, value in wanted.items())]


def test_the_tables_follow_the_rule_and_no_choice_was_made_on_them():
    known = list_tables().set_index("name")
    chosen = choose_tables()
    assert len(chosen) == 15 and chosen == sorted(chosen)
    assert set(known.loc[chosen, "role"]) == {"reported"} and known.loc[chosen, "features"].max() <= 40
    skipped = [name for name in known.index if name <= chosen[-1] and name not in chosen]
    assert all(known.loc[name, "role"] == "development" or known.loc[name, "features"] > 40 for name in skipped)
    for script in (choose_blanket, choose_mechanisms):
        assert set(known.loc[list(script.TABLES), "role"]) == {"development"}


def test_every_generator_is_known_and_gets_every_table_and_split(tasks):
    assert set(GENERATORS) <= set(list_generators()["name"])
    assert len(tasks) == 15 * compare_generators.N_SPLITS * (len(GENERATORS) + 1)
    assert len({task.identity for task in tasks}) == len(tasks)


def test_real_rows_are_scored_as_they_are_and_the_same_score_comes_again(tasks):
    (task,) = pick(tasks, table="autos", split=1, generator=REAL)
    record = compare_generators.execute(task)
    train, _, test = scarce_split(load_table("autos"), n=200, split=1, max_test=1000)
    assert record["copies"] == 1 and (record["n_train"], record["n_test"]) == (len(train), len(test))
    assert record["usefulness"] == compare_generators.execute(task)["usefulness"]
    assert record["usefulness"] == pytest.approx(
        np.mean([synthetic_to_real_auc(train, test, rng=np.random.default_rng(seed)) for seed in range(3)]), abs=0.03
    )


def test_what_is_scored_was_drawn_by_the_generator_from_the_train_rows(tasks, monkeypatch):
    monkeypatch.setattr(compare_generators, "N_ROWS", 80)
    (task,) = pick(tasks, table="bands", split=0, generator="smote")
    record = compare_generators.execute(task)
    assert record["n_rows"] == 80 and record["copies"] < 0.1
    assert {"association_error_numbers", "association_error_mixed"} <= set(record)
    assert record["fit_seconds"] >= 0 and record["sample_seconds"] > 0


def test_memory_is_what_a_fit_and_a_sample_take_beyond_the_process(tasks, monkeypatch):
    class Wasteful:
        def fit(self, train, *, rng):
            self.values_ = np.ones((size, 2**17))  # MiB by MiB
            return self

        def sample(self, n, *, rng):
            return None

    monkeypatch.setattr(compare_generators, "make_generator", lambda name, **options: Wasteful())
    for size in (64, 256):
        assert compare_generators.measure_memory(tasks[1]) == pytest.approx(size, abs=16)


def test_a_run_that_was_stopped_goes_on_where_it_was(tasks, tmp_path, monkeypatch):
    wanted, executed = tasks[:3], []

    def execute(task):
        executed.append(task)
        if len(executed) == 2:
            raise KeyboardInterrupt
        return {"usefulness": 0.5}

    monkeypatch.setattr(compare_generators, "execute", execute)
    with ScoreStore(tmp_path / "scores.sqlite") as store:
        with pytest.raises(KeyboardInterrupt):
            compare_generators.make_scores(wanted, store)
        compare_generators.make_scores(wanted, store)
        assert executed == [wanted[0], wanted[1], wanted[1], wanted[2]]
        with pytest.raises(ValueError, match="scores are missing"):
            compare_generators.export(store, tmp_path)
    assert not list(tmp_path.glob("*.parquet"))


def test_a_generator_that_has_changed_is_scored_anew_and_no_other(tasks, monkeypatch):
    monkeypatch.setitem(compare_generators.VERSIONS, "smote", 99)
    known = {task.identity for task in tasks}
    assert {task.generator for task in list_tasks() if task.identity not in known} == {"smote"}


def test_goals_are_judged_by_means_over_tables():
    lines = [
        {"table": table, "generator": generator, "usefulness": value}
        for table, values in {"u": (0.8, 0.7, 0.75), "v": (0.9, 0.7, 0.85)}.items()
        for generator, value in zip((REAL, "smote", "causal_blanket"), values, strict=True)
    ]
    verdicts = compare_generators.judge_goals(pd.DataFrame(lines))
    assert verdicts["causal_blanket minus real"]["mean"] == pytest.approx(-0.05)
    assert not verdicts["causal_blanket minus real"]["reached"]
    assert verdicts["causal_blanket minus smote"]["reached"]


def test_the_choices_share_edge_probabilities_of_the_same_rows_only(monkeypatch):
    searched = []

    def discover(self, train, rng, **options):
        searched.append(train.name)
        return pd.DataFrame(0.0, index=train.columns, columns=train.columns)

    monkeypatch.setattr(choose_blanket.CausalGenerator, "_discover", discover)
    monkeypatch.setattr(causal_blanket, "rank_features", lambda train, seed: [])
    table = load_table("iris")
    for rows in (table, table.take(range(140)), table.take(range(140))):
        for cls in (choose_blanket.SharedCausalGenerator, choose_blanket.SharedBlanketGenerator):
            cls(n_dags=1).fit(rows, rng=np.random.default_rng(0))
    assert len(searched) == 2


def test_every_way_of_fitting_an_ensemble_is_measured_and_gives_the_same_models(monkeypatch):
    monkeypatch.setattr(measure_scm, "MAIN_SIZE", 2)
    table, dag = measure_scm.simulate(120, 4, 5, np.random.default_rng(0))
    lines = measure_scm.measure_ensemble([dag, dag], table, "boosting")
    assert [line["fits"] for line in lines] == [5, 10, 10, 10]
    assert len({line["way"] for line in lines}) == 4 and all(line["seconds"] > 0 for line in lines)
    other = measure_scm.fit_scm(measure_scm.random_dag(table.columns, 5, rng=np.random.default_rng(1)), table)
    with pytest.raises(RuntimeError, match="other rows"):
        measure_scm.check_same([measure_scm.fit_scm(dag, table)], [other], table)


def test_cost_is_measured_with_its_memory():
    line = measure_scm.measure_model(150, 5, "linear")
    assert line["edges"] == 10 and line["fit_seconds"] > 0 and line["peak_mb"] >= line["fit_peak_mb"] >= 0
    json.dumps(line)


def test_rules_that_choose_mechanisms_take_one_of_the_two():
    frame = pd.DataFrame(
        {
            "linear": [0.5, -3.0, 0.1],
            "boosting": [0.2, 0.4, 0.3],
            "linear in folds": [0.4, 0.0, 0.3],
            "boosting in folds": [0.1, 0.1, 0.2],
            "rows_present": [60, 60, 300],
        }
    )
    rules = choose_mechanisms.apply_rules(frame)
    assert rules["by rows"].tolist() == [0.5, -1.0, 0.3]
    assert rules["by folds"].tolist() == [0.5, 0.4, 0.1]
    assert rules["better in hindsight"].tolist() == [0.5, 0.4, 0.3]


def test_mean_skills_are_over_the_same_tables_at_every_number_of_rows():
    frame = pd.DataFrame({"table": ["large", "large", "large", "small"], "asked": [60, 60, 400, 60]})
    rules = pd.DataFrame({"linear": [0.2, 0.4, 0.5, -1.0]})
    means = choose_mechanisms.average(frame, rules)
    assert means["linear"].to_dict() == {60: pytest.approx(0.3), 400: 0.5}
