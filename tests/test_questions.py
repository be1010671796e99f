"""The question bank: every calculated answer is computed again, and every rubric adds up to its question's points."""

import ast
import math
import re
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from causalmix_utils.discovery import marks_to_mass
from causalmix_utils.evaluation import (
    average_ranks,
    closest_record_distances,
    gain_in_points,
    normalised_gain,
    smallest_p_value,
    validation_test_gap,
)
from causalmix_utils.graphs import dag_to_cpdag, list_members, markov_blanket, structural_hamming_distance
from causalmix_utils.metrics import log_loss, roc_auc
from causalmix_utils.tables import Table

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "book" / "questions.md").read_text(encoding="utf-8")
KINDS = ("Short answer", "Calculation", "Critique")
SECTION = re.compile(r"^\(q-([\w-]+)\)=\n### (\d+)\. ([^\n]+)\n(.*?)(?=^\(q-|^## |\Z)", re.MULTILINE | re.DOTALL)
QUESTIONS = {match[1]: match[4] for match in SECTION.finditer(TEXT)}
HEAD = re.compile(r"\*(Short answer|Calculation|Critique), (\d) points?\.\*")

each_question = pytest.mark.parametrize("name", QUESTIONS)


def asked(name):
    """A question without its answer."""
    return QUESTIONS[name].split(":::{dropdown}")[0]


def stated(name):
    """The answer that the page gives."""
    return ast.literal_eval(re.search(r"^\*\*Answer:\*\* `(.+)`$", QUESTIONS[name], re.MULTILINE).group(1))


def kind_and_points(name):
    kind, points = HEAD.search(asked(name)).groups()
    return kind, int(points)


