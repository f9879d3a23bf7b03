"""Saved detectors give the same scores, and hostile files are refused."""

import collections
import copy
import functools
import json
import os
import pickle
import subprocess
import sys
from types import SimpleNamespace

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from conftest import (
    DEEP,
    EXPORTED,
    IMAGE,
    KINDS,
    LABELLED,
    UNTRAINED,
    make_detector,
    make_rows,
)
from pyod.models.knn import KNN
from safetensors.numpy import save
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.covariance import EllipticEnvelope
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import SGDOneClassSVM
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils import Bunch
from skorch.callbacks import Checkpoint, EarlyStopping, LRScheduler
from skorch.dataset import Dataset
from skorch.helper import predefined_split

from skdeepanomaly import (
    AutoEncoder,
    BackupAndRestore,
    ClusterwiseDetector,
    ConformalDetector,
    DriftDetector,
    EnsembleDetector,
    FeedbackDetector,
    FrozenEncoder,
    MatrixProfileDetector,
    NeighborDistance,
    PatchCore,
    ScoreCalibrator,
    SlidingWindowDetector,
    ThresholdedDetector,
    ThresholdSearchCV,
    UnsupervisedSearch,
    __version__,
    as_classifier,
    from_pyod,
    load_detector,
    make_detector_pipeline,
    save_detector,
    thresholds,
)
from skdeepanomaly.meta._ensemble import default_members
from skdeepanomaly.persistence import _allowed, _files
from skdeepanomaly.persistence._decoding import Decoder
from skdeepanomaly.persistence._encoding import Encoder
from skdeepanomaly.persistence._native import check_object

# One of xdist's workers fits and saves them all.
pytestmark = pytest.mark.xdist_group("persistence")

X = make_rows()
Y = np.where(np.arange(len(X)) < 20, -1, 1)
IMAGES = np.random.default_rng(0).random((40, 16, 16), dtype=np.float32)
INNER = AutoEncoder(max_epochs=1, hidden_dims=(8,), random_state=0)
FOREST = IsolationForest(n_estimators=5, random_state=0)


def make_table(n_rows=120):
    rng = np.random.default_rng(0)
    numbers = np.where(rng.random((n_rows, 2)) < 0.1, np.nan, rng.normal(size=(n_rows, 2)))
    return pd.DataFrame(numbers, columns=["a", "b"]).assign(
        kind=[*rng.choice(["x", "y", None], n_rows - 2), "rare", "rarer"],
        when=pd.date_range("2020-01-01", periods=n_rows, freq="7h"),
        flag=rng.random(n_rows) < 0.5,
        note=[f"invoice {i * 7919 % 1000} of {i}" for i in range(n_rows)],
    )


TABLE = make_table()
MIXED = make_column_transformer(
    (make_pipeline(SimpleImputer(add_indicator=True), PowerTransformer()), ["a", "b"]),
    (OneHotEncoder(drop="if_binary", min_frequency=5, handle_unknown="ignore"), ["kind"]),
    (OrdinalEncoder(), ["flag"]),
    ("drop", ["when"]),
    sparse_threshold=0,
)
NUMBERS = make_pipeline(
    RobustScaler(), MinMaxScaler(), make_union(PCA(2), MaxAbsScaler()), Normalizer()
)
BACKBONE = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU())

MEMBERS = [
    (name, member.set_params(max_epochs=1) if hasattr(member, "max_epochs") else member)
    for name, member in default_members("contaminated")
]

