"""Graphs give what the detectors give, in onnxruntime and as torch modules."""

import functools
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import DETECTORS, SEVERAL, UNTRAINED, make_detector, make_rows
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import IsolationForest
from sklearn.feature_selection import VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)
from torch import nn

from skdeepanomaly import (
    AutoEncoder,
    ClusterwiseDetector,
    ConformalDetector,
    ConvGAN,
    DeepSVDD,
    DetectorClassifier,
    DriftDetector,
    EnsembleDetector,
    FeedbackDetector,
    FrozenEncoder,
    NeighborDistance,
    PaDiM,
    PatchCore,
    SlidingWindowDetector,
    ThresholdedDetector,
    ThresholdSearchCV,
    UnivariateDetector,
    UnsupervisedSearch,
    to_onnx,
)
from skdeepanomaly.export import _onnx
from skdeepanomaly.export._rows import input_shape, typical_rows
from skdeepanomaly.export._scores import Graph
from skdeepanomaly.export._steps import FUNCTIONS, as_module

onnxruntime = pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module", autouse=True)
def one_table_of_operators():
    """Let torch read its table of operators once; for each export it takes half the time."""
    from torch.onnx._internal.exporter import _registration

    registry = _registration.ONNXRegistry
    read_once = functools.cache(registry.from_torchlib)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "from_torchlib", staticmethod(read_once))
        yield


def run(path, X):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {"X": X.astype(np.float32)})


def small_auto_encoder(**params):
    return AutoEncoder(hidden_dims=(8,), max_epochs=2, random_state=0, **params)


def assert_same(graph, detector, X):
    """Compare what a graph computes, as a torch module, with the detector."""
    with torch.no_grad():
        label, score, decision = (out.numpy() for out in graph(torch.from_numpy(X)))
    expected = detector.score_samples(X)
    atol = 1e-4 * np.median(np.abs(expected))
    np.testing.assert_allclose(score, expected, rtol=1e-4, atol=atol)
    np.testing.assert_allclose(decision, score - graph.offset.item())
    close = np.abs(detector.decision_function(X)) < 1e-4 * np.abs(score)
    assert close.mean() < 0.1
    np.testing.assert_array_equal(label[~close], detector.predict(X)[~close])


@pytest.fixture(scope="module")
def gappy():
    """Rows far from zero, with gaps."""
    rng = np.random.default_rng(0)
    X = make_rows(200).astype(np.float64) * [1, 10, 0.1, 5, 1] + [1000, -50, 3, 0, 7]
    X[rng.random(X.shape) < 0.05] = np.nan
    return X


@pytest.fixture(scope="module")
def pipeline(gappy):
    steps = (SimpleImputer(), StandardScaler(), PCA(3), RobustScaler())
    return make_pipeline(*steps, small_auto_encoder()).fit(gappy)


@pytest.fixture(scope="module")
def written(pipeline, gappy, tmp_path_factory):
    return to_onnx(pipeline, tmp_path_factory.mktemp("onnx") / "detector.onnx", X=gappy)


@pytest.mark.parametrize("n", [1, 2, 150])
def test_pipeline_gives_the_same_for_any_number_of_rows(written, pipeline, gappy, n):
    X = gappy[:n].astype(np.float32)
    label, score, decision = run(written, X)
    assert (label.dtype, score.dtype, decision.dtype) == (np.int64, np.float64, np.float64)
    assert label.shape == score.shape == decision.shape == (n,)
    X = X.astype(np.float64)
    np.testing.assert_allclose(score, pipeline.score_samples(X), rtol=1e-4)
    np.testing.assert_allclose(decision, pipeline.decision_function(X), atol=1e-4)
    np.testing.assert_array_equal(label, pipeline.predict(X))


def test_file_says_what_it_is_and_not_where_it_comes_from(written):
    session = onnxruntime.InferenceSession(written, providers=["CPUExecutionProvider"])
    assert [out.name for out in session.get_outputs()] == ["label", "score", "decision"]
    (given,) = session.get_inputs()
    assert (given.name, given.type, given.shape) == ("X", "tensor(float)", ["n_samples", 5])
    about = session.get_modelmeta().custom_metadata_map
    assert about["detector"] == "Pipeline"
    assert about["feature_names"] == "[]"
    content = written.read_bytes()
    for folder in (Path(__file__).parents[1], Path(torch.__file__).parent):
        assert str(folder).encode() not in content


