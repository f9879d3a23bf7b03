"""The base of all deep detectors: what scikit-learn asks, and hooks for the rest."""

import inspect
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import nn

from ..engine import DetectorNet, map_in_blocks
from ..utils._compat import Interval, Options, StrOptions
from ..utils.scores import OffsetMixin
from ..utils.validation import check_labels
from ._docstrings import (
    ACTIVATION_PARAMETERS,
    COMMON_ATTRIBUTES,
    COMMON_PARAMETERS,
    fill_docstring,
)
from ._explaining import ExplainingMixin
from ._fitting import fit_from_scratch, fit_further
from ._nested_params import NestedParamsMixin
from ._reservoir import Reservoir
from ._versioning import VersionedMixin


class BaseDeepDetector(
    NestedParamsMixin, ExplainingMixin, VersionedMixin, OffsetMixin, BaseEstimator
):
    """Base of all deep detectors.

    A subclass names its network and its loss, and overrides hooks where its training
    has more parts. The contributing guide of the documentation builds one.

    Its constructor must name every parameter of this one, as scikit-learn's own do. A class
    that is only a base of others says so: ``class BaseThing(BaseDeepDetector, abstract=True)``.
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
    # Texts that stand for ``%(name)s`` in the docstrings of subclasses.
    _doc_parts = {
        "activation_parameters": ACTIVATION_PARAMETERS,
        "common_parameters": COMMON_PARAMETERS,
        "common_attributes": COMMON_ATTRIBUTES,
    }

    # The parts of a detector.
    _net_class = DetectorNet
    _module_class: type[nn.Module]
    _criterion_class: type[nn.Module]

    # Parameters that are optimisers, and arguments for those of them that take them.
    _optimizers = ("optimizer",)
    _optimizer_defaults: dict = {}

    # What "auto" means for max_epochs and batch_size.
    _n_steps = 1000
    _epoch_range = (10, 1000)
    _auto_batch_size = 256

    # Whether fit takes labels: None ignores them, "optional" reads them where they are
    # given, "required" demands some anomalies.
    _labels: str | None = None

    # Rows that partial_fit remembers for the threshold.
    _reservoir_size = 10_000

    def __init_subclass__(cls, abstract: bool = False, **kwargs):
        """Check the constructor and fill in the docstring."""
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
        module=None,
        optimizer=torch.optim.Adam,
        lr=1e-3,
        max_epochs="auto",
        batch_size="auto",
        train_split=None,
        callbacks=None,
        contamination=0.1,
        warm_start=False,
        device="cpu",
        compile=False,
        verbose=0,
        random_state=None,
        **component__param,
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

    def fit(self, X, y=None):
        """Train the network and set the threshold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows, at least two. float32 is read as it is, without a copy; a
            memory map may be larger than memory.
        y : array-like of shape (n_samples,), default=None
            Labels, for detectors that learn from them (DeepSAD, DevNet,
            SemiSupervisedGAN): -1 for anomalies, +1 for normal rows, 0 for rows that nobody
            has judged. All other detectors ignore it.

        Returns
        -------
        self : object
            The fitted detector.

        Raises
        ------
        ValueError
            If a parameter, X or a label is not valid, or if training diverges. A
            detector that was fitted before stays as it was.
        KeyboardInterrupt
            After Ctrl-C, when the threshold is set: the detector can be used.
        """
        if self.warm_start and self.__sklearn_is_fitted__():
            return fit_further(self, X, y)
        return fit_from_scratch(self, X, y)

    def partial_fit(self, X, y=None):
        """Train ``max_epochs`` more epochs on X.

        Learning rates and other arguments of the optimisers, callbacks, ``batch_size`` and
        ``train_split`` may be changed between calls; the network, the loss, the device and
        the kinds of the optimisers may not.

        The threshold comes from a uniform sample of at most 10,000 of all rows that
        ``partial_fit`` has seen, scored with the current weights; the rows of an
        earlier ``fit`` are not kept and do not count. What else the scores take from
        data, such as the scale of each feature's error, comes from that sample, too: a
        first ``partial_fit`` after ``fit`` warns of fewer than 50 rows.

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
            As in ``fit``, and if a parameter of the network or of the loss was changed
            since the first fit.
        KeyboardInterrupt
            As in ``fit``.
        """
        if self.__sklearn_is_fitted__():
            reservoir = self._reservoir or Reservoir(self._reservoir_size)
            return fit_further(self, X, y, reservoir)
        return fit_from_scratch(self, X, y, Reservoir(self._reservoir_size))

    def score_samples(self, X):
        """Return how normal rows are.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64
            The higher, the more normal; a row's score does not depend on the rows
            around it. Rows so far out that float32 overflows get the lowest number.

        Raises
        ------
        NotFittedError
            If the detector was not fitted.
        ValueError
            If X is not valid: NaN, infinity, other columns than in ``fit``.
        """
        check_is_fitted(self)
        X = self._validate_X(X, reset=False, min_samples=1)
        scores = map_in_blocks(self._score_rows, X, self.net_.device)
        np.negative(scores, out=scores)
        lowest = np.finfo(np.float64).min
        return np.nan_to_num(scores, copy=False, nan=lowest, neginf=lowest, posinf=lowest)

    def _map_rows(self, function, X, dtype=np.float32) -> np.ndarray:
        """Validate rows and return ``function(rows)``, block by block."""
        check_is_fitted(self)
        X = self._validate_X(X, reset=False, min_samples=1)
        return map_in_blocks(function, X, self.net_.device, dtype=dtype)

    def _validate_X(self, X, reset: bool, min_samples: int) -> np.ndarray:
        if torch.is_tensor(X):
            X = X.numpy(force=True)
        X = validate_data(
            self,
            X,
            dtype=[np.float32, np.float64],
            reset=reset,
            ensure_min_samples=min_samples,
        )
        limit = np.finfo(np.float32).max
        if X.dtype == np.float64 and (largest := max(X.max(), -X.min())) > limit:
            raise ValueError(
                "Input X contains a value too large for dtype('float32'), in which networks"
                f" compute: {largest:.3g} in absolute value, the limit is {limit:.3g}. Scale"
                " X, or clip it."
            )
        return X

    def _validate_y(self, y, n_samples: int, first: bool) -> np.ndarray | None:
        if self._labels is None:
            return None
        # Where training goes on, new rows need not hold known anomalies.
        required = first and self._labels == "required"
        return check_labels(y, n_samples, type(self).__name__, required=required, first=first)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self._labels == "required"
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "net_")

    @property
    def history_(self):
        """Training history: one row per epoch, a :class:`skorch.history.History`."""
        check_is_fitted(self)
        return self.net_.history

    @property
    def n_epochs_(self):
        """Number of epochs that the network was trained for."""
        return len(self.history_)

    # Hooks: what a detector is, beyond its module and its criterion. ``self.net_`` is the
    # net that is being trained; if the fit fails, the former one is put back.

    def _module_params(self, n_features: int) -> dict:
        """Return the constructor arguments of the module beside ``n_features``."""
        return {}

    def _criterion_params(self) -> dict:
        """Return the constructor arguments of the criterion."""
        return {}

    def _net_params(self) -> dict:
        """Return further arguments of the net, such as those of its batches."""
        return {}

    def _rows_in_epoch(self, n_samples: int, y) -> int:
        """Return the number of rows that the batches of an epoch hold together."""
        return n_samples

    def _pretraining_nets(self, X: np.ndarray) -> list[DetectorNet]:
        """Return nets to train, one after the other, before ``net_``."""
        return []

    def _initialize_state(self, X: np.ndarray) -> None:
        """Set state of ``net_`` that depends on data, before its first epoch."""

    def _finalize_state(self, X: np.ndarray) -> None:
        """Set state of ``net_`` that the scores need, after its last epoch."""

    def _score_rows(self, x: torch.Tensor) -> torch.Tensor:
        """Return the anomaly scores (n,) of rows (n, n_features)."""
        criterion, output = self.net_.criterion_, self.net_.module_(x)
        if hasattr(criterion, "feature_scores"):
            return criterion.feature_scores(output, x).sum(dim=1)
        return criterion.score_rows(output, x)