# Around detectors, and pipelines: an estimator and the rows that it is fitted to.
AROUND = {
    "ThresholdedDetector": (ThresholdedDetector(INNER), X),
    **{
        f"ThresholdedDetector-{name}": (
            ThresholdedDetector(INNER, threshold=getattr(thresholds, name)()),
            X,
        )
        for name in thresholds.__all__
        if name.endswith("Threshold") and name not in ("BaseThreshold", "FixedThreshold")
    },
    "ConformalDetector": (ConformalDetector(INNER, cv=2), X),
    "ThresholdSearchCV": (ThresholdSearchCV(INNER, cv=2), X),
    "UnsupervisedSearch": (
        UnsupervisedSearch(INNER, {"hidden_dims": [(8,), (4,)]}, cv=2),
        X,
    ),
    "as_classifier": (as_classifier(INNER), X),
    "ClusterwiseDetector-ours": (ClusterwiseDetector(detector=INNER, n_clusters=2), X),
    "ClusterwiseDetector-covariance": (
        ClusterwiseDetector(detector=EllipticEnvelope(random_state=0), n_clusters=2),
        X,
    ),
    "FeedbackDetector": (FeedbackDetector(INNER), X),
    "SlidingWindowDetector": (SlidingWindowDetector(INNER, window=3), X),
    "LocalOutlierFactor": (LocalOutlierFactor(novelty=True), np.repeat(X[:50], 30, axis=0)),
    "MatrixProfileDetector": (MatrixProfileDetector(window=3), X),
    "ScoreCalibrator": (ScoreCalibrator(SlidingWindowDetector(FOREST, window=3)), X),
    "DriftDetector": (DriftDetector(INNER, per=100, window=20, random_state=0), X),
    "numbers": (make_pipeline(StandardScaler(), NUMBERS, INNER), X),
    "quantiles": (
        make_pipeline(
            FunctionTransformer(np.cbrt),
            QuantileTransformer(n_quantiles=20),
            NeighborDistance(),
        ),
        X,
    ),
    "mixed": (make_pipeline(MIXED, INNER), TABLE),
    "table": (make_detector_pipeline(INNER), TABLE),
    "texts": (make_detector_pipeline(FOREST, text=["note"]), TABLE),
    "images": (make_pipeline(FrozenEncoder(BACKBONE), FOREST), IMAGES),
    "layers": (AutoEncoder(module=torch.nn.Linear(5, 5), max_epochs=1, random_state=0), X),
    "PatchCore-layers": (PatchCore(module=BACKBONE, layer="1"), IMAGES),
    "members": (AutoEncoder(n_members=2, tied=True, max_epochs=1, random_state=0), X),
    "generator": (
        AutoEncoder(
            max_epochs=1,
            random_state=np.random.RandomState(0),
            device=torch.device("cpu"),
            callbacks=[
                ("stop", EarlyStopping("train_loss")),
                LRScheduler("StepLR", step_size=1),
            ],
        ),
        X,
    ),
    "EnsembleDetector-default": (EnsembleDetector(MEMBERS, random_state=0), X),
}
NAMES = [*EXPORTED, *AROUND]


def rows_for(name):
    if name in AROUND:
        return AROUND[name][1]
    return IMAGES if name in IMAGE or name in UNTRAINED else X


def answers(estimator, rows):
    """Return all that an estimator says of a few rows."""
    rows = rows[:8] if rows is IMAGES else rows[:40]
    found = {"predict": estimator.predict(rows)} if hasattr(estimator, "predict") else {}
    for method in ("score_samples", "decision_function", "explain", "p_values"):
        if hasattr(estimator, method):
            found[method] = getattr(estimator, method)(rows)
    if isinstance(estimator, DriftDetector):
        watching = copy.deepcopy(estimator)
        found["update_many"] = watching.update_many(rows)
        found["pvalues_"] = watching.pvalues_
    return {key: np.asarray(value) for key, value in found.items()}


# In another process these are read, too: how a file is read does not depend on the method.
ELSEWHERE = [name for name in NAMES if name not in DEEP or name in KINDS]
IN_ANOTHER_PROCESS = """
import pickle, sys
from skdeepanomaly import load_detector
from test_persistence import answers, rows_for
folder, names = sys.argv[1], sys.argv[2:]
found = {name: answers(load_detector(f"{folder}/{name}"), rows_for(name)) for name in names}
with open(f"{folder}/found", "wb") as file:
    pickle.dump(found, file)
"""


@pytest.fixture(scope="module")
def fitted_ones(fitted):
    """Return a function that gives a fitted estimator by name; do not change it."""
    cache = {}

    def get(name):
        if name not in cache:
            if name in AROUND:
                estimator, rows = AROUND[name]
                cache[name] = clone(estimator).fit(rows, Y if rows is X else None)
            elif name in DEEP and name not in LABELLED and name not in IMAGE:
                cache[name] = fitted(name)
            else:
                detector = make_detector(name, classes=EXPORTED)
                rows = rows_for(name)
                cache[name] = detector.fit(rows, Y[: len(rows)])
            if name == "FeedbackDetector":
                cache[name].add_feedback(X[:4], [-1, 1, 1, -1])
        return cache[name]

    return get


