"""Nested parameters, such as ``optimizer__weight_decay``: get, set, and refuse them."""

import inspect

import torch
from torch import nn

from ..utils._compat import named_callbacks
from ..utils.validation import closest, parameter_names


def is_nested(name: str) -> bool:
    """Whether a parameter belongs to a component of skorch."""
    return "__" in name and not name.startswith("_")


class NestedParamsMixin:
    """Parameters of skorch's components, beside those that the constructor names."""

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

    def set_params(self, **params):
        """Set parameters, explicit or nested; a fitted network stays as it is.

        Parameters
        ----------
        **params : dict
            Names and values. Nested names (``optimizer__weight_decay``) are checked by
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
        nested = {name: value for name, value in params.items() if is_nested(name)}
        explicit = {name: value for name, value in params.items() if name not in nested}
        valid = self._get_param_names()
        for name in explicit:
            if name not in valid:
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator {type(self).__name__}."
                    f"{closest(name, valid)} Valid parameters are: {valid}."
                )
        super().set_params(**explicit)
        vars(self).update(nested)
        return self

    def _nested_params(self) -> dict:
        return {name: value for name, value in vars(self).items() if is_nested(name)}

    def _set_nested_params(self, params: dict) -> None:
        """Keep the nested parameters of a constructor; refuse any other keyword."""
        for name, value in params.items():
            if not is_nested(name):
                raise TypeError(
                    f"{type(self).__name__}() got an unexpected keyword argument {name!r}."
                    f"{closest(name, self._get_param_names())}"
                )
            setattr(self, name, value)


def check_nested_params(detector, net) -> None:
    """Refuse nested names that no component of the net reads.

    Parameters
    ----------
    detector : BaseDeepDetector
        Its nested parameters are checked.
    net : DetectorNet
        The net that they are for, initialised or not.

    Raises
    ------
    ValueError
        If nothing reads a name.
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
