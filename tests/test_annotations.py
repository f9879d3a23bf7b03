"""Annotations: all that is public has them, and they say what the constraints say."""

import importlib
import inspect
import os
import pkgutil
import subprocess
import sys
from numbers import Integral, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import Literal, Union, get_args, get_origin, get_type_hints

import pytest
from sklearn.utils._param_validation import make_constraint

import skdeepanomaly
from skdeepanomaly.utils.validation import Interval, Options, RealNotInt, StrOptions


def public_modules():
    """Return the modules without an underscore in their names."""
    found = pkgutil.walk_packages(skdeepanomaly.__path__, "skdeepanomaly.")
    public = [info.name for info in found if "._" not in info.name]
    return [skdeepanomaly, *map(importlib.import_module, public)]


def public_names(module):
    """Return what a module offers: ``__all__``, or else what is defined in it."""
    if hasattr(module, "__all__"):
        return {name: getattr(module, name) for name in module.__all__}
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    }


def functions_of(value):
    """Yield a function, or the public functions of a class and its constructor."""
    if not inspect.isclass(value):
        yield inspect.unwrap(value)
        return
    for cls in value.__mro__:
        for name, member in vars(cls).items():
            if name.startswith("_") and name != "__init__":
                continue
            if isinstance(member, property):
                yield member.fget
            elif isinstance(member, staticmethod | classmethod):
                yield member.__func__
            elif inspect.isfunction(member):
                yield member
            elif hasattr(member, "fn"):  # sklearn.utils.metaestimators.available_if
                yield member.fn


CLASSES = {}
FUNCTIONS = {}
for public_module in public_modules():
    for public_value in public_names(public_module).values():
        if not callable(public_value) or get_origin(public_value) is not None:
            continue
        has_constructor = inspect.isfunction(getattr(public_value, "__init__", None))
        if has_constructor and hasattr(public_value, "_parameter_constraints"):
            CLASSES[public_value.__name__] = public_value
        for public_function in functions_of(public_value):
            if public_function.__module__.startswith("skdeepanomaly."):
                key = f"{public_function.__module__}.{public_function.__qualname__}"
                FUNCTIONS[key.removeprefix("skdeepanomaly.")] = public_function


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_public_callables_are_annotated(name):
    function = FUNCTIONS[name]
    parameters = inspect.signature(function).parameters
    names = [n for i, n in enumerate(parameters) if i or n not in ("self", "cls")]
    if function.__name__ != "__init__":
        names.append("return")
    assert [n for n in names if n not in function.__annotations__] == []
    # No name in an annotation is unknown.
    assert set(names) <= set(get_type_hints(function))


def parts_of(hint):
    """Return the members of a union; a literal counts as its values."""
    if get_origin(hint) is Literal:
        return set(get_args(hint))
    if get_origin(hint) in (Union, UnionType):
        return set().union(*map(parts_of, get_args(hint)))
    return {hint}


def numbers_of(constraints):
    """Return the kinds of numbers that constraints name."""
    kinds = {c.type for c in constraints if isinstance(c, Interval | Options)}
    return kinds | {c for c in constraints if c in (Integral, Real)}


def said_by_constraints(constraints):
    """Return which of None, bool, int, float and texts a parameter takes."""
    kinds, names = numbers_of(constraints), {c for c in constraints if isinstance(c, str)}
    texts = [c.options for c in constraints if isinstance(c, StrOptions)]
    return {
        NoneType: any(make_constraint(c).is_satisfied_by(None) for c in constraints),
        bool: "boolean" in names,
        int: Integral in kinds or bool(names & {"cv_object", "random_state", "verbose"}),
        float: bool(kinds & {Real, RealNotInt}),
        "texts": set().union(*texts),
    }


def said_by_annotation(hint):
    """Return the same of an annotation."""
    parts = parts_of(hint)
    texts = {part for part in parts if isinstance(part, str)}
    return {kind: kind in parts for kind in (NoneType, bool, int, float)} | {"texts": texts}


