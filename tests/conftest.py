"""What holds for all tests: their order, and where property-based tests take their examples from.

The file that takes longest comes first, so that two workers finish at about the same time.
Where CI is set, Hypothesis draws the same examples every time, so that a change is judged by what it
changes; elsewhere it draws new ones and goes on searching. No example has a deadline: how long it takes says more
about what else the machine is doing than about the code.
"""

import os

import pytest
from hypothesis import settings

FIRST = "test_notebooks.py"

settings.register_profile("book", deadline=None)
settings.register_profile("ci", settings.get_profile("book"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "book")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.name != FIRST)


@pytest.fixture(autouse=True)
def generators_of_one_test():
    """What a test registers is forgotten with it, so that no test depends on which ran before."""
    from causalmix_utils.generators import registry

    before = dict(registry._REGISTERED)
    yield
    registry._REGISTERED.clear()
    registry._REGISTERED.update(before)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """A finished store of three runs on a small table, made in this process. Tests read it and leave it as it is."""
    from causalmix_utils.benchmark import get_profile, run_benchmark

    path = tmp_path_factory.mktemp("undisturbed") / "runs.sqlite"
    run_benchmark(get_profile("smoke").subset(tables=["wine"], arms=["zero_shot", "default", "smote"]), path, n_jobs=1)
    return path
