"""Strategies of hypothesis: estimators of the package, with any parameters."""

import functools
from numbers import Integral

import numpy as np
import torch
from conftest import EXPORTED, make_detector
from fuzzed_data import RARELY
from hypothesis import strategies as st
from sklearn.cluster import DBSCAN, KMeans, MiniBatchKMeans
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import EarlyStopping, GradientNormClipping, LRScheduler
from skorch.dataset import ValidSplit

from skdeepanomaly import (
    ConformalDetector,
    FeedbackDetector,
    GaussianNoise,
    MatrixProfileDetector,
    RandomFlip,
    RandomShift,
    ScoreCalibrator,
    SlidingWindowDetector,
    ThresholdedDetector,
    ThresholdSearchCV,
    UnsupervisedSearch,
    as_classifier,
)
from skdeepanomaly.base import BaseDeepDetector
from skdeepanomaly.metrics import label_scorers
from skdeepanomaly.thresholds import THRESHOLDS
from skdeepanomaly.utils.validation import Interval, Options

# Parameters: a strategy for each kind of constraint, and for each parameter whose constraint
# does not say what it takes, or allows fits that take long.


@st.composite
def numbers_in(draw, interval):
    """Draw a number in an interval: mostly an ordinary one, sometimes one near its ends."""
    low, high = interval.left, interval.right
    if interval.type is Integral:
        low = 0 if low is None else low + (interval.closed in ("right", "neither"))
        high = low + 12 if high is None else high - (interval.closed in ("left", "neither"))
        value = draw(st.integers(int(low), int(high)))
        return draw(st.sampled_from([value, np.int64(value), np.uint8(value)]))
    closed_left = interval.closed in ("left", "both") and low is not None
    closed_right = interval.closed in ("right", "both") and high is not None
    strategy = st.floats(
        -1e300 if low is None else low,
        1e300 if high is None else high,
        exclude_min=low is not None and not closed_left,
        exclude_max=high is not None and not closed_right,
    )
    ordinary = st.sampled_from([2.0**k for k in range(-10, 6)]).filter(interval.__contains__)
    value = draw(st.one_of(ordinary, ordinary, ordinary, strategy))
    with np.errstate(over="ignore"):
        forms = [value, np.float64(value), np.float32(value), int(value)]
    return draw(st.sampled_from([form for form in forms if form in interval]))


RANDOM_STATES = st.one_of(
    st.integers(0, 2**32 - 1),
    st.integers(0, 9).map(np.random.RandomState),
    st.none(),
)
KEYWORDS = {
    "boolean": st.sampled_from([False, True, np.False_, np.True_]),
    "verbose": st.sampled_from([0, False, 1, 2, True]),
    "random_state": RANDOM_STATES,
}


def values_of(constraint):
    """Return the strategy of the values that a constraint allows."""
    if constraint is None:
        return st.none()
    if isinstance(constraint, Interval):
        return numbers_in(constraint)
    if isinstance(constraint, Options):
        return st.sampled_from(sorted(constraint.options))
    return KEYWORDS[constraint]


def few_numbers(numbers):
    """Return the strategy of short sequences, in any container."""
    containers = st.sampled_from([tuple, list, np.array])
    return st.builds(lambda make, values: make(values), containers, numbers)


def brighter(images):
    """Change images with a generator of numpy."""
    return images * float(np.random.uniform(0.5, 2))


def cropped(images):
    """Change the shape of images, which no augmentation may."""
    return images[:, :, :, 1:]


