"""The stored benchmark: which one is read, and what a partial grid may be used for."""

import functools
import hashlib
import http.server
import json
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from causalmix_utils.benchmark import COUNTED_ARMS, find_run, get_profile, read_benchmark, read_results
from causalmix_utils.benchmark.export import write_whole

RESULTS = Path(__file__).resolve().parents[1] / "book" / "results"


@pytest.fixture
def folder(tmp_path):
    """A folder with a complete small benchmark and a full one of which some runs are missing."""
    _copy_as("chapter", tmp_path)
    _copy_as("paper", tmp_path, leave_out=2)
    return tmp_path


def _copy_as(name, folder, *, leave_out=0):
    """The stored small benchmark under another name, without the last runs: first one failed, then not made yet."""
    results = pd.read_parquet(RESULTS / "chapter.parquet")
    paths = pd.read_parquet(RESULTS / "chapter-trajectories.parquet")
    provenance = json.loads((RESULTS / "chapter.json").read_text(encoding="utf-8"))
    order = results.sort_values(["split", "table", "arm"])
    left_out = order.tail(leave_out)
    provenance["missing"] = [
        {**row, "failed": place == 0}
        for place, row in enumerate(left_out[["id", "table", "regime", "split", "arm", "seed"]].to_dict("records"))
    ]
    kept = results[~results["id"].isin(left_out["id"])]
    provenance["runs"] = len(kept)
    write_whole(folder / f"{name}.parquet", kept)
    write_whole(folder / f"{name}-trajectories.parquet", paths[paths["id"].isin(kept["id"])])
    _write_provenance(folder, name, provenance)


def _rewrite(folder, results):
    """The full benchmark with other runs, counted anew."""
    provenance = json.loads((folder / "paper.json").read_text(encoding="utf-8"))
    write_whole(folder / "paper.parquet", results)
    _write_provenance(folder, "paper", provenance | {"runs": len(results)})


def _forget_trajectories(folder, name):
    provenance = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    del provenance["file_sha256"][f"{name}-trajectories.parquet"]
    write_whole(folder / f"{name}.json", provenance)
    (folder / f"{name}-trajectories.parquet").unlink()


def _write_provenance(folder, name, provenance):
    hashes = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in (folder / f"{name}.parquet", folder / f"{name}-trajectories.parquet")
    }
    write_whole(folder / f"{name}.json", provenance | {"file_sha256": hashes})


def test_the_full_benchmark_is_preferred_where_it_is_stored(folder):
    assert read_benchmark(folder).name == "paper"
    assert read_benchmark(folder, prefer=["chapter", "paper"]).name == "chapter"
    (folder / "paper.parquet").unlink()
    assert read_benchmark(folder).name == "chapter"


@pytest.mark.parametrize("ending", ["parquet", "json"])
def test_a_damaged_benchmark_is_not_passed_over(folder, ending):
    (folder / f"paper.{ending}").write_text("{broken")
    with pytest.raises(ValueError, match="the results named 'paper' in .* are damaged"):
        read_benchmark(folder)


@pytest.mark.parametrize("file", ["paper.json", "paper-trajectories.parquet"])
def test_a_benchmark_that_has_lost_a_file_is_damaged(folder, file):
    (folder / file).unlink()
    with pytest.raises(ValueError, match=f"the results named 'paper' in .* are damaged: .*{file}"):
        read_benchmark(folder)


@pytest.mark.parametrize("name", ["paper", "chapter", "case_study"])
def test_every_stored_run_went_on_until_its_rule_ended_it(name):
    """After its last step, or after so many looks without a better one: none was cut short."""
    runs = pd.read_parquet(RESULTS / f"{name}.parquet")
    runs = runs[runs["arm"] != "zero_shot"]
    rule = pd.DataFrame([json.loads(text)["fine_tuning"] for text in runs["settings"]], index=runs.index)
    out_of_patience = runs["last_step"] == runs["best_step"] + rule["patience"] * rule["check_every"]
    assert ((runs["last_step"] == rule["max_steps"]) | out_of_patience).all()


@pytest.mark.parametrize("file", ["paper.parquet", "paper-trajectories.parquet"])
def test_files_of_two_exports_are_not_read_as_one(folder, file):
    """Not even if both hold equally many rows."""
    table = pd.read_parquet(folder / file)
    write_whole(folder / file, table.assign(auc=0.5))
    with pytest.raises(ValueError, match=f"{file} is of another export"):
        read_benchmark(folder)


def test_a_grid_that_has_just_begun_can_be_passed_over(folder):
    assert read_benchmark(folder, least_tables=4).name == "paper"  # two runs are missing, and no table
    begun = pd.read_parquet(folder / "paper.parquet").query("table in ['diabetes', 'vehicle']")
    _rewrite(folder, begun)
    assert read_benchmark(folder).name == "paper"
    assert read_benchmark(folder, least_tables=3).name == "chapter"
    with pytest.raises(ValueError, match="with at least 5 tables"):
        read_benchmark(folder, least_tables=5)


def test_an_empty_folder_and_a_text_of_names_are_refused(tmp_path):
    with pytest.raises(ValueError, match="holds none of the benchmarks"):
        read_benchmark(tmp_path)
    with pytest.raises(ValueError, match="prefer must be a sequence"):
        read_benchmark(tmp_path, prefer="paper")


def test_a_stored_benchmark_is_read_over_the_network_as_from_a_folder(folder):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    _forget_trajectories(folder, "chapter")
    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        for prefer in (["paper"], ["absent", "chapter"]):
            there, here = (read_benchmark(place, prefer=prefer) for place in (address, folder))
            assert there.name == here.name == prefer[-1] and there.provenance == here.provenance
            pd.testing.assert_frame_equal(there.results, here.results)
            pd.testing.assert_frame_equal(there.trajectories, here.trajectories)
        write_whole(folder / "paper.parquet", pd.read_parquet(folder / "paper.parquet").iloc[:-1])
        with pytest.raises(ValueError, match="paper.parquet is of another export"):
            read_benchmark(address)
        server.shutdown()


