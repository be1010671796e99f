"""The model card: its numbers are those of the embedded checkpoint, and only they are written by the tool."""

import hashlib
import re

import pytest

from tools import model_card

TEXT = model_card.CARD.read_text(encoding="utf-8")
PROVENANCE = model_card.read_provenance()


def test_the_card_is_in_step_with_the_checkpoint():
    numbers = model_card.render_numbers(PROVENANCE, model_card.checkpoint_size())
    assert model_card.insert_numbers(TEXT, numbers) == TEXT, "run python tools/model_card.py"


def test_the_card_names_the_hash_of_the_file():
    weights = (model_card.WEIGHTS / "nano.safetensors").read_bytes()
    assert f"`{hashlib.sha256(weights).hexdigest()}`" in TEXT


def test_other_numbers_change_the_table_and_nothing_else():
    other = {**PROVENANCE, "tables": 123_456, "sha256": "0" * 64}
    changed = model_card.insert_numbers(TEXT, model_card.render_numbers(other, 2_500_000))
    assert "123,456 made-up tables" in changed and "2.5 MB" in changed and PROVENANCE["sha256"] not in changed

    def without_table(text):
        return re.sub(r"^\|.*\n", "", text, flags=re.MULTILINE)

    assert without_table(changed) == without_table(TEXT)


def test_a_run_without_muon_is_not_said_to_have_one():
    settings = {**PROVENANCE["settings"], "matrix_learning_rate": 0.0}
    assert "Muon" not in model_card.render_numbers({**PROVENANCE, "settings": settings}, 1)


@pytest.mark.parametrize("text", ["no marks", f"{model_card.END}\n{model_card.BEGIN}\n", 2 * TEXT])
def test_a_card_without_its_marks_is_refused(text):
    with pytest.raises(ValueError, match="once each, in this order"):
        model_card.insert_numbers(text, "| a | b |")


def test_no_number_of_the_training_stands_in_the_prose():
    begin, end = TEXT.index(model_card.BEGIN), TEXT.index(model_card.END)
    prose = TEXT[:begin] + TEXT[end:]
    for value in (PROVENANCE["parameters"], PROVENANCE["steps"], PROVENANCE["tables"]):
        assert str(value) not in prose and f"{value:,}" not in prose
