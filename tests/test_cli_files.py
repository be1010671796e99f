"""A reader's own CSV file is read as it is meant, or the message says what stands in the way and what to type."""

import argparse
import re

import numpy as np
import pandas as pd
import pytest

from causalmix_utils.cli import main
from causalmix_utils.cli.doubts import list_doubts
from causalmix_utils.cli.files import CSV_OPTIONS, read_table

N = 60


@pytest.fixture
def customers():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "Customer ID": [f"C-{place:05d}" for place in range(N)],
            "Age (years)": np.where(rng.random(N) < 0.2, np.nan, rng.integers(18, 80, N)),
            " Income €": rng.lognormal(10, 0.5, N).round(2),
            "City": rng.choice(["Berlin", "Köln", "São Paulo"], N),
            "plan": rng.choice([1, 2, 3], N),
            "Remark": [" ".join(rng.choice(["good", "bad", "slow", "kind", "again"], 9)) for _ in range(N)],
            "Signed up": pd.date_range("2024-01-01", periods=N).astype(str),
            "always": "x",
            "Left?": rng.choice(["yes", "no"], N),
        }
    )


def read(path, target="Left?", **options):
    return read_table(argparse.Namespace(table=str(path), **CSV_OPTIONS | {"target": target} | options))


def refuse(path, **options):
    with pytest.raises(ValueError) as error:
        read(path, **options)
    return str(error.value)


def test_gaps_categories_and_odd_names_are_read_and_doubtful_columns_are_named(customers, tmp_path, capsys):
    customers.to_csv(tmp_path / "customers.csv", index=False)
    table = read(tmp_path / "customers.csv", categorical=["plan"])
    assert table.columns == [name.strip() for name in customers.columns]
    assert table.name == "customers"
    assert {"City", "plan"} <= set(table.categorical)
    assert table.X["Age (years)"].isna().sum() == customers["Age (years)"].isna().sum()
    notes = capsys.readouterr().err.splitlines()
    assert all(note.startswith("causalmix: note: column ") for note in notes)
    named = {re.search(r"column '([^']+)'", note)[1] for note in notes}
    assert named == {"Customer ID", "Remark", "Signed up", "always"}
    assert "leave it out with --drop 'Remark'" in "\n".join(notes)


def test_dropped_columns_are_gone_and_nothing_is_said_about_them(customers, tmp_path, capsys):
    customers.to_csv(tmp_path / "customers.csv", index=False)
    table = read(tmp_path / "customers.csv", drop=["Customer ID", "Remark", "Signed up", "always"], target=" Left? ")
    assert list(table.X.columns) == ["Age (years)", "Income €", "City", "plan"]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_another_separator_is_found_and_the_message_can_be_typed(customers, tmp_path, separator):
    path = tmp_path / "export.csv"
    customers.to_csv(path, index=False, sep=separator)
    typed = re.search(r"add --separator '(.+)'$", refuse(path))[1]
    assert read(path, separator=typed).columns == [name.strip() for name in customers.columns]


def test_numbers_with_a_decimal_comma_are_noticed_and_read_with_the_option_that_is_named(customers, tmp_path, capsys):
    path = tmp_path / "export.csv"
    customers.to_csv(path, index=False, sep=";", decimal=",")
    assert "Income €" in read(path, separator=";").categorical
    assert "column 'Income €' holds numbers with a decimal comma" in capsys.readouterr().err
    table = read(path, separator=";", decimal=",")
    assert table.X["Income €"].tolist() == customers[" Income €"].tolist()


