"""Tables from OpenML: the cache, its hashes, and what happens without a network.

One fixture lays files as OpenML serves them into openml's own cache, so that the real package
reads them; another cuts the network, so that the failure is the real one everywhere.
"""

import json
import socket

import numpy as np
import pandas as pd
import pytest

from causalmix_utils.tables import (
    Table,
    content_hash,
    list_tables,
    load_openml_table,
    openml_split,
    tabarena_tasks,
)

TASK, DATASET = 123456, 9876
ROWS = [("31", "cook", "no"), ("45.5", "smith", "yes"), ("?", "cook", "no"), ("28", "?", "yes")]

TASK_XML = f"""<oml:task xmlns:oml="http://openml.org/openml">
<oml:task_id>{TASK}</oml:task_id><oml:task_type_id>1</oml:task_type_id>
<oml:task_type>Supervised Classification</oml:task_type>
<oml:input name="source_data"><oml:data_set><oml:data_set_id>{DATASET}</oml:data_set_id>
<oml:target_feature>pays</oml:target_feature></oml:data_set></oml:input>
<oml:input name="estimation_procedure"><oml:estimation_procedure><oml:id>1</oml:id><oml:type>crossvalidation</oml:type>
<oml:data_splits_url>https://www.openml.org/splits</oml:data_splits_url>
<oml:parameter name="number_repeats">1</oml:parameter><oml:parameter name="number_folds">2</oml:parameter>
</oml:estimation_procedure></oml:input>
<oml:input name="evaluation_measures"><oml:evaluation_measures><oml:evaluation_measure></oml:evaluation_measure>
</oml:evaluation_measures></oml:input>
</oml:task>"""

DATASET_XML = f"""<oml:data_set_description xmlns:oml="http://openml.org/openml">
<oml:id>{DATASET}</oml:id><oml:name>loans</oml:name><oml:version>3</oml:version><oml:description>d</oml:description>
<oml:format>ARFF</oml:format><oml:licence>CC0</oml:licence><oml:url>https://www.openml.org/d</oml:url>
<oml:file_id>1</oml:file_id><oml:default_target_attribute>pays</oml:default_target_attribute>
</oml:data_set_description>"""


def _feature(place: int, name: str, levels: list[str]) -> str:
    kind = "nominal" if levels else "numeric"
    values = "".join(f"<oml:nominal_value>{level}</oml:nominal_value>" for level in levels)
    return (
        f"<oml:feature><oml:index>{place}</oml:index><oml:name>{name}</oml:name>"
        f"<oml:data_type>{kind}</oml:data_type>{values}</oml:feature>"
    )


FEATURES_XML = (
    '<oml:data_features xmlns:oml="http://openml.org/openml">'
    + _feature(0, "age", [])
    + _feature(1, "job", ["cook", "smith"])
    + _feature(2, "pays", ["no", "yes"])
    + "</oml:data_features>"
)
ARFF = (
    "@relation loans\n@attribute age numeric\n@attribute job {cook,smith}\n@attribute pays {no,yes}\n@data\n"
    + "\n".join(",".join(row) for row in ROWS)
)
SPLITS = (
    "@relation splits\n@attribute type {TRAIN,TEST}\n@attribute rowid numeric\n@attribute repeat numeric\n"
    "@attribute fold numeric\n@data\n"
    + "\n".join(f"{'TEST' if row % 2 == fold else 'TRAIN'},{row},0,{fold}" for fold in range(2) for row in range(4))
)


@pytest.fixture
def no_network(monkeypatch):
    """Every name resolution fails, as it does on a machine without a network."""

    def fail(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)


@pytest.fixture
def cache_dir(tmp_path, no_network):
    """A cache folder in which openml finds one task, as if it had fetched it."""
    pytest.importorskip("openml")
    served = tmp_path / "openml" / "org" / "openml" / "www"
    for kind, number, files in [
        ("tasks", TASK, {"task.xml": TASK_XML, "datasplits.arff": SPLITS}),
        ("datasets", DATASET, {"description.xml": DATASET_XML, "features.xml": FEATURES_XML, "dataset.arff": ARFF}),
    ]:
        folder = served / kind / str(number)
        folder.mkdir(parents=True)
        for name, text in files.items():
            (folder / name).write_text(text)
    return tmp_path


def test_an_openml_task_becomes_a_table_with_its_types(cache_dir):
    table = load_openml_table(TASK, cache_dir=cache_dir)
    assert table.name == "loans"
    assert table.categorical == ["job"]
    assert table.target == "pays"
    assert table.y.tolist() == ["no", "yes", "no", "yes"]
    np.testing.assert_array_equal(table.X["age"], [31, 45.5, np.nan, 28])
    assert table.X["job"].isna().tolist() == [False, False, False, True]
    assert "version 3" in table.source
    assert table.licence == "CC0"


def test_the_second_load_needs_neither_the_network_nor_openmls_files(cache_dir):
    first = load_openml_table(TASK, cache_dir=cache_dir)
    openml_split(TASK, cache_dir=cache_dir)
    (cache_dir / "openml").rename(cache_dir / "gone")
    second = load_openml_table(TASK, cache_dir=cache_dir)
    pd.testing.assert_frame_equal(first.to_frame(), second.to_frame())
    assert first.categorical == second.categorical
    assert len(openml_split(TASK, cache_dir=cache_dir)[0]) == 2


