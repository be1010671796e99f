"""The lesson plans add up, and name chapters, questions and exercises that exist."""

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "book" / "teaching.md").read_text(encoding="utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in re.split(r"^#{2,3} ", TEXT, flags=re.MULTILINE)[1:]}
LENGTHS = {"One session of 90 minutes": 90, "A half-day workshop": 210} | {
    title: 180 for title in SECTIONS if title.startswith("Week ")
}


@pytest.mark.parametrize("title", LENGTHS)
def test_the_minutes_of_a_plan_add_up(title):
    minutes = [int(number) for number in re.findall(r"^\| (\d+) \|", SECTIONS[title], re.MULTILINE)]
    assert sum(minutes) == LENGTHS[title]


def test_the_module_has_four_weeks_each_with_goals_readings_homework_and_misunderstandings():
    weeks = [title for title in SECTIONS if title.startswith("Week ")]
    assert len(weeks) == 4
    for title in weeks:
        for part in ("*Goals:*", "*Readings:*", "*Homework:*", "*Expect:*"):
            assert part in SECTIONS[title], f"{title} has no {part}"


def test_the_shares_of_the_assessment_add_up():
    assert sum(int(share) for share in re.findall(r"\| (\d+) % \|", SECTIONS["Assessment"])) == 100


def test_questions_and_readings_that_a_plan_names_exist():
    questions = (ROOT / "book" / "questions.md").read_text(encoding="utf-8")
    references = (ROOT / "book" / "references.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^\(([\w-]+)\)=$", questions + references, re.MULTILINE))
    named = set(re.findall(r"\{ref\}`(?:[^`<]*<)?([\w-]+)>?`", TEXT))
    assert named
    assert named <= targets


def test_exercises_that_a_plan_names_exist():
    for chapter, numbers in re.findall(r"chapter (\d): ([\d, ]+\d)", SECTIONS["A half-day workshop"]):
        (path,) = (ROOT / "notebooks").glob(f"0{chapter}_*.ipynb")
        text = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
        for number in numbers.split(", "):
            assert re.search(rf"^\*\*{number}\.", text, re.MULTILINE), f"chapter {chapter} has no exercise {number}"