WIDTHS = st.lists(st.integers(1, 9), max_size=3)
BAD_WIDTHS = st.sampled_from([[0], [4, -1], [2.5], ["4"], [[3]], [None], [np.nan]])
PAIRS = st.lists(st.sampled_from([0.0, 0.1, 1, 1e-30, 1e30]), min_size=2, max_size=2)
BAD_PAIRS = st.sampled_from([[], [1.0], [1.0, -2.0], [np.nan, 1.0], ["a", "b"], [1, 2, 3]])
OPTIMIZERS = st.sampled_from(
    [
        torch.optim.Adam,
        torch.optim.AdamW,
        torch.optim.SGD,
        torch.optim.RMSprop,
        torch.optim.Adagrad,
        torch.optim.LBFGS,
        functools.partial(torch.optim.SGD, momentum=0.9),
    ]
)
SPECIAL = {
    # Networks of the user's own, and compilation, which takes long, have tests of their own.
    "module": st.none(),
    "compile": st.just(False),
    "max_epochs": st.integers(1, 3),
    "n_members": st.sampled_from([1, 1, 2, 3]),
    "pretrain_epochs": st.integers(0, 2),
    "batch_size": st.one_of(st.sampled_from(["auto", -1, 10**9]), st.integers(1, 70)),
    "optimizer": OPTIMIZERS,
    "optimizer_d": OPTIMIZERS,
    "optimizer_g": OPTIMIZERS,
    "train_split": st.sampled_from([None, 0.01, 0.2, 0.5, 0.99, ValidSplit(3)]),
    "device": st.sampled_from(["cpu", "auto", "cuda:7", "gpu", "", torch.device("cpu")]),
    "callbacks": st.sampled_from(
        [
            None,
            [],
            [("stop", EarlyStopping(monitor="train_loss", patience=1))],
            (GradientNormClipping(1.0),),
            [LRScheduler(policy="StepLR", step_size=1)],
            [3],
            [("pair", None)],
        ]
    ),
    "hidden_dims": few_numbers(st.one_of(WIDTHS, WIDTHS, BAD_WIDTHS)),
    "channels": few_numbers(st.one_of(WIDTHS, WIDTHS, BAD_WIDTHS)),
    # The outputs of a module of the user's own: there is none.
    "layer": st.sampled_from([None, "", "0", ["0"], [], ["a", "a"], [1]]),
    "image_shape": st.one_of(
        st.none(),
        few_numbers(st.lists(st.integers(1, 5), min_size=2, max_size=3)),
        st.sampled_from([(), (4,), (0, 4), (2.0, 3), (1, 1, 2, 2), "ab", [[1, 2]]]),
    ),
    "augmentation": st.sampled_from(
        [
            None,
            RandomShift(),
            RandomShift(99),
            RandomFlip(horizontal=False),
            GaussianNoise(),
            brighter,
            cropped,
            len,
        ]
    ),
    "background_scales": few_numbers(st.one_of(PAIRS, BAD_PAIRS)),
    "noise_std": few_numbers(st.one_of(PAIRS, BAD_PAIRS)),
    "masking_rate": few_numbers(
        st.one_of(st.sampled_from([[0.1, 0.5], [0, 0], [0.5, 1.0], [0.2]]), BAD_PAIRS)
    ),
    "condition_features": st.one_of(
        st.none(),
        few_numbers(st.lists(st.integers(-2, 5), max_size=3)),
        st.sampled_from([["c0"], ["c1", 0], ["nowhere"], [True], [1.5]]),
    ),
}
# skorch's nested names, right and wrong ones.
NESTED = {
    "optimizer__weight_decay": st.sampled_from([0.0, 0.1, 10]),
    "optimizer__eps": st.sampled_from([1e-8, 1e-3]),
    "optimizer__momentum": st.just(0.5),
    "iterator_train__shuffle": st.booleans(),
    "iterator_valid__batch_size": st.integers(1, 9),
    "module__dropout": st.sampled_from([0.0, 0.5]),
    "module__depth": st.just(3),
    "criterion__nothing": st.just(1),
    "callbacks__print_log": st.none(),
    "callbacks__valid_acc": st.none(),
    "nonsense__lr": st.just(1.0),
}


def values_for(cls, name):
    """Return the strategy of the values of a parameter."""
    constraints = cls._parameter_constraints[name]
    if name not in SPECIAL:
        return st.one_of(*map(values_of, constraints))
    # A number may stand in place of a sequence.
    is_sequence = "array-like" in constraints
    numbers = [c for c in constraints if is_sequence and isinstance(c, Interval)]
    return st.one_of(SPECIAL[name], *map(values_of, numbers))


@st.composite
def params_of(draw, cls, names):
    """Draw values for a few of the parameters, so that most estimators can be fitted."""
    chosen = draw(st.lists(st.sampled_from(sorted(names)), max_size=4, unique=True))
    return {name: draw(values_for(cls, name)) for name in chosen}


@st.composite
def detectors(draw, name):
    """Draw a detector of the package, of any parameters, whose fit is short."""
    cls = EXPORTED[name]
    params = draw(params_of(cls, cls._parameter_constraints))
    if issubclass(cls, BaseDeepDetector) and draw(RARELY):
        nested = draw(st.sampled_from(sorted(NESTED)))
        params[nested] = draw(NESTED[nested])
    return make_detector(name, classes=EXPORTED, **params)


# What meta-estimators wrap: quick detectors of scikit-learn and of the package.
FOREST = IsolationForest(n_estimators=3, random_state=0)
INNER = st.one_of(
    st.sampled_from([FOREST, make_pipeline(StandardScaler(), FOREST)]),
    st.sampled_from(["AutoEncoder", "BiGAN", "DeepClustering", "DeepSAD", "DevNet"]).map(
        lambda name: make_detector(name, classes=EXPORTED, max_epochs=1, hidden_dims=(4,))
    ),
    st.sampled_from([FOREST] * 3 + [LogisticRegression()]),
)


@st.composite
def rules(draw):
    """Draw a threshold rule, or its name."""
    name = draw(st.sampled_from(sorted(THRESHOLDS)))
    cls = THRESHOLDS[name]
    rule = cls(**draw(params_of(cls, cls._parameter_constraints)))
    return draw(st.sampled_from([name, rule]))