@pytest.fixture(scope="module")
def folder(fitted_ones, tmp_path_factory):
    """Return a folder with a file of each estimator."""
    folder = tmp_path_factory.mktemp("saved")
    for name in NAMES:
        save_detector(fitted_ones(name), folder / name)
    return folder


@pytest.fixture(scope="module")
def elsewhere(folder):
    """Return the answers of all that was loaded, in another process."""
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-c",
        IN_ANOTHER_PROCESS,
        str(folder),
        *ELSEWHERE,
    ]
    path = os.pathsep.join(sys.path)
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": path})
    return pickle.loads((folder / "found").read_bytes())


@pytest.mark.parametrize("which", NAMES)
def test_answers_are_equal(which, fitted_ones, folder, elsewhere):
    estimator, rows = fitted_ones(which), rows_for(which)
    loaded = load_detector(folder / which)
    assert type(loaded) is type(estimator)
    if which != "generator":  # a RandomState has no other representation than its address
        assert repr(loaded) == repr(estimator)
    expected = answers(estimator, rows)
    assert expected
    for found in (answers(loaded, rows), elsewhere.get(which, expected)):
        assert found.keys() == expected.keys()
        for key, values in expected.items():
            assert found[key].dtype == values.dtype
            np.testing.assert_array_equal(found[key], values)


@pytest.mark.parametrize("which", ["AutoEncoder", "DevNet", "GAN", "DeepEmbeddedClustering"])
def test_training_goes_on(which, tmp_path):
    detector = make_detector(which, classes=EXPORTED).partial_fit(X, Y)
    save_detector(detector, tmp_path / "file")
    loaded = load_detector(tmp_path / "file")
    scores = [each.partial_fit(X[:60], Y[:60]).score_samples(X) for each in (detector, loaded)]
    np.testing.assert_array_equal(*scores)


def test_warm_starts_go_on(tmp_path):
    callbacks = [LRScheduler("StepLR", step_size=1, gamma=0.5)]
    detector = make_detector("AutoEncoder", warm_start=True, callbacks=callbacks).fit(X)
    save_detector(detector, tmp_path / "file")
    loaded = load_detector(tmp_path / "file")
    scores = [each.fit(X).score_samples(X) for each in (detector, loaded)]
    np.testing.assert_array_equal(*scores)
    assert loaded.history_[-1]["train_loss"] == detector.history_[-1]["train_loss"]


