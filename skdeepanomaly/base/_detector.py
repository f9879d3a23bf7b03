"""What scikit-learn asks of an outlier detector, written once for all detectors."""

import copy
import inspect
import re
import warnings
from contextlib import contextmanager, nullcontext
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted, validate_data
from skorch.dataset import ValidSplit
from torch import nn

from .._version import __version__
from ..callbacks import BackupAndRestore, FitProgress, fingerprint
from ..engine import (
    SHUFFLE_BUFFER_BYTES,
    DetectorNet,
    TensorLoader,
    block_sizes,
    check_device,
    draw_seed,
    isolated_rng,
    map_in_blocks,
)
from ..thresholds import contamination_offset, robust_offset
from ..utils._compat import (
    Interval,
    Options,
    StrOptions,
    is_newer,
    named_callbacks,
    with_column_names,
)
from ..utils.scores import OffsetMixin
from ..utils.validation import (
    check_float32_range,
    check_labels,
    closest,
    parameter_names,
    warn_if_few_after_fit,
    warn_if_one_batch,
    warn_if_unscaled,
)

COMMON_PARAMETERS = """\
module : class or instance of torch.nn.Module, default=None
    The network, in place of the detector's own; see Notes for what it must offer. A
    class is given those of ``n_features`` and the detector's network parameters that
    its constructor takes; an instance is copied.
optimizer : class of torch.optim.Optimizer, default=torch.optim.Adam
    How the weights are updated. The fused variant is used where torch has one.
lr : float, default={lr}
    Learning rate.
max_epochs : int or "auto", default={max_epochs}
    Passes over the data in one call of ``fit`` or ``partial_fit``. ``"auto"`` makes as
    many as it takes for about {n_steps} optimiser steps, between {min_epochs} and
    {max_auto_epochs}.
batch_size : int or "auto", default="auto"
    Rows in a batch; -1 takes all rows at once. ``"auto"`` is {batch_size}, or all rows
    where there are fewer.
train_split : float, callable or None, default=None
    Share of the rows that is held out to record ``valid_loss``, or a skorch split such
    as :class:`skorch.dataset.ValidSplit`. The threshold comes from all rows.
callbacks : list or None, default=None
    Callbacks of skorch, or (name, callback) pairs. They are cloned before use.
contamination : float in (0, 0.5] or "auto", default=0.1
    Share of outliers in the training rows; sets ``offset_``. With ``"auto"`` a row is an
    outlier if its score lies more than three robust standard deviations below the
    median of the training scores, the deviation being taken from the lower half:
    (median - first quartile) / 0.6745.
warm_start : bool, default=False
    Whether ``fit`` goes on with the network of the previous ``fit``, as ``partial_fit``
    does.
device : str or torch.device, default="cpu"
    Where to compute; ``"auto"`` is a GPU where there is one.
compile : bool, default=False
    Whether to pass the network through :func:`torch.compile`.
verbose : int, default=0
    0 is silent, 1 shows a progress bar over the whole fit, 2 a table of epochs.
random_state : int, RandomState instance or None, default=None
    Seed of weights, batches and splits. With an int the scores repeat; with None they
    do not. The global generators of numpy, torch and Python are left as they are.
**component__param
    Parameters of skorch's components: ``optimizer__weight_decay``, ``module__...``,
    ``callbacks__<name>__<param>``, ``iterator_train__shuffle`` and so on. They can be
    set and searched like any other; ``fit`` refuses names that nothing reads."""


COMMON_ATTRIBUTES = """\
offset_ : float
    Threshold of ``score_samples``; ``decision_function`` is the score less it.
history_ : skorch.history.History
    One row an epoch, with ``train_loss`` and, with ``train_split``, ``valid_loss``.
n_epochs_ : int
    Epochs that the network was trained for.
n_features_in_ : int
    Number of features.
feature_names_in_ : ndarray of shape (n_features,)
    Names of the features, where X has names that are all strings."""