def test_extreme_rows_get_the_lowest_score(written):
    rows = np.full((2, 5), np.finfo(np.float32).max)
    label, score, _ = run(written, rows)
    assert (label == -1).all()
    assert (score == np.finfo(np.float64).min).all()


def test_columns_of_a_frame_are_named(tmp_path):
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(make_rows(), columns=list("abcde"))
    scaled = ColumnTransformer([("some", StandardScaler(), ["d", "a"]), ("no", "drop", ["b"])])
    detector = make_pipeline(scaled, small_auto_encoder()).fit(X)
    path = to_onnx(detector, tmp_path / "frame.onnx")
    np.testing.assert_allclose(run(path, X.to_numpy())[1], detector.score_samples(X), rtol=1e-4)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = session.get_modelmeta().custom_metadata_map["feature_names"]
    assert names == '["a", "b", "c", "d", "e"]'


STEPS = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    StandardScaler(with_std=False),
    RobustScaler(unit_variance=True),
    RobustScaler(with_centering=False),
    RobustScaler(with_scaling=False),
    MinMaxScaler((-1, 2)),
    MinMaxScaler(clip=True),
    MaxAbsScaler(),
    SimpleImputer(strategy="median"),
    SimpleImputer(keep_empty_features=True),
    PCA(3),
    PCA(3, whiten=True),
    TruncatedSVD(2),
    VarianceThreshold(1.0),
    FunctionTransformer(),
    *(FunctionTransformer(func) for func in FUNCTIONS if func is not None),
    ColumnTransformer([("a", StandardScaler(), [2, 0]), ("b", "drop", [1])]),
    ColumnTransformer([("a", StandardScaler(), [2, 0])], remainder="passthrough"),
    FeatureUnion([("a", PCA(2)), ("b", MaxAbsScaler()), ("c", "drop")]),
    make_pipeline(MinMaxScaler(), "passthrough", PCA(2)),
]


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_transformers_are_the_same_as_modules(step):
    X = 3 * np.abs(make_rows(60, seed=1).astype(np.float64)) + 1
    new = 2 * X[:20]
    fitted = step.fit(X)
    got = as_module(fitted)(torch.from_numpy(new)).numpy()
    np.testing.assert_allclose(got, fitted.transform(new), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("keep", [False, True])
def test_imputer_drops_empty_columns_or_keeps_them(gappy, keep):
    X = gappy.copy()
    X[:, 2] = np.nan
    fitted = SimpleImputer(keep_empty_features=keep).fit(X)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Skipping features")
        expected = fitted.transform(X)
    got = as_module(fitted)(torch.from_numpy(X)).numpy()
    assert got.shape == (200, 5 if keep else 4)
    np.testing.assert_allclose(got, expected)


class OtherScaler(StandardScaler):
    """A subclass may do something else."""


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (OneHotEncoder(), r"OneHotEncoder cannot .* PCA, .* to_onnx\(pipeline\[k:\], path\)"),
        (KBinsDiscretizer(quantile_method="averaged_inverted_cdf"), "KBinsDiscretizer cannot"),
        (OtherScaler(), "OtherScaler cannot"),
        (SimpleImputer(add_indicator=True), "add_indicator=True"),
        (SimpleImputer(missing_values=0), "missing_values is 0, expected NaN"),
        (FunctionTransformer(np.sin), r"func is sin, expected None or one of np\.absolute"),
        (
            FeatureUnion([("a", MaxAbsScaler())], transformer_weights={"a": 2}),
            "transformer_weights",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_transformers_are_refused_by_name(step, words):
    with pytest.raises(TypeError, match=words):
        as_module(step.fit(make_rows(60)))


@pytest.mark.parametrize("combine", ["tail", "zscore", "rank", "max"])
def test_ensembles_are_the_same_as_modules(combine, rows):
    members = [
        ("network", make_pipeline(StandardScaler(), small_auto_encoder())),
        ("columns", UnivariateDetector(aggregate="mean")),
        ("worst", UnivariateDetector(rule="iqr")),
    ]
    detector = EnsembleDetector(
        members, combine=combine, weights=[2, 1, 0], n_estimators=2, max_samples=0.6,
        random_state=0,
    ).fit(rows)  # fmt: skip
    graph = Graph(detector)
    # Training rows: their scores are equal to ordered ones, up to the rounding of float32.
    for X in (rows, make_rows(200, seed=2), 3 * make_rows(50, seed=3)):
        assert_same(graph, detector, X)


@pytest.mark.parametrize(
    "make",
    [
        lambda inside: ThresholdedDetector(inside, "iqr", random_state=0),
        lambda inside: ConformalDetector(inside, random_state=0),
        lambda inside: ConformalDetector(inside, cv=3, random_state=0),
        lambda inside: ClusterwiseDetector(detector=inside, n_clusters=2, random_state=0),
        lambda inside: ThresholdedDetector(
            EnsembleDetector([("a", inside), ("b", UnivariateDetector())]), random_state=0
        ),
        lambda inside: make_pipeline(StandardScaler(), ThresholdedDetector(inside)),
    ],
    ids=["thresholded", "conformal", "crossconformal", "clusterwise", "ensemble", "pipeline"],
)
def test_meta_estimators_are_the_same_as_modules(make, rows):
    detector = make(small_auto_encoder()).fit(rows)
    assert_same(Graph(detector), detector, make_rows(200, seed=2))
    frozen = FrozenEstimator(detector)
    assert_same(Graph(frozen), frozen, make_rows(200, seed=3))


@pytest.mark.parametrize("combine", ["tail", pytest.param("zscore", marks=pytest.mark.slow)])
def test_ensembles_run_in_onnxruntime(combine, rows, tmp_path):
    members = [("columns", UnivariateDetector()), ("mean", UnivariateDetector(rule="iqr"))]
    inside = EnsembleDetector(members, combine=combine)
    detector = ConformalDetector(inside, random_state=0).fit(rows)
    path = to_onnx(detector, tmp_path / "detector.onnx", X=rows)
    X = np.concatenate([rows, make_rows(100, seed=2), np.full((1, 5), 1e30, np.float32)])
    np.testing.assert_allclose(run(path, X)[1], detector.score_samples(X), rtol=1e-4)
    np.testing.assert_array_equal(run(path, X)[0], detector.predict(X))


def test_values_with_many_digits_need_float64(tmp_path):
    # Seconds since 1970, within a few minutes: float32 has steps of two minutes.
    X = make_rows().astype(np.float64) * 60 + 1.7e9
    detector = make_pipeline(StandardScaler(), UnivariateDetector()).fit(X)
    path = tmp_path / "detector.onnx"
    with pytest.raises(ValueError, match=r'no file .* dtype="float64"'):
        to_onnx(detector, path)
    assert not list(tmp_path.iterdir())
    to_onnx(detector, path, dtype="float64")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(
        session.run(["score"], {"X": X})[0], detector.score_samples(X), rtol=1e-6
    )
    with pytest.raises(ValueError, match=r"dtype must be .* got 'int8'"):
        to_onnx(detector, path, dtype="int8")


@pytest.mark.parametrize(
    "make",
    [
        lambda inside: GridSearchCV(inside, {"max_epochs": [1, 2]}, scoring=mean_score, cv=2),
        lambda inside: ThresholdSearchCV(inside, random_state=0),
        lambda inside: UnsupervisedSearch(inside, {"max_epochs": [1, 2]}, random_state=0),
    ],
    ids=["grid", "threshold", "unsupervised"],
)
def test_searches_are_the_same_as_modules(make, rows):
    y = np.where(np.arange(len(rows)) % 10, 1, -1)
    search = make(small_auto_encoder()).fit(rows, y)
    assert_same(Graph(search), search, make_rows(200, seed=2))


def mean_score(detector, X, y=None):
    return detector.score_samples(X).mean()


def test_classifiers_are_refused(rows, tmp_path):
    y = np.where(np.arange(len(rows)) % 10, 1, -1)
    classifier = DetectorClassifier(UnivariateDetector()).fit(rows, y)
    with pytest.raises(TypeError, match="DetectorClassifier is a classifier, expected an"):
        to_onnx(classifier, tmp_path / "detector.onnx")


def test_far_rows_have_their_penalty(rows):
    detector = DeepSVDD(activation="tanh", max_epochs=2, pretrain_epochs=1, random_state=0).fit(
        rows
    )
    far = 20 * make_rows(50, seed=2)
    assert_same(Graph(detector), detector, far)
    # Without it they would have scores of normal rows.
    x = torch.from_numpy(far)
    assert (detector._far_penalty(x) > 0).any()


def test_images_keep_their_shape():
    images = np.random.default_rng(0).normal(size=(60, 8, 8)).astype(np.float32)
    detector = PaDiM(random_state=0).fit(images)
    assert input_shape(detector) == (8, 8)
    assert_same(Graph(detector), detector, images)
    features = make_pipeline(FrozenEncoder(), StandardScaler(), small_auto_encoder())
    features.fit(images)
    assert input_shape(features) == (8, 8)
    assert_same(Graph(features), features, images)


@pytest.mark.slow
def test_images_run_in_onnxruntime(tmp_path):
    images = np.random.default_rng(0).normal(size=(60, 8, 8)).astype(np.float32)
    features = make_pipeline(FrozenEncoder(), StandardScaler(), small_auto_encoder())
    features.fit(images)
    # Drawn rows are flat.
    for X in (None, images):
        path = to_onnx(features, tmp_path / "detector.onnx", X=X)
    np.testing.assert_allclose(run(path, images)[1], features.score_samples(images), rtol=1e-4)


def test_typical_rows_are_near_and_far(pipeline, gappy):
    rows = typical_rows(pipeline)
    low, high = np.nanmin(gappy, axis=0), np.nanmax(gappy, axis=0)
    inside = ((rows >= low) & (rows <= high)).mean(axis=0)
    assert (inside > 0.1).all()
    labels = pipeline.predict(rows)
    assert set(labels) == {-1, 1}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: make_detector("GAN"), 'GAN with score_type=\'mix\' .*"discriminator"'),
        (lambda: make_detector("ConditionalGAN"), "ConditionalGAN .*discriminator"),
        (lambda: make_detector("LUNAR"), "LUNAR searches .*DeepNeighborDistance exports"),
        (NeighborDistance, "NeighborDistance searches .*DeepNeighborDistance exports"),
        (lambda: IsolationForest(n_estimators=3), "IsolationForest has no network.*skl2onnx"),
        (
            lambda: EnsembleDetector([("forest", IsolationForest(n_estimators=3))]),
            "IsolationForest has no network",
        ),
        (
            lambda: ClusterwiseDetector(detector=UnivariateDetector(), combine="nearest"),
            "combine='nearest'",
        ),
        (
            lambda: SlidingWindowDetector(UnivariateDetector(), window=3),
            "SlidingWindowDetector .*one window a row",
        ),
        (lambda: FeedbackDetector(UnivariateDetector()), "FeedbackDetector .*detector inside"),
        (lambda: DriftDetector(detector=UnivariateDetector()), "DriftDetector .*inside"),
    ],
)  # fmt: skip
def test_what_does_not_export_is_refused_by_name(make, words, rows, tmp_path):
    with pytest.raises(TypeError, match=words):
        to_onnx(make().fit(rows), tmp_path / "detector.onnx")
    assert not list(tmp_path.iterdir())