def test_an_older_file_is_replaced_in_one_step(fitted, tmp_path, monkeypatch):
    path = tmp_path / "file"
    save_detector(fitted("AutoEncoder"), path)
    save_detector(fitted("GAN"), path)
    assert type(load_detector(path)) is EXPORTED["GAN"]
    before = path.read_bytes()

    def fail(self, target):
        raise OSError("no room")

    monkeypatch.setattr(type(path), "replace", fail)
    with pytest.raises(OSError, match="no room"):
        save_detector(fitted("AutoEncoder"), path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_errors_name_the_file_that_was_asked_for(fitted, tmp_path):
    for path in (tmp_path / "none" / "file", tmp_path):
        with pytest.raises((FileNotFoundError, IsADirectoryError)) as caught:
            save_detector(fitted("AutoEncoder"), path)
        assert (caught.value.filename, caught.value.filename2) == (str(path), None)
    assert not list(tmp_path.iterdir())


class Layer(torch.nn.Linear):
    """A layer of a user's own."""


def double(values):
    return 2 * values


def round_trip(value):
    encoder = Encoder()
    node = json.loads(json.dumps(encoder.encode(value, "value"), allow_nan=False))
    decoder = Decoder(encoder.arrays)
    found = decoder.decode(node)
    assert not decoder.unread
    return found


VALUES = [
    None,
    True,
    2**70,
    -0.0,
    float("inf"),
    (1, [2.5, ()], {"a": {3, 4}}),
    {1: "one", (2, 3): "two", None: "none"},
    slice(1, None, 2),
    np.float32(0.1),
    np.datetime64("2020-02-03T04:05"),
    np.timedelta64(3, "h"),
    np.str_("text"),
    np.bool_(True),
    np.dtype("f4"),
    np.dtype("M8[ms]"),
    np.float64,
    torch.device("cuda:1"),
    collections.Counter(a=2),
    collections.OrderedDict(b=1, a=2),
    Bunch(a=1),
    np.array(7.5),
    np.zeros((0, 3), dtype=np.int8),
    np.array([["a", "bcd"], ["", "e"]]),
    np.array([], dtype=np.str_),
    np.array([1, None, "two", 3.5], dtype=object),
    np.array([(1, 2), (3, 4), None], dtype=object)[:2],
    np.array(["2020-01-01", "NaT"], dtype="M8[D]"),
    np.arange(6, dtype=">f4").reshape(2, 3).astype(np.float16),
    np.arange(6.0).reshape(2, 3).T,
    np.arange(12.0).reshape(3, 4)[::2, ::3],
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: f"{type(value).__name__} {value}")
def test_values(value):
    found = round_trip(value)
    assert type(found) is type(value)
    if isinstance(value, np.ndarray):
        assert found.dtype == value.dtype
        np.testing.assert_array_equal(found, value)
        assert found.flags.writeable
        # Products can depend on the order in memory in the last bit.
        assert found.flags.f_contiguous >= value.flags.f_contiguous
    else:
        assert found == value
        assert repr(found) == repr(value)


def test_values_of_other_kinds():
    masked = np.ma.array([1.0, 2.0], mask=[False, True])
    found = round_trip([masked, float("nan"), np.arange(3.0).astype(">f8")])
    np.testing.assert_array_equal(found[0].mask, masked.mask)
    assert np.isnan(found[1])
    np.testing.assert_array_equal(found[2], np.arange(3))
    columns = collections.UserList([0, 2])
    assert round_trip(columns) == [0, 2]
    array = np.arange(3)
    one, other = round_trip([array, array])
    assert one is other


@pytest.mark.parametrize(
    "value",
    [
        np.array([1j]),
        np.zeros(2, dtype="i4,f8"),
        np.array([1], dtype=np.longdouble),
        np.array([b"bytes"]),
        b"bytes",
        iter([]),
        np.random.default_rng(0),
        functools.partial(double, 1),
        lambda: 0,
        pd.Series([1]),
        pd.NA,
        type("Odd", (torch.optim.Adam,), {}),
        csr_matrix([[1]]),
        sys,
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_that_no_file_holds(value):
    with pytest.raises(
        TypeError, match=r"save_detector does not write .*found at value\.a\[0\]"
    ):
        round_trip({"a": [value]})


def test_neighbours_keep_the_names_of_columns():
    table = TABLE[["a", "b"]].fillna(0)
    search = NearestNeighbors(n_neighbors=3).fit(table)
    found = round_trip(search)
    np.testing.assert_array_equal(found.feature_names_in_, ["a", "b"])
    np.testing.assert_array_equal(found.kneighbors(table)[0], search.kneighbors(table)[0])


def test_windows_of_river_are_refused(tmp_path):
    pytest.importorskip("river")
    detector = DriftDetector(INNER, method="adwin", per=100, random_state=0).fit(X)
    with pytest.raises(TypeError, match=r"does not write river\."):
        save_detector(detector, tmp_path / "file")


def test_a_file_that_holds_no_estimator(folder, tmp_path):
    _, _, metadata = read(folder / "AutoEncoder")
    write(tmp_path / "file", {}, {"name": "builtins.print"}, metadata)
    check_refused(tmp_path / "file", "holds a builtin_function_or_method, and no estimator")


SPLIT = predefined_split(Dataset(X))
SHORT_AE = {"max_epochs": 1, "hidden_dims": (8,)}
REFUSED = {
    "a function": (
        make_pipeline(FunctionTransformer(double), INNER),
        "the function test_persistence.double, found at Pipeline.steps.*func",
    ),
    "a function of numpy": (
        make_pipeline(FunctionTransformer(np.nan_to_num), INNER),
        "nan_to_num",
    ),
    "a module": (
        AutoEncoder(module=Layer(5, 5), max_epochs=1),
        "test_persistence.Layer.*torch.nn",
    ),
    "a class of modules": (
        AutoEncoder(module=Layer, module__in_features=5, module__out_features=5, max_epochs=1),
        "test_persistence.Layer, found at AutoEncoder.module",
    ),
    "a callback": (
        AutoEncoder(callbacks=[Checkpoint(monitor=None, dirname="unused")], **SHORT_AE),
        "Checkpoint, found at AutoEncoder.callbacks.0.*callbacks=None",
    ),
    "a split": (AutoEncoder(train_split=SPLIT, **SHORT_AE), "AutoEncoder.train_split"),
    "an estimator": (SGDOneClassSVM(), "SGDOneClassSVM, .*IsolationForest, OneClassSVM"),
    "an estimator of PyOD": (from_pyod(KNN()), "PyODDetector, .*IsolationForest"),
    "a compiler": (
        AutoEncoder(compile__backend="eager", **SHORT_AE),
        "compile__backend.*compile=True alone",
    ),
    "a memory": (
        make_pipeline(StandardScaler(), INNER, memory="unused"),
        "set_params.memory=None",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_written_is_named(what, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    estimator, message = REFUSED[what]
    with pytest.raises(TypeError, match=f"(?s){message}.*joblib"):
        save_detector(clone(estimator).fit(X), tmp_path / "file")
    assert not (tmp_path / "file").exists()


def test_refused_callbacks_can_be_left_out(tmp_path):
    detector = make_detector("AutoEncoder", callbacks=[BackupAndRestore(tmp_path / "backups")])
    with pytest.raises(TypeError, match="BackupAndRestore"):
        save_detector(detector.fit(X), tmp_path / "file")
    save_detector(detector.set_params(callbacks=None), tmp_path / "file")
    loaded = load_detector(tmp_path / "file")
    np.testing.assert_array_equal(loaded.score_samples(X), detector.score_samples(X))


def test_detectors_that_are_none(tmp_path):
    with pytest.raises(NotFittedError):
        save_detector(AutoEncoder(), tmp_path / "file")
    with pytest.raises(TypeError, match="must be a scikit-learn estimator"):
        save_detector({"a": 1}, tmp_path / "file")
    with pytest.raises(FileNotFoundError):
        load_detector(tmp_path / "file")


def test_safetensors_that_is_missing(fitted, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match=r"skdeepanomaly\[safetensors\]"):
        save_detector(fitted("AutoEncoder"), tmp_path / "file")


def test_every_class_of_the_package_has_one_name():
    assert {cls for _, cls in EXPORTED.items()} <= set(_allowed.made().values())
    names = _allowed.named()
    assert len(_allowed.names_of()) == len(set(names.values()))
    # Nothing on the lists reads a file, starts a process or imports a module.
    assert not {"BackupAndRestore", "PyODDetector"} & {n.rpartition(".")[2] for n in names}


# Hostile files. The digest is right in those of an attacker, who can compute it.


def read(path):
    """Return the arrays and the JSON of a file."""
    arrays, metadata = _files._read(_files._import_safetensors(), path.read_bytes())
    return dict(arrays), json.loads(metadata["state"]), metadata


def write(path, arrays, state, metadata):
    metadata = {**metadata, "state": json.dumps(state)}
    metadata["sha256"] = _files._digest(metadata, arrays)
    path.write_bytes(save(arrays, metadata))


def nodes(state):
    """Yield all dicts of the JSON."""
    if isinstance(state, dict):
        yield state
        state = list(state.values())
    if isinstance(state, list):
        for item in state:
            yield from nodes(item)


def check_refused(path, message):
    with pytest.raises(ValueError, match=rf"(?s)cannot be loaded: .*{message}") as caught:
        load_detector(path)
    # Said once, in words, and not as the name of an error.
    assert str(path) in str(caught.value)


NOT_ALLOWED = [
    {"object": "subprocess.Popen", "state": {"args": ["touch", "hacked"]}},
    {"object": "skdeepanomaly.BackupAndRestore", "state": {"dirname": "."}},
    {"object": "torch.nn.Linear.__init__", "state": {}},
    {"object": "builtins.int", "state": {}},
    {"name": "os.system"},
    {"name": "builtins.eval"},
    {"name": "builtins.print.__self__"},
    {"name": "skdeepanomaly.meta._rows.import_module"},
    {"name": "skdeepanomaly.AutoEncoder.fit"},
    {"name": "..os.system"},
    {"name": ""},
    {"name": None},
    {"mapping": "UserDict", "pairs": []},
    {"reduce": "os.system"},
    {"float": "__import__('os')"},
    {"dtype": "f8,O"},
    {"dtype": "V8"},
    {"same": 10**9},
    {"same": -1},
    {},
]


@pytest.mark.parametrize("node", NOT_ALLOWED, ids=str)
def test_names_that_are_not_on_the_list(node, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arrays, state, metadata = read(folder / "AutoEncoder")
    state["state"]["lr"] = node
    write(tmp_path / "file", arrays, state, metadata)
    check_refused(tmp_path / "file", "not written by save_detector")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    "attribute", ["score_samples", "__class__", "__dict__", "compile__options", "_score_rows"]
)
def test_attributes_that_hide_methods(attribute, folder, tmp_path):
    arrays, state, metadata = read(folder / "AutoEncoder")
    state["state"][attribute] = {"name": "builtins.print"}
    write(tmp_path / "file", arrays, state, metadata)
    check_refused(tmp_path / "file", f"sets the attribute '{attribute}' of AutoEncoder")


def test_modules_whose_forward_is_replaced(folder, tmp_path):
    arrays, state, metadata = read(folder / "AutoEncoder")
    packed = [
        node
        for node in nodes(state)
        if ["torch.nn.Module"] in [p[:1] for p in node.get("dict", [])]
    ]
    assert len(packed) > 5
    own = packed[0]["dict"][1]
    assert own[0] == "state"
    own[1]["dict"].append(["forward", {"name": "builtins.print"}])
    write(tmp_path / "file", arrays, state, metadata)
    check_refused(tmp_path / "file", "sets the attribute 'forward' of AutoEncoderNetwork")


def drop(arrays, name):
    del arrays[name]


def spoil(arrays, name):
    arrays[name] = arrays[name].astype(np.float64)


def widen(arrays, name):
    arrays[name] = np.zeros((100, 100), dtype=np.float32)


def smuggle(arrays, name):
    arrays["smuggled"] = np.zeros(3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop, "its array 'AutoEncoder.*weight.*is missing"),
        (spoil, "dtype float64 and the shape .*expected float32"),
        (widen, r"shape \[100, 100\], expected"),
        (smuggle, r"arrays \['smuggled'\] belong to nothing"),
    ],
)
def test_arrays_that_do_not_fit(change, message, folder, tmp_path):
    arrays, state, metadata = read(folder / "AutoEncoder")
    change(arrays, next(name for name in arrays if "weight" in name))
    write(tmp_path / "file", arrays, state, metadata)
    check_refused(tmp_path / "file", message)


def test_other_kinds_of_files(fitted, folder, tmp_path):
    path, detector = tmp_path / "file", fitted("AutoEncoder")

    class Payload:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "hacked"),)

    path.write_bytes(pickle.dumps(Payload()))
    check_refused(path, "it is a pickle.*joblib.load")
    joblib.dump(detector, path)
    check_refused(path, "it is a pickle")
    torch.save(detector.net_.module_.state_dict(), path)
    check_refused(path, "no complete safetensors file")
    for content in (b"", b"\0" * 8, b"nonsense" * 20, (2**63).to_bytes(8, "little") * 3):
        path.write_bytes(content)
        check_refused(path, "no complete safetensors file")
    path.write_bytes(save({"weight": np.zeros(3)}))
    check_refused(path, "none of save_detector")
    assert not (tmp_path / "hacked").exists()


def test_pickles_inside_of_a_file_stay_bytes(folder, tmp_path):
    class Payload:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "hacked"),)

    arrays, state, metadata = read(folder / "AutoEncoder")
    # Where skorch puts what it pickles.
    (net,) = [
        node for node in nodes(state) if node.get("object") == "skdeepanomaly.DetectorNet"
    ]
    payload = pickle.dumps({"module_": Payload(), "criterion_": None, "optimizer_": None})
    arrays["payload"] = np.frombuffer(payload, dtype=np.uint8)
    node = {"array": "payload", "dtype": "u1", "shape": [len(payload)]}
    net["state"] = {**net["state"], "__cuda_dependent_attributes__": node}
    write(tmp_path / "file", arrays, state, metadata)
    check_refused(tmp_path / "file", "'__cuda_dependent_attributes__'")
    assert not (tmp_path / "hacked").exists()


