"""The table type: what it promises, what it converts, and what it refuses."""

import bz2
import datetime
import gzip
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalmix_utils.tables import Table, check_same_schema, content_hash, load_table

LEVELS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=6)


@st.composite
def frames(draw):
    """Frames with integer, float and text columns, missing values, and a target ``y``."""
    n_rows = draw(st.integers(1, 12))

    def column(values):
        return draw(st.lists(values, min_size=n_rows, max_size=n_rows))

    frame = pd.DataFrame(
        {
            "whole": column(st.integers(-(2**53), 2**53)),
            "real": column(st.floats(allow_infinity=False, width=64)),
            "text": pd.Series(column(st.none() | LEVELS), dtype=object),
            "y": pd.Series(column(LEVELS), dtype=object),
        }
    )
    return frame


@settings(max_examples=50)
@given(frames())
def test_a_table_made_of_a_tables_own_frame_is_the_same(frame):
    table = Table.from_frame(frame, target="y")
    again = Table.from_frame(table.to_frame(), target="y", categorical=table.categorical)
    pd.testing.assert_frame_equal(table.X, again.X)
    pd.testing.assert_series_equal(table.y, again.y)
    assert table.categorical == again.categorical == ["text"]


@settings(max_examples=50)
@given(frames(), st.randoms(use_true_random=False))
def test_taking_a_table_apart_and_concatenating_it_gives_the_rows_back(frame, random):
    table = Table.from_frame(frame, target="y")
    if len(table) == 1:
        return
    rows = list(range(len(table)))
    random.shuffle(rows)
    cut = random.randrange(1, len(rows))
    together = table.take(rows[:cut]).concat(table.take(rows[cut:]))
    pd.testing.assert_frame_equal(together.to_frame(), table.take(rows).to_frame())


@settings(max_examples=50)
@given(frames())
def test_every_part_of_a_table_has_its_schema(frame):
    table = Table.from_frame(frame, target="y")
    check_same_schema(table, like=table)
    check_same_schema(table.take([0]), like=table)


@settings(max_examples=50)
@given(values=st.lists(st.none() | st.floats(allow_infinity=False, allow_nan=False), min_size=1, max_size=8))
def test_a_level_is_written_the_same_whatever_stands_beside_it(values):
    frame = pd.DataFrame({"code": pd.Series(values, dtype=float), "y": "a"})
    together = Table.from_frame(frame, target="y", categorical=["code"]).X["code"].astype(object)
    for row, level in enumerate(together):
        alone = Table.from_frame(frame.iloc[[row]], target="y", categorical=["code"]).X["code"].astype(object)
        assert level == alone[0] or (pd.isna(level) and pd.isna(alone[0]))


def test_a_whole_number_is_the_same_level_in_every_type():
    for column in ([1, 2], [1.0, 2.0], [1.0, 2.5], [1.0, np.nan], pd.array([1, None], dtype="Int64")):
        values = pd.Series(column)
        for kind in (values, values.astype("category"), values.astype(object)):
            frame = pd.DataFrame({"code": kind, "y": "a"})
            assert Table.from_frame(frame, target="y", categorical=["code"]).X["code"][0] == "1"


@pytest.mark.parametrize("value", [2**53 + 1, -(2**60), np.uint64(2**63 + 1)])
def test_whole_numbers_that_no_float_holds_are_refused(value):
    frame = pd.DataFrame({"number": [value, 1], "y": ["a", "b"]}).astype({"number": type(value)})
    with pytest.raises(ValueError, match=rf"column 'number' holds {value}: whole numbers beyond"):
        Table.from_frame(frame, target="y")
    X = pd.DataFrame({"number": np.array([2**53 + 1], dtype="int64")})
    with pytest.raises(ValueError, match="column 'number' holds 9007199254740993"):
        Table("wide", X, pd.Series(["a"], name="y", dtype=object))


def test_a_category_that_is_infinite_is_refused():
    frame = pd.DataFrame({"code": [1.0, np.inf], "y": ["a", "b"]})
    with pytest.raises(ValueError, match="column 'code' holds an infinite value"):
        Table.from_frame(frame, target="y", categorical=["code"])


def test_a_single_name_is_no_sequence_of_names():
    with pytest.raises(ValueError, match="categorical must be a sequence of column names, got the text 'ab'"):
        Table.from_frame(pd.DataFrame({"a": [1], "b": [1], "y": "a"}), target="y", categorical="ab")


