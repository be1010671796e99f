"""Comparing models over tables: tables count equally, differences are paired, and unequal rows are refused."""

import numpy as np
import pandas as pd
import pytest

from causalmix_utils.evaluation import (
    bootstrap_interval,
    differences_per_table,
    easy_tables,
    mean_over_tables,
    mean_per_table,
    paired_differences,
)

AUC = {"net": [0.9, 0.7, 0.99], "forest": [0.8, 0.75, 0.98], "linear": [0.6, 0.6, 0.975]}


@pytest.fixture
def scores():
    rows = [
        {"table": f"t{t}", "split": split, "model": model, "n": 200, "auc": auc + 0.01 * (split - 1)}
        for model, values in AUC.items()
        for t, auc in enumerate(values)
        for split in range(3)
    ]
    frame = pd.DataFrame(rows)
    checkpoint = np.where(frame["model"] == "net", "abc", "")
    return frame.assign(log_loss=1 - frame["auc"], checkpoint=checkpoint)


def rng():
    return np.random.default_rng(0)


def test_the_mean_of_a_table_is_over_its_splits(scores):
    wide = mean_per_table(scores)
    assert wide.columns.tolist() == list(AUC)
    assert np.allclose(wide.to_numpy().T, list(AUC.values()))


def test_every_table_counts_equally_whatever_its_number_of_splits(scores):
    fewer = scores[(scores["table"] != "t0") | (scores["split"] == 1)]
    assert np.allclose(mean_over_tables(fewer, rng=rng())["mean"], mean_over_tables(scores, rng=rng())["mean"])
    assert mean_over_tables(scores, rng=rng()).loc["net", "mean"] == pytest.approx(np.mean(AUC["net"]))


def test_intervals_come_from_resampling_tables(scores):
    summary = mean_over_tables(scores, rng=rng())
    seed = int(rng().integers(2**63))
    expected = bootstrap_interval(AUC["forest"], rng=np.random.default_rng(seed), statistic=np.mean)
    assert np.allclose(summary.loc["forest", ["low", "high"]].astype(float), expected)
    assert (summary["low"] <= summary["mean"]).all()
    assert (summary["mean"] <= summary["high"]).all()
    shuffled = mean_over_tables(scores.sample(frac=1, random_state=1), rng=rng())
    pd.testing.assert_frame_equal(summary, shuffled.loc[list(AUC)])


def test_one_table_has_no_interval(scores):
    summary = mean_over_tables(scores[scores["table"] == "t0"], rng=rng())
    assert summary["low"].isna().all()
    one = paired_differences(scores[scores["table"] == "t0"], model="net", rng=rng())
    assert (one["verdict"] == "not told apart").all()


def test_differences_are_those_of_the_means_of_each_table(scores):
    differences = differences_per_table(scores, model="net")
    assert list(differences) == ["forest", "linear"]
    assert np.allclose(differences["forest"], [0.1, -0.05, 0.01])
    summary = paired_differences(scores, model="net", rng=rng())
    assert summary.loc["forest", "mean"] == pytest.approx(0.02)
    assert summary.loc["forest", ["better", "worse", "n_tables"]].tolist() == [2, 1, 3]


def test_a_verdict_needs_an_interval_on_one_side_of_zero(scores):
    verdicts = paired_differences(scores, model="net", rng=rng())["verdict"]
    assert verdicts.to_dict() == {"forest": "not told apart", "linear": "better"}
    assert paired_differences(scores, model="linear", rng=rng(), rivals=["net"])["verdict"].tolist() == ["worse"]


def test_less_is_better_where_the_metric_says_so(scores):
    by_auc = paired_differences(scores, model="net", rng=rng())
    by_loss = paired_differences(scores, model="net", rng=rng(), value="log_loss")
    assert by_loss["verdict"].tolist() == by_auc["verdict"].tolist()
    assert by_loss["better"].tolist() == by_auc["better"].tolist()
    assert np.allclose(by_loss["mean"], -by_auc["mean"])


def test_a_table_is_easy_if_even_the_worst_of_the_models_named_is_nearly_perfect(scores):
    assert easy_tables(scores, models=["forest", "linear"]) == ["t2"]
    assert easy_tables(scores, models=["forest", "linear"], threshold=0.98) == []
    assert easy_tables(scores, models=["net"], threshold=0.9) == ["t0", "t2"]


def test_models_with_different_rows_are_not_compared(scores):
    lacking = scores[(scores["model"] != "forest") | (scores["table"] != "t1") | (scores["split"] != 2)]
    with pytest.raises(ValueError, match="no 'auc' of model 'forest' on split 2 of table 't1'"):
        mean_per_table(lacking)


def test_numbers_of_context_rows_and_checkpoints_are_not_mixed(scores):
    with pytest.raises(ValueError, match="several values of 'n'"):
        mean_per_table(pd.concat([scores, scores.assign(n=500)]))
    other = scores[scores["model"] == "net"].assign(model="older net", checkpoint="def")
    with pytest.raises(ValueError, match="several values of 'checkpoint'"):
        mean_per_table(pd.concat([scores, other]))


def test_what_is_missing_or_unknown_is_named(scores):
    with pytest.raises(ValueError, match="no column 'brier'"):
        mean_per_table(scores, value="brier")
    with pytest.raises(ValueError, match="scores has no rows"):
        mean_per_table(scores.iloc[:0])
    with pytest.raises(ValueError, match="more than one row of model 'net' on split 0 of table 't0'"):
        mean_per_table(pd.concat([scores, scores.iloc[:1]]))
    with pytest.raises(ValueError, match="model names 'boosting'"):
        paired_differences(scores, model="boosting", rng=rng())
    with pytest.raises(ValueError, match="rivals names 'boosting'"):
        paired_differences(scores, model="net", rng=rng(), rivals=["boosting"])
    for models in ([], ["boosting"]):
        with pytest.raises(ValueError, match="models must be some of"):
            easy_tables(scores, models=models)
