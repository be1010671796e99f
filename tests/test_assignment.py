"""The assignment: its solution earns all points, its template none, and each typical mistake costs its own points only.

The grader runs as students run it, in a process of its own. A mistake in one function is graded by the tests of that
function; the others never call it.
"""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "book" / "assignment"
SOLUTION, TEMPLATE = FOLDER / "solution" / "assignment.py", FOLDER / "assignment.py"
TASKS = [
    "split_rows",
    "estimate_edges",
    "draw_graph",
    "make_rows",
    "measure_usefulness",
    "fine_tune",
    "compare",
    "judge",
]


def grade(path, tmp_path, *options):
    """Points by test, and what was printed."""
    grades = tmp_path / "points.json"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(FOLDER / "test_assignment.py")]
    done = subprocess.run(
        [*command, "--assignment", str(path), "--grade", str(grades), *options],
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert grades.is_file(), done.stdout + done.stderr
    return json.loads(grades.read_text()), done.stdout


def read_marks():
    """Points by test, read from the marks in the grader."""
    found = re.findall(r"@pytest\.mark\.points\((\d)\)\ndef test_(\w+)\(", (FOLDER / "test_assignment.py").read_text())
    return {name: int(points) for points, name in found}


def functions(path):
    return {node.name: node for node in ast.parse(path.read_text(encoding="utf-8")).body if hasattr(node, "args")}


@pytest.mark.slow
def test_the_solution_earns_every_point_and_its_examples_are_right(tmp_path):
    result, printed = grade(SOLUTION, tmp_path, "--doctest-modules", str(SOLUTION))
    assert {name: test["earned"] for name, test in result["tests"].items()} == read_marks(), printed
    assert result["earned"] == result["possible"] == 20
    assert "20 of 20  in all" in printed
    assert f"{len(read_marks()) + len(TASKS)} passed" in printed, printed


def test_the_template_earns_nothing_and_each_failure_names_its_function(tmp_path):
    result, printed = grade(TEMPLATE, tmp_path)
    assert (result["earned"], result["possible"]) == (0, 20)
    for task in TASKS:
        assert f"{task} is not filled in yet" in printed


MISTAKES = {
    "scores on train rows": (
        "roc_auc(test.y, model.predict_proba(test.X), model.classes_)",
        "roc_auc(train.y, model.predict_proba(train.X), model.classes_)",
        "compare",
        {"compare_scores_test_rows_only", "compare_puts_the_score_of_each_model_into_its_column"},
        "A model is judged on rows that it has never seen",
    ),
    "two columns in each other's place": (
        'lines.append({"split": split, **scores})',
        'lines.append({"split": split, **scores, "default": scores["mixed"], "mixed": scores["default"]})',
        "compare",
        {"compare_puts_the_score_of_each_model_into_its_column"},
        "Which model is in this column?",
    ),
    "nothing is mixed in": (
        '"mixed": fine_tune(train, validation, generator=PipelineGenerator(), seed=seed)',
        '"mixed": fine_tune(train, validation, generator=None, seed=seed + 1)',
        "compare",
        {"compare_puts_the_score_of_each_model_into_its_column"},
        "'mixed' of split 0 is not the score of one with PipelineGenerator()",
    ),
    "synthetic rows in validation": (
        "    return model.fit(",
        "    from causalmix_utils.generators import make_generator\n\n"
        "    made = make_generator(generator or 'independent').fit(train, rng=np.random.default_rng(seed))\n"
        "    validation = validation.concat(made.sample(20, rng=np.random.default_rng(seed)))\n"
        "    return model.fit(",
        "fine_tune",
        {"fine_tune_watches_real_rows_only"},
        "Early stopping must see real held-back rows only",
    ),
    "no seed": (
        "max_steps=max_steps, random_state=seed, **MODEL",
        "max_steps=max_steps, **MODEL",
        "fine_tune",
        {"fine_tune_is_reproducible"},
        "Hand seed on as random_state",
    ),
    "a random generator of its own": (
        "return sample_rows(scm, n, like=train, rng=rng)",
        "return sample_rows(scm, n, like=train, rng=np.random.default_rng())",
        "make_rows",
        {"make_rows_is_reproducible"},
        "Hand rng on",
    ),
    "a threshold in place of a draw": (
        "return sample_dag(P, target=target, rng=rng)",
        "return sample_dag((P >= 0.5).astype(float).where(P.T < P, (P > P.T).astype(float)), target=target, rng=rng)",
        "draw_graph",
        {"draw_graph"},
        "Draw each graph anew",
    ),
    "a verdict by the mean": (
        '"better" if low > 0 else "worse" if high < 0 else "undecided"',
        '"better" if np.mean(differences) > 0 else "worse"',
        "judge",
        {"judge"},
        "Look at the interval",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_typical_mistake_costs_exactly_its_points_and_is_told(tmp_path, mistake):
    right, wrong, task, lost, hint = MISTAKES[mistake]
    source = SOLUTION.read_text(encoding="utf-8")
    assert source.count(right) == 1
    path = tmp_path / "assignment.py"
    path.write_text(source.replace(right, wrong), encoding="utf-8")
    result, printed = grade(path, tmp_path, "-k", task)
    expected = {name: points for name, points in read_marks().items() if name.startswith(task)}
    earned = {name: test["earned"] for name, test in result["tests"].items()}
    assert earned == expected | dict.fromkeys(lost, 0), printed
    assert hint in " ".join(printed.split()), printed


def test_template_and_solution_differ_in_nothing_but_the_bodies_of_the_tasks():
    template, solution = functions(TEMPLATE), functions(SOLUTION)
    assert list(template) == list(solution) == [*TASKS, "main"]
    for task in TASKS:
        body = template[task].body
        assert ast.unparse(body[1:]) == f"raise NotImplementedError('{task}')"
        assert ast.get_docstring(template[task]) == ast.get_docstring(solution[task])
        assert ast.unparse(template[task].args) == ast.unparse(solution[task].args)
    assert ast.unparse(template["main"]) == ast.unparse(solution["main"])


def test_every_task_is_documented_with_an_example():
    for task in TASKS:
        text = ast.get_docstring(functions(TEMPLATE)[task])
        for section in ("Parameters\n---", "Returns\n---", "Examples\n---"):
            assert section in text, f"{task} has no {section.split()[0]}"
        assert f">>> {'' if task != 'split_rows' else '['}" in text


def test_the_task_sheet_names_each_task_with_the_points_of_the_grader():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d) \| `(\w+)` \| (\d+) \| (\d) \|$", text, re.MULTILINE)
    assert [name for _, name, _, _ in rows] == TASKS
    marks = read_marks()
    for _, task, _, points in rows:
        assert int(points) == sum(worth for name, worth in marks.items() if name.startswith(task)), task
    report = [int(points) for points in re.findall(r"^\| \*\*.+ \| (\d) \|$", text, re.MULTILINE)]
    assert sum(report) == int(re.search(r"\| the report \| \d+ \| (\d+) \|", text).group(1))
    minutes = sum(int(row[2]) for row in rows) + int(re.search(r"\| the report \| (\d+) \|", text).group(1))
    assert 120 <= minutes <= 180