SPECIAL |= {
    "detector": INNER,
    "detectors": st.one_of(
        st.lists(
            st.tuples(st.sampled_from(["a", "b", "c"]), st.one_of(INNER, st.just("drop"))),
            min_size=1,
            max_size=3,
            unique_by=lambda pair: pair[0],
        ),
        st.sampled_from([[], [("a", FOREST), ("a", FOREST)], [FOREST], ["drop"]]),
    ),
    "weights": st.sampled_from([None, [1.0, 2.0], [0, 1], [1], [-1, 2], [np.nan, 1], "ab"]),
    "clusterer": st.sampled_from(
        [
            None,
            KMeans(3, random_state=0),
            MiniBatchKMeans(2, random_state=0),
            DBSCAN(),
            GaussianMixture(2, random_state=0),
        ]
    ),
    "encoder": st.sampled_from(
        [
            None,
            StandardScaler(),
            make_detector("AutoEncoder", classes=EXPORTED, max_epochs=1, latent_dim=2),
        ]
    ),
    "threshold": st.one_of(rules(), st.sampled_from(["nonsense", ""])),
    "calibration_size": st.one_of(st.none(), st.floats(0.01, 0.99), st.integers(2, 40)),
    "cv": st.sampled_from([None, 2, 3, KFold(2), 40]),
    "scoring": st.sampled_from([*label_scorers, "roc_auc", "nonsense"]),
    "candidates": st.one_of(
        st.none(), st.lists(st.one_of(st.floats(0.01, 0.6), rules()), max_size=3)
    ),
    "param_grid": st.sampled_from(
        [{}, [{}], {"contamination": [0.1, 0.3]}] * 3
        + [{"nonsense": [1]}, {"contamination": 1}, [], {"contamination": []}]
    ),
    "criterion": st.sampled_from(
        ["excess_mass", "mass_volume", "npd", "stability", "nonsense"]
    ),
    "error_score": st.sampled_from([np.nan, "raise", 0.0]),
    # Without a fitted detector there are no scores.
    "refit": st.just(True),
    "n_jobs": st.sampled_from([None, 1]),
    # Rows have no time stamps, but for a test of what is said of that.
    "time": st.sampled_from([None] * 9 + ["nowhere"]),
    "resample": st.sampled_from([None] * 9 + [2, "5min"]),
    "anomaly_label": st.sampled_from([None, -1, 1, 0, "odd", True]),
}
META = {
    "ThresholdedDetector": ThresholdedDetector,
    "ConformalDetector": ConformalDetector,
    "FeedbackDetector": FeedbackDetector,
    "ThresholdSearchCV": ThresholdSearchCV,
    "UnsupervisedSearch": UnsupervisedSearch,
    "as_classifier": type(as_classifier(FOREST)),
}
# What these need, and what makes their fits short.
GIVEN = {"UnsupervisedSearch": {"param_grid": {}, "cv": 2}, "ThresholdSearchCV": {"cv": 2}}


@st.composite
def meta_estimators(draw, name):
    """Draw a meta-estimator of the package around a detector."""
    cls = META[name]
    constraints = cls._parameter_constraints
    params = {"detector": draw(INNER), **GIVEN.get(name, {})}
    return cls(**params | draw(params_of(cls, constraints.keys() - {"detector"})))


SERIES = {
    "SlidingWindowDetector": SlidingWindowDetector,
    "MatrixProfileDetector": MatrixProfileDetector,
    "ScoreCalibrator": ScoreCalibrator,
}


@st.composite
def series_detectors(draw, name):
    """Draw a detector of series of the package."""
    cls = SERIES[name]
    names = cls._parameter_constraints.keys()
    params = draw(params_of(cls, names - {"detector"}))
    if "detector" in names:
        inner = [INNER]
        if name == "ScoreCalibrator":
            inner += [series_detectors("SlidingWindowDetector")]
        params["detector"] = draw(st.one_of(inner))
    return cls(**params)


@st.composite
def table_pipelines(draw, table):
    """Draw a detector, and arguments of ``make_detector_pipeline`` for a table."""
    named = table.layout in ("pandas", "polars")
    names = [*table.values.columns] if named else [*range(table.values.shape[1])]
    given = st.lists(st.sampled_from(names), max_size=1)
    params = {
        "numeric": given,
        "categorical": given,
        "date": given,
        "text": given,
        "drop": st.one_of(given, st.just(["nowhere"])),
        "scaler": st.sampled_from(["soft", StandardScaler()]),
        "max_categories": st.integers(1, 9),
        "text_components": st.integers(1, 9),
        "clean": st.booleans(),
    }
    if not named:
        del params["clean"]  # skrub's cleaner takes frames only
    chosen = draw(st.lists(st.sampled_from(sorted(params)), max_size=2, unique=True))
    return draw(INNER), {name: draw(params[name]) for name in chosen}