def test_a_target_may_have_any_name():
    table = Table.from_frame(pd.DataFrame({"a": [1, 2], "self": ["u", "v"]}), target="self")
    assert table.to_frame()["self"].tolist() == ["u", "v"]


def test_rows_with_more_fields_than_the_header_are_refused(tmp_path):
    """As R writes them, with row numbers and no name above these: pandas would move all columns by one."""
    file = tmp_path / "r.csv"
    file.write_text('"age","paid"\n"1",31,"no"\n"2",45,"yes"\n')
    with pytest.raises(
        ValueError, match="r.csv' have more fields than its header has names, 2; if they begin with row"
    ):
        Table.from_csv(file, target="paid")


@pytest.mark.parametrize("name", ["credit-g", "titanic", "diabetes", "glass"])
def test_an_embedded_table_survives_a_csv_file(name, tmp_path):
    table = load_table(name)
    file = tmp_path / f"{name}.csv"
    table.to_frame().to_csv(file, index=False)
    again = Table.from_csv(file, target=table.target, categorical=table.categorical)
    assert again.name == name
    pd.testing.assert_frame_equal(again.X, table.X)
    pd.testing.assert_series_equal(again.y, table.y)
    assert content_hash(again) == content_hash(table), "to the last bit"


def test_columns_are_converted_to_the_promised_types():
    frame = pd.DataFrame(
        {
            "flag": [True, False, True],
            "small": pd.array([1, 2, 3], dtype="int8"),
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "objects": pd.Series([1, 2, 3], dtype=object),
            "code": [1.0, 2.0, np.nan],
            7: ["a", None, "b"],
            "y": [1.0, 0.0, 1.0],
        }
    )
    table = Table.from_frame(frame, target="y", categorical=["code"])
    assert table.categorical == ["flag", "code", "7"]
    assert [str(table.X[column].dtype) for column in table.numerical] == ["int64", "float64", "int64"]
    assert table.X["code"].tolist()[:2] == ["1", "2"]
    assert table.y.tolist() == ["1", "0", "1"]


DAY = datetime.date(2020, 1, 1)


def arrow_column(values, kind=None):
    pyarrow = pytest.importorskip("pyarrow")
    return pd.Series(pd.arrays.ArrowExtensionArray(pyarrow.array(values, type=kind)))


@pytest.mark.parametrize(
    "make",
    [
        lambda: [DAY, DAY, None],
        lambda: ["text", DAY, "text"],
        lambda: [datetime.timedelta(1), None, None],
        lambda: pd.Series([datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), pd.Timestamp("2020")] * 2, dtype=object),
        lambda: pd.period_range("2020-01", periods=3, freq="M"),
        lambda: pd.Series(pd.period_range("2020-01", periods=3, freq="M"), dtype=object),
        lambda: pd.Series(pd.date_range("2020-01-01", periods=3)).astype("category"),
        lambda: pd.Series([DAY, DAY, None]).astype("category"),
        lambda: arrow_column([DAY, DAY, None], "date32"),
        lambda: arrow_column([DAY, DAY, None]).astype("timestamp[ns][pyarrow]"),
    ],
    ids=range(10),
)
@pytest.mark.parametrize("categorical", [None, ["when"]], ids=["", "named"])
def test_dates_of_every_type_are_refused(make, categorical):
    frame = pd.DataFrame({"when": make(), "x": 1}).assign(y="a")
    with pytest.raises(ValueError, match="column 'when' holds dates; turn them into numbers or texts first"):
        Table.from_frame(frame, target="y", categorical=categorical)


@pytest.mark.parametrize(
    ("make", "missing"),
    [(list, None), (list, pd.NA), (list, Decimal("NaN")), (arrow_column, None)],
)
def test_exact_decimals_are_numbers(make, missing):
    frame = pd.DataFrame({"price": make([Decimal("1.50"), Decimal("2.00"), missing]), "y": "a"})
    values = Table.from_frame(frame, target="y").X["price"]
    np.testing.assert_array_equal(values, [1.5, 2.0, np.nan])
    levels = Table.from_frame(frame, target="y", categorical=["price"]).X["price"]
    assert levels.tolist()[:2] == ["1.5", "2"] and pd.isna(levels[2])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Decimal(2**60 + 1), "'price' holds 1152921504606846977: whole"),
        (Decimal("-Infinity"), "holds an infinite value"),
    ],
)
def test_decimals_that_no_float_holds_are_refused(value, message):
    frame = pd.DataFrame({"price": [value, Decimal(1)], "y": "a"})
    with pytest.raises(ValueError, match=message):
        Table.from_frame(frame, target="y")


