"""Directed acyclic graphs: drawn from edge probabilities, compared with a truth, and at random.

A graph is a `networkx.DiGraph` whose nodes are the columns of a table, the target last.
"""

from causalmix_utils.discovery.matrix import check_edge_probabilities
from causalmix_utils.graphs.equivalence import dag_to_cpdag
from causalmix_utils.graphs.members import list_members
from causalmix_utils.graphs.placement import blanket_probabilities
from causalmix_utils.graphs.sampling import random_dag, sample_dag, threshold_graph
from causalmix_utils.graphs.scores import markov_blanket, score_discovery, score_graph, structural_hamming_distance

__all__ = [
    "blanket_probabilities",
    "check_edge_probabilities",
    "dag_to_cpdag",
    "list_members",
    "markov_blanket",
    "random_dag",
    "sample_dag",
    "score_discovery",
    "score_graph",
    "structural_hamming_distance",
    "threshold_graph",
]