def test_truncated_and_damaged_files(folder, tmp_path):
    content, path = (folder / "AutoEncoder").read_bytes(), tmp_path / "file"
    for length in np.linspace(0, len(content) - 1, 12).astype(int):
        path.write_bytes(content[:length])
        check_refused(path, "safetensors")
    path.write_bytes(content + b"more")
    check_refused(path, "safetensors")
    start = int.from_bytes(content[:8], "little") + 8
    for place in [*np.linspace(0, start - 1, 30), *np.linspace(start, len(content) - 1, 10)]:
        damaged = bytearray(content)
        damaged[int(place)] ^= 1
        path.write_bytes(damaged)
        check_refused(path, "")


def test_shapes_that_are_huge(folder, tmp_path):
    content, path = (folder / "AutoEncoder").read_bytes(), tmp_path / "file"
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    name = next(name for name in header if "weight" in name)
    header[name]["shape"] = [10**12, 10**6]
    header = json.dumps(header).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + content[8 + length :])
    check_refused(path, "no complete safetensors file")
    arrays, state, metadata = read(folder / "AutoEncoder")
    state["state"]["lr"] = {"objects": [1], "shape": [10**12]}
    write(path, arrays, state, metadata)
    check_refused(path, "reshape")
    state["state"]["lr"] = 0
    for _ in range(100_000):
        state = [state]
    text = "[" * 100_000 + "]" * 100_000
    metadata = {**metadata, "state": text}
    metadata["sha256"] = _files._digest(metadata, arrays)
    path.write_bytes(save(arrays, metadata))
    check_refused(path, "recursion")