@pytest.mark.parametrize("dtype", ["float16", "float32", "Float32", "float[pyarrow]"])
def test_a_level_has_the_digits_of_its_own_type(dtype):
    if "pyarrow" in dtype:
        pytest.importorskip("pyarrow")
    column = pd.Series([0.1, 2, 0.3, np.nan]).astype(dtype)
    kinds = [column] if dtype == "float16" else [column, column.astype("category")]
    for kind in kinds:
        frame = pd.DataFrame({"code": kind, "y": "a"})
        levels = Table.from_frame(frame, target="y", categorical=["code"]).X["code"]
        assert levels.tolist()[:3] == ["0.1", "2", "0.3"] and pd.isna(levels[3])


FRAME = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": ["x", "y", "x"], "y": ["no", "yes", "no"]})


@pytest.mark.parametrize(
    ("frame", "options", "message"),
    [
        (FRAME, {"target": "z"}, "target='z' is not a column"),
        (FRAME.assign(y=["no", None, "no"]), {"target": "y"}, "target column 'y' has 1 missing values"),
        (FRAME.assign(a=[1.0, np.inf, 2.0]), {"target": "y"}, "column 'a' holds an infinite value in row 1"),
        (FRAME.assign(a=pd.to_datetime(["2020-01-01"] * 3)), {"target": "y"}, "column 'a' holds dates"),
        (FRAME.assign(a=[1j, 2j, 3j]), {"target": "y"}, "column 'a' holds complex numbers"),
        (FRAME.iloc[:0], {"target": "y"}, "the table has no rows"),
        (FRAME[["y"]], {"target": "y"}, "the table has no feature columns"),
        (FRAME.set_axis(["a", "a", "y"], axis=1), {"target": "y"}, "column name 'a' occurs more than once"),
        (FRAME.set_axis(["1", 1, "y"], axis=1), {"target": "y"}, "column name '1' occurs more than once"),
        (FRAME, {"target": "y", "categorical": ["c"]}, "categorical names 'c'"),
        (FRAME, {"target": "y", "categorical": ["y"]}, "categorical names 'y'"),
        (FRAME, {"target": "y", "categorical": pd.Index(["c"])}, "categorical names 'c'"),
        (FRAME.assign(a=pd.array([1, 2**60 + 1, None], "Int64")), {"target": "y"}, "'a' holds 1152921504606846977"),
    ],
)
def test_bad_input_is_named(frame, options, message):
    with pytest.raises(ValueError, match=message):
        Table.from_frame(frame, **options)


@pytest.mark.parametrize("named", [pd.Index(["a"]), np.array(["a"]), ("a",), {"a": None}])
def test_categories_are_named_by_any_sequence(named):
    assert Table.from_frame(FRAME, target="y", categorical=named).categorical == ["a", "b"]


@pytest.mark.parametrize("categorical", [["b", "a"], ["a", "a", "b"]])
def test_a_table_made_by_hand_names_its_categories_once_and_in_order(categorical):
    X = FRAME[["a", "b"]].astype(str).astype("category")
    with pytest.raises(ValueError, match=r"categorical must be in the order of X, \['a', 'b'\], got"):
        Table(name="by hand", X=X, y=FRAME["y"], categorical=categorical)


def test_a_target_of_categories_is_refused():
    """Its absent classes would be counted as classes of no row."""
    with pytest.raises(ValueError, match="target 'y' has dtype 'category'"):
        Table(name="by hand", X=FRAME[["a"]], y=FRAME["y"].astype("category"))


