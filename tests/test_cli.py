"""The command line: what it writes, what it says, and that a user's mistake is one clear line."""

import re
import shutil
import sqlite3
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from causalmix_utils.benchmark import PROFILES, RunStore, get_profile
from causalmix_utils.cli import build_parser, main
from causalmix_utils.finetuning import CausalMixFTClassifier
from causalmix_utils.metrics import roc_auc
from causalmix_utils.tables import Table, check_same_schema, content_hash, load_table, scarce_split

FAST = ["--steps", "2", "--estimators", "1"]


def run(capsys, *arguments):
    """Exit status, stdout and stderr of one command."""
    try:
        status = main([str(argument) for argument in arguments])
    except SystemExit as end:  # argparse ends the process itself
        status = end.code
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def read_like(path, table):
    return Table.from_frame(
        pd.read_csv(path, keep_default_na=False, na_values=[""]), target=table.target, categorical=table.categorical
    )


def make_frame(n=120, *, classes=2, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 80, size=n),
            "income": rng.normal(30, 8, size=n).round(2),
            "job": rng.choice(["cook", "smith", "clerk"], size=n),
        }
    )
    score = frame["age"] / 80 + (frame["job"] == "cook") + rng.normal(0, 0.3, size=n)
    return frame.assign(paid=pd.qcut(score, classes, labels=[f"c{label}" for label in range(classes)]).astype(str))


BAD_FRAMES = {
    "constant column": make_frame().assign(same=1),
    "one class": make_frame().assign(paid="yes"),
    "missing values": make_frame().assign(income=lambda frame: frame["income"].where(frame.index % 5 > 0)),
    "a column without values": make_frame().assign(empty=np.nan),
    "twelve classes": make_frame(classes=12),
    "an equal column": make_frame().assign(again=lambda frame: frame["age"]),
    "ten rows": make_frame(10),
    "missing target": make_frame().assign(paid=lambda frame: frame["paid"].where(frame.index > 0)),
    "infinity": make_frame().assign(income=lambda frame: frame["income"].where(frame.index > 0, np.inf)),
    "a level for each row": make_frame().assign(name=lambda frame: "p" + frame.index.astype(str)),
}
REFUSED_BY_ALL = {
    "missing target": "'paid' has 1 missing",
    "infinity": "'income' holds an infinite value",
}
REFUSED_BY_FINETUNE = REFUSED_BY_ALL | {
    "one class": "only one class \\('yes'",
    "twelve classes": "12 different values, but at most 10 classes",
}


# General behaviour