def test_detectors_of_images_that_search_are_refused(tmp_path):
    images = np.random.default_rng(0).normal(size=(30, 8, 8)).astype(np.float32)
    with pytest.raises(TypeError, match=r"PatchCore searches .*PaDiM exports"):
        to_onnx(PatchCore(random_state=0).fit(images), tmp_path / "detector.onnx")
    gan = ConvGAN(max_epochs=1, channels=(4,), n_starts=2, query_steps=1, random_state=0)
    with pytest.raises(TypeError, match="ConvGAN with score_type='query'"):
        to_onnx(gan.fit(images), tmp_path / "detector.onnx")


class CountsRows(nn.Module):
    def __init__(self, n_features):
        super().__init__()
        self.layer = nn.Linear(n_features, n_features)

    def forward(self, x):
        return self.layer(x) + torch.zeros(len(x), 1)


def test_modules_fixed_to_a_number_of_rows_are_refused(rows, tmp_path):
    detector = AutoEncoder(module=CountsRows, max_epochs=1, random_state=0).fit(rows)
    with pytest.raises(TypeError, match=r"record AutoEncoder for any number .*x\.shape\[0\]"):
        to_onnx(detector, tmp_path / "detector.onnx")
    assert not list(tmp_path.iterdir())


class Airy(nn.Module):
    """Uses an operator that ONNX does not have."""

    def __init__(self, n_features):
        super().__init__()
        self.layer = nn.Linear(n_features, n_features)

    def forward(self, x):
        return self.layer(x) * torch.special.airy_ai(x)


