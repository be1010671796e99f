"""What a benchmark's runs say: pure functions over a long DataFrame, one row for each run.

The columns that the functions know, all of which `causalmix_utils.benchmark` writes:

==================================  ===========================================================
``table``, ``split``                which rows the run saw
``regime``                          rows of the train and validation parts together, as asked for
``n_rows``                          … as given: fewer where the table is small
``checkpoint``                      hash of the weights that every run started from
``arm``, ``seed``                   what it was fine-tuned on, and the repetition
``auc``, ``log_loss``               on the test part, with all train and validation rows as context
``calibration_error``               expected calibration error on the same rows
``best_step``                       step that early stopping chose; 0 keeps the zero-shot model
``optimism_gap``, ``tracking_gap``  see `validation_test_gap` and `add_gaps`
``n_classes``                       classes of the table
``id``                              the run's identity, which its trajectory has, too
==================================  ===========================================================

`add_gains` adds ``zero_shot_auc``, ``zero_shot_log_loss``, ``gain``, ``gain_points`` and ``log_loss_gain``.
Functions with a ``value`` argument take any column in which higher is better.

How far the answer depends on choices that could have been made otherwise is shown by the functions of
`causalmix_utils.evaluation.sensitivity`; how much of a difference is luck, by `noise_floor` and
`spread_of_differences`.

How good synthetic rows are, before any fine-tuning, is measured by the functions in
`causalmix_utils.evaluation.rows`, and whether they give away real ones by those in
`causalmix_utils.evaluation.closeness`. Models are compared, without any fine-tuning, by the functions in
`causalmix_utils.evaluation.models`, which take scores: one row for each table, split and model.
"""

from causalmix_utils.evaluation.associations import association_error, association_errors, pair_associations
from causalmix_utils.evaluation.closeness import (
    closest_record_distances,
    membership_auc,
    nearest_neighbour_ratios,
    share_nearer_to_train,
)
from causalmix_utils.evaluation.comparisons import (
    compare_arms,
    critical_difference,
    friedman_test,
    nemenyi_p_values,
    summarise_arms,
)
from causalmix_utils.evaluation.gains import ZERO_SHOT_ARM, add_gains, add_gaps, min_max_score
from causalmix_utils.evaluation.models import (
    LOWER_IS_BETTER,
    differences_per_table,
    easy_tables,
    mean_over_tables,
    mean_per_table,
    paired_differences,
)
from causalmix_utils.evaluation.noise import noise_floor, spread_of_differences, subtract_baseline
from causalmix_utils.evaluation.power import simulate_power, smallest_p_value, tables_needed
from causalmix_utils.evaluation.rows import (
    marginal_distances,
    score_synthetic_rows,
    synthetic_to_real_auc,
    two_sample_auc,
)
from causalmix_utils.evaluation.sensitivity import compare_variants, rank_variants, summarise_variants
from causalmix_utils.evaluation.summaries import (
    average_ranks,
    bootstrap_interval,
    complete_tables,
    intervals_by_arm,
    median_over_tables,
    per_table,
)
from causalmix_utils.evaluation.variants import (
    VARIANTS,
    describe_variant,
    gains_along_the_run,
    make_variants,
    tables_with_headroom,
)
from causalmix_utils.metrics import (
    expected_calibration_error,
    gain_in_points,
    log_loss,
    normalised_gain,
    roc_auc,
    validation_test_gap,
)

__all__ = [
    "ZERO_SHOT_ARM",
    "LOWER_IS_BETTER",
    "VARIANTS",
    "add_gains",
    "add_gaps",
    "association_error",
    "association_errors",
    "average_ranks",
    "bootstrap_interval",
    "closest_record_distances",
    "compare_arms",
    "compare_variants",
    "complete_tables",
    "critical_difference",
    "describe_variant",
    "differences_per_table",
    "easy_tables",
    "expected_calibration_error",
    "friedman_test",
    "gain_in_points",
    "gains_along_the_run",
    "intervals_by_arm",
    "log_loss",
    "make_variants",
    "marginal_distances",
    "mean_over_tables",
    "mean_per_table",
    "median_over_tables",
    "membership_auc",
    "min_max_score",
    "nearest_neighbour_ratios",
    "nemenyi_p_values",
    "noise_floor",
    "normalised_gain",
    "pair_associations",
    "paired_differences",
    "per_table",
    "rank_variants",
    "roc_auc",
    "score_synthetic_rows",
    "share_nearer_to_train",
    "simulate_power",
    "smallest_p_value",
    "spread_of_differences",
    "subtract_baseline",
    "summarise_arms",
    "summarise_variants",
    "synthetic_to_real_auc",
    "tables_needed",
    "tables_with_headroom",
    "two_sample_auc",
    "validation_test_gap",
]
