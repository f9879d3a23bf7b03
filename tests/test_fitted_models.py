"""What a fitted estimator keeps of its training rows is what the guide says."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import DETECTORS, EXPORTED, IMAGE, UNTRAINED, make_detector, make_rows
from pyod.models.knn import KNN
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from skorch.dataset import Dataset
from skorch.helper import predefined_split

import skdeepanomaly
from skdeepanomaly import (
    AutoEncoder,
    ClusterwiseDetector,
    ConformalDetector,
    DriftDetector,
    EnsembleDetector,
    FeedbackDetector,
    MatrixProfileDetector,
    NeighborDistance,
    SlidingWindowDetector,
    ThresholdedDetector,
    ThresholdSearchCV,
    UnivariateDetector,
    UnsupervisedSearch,
    as_classifier,
    from_pyod,
    make_detector_pipeline,
)

GUIDE = Path(__file__).parents[1] / "docs" / "user_guide" / "fitted_models.rst"
# Those whose fit keeps rows, or values of columns; their docstrings say so.
KEEPING = ["ConditionalGAN", "DeepSubspaceClustering"]


def found_in_pickle(estimator, X):
    """Return for each value of X whether its bytes are anywhere in the pickle.

    A few can be there by chance, because a weight has the same bytes.
    """
    state = pickle.dumps(estimator)
    found = np.zeros(X.shape, dtype=bool)
    for dtype in (np.float32, np.float64):
        width = np.dtype(dtype).itemsize
        for start in range(width):
            stop = len(state) - (len(state) - start) % width
            found |= np.isin(X.astype(dtype), np.frombuffer(state[start:stop], dtype))
    return found


def n_whole_rows(found):
    return found.all(axis=1).sum()


def check_keeps_nothing(found):
    assert n_whole_rows(found) == 0
    assert found.mean(axis=0).max() < 0.03


def test_what_fit_keeps(name, fitted, rows):
    found = found_in_pickle(fitted(name), rows)
    if name == "DeepSubspaceClustering":
        assert n_whole_rows(found) == fitted(name).max_landmarks < len(rows)
    else:
        check_keeps_nothing(found)


@pytest.mark.parametrize("name", KEEPING)
def test_what_is_kept_is_documented(name):
    assert "verbatim" in EXPORTED[name].__doc__
    assert f"~skdeepanomaly.{name}`" in GUIDE.read_text()


def test_the_search_finds_rows_wherever_they_are(rows):
    found = found_in_pickle([b"odd", {"a": (rows[3].astype(np.float64), "text")}], rows)
    np.testing.assert_array_equal(found.all(axis=1), np.arange(len(rows)) == 3)
    assert found_in_pickle(LocalOutlierFactor(novelty=True).fit(rows), rows).all()


def test_columns_of_the_context_are_kept(rows):
    detector = make_detector("ConditionalGAN", condition_features=[1, 3]).fit(rows)
    found = found_in_pickle(detector, rows)
    assert found[:, [1, 3]].all()
    check_keeps_nothing(found[:, [0, 2, 4]])


def test_all_rows_of_a_small_table_are_landmarks(rows):
    detector = make_detector("DeepSubspaceClustering", max_landmarks=1000).fit(rows)
    assert found_in_pickle(detector, rows).all()


@pytest.mark.parametrize("name", ["AutoEncoder", "DevNet"])
def test_partial_fit_keeps_rows_until_the_next_fit(name, rows):
    detector = make_detector(name).partial_fit(rows)
    assert found_in_pickle(detector, rows).all()
    check_keeps_nothing(found_in_pickle(detector.fit(rows), rows))


def test_medians_are_values_of_a_table_with_an_odd_number_of_rows():
    X = make_rows(151)
    found = found_in_pickle(make_detector("DeepSVDD").fit(X), X)
    assert found[X == np.median(X, axis=0)].all()
    check_keeps_nothing(found)


def test_rows_in_parameters_are_kept(rows):
    held_out = make_rows(40, seed=1)
    split = predefined_split(Dataset(held_out))
    detector = make_detector("AutoEncoder", train_split=split).fit(rows)
    assert found_in_pickle(detector, held_out).all()
    check_keeps_nothing(found_in_pickle(detector, rows))


INNER = AutoEncoder(max_epochs=1, hidden_dims=(8,), random_state=0)
FOREST = IsolationForest(n_estimators=5, random_state=0)


@pytest.mark.parametrize(
    "estimator",
    [
        ThresholdedDetector(INNER),
        ConformalDetector(INNER),
        ThresholdSearchCV(INNER, cv=2),
        UnsupervisedSearch(INNER, {"lr": [1e-3]}, cv=2),
        as_classifier(INNER),
        ClusterwiseDetector(detector=INNER, n_clusters=2),
        ClusterwiseDetector(detector=FOREST, n_clusters=2),
        EnsembleDetector([("network", INNER), ("forest", FOREST)]),
        FeedbackDetector(INNER),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_what_wrappers_keep(estimator, rows):
    y = np.where(np.arange(len(rows)) < 20, -1, 1)
    check_keeps_nothing(found_in_pickle(estimator.fit(rows, y), rows))
    assert type(estimator).__name__.replace("DetectorClassifier", "as_classifier") in (
        GUIDE.read_text()
    )


@pytest.mark.parametrize("name", IMAGE)
def test_no_images_are_kept(name):
    X = np.random.default_rng(0).random((150, 16, 16), dtype=np.float32)
    found = found_in_pickle(make_detector(name).fit(X), X.reshape(150, -1))
    check_keeps_nothing(found)


@pytest.mark.parametrize("name", UNTRAINED)
def test_features_of_images_are_kept_but_no_images(name):
    X = np.random.default_rng(0).random((150, 16, 16), dtype=np.float32)
    detector = make_detector(name, classes=UNTRAINED).fit(X)
    check_keeps_nothing(found_in_pickle(detector, X.reshape(150, -1)))


def test_patches_of_small_images_are_kept():
    X = np.random.default_rng(0).random((40, 8, 8), dtype=np.float32)
    detector = make_detector("PatchCore", classes=UNTRAINED, patch_size=1, coreset_size=1.0)
    # All 3 x 3 pixels that are inside of an image.
    found = found_in_pickle(detector.fit(X), X.reshape(40, -1))
    assert found.all()
    assert "verbatim" in EXPORTED["PatchCore"].__doc__


def test_a_matrix_profile_keeps_the_series(rows):
    detector = MatrixProfileDetector(window=3, scale=None).fit(rows)
    assert found_in_pickle(detector, rows).all()
    check_keeps_nothing(
        found_in_pickle(SlidingWindowDetector(FOREST, window=3).fit(rows), rows)
    )
    check_keeps_nothing(found_in_pickle(UnivariateDetector(rule="zscore").fit(rows), rows))


def test_neighbours_are_kept(rows):
    # Less the median, in units of the largest difference.
    centered = rows.astype(np.float64)
    centered -= np.quantile(centered, 0.5, axis=0, method="lower")
    scaled = centered / np.abs(centered).max()
    found = found_in_pickle(NeighborDistance().fit(rows), scaled)
    assert found.all()


def test_a_drift_detector_keeps_quantiles(rows):
    settings = {"per": 100, "window": 20, "random_state": 0}
    drift = DriftDetector(on="inputs", **settings).fit(rows)
    found = found_in_pickle(drift, rows).sum(axis=0)
    assert found.min() >= 64
    assert found.max() < 64 + 0.03 * len(rows)
    assert found_in_pickle(
        DriftDetector(on="inputs", **settings).fit(rows[:60]), rows[:60]
    ).all()
    watched = DriftDetector(FOREST, **settings).fit(rows)
    check_keeps_nothing(found_in_pickle(watched, rows))


def test_a_detector_of_pyod_may_keep_all_rows(rows):
    assert found_in_pickle(from_pyod(KNN()).fit(rows), rows).all()


def test_clusterwise_keeps_support_vectors_by_default(rows):
    found = found_in_pickle(ClusterwiseDetector(n_clusters=2).fit(rows), rows)
    assert 0 < n_whole_rows(found) < len(rows)


def test_judged_rows_are_kept_until_they_are_removed(rows):
    detector = FeedbackDetector(INNER).fit(rows)
    detector.add_feedback(rows[:4], [-1, 1, 1, -1])
    found = found_in_pickle(detector, rows)
    assert found[:4].all()
    check_keeps_nothing(found[4:])
    detector.remove_feedback(rows[:4])
    check_keeps_nothing(found_in_pickle(detector, rows))


def test_categories_of_a_single_row_are_kept():
    names = np.where(np.arange(300) == 5, "Ada Lovelace", "other")
    numbers = np.random.default_rng(0).normal(size=(300, 2))
    table = pd.DataFrame(numbers, columns=["a", "b"]).assign(name=names)
    pipeline = make_detector_pipeline(INNER).fit(table)
    assert b"Ada Lovelace" in pickle.dumps(pipeline)
    check_keeps_nothing(found_in_pickle(pipeline, numbers))


def test_every_exported_detector_is_checked():
    wrappers = set(EXPORTED) - set(DETECTORS)
    text = GUIDE.read_text()
    assert all(wrapper in text for wrapper in wrappers)
    searched = [name for name in skdeepanomaly.__all__ if name.endswith(("Detector", "Search"))]
    assert all(name in text for name in searched)


FORKED = """
import multiprocessing, sys
import numpy as np, torch
from skdeepanomaly import AutoEncoder
if __name__ == "__main__":
    torch.set_num_threads(2)
    X = np.random.default_rng(0).normal(size=(20_000, 40)).astype(np.float32)
    detector = AutoEncoder(max_epochs=1, random_state=0).fit(X)
    context = multiprocessing.get_context("fork")
    with context.Pool(1, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        (scores,) = pool.map(detector.score_samples, [X])
    assert np.allclose(scores, detector.score_samples(X))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="forks")
def test_a_fork_with_one_thread_does_not_hang():
    subprocess.run([sys.executable, "-c", FORKED], check=True, timeout=120)
