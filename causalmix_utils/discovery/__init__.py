"""From a table to edge probabilities: PC and FCI on many resamples of the rows.

One run of a discovery algorithm on a scarce table is unstable: drop a few rows and other edges appear.
`edge_probabilities` runs PC and FCI on many resamples and turns what they agree on into a matrix of
probabilities; `edge_stability` says which of them are stable.  `learn_marks` runs one algorithm once, on all rows.

PC and FCI are the package's own and give the graphs of causal-learn mark by mark, in a fraction of the time.
Time: a search asks for at most ``max_tests`` tests; without missing values a test costs the same for any number of
rows. With them every test has rows of its own and takes many times as long: for a wide table with gaps everywhere
lower ``max_tests`` or ``n_resamples``, or fill the gaps first.
Memory: beside the table and a copy of it, a process holds some matrices with as many rows and columns as the table has
columns and indicators of categories, and one batch of tests (arrays of about 4 MB): below 400 MiB, Python
included, up to 100,000 rows and 20 features or 1,000 rows and 100. ``benchmarks/measure_discovery.py`` measures both.

Terms: PC returns a CPDAG, FCI a PAG. Both are matrices of *marks* here, in causal-learn's code:
``marks.loc[i, j]`` is the mark at i on the edge between i and j; -1 is a tail, 1 an arrowhead, 2 a circle,
0 no edge.
"""

from causalmix_utils.discovery.marks import marks_to_mass
from causalmix_utils.discovery.redundancy import RedundantColumns, find_redundant_columns
from causalmix_utils.discovery.resampling import edge_probabilities, learn_marks
from causalmix_utils.discovery.stability import edge_stability

__all__ = [
    "RedundantColumns",
    "edge_probabilities",
    "edge_stability",
    "find_redundant_columns",
    "learn_marks",
    "marks_to_mass",
]
