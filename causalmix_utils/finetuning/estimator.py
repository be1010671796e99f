"""`CausalMixFTClassifier`: the method of the book as a scikit-learn classifier."""

from __future__ import annotations

import os
import time
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from causalmix_utils.finetuning.holdout import hold_out
from causalmix_utils.finetuning.options import check_options
from causalmix_utils.finetuning.predicting import FineTunedModel
from causalmix_utils.finetuning.stages import Job
from causalmix_utils.finetuning.steps import LoopSettings
from causalmix_utils.finetuning.validating import finetune_over_splits, make_splits
from causalmix_utils.foundation import EMBEDDED_WEIGHTS, load_classifier
from causalmix_utils.generators import Generator, make_generator
from causalmix_utils.randomness import draw_seed, fence_global_randomness
from causalmix_utils.tables import duplicate_groups


class CausalMixFTClassifier(FineTunedModel):
    """A tabular foundation model, fine-tuned on real rows mixed with synthetic ones.

    The training rows are split into a train and a validation part. A generator is fitted on
    the train part and draws synthetic rows. Each fine-tuning step shows the network some of
    the mixed rows as context and asks for the labels of the others. The validation part is
    watched, and the weights that served it best are kept; the model before fine-tuning is the first
    candidate. In the end all real rows, validation rows included, become the context
    that predictions are made from. Synthetic rows never do.

    Parameters
    ----------
    generator : str, Generator or None, default="causal"
        Where synthetic rows come from: a name that `causalmix_utils.generators.list_generators`
        knows, or a `Generator` of your own. None fine-tunes on real rows alone.
    weights : {"nano", "tabpfn-v2"} or path, default="nano"
        The model to start from, see `causalmix_utils.foundation.load_classifier`.
    n_synthetic : int or None, default=None
        How many synthetic rows are drawn; None draws as many as there are train rows.
    mix_ratio : float, default=0.5
        Share of synthetic rows in a step, between 0 and 1.
    mixing : {"pool", "query", "staged"}, default="pool"
        How synthetic rows enter a step: anywhere, as query rows only, or alone in the first
        half of the steps and not at all in the second.
    n_estimators : int, default=4
        Views of the table that predictions are averaged over. A fine-tuning step uses the transformed values and
        the order of classes of one view; they take turns. The order of features is that of the first view in all
        steps, while predictions average over orders.
    learning_rate, weight_decay : float, default=2e-4 and 0.01
        AdamW's settings. The learning rate rises over the first tenth of the steps.
    max_steps : int, default=60
        Largest number of fine-tuning steps. 0 leaves the model as it is (zero-shot).
    early_stopping : bool, default=True
        Keep the weights with the best validation AUC, and stop after `patience` checks without
        a better one. If False, the weights of the last step are kept.
    validation_fraction : float, default=1/3
        Share of the rows given to `fit` that are watched rather than trained on.
    check_every : int, default=5
        Steps between two looks at the validation part.
    patience : int, default=6
        Checks without improvement after which fine-tuning stops.
    min_validation_gain : float, default=0.0
        The zero-shot model is kept unless validation AUC rises, or log-loss falls, by at least this much.
    mix_schedule : {"constant", "linear"}, default="constant"
        Whether the share of synthetic rows stays, or falls along a straight line to none in the last step.
    redraw_every : int or None, default=None
        Steps after which the synthetic rows are drawn anew; a step has as many rows as there are train rows, so 1
        means fresh rows each epoch. All are drawn before the first step. None draws them once.
    validation : {"hold-out", "repeated", "cross"}, default="hold-out"
        What is watched: one part of the rows; several such parts; or the folds of a cross-validation. With
        several, the best number of steps is read off their mean, and a last run takes so many steps on all
        rows. That costs `n_validation_splits` + 1 fits and full runs instead of one.
    n_validation_splits : int, default=5
        Number of these parts.
    validation_synthetic : int, default=0
        So many synthetic rows, drawn for this alone, join the validation rows when checks are compared. Their scores
        are in the trajectory as ``widened_auc`` and ``widened_log_loss``.
    early_stopping_metric : {"auc", "log_loss"}, default="auc"
        What the best check is best at.
    patience_growth : float, default=0.0
        Further checks to wait for each check that it took to reach the best one.
    activation_checkpointing : bool, default=False
        Compute the layers' values again in the backward pass instead of keeping them: a step takes less memory and
        more time. The weights come out the same, but for rounding.
    time_limit : float or None, default=None
        Seconds that a fit should take. Fitting the generator is never cut short; fine-tuning stops at the
        first step past the limit, so it takes one step at least.
    device : str, default="auto"
        "auto" takes a GPU where there is one; else a torch device such as "cpu".
    verbose : bool, default=False
        Show progress bars on a terminal: of the generator's fit and draw, and of fine-tuning.
    categorical_features : list of str or None, default=None
        Columns that hold categories although they are numbers, by name (``x0, x1, …`` for arrays). Columns of text,
        bool or ``category`` dtype are categories anyway.
    ensemble_seed : int or None, default=None
        Seeds the views of the table (order of features and classes) on its own, so that fits with
        different `random_state` still predict from the same views: with the zero-shot weights
        kept, they are equal. None draws it from `random_state`.
    random_state : int, RandomState or None, default=None
        Seeds everything else. With an int, two fits on the same machine are the same.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    n_features_in_, feature_names_in_
        As in scikit-learn.
    trajectory_ : DataFrame
        One row a check: ``step``, ``train_loss``, ``validation_auc``, ``validation_log_loss``,
        ``seconds``; ``test_auc`` and ``test_log_loss`` too if test rows were handed to `fit`.
        While fine-tuning is watched, the train part alone is the context. Empty if ``max_steps=0``.
    best_step_ : int
        The step whose weights were kept; 0 is the zero-shot model.
    interrupted_ : bool
        Whether a `KeyboardInterrupt` ended fine-tuning.
    synthetic_ : Table or None
        The synthetic rows.
    generator_ : Generator or None
        The fitted generator.
    classifier_ : tabpfn.TabPFNClassifier
        The fine-tuned model with all real rows as its context.
    seconds_ : dict
        Seconds of each stage.

    Notes
    -----
    `causalmix_utils.finetuning.RECOMMENDED` holds the options under which the fewest runs on the development tables
    ended more than a point below zero-shot, half as many as with the defaults: pass them as ``**RECOMMENDED``. The
    difference is not beyond chance. What else could hold the weights in place, averaging, interpolation, a pull
    towards the zero-shot weights (L2-SP) and training the head alone, was tried there and did no better than plain
    fine-tuning, so it is no option here; the script ``benchmarks/choose_finetuning.py`` has it, and chapter 4 shows it.
    A growing patience and synthetic validation rows did not help there either; they are off by default.

    References
    ----------
    M. Bühler, L. Purucker, F. Hutter: *Causal Data Augmentation for Robust Fine-Tuning of
    Tabular Foundation Models*, arXiv:2601.04110. Its text leaves most settings open; the
    defaults here are our choice.

    Examples
    --------
    >>> from causalmix_utils.tables import load_table, scarce_split
    >>> train, validation, test = scarce_split(load_table("wine"), n=60, split=0)
    >>> model = CausalMixFTClassifier(generator="smote", max_steps=4, check_every=2, random_state=0)
    >>> model = model.fit(train.X, train.y)
    >>> model.predict_proba(test.X).shape == (len(test), 3)
    True
    >>> list(model.trajectory_["step"])
    [0, 2, 4]
    """

    def __init__(
        self,
        generator: str | Generator | None = "causal",
        *,
        weights: str | os.PathLike = EMBEDDED_WEIGHTS,
        n_synthetic: int | None = None,
        mix_ratio: float = 0.5,
        mixing: str = "pool",
        n_estimators: int = 4,
        learning_rate: float = 2e-4,
        weight_decay: float = 0.01,
        max_steps: int = 60,
        early_stopping: bool = True,
        validation_fraction: float = 1 / 3,
        check_every: int = 5,
        patience: int = 6,
        min_validation_gain: float = 0.0,
        mix_schedule: str = "constant",
        redraw_every: int | None = None,
        validation: str = "hold-out",
        n_validation_splits: int = 5,
        validation_synthetic: int = 0,
        early_stopping_metric: str = "auc",
        patience_growth: float = 0.0,
        activation_checkpointing: bool = False,
        time_limit: float | None = None,
        device: str = "auto",
        verbose: bool = False,
        categorical_features: list[str] | None = None,
        ensemble_seed: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.generator = generator
        self.weights = weights
        self.n_synthetic = n_synthetic
        self.mix_ratio = mix_ratio
        self.mixing = mixing
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.max_steps = max_steps
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.check_every = check_every
        self.patience = patience
        self.min_validation_gain = min_validation_gain
        self.mix_schedule = mix_schedule
        self.redraw_every = redraw_every
        self.validation = validation
        self.n_validation_splits = n_validation_splits
        self.validation_synthetic = validation_synthetic
        self.early_stopping_metric = early_stopping_metric
        self.patience_growth = patience_growth
        self.activation_checkpointing = activation_checkpointing
        self.time_limit = time_limit
        self.device = device
        self.verbose = verbose
        self.categorical_features = categorical_features
        self.ensemble_seed = ensemble_seed
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: Any,
        *,
        X_validation: Any = None,
        y_validation: Any = None,
        X_test: Any = None,
        y_test: Any = None,
    ) -> CausalMixFTClassifier:
        """Fine-tune on the given rows.

        Parameters
        ----------
        X : DataFrame or array of shape (n_rows, n_features)
            Features; missing values and categories are welcome.
        y : array of shape (n_rows,)
            Labels, at most ten classes.
        X_validation, y_validation : optional
            Rows to watch. If given, all of `X` is trained on; else a stratified share
            `validation_fraction` of `X` is held back, with equal rows on one side.
        X_test, y_test : optional
            Rows that are scored at every check *for study only*: nothing depends on them.

        Returns
        -------
        CausalMixFTClassifier
            Itself.

        Raises
        ------
        ValueError
            If an option has a wrong value, a column can't be read, there are fewer than two or
            more than ten classes, or too few rows to hold some back.

        Notes
        -----
        A `KeyboardInterrupt` during fine-tuning ends it with a warning, and the best weights so far are kept. If
        a fit ends with an error, or is interrupted earlier, the estimator is not fitted, even if it was before.
        """
        self._forget()
        try:
            check_options(self.get_params(deep=False))
            # Before the fence: without a seed, NumPy's global generator has to move on, so that no two fits are alike.
            rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31 - 1))
            with fence_global_randomness():  # building the network draws from torch's global generator
                self._fit(X, y, (X_validation, y_validation), (X_test, y_test), rng)
        except BaseException:  # of a KeyboardInterrupt, too
            self._forget()
            raise
        return self

    def _fit(self, X: Any, y: Any, given_validation: tuple, given_test: tuple, rng: np.random.Generator) -> None:
        started = time.monotonic()
        generator = None if self.generator is None else make_generator(self.generator)
        split_rng, fit_rng, sample_rng, loop_rng = rng.spawn(4)
        train, real = self._learn_table(X, y)
        validation, test = self._encode_part(*given_validation, "validation"), self._encode_part(*given_test, "test")
        drawn_seed = draw_seed(rng)
        classifier = load_classifier(
            self.weights,
            n_estimators=int(self.n_estimators),
            random_state=drawn_seed if self.ensemble_seed is None else int(self.ensemble_seed),
            device=self.device,
            categorical_features_indices=[train.X.columns.get_loc(column) for column in train.categorical],
        )
        self.seconds_, self.generator_, self.synthetic_ = {}, None, None
        if validation is not None:
            self._context = np.vstack([real[0], validation[0]]), np.concatenate([real[1], validation[1]])
        else:
            self._context = real
        if self.max_steps == 0:
            self.trajectory_, self.best_step_, self.interrupted_ = pd.DataFrame(), 0, False
            self.classifier_ = classifier.fit(*self._context)
            return
        job = Job(
            classifier,
            self._encoder,
            generator if self.mix_ratio > 0 else None,
            self.n_synthetic,
            self.validation_synthetic,
            test,
            self.seconds_,
            self.activation_checkpointing,
            self.verbose,
        )
        settings, rngs = self._loop_settings(started), (fit_rng, sample_rng, loop_rng)
        if self.validation != "hold-out":
            if validation is not None:
                raise ValueError(f"validation must be 'hold-out' where X_validation is given, got {self.validation!r}")
            splits = make_splits(
                real[1],
                self.validation,
                self.n_validation_splits,
                self.validation_fraction,
                split_rng,
                groups=duplicate_groups(train.X),
            )
            outcome = finetune_over_splits(job, train, real, splits, settings, rngs)
        else:
            if validation is None:
                kept, held = hold_out(real[1], self.validation_fraction, split_rng, groups=duplicate_groups(train.X))
                train, validation = train.take(kept), (real[0][held], real[1][held])
            outcome = job.run(train, validation, settings, rngs)
        self.trajectory_, self.best_step_ = outcome.result.trajectory, outcome.result.step
        self.interrupted_ = outcome.result.interrupted
        self.generator_, self.synthetic_ = outcome.generator, outcome.synthetic
        self.classifier_ = outcome.ensemble.evaluator(*self._context)

    def _loop_settings(self, started: float) -> LoopSettings:
        """The options of the loop; of the time limit, what is left of it since the start."""
        options = {field.name: getattr(self, field.name) for field in fields(LoopSettings)}
        if self.time_limit is not None:
            options["time_limit"] = max(0.0, self.time_limit - (time.monotonic() - started))
        return LoopSettings(**options)
