"""From the arguments of ``fit`` to a detector."""

import ast
import sys
from argparse import Namespace
from typing import Any

from sklearn.base import BaseEstimator

from ..meta import ThresholdedDetector
from ..tables import make_detector_pipeline
from ..thresholds import THRESHOLDS
from ..utils import all_detectors
from ..utils.validation import closest, parameter_names
from ._errors import UsageError

KINDS = ("numeric", "categorical", "date", "time", "text")
RULES = THRESHOLDS
# What describes a detector on the command line, with the values where nothing is given.
DEFAULTS: dict[str, Any] = {
    "detector": "AutoEncoder",
    "param": [],
    "contamination": None,
    "threshold_rule": None,
    "threshold_param": [],
    "ignore": [],
    **{kind: [] for kind in KINDS},
    "no_encoding": False,
}
# Parameters that have an option of their own.
_OPTIONS = {"contamination": "--contamination", "random_state": "--seed"}
_WORDS = {"true": True, "false": False}


def make_detector(arguments: Namespace) -> BaseEstimator:
    """Return the detector that the arguments of ``fit`` describe.

    Parameters
    ----------
    arguments : argparse.Namespace
        The arguments.

    Returns
    -------
    detector : estimator
        Not fitted.

    Raises
    ------
    UsageError
        If a name or a value is not valid.
    """
    detector_class = _find_class(arguments.detector)
    known, _ = parameter_names(detector_class)
    params = {}
    if arguments.contamination is not None:
        if arguments.threshold_rule is not None:
            raise UsageError(
                "--contamination and --threshold-rule both set the threshold; give one of them."
                " A share of rows by a rule is --threshold-rule quantile --threshold-param"
                f" contamination={arguments.contamination}."
            )
        params["contamination"] = _read_value(arguments.contamination)
    if "random_state" in known:
        params["random_state"] = arguments.seed
    if "verbose" in known and sys.stderr.isatty() and not arguments.quiet:
        params["verbose"] = 1  # a progress bar
    given = _read_params(arguments.param, "--param")
    for name in given:
        if name in _OPTIONS:
            raise UsageError(f"--param {name}: use {_OPTIONS[name]} instead.")
    detector = _make(detector_class, {**params, **given}, "--param")
    if arguments.threshold_param and arguments.threshold_rule is None:
        raise UsageError("--threshold-param needs --threshold-rule, which it is for.")
    detector = _with_encoding(detector, arguments)
    if arguments.threshold_rule is None:
        return detector
    given = _read_params(arguments.threshold_param, "--threshold-param")
    rule = _make(RULES[arguments.threshold_rule], given, "--threshold-param")
    return ThresholdedDetector(detector, threshold=rule, random_state=arguments.seed)


def refuse_detector(arguments: Namespace) -> None:
    """Refuse options that describe a detector where a model is given.

    Parameters
    ----------
    arguments : argparse.Namespace
        The arguments of a command that takes either.

    Raises
    ------
    UsageError
        If there is such an option; it names the first one.
    """
    for name, default in DEFAULTS.items():
        if getattr(arguments, name) != default:
            option = "--" + name.replace("_", "-")
            raise UsageError(
                f"{option} describes a detector to fit, but --model gives one that is fitted."
                f" Leave one of {option} and --model out."
            )


def takes_labels(arguments: Namespace) -> bool:
    """Whether the detector learns from labels."""
    return getattr(_find_class(arguments.detector), "_labels", None) is not None


def _with_encoding(detector: BaseEstimator, arguments: Namespace) -> BaseEstimator:
    kinds = {kind: getattr(arguments, kind) for kind in KINDS}
    if arguments.no_encoding:
        if named := [kind for kind, columns in kinds.items() if columns]:
            raise UsageError(
                f"--{named[0]} has no meaning with --no-encoding, which hands all columns to"
                " the detector as they are. Leave one of them out."
            )
        return detector
    label = [] if arguments.label_column is None else [arguments.label_column]
    # The encoder remembers what it drops, so that new tables may have these columns or not.
    drop = list(dict.fromkeys([*arguments.ignore, *label]))
    return make_detector_pipeline(detector, drop=drop, **kinds)


def _find_class(name: str) -> type:
    classes = dict(all_detectors())
    by_lower = {known.lower(): known for known in classes}
    if name.lower() not in by_lower:
        raise UsageError(
            f"--detector {name}: there is no such detector.{closest(name, classes)} Expected"
            f" one of {', '.join(classes)}."
        )
    return classes[by_lower[name.lower()]]


def _make(made_class: type, params: dict, option: str) -> BaseEstimator:
    """Return an instance of a class, with parameters that are checked by name and value."""
    known, takes_any = parameter_names(made_class)
    for name in params:
        if name not in known and not (takes_any and "__" in name):
            raise UsageError(
                f"{option} {name}: {made_class.__name__} has no such parameter."
                f"{closest(name, known)} Expected one of {', '.join(known)}."
            )
    made = made_class(**params)
    try:
        # Of rules and detectors alike. Before the table is read, which may take long.
        made._validate_params()
    except ValueError as error:
        raise UsageError(str(error)) from error
    return made


def _read_params(texts: list[str], option: str) -> dict:
    params = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name.strip():
            raise UsageError(
                f"{option} {text}: expected NAME=VALUE, such as {option} max_epochs=20."
            )
        params[name.strip()] = _read_value(value.strip())
    return params


def _read_value(text: str) -> Any:
    """Return a number, a tuple, True, False or None if a text is written like one, else it."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