def change_array(ending, change):
    """Return a function that changes the first array whose name ends so."""

    def apply(arrays, state):
        name = next(name for name in arrays if name.endswith(ending))
        arrays[name] = changed = np.ascontiguousarray(change(arrays[name].copy()))
        for node in nodes(state):
            if node.get("array") == name:
                node["shape"] = list(changed.shape)

    return apply


def change_value(key, change):
    """Return a function that changes the first value with this key in the JSON."""

    def apply(arrays, state):
        found = next(node for node in nodes(state) if key in node)
        found[key] = change(found[key])

    return apply


def change_pair(key, value):
    """Return a function that changes the value of a key of the first dict that has it."""

    def apply(arrays, state):
        pairs = [pair for node in nodes(state) for pair in node.get("dict", [])]
        next(pair for pair in pairs if pair[0] == key)[1] = value

    return apply


def set_first(value):
    def apply(array):
        array.flat[0] = value
        return array

    return apply


def turn_categories(arrays, state):
    """Turn the order of numbers that are looked up by bisection."""
    fitted = next(node for node in nodes(state) if "_n_features_outs" in node)
    arrays["turned"] = np.array([3.0, 2.0, 1.0])
    fitted["categories_"] = [{"array": "turned", "dtype": "f8", "shape": [3]}]
    fitted["_default_to_infrequent_mappings"] = fitted["_infrequent_indices"] = [None]
    fitted["_drop_idx_after_grouping"] = None
    fitted["_n_features_outs"] = [3]


