"""The defaults that decide a run's result, and stand in no setting of it, belong to the protocol.

A run is known by its settings. Options that no setting names take the defaults of the code, so a default that changed
would mix two methods under one identity. Whoever changes one on purpose raises `PROTOCOL` and stores the new defaults
with `python tests/test_benchmark_protocol.py`; all runs are then made anew.
"""

import json
from pathlib import Path

from causalmix_utils.benchmark import ARMS, PROTOCOL
from causalmix_utils.finetuning import CausalMixFTClassifier
from causalmix_utils.finetuning.steps import QUERY_FRACTION
from causalmix_utils.generators import make_generator

STORED = Path(__file__).with_name("protocol_defaults.json")


def read_defaults():
    """The defaults of today's code, as JSON gives them back."""
    generators = sorted({arm.generator for arm in ARMS.values() if arm.generator})
    found = {
        "protocol": PROTOCOL,
        "query_fraction": QUERY_FRACTION,
        "arms": {arm.name: [arm.generator, arm.generator_options, arm.fine_tunes] for arm in ARMS.values()},
        "estimator": CausalMixFTClassifier().get_params(deep=False),
        "generators": {name: make_generator(name).get_params() for name in generators},
    }
    return json.loads(json.dumps(found, default=str))


def test_no_default_changed_without_the_protocol():
    stored, found = json.loads(STORED.read_text(encoding="utf-8")), read_defaults()
    assert found == stored, "raise PROTOCOL if runs have other results now, and store the defaults anew"


if __name__ == "__main__":
    STORED.write_text(json.dumps(read_defaults(), indent=2, sort_keys=True) + "\n", encoding="utf-8")
