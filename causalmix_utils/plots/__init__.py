"""Every figure that two places draw, so that the book and the reports look alike.

Each function draws into a Matplotlib ``Axes`` (its own, or the one given as ``ax``) and
returns it. Nothing is shown or saved here, and Matplotlib is imported by the first
function that draws. A `describe_*` function says in words what the figure beside it shows,
for readers who can't see it.
"""

from causalmix_utils.plots.boxes import place_in_ring
from causalmix_utils.plots.choices import plot_choices, plot_gains_by_table
from causalmix_utils.plots.claims import (
    label_comparison,
    plot_comparisons,
    plot_left_out,
    plot_luck,
    plot_same_summary,
)
from causalmix_utils.plots.comparison import MODEL_COLORS, MODEL_LABELS, plot_model_means, plot_scores_by_table
from causalmix_utils.plots.costs import STAGES, plot_stage_costs
from causalmix_utils.plots.design import plot_power, plot_protocol, plot_tables_needed
from causalmix_utils.plots.diagnosis import KIND_COLORS, plot_scm_cost, plot_skills
from causalmix_utils.plots.graphs import describe_dag, draw_dag
from causalmix_utils.plots.labels import CREDIT_LABELS
from causalmix_utils.plots.marks import draw_marks, draw_neighbourhood
from causalmix_utils.plots.models import (
    plot_differences,
    plot_fine_tuning,
    plot_prior_fitted_network,
    plot_step_rows,
)
from causalmix_utils.plots.probabilities import (
    plot_edge_probabilities,
    plot_edge_stability,
)
from causalmix_utils.plots.quality import (
    plot_associations,
    plot_generator_cost,
    plot_row_scores,
    plot_score_means,
)
from causalmix_utils.plots.results import (
    plot_gains,
    plot_gap,
    plot_ranks,
    plot_trajectory,
)
from causalmix_utils.plots.rows import plot_marginals
from causalmix_utils.plots.sensitivity import plot_variants
from causalmix_utils.plots.style import (
    ARM_COLORS,
    ARM_LABELS,
    arm_color,
    arm_label,
    label_directly,
    label_ends,
    make_axes,
)
from causalmix_utils.plots.trajectories import (
    count_step_rows,
    plot_step_composition,
    plot_stopping_rules,
    plot_validation_draws,
)

__all__ = [
    "ARM_COLORS",
    "ARM_LABELS",
    "CREDIT_LABELS",
    "KIND_COLORS",
    "MODEL_COLORS",
    "MODEL_LABELS",
    "STAGES",
    "arm_color",
    "arm_label",
    "count_step_rows",
    "describe_dag",
    "draw_dag",
    "draw_marks",
    "draw_neighbourhood",
    "label_comparison",
    "label_directly",
    "label_ends",
    "make_axes",
    "place_in_ring",
    "plot_associations",
    "plot_choices",
    "plot_comparisons",
    "plot_differences",
    "plot_edge_probabilities",
    "plot_edge_stability",
    "plot_fine_tuning",
    "plot_gains",
    "plot_gains_by_table",
    "plot_gap",
    "plot_generator_cost",
    "plot_left_out",
    "plot_luck",
    "plot_marginals",
    "plot_model_means",
    "plot_prior_fitted_network",
    "plot_power",
    "plot_protocol",
    "plot_ranks",
    "plot_row_scores",
    "plot_same_summary",
    "plot_scm_cost",
    "plot_score_means",
    "plot_scores_by_table",
    "plot_skills",
    "plot_stage_costs",
    "plot_step_composition",
    "plot_step_rows",
    "plot_stopping_rules",
    "plot_tables_needed",
    "plot_trajectory",
    "plot_validation_draws",
    "plot_variants",
]