def drop_categories(arrays, state):
    """Leave one category of the first column."""
    (first,) = next(node for node in nodes(state) if "categories_" in node)["categories_"]
    first["objects"], first["shape"] = first["objects"][:1], [1]


# Numbers that compiled code would follow out of the memory that it may read.
NATIVE = {
    "a circle in a tree": ("EnsembleDetector", change_array("nodes.left_child", set_first(0))),
    "a child far away": (
        "EnsembleDetector",
        change_array("nodes.right_child", set_first(10**9)),
    ),
    "a column far away": ("EnsembleDetector", change_array("nodes.feature", set_first(99))),
    "nodes without values": ("EnsembleDetector", change_array(".values", lambda a: a[:-1])),
    "columns of a forest": (
        "EnsembleDetector",
        change_array("estimators_features_[0]", lambda a: a[:2]),
    ),
    "columns of a member": ("EnsembleDetector", change_value("n_features", lambda n: n + 1)),
    "centres of clusters": (
        "ClusterwiseDetector",
        change_array("clusterer_.cluster_centers_", lambda a: a[:, :2]),
    ),
    "threads": ("ClusterwiseDetector", change_value("_n_threads", lambda n: 10**9)),
    "support vectors": (
        "ClusterwiseDetector",
        change_array("support_vectors_", lambda a: a[:, :2]),
    ),
    "their number": ("ClusterwiseDetector", change_array("_n_support", set_first(10**6))),
    "a kernel": ("ClusterwiseDetector", change_value("kernel", lambda k: "precomputed")),
    "columns of a code": ("mixed", change_value("_n_features_outs", lambda outs: [1])),
    "categories": ("mixed", drop_categories),
    "categories that are not sorted": ("mixed", turn_categories),
    "a term": ("texts", change_value("vocabulary_", lambda v: {"dict": [["a", 10**6]]})),
    "weights of a recurrence": (
        "RecurrentAutoEncoder",
        change_array(".weight_hh_l0", lambda a: a[:, :2]),
    ),
    "its size": ("RecurrentAutoEncoder", change_pair("hidden_size", 10**6)),
    "its layers": ("RecurrentAutoEncoder", change_pair("num_layers", 10**9)),
    "a metric": (
        "NeighborDistance",
        change_pair("metric", {"name": "builtins.print"}),
    ),
    "a memory": ("numbers", change_value("memory", lambda m: "pickles")),
}


