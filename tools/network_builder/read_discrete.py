"""Read networks of categories with pgmpy and print them as JSON.

    python read_discrete.py FILE.bif.gz ...

Runs in an environment of its own, since pgmpy is no dependency of the project (see `tools/build_networks.py`).
"""

import gzip
import json
import sys

import numpy as np
from pgmpy.readwrite import BIFReader


def read(path: str) -> dict:
    """Each node's parents, levels, and one distribution for each combination of the parents' levels, last fastest."""
    with gzip.open(path, "rt") as file:
        model = BIFReader(string=file.read()).get_model()
    nodes = {}
    for distribution in model.get_cpds():
        parents = distribution.variables[1:]
        shape = (int(distribution.cardinality[0]), -1)
        table = np.asarray(distribution.values, dtype=float).reshape(shape).T
        nodes[distribution.variable] = {
            "parents": list(parents),
            "levels": {name: list(map(str, distribution.state_names[name])) for name in distribution.variables},
            "probabilities": [[float(f"{value:.10g}") for value in row] for row in table],
        }
    # The order of levels belongs to the node; a child must list its parents' combinations in that order.
    for name, node in nodes.items():
        for parent in node["parents"]:
            if node["levels"][parent] != nodes[parent]["levels"][parent]:
                raise ValueError(f"{name} and its parent {parent} order the levels of {parent} differently")
    if {(parent, name) for name, node in nodes.items() for parent in node["parents"]} != set(model.edges()):
        raise ValueError("the distributions and the graph have different edges")
    return {name: node | {"levels": node["levels"][name]} for name, node in nodes.items()}


if __name__ == "__main__":
    json.dump([read(path) for path in sys.argv[1:]], sys.stdout)
