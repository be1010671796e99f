"""Structural causal models: fitted with DoWhy on a graph, and sampled as tables.

`fit_scm` gives each column of a table a mechanism: a root is drawn from its observed values, a numerical
column is a regressor of its parents plus independent noise (an additive noise model), a categorical column is
drawn from a classifier's probabilities given its parents.  `sample_rows` draws from all of them in causal order
and returns rows that could belong to the table.  `vary_rows` varies real rows instead of
drawing whole new ones, and `counterfactual_rows` says what given rows would have been.  `diagnose_scm` says where a
model is wrong.

What happens to missing values
------------------------------
In fitting, a column's mechanism is learnt from the rows in which that column is present. A missing *parent* is
kept: boosting sends it down its own branch; the linear mechanisms take the median, or a level of its own for a
category. Sampling draws complete rows; at the end each row is blanked where a row of the same class, drawn at
random from the training table, has missing values. So the share, the joint pattern and the relation
to the class are those of the table.
"""

from causalmix_utils.scm.cache import MechanismCache
from causalmix_utils.scm.counterfactuals import counterfactual_rows
from causalmix_utils.scm.diagnostics import ScmDiagnosis, diagnose_mechanisms, diagnose_scm
from causalmix_utils.scm.falsification import GraphVerdict, falsify_dag
from causalmix_utils.scm.fitting import MECHANISMS, TARGET_MECHANISMS, fit_scm, fit_scm_ensemble
from causalmix_utils.scm.sampling import sample_ensemble, sample_rows
from causalmix_utils.scm.variation import vary_rows

__all__ = [
    "MECHANISMS",
    "TARGET_MECHANISMS",
    "GraphVerdict",
    "MechanismCache",
    "ScmDiagnosis",
    "counterfactual_rows",
    "diagnose_mechanisms",
    "diagnose_scm",
    "falsify_dag",
    "fit_scm",
    "fit_scm_ensemble",
    "sample_ensemble",
    "sample_rows",
    "vary_rows",
]
