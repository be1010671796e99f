"""The exercise on arrows that no test can tell apart."""

import networkx as nx
import pytest

from causalmix_utils.exercises import Feedback
from causalmix_utils.exercises.scm_fitting import check_scm_fitting_4
from causalmix_utils.graphs import dag_to_cpdag

SPRINKLER = nx.DiGraph(
    [("season", "rain"), ("season", "sprinkler"), ("rain", "wet"), ("sprinkler", "wet"), ("wet", "slippery")]
)


def test_arrows_that_can_be_turned_are_those_that_keep_the_equivalence_class():
    right = set()
    for edge in SPRINKLER.edges:
        turned = SPRINKLER.copy()
        turned.remove_edge(*edge)
        turned.add_edge(*edge[::-1])
        if nx.is_directed_acyclic_graph(turned):
            classes = [nx.to_numpy_array(dag_to_cpdag(dag), nodelist=sorted(dag)) for dag in (SPRINKLER, turned)]
            if (classes[0] == classes[1]).all():
                right.add(edge)
    assert right == {("season", "rain"), ("season", "sprinkler")}
    assert check_scm_fitting_4(right, dag=SPRINKLER)
    for wrong in ({("season", "rain")}, right | {("wet", "slippery")}, {("rain", "season"), ("sprinkler", "season")}):
        assert not check_scm_fitting_4(wrong, dag=SPRINKLER)


@pytest.mark.parametrize("answer", [None, "x", 3.0, [["a"]], True])
def test_no_answer_makes_the_check_raise(answer):
    assert isinstance(check_scm_fitting_4(answer, dag=SPRINKLER), Feedback)
