"""A fitted classifier as tensors and a description of plain values, and back.

Everything that a prediction depends on goes along; what a prediction does not depend on goes
along where it is plain: numbers, texts, and lists and dictionaries of these.
"""

from __future__ import annotations

import os
from enum import Enum
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from causalmix_utils import __version__
from causalmix_utils.finetuning.hashed_file import read_hashed, write_hashed
from causalmix_utils.finetuning.inputs import TableEncoder
from causalmix_utils.generators import Generator, make_generator
from causalmix_utils.randomness import fence_global_randomness
from causalmix_utils.tabpfn_bridge import describe_classifier, rebuild_classifier

if TYPE_CHECKING:
    import torch

    from causalmix_utils.finetuning.predicting import FineTunedModel

NETWORK = "network."
CLASS_KINDS = "biufUO"
"""Kinds of NumPy types that labels may have: Booleans, numbers, texts, and objects that are one of these."""


def save_model(model: FineTunedModel, path: str | os.PathLike) -> None:
    """Write a fitted model to one file; see `CausalMixFTClassifier.save`."""
    write_hashed(path, *describe_model(model))


def load_model(model: FineTunedModel, path: str | os.PathLike, device: str | None) -> None:
    """Make a new model the saved one; see `CausalMixFTClassifier.load`."""
    tensors, description = read_hashed(path)
    _check_device_is_here(path, description, device)
    try:
        restore_model(model, tensors, description, device)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        versions = description.get("versions") if isinstance(description, dict) else None
        raise ValueError(
            f"{str(path)!r} can't be read by this version of the package (saved with {versions}): {error}"
        ) from error


def describe_model(model: FineTunedModel) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Tensors and a description, from which `restore_model` makes a model with the same predictions.

    Raises
    ------
    ValueError
        If a parameter or a class is not a plain value.
    """
    import torch

    weights, classifier = describe_classifier(model.classifier_)
    X, y = model._context
    tensors = {NETWORK + name: tensor for name, tensor in weights.items()}
    tensors |= {"context.X": torch.from_numpy(X), "context.y": torch.from_numpy(y)}
    description = {
        "parameters": _describe_parameters(model.get_params(deep=False)),
        "classifier": _plain(classifier),
        "encoder": _describe_encoder(model._encoder),
        "learnt": _describe_learnt(model),
        "trajectory": model.trajectory_.to_dict("list"),
        "versions": {
            "causalmix-utils": __version__,
            **{name: metadata.version(name) for name in ("scikit-learn", "tabpfn", "torch")},
        },
    }
    return tensors, description


def restore_model(
    model: FineTunedModel, tensors: dict[str, torch.Tensor], description: dict[str, Any], device: str | None
) -> None:
    """Give a new model the parameters, and what was learnt, of a described one."""
    parameters = description["parameters"] | ({} if device is None else {"device": device})
    model.set_params(**parameters | {"generator": _restore_generator(parameters["generator"])})
    model._encoder = _restore_encoder(description["encoder"])
    model.classes_ = model._encoder.classes_
    for name, value in description["learnt"].items():
        if name.startswith("_") or not name.endswith("_"):
            raise ValueError(f"{name!r} is no learnt attribute")
        setattr(model, name, value)
    if "feature_names_in_" in description["learnt"]:
        model.feature_names_in_ = np.array(model.feature_names_in_, dtype=object)
    model.trajectory_ = pd.DataFrame(description["trajectory"])
    model._context = tensors["context.X"].numpy(), tensors["context.y"].numpy()
    weights = {name.removeprefix(NETWORK): tensor for name, tensor in tensors.items() if name.startswith(NETWORK)}
    with fence_global_randomness():  # building the network draws from torch's global generator
        classifier = rebuild_classifier(weights, description["classifier"], device=parameters["device"])
        model.classifier_ = classifier.fit(*model._context)


def _check_device_is_here(path: str | os.PathLike, description: Any, device: str | None) -> None:
    """Refuse the device that is asked for, or else the saved model's, if this machine lacks it."""
    import torch

    try:
        device = description["parameters"]["device"] if device is None else device
    except (KeyError, TypeError):
        return  # no description of a model, which is found when it is read
    try:
        if device != "auto":
            torch.empty(0, device=device)
    except (AssertionError, RuntimeError, TypeError) as error:  # the first is torch's where it is built without CUDA
        reason = str(error).partition("\n")[0]
        raise ValueError(
            f"{str(path)!r} can't be loaded with device={device!r}, which this machine lacks ({reason}): "
            'device="cpu" loads it'
        ) from error


