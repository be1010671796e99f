"""Which networks are embedded, where they come from, and which node is the target."""

from __future__ import annotations

from dataclasses import dataclass

_NOT_DECLARED = "not declared; distributed with pgmpy under the MIT licence"


@dataclass(frozen=True)
class NetworkRecipe:
    """One network: its file in pgmpy, its target, and who published it."""

    name: str
    path: str
    target: str
    source: str
    remarks: str
    licence: str = _NOT_DECLARED


RECIPES = [
    NetworkRecipe(
        name="asia",
        path="pgmpy/utils/example_models/asia.bif.gz",
        target="lung",
        source=(
            "S. Lauritzen and D. Spiegelhalter: Local Computation with Probabilities on Graphical Structures and their "
            "Application to Expert Systems. Journal of the Royal Statistical Society B 50, 1988"
        ),
        remarks=(
            "Invented for teaching: chest diseases and a visit to Asia. `either` is the logical or of `lung` and "
            "`tub`: a node without noise, which independence tests are not made for."
        ),
    ),
    NetworkRecipe(
        name="sachs",
        path="pgmpy/utils/example_models/sachs.bif.gz",
        target="Erk",
        source=(
            "K. Sachs, O. Perez, D. Pe'er, D. Lauffenburger and G. Nolan: Causal Protein-Signaling Networks Derived "
            "from Multiparameter Single-Cell Data. Science 308, 2005"
        ),
        remarks="Proteins in human immune cells, in three levels; the probabilities were learnt from measurements.",
    ),
    NetworkRecipe(
        name="child",
        path="pgmpy/utils/example_models/child.bif.gz",
        target="Disease",
        source=(
            "D. Spiegelhalter and R. Cowell: Learning in Probabilistic Expert Systems. Bayesian Statistics 4, Oxford "
            "University Press, 1992"
        ),
        remarks="An expert system for congenital heart disease of new-born children.",
    ),
    NetworkRecipe(
        name="alarm",
        path="pgmpy/utils/example_models/alarm.bif.gz",
        target="BP",
        source=(
            "I. Beinlich, H. Suermondt, R. Chavez and G. Cooper: The ALARM Monitoring System. European Conference on "
            "Artificial Intelligence in Medicine, 1989"
        ),
        remarks="An expert system for monitoring patients in intensive care; `BP` is the blood pressure.",
    ),
    NetworkRecipe(
        name="ecoli70",
        path="pgmpy/utils/example_models/ecoli70.json",
        target="tnaA",
        source=(
            "J. Schäfer and K. Strimmer: A Shrinkage Approach to Large-Scale Covariance Matrix Estimation. Statistical "
            "Applications in Genetics and Molecular Biology 4, 2005"
        ),
        remarks=(
            "Gene expression in Escherichia coli; linear and Gaussian, learnt from measurements. Of the target the "
            "table has two classes, `low` and `high`, below and above its mean. It has no effects, so that the graph "
            "stays true."
        ),
    ),
]