def test_commas_before_three_digits_may_part_thousands(customers, tmp_path, capsys):
    prices = [950, 33245, 1204000] * (N // 3)
    customers.assign(price=[f"{price:,}" for price in prices]).to_csv(tmp_path / "customers.csv", index=False)
    read(tmp_path / "customers.csv")
    assert "if it parts thousands, write the file without it" in capsys.readouterr().err


@pytest.mark.parametrize("mark", ["None", "NA", "null"])
def test_a_class_that_reads_like_a_missing_value_is_named(customers, tmp_path, mark):
    customers.loc[[3, 7], "Left?"] = mark
    customers.to_csv(tmp_path / "customers.csv", index=False)
    message = refuse(tmp_path / "customers.csv")
    assert f"in row 4 below the header, where the file says {mark!r}" in message
    assert f"if {mark!r} is a class, give it another name" in message


def test_classes_that_differ_in_blanks_alone_are_noted(customers, tmp_path, capsys):
    customers.loc[:9, "Left?"] = "no "
    customers.to_csv(tmp_path / "customers.csv", index=False)
    read(tmp_path / "customers.csv")
    assert "the classes ['no', 'no '] of 'Left?' differ in blanks alone" in capsys.readouterr().err


def test_long_whole_numbers_are_refused_beside_an_empty_field_too(customers, tmp_path):
    numbers = [str(2**60 + place) for place in range(N)]
    customers.assign(number=["", *numbers[1:]]).to_csv(tmp_path / "customers.csv", index=False)
    assert f"column 'number' holds {2**60 + 1}: whole numbers beyond 2**53" in refuse(tmp_path / "customers.csv")
    customers.assign(large=[f"{value}e20" for value in range(N)]).to_csv(tmp_path / "customers.csv", index=False)
    assert read(tmp_path / "customers.csv").X["large"].max() == (N - 1) * 1e20


@pytest.mark.parametrize("order", [1, -1])
def test_whole_numbers_that_may_name_the_rows_are_noted(customers, tmp_path, capsys, order):
    numbers = np.random.default_rng(0).permutation(900_000)[:N] + 100_000
    numbers = np.sort(numbers)[::order]
    customers.assign(number=numbers).to_csv(tmp_path / "customers.csv", index=False)
    read(tmp_path / "customers.csv")
    assert "column 'number' has another whole number in each row" in capsys.readouterr().err
    read(tmp_path / "customers.csv", categorical=["number"])
    assert "another whole number" not in capsys.readouterr().err


@pytest.mark.parametrize("ending", ["zip", "xz", "gz", "bz2"])
def test_a_damaged_archive_is_one_line(tmp_path, capsys, ending):
    path = tmp_path / f"customers.csv.{ending}"
    path.write_bytes(b"no archive at all")
    assert main(["finetune", str(path), "--target", "y"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("causalmix: error: ") and error.count("\n") == 1
    assert "cannot be read as a CSV file" in error


def test_a_damaged_stream_of_a_whole_archive_is_one_line(customers, tmp_path, capsys):
    path = tmp_path / "customers.csv.gz"
    customers.to_csv(path, index=False)
    content = bytearray(path.read_bytes())
    content[60:120] = bytes(60)
    path.write_bytes(content)
    assert main(["finetune", str(path), "--target", "Left?"]) == 2
    error = capsys.readouterr().err
    assert "cannot be read as a CSV file" in error and error.count("\n") == 1


def test_rows_without_a_class_are_counted_and_the_first_is_named(customers, tmp_path):
    customers.loc[[3, 7], "Left?"] = None
    customers.to_csv(tmp_path / "customers.csv", index=False)
    message = refuse(tmp_path / "customers.csv")
    assert "'Left?' has 2 missing values, the first in row 4 below the header" in message
    assert "without such rows" in message


def test_row_numbers_without_a_name_are_not_taken_for_a_feature(customers, tmp_path):
    customers.to_csv(tmp_path / "customers.csv")
    assert "column 1 of" in refuse(tmp_path / "customers.csv")


def test_another_encoding_is_named_with_what_to_do(customers, tmp_path):
    customers.drop(columns=" Income €").to_csv(tmp_path / "customers.csv", index=False, encoding="latin-1")
    message = refuse(tmp_path / "customers.csv")
    assert "is not written in UTF-8: save it anew" in message


@pytest.mark.parametrize("option", ["target", "drop", "categorical"])
def test_a_mistyped_column_is_answered_with_the_nearest_name(customers, tmp_path, option):
    customers.to_csv(tmp_path / "customers.csv", index=False)
    typed = "customer id" if option == "target" else ["customer id"]
    message = refuse(tmp_path / "customers.csv", **{option: typed})
    assert message.startswith(
        f"--{option} 'customer id' is not a column (did you mean 'Customer ID'?); the columns are ["
    )


def test_the_target_cannot_be_dropped_and_signs_are_single(customers, tmp_path):
    customers.to_csv(tmp_path / "customers.csv", index=False)
    assert "--drop names the target 'Left?'" in refuse(tmp_path / "customers.csv", drop=["Left?"])
    several = refuse(tmp_path / "customers.csv", drop=["Remark, Left?"])
    assert several.endswith("name each by itself, --drop 'Remark' --drop 'Left?'")
    assert "got ';;'" in refuse(tmp_path / "customers.csv", separator=";;")


@pytest.mark.parametrize("option", [{"drop": ["a"]}, {"separator": ";"}, {"decimal": ","}, {"categorical": ["a"]}])
def test_options_of_csv_files_are_refused_for_an_embedded_table(option):
    (name,) = option
    assert f"--{name} is for CSV files, but 'wine' is not one" in refuse("wine", target=None, **option)


@pytest.mark.parametrize("name", ["absent.csv", "absent.tsv", "absent.csv.gz"])
def test_a_file_that_is_not_there_is_no_embedded_table(tmp_path, name):
    assert refuse(tmp_path / name).endswith(f"{name} does not exist")


def test_a_compressed_file_is_read(customers, tmp_path):
    customers.to_csv(tmp_path / "customers.csv.gz", index=False)
    assert len(read(tmp_path / "customers.csv.gz")) == N


def test_ordinary_columns_raise_no_doubts():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "amount": rng.normal(size=50),
            "months": rng.integers(0, 99, 50),
            "job": rng.choice(["cook", "smith"], 50),
            "version": ["1.2", "1.3"] * 25,
            "gaps": [None, "a", "b", "b", "a"] * 10,
        }
    )
    assert list_doubts(frame) == []
    assert list_doubts(frame.assign(number=range(50))) == [
        "column 'number' counts the rows: leave it out with --drop 'number'"
    ]


@pytest.mark.slow
def test_a_messy_file_goes_all_the_way_on_the_command_line_and_in_python(customers, tmp_path, capsys):
    from causalmix_utils.finetuning import CausalMixFTClassifier

    path, saved = tmp_path / "customers.csv", tmp_path / "model.safetensors"
    customers.to_csv(path, index=False)
    small = ["--rows", "40", "--steps", "1", "--estimators", "1", "--generator", "smote", "--save", str(saved)]
    dropped = [word for name in ("Customer ID", "Remark", "Signed up", "always") for word in ("--drop", name)]
    assert main(["finetune", str(path), "--target", "Left?", *dropped, *small]) in (None, 0)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "CausalMixFT (smote)" in printed.out
    model = CausalMixFTClassifier.load(saved)
    features = pd.read_csv(path).rename(columns=str.strip)[["Age (years)", "Income €", "City", "plan"]]
    proba = model.predict_proba(features)
    assert proba.shape == (N, 2)
    assert list(model.classes_) == ["no", "yes"]


def test_options_are_checked_before_anything_is_read(capsys):
    assert main(["finetune", "no-such-file.csv", "--target", "y", "--steps", "-3"]) == 2
    assert "max_steps must be an integer of at least 0, got -3" in capsys.readouterr().err


def test_a_number_is_no_target(customers, tmp_path, capsys):
    customers.assign(spent=np.arange(N) / 7).to_csv(tmp_path / "customers.csv", index=False)
    assert main(["finetune", str(tmp_path / "customers.csv"), "--target", "spent"]) == 2
    assert f"target 'spent' has {N} different values, but at most 10 classes" in capsys.readouterr().err
    options = ["--generator", "independent", "--rows", "9", "--out", str(tmp_path / "rows.csv")]
    assert main(["augment", str(tmp_path / "customers.csv"), "--target", "spent", *options]) == 2
    assert f"target 'spent' holds {N} different numbers" in capsys.readouterr().err
    assert not (tmp_path / "rows.csv").exists()


def test_a_class_of_one_row_and_too_many_rows_are_noted(customers, tmp_path, capsys):
    customers.loc[7, "Left?"] = "maybe"
    customers.drop(columns=["Customer ID", "Remark", "Signed up", "always"]).to_csv(tmp_path / "few.csv", index=False)
    options = ["--rows", "4000", "--steps", "0", "--estimators", "1", "--generator", "independent"]
    assert main(["finetune", str(tmp_path / "few.csv"), "--target", "Left?", *options]) == 0
    said = capsys.readouterr().err
    assert "class 'maybe' of 'Left?' has one row, too few" in said
    assert re.search(r"--rows=4000 leaves too few test rows; \d\d are used", said)
