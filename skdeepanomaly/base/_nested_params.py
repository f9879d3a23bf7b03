"""Nested parameters, such as ``optimizer__weight_decay``: get, set, and check them."""

import inspect
from collections.abc import Callable
from typing import Any, Self

import torch
from torch import nn

from ..utils._compat import named_callbacks
from ..utils.validation import closest, parameter_names


def is_nested(name: str) -> bool:
    """Whether a parameter belongs to a component of skorch."""
    return "__" in name and not name.startswith("_")


class NestedParamsMixin:
    """Mixin of detectors that take parameters of the components of skorch.

    ``super()`` is :class:`sklearn.base.BaseEstimator`, before which a mixin stands.
    """

    _get_param_names: Callable[[], list[str]]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters of the constructor, and the nested parameters that are set.

        Parameters
        ----------
        deep : bool, default=True
            Whether to return the parameters of parameters that are estimators, too.

        Returns
        -------
        params : dict
            Names and values.
        """
        params = super().get_params(deep=deep)  # type: ignore[misc]
        return {**params, **self._nested_params()}

    def set_params(self, **params: Any) -> Self:
        """Set parameters of the constructor, or nested parameters.

        A fitted network is not changed.

        Parameters
        ----------
        **params : dict
            Names and values. Nested names such as ``optimizer__weight_decay`` are checked
            only in ``fit``.

        Returns
        -------
        self : object
            The detector.

        Raises
        ------
        ValueError
            If a name that is not nested is not a parameter of the constructor.
        """
        nested = {name: value for name, value in params.items() if is_nested(name)}
        explicit = {name: value for name, value in params.items() if name not in nested}
        valid = self._get_param_names()
        for name in explicit:
            if name not in valid:
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator {type(self).__name__}."
                    f"{closest(name, valid)} Valid parameters are: {valid}."
                )
        super().set_params(**explicit)  # type: ignore[misc]
        self.__dict__.update(nested)
        return self

    def _nested_params(self) -> dict:
        return {name: value for name, value in vars(self).items() if is_nested(name)}

    def _set_nested_params(self, params: dict) -> None:
        """Store the nested parameters of a constructor call; raise TypeError for others."""
        for name, value in params.items():
            if not is_nested(name):
                raise TypeError(
                    f"{type(self).__name__}() got an unexpected keyword argument {name!r}."
                    f"{closest(name, self._get_param_names())}"
                )
            setattr(self, name, value)


def check_nested_params(detector, net) -> None:
    """Check that each nested parameter is a parameter of a component of the net.

    Parameters
    ----------
    detector : BaseDeepDetector
        The detector whose nested parameters are checked.
    net : DetectorNet
        The net of the detector, initialised or not.

    Raises
    ------
    ValueError
        If no component has a parameter of this name.
    """
    components = {
        "module": type(net.module) if isinstance(net.module, nn.Module) else net.module,
        "criterion": net.criterion,
        "iterator_train": net.iterator_train,
        "iterator_valid": net.iterator_valid,
        "dataset": net.dataset,
        "compile": torch.compile,
        **{name: getattr(net, name) for name in detector._optimizers},
    }
    valid = {f"{name}__param_groups" for name in detector._optimizers}
    open_prefixes = set()
    for prefix, component in components.items():
        names, takes_any = parameter_names(component)
        valid.update(f"{prefix}__{name}" for name in names)
        if takes_any:
            open_prefixes.add(prefix)
    for name, callback in named_callbacks(net).items():
        valid.add(f"callbacks__{name}")
        if inspect.isclass(callback):
            valid.update(f"callbacks__{name}__{n}" for n in parameter_names(callback)[0])
        elif callback is not None:
            valid.update(f"callbacks__{name}__{n}" for n in callback.get_params())
    for name in detector._nested_params():
        if name not in valid and name.partition("__")[0] not in open_prefixes:
            raise ValueError(
                f"Invalid parameter {name!r} for estimator {type(detector).__name__}:"
                f" nothing reads it.{closest(name, valid)}"
            )