def test_modules_without_counterpart_are_refused(rows, tmp_path):
    detector = AutoEncoder(module=Airy, max_epochs=1, random_state=0)
    detector.fit(rows)
    with pytest.raises(TypeError, match=r"cannot write AutoEncoder as ONNX: an operator"):
        to_onnx(detector, tmp_path / "detector.onnx")
    assert not list(tmp_path.iterdir())


def test_errors_name_the_file_that_was_asked_for(pipeline, tmp_path):
    for path in (tmp_path / "none" / "file.onnx", tmp_path):
        with pytest.raises((FileNotFoundError, IsADirectoryError)) as caught:
            to_onnx(pipeline, path)
        assert (caught.value.filename, caught.value.filename2) == (str(path), None)
    assert not list(tmp_path.iterdir())


def test_wrong_graphs_leave_the_old_file(written, pipeline, gappy, tmp_path, monkeypatch):
    path = tmp_path / "detector.onnx"
    path.write_bytes(b"old")
    other = make_pipeline(SimpleImputer(), StandardScaler(), UnivariateDetector()).fit(gappy)
    monkeypatch.setattr(_onnx, "_convert", lambda *args: written.read_bytes())
    with pytest.raises(ValueError, match=r"graph of Pipeline gives other results .* no file"):
        to_onnx(other, path, X=gappy)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    to_onnx(pipeline, path, X=gappy)
    assert path.read_bytes() == written.read_bytes()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("package", ["onnx", "onnxscript", "onnxruntime"])