def test_a_server_that_is_busy_does_not_pass_for_one_without_results(folder):
    """Else a chapter would silently show the small benchmark in place of the full one."""

    class Busy(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(503 if "paper" in self.path else 404)

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        with pytest.raises(ConnectionError, match=f"{address}/paper.parquet can't be read now.*503"):
            read_benchmark(address)
        server.shutdown()
    with pytest.raises(ConnectionError, match="can't be read now"):
        read_benchmark(address)


def test_a_partial_grid_says_how_much_of_it_is_there(folder):
    whole, part = read_benchmark(folder, prefer=["chapter"]), read_benchmark(folder)
    assert whole.share_done == 1 and part.n_wanted == whole.n_wanted == len(part.results) + 2
    coverage = part.coverage().loc[200]
    assert coverage["missing"] == 2 and coverage["failed"] == 1
    assert coverage["fewest_splits"] == whole.coverage().loc[200, "fewest_splits"] - 1
    assert f"{len(part.results)} of {part.n_wanted} runs" in part.describe()


def test_whole_splits_have_every_arm_exactly_once(folder):
    part = read_benchmark(folder)
    whole = part.whole_splits()
    arms = part.results["arm"].nunique()
    assert len(whole.results) == len(part.results) - (arms - 2)  # the split that lacks two runs loses the others
    assert (whole.results.groupby(["table", "split"])["arm"].nunique() == arms).all()
    assert set(whole.trajectories["id"]) == set(whole.results.loc[whole.results["arm"] != "zero_shot", "id"])
    assert whole.n_wanted == part.n_wanted, "what is left out is missing"
    assert whole.whole_splits().results.equals(whole.results)


def test_a_split_is_whole_only_with_the_arms_that_have_not_begun(folder):
    part = read_benchmark(folder)
    begun = part.select(arms=["zero_shot", "default"])
    lacking = part.results[~part.results["arm"].isin(["zero_shot", "default"])].assign(failed=False)
    begun.provenance["missing"] += lacking[["id", "table", "regime", "split", "arm", "seed", "failed"]].to_dict(
        "records"
    )
    assert begun.whole_splits().results.empty
    row = begun.coverage().loc[200]
    assert (row["arms"], row["most_splits"], row["whole_tables"]) == (part.results["arm"].nunique(), 0, 0)


def test_leaving_out_the_arm_that_lacks_runs_keeps_the_split(folder):
    part = read_benchmark(folder)
    lacking = {run["arm"] for run in part.provenance["missing"]}
    others = part.select(arms=[arm for arm in part.results["arm"].unique() if arm not in lacking])
    assert others.whole_splits().results.equals(others.results)
    assert others.share_done == 1


def test_one_regime_is_selected_the_largest_by_default(folder):
    results, paths = (pd.read_parquet(folder / f"paper{end}.parquet") for end in ("", "-trajectories"))
    more = results.assign(regime=600, id="x" + results["id"])
    _rewrite(folder, pd.concat([results, more], ignore_index=True))
    stored = read_benchmark(folder)
    assert stored.regimes == [600, 200]
    assert set(stored.select().results["regime"]) == {600}
    assert stored.select(regime=200).results.equals(results)
    assert len(stored.select(regime=200).trajectories) == len(paths)
    assert len(stored.select().provenance["missing"]) == 0
    fewer = stored.results[(stored.results["regime"] == 200) | (stored.results["arm"] != "smote")]
    _rewrite(folder, fewer)
    whole = read_benchmark(folder).whole_splits()
    assert whole.results["arm"].nunique() - 1 == whole.select().results["arm"].nunique(), "a regime may have fewer arms"
    with pytest.raises(ValueError, match="regime must be one of"):
        stored.select(regime=100)
    with pytest.raises(ValueError, match="arms names 'magic'"):
        stored.select(arms=["default", "magic"])


def test_the_stored_grid_is_the_planned_one_with_no_run_missing_and_none_doubled():
    grid = {run.identity: run for run in get_profile("paper").runs()}
    results, provenance = read_results(RESULTS, name="paper")
    assert results["id"].is_unique and set(results["id"]) == set(grid), (
        "the profile, the checkpoint, or a table changed"
    )
    assert provenance["missing"] == [] and provenance["failures"] == []
    assert not results.duplicated(["table", "regime", "split", "arm", "seed"]).any()
    assert results[["auc", "log_loss"]].notna().all(axis=None)
    counted = results[results["arm"].isin(COUNTED_ARMS) & (results["regime"] == 600)]
    assert len(counted) == 33 * 10 * len(COUNTED_ARMS) == 2310
    assert counted.groupby(["table", "split"]).size().eq(len(COUNTED_ARMS)).all()


def test_every_stored_benchmark_of_the_book_can_be_read_and_its_runs_found():
    stored = read_benchmark(RESULTS)
    assert stored.results["id"].is_unique and len(stored.trajectories)
    assert stored.coverage()["whole_tables"].max() >= 1
    identity = stored.results["id"].iloc[0]
    found = stored.find(identity)
    assert found.settings.identity == identity and found.environment["versions"]
    same = find_run(identity, RESULTS, name=stored.name)
    assert (found.settings, found.environment) == (same.settings, same.environment)
    np.testing.assert_equal(found.metrics, same.metrics)
    with pytest.raises(ValueError, match="identity='none' is not in the benchmark"):
        stored.find("none")