@pytest.mark.parametrize("what", NATIVE)
def test_numbers_that_compiled_code_trusts(what, folder, tmp_path):
    name, change = NATIVE[what]
    arrays, state, metadata = read(folder / name)
    change(arrays, state)
    write(tmp_path / "file", arrays, state, metadata)
    check_refused(tmp_path / "file", "not as it was written|metric")


def test_recurrent_layers_are_found_in_containers():
    """Torch does not look for layers in lists, but a module may call them."""
    outer, layer = torch.nn.Module(), torch.nn.LSTM(3, 4)
    outer.hidden = {"layers": [(layer,)]}
    holder = SimpleNamespace(module_=outer)
    check_object(holder)
    layer.weight_hh_l0.data = torch.zeros(16, 2)
    with pytest.raises(ValueError, match="weight_hh_l0 of a recurrent layer"):
        check_object(holder)


def loaded_or_refused(path):
    try:
        return load_detector(path)
    except ValueError as error:
        return error


@pytest.mark.parametrize("which", ["AutoEncoder", "ClusterwiseDetector", "mixed"])
@pytest.mark.filterwarnings("ignore")  # some settings are legal, and warned of
def test_files_with_random_changes(which, folder, tmp_path):
    """Each loads as an estimator, or raises a ValueError with the path."""
    rng = np.random.default_rng(0)
    arrays, state, metadata = read(folder / which)
    path, n_refused = tmp_path / "file", 0
    for _ in range(60):
        changed = json.loads(json.dumps(state))
        found = list(nodes(changed))
        node, other = (found[i] for i in rng.integers(len(found), size=2))
        key = rng.choice(list(node))
        values = [None, -1, 10**6, 0.5, "text", [], {"tuple": [1]}, {"name": "torch.optim.SGD"}]
        node[key] = [*values, json.loads(json.dumps(other))][rng.integers(len(values) + 1)]
        write(path, arrays, changed, metadata)
        outcome = loaded_or_refused(path)
        if isinstance(outcome, ValueError):
            assert str(path) in str(outcome)
            n_refused += 1
        else:
            assert hasattr(outcome, "get_params")
    assert 10 < n_refused < 60


def test_newer_and_older_files(folder, tmp_path, fitted):
    arrays, state, metadata = read(folder / "AutoEncoder")
    path = tmp_path / "file"
    write(path, arrays, state, {**metadata, "skdeepanomaly_version": "99.0"})
    check_refused(path, r"saved by skdeepanomaly 99\.0.*Install skdeepanomaly>=99\.0")
    write(path, arrays, state, {**metadata, "format_version": "2"})
    check_refused(path, "in version 2 of the format")
    state["state"]["_skdeepanomaly_version"] = "0.0.1"
    write(path, arrays, state, {**metadata, "skdeepanomaly_version": "0.0.1"})
    with pytest.warns(UserWarning, match=r"saved by skdeepanomaly 0\.0\.1"):
        loaded = load_detector(path)
    np.testing.assert_array_equal(
        loaded.score_samples(X), fitted("AutoEncoder").score_samples(X)
    )
    assert metadata["skdeepanomaly_version"] == __version__
