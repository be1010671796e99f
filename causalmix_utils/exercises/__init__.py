"""Exercises that check themselves: compare an answer with what is expected and say so, or give a hint.

An exercise is one function in its chapter's file, named ``check_<chapter>_<number>``, that takes the reader's
answer and returns a `Feedback`. Most are one call of `check_number` or `check_set`. They never
raise for a wrong answer and never show the solution. The chapter's quiz is shown and judged by `quiz`.
"""

from causalmix_utils.exercises.benchmark import (
    check_benchmark_1,
    check_benchmark_2,
    check_benchmark_3,
    check_benchmark_4,
    check_benchmark_5,
    check_benchmark_6,
    check_benchmark_7,
    check_benchmark_8,
)
from causalmix_utils.exercises.causalmixft import (
    STOPPING_RUN,
    check_causalmixft_1,
    check_causalmixft_2,
    check_causalmixft_3,
    check_causalmixft_4,
    check_causalmixft_5,
    check_causalmixft_6,
    check_causalmixft_7,
    score_validation_draws,
)
from causalmix_utils.exercises.claims import (
    check_claims_1,
    check_claims_2,
    check_claims_3,
    check_claims_4,
    check_claims_5,
)
from causalmix_utils.exercises.discovery import (
    check_discovery_1,
    check_discovery_2,
    check_discovery_3,
    check_discovery_4,
)
from causalmix_utils.exercises.feedback import Feedback, check_number, check_set
from causalmix_utils.exercises.foundation import (
    check_foundation_1,
    check_foundation_2,
    check_foundation_3,
    check_foundation_4,
)
from causalmix_utils.exercises.pretraining import (
    check_pretraining_1,
    check_pretraining_2,
    check_pretraining_3,
    check_pretraining_4,
)
from causalmix_utils.exercises.quizzes import Choice, Question, Quiz, ask, quiz, right, true_or_false, wrong
from causalmix_utils.exercises.sampling import (
    check_sampling_1,
    check_sampling_2,
    check_sampling_3,
    check_sampling_4,
    check_sampling_5,
    check_sampling_6,
    draw_mystery_rows,
)
from causalmix_utils.exercises.scm_fitting import (
    check_scm_fitting_1,
    check_scm_fitting_2,
    check_scm_fitting_3,
    check_scm_fitting_4,
)

__all__ = [
    "Choice",
    "STOPPING_RUN",
    "Feedback",
    "Question",
    "Quiz",
    "ask",
    "check_benchmark_1",
    "check_benchmark_2",
    "check_benchmark_3",
    "check_benchmark_4",
    "check_benchmark_5",
    "check_benchmark_6",
    "check_benchmark_7",
    "check_benchmark_8",
    "check_causalmixft_1",
    "check_causalmixft_2",
    "check_causalmixft_3",
    "check_causalmixft_4",
    "check_causalmixft_5",
    "check_causalmixft_6",
    "check_causalmixft_7",
    "check_claims_1",
    "check_claims_2",
    "check_claims_3",
    "check_claims_4",
    "check_claims_5",
    "check_discovery_1",
    "check_discovery_2",
    "check_discovery_3",
    "check_discovery_4",
    "check_foundation_1",
    "check_foundation_2",
    "check_foundation_3",
    "check_foundation_4",
    "check_number",
    "check_pretraining_1",
    "check_pretraining_2",
    "check_pretraining_3",
    "check_pretraining_4",
    "check_sampling_1",
    "check_sampling_2",
    "check_sampling_3",
    "check_sampling_4",
    "check_sampling_5",
    "check_sampling_6",
    "check_scm_fitting_1",
    "check_scm_fitting_2",
    "check_scm_fitting_3",
    "check_scm_fitting_4",
    "check_set",
    "draw_mystery_rows",
    "quiz",
    "right",
    "score_validation_draws",
    "true_or_false",
    "wrong",
]