def test_help_answers_without_loading_anything_heavy():
    code = (
        "import sys; from causalmix_utils.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'tabpfn', 'dowhy', 'causallearn', 'sklearn', 'scipy', 'pandas', 'matplotlib'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_the_module_and_the_script_are_the_same_command():
    printed = subprocess.run(
        [sys.executable, "-m", "causalmix_utils", "--version"], check=True, capture_output=True, text=True
    ).stdout
    assert re.fullmatch(r"causalmix \d+\.\d+\.\d+\n", printed)


def test_every_command_has_a_help_page(capsys):
    for command in ("tables", "augment", "finetune", "benchmark", "rerun", "pretrain", "report", "doctor"):
        status, out, _ = run(capsys, command, "--help")
        assert status == 0
        assert command in out


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (["finetune", "credot-g"], "'credot-g'"),
        (["finetune", "absent.csv", "--target", "y"], "absent.csv does not exist"),
        (["finetune", "wine", "--target", "y"], "--target is for CSV files"),
        (["finetune", "wine", "--generator", "magic"], "'magic'"),
        (["finetune", "wine", "--weights", "absent.ckpt"], "absent.ckpt"),
        (["finetune", "wine", "--seed", "-1"], "--seed must not be negative, got -1"),
        (["augment", "wine", "--generator", "smote", "--rows", "0", "--out", "never.csv"], "got 0"),
        (["augment", "wine", "--rows", "5", "--out", "absent/rows.csv"], "absent' does not exist"),
        (["benchmark", "--profile", "huge"], "'huge'"),
        (["benchmark", "--scheduler", "tcp://127.0.0.1:1"], "--backend dask"),
        (["benchmark", "--splits", "0"], "splits must be an integer of at least 1 or None, got 0"),
        (["benchmark", "--status", "--store", "absent.sqlite"], "absent.sqlite does not exist"),
        (["rerun", "3f9c", "--store", "absent.sqlite"], "absent.sqlite does not exist"),
        (["report", "--store", "absent.sqlite"], "absent.sqlite does not exist"),
        (["report", "--results", "absent"], "--results=absent does not exist"),
        (["report"], "--results=book/results does not exist"),
        (["report", "--results", "."], "'.' holds none of the benchmarks ['paper', 'chapter']"),
        (["report", "--store", "absent.sqlite", "--name", "x"], "--name=x belongs to --results"),
        (["rerun", "3f9c"], "--results=book/results does not exist"),
        (["benchmark", "--store", "."], "path must be a store of runs, but . can't be read as one"),
        (["pretrain", "--steps", "0", "--out", "never"], "steps must be an integer of at least 1, got 0"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_culprit(capsys, tmp_path, monkeypatch, arguments, culprit):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, *arguments)
    assert status == 2
    assert err.startswith("causalmix: error: ")
    assert culprit in err
    assert err.count("\n") == 1
    assert "AUC" not in out
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_option_is_refused_by_the_parser(capsys):
    status, _, err = run(capsys, "augment", "wine", "--row", "x")
    assert status == 2
    assert "error" in err


def test_tracebacks_can_be_asked_for(monkeypatch):
    monkeypatch.setenv("CAUSALMIX_TRACEBACK", "1")
    with pytest.raises(ValueError, match="credot-g"):
        main(["finetune", "credot-g"])


# tables


def test_tables_lists_every_table_of_a_role(capsys):
    status, out, err = run(capsys, "tables", "--role", "development")
    assert (status, err) == (0, "")
    assert "wine" in out
    assert "credit-g" not in out


def test_a_reader_that_stops_early_is_no_error():
    with subprocess.Popen(
        [sys.executable, "-m", "causalmix_utils", "tables"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


# augment


@pytest.mark.parametrize("generator", ["causal", "smote"])
def test_augment_writes_rows_that_the_tables_own_check_accepts(capsys, tmp_path, generator):
    path = tmp_path / "rows.csv"
    status, out, err = run(capsys, "augment", "titanic", "--generator", generator, "--rows", 50, "--out", path)
    assert (status, err) == (0, "")
    assert f"50 rows like 'titanic' by '{generator}'" in out
    rows = read_like(path, load_table("titanic"))
    assert len(rows) == 50
    check_same_schema(rows, load_table("titanic"))
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_seed_writes_the_same_file_and_another_seed_another(capsys, tmp_path):
    for name, seed in [("a", 1), ("b", 1), ("c", 2)]:
        run(capsys, "augment", "wine", "--generator", "smote", "--rows", 30, "--seed", seed, "--out", tmp_path / name)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".GZ"])
def test_augment_compresses_a_file_whose_name_says_so(capsys, tmp_path, ending):
    plain, path = tmp_path / "rows.csv", tmp_path / f"rows.csv{ending}"
    for out in (plain, path):
        assert run(capsys, "augment", "wine", "--generator", "smote", "--rows", 30, "--out", out)[0] == 0
    assert path.stat().st_size < plain.stat().st_size
    read, expected = (Table.from_csv(out, target=load_table("wine").target) for out in (path, plain))
    assert len(read) == 30 and content_hash(read) == content_hash(expected)
    content = path.read_bytes()
    run(capsys, "augment", "wine", "--generator", "smote", "--rows", 30, "--out", path)
    assert path.read_bytes() == content, "the same rows are the same file"


@pytest.mark.parametrize("name", ["rows.zip", "rows.csv.zst", "rows.tar.gz"])
def test_augment_refuses_a_name_of_a_file_that_it_can_not_write(capsys, tmp_path, name):
    status, _, err = run(capsys, "augment", "wine", "--generator", "smote", "--rows", 5, "--out", tmp_path / name)
    assert status == 2 and "end it with .csv, .gz, .bz2 or .xz" in err
    assert list(tmp_path.iterdir()) == []


def test_a_failed_augment_leaves_the_old_file_as_it_was(capsys, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("precious")
    status, _, _ = run(capsys, "augment", "wine", "--generator", "smote", "--rows", -1, "--out", path)
    assert status == 2
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


def test_augment_takes_a_csv_file_and_its_named_categories(capsys, tmp_path):
    source, out = tmp_path / "people.csv", tmp_path / "rows.csv"
    frame = make_frame().assign(region=lambda frame: frame.index % 3)
    frame.to_csv(source, index=False)
    arguments = ["--target", "paid", "--categorical", "region, job", "--generator", "smote", "--rows", 20, "--out", out]
    assert run(capsys, "augment", source, *arguments)[0] == 0
    table = Table.from_frame(frame, target="paid", categorical=["region"])
    check_same_schema(read_like(out, table), table)


@pytest.mark.parametrize("generator", ["causal", "smote"])
@pytest.mark.parametrize("case", BAD_FRAMES)
def test_augment_copes_with_a_difficult_csv_or_names_the_culprit(capsys, tmp_path, case, generator):
    source, out = tmp_path / "data.csv", tmp_path / "rows.csv"
    BAD_FRAMES[case].to_csv(source, index=False)
    status, _, err = run(
        capsys, "augment", source, "--target", "paid", "--generator", generator, "--rows", 15, "--out", out
    )
    if case in REFUSED_BY_ALL:
        assert status == 2
        assert re.search(REFUSED_BY_ALL[case], err)
        assert not out.exists()
    elif status == 0:
        table = Table.from_frame(BAD_FRAMES[case], target="paid")
        check_same_schema(read_like(out, table), table)
    else:
        assert status == 2
        assert re.fullmatch(r"causalmix: error: .+\n", err)
        assert case == "one class"


def test_two_columns_of_one_name_are_refused_by_name(capsys, tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("a,b,a,y\n1,2,3,n\n4,5,6,y\n")
    status, _, err = run(capsys, "augment", path, "--target", "y", "--rows", 5, "--out", tmp_path / "rows.csv")
    assert status == 2
    assert "'a' occurs more than once" in err


def test_a_csv_file_needs_a_target_and_says_which_there_are(capsys, tmp_path):
    path = tmp_path / "data.csv"
    make_frame().to_csv(path, index=False)
    status, _, err = run(capsys, "finetune", path)
    assert status == 2
    assert "--target is missing" in err
    assert "'income'" in err
    assert "'nothing' is not a column" in run(capsys, "finetune", path, "--target", "nothing")[2]


@pytest.mark.parametrize("content", ["", "a,b\n", '"a\nb', "a,b\n1,2\n3,4,5\n"])
def test_a_file_that_is_no_table_is_one_line_on_stderr(capsys, tmp_path, content):
    path = tmp_path / "data.csv"
    path.write_text(content)
    status, _, err = run(capsys, "finetune", path, "--target", "a")
    assert status == 2
    assert re.fullmatch(r"causalmix: error: .+\n", err)


# finetune


def test_finetune_quietly_prints_three_models_and_zero_shot_is_what_the_package_says(capsys):
    status, out, err = run(capsys, "finetune", "wine", "--generator", "smote", "--rows", 60, "--seed", 3, *FAST)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "wine: 40 train, 20 validation and 118 test rows, 13 features, 3 classes"
    names = [re.match(r"\D+(?= )", line).group().strip() for line in lines[2:]]
    assert names == ["zero-shot", "default fine-tuning", "CausalMixFT (smote)"]
    train, validation, test = scarce_split(load_table("wine"), n=60, split=0)
    rows = train.concat(validation)
    zero_shot = CausalMixFTClassifier(generator=None, max_steps=0, n_estimators=1, random_state=3).fit(rows.X, rows.y)
    expected = roc_auc(test.y, zero_shot.predict_proba(test.X), zero_shot.classes_)
    assert f"{expected:.4f}" in lines[2]


@pytest.mark.parametrize("case", BAD_FRAMES)
def test_finetune_copes_with_a_difficult_csv_or_names_the_culprit(capsys, tmp_path, case):
    path = tmp_path / "data.csv"
    BAD_FRAMES[case].to_csv(path, index=False)
    status, out, err = run(capsys, "finetune", path, "--target", "paid", "--generator", "smote", "--rows", 60, *FAST)
    if case in REFUSED_BY_FINETUNE:
        assert status == 2
        assert re.search(REFUSED_BY_FINETUNE[case], err)
        assert err.splitlines()[-1].startswith("causalmix: error: ")
    else:
        assert status == 0, err
        assert "CausalMixFT (smote)" in out


# benchmark and report


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("cli") / "runs.sqlite"
    arms = "zero_shot,default,independent"
    assert main(["benchmark", "--tables", "wine", "--arms", arms, "--store", str(path), "--n-jobs", "1"]) == 0
    return path


def test_an_interrupted_comparison_ends_and_saves_nothing(capsys, tmp_path, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("causalmix_utils.tabpfn_bridge.TrainableEnsemble.loss", interrupt)
    arguments = ["wine", "--generator", "smote", "--rows", 60, "--steps", 4, "--estimators", 1]
    status, out, err = run(capsys, "finetune", *arguments, "--save", tmp_path / "model.safetensors")
    assert (status, err) == (130, "causalmix: interrupted\n")
    assert "test AUC" not in out
    assert list(tmp_path.iterdir()) == []


def test_benchmark_resumes_reports_and_exports(capsys, tmp_path, store):
    arguments = ["--tables", "wine", "--arms", "default,zero_shot,independent", "--store", store, "--export", tmp_path]
    status, out, err = run(capsys, "benchmark", *arguments)
    assert (status, err) == (0, "")
    assert "3 runs of profile 'smoke' are finished" in out
    assert {path.name for path in tmp_path.iterdir()} == {"smoke.parquet", "smoke-trajectories.parquet", "smoke.json"}
    exported = run(capsys, "report", "--results", tmp_path, "--name", "smoke")
    assert exported == run(capsys, "report", "--store", store)
    assert exported[0] == 0
    for arm in ("default", "independent", "zero_shot"):
        assert re.search(rf"^{arm} +-?\d\.\d{{4}}", exported[1], flags=re.MULTILINE)


@pytest.fixture
def broken_smote(monkeypatch):
    """In the profile ``smoke``, every run of the arm ``smote`` fails."""
    smoke = get_profile("smoke")
    smoke.generator_options["smote"] = {"k_neighbors": -3}
    monkeypatch.setitem(PROFILES, "smoke", smoke)


def test_benchmark_with_failed_runs_says_so_and_exits_with_1(capsys, tmp_path, broken_smote):
    status, out, err = run(
        capsys, "benchmark", "--tables", "wine", "--arms", "smote", "--store", tmp_path / "r", "--n-jobs", 1
    )
    assert status == 1
    assert "0 runs of profile 'smoke' are finished" in out
    assert "1 runs failed" in err
    assert "k_neighbors" in err


def test_benchmark_exports_a_grid_with_gaps_only_on_request(capsys, tmp_path, store, broken_smote):
    copy = shutil.copy(store, tmp_path / "runs.sqlite")
    arguments = ["--tables", "wine", "--arms", "default,smote", "--store", copy, "--export", tmp_path / "out"]
    refused = run(capsys, "benchmark", *arguments)
    assert refused[0] == 2
    assert "1 runs failed" in refused[2]
    assert "1 of 2 runs are missing" in refused[2] and "arm smote" in refused[2]
    assert not (tmp_path / "out").exists()
    allowed = run(capsys, "benchmark", *arguments, "--allow-gaps")
    assert allowed[0] == 1
    assert (tmp_path / "out" / "smoke.parquet").is_file()


@pytest.mark.parametrize("command", [["report"], ["rerun", "3f9c"], ["benchmark", "--status"]])
@pytest.mark.parametrize("content", ["foreign", "empty"])
def test_commands_that_read_leave_a_foreign_file_as_it_is(capsys, tmp_path, command, content):
    path = tmp_path / "foreign.sqlite"
    path.touch()
    if content == "foreign":
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE notes (text TEXT)")
        connection.close()
    before = path.read_bytes()
    status, _, err = run(capsys, *command, "--store", path)
    assert status == 2 and "foreign.sqlite can't be read as one: no such table" in err
    assert path.read_bytes() == before


def test_the_state_of_a_grid_is_told_before_anything_is_known_of_its_cost(capsys, tmp_path):
    with RunStore(tmp_path / "runs.sqlite"):
        pass
    status, out, _ = run(capsys, "benchmark", "--tables", "wine", "--status", "--store", tmp_path / "runs.sqlite")
    assert status == 0 and "how long they take is not known yet" in out
    assert "nan" not in out.lower()


def test_store_of_the_benchmark_is_a_store_of_the_package(store):
    with RunStore(store) as opened:
        assert sorted(opened.results()["arm"]) == ["default", "independent", "zero_shot"]


# pretrain


def test_pretrain_stops_after_its_time_and_continues(capsys, tmp_path):
    arguments = ["pretrain", "--out", tmp_path / "run", "--steps", "100000", "--minutes", "0.001", "--device", "cpu"]
    status, out, _ = run(capsys, *arguments)
    assert status == 0
    assert "state.safetensors" in out
    first = pd.read_parquet(tmp_path / "run" / "log.parquet")
    assert run(capsys, *arguments)[0] == 0
    assert len(pd.read_parquet(tmp_path / "run" / "log.parquet")) > len(first)


def test_parser_names_commands_that_exist():
    for command in (
        "tables",
        "augment wine --rows 1 --out x",
        "finetune wine",
        "benchmark",
        "rerun 3f",
        "pretrain",
        "report",
    ):
        assert callable(build_parser().parse_args(command.split()).command)
