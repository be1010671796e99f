"""Loading a tabular foundation model: the embedded checkpoint, TabPFN v2, or a file of your own.

All three come back as the same thing, a `tabpfn.TabPFNClassifier`.  The embedded checkpoint
is called ``nano``.  It was trained from scratch by `causalmix_utils.pretraining` on synthetic
tables alone; it is not one of Prior Labs' models and does not derive from one.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import socket
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

from causalmix_utils.arguments import check_count

if TYPE_CHECKING:
    from tabpfn import TabPFNClassifier

EMBEDDED_WEIGHTS = "nano"
ONLINE_WEIGHTS = "tabpfn-v2"
ONLINE_HOST = "huggingface.co"
MAX_CLASSES = 10
"""Largest number of classes that these models can tell apart."""


def embedded_checkpoint() -> Path:
    """Path of the embedded checkpoint, its content verified.

    Returns
    -------
    Path
        A safetensors file of the package.

    Raises
    ------
    ValueError
        If the file's SHA-256 is not the one recorded when it was made.

    Examples
    --------
    >>> embedded_checkpoint().name
    'nano.safetensors'
    """
    folder = resources.files("causalmix_utils") / "weights"
    path = Path(str(folder / f"{EMBEDDED_WEIGHTS}.safetensors"))
    expected = checkpoint_provenance()["sha256"]
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected:
        raise ValueError(f"{path.name} has the SHA-256 {found}, expected {expected}: install the package again")
    return path


def checkpoint_provenance() -> dict[str, Any]:
    """How the embedded checkpoint was made: settings, steps, hours, versions and SHA-256."""
    text = (resources.files("causalmix_utils") / "weights" / f"{EMBEDDED_WEIGHTS}.json").read_text(encoding="utf-8")
    return json.loads(text)


def load_classifier(
    weights: str | os.PathLike = EMBEDDED_WEIGHTS,
    *,
    n_estimators: int = 4,
    random_state: int = 0,
    device: str = "auto",
    **options: Any,
) -> TabPFNClassifier:
    """A classifier that predicts from its context rows, without any training on them.

    Parameters
    ----------
    weights : {"nano", "tabpfn-v2"} or path
        The embedded checkpoint; the weights of TabPFN v2, which are downloaded once if they
        are not on this machine; or the path of a checkpoint that the tabpfn library reads.
    n_estimators : int
        How many differently prepared views of the table the predictions are averaged over.
        More is a little better and proportionally slower.
    random_state : int
        Decides these views (order of features and classes). Same number, same predictions.
    device : str
        "auto" takes a GPU where there is one; else a torch device such as "cpu".
    **options
        Further arguments of `tabpfn.TabPFNClassifier`, such as ``inference_precision=torch.float32``. By itself the
        library predicts in half precision: bfloat16, with two to three significant digits, on processors that compute
        with it, float16 on graphics cards. That rounds close scores to the same number, and so moves the AUC a little.

    Returns
    -------
    tabpfn.TabPFNClassifier
        Not fitted. ``fit(X, y)`` only stores the context rows; ``predict_proba(X_new)`` reads them.

    Raises
    ------
    ValueError
        If `weights` is neither a known name nor an existing file, or `n_estimators` is not positive.
    ConnectionError
        If the weights of TabPFN v2 are not on this machine and can't be downloaded.

    Examples
    --------
    >>> from causalmix_utils.tables import load_table, scarce_split
    >>> train, _, test = scarce_split(load_table("wine"), n=60, split=0)
    >>> classifier = load_classifier(n_estimators=1).fit(train.X, train.y)
    >>> classifier.predict_proba(test.X).shape == (len(test), 3)
    True
    """
    check_count("n_estimators", n_estimators)
    options = {
        "n_estimators": n_estimators,
        "random_state": random_state,
        "device": device,
        # On a CPU the library warns above 200 rows and refuses above 1,000; here both are everyday sizes.
        "ignore_pretraining_limits": True,
        **options,
    }
    if weights == ONLINE_WEIGHTS:
        return _load_online_classifier(options)

    from tabpfn import TabPFNClassifier

    return TabPFNClassifier(model_path=str(_find_checkpoint(weights)), **options)


def _find_checkpoint(weights: str | os.PathLike) -> Path:
    """The file that `weights` names."""
    if weights == EMBEDDED_WEIGHTS:
        return embedded_checkpoint()
    path = Path(weights)
    if not path.is_file():
        raise ValueError(
            f"weights must be {EMBEDDED_WEIGHTS!r}, {ONLINE_WEIGHTS!r} or the path of a checkpoint, "
            f"got {str(weights)!r}"
        )
    return path


def _load_online_classifier(options: dict[str, Any]) -> TabPFNClassifier:
    """TabPFN v2, downloaded now rather than at the first ``fit``, so that a missing network shows here."""
    from tabpfn import TabPFNClassifier
    from tabpfn.constants import ModelVersion
    from tabpfn.model_loading import get_cache_dir

    classifier = TabPFNClassifier.create_default_for_version(ModelVersion.V2, **options)
    stored = get_cache_dir() / Path(str(classifier.model_path)).name
    try:
        if not stored.is_file():
            if not (getproxies() or os.environ.get("HF_ENDPOINT")):  # these find the hub without a look-up from here
                # Without this look-up the library retries for half a minute before it gives up.
                socket.getaddrinfo(ONLINE_HOST, 443)
            copy.deepcopy(classifier)._initialize_model_variables()
    except Exception as error:
        raise ConnectionError(
            "The weights of TabPFN v2 are not on this machine and could not be downloaded: connect to the internet "
            f"once, or use weights={EMBEDDED_WEIGHTS!r} or the path of a checkpoint. The cause: {error}"
        ) from error
    return classifier
