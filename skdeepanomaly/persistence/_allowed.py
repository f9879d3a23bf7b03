"""The classes and functions that a file may name; nothing else is ever made from a file."""

import collections
import importlib
import inspect
import pkgutil
from functools import cache
from typing import Any

import numpy as np
import torch
from sklearn import (
    cluster,
    compose,
    covariance,
    decomposition,
    ensemble,
    feature_extraction,
    impute,
    mixture,
    model_selection,
    neighbors,
    pipeline,
    preprocessing,
    svm,
    tree,
)
from sklearn.utils import Bunch
from skorch import callbacks as skorch_callbacks
from skorch import dataset as skorch_dataset
from torch import nn
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear

from ..utils._compat import Tree

# Parts of the package whose classes estimators are made of. Of the callbacks one is not
# among them: it reads pickles.
_PARTS = (
    "base",
    "callbacks",
    "detectors",
    "drift",
    "engine",
    "losses",
    "meta",
    "networks",
    "series",
    "tables",
    "thresholds",
)
_LEFT_OUT = ("BackupAndRestore", "PyODDetector", "DetectorStream")
# Functions that estimators of the package hold. They map a table to numbers.
_FUNCTIONS = (
    "meta._ensemble.squashed",
    "tables._dates.calendar_names",
    "tables._dates.clock_names",
    "tables._dates.clock_of_day_names",
    "tables._dates.to_calendar",
    "tables._dates.to_clock",
    "tables._dates.to_clock_of_day",
    "tables._dates.to_days",
    "tables._dates.to_hours",
    "tables._values.to_numbers",
)
_SKLEARN = {
    "sklearn.cluster": (cluster, ["KMeans"]),
    "sklearn.compose": (compose, ["ColumnTransformer"]),
    "sklearn.covariance": (covariance, ["EllipticEnvelope"]),
    "sklearn.decomposition": (decomposition, ["PCA", "TruncatedSVD"]),
    "sklearn.ensemble": (ensemble, ["IsolationForest"]),
    "sklearn.feature_extraction.text": (
        feature_extraction.text,
        ["TfidfTransformer", "TfidfVectorizer"],
    ),
    "sklearn.impute": (impute, ["MissingIndicator", "SimpleImputer"]),
    "sklearn.mixture": (mixture, ["GaussianMixture"]),
    "sklearn.model_selection": (
        model_selection,
        [
            "KFold",
            "ShuffleSplit",
            "StratifiedKFold",
            "StratifiedShuffleSplit",
            "TimeSeriesSplit",
        ],
    ),
    "sklearn.neighbors": (neighbors, ["LocalOutlierFactor", "NearestNeighbors"]),
    "sklearn.pipeline": (pipeline, ["FeatureUnion", "Pipeline"]),
    "sklearn.preprocessing": (
        preprocessing,
        [
            "FunctionTransformer",
            "MaxAbsScaler",
            "MinMaxScaler",
            "Normalizer",
            "OneHotEncoder",
            "OrdinalEncoder",
            "PowerTransformer",
            "QuantileTransformer",
            "RobustScaler",
            "StandardScaler",
        ],
    ),
    "sklearn.svm": (svm, ["OneClassSVM"]),
    "sklearn.tree": (tree, ["ExtraTreeRegressor"]),
}
_SKORCH_CALLBACKS = (
    "EarlyStopping",
    "EpochTimer",
    "GradientNormClipping",
    "LRScheduler",
    "PassthroughScoring",
    "PrintLog",
    "WarmRestartLR",
)
# Functions of numpy that a FunctionTransformer may apply.
_UFUNCS = ("abs", "arcsinh", "cbrt", "exp", "expm1", "log", "log10", "log1p", "log2", "sqrt")
# What may be named, but not made: types of values.
_VALUE_TYPES = (bool, int, float, str, object)
# Subclasses of dict that a file may hold.
MAPPINGS = {
    "Bunch": Bunch,
    "Counter": collections.Counter,
    "OrderedDict": collections.OrderedDict,
}


