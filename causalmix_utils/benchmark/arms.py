"""What is compared: the arms, the settings of one run, and a run's identity.

A run is known by a hash of all its settings. Two runs with the same
settings have the same identity on every machine, so a stored run is never repeated, and a run
with any other setting – another checkpoint, one step more – is never mistaken for it.
Code and libraries are no settings: each run is stored with its commit and their versions.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

PROTOCOL = 2
"""Part of every run's identity; raised when a default, or the meaning of a setting or a metric, changes."""


@dataclass(frozen=True)
class Arm:
    """One way to fine-tune.

    Parameters
    ----------
    name : str
        Name in results.
    generator : str or None
        Name of the generator of synthetic rows; None fine-tunes on real rows alone.
    generator_options : dict
        Options of the generator that differ from its defaults.
    fine_tunes : bool
        False keeps the zero-shot model: no step is taken.
    """

    name: str
    generator: str | None = None
    generator_options: dict[str, Any] = field(default_factory=dict)
    fine_tunes: bool = True


ARMS: dict[str, Arm] = {
    arm.name: arm
    for arm in (
        Arm("zero_shot", fine_tunes=False),
        Arm("default"),
        Arm("causal", "causal"),
        Arm("ctgan", "ctgan"),
        Arm("tabebm", "tabebm"),
        Arm("table_augment", "table_augment"),
        Arm("smote", "smote"),
        Arm("random_dag", "random_dag"),
        Arm("causal_blanket", "causal_blanket"),
        Arm("independent", "independent"),
        Arm("default_again"),
    )
}
"""All arms by name. ``default_again`` differs from ``default`` by its seed alone: the noise floor."""

SOURCES = ("embedded", "openml")
"""Sources of tables: those of the package, with `scarce_split`; OpenML, with the official splits of its tasks."""


@dataclass(frozen=True)
class RunSettings:
    """What is chosen about one run.

    Options that are not among these settings take the defaults of the code, which belong to the `protocol`.

    Parameters
    ----------
    table : str
        Name of the table.
    table_hash : str
        Hash of the table's content; see `causalmix_utils.tables.content_hash`.
    regime : int
        Rows of the train and validation parts together; two thirds of the table where that is less, or with official
        splits all training rows, which must not be more.
    split, seed : int
        Which split of the table, and which repetition of the run on that split.
    arm : str
        Name of the arm.
    generator : str or None
        As in `Arm`.
    generator_options : dict
        As in `Arm`.
    fine_tunes : bool
        As in `Arm`.
    fine_tuning : dict
        Parameters of `CausalMixFTClassifier`, the same for every arm.
    weights : str
        Checkpoint to start from, as `load_classifier` takes it.
    checkpoint : str
        Hash of the checkpoint file.
    test_rows : int
        Largest number of test rows.
    source : str
        Where the table and its splits come from, see `SOURCES`.
    trajectory_rows : int or None
        So many of the test rows, stratified, are scored at every check; None: all. The final model predicts all.
    protocol : int
        See `PROTOCOL`.
    """

    table: str
    table_hash: str
    regime: int
    split: int
    seed: int
    arm: str
    generator: str | None
    generator_options: dict[str, Any]
    fine_tunes: bool
    fine_tuning: dict[str, Any]
    weights: str
    checkpoint: str
    test_rows: int = 2000
    source: str = "embedded"
    trajectory_rows: int | None = None
    protocol: int = PROTOCOL

    @property
    def identity(self) -> str:
        """Sixteen hexadecimal digits that stand for these settings."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    @property
    def split_seed(self) -> int:
        """Seed of what all arms of a split share: the classifier's ensemble, and what a source with official test rows
        holds back for validation.
        """
        return derive_seed("split", self.table, self.regime, self.split)

    @property
    def run_seed(self) -> int:
        """Seed of what belongs to this run alone: its synthetic rows and its fine-tuning steps."""
        return derive_seed("run", self.table, self.regime, self.split, self.arm, self.seed)

    @property
    def discovery_seed(self) -> int:
        """Seed of the edge probabilities, which all arms of a split share that need some."""
        return derive_seed("discovery", self.table, self.regime, self.split, self.seed)

    def to_json(self) -> str:
        """The settings as one line of JSON with sorted keys."""
        values = asdict(self)
        if self.trajectory_rows is None:  # runs of before there was this option keep their identity
            del values["trajectory_rows"]
        return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> RunSettings:
        """The settings that `to_json` wrote."""
        return cls(**json.loads(text))


def derive_seed(*parts: object) -> int:
    """A seed below 2³¹ from names and numbers, the same in every process and on every machine.

    Python's own ``hash`` of a string differs from process to process, so it can't be used.

    Examples
    --------
    >>> derive_seed("credit-g", 0, "causal") == derive_seed("credit-g", 0, "causal")
    True
    >>> derive_seed("credit-g", 0, "causal") == derive_seed("credit-g", 1, "causal")
    False
    """
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") % 2**31


def hash_checkpoint(weights: str) -> str:
    """Hash of the checkpoint that `weights` names, as `load_classifier` takes it.

    Returns
    -------
    str
        The first sixteen hexadecimal digits of the file's SHA-256.

    Raises
    ------
    ValueError
        If there is no such checkpoint.
    ConnectionError
        If the weights of TabPFN v2 are neither here nor can be downloaded.
    """
    from causalmix_utils import foundation

    if weights == foundation.EMBEDDED_WEIGHTS:
        path = foundation.embedded_checkpoint()
    elif weights == foundation.ONLINE_WEIGHTS:
        from tabpfn.model_loading import resolve_model_path

        foundation.load_classifier(weights, device="cpu")
        path = resolve_model_path(None, "classifier", "v2")[0][0]
    else:
        path = Path(weights)
        if not path.is_file():
            raise ValueError(f"weights={str(weights)!r} is neither a known name nor a file")
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
