"""Transformers of scikit-learn that are plain arithmetic, as torch modules in float64."""

import copy
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_selection import SelectorMixin
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)
from torch import Tensor, nn

from ..detectors.image import FrozenEncoder
from ..utils._compat import column_indices

# Functions of numpy that FunctionTransformer may call.
FUNCTIONS: dict[Callable | None, Callable[[Tensor], Tensor]] = {
    None: lambda x: x,
    np.abs: torch.abs,
    np.exp: torch.exp,
    np.log: torch.log,
    np.log1p: torch.log1p,
    np.sqrt: torch.sqrt,
    np.square: torch.square,
    np.tanh: torch.tanh,
}


class Affine(nn.Module):
    """Subtracts, divides, and optionally clips columns."""

    center: Tensor
    scale: Tensor

    def __init__(
        self, center: ArrayLike, scale: ArrayLike, clip: tuple[float, float] | None = None
    ):
        super().__init__()
        self.register_buffer("center", _numbers(center))
        self.register_buffer("scale", _numbers(scale))
        self.clip = clip

    def forward(self, x: Tensor) -> Tensor:
        """Map x (n, n_features)."""
        x = (x - self.center) / self.scale
        return x if self.clip is None else x.clamp(*self.clip)


class Projection(nn.Module):
    """Subtracts a mean, and multiplies by a matrix."""

    mean: Tensor
    components: Tensor

    def __init__(self, mean: ArrayLike, components: ArrayLike):
        super().__init__()
        self.register_buffer("mean", _numbers(mean))
        self.register_buffer("components", _numbers(components))

    def forward(self, x: Tensor) -> Tensor:
        """Map x (n, n_features) to (n, n_components)."""
        return (x - self.mean) @ self.components


class Imputation(nn.Module):
    """Puts numbers in place of NaN."""

    values: Tensor

    def __init__(self, values: ArrayLike):
        super().__init__()
        self.register_buffer("values", _numbers(values))

    def forward(self, x: Tensor) -> Tensor:
        """Map x (n, n_features)."""
        return torch.where(x.isnan(), self.values, x)


class Selection(nn.Module):
    """Takes some columns."""

    columns: Tensor

    def __init__(self, columns: ArrayLike):
        super().__init__()
        self.register_buffer("columns", torch.from_numpy(np.array(columns, dtype=np.int64)))

    def forward(self, x: Tensor) -> Tensor:
        """Map x (n, n_features) to (n, n_columns)."""
        return x[:, self.columns]


class Elementwise(nn.Module):
    """Calls a function of torch."""

    def __init__(self, function: Callable[[Tensor], Tensor]):
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        """Map x (n, n_features)."""
        return self.function(x)


class ImageFeatures(nn.Module):
    """The features of :class:`~skdeepanomaly.FrozenEncoder`."""

    def __init__(self, encoder: FrozenEncoder):
        super().__init__()
        self._encoder = copy.copy(encoder)
        self.module = copy.deepcopy(encoder.module_).cpu()
        self._encoder.module_ = self.module

    def forward(self, x: Tensor) -> Tensor:
        """Map images or flat rows to features (n, n_features_out)."""
        return self._encoder._encode_rows(x.flatten(1).float()).double()