def _of_package() -> dict[str, type]:
    """Return the classes that the package defines, found by walking through its modules."""
    package = __name__.split(".")[0]
    found: dict[str, type] = {}
    for part in _PARTS:
        module = importlib.import_module(f"{package}.{part}")
        modules = [module]
        if hasattr(module, "__path__"):
            walked = pkgutil.walk_packages(module.__path__, f"{module.__name__}.")
            modules += [importlib.import_module(each.name) for each in walked]
        for module in modules:
            for name, value in vars(module).items():
                own = inspect.isclass(value) and value.__module__ == module.__name__
                if not own or name in _LEFT_OUT or issubclass(value, BaseException | tuple):
                    continue
                # The file of a class may change, its name does not.
                if f"{package}.{name}" in found:
                    raise RuntimeError(f"There are two classes with the name {name}.")
                found[f"{package}.{name}"] = value
    return found


def _subclasses(module: Any, base: type, prefix: str) -> dict[str, type]:
    """Return the subclasses of a class that a module offers."""
    found = {
        name: value
        for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, base) and not name.startswith("_")
    }
    return {f"{prefix}.{name}": value for name, value in found.items()}


@cache
def made() -> dict[str, type]:
    """Return the classes of which a file may hold instances.

    Returns
    -------
    classes : dict of str to type
        The classes by the names that stand for them in files.
    """
    layers = _subclasses(nn, nn.Module, "torch.nn")
    # Attention holds one, and torch.nn does not offer it.
    layers["torch.nn.NonDynamicallyQuantizableLinear"] = NonDynamicallyQuantizableLinear
    found = {**_of_package(), **layers}
    for prefix, (module, names) in _SKLEARN.items():
        found |= {f"{prefix}.{name}": getattr(module, name) for name in names}
    for name in _SKORCH_CALLBACKS:
        found[f"skorch.callbacks.{name}"] = getattr(skorch_callbacks, name)
    return found | {
        "skorch.dataset.ValidSplit": skorch_dataset.ValidSplit,
        "numpy.random.RandomState": np.random.RandomState,
        "sklearn.tree.Tree": Tree,
    }


@cache
def named() -> dict[str, object]:
    """Return the classes and functions that a file may name as values.

    Returns
    -------
    values : dict of str to type or function
        The classes and functions by the names that stand for them in files.
    """
    package = __name__.split(".")[0]
    schedulers = torch.optim.lr_scheduler
    found: dict[str, object] = {
        **made(),
        **_subclasses(torch.optim, torch.optim.Optimizer, "torch.optim"),
        **_subclasses(schedulers, schedulers.LRScheduler, "torch.optim.lr_scheduler"),
        "skorch.dataset.Dataset": skorch_dataset.Dataset,
        "torch.utils.data.DataLoader": torch.utils.data.DataLoader,
        # The sink of skorch's callbacks that report.
        "builtins.print": print,
        "torch.nn.functional.relu": nn.functional.relu,
        "torch.nn.functional.gelu": nn.functional.gelu,
        **{f"builtins.{kind.__name__}": kind for kind in _VALUE_TYPES},
        **{f"numpy.{kind.__name__}": kind for kind in _numpy_types()},
        **{f"numpy.{name}": getattr(np, name) for name in _UFUNCS},
    }
    for name in _FUNCTIONS:
        home, _, function = name.rpartition(".")
        module = importlib.import_module(f"{package}.{home}")
        found[f"{package}.{function}"] = getattr(module, function)
    return found


def _numpy_types() -> list[type]:
    names = ["bool_", "int8", "int16", "int32", "int64", "uint8", "float16", "float32"]
    return [getattr(np, name) for name in [*names, "float64", "str_", "object_"]]


@cache
def names_of() -> dict[object, str]:
    """Return the names of the classes and functions that a file may name.

    Returns
    -------
    names : dict of type or function to str
        The names by what they stand for.
    """
    return {value: name for name, value in named().items()}
