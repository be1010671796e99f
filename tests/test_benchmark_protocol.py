"""The defaults that decide a run's result, and stand in no setting of it, belong to the protocol.

A run is known by its settings. Options that no setting names take the defaults of the code, so a default that changed
would mix two methods under one identity. Whoever changes one on purpose raises `PROTOCOL` and stores the new defaults
with `python tests/test_benchmark_protocol.py`; all runs are then made anew.
"""

import inspect
import json
from pathlib import Path

from causalmix_utils.benchmark import ARMS, PROTOCOL
from causalmix_utils.discovery import edge_probabilities, find_redundant_columns
from causalmix_utils.finetuning import CausalMixFTClassifier
from causalmix_utils.finetuning.steps import QUERY_FRACTION
from causalmix_utils.generators import make_generator
from causalmix_utils.graphs import sample_dag
from causalmix_utils.scm import fit_scm, sample_ensemble, vary_rows
from causalmix_utils.scm.mechanisms import make_mechanism

STORED = Path(__file__).with_name("protocol_defaults.json")


FUNCTIONS = (edge_probabilities, find_redundant_columns, fit_scm, sample_dag, sample_ensemble, vary_rows)
"""What generators call, not with all of its options."""


def read_options(function):
    """The options of a function and their defaults."""
    options = inspect.signature(function).parameters.values()
    return {option.name: option.default for option in options if option.default is not option.empty}


def read_choices(estimator):
    """The parameters of a scikit-learn estimator that are not the library's own defaults."""
    usual = type(estimator)().get_params()
    return {name: value for name, value in estimator.get_params().items() if value != usual[name]}


def read_defaults():
    """The defaults of today's code, as JSON gives them back."""
    generators = sorted({arm.generator for arm in ARMS.values() if arm.generator})
    found = {
        "protocol": PROTOCOL,
        "query_fraction": QUERY_FRACTION,
        "arms": {arm.name: [arm.generator, arm.generator_options, arm.fine_tunes] for arm in ARMS.values()},
        "estimator": CausalMixFTClassifier().get_params(deep=False),
        "functions": {function.__name__: read_options(function) for function in FUNCTIONS},
        "boosting": read_choices(make_mechanism("boosting", [None], n_classes=2).classifier_model.estimator),
        "generators": {name: make_generator(name).get_params() for name in generators},
    }
    return json.loads(json.dumps(found, default=str))


def test_no_default_changed_without_the_protocol():
    stored, found = json.loads(STORED.read_text(encoding="utf-8")), read_defaults()
    assert found == stored, "raise PROTOCOL if runs have other results now, and store the defaults anew"


if __name__ == "__main__":
    STORED.write_text(json.dumps(read_defaults(), indent=2, sort_keys=True) + "\n", encoding="utf-8")