class SideBySide(nn.Module):
    """Joins the outputs of several modules."""

    def __init__(self, modules: list[nn.Module]):
        super().__init__()
        self.parts = nn.ModuleList(modules)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (n, n_features) to all outputs, one beside the other."""
        return torch.cat([part(x) for part in self.parts], dim=1)


def as_module(step: Any) -> nn.Module:
    """Return a fitted transformer as a module.

    Parameters
    ----------
    step : estimator, "passthrough" or None
        A step of a pipeline.

    Returns
    -------
    module : torch.nn.Module
        Maps tensors (n, n_features), float64.

    Raises
    ------
    TypeError
        If the transformer, or an option of it, is not plain arithmetic on numbers.
    """
    if step is None or isinstance(step, str):
        return nn.Identity()
    if isinstance(step, SelectorMixin):
        return Selection(np.flatnonzero(step.get_support()))
    # A subclass may do something else.
    make = _MAKERS.get(type(step))
    if make is None:
        known = ", ".join(sorted(kind.__name__ for kind in _MAKERS))
        _refuse(step, f"these transformers can: {known}, and selectors of features")
    return make(step)


def _refuse(step: Any, reason: str) -> NoReturn:
    raise TypeError(
        f"{type(step).__name__} cannot be part of the graph: {reason}. Apply it before the"
        " graph: to_onnx(pipeline[k:], path) exports the steps from the k-th on, and the"
        " graph then takes what the steps before return."
    )


def _numbers(values: ArrayLike) -> Tensor:
    return torch.from_numpy(np.array(values, dtype=np.float64))


def _standard(step: StandardScaler) -> nn.Module:
    center = step.mean_ if step.with_mean else 0.0
    return Affine(center, step.scale_ if step.with_std else 1.0)


def _robust(step: RobustScaler) -> nn.Module:
    center = step.center_ if step.with_centering else 0.0
    return Affine(center, step.scale_ if step.with_scaling else 1.0)


def _min_max(step: MinMaxScaler) -> nn.Module:
    low, high = map(float, step.feature_range)
    clip = (low, high) if step.clip else None
    # x * scale + min
    return Affine(-step.min_ / step.scale_, 1 / step.scale_, clip)


def _max_abs(step: MaxAbsScaler) -> nn.Module:
    # Older versions have no ``clip``.
    return Affine(0.0, step.scale_, (-1.0, 1.0) if getattr(step, "clip", False) else None)


def _imputer(step: SimpleImputer) -> nn.Module:
    if step.add_indicator:
        _refuse(step, "add_indicator=True adds columns that say what was missing")
    missing = step.missing_values
    if not (isinstance(missing, float) and np.isnan(missing)):
        _refuse(step, f"missing_values is {missing!r}, expected NaN")
    values = np.asarray(step.statistics_, dtype=np.float64)
    kept = ~np.isnan(values) | step.keep_empty_features
    filled = Imputation(np.where(np.isnan(values), 0.0, values))
    if kept.all():
        return filled
    return nn.Sequential(filled, Selection(np.flatnonzero(kept)))


def _pca(step: PCA) -> nn.Module:
    components = step.components_.T
    if step.whiten:
        smallest = np.finfo(step.explained_variance_.dtype).eps
        components = components / np.maximum(np.sqrt(step.explained_variance_), smallest)
    return Projection(step.mean_, components)


def _function(step: FunctionTransformer) -> nn.Module:
    name = getattr(step.func, "__name__", step.func)
    if step.func not in FUNCTIONS or step.kw_args:
        names = ", ".join(f"np.{func.__name__}" for func in FUNCTIONS if func is not None)
        _refuse(step, f"func is {name}, expected None or one of {names}, without kw_args")
    return Elementwise(FUNCTIONS[step.func])


def _columns(step: ColumnTransformer) -> nn.Module:
    indices = column_indices(step)
    parts: list[nn.Module] = []
    for name, transformer, _ in step.transformers_:
        if isinstance(transformer, str) and transformer == "drop":
            continue
        if len(columns := indices[name]):
            parts.append(nn.Sequential(Selection(columns), as_module(transformer)))
    if step.transformer_weights:
        _refuse(step, "it has transformer_weights")
    return SideBySide(parts)


def _union(step: FeatureUnion) -> nn.Module:
    if step.transformer_weights:
        _refuse(step, "it has transformer_weights")
    parts = [one for _, one in step.transformer_list if not _is_dropped(one)]
    return SideBySide([as_module(one) for one in parts])


def _is_dropped(step: Any) -> bool:
    return isinstance(step, str) and step == "drop"


_MAKERS: dict[type, Callable] = {
    ColumnTransformer: _columns,
    FeatureUnion: _union,
    FrozenEncoder: ImageFeatures,
    FunctionTransformer: _function,
    MaxAbsScaler: _max_abs,
    MinMaxScaler: _min_max,
    PCA: _pca,
    Pipeline: lambda step: nn.Sequential(*(as_module(one) for _, one in step.steps)),
    RobustScaler: _robust,
    SimpleImputer: _imputer,
    StandardScaler: _standard,
    TruncatedSVD: lambda step: Projection(0.0, step.components_.T),
}
