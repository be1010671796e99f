"""scikit-learn's own checks of what an estimator is. None of them is expected to fail."""

from __future__ import annotations

import pytest
from sklearn.utils.estimator_checks import check_dataframe_column_names_consistency, parametrize_with_checks

from causalmix_utils.finetuning import CausalMixFTClassifier

SMALLEST = {"n_estimators": 1, "max_steps": 1, "check_every": 1}


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    [CausalMixFTClassifier(None, **SMALLEST), CausalMixFTClassifier("independent", n_synthetic=10, **SMALLEST)]
)
def test_the_estimator_keeps_scikit_learns_conventions(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore")
def test_feature_names_are_compared_in_scikit_learns_words():
    check_dataframe_column_names_consistency("CausalMixFTClassifier", CausalMixFTClassifier(None, **SMALLEST))