def test_official_splits_are_the_rows_that_openml_names(cache_dir):
    table = load_openml_table(TASK, cache_dir=cache_dir)
    train, test = openml_split(TASK, fold=1, cache_dir=cache_dir)
    pd.testing.assert_frame_equal(train.to_frame(), table.take([0, 2]).to_frame())
    pd.testing.assert_frame_equal(test.to_frame(), table.take([1, 3]).to_frame())
    with pytest.raises(ValueError, match="2 folds and 1 repeats, got fold=2, repeat=0"):
        openml_split(TASK, fold=2, cache_dir=cache_dir)


def test_a_changed_cached_table_is_refused(cache_dir):
    load_openml_table(TASK, cache_dir=cache_dir)
    file = cache_dir / f"openml-task-{TASK}.parquet"
    frame = pd.read_parquet(file)
    frame.loc[0, "age"] = 32.0
    frame.to_parquet(file)
    with pytest.raises(ValueError, match="content hash"):
        load_openml_table(TASK, cache_dir=cache_dir)


def test_changed_cached_splits_are_refused(cache_dir):
    openml_split(TASK, cache_dir=cache_dir)
    file = cache_dir / f"openml-task-{TASK}-splits.json"
    stored = json.loads(file.read_text())
    file.write_text(json.dumps(stored | {"splits": stored["splits"].replace("[1, 3]", "[1, 2]")}))
    with pytest.raises(ValueError, match="splits"):
        openml_split(TASK, cache_dir=cache_dir)


def test_an_expected_hash_is_compared(cache_dir):
    table = load_openml_table(TASK, cache_dir=cache_dir)
    load_openml_table(TASK, cache_dir=cache_dir, expected_hash=content_hash(table))
    with pytest.raises(ValueError, match="expected 0000"):
        load_openml_table(TASK, cache_dir=cache_dir, expected_hash="0000")


def test_without_a_network_one_error_says_what_to_do(tmp_path, no_network):
    pytest.importorskip("openml")
    with pytest.raises(ConnectionError, match="connect to the internet .* or use an embedded table") as caught:
        load_openml_table("blood-transfusion", cache_dir=tmp_path)
    assert caught.value.__suppress_context__, "the reader should see one error, not the library's chain of errors"


def test_openmls_global_settings_are_put_back(cache_dir, tmp_path):
    import openml

    before = openml.config._root_cache_directory, openml.config.connection_n_retries
    load_openml_table(TASK, cache_dir=cache_dir)
    with pytest.raises(ConnectionError):
        load_openml_table("heloc", cache_dir=tmp_path / "empty")
    assert (openml.config._root_cache_directory, openml.config.connection_n_retries) == before


def test_an_unknown_name_lists_close_ones():
    with pytest.raises(ValueError, match="did you mean 'qsar-biodeg'"):
        load_openml_table("qsar_biodeg")
    with pytest.raises(ValueError, match="positive number, got 0"):
        load_openml_table(0)


def test_tabarena_tasks_agree_with_the_embedded_tables():
    tasks = tabarena_tasks().set_index("name")
    assert tasks["openml_task"].is_unique
    embedded = list_tables().set_index("name").query("tabarena != ''")
    for name, entry in embedded.iterrows():
        assert tasks.loc[entry["tabarena"], "openml_task"] == int(entry["openml_task"])
        assert tasks.loc[entry["tabarena"], "embedded"] == name
    assert (tasks["embedded"] != "").sum() == len(embedded)


def test_the_content_hash_sees_values_names_and_kinds_but_not_the_tables_name():
    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "y"], "y": ["no", "yes", "no"]})
    table = Table.from_frame(frame, target="y")
    assert content_hash(table) == content_hash(Table.from_frame(frame, target="y", name="other", licence="CC0"))
    changed = [
        frame.assign(a=[1, 2, 4]),
        frame.assign(a=[1.0, 2.5, 3.0]),
        frame.assign(b=["x", "y", None]),
        frame.assign(y=["no", "yes", "yes"]),
        frame.rename(columns={"a": "c"}),
        frame[["b", "a", "y"]],
        frame.iloc[::-1],
    ]
    hashes = {content_hash(Table.from_frame(other, target="y")) for other in changed}
    hashes.add(content_hash(Table.from_frame(frame, target="y", categorical=["a"])))
    assert len(hashes) == len(changed) + 1
    assert content_hash(table) not in hashes


def test_the_content_hash_is_stable_over_versions():
    """Stored hashes name the data that results rest on, so the recipe must never change."""
    frame = pd.DataFrame({"a": [0.5, np.nan, -0.0], "b": ["x", None, "é"], "y": ["no", "yes", "no"]})
    expected = "da85405cf4f833406fd9aa934bc9ecf834bd883c3e45a1340e59314f2b019c85"
    assert content_hash(Table.from_frame(frame, target="y")) == expected