def _describe_parameters(parameters: dict[str, Any]) -> dict[str, Any]:
    described = {}
    for name, value in parameters.items():
        if name == "generator":
            described[name] = _describe_generator(value)
        elif isinstance(value, np.random.RandomState):
            described[name] = None  # a state that has moved on says nothing about the fit
        else:
            try:
                described[name] = _plain(value)
            except TypeError as error:
                raise ValueError(f"{name}={value!r} can't be saved: {error}") from error
    return described


def _describe_generator(generator: str | type[Generator] | Generator | None) -> Any:
    """A name, or name and options of an instance; `repr` is what remains of one whose options are not plain."""
    if isinstance(generator, type):
        return generator.name
    if not isinstance(generator, Generator):
        return generator
    try:
        options = _plain(generator.get_params())
    except TypeError:
        options = None
    return {"name": generator.name, "options": options, "repr": repr(generator)}


def _restore_generator(described: Any) -> str | Generator | None:
    if not isinstance(described, dict):
        return described
    if described["options"] is None:
        return described["repr"]
    try:
        return make_generator(described["name"], **described["options"])
    except ValueError:  # a class of the user's own that this process has not registered
        return described["repr"]


def _describe_encoder(encoder: TableEncoder) -> dict[str, Any]:
    classes = encoder.classes_
    if classes.dtype.kind not in CLASS_KINDS:
        raise ValueError(f"classes of dtype {classes.dtype} can't be saved: {list(classes)}")
    try:
        values = _plain(classes.tolist())
    except TypeError as error:
        raise ValueError(f"the classes {list(classes)} can't be saved: {error}") from error
    return {
        "columns": encoder.columns_,
        "levels": encoder.levels_,
        "class_names": encoder.class_names_,
        "classes": values,
        "dtype": classes.dtype.str,
    }


def _restore_encoder(described: dict[str, Any]) -> TableEncoder:
    dtype = np.dtype(described["dtype"])
    if dtype.kind not in CLASS_KINDS:
        raise ValueError(f"classes can't be of dtype {dtype}")
    encoder = TableEncoder()
    encoder.columns_, encoder.levels_ = described["columns"], described["levels"]
    encoder.class_names_, encoder.classes_ = described["class_names"], np.array(described["classes"], dtype=dtype)
    return encoder


def _describe_learnt(model: FineTunedModel) -> dict[str, Any]:
    """The learnt attributes that are plain values."""
    learnt = {}
    for name, value in vars(model).items():
        if name.endswith("_") and name != "classes_":
            try:
                learnt[name] = _plain(value.tolist() if name == "feature_names_in_" else value)
            except TypeError:
                continue
    return learnt


def _plain(value: Any) -> Any:
    """The value as JSON can hold it and give it back; TypeError where it can't."""
    if isinstance(value, Enum):
        return _plain(value.value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    # A number that Python has no type for, such as a longdouble, is its own item.
    if isinstance(value, np.generic) and not isinstance(value.item(), np.generic):
        return _plain(value.item())
    if isinstance(value, os.PathLike):
        return str(Path(value))
    if isinstance(value, (list, tuple, np.ndarray, pd.Index)):
        return [_plain(item) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _plain(item) for key, item in value.items()}
    if type(value).__module__ == "torch" and type(value).__name__ == "device":
        return str(value)
    raise TypeError(f"{type(value).__name__} is not a plain value")
