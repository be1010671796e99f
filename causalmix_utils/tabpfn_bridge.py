"""Everything that we need from the inside of the tabpfn library, in one place.

The library's own fine-tuning class has no hook for extra rows, so the loop in
`causalmix_utils.finetuning` is ours.  It needs three things that are not public in
tabpfn 9.2: the network behind a classifier, the views of a table that an ensemble looks at,
and a classifier that predicts with a network while it is being trained.  The generator
`tabebm` needs a fourth: logits that can be differentiated with respect to the rows.  A new
release of the library can change them; then this file is the one to mend.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from causalmix_utils.arguments import check_choice

if TYPE_CHECKING:
    import torch
    from tabpfn import TabPFNClassifier


class TrainableEnsemble:
    """A private copy of a classifier's network, and the loss of its ensemble on rows of one pool.

    Parameters
    ----------
    classifier : TabPFNClassifier
        From `causalmix_utils.foundation.load_classifier`; not fitted, not changed.
    X : ndarray of shape (n_rows, n_features), float
        Features of all rows that fine-tuning may draw, categories as codes, NaN where missing.
    y : ndarray of shape (n_rows,)
        Their class codes. Every class must occur.
    activation_checkpointing : bool, default=False
        Compute the layers' values again in the backward pass instead of keeping them: less memory, more time, the
        same gradients.

    Attributes
    ----------
    network : torch.nn.Module
        The network to train. The given classifier does not share it.
    """

    def __init__(
        self, classifier: TabPFNClassifier, X: np.ndarray, y: np.ndarray, *, activation_checkpointing: bool = False
    ) -> None:
        from tabpfn.base import ModelSpecs

        source = copy.deepcopy(classifier)
        source._initialize_model_variables()
        self.network: torch.nn.Module = copy.deepcopy(source.models_[0])
        self._specs = ModelSpecs(
            model=self.network, architecture_config=source.configs_[0], inference_config=source.inference_config_
        )
        self._parameters = {**classifier.get_params(), "model_path": self._specs}
        self._device = source.devices_[0]
        self.network.to(self._device)
        self._seed = int(classifier.random_state)
        self._views, self._X, self._y = source._initialize_dataset_preprocessing(X=X, y=y, random_state=self._seed)
        self._schema = source.inferred_feature_schema_
        self._n_classes = int(source.n_classes_)
        self._activation_checkpointing = activation_checkpointing

    @property
    def n_views(self) -> int:
        """How many differently prepared views of the table the ensemble averages over."""
        return len(self._views)

    def loss(self, context: np.ndarray, query: np.ndarray, *, view: int) -> torch.Tensor:
        """Mean cross-entropy of the query rows given the context rows, seen through one view of the ensemble.

        Parameters
        ----------
        context, query : ndarray of int
            Positions of rows in the pool. Every class of the pool must be among the context rows.
        view : int
            Which view, ``0 … n_views - 1``. It decides how values are transformed and in which order the classes are;
            the features stand in the order of view 0, whichever it is. `evaluator` gives each view an order of its own.

        Returns
        -------
        torch.Tensor
            A scalar with gradients for `network`.
        """
        import torch

        self.network.train()
        target = torch.as_tensor(self._y[query], dtype=torch.long, device=self._device)
        return torch.nn.functional.cross_entropy(self._view_logits(self._prepare_view(view, context), query), target)

    def _prepare_view(self, view: int, context: np.ndarray) -> Any:
        """One view of the context rows, with its own fitted preprocessing."""
        from tabpfn.preprocessing.ensemble import TabPFNEnsemblePreprocessor

        # The library draws an order of the features for each of `configs`, by its place among them: alone, every view
        # has the order of the first. The stored benchmark was made so; another way would be another way of fine-tuning.
        preprocessor = TabPFNEnsemblePreprocessor(
            configs=self._views[view : view + 1],
            n_samples=len(context),
            feature_schema=self._schema,
            random_state=self._seed,
            n_preprocessing_jobs=1,
        )
        (prepared,) = preprocessor.fit_transform_ensemble_members(X_train=self._X[context], y_train=self._y[context])
        return prepared

    def _view_logits(self, view: Any, query: np.ndarray) -> torch.Tensor:
        """Logits of shape (n_query, n_classes), the classes back in their own order."""
        import torch
        from tabpfn.architectures.interface import PerformanceOptions

        X_context = torch.as_tensor(np.asarray(view.X_train), dtype=torch.float32)
        X_query = torch.as_tensor(np.asarray(view.transform_X_test(self._X[query])), dtype=torch.float32)
        X = torch.cat([X_context, X_query]).to(self._device)[:, None]  # (context + query rows, 1 table, features)
        y = torch.as_tensor(np.asarray(view.y_train), dtype=torch.float32, device=self._device)[:, None]
        options = PerformanceOptions(
            use_chunkwise_inference=False, force_recompute_layer=self._activation_checkpointing
        )
        logits = self.network(X, y, performance_options=options)[:, 0]
        order = view.config.class_permutation
        return logits[:, : self._n_classes] if order is None else logits[:, order]

    def evaluator(self, X_context: np.ndarray, y_context: np.ndarray) -> TabPFNClassifier:
        """A fitted classifier that predicts with `network` as it is at the moment of the call.

        It shares the network: after every training step it predicts with the new weights,
        without being fitted again. The network is in evaluation mode and without gradients until the next step: in
        training mode the library would not predict many rows in parts.
        """
        from tabpfn import TabPFNClassifier

        self.network.eval()
        self.network.zero_grad(set_to_none=True)
        return TabPFNClassifier(**self._parameters).fit(X_context, y_context)

    def snapshot(self) -> dict[str, torch.Tensor]:
        """A copy of the weights."""
        return {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}

    def restore(self, weights: dict[str, torch.Tensor]) -> None:
        """Put the weights of a `snapshot` back."""
        self.network.load_state_dict(weights)


class QueryLogits:
    """Logits of query rows, to be differentiated with respect to these rows; the context rows are read once.

    The network is given numbers as they are: the library's preparation of a table is not differentiable, and one
    view is all there is. What the network makes of the context rows does not depend on the query rows, so it is kept,
    and a call costs as much as the query rows alone.

    Parameters
    ----------
    classifier : TabPFNClassifier
        From `causalmix_utils.foundation.load_classifier`; not fitted, not changed.
    X : ndarray of shape (n_tables, n_context, n_features), float
        Context rows of several tables, which are read in one pass.
    y : ndarray of shape (n_tables, n_context)
        Their class codes.
    """

    def __init__(self, classifier: TabPFNClassifier, X: np.ndarray, y: np.ndarray) -> None:
        import torch
        from tabpfn.architectures.interface import PerformanceOptions

        source = copy.deepcopy(classifier)
        source._initialize_model_variables()
        # The library shares a network between all classifiers of one checkpoint: its parameters are not ours to freeze.
        self._network = copy.deepcopy(source.models_[0]).to(source.devices_[0]).eval().requires_grad_(False)
        self._device = source.devices_[0]
        self._options = PerformanceOptions(use_chunkwise_inference=False)
        self._n_classes = int(y.max()) + 1
        rows = self._as_input(X)
        self._y = torch.as_tensor(y.T, dtype=torch.float32, device=self._device)
        with torch.no_grad():
            # One query row, since not every network takes context rows alone; its logits are not looked at.
            _, self._read = self._network(
                torch.cat([rows, rows[:1]]), self._y, performance_options=self._options, return_kv_cache=True
            )

    def __call__(self, X: torch.Tensor) -> torch.Tensor:
        """Logits of shape (n_tables, n_query, n_classes) of query rows of shape (n_tables, n_query, n_features)."""
        logits = self._network(
            X.transpose(0, 1), self._y, performance_options=self._options, kv_cache=self._read, x_is_test_only=True
        )
        return logits[..., : self._n_classes].transpose(0, 1)

    def tensor(self, X: np.ndarray) -> torch.Tensor:
        """An array in the type and on the device of the network."""
        import torch

        return torch.as_tensor(X, dtype=torch.float32, device=self._device)

    def _as_input(self, X: np.ndarray) -> torch.Tensor:
        """The library has rows first and tables second."""
        return self.tensor(X).transpose(0, 1)


def describe_classifier(classifier: TabPFNClassifier) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The weights of a fitted classifier's network, and what `rebuild_classifier` needs to know besides.

    The description holds plain values only, apart from tuples and enumerations.
    """
    import inspect
    from dataclasses import asdict

    from tabpfn.architectures import ARCHITECTURES

    config = classifier.configs_[0]
    names = {module.__name__: name for name, module in ARCHITECTURES.items()}
    defaults = inspect.signature(type(classifier).__init__).parameters
    chosen = {
        name: value
        for name, value in classifier.get_params(deep=False).items()
        if name not in ("model_path", "device") and value != defaults[name].default
    }
    return classifier.models_[0].state_dict(), {
        "architecture": names[type(config).__module__],
        "config": asdict(config),
        "inference_config": asdict(classifier.inference_config_),
        "parameters": chosen,
    }


def rebuild_classifier(
    weights: dict[str, torch.Tensor], description: dict[str, Any], *, device: str
) -> TabPFNClassifier:
    """The classifier that `describe_classifier` described; not fitted.

    Raises
    ------
    ValueError
        If there is no such architecture, or the weights do not fit it.
    """
    from tabpfn import TabPFNClassifier
    from tabpfn.architectures import ARCHITECTURES
    from tabpfn.base import ModelSpecs
    from tabpfn.inference_config import InferenceConfig

    name = check_choice("architecture", description["architecture"], ARCHITECTURES)
    config, _ = ARCHITECTURES[name].parse_config(description["config"])
    network = ARCHITECTURES[name].get_architecture(config)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"the weights do not fit the architecture {name!r}: {error}") from error
    specs = ModelSpecs(
        model=network.eval(),
        architecture_config=config,
        inference_config=InferenceConfig(**description["inference_config"]),
    )
    return TabPFNClassifier(**description["parameters"], model_path=specs, device=device)
