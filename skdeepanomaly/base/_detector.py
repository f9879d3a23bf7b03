"""The base class of all deep detectors: the scikit-learn methods, and hooks."""

import copy
import inspect
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from skorch.history import History
from torch import nn

from ..engine import DetectorNet, map_in_blocks, single_row_defaults
from ..engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ..utils.scores import OffsetMixin
from ..utils.types import Contamination, Floats, RandomState
from ..utils.validation import Interval, Options, StrOptions, check_labels
from ._docstrings import (
    ACTIVATION_PARAMETERS,
    COMMON_ATTRIBUTES,
    COMMON_PARAMETERS,
    fill_docstring,
)
from ._explaining import ExplainingMixin
from ._far_rows import FarRowsMixin
from ._fitting import fit_from_scratch, fit_further
from ._nested_params import NestedParamsMixin
from ._reservoir import Reservoir
from ._rows import RowsMixin
from ._versioning import VersionedMixin


class BaseDeepDetector(
    NestedParamsMixin,
    ExplainingMixin,
    FarRowsMixin,
    RowsMixin,
    VersionedMixin,
    OffsetMixin,
    BaseEstimator,
):
    """Base of all deep detectors.

    A subclass sets the class of its network (``_module_class``) and the class of its loss
    (``_criterion_class``), and overrides hooks if its training or its score needs more. The
    hooks are at the end of this class. The contributing guide of the documentation shows an
    example.

    The constructor of a subclass must name every parameter of this constructor, as in
    scikit-learn. A class that is only a base of other classes is defined with
    ``abstract=True``: ``class BaseThing(BaseDeepDetector, abstract=True)``.
    """

    _parameter_constraints: dict = {
        "module": [callable, None],
        "optimizer": [callable],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "max_epochs": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "batch_size": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
            Options(Integral, {-1}),
        ],
        "train_split": [Interval(Real, 0, 1, closed="neither"), callable, None],
        "callbacks": [list, tuple, None],
        "contamination": [Interval(Real, 0, 0.5, closed="right"), StrOptions({"auto"})],
        "warm_start": ["boolean"],
        "device": [str, torch.device],
        "compile": ["boolean"],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }
    # Texts that replace ``%(name)s`` in the docstrings of subclasses.
    _doc_parts: dict[str, str] = {
        "activation_parameters": ACTIVATION_PARAMETERS,
        "common_parameters": COMMON_PARAMETERS,
        "common_attributes": COMMON_ATTRIBUTES,
    }

    _net_class: type[DetectorNet] = DetectorNet
    _module_class: type[nn.Module]
    _criterion_class: type[nn.Module]

    # What a fit sets.
    net_: DetectorNet
    offset_: float
    fit_warnings_: list[str]
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]

    # Names of the parameters that are optimisers. Defaults of arguments of these optimisers;
    # an optimiser without such an argument does not get it.
    _optimizers: tuple[str, ...] = ("optimizer",)
    _optimizer_defaults: dict = {}

    # "auto" of max_epochs means about _n_steps optimiser steps within _epoch_range, but never
    # more than _most_steps; "auto" of batch_size means _auto_batch_size.
    _n_steps = 1000
    _most_steps = 4000
    _epoch_range = (10, 1000)
    _auto_batch_size = 256

    # Labels in fit: None ignores y, "optional" uses y if it is given, "required" raises an
    # error unless y holds some anomalies.
    _labels: str | None = None

    # Largest number of rows that partial_fit keeps for the threshold.
    _reservoir_size = 10_000

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        """Check the constructor of a subclass and fill in its docstring."""
        super().__init_subclass__(**kwargs)
        if abstract:
            return
        named = inspect.signature(cls).parameters
        missing = [n for n in inspect.signature(BaseDeepDetector).parameters if n not in named]
        if missing:
            raise TypeError(
                f"{cls.__name__}.__init__ must name every parameter of BaseDeepDetector, and"
                f" pass it on, but it lacks {', '.join(missing)}: a parameter that hides in"
                " **kwargs is unknown to get_params and clone."
            )
        fill_docstring(cls)

    def __init__(
        self,
        *,
        module: Module | None = None,
        optimizer: Optimizer = torch.optim.Adam,
        lr: float = 1e-3,
        max_epochs: int | Literal["auto"] = "auto",
        batch_size: int | Literal["auto"] = "auto",
        train_split: TrainSplit | None = None,
        callbacks: Callbacks | None = None,
        contamination: Contamination = 0.1,
        warm_start: bool = False,
        device: Device = "cpu",
        compile: bool = False,
        verbose: int = 0,
        random_state: RandomState = None,
        **component__param: Any,
    ):
        self.module = module
        self.optimizer = optimizer
        self.lr = lr
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.train_split = train_split
        self.callbacks = callbacks
        self.contamination = contamination
        self.warm_start = warm_start
        self.device = device
        self.compile = compile
        self.verbose = verbose
        self.random_state = random_state
        self._set_nested_params(component__param)

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Train the network and set the threshold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows, at least two. An array of float32 is used without a copy, and a
            memory map may be larger than the memory of the machine.
        y : array-like of shape (n_samples,), default=None
            Labels, for semi-supervised detectors: -1 for anomalies, +1 for normal rows, 0
            for unlabelled rows. All other detectors ignore y.

        Returns
        -------
        self : object
            The fitted detector.

        Raises
        ------
        ValueError
            If a parameter, X or a label is not valid, or if the training diverges. If the
            detector was fitted before, it keeps its former state.
        TypeError
            If a custom ``train_split`` does not return skorch datasets.
        KeyboardInterrupt
            After Ctrl-C. In training: training ends, the threshold is set, and then the
            exception is raised, so that the detector can be used; in a pre-training, the
            network keeps the weights of the pre-training. Before training, or twice: the
            detector keeps its former state.
        """
        if self.warm_start and self.__sklearn_is_fitted__():
            return fit_further(self, X, y)
        return fit_from_scratch(self, X, y)

    def partial_fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Train ``max_epochs`` more epochs on X.

        Learning rates and other arguments of the optimisers, callbacks, ``batch_size`` and
        ``train_split`` may be changed between calls. The network, the loss and the classes of
        the optimisers may not be changed. The network stays on its device.

        The threshold is computed from a uniform sample of at most 10,000 of all rows that
        ``partial_fit`` was given, scored with the current weights. The detector keeps this
        sample, also in a pickle. Rows of an earlier ``fit`` are not in it. Other statistics
        that the scores need, such as the mean error of each feature, are computed from the
        same sample. Therefore the first ``partial_fit`` after ``fit`` warns if it gets fewer
        than 50 rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            New rows, at least two.
        y : array-like of shape (n_samples,), default=None
            As in ``fit``.

        Returns
        -------
        self : object
            The fitted detector.

        Raises
        ------
        ValueError
            As in ``fit``; also if a parameter of the network or of the loss was changed
            since the first fit.
        KeyboardInterrupt
            As in ``fit``.
        """
        if self.__sklearn_is_fitted__():
            reservoir = self._reservoir or Reservoir(self._reservoir_size)
            return fit_further(self, X, y, reservoir)
        return fit_from_scratch(self, X, y, Reservoir(self._reservoir_size))

    def score_samples(self, X: ArrayLike) -> Floats:
        """Return the normality scores of rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64
            Scores; the higher, the more normal. The score of a row does not depend on the
            other rows of X. If the score of an extreme row is not finite in float32, it is
            the lowest float64 number. A row whose distance to the median training row is
            more than twice the largest such distance of a training row gets a penalty,
            unless the score is a sum of errors of features, which needs none.

        Raises
        ------
        NotFittedError
            If the detector is not fitted.
        ValueError
            If X is not valid: it has NaN or infinite values, values that are too large for
            float32, or other columns than in ``fit``.
        """
        check_is_fitted(self)
        X = self._validate_X(X, reset=False, min_samples=1)
        scores = map_in_blocks(self._anomaly_scores, X, self.net_.device, width=self.net_.width)
        np.negative(scores, out=scores)
        lowest = np.finfo(np.float64).min
        return np.nan_to_num(scores, copy=False, nan=lowest, neginf=lowest, posinf=lowest)

    def __getstate__(self):
        state = super().__getstate__()
        # Nets that partial_fit or a warm start trains further need the moments.
        if "net_" in state and not self.warm_start and self._reservoir is None:
            state["net_"] = self.net_.without_moments()
        return state

    def __deepcopy__(self, memo):
        # A copy goes on as the detector does; what a pickle leaves out is in it.
        copied = memo[id(self)] = type(self).__new__(type(self))
        vars(copied).update(copy.deepcopy(vars(self), memo))
        return copied

    def _score_row(self, row: np.ndarray) -> float:
        """Return the score of a single row that was checked, at once; for streams.

        The row is not put into a block of others, so that the last digits may differ.
        """
        with single_row_defaults():
            x = torch.from_numpy(row.astype(np.float32))[None].to(self.net_.device)
            score = -float(self._anomaly_scores(x))
        return score if np.isfinite(score) else float(np.finfo(np.float64).min)

    def _row_scorer(self) -> Callable[[np.ndarray], float]:
        """Return a function that does what ``_score_row`` does, with the weights as they are.

        A stream calls it for many rows. Detectors with a quicker way override this.
        """
        return self._score_row

    def _map_rows(self, function, X, dtype=np.float32) -> np.ndarray:
        """Validate rows and return ``function(rows)``, computed block by block."""
        check_is_fitted(self)
        X = self._validate_X(X, reset=False, min_samples=1)
        return map_in_blocks(function, X, self.net_.device, dtype=dtype, width=self.net_.width)

    def _validate_y(self, y, n_samples: int, first: bool) -> np.ndarray | None:
        if self._labels is None:
            return None
        # If training goes on, the new rows need not hold labelled anomalies.
        required = first and self._labels == "required"
        return check_labels(y, n_samples, type(self).__name__, required=required, first=first)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self._labels == "required"
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "net_")

    @property
    def history_(self) -> History:
        """Training history, a :class:`skorch.history.History` with one row for each epoch."""
        check_is_fitted(self)
        return self.net_.history

    @property
    def n_epochs_(self) -> int:
        """Number of epochs that the network was trained for."""
        return len(self.history_)

    # Hooks that subclasses override. In the hooks that run during a fit, ``self.net_`` is the
    # net that is being trained; if the fit fails, the former net is restored.

    def _module_params(self, n_features: int) -> dict:
        """Return the constructor arguments of the module, besides ``n_features``."""
        return {}

    def _criterion_params(self) -> dict:
        """Return the constructor arguments of the criterion."""
        return {}

    def _net_params(self) -> dict:
        """Return further arguments of the net, such as learning rates and batch settings."""
        return {}

    def _row_width(self, net: DetectorNet, n_features: int) -> int | None:
        """Return the largest number of values held for a row; None is ``n_features``."""
        return None

    def _training_rows(self, X: np.ndarray, y) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the rows and the labels or targets that ``net_`` is trained on.

        It is called before the net is made. ``self._reservoir`` is a sample of all rows that
        ``partial_fit`` was given, those of this call among them, or None in ``fit``.
        """
        return X, y

    def _rows_of_members(self, rows: np.ndarray, targets) -> tuple:
        """Return the rows and targets of each of several networks that train together."""
        return rows, targets

    def _rows_in_epoch(self, n_samples: int, y) -> int:
        """Return the number of rows in all batches of an epoch."""
        return n_samples

    def _pretraining_nets(self, X: np.ndarray) -> list[DetectorNet]:
        """Return the nets that are trained before ``net_``, in this order."""
        return []

    def _initialize_state(self, X: np.ndarray) -> None:
        """Set the state of ``net_`` that depends on the rows, before the first epoch."""

    def _finalize_state(self, X: np.ndarray) -> None:
        """Set the state of ``net_`` that the scores need, after the last epoch."""

    def _score_rows(self, x: torch.Tensor) -> torch.Tensor:
        """Return the anomaly scores (n,) of rows (n, n_features)."""
        criterion, output = self.net_.criterion_, self.net_.module_(x)
        if hasattr(criterion, "feature_scores"):
            return criterion.feature_scores(output, x).sum(dim=1)
        return criterion.score_rows(output, x)