def test_missing_packages_are_named(package, pipeline, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"to_onnx needs {package}: pip .*\[onnx\]"):
        to_onnx(pipeline, "never.onnx")
    assert not Path("never.onnx").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "n_members"),
    [
        *((name, 1) for name in (*DETECTORS, *UNTRAINED, "UnivariateDetector")),
        *((name, 2) for name in SEVERAL),
    ],
)
def test_every_detector_gives_the_same_in_onnxruntime(name, n_members, fitted, rows, tmp_path):
    if name in ("LUNAR", "PatchCore"):
        pytest.skip("it searches")
    if "GAN" in name and "score_type" in DETECTORS[name]().get_params():
        detector = make_detector(name, score_type="discriminator").fit(rows)
    elif n_members > 1:
        detector = make_detector(name, n_members=n_members).fit(rows)
    elif name in DETECTORS:
        detector = fitted(name)
    else:
        detector = {**UNTRAINED, "UnivariateDetector": UnivariateDetector}[name]().fit(rows)
    path = to_onnx(detector, tmp_path / "detector.onnx")
    # More rows than the residual detectors predict at once.
    X = np.concatenate([rows, make_rows(150, seed=2), 20 * make_rows(20, seed=3)])
    scores = detector.score_samples(X)
    for n in (1, 2, len(X)):
        label, score, _ = run(path, X[:n])
        np.testing.assert_allclose(score, scores[:n], rtol=1e-4, atol=1e-5)
        close = np.abs(detector.decision_function(X[:n])) < 1e-5
        np.testing.assert_array_equal(label[~close], detector.predict(X[:n])[~close])
