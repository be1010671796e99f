"""Generators by name: making, listing and registering them."""

from __future__ import annotations

import inspect
from typing import Any

import pandas as pd

from causalmix_utils.generators.base import Generator

_REGISTERED: dict[str, type[Generator]] = {}


def register_generator(cls: type[Generator]) -> type[Generator]:
    """Make a generator class known under its `name`; usable as a class decorator.

    Parameters
    ----------
    cls : subclass of Generator
        With a `name` that no other class has. Registering the class of the same module and
        name again replaces it, so that a notebook cell can be run twice.

    Returns
    -------
    type
        The class itself.

    Raises
    ------
    ValueError
        If `cls` is not a concrete subclass of `Generator`, has no name, or its name is taken.

    See Also
    --------
    causalmix_utils.generators.base : has a complete example of an own generator.
    causalmix_utils.generators.check_generator : tells whether it keeps the contract.
    """
    if not (inspect.isclass(cls) and issubclass(cls, Generator)):
        raise ValueError(f"cls must be a subclass of Generator, got {cls!r}")
    if inspect.isabstract(cls):
        raise ValueError(f"{cls.__name__} does not implement {sorted(cls.__abstractmethods__)}")
    if not cls.name:
        raise ValueError(f"{cls.__name__} needs a class attribute name, got {cls.name!r}")
    holder = _REGISTERED.get(cls.name)
    if holder is not None and (holder.__module__, holder.__qualname__) != (cls.__module__, cls.__qualname__):
        raise ValueError(f"the name {cls.name!r} of {cls.__name__} is taken by {holder.__name__}")
    _REGISTERED[cls.name] = cls
    return cls


def make_generator(generator: str | type[Generator] | Generator, **options: Any) -> Generator:
    """Make an unfitted generator.

    Parameters
    ----------
    generator : str, subclass of Generator, or Generator
        A name that `list_generators` shows, a class, or an instance. Of an instance an unfitted
        copy with the same options is made, so that what is passed in is never changed.
    **options
        Options of the generator. They are checked when it is fitted.

    Returns
    -------
    Generator

    Raises
    ------
    ValueError
        If there is no such generator, or it has no such option.

    Examples
    --------
    >>> make_generator("smote", k_neighbors=3)
    SmoteGenerator(k_neighbors=3, cover_classes=True)
    """
    if isinstance(generator, Generator):
        return type(generator)(**generator.get_params()).set_params(**options)
    if inspect.isclass(generator) and issubclass(generator, Generator):
        return generator().set_params(**options)
    if not isinstance(generator, str) or generator not in _REGISTERED:
        raise ValueError(f"generator must be one of {sorted(_REGISTERED)} or a Generator, got {generator!r}")
    return _REGISTERED[generator]().set_params(**options)


def list_generators() -> pd.DataFrame:
    """All generators that are known by name, one a row.

    Returns
    -------
    DataFrame
        Columns `name`; `summary`; `source`, the paper or description followed; `licence` of the
        implementation; `cost`, the order of magnitude of fitting 200 rows × 20 columns and drawing 1,000 rows
        on one CPU core; `requires`, the package's extra that must be installed.

    Examples
    --------
    >>> list_generators().query("requires != ''")["name"].tolist()
    ['ctgan']
    """
    fields = ["name", "summary", "source", "licence", "cost", "requires"]
    return pd.DataFrame(
        [{field: getattr(cls, field) for field in fields} for cls in _REGISTERED.values()], columns=fields
    )
