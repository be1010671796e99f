"""From a table to edge probabilities: PC and FCI on many resamples of the rows.

One run of a discovery algorithm on a scarce table is unstable: drop a few rows and other edges appear.
`edge_probabilities` runs PC and FCI on many resamples and turns what they agree on into a matrix of
probabilities.  `learn_marks` runs one algorithm once, on all rows.

Terms: PC returns a CPDAG, FCI a PAG. Both are matrices of *marks* here, in causal-learn's code:
``marks.loc[i, j]`` is the mark at i on the edge between i and j; -1 is a tail, 1 an arrowhead, 2 a circle,
0 no edge.
"""

from causalmix_utils.discovery.marks import marks_to_mass
from causalmix_utils.discovery.redundancy import RedundantColumns, find_redundant_columns
from causalmix_utils.discovery.resampling import edge_probabilities, learn_marks

__all__ = ["RedundantColumns", "edge_probabilities", "find_redundant_columns", "learn_marks", "marks_to_mass"]