def test_a_constant_column_one_class_and_twelve_classes_are_allowed():
    """They are legal data; the stages that cannot use them say so themselves."""
    constant = Table.from_frame(FRAME.assign(a=1.0, y="no"), target="y")
    assert constant.classes == ["no"]
    many = pd.DataFrame({"a": range(12), "y": [f"class {i}" for i in range(12)]})
    assert len(Table.from_frame(many, target="y").classes) == 12


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,a,y\n1,2,3,no\n", "column name 'a' occurs more than once"),
        (",a,y\n0,1,no\n", "column 1 of .* has no name"),
        ("", "cannot be read as a CSV file"),
        ("a,y\n1,no\n1,2,3,4\n", "cannot be read as a CSV file"),
        ("a,y\n", "the table has no rows"),
        ("a;y\n1;no\n", "target='y' is not a column; the columns are .*a;y"),
        ("a,y\ninf,no\n", "column 'a' holds an infinite value"),
        ("a,y\n1,\n", "target column 'y' has 1 missing values"),
    ],
)
def test_a_bad_csv_file_is_refused_with_the_reason(text, message, tmp_path):
    file = tmp_path / "table.csv"
    file.write_text(text)
    with pytest.raises(ValueError, match=message):
        Table.from_csv(file, target="y")


def test_a_csv_file_with_another_separator_missing_values_and_blanks_in_names(tmp_path):
    file = tmp_path / "mine.csv.gz"
    pd.DataFrame({" a ": [1, None], "b": ["x", None], "y": [0, 1]}).to_csv(file, sep=";", index=False)
    table = Table.from_csv(file, target="y", separator=";")
    assert table.name == "mine"
    assert table.columns == ["a", "b", "y"]
    assert table.X.isna().sum().tolist() == [1, 1]


def damage_archives():
    """Files that are no archives of the kind that their names say, and archives with wrong or missing bytes."""
    text = ("a,y\n" + "".join(f"{place / 7},no\n" for place in range(500))).encode()
    archive = gzip.compress(text, mtime=0)
    for place in range(20, len(archive), len(archive) // 8):
        yield f"changed at {place}.csv.gz", archive[:place] + bytes([archive[place] ^ 0xFF]) + archive[place + 1 :]
    yield "cut.csv.gz", archive[: len(archive) // 2]
    yield from ((f"text.csv.{ending}", text) for ending in ("gz", "bz2", "xz", "zip", "tar"))
    yield "cut.csv.bz2", bz2.compress(text)[:-20]


@pytest.mark.parametrize(
    ("name", "content"), list(damage_archives()), ids=lambda value: value if type(value) is str else ""
)
def test_a_damaged_archive_is_refused_with_its_path(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match="cannot be read as a CSV file: ") as error:
        Table.from_csv(tmp_path / name, target="y")
    assert name in str(error.value)


def test_what_the_system_refuses_keeps_its_own_error(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    with pytest.raises(IsADirectoryError):
        Table.from_csv(tmp_path, target="y")
    monkeypatch.setattr(pd, "read_csv", refuse)
    with pytest.raises(PermissionError):
        Table.from_csv(tmp_path / "table.csv", target="y")


def test_an_absent_csv_file_is_reported_as_such(tmp_path):
    with pytest.raises(FileNotFoundError):
        Table.from_csv(tmp_path / "absent.csv", target="y")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.assign(a=[1.0, 2.0, 4.0]), r"column 'a' ranges over \[1.0, 4.0\]"),
        (lambda t: t.assign(a=[1.0, np.nan, 3.0]), "column 'a' has missing values"),
        (lambda t: t.assign(a=[1, 2, 3]), "column 'a' has dtype int64, expected float64"),
        (lambda t: t.assign(b=["x", "z", "x"]), "column 'b' has the level 'z'"),
        (lambda t: t.assign(y=["no", "maybe", "no"]), "target 'y' has the class 'maybe'"),
        (lambda t: t[["b", "a", "y"]], "columns are"),
    ],
)
def test_rows_that_could_not_have_come_from_a_table_are_told_apart(change, message):
    like = Table.from_frame(FRAME, target="y", name="like")
    with pytest.raises(ValueError, match=message):
        check_same_schema(Table.from_frame(change(FRAME), target="y"), like=like)


def test_concatenation_refuses_other_columns_and_joins_levels():
    one = Table.from_frame(FRAME, target="y")
    two = Table.from_frame(FRAME.assign(b=["z", "x", None]), target="y")
    both = one.concat(two)
    assert len(both) == 6
    assert both.X["b"].tolist()[:5] == ["x", "y", "x", "z", "x"]
    with pytest.raises(ValueError, match="differ in columns"):
        one.concat(Table.from_frame(FRAME.rename(columns={"a": "c"}), target="y"))
