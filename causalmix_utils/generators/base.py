"""The contract that every generator of synthetic rows keeps.

A generator learns from a training table and draws new rows that look like it.  It implements
two methods, `_fit` and `_sample`; everything that has to be right for *every* generator – missing values,
column types, levels, ranges, classes – is done here, once.

Writing your own takes about twenty lines.  *An exercise:* write a generator that copies real rows and adds noise to
their numerical columns, with an option for how much, make it known under a name, and show that it keeps the contract.
*A solution:*

>>> import numpy as np
>>> import pandas as pd
>>> from causalmix_utils.generators import Generator, make_generator, register_generator
>>> from causalmix_utils.tables import Table
>>> @register_generator
... class JitterGenerator(Generator):
...     name = "jitter"
...     summary = "real rows with noise added to their numerical columns"
...     source = "an example of this page"
...
...     def __init__(self, *, scale=0.1, cover_classes=True):
...         self.scale = scale
...         self.cover_classes = cover_classes
...
...     def _check_options(self):
...         if self.scale < 0:
...             raise ValueError(f"scale must not be negative, got {self.scale!r}")
...
...     def _fit(self, train, rng):
...         self.rows_ = train.to_frame()
...         self.noise_ = self.scale * train.X[train.numerical].std()
...
...     def _sample(self, n, rng):
...         drawn = self.rows_.iloc[rng.integers(len(self.rows_), size=n)].reset_index(drop=True)
...         for column, noise in self.noise_.items():
...             drawn[column] = drawn[column] + rng.normal(scale=noise, size=n)
...         return drawn
>>> frame = pd.DataFrame({"age": [31, 45, 28, 60], "job": ["cook", "smith", "cook", "cook"], "paid": list("nyny")})
>>> train = Table.from_frame(frame, target="paid")
>>> rng = np.random.default_rng(0)
>>> generator = make_generator("jitter", scale=0.5).fit(train, rng=rng)
>>> generator.sample(100, rng=rng)
Table('table/jitter': 100 rows, 2 features (1 categorical), 2 classes)

Nothing here rounds ages, keeps jobs among those that occur, or sees that somebody is paid: `Generator` does.  Does the
generator keep its own part of the contract, on tables that make generators fail?

>>> from causalmix_utils.generators import check_generator, hostile_tables
>>> for table in hostile_tables().values():
...     check_generator("jitter", table=table)

A breach raises a ``ValueError`` that says what is wrong, such as options that are not stored as given or random numbers
that come from elsewhere than `rng`.  Once registered, the generator works wherever a name is taken:
``CausalMixFTClassifier(generator="jitter")``, or ``causalmix_utils.evaluation.score_synthetic_rows`` on its rows.
"""

from __future__ import annotations

import copy
import inspect
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from causalmix_utils.arguments import check_count, check_flag, check_rng
from causalmix_utils.generators._restoring import restore_table
from causalmix_utils.scm.filling import fill_missing
from causalmix_utils.tables import Table

if TYPE_CHECKING:
    from causalmix_utils.generators.label_signal import LabelSignal


