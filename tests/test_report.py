"""`causalmix report`: the claims page is what the stored results give, and the tables are those that were computed."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from causalmix_utils.benchmark import RunStore, StoredBenchmark, read_results
from causalmix_utils.benchmark.taking_over import take_over_results
from causalmix_utils.cli import main
from causalmix_utils.cli.claims_page import BEGIN, END, judge_stored, render_claims, update_page
from causalmix_utils.cli.commands import print_report
from causalmix_utils.cli.report import read_stored
from causalmix_utils.cli.report_files import list_figures, save_figure, write_report
from causalmix_utils.evaluation import add_gains, add_gaps, compare_arms, per_table, summarise_arms
from causalmix_utils.evaluation.claims import UNTOLD

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "book" / "results"
FEW = 200  # resamples


@pytest.fixture(scope="module")
def judged():
    return judge_stored(read_stored(RESULTS), scores=read_results(RESULTS, name="generators")[0])


def between_marks(page):
    return page.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].strip()


def test_the_claims_page_is_what_the_stored_results_give(judged):
    assert between_marks(ROOT / "book" / "claims.md") == render_claims(judged).strip(), (
        "run `causalmix report --claims`"
    )


def test_the_page_names_what_it_rests_on_and_gives_every_claim_a_verdict(judged):
    text = render_claims(judged)
    assert f"The stored benchmark `{judged.stored.name}`" in text
    assert judged.stored.results["checkpoint"].iloc[0] in text
    assert re.findall(r"^### Claim (\d)$", text, re.MULTILINE) == [str(number) for number in range(1, 10)]
    assert text.count("What would change the verdict") == 9
    shares = [verdict.share for verdicts in judged.verdicts.values() for verdict in verdicts]
    shares += [judged.structure[regime, "causal"].share for regime in judged.stored.regimes]
    complete = all(share is None or share.complete for share in shares)
    assert ("provisional" in text) == (not complete)
    begun = set(judged.planned) <= set(judged.stored.regimes)
    assert ("no runs yet" in text) == (not begun)


def test_the_readme_says_what_came_out(judged):
    """Its three sentences hold for the stored runs; whoever stores others reads them again."""
    runs = add_gains(judged.stored.select().whole_splits().results)
    fine_tuned = runs[~runs["arm"].isin(["zero_shot", "default_again"])]
    assert summarise_arms(runs, value="gain_points").loc["default", "low"] > 0
    for value in ("gain_points", "log_loss_gain"):
        compared = compare_arms(fine_tuned, value=value)
        assert not (compared["low"] > 0).any() and (compared["high"] < 0).mean() > 0.5
    assert judged.structure[judged.regime, "causal"].answer == UNTOLD
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"on {runs['table'].nunique()} tables: fine-tuning helps a little. No kind of synthetic rows" in text
    assert f"whether graphs that were found do better than random ones {UNTOLD}." in text


def test_other_results_make_another_page(judged):
    changed = judged.stored.results.copy()
    changed.loc[changed["arm"] == "causal", "auc"] -= 0.01
    again = judge_stored(
        StoredBenchmark(judged.stored.name, changed, judged.stored.trajectories, judged.stored.provenance),
        scores=None,
        n_resamples=FEW,
    )
    assert render_claims(again) != render_claims(judged)


def test_only_what_stands_between_the_marks_is_replaced(tmp_path):
    page = tmp_path / "claims.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    update_page(page, "new")
    assert page.read_text(encoding="utf-8") == f"before\n{BEGIN}\n\nnew\n{END}\nafter\n"
    page.write_text("no marks", encoding="utf-8")
    with pytest.raises(ValueError, match="lacks the line"):
        update_page(page, "new")
    assert page.read_text(encoding="utf-8") == "no marks"


def test_the_command_writes_page_tables_and_figures(capsys, tmp_path):
    page = shutil.copy(ROOT / "book" / "claims.md", tmp_path / "claims.md")
    committed = page.read_text(encoding="utf-8")
    page.write_text(f"{committed.partition(BEGIN)[0]}{BEGIN}{END}{committed.partition(END)[2]}", encoding="utf-8")
    status = main(["report", "--results", str(RESULTS), "--claims", str(page)])
    printed = capsys.readouterr()
    assert (status, printed.err) == (0, "")
    assert page.read_text(encoding="utf-8") == committed
    assert re.search(r"^9  method statement", printed.out, re.MULTILINE)
    assert "Does the causal structure matter?" in printed.out


def test_tables_hold_the_numbers_of_the_package(judged, tmp_path):
    written = write_report(judged, tmp_path, figures=False)
    assert len(written) == len(set(written)) and all(path.stat().st_size for path in written)
    runs = add_gains(judged.stored.select().whole_splits().results)
    stored = pd.read_csv(tmp_path / f"arms-gain_points-{judged.regime}.csv").set_index("arm")["median"]
    expected = per_table(runs, value="gain_points").median()
    np.testing.assert_allclose(stored[expected.index], expected)
    evidence = pd.read_csv(tmp_path / "claims_evidence.csv")
    assert {1, 2, 3, 6} == set(evidence["claim"])
    assert set(evidence["value"]) >= {"gain", "log_loss_gain", "association_kept", "usefulness"}
    claims = pd.read_csv(tmp_path / "claims.csv")
    assert len(claims) == 9 + 3 * (2 * len(judged.stored.regimes) - 1)


def test_figures_are_drawn_and_the_same_each_time(judged, tmp_path):
    figures = dict(list_figures(judged, None, baseline="default"))
    assert {"claim-1-a", "structure-causal-gain_points", f"gains-gain-{judged.regime}"} <= set(figures)
    for name in ("claim-1-b", "structure-causal-gain_points"):
        first = [path.read_bytes() for path in save_figure(figures[name], tmp_path / name)]
        assert first == [path.read_bytes() for path in save_figure(figures[name], tmp_path / name)]


def test_a_part_of_a_grid_is_reported(judged, tmp_path):
    """A grid that is still running: arms and splits are missing here and there."""
    results = judged.stored.results
    unfinished = results[~((results["arm"] == "tabebm") & (results["split"] > 0))]
    unfinished = unfinished[~((unfinished["arm"] == "smote") & (unfinished["table"] == unfinished["table"].iloc[0]))]
    part = judge_stored(
        StoredBenchmark("paper", unfinished, judged.stored.trajectories, {}), scores=None, n_resamples=FEW
    )
    names = [path.name for path in write_report(part, tmp_path, figures=False)]
    assert f"arms-gain-{part.regime}.csv" in names
    assert "`paper`" in render_claims(part)


def test_gaps_are_those_of_the_stored_trajectories_as_in_the_chapter(judged, tmp_path):
    write_report(judged, tmp_path, figures=False)
    whole = judged.stored.select().whole_splits()
    runs = add_gaps(add_gains(whole.results), whole.trajectories)
    expected = per_table(runs[runs["arm"] != "zero_shot"], value="tracking_gap")
    written = pd.read_csv(tmp_path / f"tracking_gap-{judged.regime}.csv").set_index("table")
    np.testing.assert_allclose(written[expected.columns], expected)


@pytest.mark.parametrize("n_perfect", [1, None])
def test_tables_on_which_nothing_is_left_to_gain_are_reported(judged, tmp_path, n_perfect):
    results = judged.stored.results.copy()
    perfect = results["table"].isin(results["table"].unique()[:n_perfect])
    results.loc[perfect & (results["arm"] == "zero_shot"), "auc"] = 1.0
    part = judge_stored(StoredBenchmark("paper", results, judged.stored.trajectories, {}), scores=None, n_resamples=FEW)
    names = {path.stem for path in write_report(part, tmp_path, figures=False)}
    for name, draw in list_figures(part, None, baseline="default"):
        if name.startswith("ranks"):
            save_figure(draw, tmp_path / name)
    assert f"arms-log_loss_gain-{part.regime}" in names
    assert (f"arms-gain-{part.regime}" in names) == (n_perfect is not None)


def test_a_noise_floor_that_nobody_measured_is_not_called_suspicious(judged):
    results = judged.stored.results
    without = results[results["arm"] != "default_again"]
    part = judge_stored(StoredBenchmark("paper", without, judged.stored.trajectories, {}), scores=None, n_resamples=FEW)
    text = render_claims(part)
    assert text.count("not measured, since the same fine-tuning") == 2
    assert "inf" not in re.findall(r"[a-z]+", text) and "suspicion" not in text


def test_arms_of_each_checkpoint_are_summarised_on_their_own_whole_splits(judged, capsys):
    results = judged.stored.select().whole_splits().results
    few = results[results["arm"].isin(["zero_shot", "default", "smote"])].assign(checkpoint="other")
    unfinished = results.drop(index=results.index[results["arm"] == "smote"][:1])
    print_report(pd.concat([unfinished, few], ignore_index=True), value="gain", baseline="default")
    printed = capsys.readouterr().out
    first, second = printed.split("\ngain at ")[1:]
    assert "checkpoint other" in second and "left out" not in second
    n_arms = results["arm"].nunique()
    assert f"{n_arms - 1} runs are left out" in first
    begun = [{"regime": judged.regime, "arm": "another"}]
    print_report(few, value="gain", baseline="default", missing=begun)
    assert "no split has every arm yet" in capsys.readouterr().out


def test_a_baseline_without_runs_is_refused(capsys):
    assert main(["report", "--results", str(RESULTS), "--baseline", "nobody"]) == 2
    assert "--baseline=nobody has no runs; the arms are causal" in capsys.readouterr().err


def test_a_store_of_ones_own_is_judged_without_the_scores_of_the_book(capsys, monkeypatch, tmp_path):
    with RunStore(tmp_path / "own.sqlite") as store:
        take_over_results(store, RESULTS, name="case_study")
    page = shutil.copy(ROOT / "book" / "claims.md", tmp_path / "claims.md")
    monkeypatch.chdir(ROOT)
    assert main(["report", "--store", str(tmp_path / "own.sqlite"), "--claims", str(page)]) == 0
    assert "6  partly" in capsys.readouterr().out, "nothing is known of the rows"


def test_one_arm_alone_is_reported_without_comparisons(judged, tmp_path):
    results = judged.stored.results
    two = results[results["arm"].isin(["zero_shot", "causal"])]
    part = judge_stored(StoredBenchmark("paper", two, judged.stored.trajectories, {}), scores=None, n_resamples=FEW)
    assert "can't be told" in render_claims(part) and "nan" not in re.findall(r"[a-z]+", render_claims(part))
    names = {path.stem for path in write_report(part, tmp_path)}
    assert {"structure", f"arms-gain-{part.regime}", f"gains-gain-{part.regime}"} <= names
    assert "variants" not in names


def test_the_full_benchmark_is_taken_once_it_has_enough_tables(judged, tmp_path):
    results, small = judged.stored.results, tmp_path / "chapter.parquet"
    results.to_parquet(small)
    for name in ("chapter", "paper"):
        (tmp_path / f"{name}.json").write_text("{}", encoding="utf-8")
    results[results["table"] == results["table"].iloc[0]].to_parquet(tmp_path / "paper.parquet")
    assert read_stored(tmp_path).name == "chapter"
    results.to_parquet(tmp_path / "paper.parquet")
    assert read_stored(tmp_path).name == "paper"
    small.unlink()
    results[results["table"] == results["table"].iloc[0]].to_parquet(tmp_path / "paper.parquet")
    assert read_stored(tmp_path).name == "paper"