def rows_of(name):
    """The table in a question, its numbers as numbers."""
    lines = [line for line in asked(name).splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    frame = pd.DataFrame(cells[2:], columns=cells[0])
    return frame.apply(lambda column: pd.to_numeric(column) if column.str.fullmatch(r"-?[\d.]+").all() else column)


def graphs_in(name):
    """The graphs in a question, such as `a → b, b → c`."""
    texts = re.findall(r"`([^`]*→[^`]*)`", asked(name))
    return [nx.DiGraph([tuple(edge.split(" → ")) for edge in text.split(", ")]) for text in texts]


def number_after(pattern, name):
    return float(re.search(pattern, asked(name)).group(1))


def score(measure):
    rows = rows_of("log-loss")
    yes = rows["predicted probability of yes"].to_numpy()
    return measure(rows["true class"], np.column_stack([1 - yes, yes]), ["no", "yes"])


def separate():
    (graph,) = graphs_in("separation")
    return tuple(nx.is_d_separator(graph, {"savings"}, {"housing"}, given) for given in (set(), {"risk"}, {"reminder"}))


def find_v_structures():
    (graph,) = graphs_in("v-structures")
    pairs = [(a, node, b) for node in graph for a in graph.pred[node] for b in graph.pred[node] if a < b]
    found = {(a, node, b) for a, node, b in pairs if not graph.has_edge(a, b) and not graph.has_edge(b, a)}
    # The edges of v-structures are those that every member of the class has; here no others are compelled.
    cpdag = dag_to_cpdag(graph)
    compelled = {edge for edge in cpdag.edges if not cpdag.has_edge(*edge[::-1])}
    assert compelled == {(cause, node) for a, node, b in found for cause in (a, b)}
    return found


def count_class():
    (graph,) = graphs_in("v-structures")
    return len(list_members(dag_to_cpdag(graph)))


def average_marks():
    signs = {"→": (-1, 1), "o→": (2, 1), "—": (-1, -1), "↔": (1, 1)}
    masses = [np.zeros((2, 2))]  # the resample without an edge
    for sign in re.findall(r"`a (\S+) b`", asked("edge-probability")):
        at_a, at_b = signs[sign]
        masses.append(marks_to_mass(np.array([[0, at_a], [at_b, 0]])))
    assert len(masses) == 5
    mean = np.mean(masses, axis=0)
    return mean[0, 1], mean[1, 0]


def run_model(**set_to):
    """Means of the linear model of the question, with some variables set."""
    values = {"n_x": 0, "n_m": 0, "n_y": 0}
    for variable, formula in re.findall(r"^(\w) = (.+)$", asked("intervention"), re.MULTILINE):
        values[variable] = set_to.get(variable, eval(formula, {}, dict(values)))
    return values["y"]


def compute_counterfactual():
    question = asked("counterfactual")
    formula = re.search(r"^amount = (.+) \+ noise$", question, re.MULTILINE).group(1)
    months, amount, instead = (int(number) for number in re.findall(r"\b(20|4000|30)\b", question))
    noise = amount - eval(formula, {"duration": months})
    return eval(formula, {"duration": instead}) + noise


def count_mechanisms():
    return len({(node, frozenset(graph.pred[node])) for graph in graphs_in("cache") for node in graph})


def measure_distance():
    age, job = re.search(r"synthetic row \((\d+), (\w+)\)", asked("distance")).groups()
    reference = rows_of("distance").assign(y=["n", "y", "n"])
    row = pd.DataFrame({"age": [int(age)], "job": [job], "y": ["n"]})
    table = Table.from_frame(pd.concat([reference, row], ignore_index=True), target="y")
    return closest_record_distances(table.take([3]), table.take([0, 1, 2]))[0]


def compute_optimism():
    rows = rows_of("optimism")
    gains = normalised_gain(rows["AUC at the step kept"], rows["zero-shot AUC"])
    return gains[0] - gains[1]


def follow_trajectory():
    trajectory = rows_of("tracking").rename(columns=lambda name: name.lower().replace(" ", "_"))
    best = int(trajectory.loc[trajectory["validation_auc"].idxmax(), "step"])
    return best, validation_test_gap(trajectory, best_step=best)["tracking_gap"]


def gains_of_tables():
    rows = rows_of("normalised")
    points = gain_in_points(rows["fine-tuned AUC"], rows["zero-shot AUC"])
    assert points[0] > points[1], "the answer says that the first table gained more points"
    return tuple(normalised_gain(rows["fine-tuned AUC"], rows["zero-shot AUC"]))


def rank_arms():
    rows = rows_of("ranks").melt(id_vars="table", var_name="arm", value_name="auc")
    results = rows.assign(checkpoint="nano", regime=200, split=0, seed=0)
    ranks = average_ranks(results, value="auc")
    return tuple(ranks[arm] for arm in ("zero-shot", "default", "mixed"))


def correct_smallest():
    assert asked("smallest").startswith("\n*Calculation, 3 points.* Four arms")
    return 4 * smallest_p_value(int(number_after(r"on (\d+) tables", "smallest")))


def reach_of_median():
    n, median, spread = (
        number_after(pattern, "median")
        for pattern in (r"on (\d+) tables", r"median of (\d\.\d+) and", r"standard deviation of (\d\.\d+)")
    )
    reach = stats.norm.ppf(0.975) * spread * math.sqrt(math.pi / (2 * n))
    return reach, median - reach < 0 < median + reach


def compute_masked_loss():
    outputs = re.search(r"are (\d), (\d) and (\d),", asked("mask")).groups()
    return math.log(sum(math.exp(int(value)) for value in outputs)) - int(outputs[0])


COMPUTED = {
    "log-loss": lambda: score(log_loss),
    "auc": lambda: score(roc_auc),
    "separation": separate,
    "v-structures": find_v_structures,
    "class": count_class,
    "blanket": lambda: markov_blanket(graphs_in("blanket")[0], "risk"),
    "edge-probability": average_marks,
    "shd": lambda: structural_hamming_distance(*graphs_in("shd")),
    "counterfactual": compute_counterfactual,
    "intervention": lambda: (run_model(m=5), run_model(x=3)),
    "cache": count_mechanisms,
    "distance": measure_distance,
    "optimism": compute_optimism,
    "tracking": follow_trajectory,
    "normalised": gains_of_tables,
    "ranks": rank_arms,
    "smallest": correct_smallest,
    "mask": compute_masked_loss,
    "median": reach_of_median,
}


@pytest.mark.parametrize("name", COMPUTED)
def test_a_calculated_answer_is_what_the_package_computes(name):
    answer, computed = stated(name), COMPUTED[name]()
    if isinstance(answer, set):
        assert answer == computed
    else:
        # Answers are given to three digits.
        assert np.allclose(np.atleast_1d(computed).astype(float), np.atleast_1d(answer).astype(float), atol=5e-4)


def test_every_calculation_is_computed_and_nothing_else_is():
    assert {name for name in QUESTIONS if kind_and_points(name)[0] == "Calculation"} == set(COMPUTED)


@each_question
def test_a_question_has_its_kind_and_points_and_a_folded_rubric_that_adds_up(name):
    kind, points = kind_and_points(name)
    assert QUESTIONS[name].count(":::{dropdown} Answer and rubric") == 1
    folded = QUESTIONS[name].split(":::{dropdown}")[1]
    assert sum(int(worth) for worth in re.findall(r"^- \*\*(\d) points?:\*\*", folded, re.MULTILINE)) == points
    assert "*Common wrong answer:*" in folded
    assert "**Answer" not in asked(name)


def test_questions_are_numbered_in_order():
    assert [int(number) for _, number, *_ in SECTION.findall(TEXT)] == list(range(1, len(QUESTIONS) + 1))
    assert len(QUESTIONS) == len(re.findall(r"^### ", TEXT, re.MULTILINE)) >= 24


def test_the_table_at_the_top_counts_questions_and_points():
    found = [kind_and_points(name) for name in QUESTIONS]
    rows = re.findall(r"^\| ([A-Z][a-z ]+) \| (\d+) \| (\d+) \|$", TEXT, re.MULTILINE)
    assert {kind: (int(count), int(points)) for kind, count, points in rows} == {
        kind: (sum(k == kind for k, _ in found), sum(p for k, p in found if k == kind)) for kind in KINDS
    }


def test_every_chapter_has_questions():
    toc = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    chapters = set(re.findall(r"file: (notebooks/\d\d_\w+)", toc))
    linked = set(re.findall(r"\{doc\}`\.\./(notebooks/\w+)`", TEXT))
    assert linked <= chapters
    assert {"00", "01", "02", "03", "04", "05", "06", "90"} <= {path.split("/")[1][:2] for path in linked}
