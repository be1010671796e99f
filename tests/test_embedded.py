"""The embedded tables: what the manifest promises holds, and nothing is loaded that it does not describe."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from causalmix_utils.tables import duplicate_groups, embedded, list_tables, load_table

ROOT = Path(__file__).parents[1]
TABLES = list_tables()


@pytest.mark.parametrize("name", TABLES["name"])
def test_a_table_is_what_the_manifest_says(name):
    entry = TABLES.set_index("name").loc[name]
    table = load_table(name)
    assert table.name == name
    assert len(table) == entry["rows"]
    assert table.X.shape[1] == entry["features"]
    assert len(table.categorical) == entry["categorical"]
    assert len(table.classes) == entry["classes"]
    assert table.target == entry["target"]
    assert table.X.isna().to_numpy().mean() == pytest.approx(entry["missing"], abs=1e-4)
    assert table.to_frame().duplicated().mean() == pytest.approx(entry["duplicates"], abs=1e-4)
    assert table.licence == entry["licence"]
    assert entry["source"] in table.source
    assert entry["origin"] in table.source


@pytest.mark.parametrize("name", TABLES["name"])
def test_a_table_is_fit_for_a_benchmark(name):
    table = load_table(name)
    assert 2 <= len(table.classes) <= 10
    assert table.y.value_counts().min() >= 10
    assert len(np.unique(duplicate_groups(table.X))) >= 100
    for column in table.X.columns:
        values = table.X[column]
        assert values.nunique() >= 2, f"{column} is constant"
        assert values.isna().mean() < 0.7, column
        if column in table.categorical:
            levels = values.dropna().astype(str)
            assert (levels == levels.str.strip()).all(), column
    # A column that numbers the rows, or that is the answer, would make every result worthless.
    for column in table.X.columns:
        values = table.X[column].astype(str)
        assert not (values.is_unique and table.X[column].is_monotonic_increasing), f"{column} numbers the rows"
        repeated = values.duplicated(keep=False)
        if repeated.mean() > 0.5:
            assert table.y[repeated].groupby(values[repeated]).nunique().max() > 1, f"{column} gives the class away"


def test_the_suite_is_large_and_mixed_enough():
    reported = TABLES[TABLES["role"] == "reported"]
    development = TABLES[TABLES["role"] == "development"]
    headroom = TABLES[["lr_auc", "rf_auc"]].max(axis=1) < 0.97
    assert len(reported) >= 33
    assert (headroom & (TABLES["role"] == "development")).sum() >= 6
    assert (reported["classes"] > 2).sum() >= 8
    assert (reported["classes"] >= 5).sum() >= 4
    assert (reported["missing"] > 0).sum() >= 6
    assert ((reported["categorical"] > 0) & (reported["categorical"] < reported["features"])).sum() >= 15
    assert (reported["tabarena"] != "").sum() >= 5
    assert reported["rows"].min() >= 200
    # Some of the tables for tuning must need more than a linear model.
    assert (development["rf_auc"] > development["lr_auc"] + 0.05).sum() >= 3


def test_no_source_is_used_twice():
    assert TABLES["name"].is_unique
    assert not TABLES.duplicated(["origin", "path"]).any()


def test_the_manifest_states_source_licence_and_origin_of_every_table():
    for column in ("source", "licence", "origin", "path", "target"):
        assert (TABLES[column].str.len() > 0).all(), column
    assert (TABLES[["lr_auc", "rf_auc"]] > 0.5).all(axis=None)
    assert ((TABLES["tabarena"] != "") == (TABLES["openml_task"] != "")).all()


def test_files_and_manifest_name_the_same_tables_and_are_small():
    files = sorted((ROOT / "causalmix_utils" / "data").glob("*.csv.gz"))
    assert [file.name.removesuffix(".csv.gz") for file in files] == sorted(TABLES["name"])
    assert sum(file.stat().st_size for file in files) < 3e6


def test_roles_select_and_a_wrong_one_is_named():
    parts = [list_tables("reported"), list_tables("development")]
    assert sorted(pd.concat(parts)["name"]) == sorted(TABLES["name"])
    with pytest.raises(ValueError, match="role must be one of .* got 'test'"):
        list_tables("test")


def test_an_unknown_table_lists_close_names():
    with pytest.raises(ValueError, match="no embedded table 'credit_g'; did you mean 'credit-g'"):
        load_table("credit_g")
    with pytest.raises(ValueError, match="the tables are abalone, .*wine"):
        load_table("qqqq")


def test_a_changed_file_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "data"
    shutil.copytree(ROOT / "causalmix_utils" / "data", folder)
    (folder / "wine.csv.gz").write_bytes((folder / "iris.csv.gz").read_bytes())
    monkeypatch.setattr(embedded, "_data_folder", lambda: folder)
    load_table("iris")
    with pytest.raises(ValueError, match="'wine' has sha256 .* but the manifest says"):
        load_table("wine")


def test_changing_a_loaded_table_changes_no_other():
    first = load_table("titanic")
    first.X.loc[0, "age"] = -1.0
    first.y.iloc[0] = "changed"
    first.categorical.append("age")
    second = load_table("titanic")
    assert second.X.loc[0, "age"] != -1.0
    assert second.y.iloc[0] != "changed"
    assert "age" not in second.categorical


def test_no_data_is_read_when_the_package_is_imported():
    code = """
import builtins, io, sys
real = io.open
def watched(file, *args, **kwargs):
    assert "manifest.csv" not in str(file) and ".csv.gz" not in str(file), file
    return real(file, *args, **kwargs)
builtins.open = io.open = watched
import causalmix_utils.tables
assert "openml" not in sys.modules and "sklearn" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_books_page_of_tables_agrees_with_the_manifest():
    specification = importlib.util.spec_from_file_location("write_tables_page", ROOT / "tools" / "write_tables_page.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    page = (ROOT / "book" / "tables.md").read_text(encoding="utf-8")
    assert page == module.render_page(), "run python tools/write_tables_page.py"
    for _, entry in TABLES.iterrows():
        assert page.count(f"| `{entry['name']}` | {entry['rows']:,} |") == 1
        assert entry["source"].rstrip(".") in page