# A base leaves some constraints to its subclasses.
@pytest.mark.parametrize("name", sorted(n for n in CLASSES if not n.startswith("Base")))
def test_annotations_agree_with_constraints(name):
    cls = CLASSES[name]
    hints = get_type_hints(cls.__init__)
    wrong = {}
    for parameter, constraints in cls._parameter_constraints.items():
        if parameter not in hints or constraints == "no_validation":
            continue
        # ``ArrayLike`` takes single numbers, too, so that it says less.
        if complex in parts_of(hints[parameter]):
            continue
        said = said_by_annotation(hints[parameter])
        if said != said_by_constraints(constraints):
            wrong[parameter] = said, constraints
    assert wrong == {}


# What a user writes who has mypy check the types, without stubs of scikit-learn.
PROGRAM = """
from typing import assert_type

import numpy as np
import pandas as pd
import polars as pl
import torch
from numpy.typing import NDArray
from skdeepanomaly import AutoEncoder
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import EarlyStopping

X = np.random.default_rng(0).normal(size=(300, 4))
frame = pd.DataFrame(X, columns=list("abcd"))
detector = AutoEncoder(
    hidden_dims=[64, 32],
    latent_dim=2,
    output_activation=None,
    optimizer=torch.optim.AdamW,
    optimizer__weight_decay=0.01,
    max_epochs=20,
    batch_size=64,
    train_split=0.2,
    callbacks=[EarlyStopping(), ("quick", EarlyStopping(patience=2))],
    contamination="auto",
    device=torch.device("cpu"),
    random_state=np.random.RandomState(0),
)
pipeline = make_pipeline(StandardScaler(), detector)
labels = pipeline.fit(frame).predict(frame)

assert_type(detector.fit(frame), AutoEncoder)
assert_type(detector.partial_fit(frame), AutoEncoder)
assert_type(detector.score_samples(X), NDArray[np.float64])
assert_type(detector.encode(pl.DataFrame(X)), NDArray[np.float32])
assert_type(detector.explain(torch.from_numpy(X)), NDArray[np.float64])
assert_type(detector.offset_, float)
network = torch.nn.Linear(4, 4)
for module in (network, torch.nn.Identity, lambda n_features: network):
    AutoEncoder(module=module).fit(X.tolist())
"""

# Each line is an error.
WRONG_PROGRAM = """
from skdeepanomaly import GAN, AutoEncoder
AutoEncoder(lr="fast")
AutoEncoder(hidden_dims=64)
AutoEncoder(activation="relo")
AutoEncoder(max_epochs="Auto")
AutoEncoder(module="mlp")
AutoEncoder(lr=None)
AutoEncoder().fit(None)
AutoEncoder().score_samples({"a": [1.0, 2.0]})
GAN(score_type="logits")
"""


@pytest.mark.slow
def test_programs_of_users(tmp_path, request):
    pytest.importorskip("mypy")
    (tmp_path / "right.py").write_text(PROGRAM)
    (tmp_path / "wrong.py").write_text(WRONG_PROGRAM)
    flags = ["--strict", "--ignore-missing-imports", "--follow-imports=silent"]
    flags += ["--no-error-summary", f"--cache-dir={request.config.cache.mkdir('mypy')}"]
    output = subprocess.run(
        [sys.executable, "-m", "mypy", *flags, "right.py", "wrong.py"],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(Path(skdeepanomaly.__file__).parents[1])},
        capture_output=True,
        text=True,
    )
    errors = [line for line in output.stdout.splitlines() if ": error:" in line]
    assert output.stderr == ""
    assert [error for error in errors if not error.startswith("wrong.py")] == []
    lines = [int(error.split(":")[1]) for error in errors]
    n_lines = len(WRONG_PROGRAM.splitlines())
    assert sorted(set(lines)) == list(range(3, n_lines + 1)), output.stdout
