"""Order of the tests: the file that takes longest comes first, so that two workers finish at about the same time."""

FIRST = "test_notebooks.py"


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.name != FIRST)