class Generator(ABC):
    """Base class of all generators of synthetic rows.

    A subclass sets the class attributes below, takes its options as keyword-only arguments, stores
    them unchanged (as scikit-learn's estimators do), and implements ``_fit(train, rng)`` and
    ``_sample(n, rng)``. ``_fit`` stores what it learns in attributes that end in ``_``.
    ``_sample`` returns a DataFrame of `n` raw rows with all columns of the training table: numbers in numerical
    columns, strings in categorical ones and in the target. An option `cover_classes`, if there is
    one, is obeyed by `sample`; it counts as True otherwise. Options are checked in
    ``_check_options()``, which `fit` calls first.

    Attributes
    ----------
    name : str
        Name under which `make_generator` finds it.
    summary : str
        What the rows are, in one line.
    source : str
        The paper or the description that it follows.
    licence : str
        Licence of the implementation, the library's where it uses one.
    cost : str
        Order of magnitude of fitting 200 rows × 20 columns and drawing 1,000 rows on one CPU core.
    requires : str
        The package's extra that must be installed, empty if none.
    accepts_missing : bool
        Whether ``_fit`` copes with missing values. If not, it is given a table in which each
        missing value is filled with an observed one of the same column and class.
    returns_missing : bool
        Whether missing values in the rows of ``_sample`` are meant. If not, each new row is
        blanked where a training row of its class, drawn at random, has missing values.

    Notes
    -----
    Randomness comes from `rng` alone, so the same seed gives the same rows on the same machine.
    """

    name: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    source: ClassVar[str] = ""
    licence: ClassVar[str] = "BSD-3-Clause"
    cost: ClassVar[str] = "unknown"
    requires: ClassVar[str] = ""
    accepts_missing: ClassVar[bool] = False
    returns_missing: ClassVar[bool] = False

    @abstractmethod
    def _fit(self, train: Table, rng: np.random.Generator) -> None:
        """Learn from `train`, which must not be changed."""

    @abstractmethod
    def _sample(self, n: int, rng: np.random.Generator) -> pd.DataFrame:
        """Draw `n` raw rows."""

    def _check_options(self) -> None:  # noqa: B027 (optional hook, not forgotten)
        """Raise a ``ValueError`` that names the option and its value if one is wrong."""

    def fit(self, train: Table, *, rng: np.random.Generator) -> Generator:
        """Learn from a training table.

        Parameters
        ----------
        train : Table
            Not changed.
        rng : numpy.random.Generator
            The only source of randomness.

        Returns
        -------
        Generator
            Itself.

        Raises
        ------
        ValueError
            If an option, `train` or `rng` is not valid.
        """
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)  # a fit that fails leaves no earlier one
        check_rng(rng)
        if not isinstance(train, Table):
            raise ValueError(f"train must be a causalmix_utils.tables.Table, got {type(train).__name__}")
        check_flag("cover_classes", self._covers_classes)
        self._check_options()
        # A copy, so that asking for the label signal later changes neither the rows nor itself.
        self._label_signal = copy.deepcopy(rng)
        self._fit(train if self.accepts_missing else fill_missing(train, rng=rng), rng)
        self.train_ = train
        return self

    def sample(self, n: int, *, rng: np.random.Generator) -> Table:
        """Draw new rows.

        Parameters
        ----------
        n : int
            Number of rows, at least 1.
        rng : numpy.random.Generator
            The only source of randomness.

        Returns
        -------
        Table of `n` rows
            With the training table's columns, order, types, levels, ranges and decimals, and with missing
            values only in columns where it has some. Unless the option `cover_classes` is False, every class of the
            training table occurs, provided that `n` is at least their number: a class that was not drawn
            gets one row, in place of a row of the largest class, with each value
            drawn from the training rows of that class alone.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `fit` was not called before.
        ValueError
            If `n` or `rng` is not valid.
        """
        n = check_count("n", n)
        check_rng(rng)
        self._check_fitted("sample")
        return restore_table(
            self._sample(n, rng),
            like=self.train_,
            rng=rng,
            name=f"{self.train_.name}/{self.name}",
            returns_missing=self.returns_missing,
            cover_classes=self._covers_classes,
        )

    @property
    def _covers_classes(self) -> bool:
        return getattr(self, "cover_classes", True)

    @property
    def label_signal_(self) -> LabelSignal:
        """How much the rows say about the target: `measure_label_signal` on the training table.

        Computed when it is first asked for, which takes as long as three fits, from a copy of the `rng` that
        `fit` was given.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `fit` was not called before.
        ValueError
            If the training table has a single class or fewer than six different rows.
        """
        from causalmix_utils.generators.label_signal import measure_label_signal

        self._check_fitted("label_signal_")
        if isinstance(self._label_signal, np.random.Generator):
            self._label_signal = measure_label_signal(self, self.train_, rng=self._label_signal)
        return self._label_signal

    def _check_fitted(self, wanted: str) -> None:
        if not hasattr(self, "train_"):
            from sklearn.exceptions import NotFittedError

            raise NotFittedError(
                f"this {type(self).__name__} is not fitted yet: call fit(train, rng=rng) before {wanted}"
            )

    @classmethod
    def _option_names(cls) -> list[str]:
        parameters = inspect.signature(cls).parameters.values()
        named = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return [parameter.name for parameter in parameters if parameter.kind in named]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Options and their values, as `sklearn.base.clone` needs them. `deep` changes nothing."""
        return {name: getattr(self, name) for name in self._option_names()}

    def set_params(self, **options: Any) -> Generator:
        """Change options by name; the generator must then be fitted again.

        Raises
        ------
        ValueError
            If there is no option of that name.
        """
        known = self._option_names()
        for option, value in options.items():
            if option not in known:
                raise ValueError(f"generator {self.name!r} has no option {option!r}; its options are {known}")
            setattr(self, option, value)
        return self

    def __repr__(self) -> str:
        options = ", ".join(f"{option}={value!r}" for option, value in self.get_params().items())
        return f"{type(self).__name__}({options})"