class BaseDeepDetector(OffsetMixin, BaseEstimator):
    """Base of all deep detectors.

    A subclass names its network and its loss, and overrides hooks where its training
    has more parts. The contributing guide of the documentation builds one.
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

    # What a detector is made of.
    _net_class = DetectorNet
    _module_class: type[nn.Module]
    _criterion_class: type[nn.Module]

    # What "auto" means for max_epochs and batch_size.
    _n_steps = 1000
    _epoch_range = (10, 1000)
    _auto_batch_size = 256

    # Betas of optimisers that have them, in place of their own.
    _betas: tuple[float, float] | None = None

    # Whether fit takes labels: None ignores them, "optional" reads them where they are
    # given, "required" demands some anomalies.
    _labels: str | None = None

    # Steps of the path along which a score that is no sum over features is explained.
    _explanation_steps = 32

    # What "auto" means for pretrain_epochs of a detector that has it.
    _pretrain_steps = 500
    _pretrain_epoch_range = (2, 500)

    # Rows that partial_fit remembers for the threshold.
    _reservoir_size = 10_000

    def __init_subclass__(cls, **kwargs):
        """Put what all detectors share into the docstring."""
        super().__init_subclass__(**kwargs)
        if cls.__doc__ and "%(common_" in cls.__doc__:
            parameters = COMMON_PARAMETERS.format(
                lr=inspect.signature(cls).parameters["lr"].default,
                max_epochs=repr(inspect.signature(cls).parameters["max_epochs"].default),
                n_steps=cls._n_steps,
                min_epochs=cls._epoch_range[0],
                max_auto_epochs=cls._epoch_range[1],
                batch_size=cls._auto_batch_size,
            )
            doc = inspect.cleandoc(cls.__doc__)
            doc = doc.replace("%(common_parameters)s", parameters)
            cls.__doc__ = doc.replace("%(common_attributes)s", COMMON_ATTRIBUTES) + "\n"

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
        for name, value in component__param.items():
            if not _is_nested(name):
                raise TypeError(
                    f"{type(self).__name__}() got an unexpected keyword argument {name!r}."
                    f" {closest(name, self._get_param_names())}"
                )
            setattr(self, name, value)

    def get_params(self, deep=True):
        """Return the parameters, explicit and nested.

        Parameters
        ----------
        deep : bool, default=True
            Passed on to scikit-learn.

        Returns
        -------
        params : dict
            Names and values.
        """
        return {**super().get_params(deep=deep), **self._nested_params()}

    def _nested_params(self) -> dict:
        return {name: value for name, value in vars(self).items() if _is_nested(name)}

    def set_params(self, **params):
        """Set parameters, explicit or nested, known or new; a fitted network stays.

        Parameters
        ----------
        **params : dict
            Names and values. Nested names (``optimizer__weight_decay``) are judged in
            ``fit``.

        Returns
        -------
        self : object
            The detector.

        Raises
        ------
        ValueError
            If an explicit parameter is unknown.
        """
        nested = {name: value for name, value in params.items() if _is_nested(name)}
        explicit = {name: value for name, value in params.items() if name not in nested}
        valid = self._get_param_names()
        for name in explicit:
            if name not in valid:
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator {type(self).__name__}."
                    f" {closest(name, valid)} Valid parameters are: {valid}."
                )
        super().set_params(**explicit)
        vars(self).update(nested)
        return self

    def fit(self, X, y=None):
        """Train the network and set the threshold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows, at least two. float32 is read as it is, without a copy; a
            memory map may be larger than memory.
        y : array-like of shape (n_samples,), default=None
            Ignored, but for detectors that learn from labels: -1 for anomalies, +1 for
            normal rows, 0 for rows that nobody has judged.

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
        return self._fit(X, y, cold=not (self.warm_start and self.__sklearn_is_fitted__()))

    def partial_fit(self, X, y=None):
        """Train ``max_epochs`` more epochs on X.

        Learning rates, callbacks, ``batch_size`` and ``train_split`` may be changed between
        calls; the network, its device and the kind of its optimiser stay.

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
        """
        return self._fit(X, y, cold=not self.__sklearn_is_fitted__(), stream=True)

    def score_samples(self, X):
        """Return how normal rows are.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            The higher, the more normal; a row's score does not depend on the rows
            around it. Rows so far out that float32 overflows get the lowest number.
        """
        check_is_fitted(self)
        X = self._validate_X(X, reset=False, min_samples=1)
        scores = self._normality_scores(self.net_, X)
        lowest = np.finfo(np.float64).min
        return np.nan_to_num(scores, copy=False, nan=lowest, neginf=lowest, posinf=lowest)

    def _map_rows(self, function, X, dtype=np.float32) -> np.ndarray:
        """Validate rows and return ``function(net, rows)``, block by block."""
        check_is_fitted(self)
        X = self._validate_X(X, reset=False, min_samples=1)
        return self._map_blocks(function, self.net_, X, dtype)

    def _map_blocks(self, function, net, X: np.ndarray, dtype=np.float64) -> np.ndarray:
        # A module of the user's may work in place.
        foreign = self.module is not None
        return map_in_blocks(
            lambda x: function(net, x), X, net.device, copy=foreign, dtype=dtype
        )

    def explain(self, X):
        """Return what each feature adds to the anomaly score of each row.

        Where the score is a sum over the features, the contributions are its terms, and
        a row's contributions sum to ``-score_samples``. Otherwise they are integrated
        gradients [1]_ of the score on the way from the median training row to the row,
        and sum to the difference of the two rows' scores but for the error of the
        numerical integration.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        contributions : ndarray or data frame of shape (n_samples, n_features)
            In float64 and units of the score; the higher, the more the feature speaks for
            an anomaly. A detector that was fitted on a data frame names the columns.

        References
        ----------
        .. [1] M. Sundararajan, A. Taly, Q. Yan, "Axiomatic attribution for deep
           networks", ICML 2017.
        """
        contributions = self._map_rows(self._explain_rows, X, dtype=np.float64)
        contributions = _finite(contributions)
        return with_column_names(contributions, getattr(self, "feature_names_in_", None), X)

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

    # Hooks: what a detector is, beyond its module and its criterion.

    def _module_params(self, n_samples: int, n_features: int) -> dict:
        """Return the constructor arguments of the module beside ``n_features``."""
        return {}

    def _criterion_params(self) -> dict:
        """Return the constructor arguments of the criterion."""
        return {}

    def _net_params(self) -> dict:
        """Return further arguments of the net, such as a second optimiser."""
        return {}

    def _pretraining_nets(self, net: DetectorNet, X: np.ndarray) -> list[DetectorNet]:
        """Return nets to train, one after the other, before ``net``."""
        return []

    def _initialize_state(self, net: DetectorNet, X: np.ndarray) -> None:
        """Set state of ``net`` that depends on data, before its first epoch."""

    def _finalize_state(self, net: DetectorNet, X: np.ndarray) -> None:
        """Set state of ``net`` that the scores need, after its last epoch."""

    def _score_rows(self, net: DetectorNet, x: torch.Tensor) -> torch.Tensor:
        """Return the anomaly scores (n,) of rows (n, n_features)."""
        return net.criterion_.score_rows(net.module_(x), x)

    def _explain_rows(self, net: DetectorNet, x: torch.Tensor) -> torch.Tensor:
        """Return the features' contributions (n, n_features) to the scores of rows."""
        if hasattr(net.criterion_, "feature_scores"):
            return net.criterion_.feature_scores(net.module_(x), x)
        return self._integrated_gradients(net, x)

    def _integrated_gradients(self, net: DetectorNet, x: torch.Tensor) -> torch.Tensor:
        """Return contributions to scores that are no sum over features, (n, n_features)."""
        reference = torch.from_numpy(self._reference).to(x.device)
        # Gradients need tensors that were not made in inference mode.
        with torch.inference_mode(False), torch.enable_grad():
            x = x.clone()
            total = torch.zeros_like(x)
            for i in range(self._explanation_steps):
                share = (i + 0.5) / self._explanation_steps
                point = (reference + share * (x - reference)).requires_grad_()
                total += torch.autograd.grad(self._score_rows(net, point).sum(), point)[0]
            return (x - reference) * total / self._explanation_steps

    # Fitting.

    def _fit(self, X, y, cold: bool, stream: bool = False):
        with self._undone_on_error():
            self._validate_params()
            X = self._validate_X(X, reset=cold, min_samples=2)
            y = self._validate_y(y, len(X), cold)
            if cold:
                warn_if_unscaled(X, getattr(self, "feature_names_in_", None))
                warn_if_one_batch(self.batch_size, len(X))
            elif stream and not hasattr(self, "_reservoir"):
                warn_if_few_after_fit(len(X))
            if X.dtype != np.float32 and X.nbytes <= 2 * SHUFFLE_BUFFER_BYTES:
                X = X.astype(np.float32)
            n_calls = 0 if cold else self._n_calls + 1
            seed = draw_seed(self.random_state, n_calls)
            # A detector that was moved to another machine stays where its net is.
            device = check_device(self.device) if cold else self.net_.device
            with isolated_rng(seed, device):
                if cold:
                    net = self._make_net(X, device, seed)
                else:
                    net = self._continued_net(X, seed)
                backup = self._open_backup(net, X, y) if cold else None
                interrupted = self._train(net, X, y, cold, backup)
                self._keep_sample(X, seed, cold, stream)
                rows = self._reservoir[0] if stream else X
                try:
                    self.offset_ = self._finish(net, rows)
                except KeyboardInterrupt:
                    # Training is done: finish, unless asked once more to stop.
                    interrupted = True
                    self.offset_ = self._finish(net, rows)
            self.net_ = net
            self._n_calls = n_calls
            if backup is not None:
                backup.close(delete=not interrupted)
        if interrupted:
            raise KeyboardInterrupt
        return self

    def _finish(self, net: DetectorNet, X: np.ndarray) -> float:
        """Set what the scores need, and return the offset."""
        self._finalize_state(net, X)
        rows = X[:: max(1, len(X) // MAX_ROWS_FOR_MEDIANS)]
        self._reference = np.median(rows, axis=0).astype(np.float32)
        return self._offset(net, X)

    @contextmanager
    def _undone_on_error(self):
        """Leave the detector as it was when the block fails."""
        before = vars(self).copy()
        try:
            yield
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

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
        check_float32_range(X)
        return X

    def _validate_y(self, y, n_samples: int, cold: bool) -> np.ndarray | None:
        if self._labels is None:
            return None
        # Where training goes on, new rows need not hold known anomalies.
        required = cold and self._labels == "required"
        name = type(self).__name__
        return check_labels(y, n_samples, name, required=required, first=cold)

    def _make_net(self, X: np.ndarray, device: str, seed: int) -> DetectorNet:
        n_samples, n_features = X.shape
        module = self._module_class if self.module is None else self.module
        params = {f"criterion__{n}": v for n, v in self._criterion_params().items()}
        if isinstance(module, nn.Module):
            module = copy.deepcopy(module)
        else:
            offered = {"n_features": n_features, **self._module_params(n_samples, n_features)}
            taken, takes_any = parameter_names(module)
            params |= {f"module__{n}": v for n, v in offered.items() if takes_any or n in taken}
        others = [name for name in self._optimizer_names() if name != "optimizer"]
        params |= {name: getattr(self, name) for name in others} | self._net_params()
        net = self._build_net(
            module,
            self._criterion_class,
            X,
            device,
            net_class=self._net_class,
            max_epochs=self._resolve_max_epochs(n_samples),
            train_split=self._seeded_split(seed),
            callbacks=self._cloned_callbacks(),
            **{**params, **self._nested_params()},
        )
        self._check_nested_params(net)
        return net.initialize()

    def _build_net(self, module, criterion, X, device, *, net_class=DetectorNet, **params):
        """Build a net with the detector's optimiser and batches, not yet initialised."""
        for name in self._optimizer_names():
            known = parameter_names(getattr(self, name))[0]
            if self._betas is not None and "betas" in known:
                params.setdefault(f"{name}__betas", self._betas)
            given = {n.removeprefix(f"{name}__") for n in params if n.startswith(f"{name}__")}
            if torch.device(device).type in ("cpu", "cuda") and not given & _EXCLUDE_FUSED:
                if "fused" in known:
                    params[f"{name}__fused"] = True
        return net_class(
            module,
            criterion,
            **{
                "optimizer": self.optimizer,
                "lr": self.lr,
                "batch_size": self._resolve_batch_size(len(X)),
                "train_split": None,
                "iterator_train": TensorLoader,
                "iterator_train__shuffle": True,
                "iterator_valid": TensorLoader,
                "iterator_valid__batch_size": block_sizes(X.shape[1])[-1],
                "device": device,
                "compile": self.compile,
                "verbose": int(self.verbose >= 2),
                **params,
            },
        )

    def _optimizer_names(self) -> list[str]:
        names = self._get_param_names()
        return [name for name in names if re.fullmatch(r"optimizer(_[a-z]+)?", name)]

    def _continued_net(self, X: np.ndarray, seed: int) -> DetectorNet:
        """Return a copy of the fitted net that follows changed training parameters.

        Its network, its device and the kind of its optimiser stay.
        """
        net = copy.deepcopy(self.net_)
        net.callbacks = self._cloned_callbacks()
        nested = self._nested_params()
        vars(net).update({n: v for n, v in nested.items() if n.startswith("callbacks__")})
        self._check_nested_params(net)
        net.initialize_callbacks()
        net.train_split = self._seeded_split(seed)
        changed = {
            name: value
            for name, value in {"lr": self.lr, **nested}.items()
            if name == "lr" or (name.startswith("optimizer") and not name.endswith("_groups"))
            if vars(net).get(name) != value
        }
        if "lr" in changed:
            # skorch hands it to the first optimiser alone.
            own = self._net_params()
            for name in self._optimizer_names():
                if name != "optimizer" and f"{name}__lr" not in nested:
                    changed[f"{name}__lr"] = own.get(f"{name}__lr", self.lr)
        net.set_params(
            max_epochs=self._resolve_max_epochs(len(X)),
            batch_size=self._resolve_batch_size(len(X)),
            verbose=int(self.verbose >= 2),
            **changed,
        )
        return net

    def _pretraining(self, module, criterion, X: np.ndarray, net: DetectorNet) -> list:
        """Return the net of a pre-training, in a list, or none for 0 ``pretrain_epochs``.

        It has the optimiser and the batches of ``net`` but ``pretrain_lr`` and no
        callbacks.
        """
        epochs = self.pretrain_epochs
        if epochs == "auto":
            epochs = self._epochs_for(self._pretrain_steps, len(X), self._pretrain_epoch_range)
        if epochs == 0:
            return []
        nested = {
            name: value
            for name, value in self._nested_params().items()
            if name.startswith(("optimizer__", "iterator_")) and name != "optimizer__lr"
        }
        params = {"lr": self.pretrain_lr, "max_epochs": epochs, **nested}
        return [self._build_net(module, criterion, X, net.device, **params).initialize()]

    def _cloned_callbacks(self) -> list:
        if self.callbacks is None:
            return []
        for item in self.callbacks:
            callback = item[1] if isinstance(item, tuple | list) and len(item) == 2 else item
            if callback is not None and not hasattr(callback, "on_train_begin"):
                raise ValueError(
                    "callbacks must hold skorch callbacks or (name, callback) pairs, got"
                    f" {item!r}."
                )
        return clone(list(self.callbacks), safe=False)

    def _resolve_batch_size(self, n_samples: int) -> int:
        if self.batch_size != "auto":
            return self.batch_size
        return min(self._auto_batch_size, n_samples)

    def _resolve_max_epochs(self, n_samples: int) -> int:
        if self.max_epochs != "auto":
            return self.max_epochs
        return self._epochs_for(self._n_steps, n_samples, self._epoch_range)

    def _epochs_for(self, n_steps: int, n_samples: int, epoch_range: tuple[int, int]) -> int:
        """Return the epochs that make about ``n_steps`` optimiser steps."""
        batch_size = self._resolve_batch_size(n_samples)
        n_batches = 1 if batch_size == -1 else max(1, round(n_samples / batch_size))
        return int(np.clip(-(-n_steps // n_batches), *epoch_range))

    def _seeded_split(self, seed: int):
        if isinstance(self.train_split, Real):
            return ValidSplit(float(self.train_split), random_state=seed)
        return self.train_split

    def _check_nested_params(self, net: DetectorNet) -> None:
        """Refuse nested names that no component reads."""
        components = {
            "module": type(net.module) if isinstance(net.module, nn.Module) else net.module,
            "criterion": net.criterion,
            "iterator_train": net.iterator_train,
            "iterator_valid": net.iterator_valid,
            "dataset": net.dataset,
            "compile": torch.compile,
            **{name: getattr(net, name) for name in self._optimizer_names()},
        }
        valid, open_prefixes = set(), set()
        for prefix, component in components.items():
            names, takes_any = parameter_names(component)
            valid.update(f"{prefix}__{name}" for name in names)
            if takes_any:
                open_prefixes.add(prefix)
            if prefix.startswith("optimizer"):
                valid.add(f"{prefix}__param_groups")
        for name, callback in named_callbacks(net).items():
            valid.add(f"callbacks__{name}")
            if callback is not None:
                names = (
                    parameter_names(callback)[0]
                    if inspect.isclass(callback)
                    else callback.get_params()
                )
                valid.update(f"callbacks__{name}__{n}" for n in names)
        for name in self._nested_params():
            if name not in valid and name.partition("__")[0] not in open_prefixes:
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator {type(self).__name__}:"
                    f" nothing reads it. {closest(name, valid)}"
                )

    def _train(self, net: DetectorNet, X: np.ndarray, y, cold: bool, backup) -> bool:
        """Train ``net``, after its pre-training; return whether Ctrl-C cut it short.

        Only ``net`` gets the labels.
        """
        phases = [*self._pretraining_nets(net, X), net] if cold else [net]
        interrupted = False
        with self._progress(phases) as progress:
            for phase, phase_net in enumerate(phases):
                if phase_net is net and cold:
                    self._initialize_state(net, X)
                own_callbacks = list(phase_net.callbacks_)
                if progress is not None:
                    phase_net.callbacks_.append(("progress", progress))
                if backup is not None and phase_net is not net:
                    phase_net.callbacks_.append(("backup", backup))
                if not interrupted and (backup is None or backup.begin_phase(phase)):
                    phase_net.partial_fit(X, y if phase_net is net else None)
                    interrupted = phase_net.interrupted_
                phase_net.callbacks_ = own_callbacks
        net._set_training(False)
        net.epochs_restored_ = 0
        return interrupted

    def _progress(self, phases):
        if self.verbose != 1:
            return nullcontext()
        return FitProgress(sum(net.max_epochs for net in phases), type(self).__name__)

    def _open_backup(self, net: DetectorNet, X: np.ndarray, y) -> BackupAndRestore | None:
        backups = [cb for _, cb in net.callbacks_ if isinstance(cb, BackupAndRestore)]
        if not backups:
            return None
        params = self.get_params()
        del params["verbose"], params["callbacks"]
        callbacks = [
            (name, type(cb), cb.get_params())
            for name, cb in net.callbacks_
            if cb is not backups[0]
        ]
        backups[0].open(fingerprint(type(self), __version__, params, callbacks, X, y))
        return backups[0]

    def _keep_sample(self, X: np.ndarray, seed: int, cold: bool, stream: bool) -> None:
        """Keep a uniform sample of the rows seen by ``partial_fit``, and only by it.

        Each row draws a random key; the rows with the smallest keys stay.
        """
        if not stream:
            vars(self).pop("_reservoir", None)
            return
        keys = np.random.default_rng(seed).random(len(X))
        if not cold and hasattr(self, "_reservoir"):
            keys = np.concatenate([self._reservoir[1], keys])
        if len(keys) <= self._reservoir_size:
            kept = np.arange(len(keys))
        else:
            kept = np.sort(np.argpartition(keys, self._reservoir_size)[: self._reservoir_size])
        n_old = len(keys) - len(X)
        rows = np.asarray(X[kept[kept >= n_old] - n_old], dtype=np.float32)
        if n_old:
            rows = np.concatenate([self._reservoir[0][kept[kept < n_old]], rows])
        self._reservoir = rows, keys[kept]

    def _offset(self, net: DetectorNet, X: np.ndarray) -> float:
        scores = self._normality_scores(net, X)
        n_bad = len(scores) - np.count_nonzero(np.isfinite(scores))
        if n_bad:
            raise ValueError(
                f"Training diverged: {n_bad} of {len(scores)} training rows have no finite"
                f" score after epoch {len(net.history)}. Lower the learning rate (now"
                f" {self.lr}) or scale X (for example with StandardScaler)."
            )
        if self.contamination == "auto":
            return robust_offset(scores)
        return contamination_offset(scores, self.contamination, overwrite_input=True)

    def _normality_scores(self, net: DetectorNet, X: np.ndarray) -> np.ndarray:
        scores = self._map_blocks(self._score_rows, net, X)
        return np.negative(scores, out=scores)

    # Persistence.

    def __getstate__(self):
        return {**super().__getstate__(), "_skdeepanomaly_version": __version__}

    def __setstate__(self, state):
        state = dict(state)
        version = state.pop("_skdeepanomaly_version", "0")
        name = type(self).__name__
        if is_newer(version, than=__version__):
            raise ValueError(
                f"This {name} was saved by skdeepanomaly {version}, which is newer than the"
                f" installed {__version__}. Install skdeepanomaly>={version} to load it."
            )
        if version != __version__:
            warnings.warn(
                f"This {name} was saved by skdeepanomaly {version}; the installed version is"
                f" {__version__}. It should score as before; fit it anew to be sure.",
                UserWarning,
                stacklevel=2,
            )
        super().__setstate__(state)


def _finite(values: np.ndarray) -> np.ndarray:
    """Put the largest numbers in place of those that overflowed, in place."""
    low, high = np.finfo(values.dtype).min, np.finfo(values.dtype).max
    return np.nan_to_num(values, copy=False, nan=high, posinf=high, neginf=low)


def _is_nested(name: str) -> bool:
    return "__" in name and not name.startswith("_")


# The median training row is taken from at most this many rows, spread over the table.
MAX_ROWS_FOR_MEDIANS = 10_000

# Arguments of torch's optimisers that the fused implementation does not go with.
_EXCLUDE_FUSED = {"fused", "foreach", "differentiable"}
