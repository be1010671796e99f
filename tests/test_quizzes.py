"""A quiz tells right from wrong, has something to say about each choice, and never raises for what a reader types."""

import re
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalmix_utils.exercises import ask, quiz, right, true_or_false, wrong
from causalmix_utils.exercises.quizzes import CHAPTERS

ROOT = Path(__file__).resolve().parents[1]
ANYTHING = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.integers()))

two_and_two = ask(
    "2 + 2?", wrong("22", hint="Add `2 < 3`."), right("4", because="Two pairs."), wrong("5", hint="Count.")
)


def quizzes():
    """The quiz of each chapter that has one, by the name that the chapter's notebook gives."""
    sources = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
    names = [name for source in sources for name in re.findall(r"exercises\.quiz\(\\\"(\w+)\\\"", source)]
    return {name: quiz(name) for name in names}


each_quiz = pytest.mark.parametrize("name, shown", quizzes().items(), ids=quizzes())


@each_quiz
def test_right_answers_are_right_and_explained(name, shown):
    answers = {n: right_letter(question) for n, question in enumerate(shown.questions, start=1)}
    judged = quiz(name, answers)
    assert judged
    assert not quiz(name, {1: answers[1]}), "the others are not answered yet"
    assert not quiz(name)
    assert judged.score == f"{len(answers)} of {len(answers)} are right."
    for number, question in enumerate(judged.questions, start=1):
        assert judged.feedback[number].explanation == question.letters[answers[number]].feedback


@each_quiz
def test_every_wrong_answer_gets_a_hint_of_its_own_that_does_not_tell(name, shown):
    for number, question in enumerate(shown.questions, start=1):
        solution = question.letters[right_letter(question)]
        hints = []
        for letter in set(question.letters) - {right_letter(question)}:
            judged = quiz(name, {number: letter})
            assert not judged and not judged.feedback[number]
            hints.append(judged.feedback[number].hint)
            assert len(hints[-1]) >= 15, f"a hint, not only a no: {question.text}"
            assert solution.text not in hints[-1] or len(solution.text) < 8
            assert solution.feedback not in repr(judged)
        assert len(set(hints)) == len(hints)


@each_quiz
def test_a_quiz_is_short_and_its_right_letters_are_no_pattern(name, shown):
    assert 3 <= len(shown.questions) <= 5
    assert len({question.text for question in shown.questions}) == len(shown.questions)
    assert len({right_letter(question) for question in shown.questions}) > 1


@each_quiz
def test_the_page_of_the_book_lets_every_choice_unfold_without_running_code(name, shown):
    page = shown._repr_html_()
    n_choices = sum(len(question.choices) for question in shown.questions)
    assert page.count("<details") == page.count("<summary>") == page.count("</details>") == n_choices
    assert page.count("✓") == len(shown.questions)
    assert page.count("✗") == n_choices - len(shown.questions)
    assert "<script" not in page
    assert "`" not in page


@pytest.mark.parametrize("answer", ["b", "B", " b ", "(b)", "b."])
def test_a_letter_may_be_written_in_several_ways(answer):
    assert two_and_two.check(answer)


@pytest.mark.parametrize("answer", ["d", "", "ab", 2, True, ["b"], "4"])
def test_what_is_no_letter_is_told_which_letters_there_are(answer):
    assert repr(two_and_two.check(answer)) == "Not yet. The answer is one of the letters a, b, c."


def test_the_page_escapes_what_is_written_and_sets_code():
    assert '<code style="color: inherit">2 &lt; 3</code>' in two_and_two.check("a")._repr_html_()


@pytest.mark.parametrize("truth, letter", [(True, "a"), (False, "b")])
def test_a_statement_is_true_or_false(truth, letter):
    question = true_or_false("It is so.", truth, because="It is known.", hint="Think again.")
    assert [choice.text for choice in question.choices] == ["true", "false"]
    assert right_letter(question) == letter


@given(answers=st.one_of(ANYTHING, st.dictionaries(ANYTHING.filter(lambda key: not isinstance(key, list)), ANYTHING)))
def test_no_answers_make_a_quiz_raise(answers):
    shown = quiz("foundation", answers)
    assert isinstance(repr(shown) + shown._repr_html_(), str)


def test_an_unanswered_question_is_not_judged_and_an_unknown_one_is_named():
    shown = quiz("foundation", {1: None, 2: "a", 99: "b"})
    assert set(shown.feedback) == {2}
    assert "There is no question 99." in repr(shown)
    assert "There is no question 99." in shown._repr_html_()


def test_a_question_needs_one_right_choice_and_feedback_for_each():
    with pytest.raises(ValueError, match="one right answer, got 2"):
        ask("?", right("a", because="A."), right("b", because="B."))
    with pytest.raises(ValueError, match="feedback each"):
        ask("?", right("a", because="A."), wrong("b", hint=" "))
    with pytest.raises(ValueError, match="2 to 6, got 1"):
        ask("?", right("a", because="A."))


def test_an_unknown_chapter_is_named():
    with pytest.raises(ValueError, match="chapter must be one of .*foundation.* got 'cooking'"):
        quiz("cooking")


def test_the_quizzes_of_the_notebooks_are_those_of_the_package():
    assert set(quizzes()) <= set(CHAPTERS)


def test_each_notebook_shows_its_quiz_before_the_exercises():
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        sources = [cell.source for cell in nbformat.read(path, as_version=4).cells]
        starts = {
            name: [i for i, text in enumerate(sources) if text.startswith(f"## {name}")]
            for name in ("Quiz", "Exercises")
        }
        if starts["Quiz"]:
            between = sources[starts["Quiz"][0] : starts["Exercises"][0]]
            assert any("exercises.quiz(" in text for text in between), f"{path.name} has no questions in its quiz"


def right_letter(question) -> str:
    (letter,) = (letter for letter, choice in question.letters.items() if choice.correct)
    return letter
