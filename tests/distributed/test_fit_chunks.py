"""Training in chunks: it is fit on shuffled rows, in bounded memory."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import DEEP, make_detector, make_rows
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from skorch.callbacks import EpochTimer

from skdeepanomaly import AutoEncoder
from skdeepanomaly.distributed import fit_chunks


def make_sorted(seed, n_rows=20_000, n_clusters=8, n_features=8):
    """Draw rows of clusters, sorted by cluster, and a few anomalies among them; return X, y."""
    rng = np.random.default_rng(seed)
    centers = 2 * rng.normal(size=(n_clusters, n_features))
    mix = rng.normal(size=(n_clusters, 2, n_features))
    cluster = np.sort(rng.integers(n_clusters, size=n_rows))
    hidden = np.tanh(rng.normal(size=(n_rows, 2)))
    X = centers[cluster] + np.einsum("nh,nhd->nd", hidden, mix[cluster])
    X += 0.1 * rng.normal(size=X.shape)
    y = np.where(rng.random(n_rows) < 0.02, -1, 1)
    X[y == -1] += 0.8 * rng.normal(size=(np.sum(y == -1), n_features))
    return (X / X.std(axis=0)).astype(np.float32), y


def auroc(detector, X, y):
    return roc_auc_score(y, detector.score_samples(X))


def small(**params):
    return AutoEncoder(hidden_dims=(16,), **{"random_state": 0, **params})


def quiet_fit(*args, **params):
    """Train on sorted chunks without their warning."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*differ in distribution")
        return fit_chunks(*args, **params)


@pytest.mark.parametrize(
    "ordered",
    [pytest.param(False, id="list", marks=pytest.mark.slow), pytest.param(True, id="callable")],
)
def test_sorted_chunks_rank_as_fit_on_shuffled_rows(ordered):
    lost = []
    for seed in range(3):
        X, y = make_sorted(seed)
        chunks = np.array_split(X, 20)
        shuffled = X[np.random.default_rng(seed).permutation(len(X))]
        # Mixed with the sample, a pass has twice the steps of an epoch.
        params = {"batch_size": 64, "random_state": seed}
        whole = AutoEncoder(max_epochs=4 if ordered else 2, **params).fit(shuffled)
        detector = quiet_fit(
            AutoEncoder(**params),
            (lambda chunks=chunks: chunks) if ordered else chunks,
            n_passes=2,
            buffer_rows=3000,
        )
        lost.append(auroc(whole, X, y) - auroc(detector, X, y))
    assert np.mean(lost) < 0.004


def test_rows_that_fit_into_the_buffer_are_trained_as_fit_does():
    X = make_rows(600)
    chunked = fit_chunks(small(), np.array_split(X, 7))
    whole = small().fit(X)
    assert np.array_equal(chunked.score_samples(X), whole.score_samples(X))
    assert chunked.offset_ == whole.offset_
    assert chunked.n_epochs_ == whole.n_epochs_


def parquet_folder(X, folder, row_group_size):
    folder.mkdir()
    for i, part in enumerate(np.array_split(X, 3)):
        frame = pd.DataFrame(part, columns=[f"c{j}" for j in range(part.shape[1])])
        frame.to_parquet(folder / f"{i}.parquet", row_group_size=row_group_size)
    return folder


def test_every_source_gives_the_same_rows(tmp_path):
    from pyarrow.dataset import dataset

    X = make_rows(600)
    names = [f"c{j}" for j in range(X.shape[1])]
    parts = np.array_split(X, 3)
    np.save(tmp_path / "rows.npy", X)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    folder = parquet_folder(X, tmp_path / "folder", row_group_size=70)
    files = sorted(folder.iterdir())
    arrays = [parts, iter(parts), lambda: iter(parts), np.array_split(mapped, 3)]
    frames = [folder, str(folder), files, dataset(folder)]
    frames += [[pd.DataFrame(part, columns=names) for part in parts]]
    frames += [[pl.DataFrame(part, schema=names) for part in parts]]
    expected = small(max_epochs=1).fit(X).score_samples(X)
    for source in [*arrays, *frames]:
        detector = fit_chunks(small(), source, n_passes=1)
        named = pd.DataFrame(X, columns=names)
        rows = named if hasattr(detector, "feature_names_in_") else X
        assert np.array_equal(detector.score_samples(rows), expected)
    assert list(detector.feature_names_in_) == names


@pytest.mark.parametrize(
    "name", ["AutoEncoder", "GAN", "DeepEmbeddedClustering", "ConvGAN", "DeepSAD"]
)
def test_kinds_of_detectors_train_on_more_rows_than_the_buffer_holds(name):
    X = make_rows(900, 16)
    chunks = [
        part.reshape(-1, 4, 4) if name == "ConvGAN" else part for part in (X[:400], X[400:])
    ]
    detectors = [
        fit_chunks(make_detector(name, classes=DEEP), chunks, n_passes=2, buffer_rows=200)
        for _ in range(2)
    ]
    scores, again = (detector.score_samples(np.concatenate(chunks)) for detector in detectors)
    assert np.array_equal(scores, again)
    assert detectors[0].n_epochs_ == 2
    assert 0.02 < np.mean(detectors[0].predict(np.concatenate(chunks)) == -1) < 0.25
    # It can go on, without the chunks.
    detectors[0].partial_fit(chunks[0])
    assert len(detectors[0]._reservoir.rows) == 600


def test_every_row_is_read_once_in_a_pass_and_in_a_new_order():
    X = make_rows(5000)
    seen = []

    class Recorder(AutoEncoder):
        def _validate_X(self, X, reset, min_samples):
            seen.append(X)
            return super()._validate_X(X, reset, min_samples)

    fit_chunks(Recorder(random_state=0), [X[:2000], X[2000:]], n_passes=2, buffer_rows=500)
    rows = np.concatenate([part for part in seen if part.shape[0] != 500])
    # The pass for the sample, then two of the training.
    assert len(rows) == 15_000
    for start in range(0, 15_000, 5000):
        assert np.array_equal(np.sort(rows[start : start + 5000], axis=0), np.sort(X, axis=0))
    assert np.array_equal(rows[:5000], X)
    assert not np.array_equal(rows[5000:10_000], rows[10_000:])


def test_an_iterator_is_read_once():
    X = make_rows(3000)
    detector = fit_chunks(small(), iter(np.array_split(X, 30)), n_passes=1, buffer_rows=400)
    # The threshold is that of the rows from first to last.
    assert len(detector._reservoir.rows) == 400
    positions = [np.flatnonzero((X == row).all(axis=1))[0] for row in detector._reservoir.rows]
    assert 1200 < np.mean(positions) < 1800
    for params in ({}, {"n_passes": 2}):
        with pytest.raises(
            ValueError, match=r"an iterator, which can be read once\. Pass a call"
        ):
            fit_chunks(small(), iter([X]), **params)
    with pytest.raises(ValueError, match="checkpoint needs chunks that can be read again"):
        fit_chunks(small(), iter([X]), n_passes=1, checkpoint="folder")
    same = iter([X])
    with pytest.raises(ValueError, match="no rows in pass 2: a callable must return new"):
        fit_chunks(small(), lambda: same, n_passes=2, buffer_rows=400)


def test_transformers_are_fitted_to_all_chunks():
    rng = np.random.default_rng(0)
    X = rng.normal(5, 3, size=(3000, 4))
    X[2000:] += 10
    params = {"n_passes": 1, "buffer_rows": 500}
    scaled = make_pipeline(StandardScaler(), small())
    pipeline = quiet_fit(scaled, np.array_split(X, 6), **params)
    expected = StandardScaler().fit(X)
    np.testing.assert_allclose(pipeline[0].mean_, expected.mean_)
    np.testing.assert_allclose(pipeline[0].scale_, expected.scale_)
    # Those without partial_fit: a category of the last chunk is known.
    frame = pd.DataFrame({"number": X[:, 0], "kind": ["a"] * 2500 + ["b"] * 500})
    frame.loc[::50, "number"] = np.nan
    encoder = ColumnTransformer(
        [
            ("number", make_pipeline(SimpleImputer(), StandardScaler()), ["number"]),
            ("kind", OneHotEncoder(sparse_output=False), ["kind"]),
        ]
    )
    chunks = [frame[start : start + 500] for start in range(0, 3000, 500)]
    pipeline = quiet_fit(make_pipeline(encoder, small()), chunks, **params)
    assert list(pipeline[0].named_transformers_["kind"].categories_[0]) == ["a", "b"]
    assert pipeline.score_samples(frame).shape == (3000,)


def test_chunks_that_differ_warn():
    X = make_rows(4000)
    X[3000:, 2] += 2
    with pytest.warns(UserWarning, match=r"2 of 8 chunks differ .* most chunk 6: .* column 2,"):
        fit_chunks(small(), np.array_split(X, 8), n_passes=1, buffer_rows=500)
    with pytest.warns(UserWarning, match="differ in distribution"):
        fit_chunks(small(), iter(np.array_split(X, 8)), n_passes=1, buffer_rows=500)
    # Warnings are errors: there is none for rows in a random order, in chunks of any size.
    for n_chunks in (3, 40):
        shuffled = np.random.default_rng(0).permutation(X)
        fit_chunks(small(), np.array_split(shuffled, n_chunks), n_passes=1, buffer_rows=500)


def fit_and_die(folder, X):
    """Train with a checkpoint, and end the process in the third pass."""

    class Killed:
        n_passes = 0

        def __iter__(self):
            Killed.n_passes += 1
            for i, part in enumerate(np.array_split(X, 6)):
                # One pass for the sample, and two of the training, are over.
                if Killed.n_passes == 4 and i == 3:
                    os._exit(9)
                yield part

    fit_chunks(small(), Killed(), n_passes=4, buffer_rows=300, checkpoint=folder)


@pytest.mark.slow
def test_a_killed_training_goes_on(tmp_path):
    X = make_rows(1500)
    np.save(tmp_path / "X.npy", X)
    code = (
        "import sys, numpy as np, test_fit_chunks as t;"
        f"t.fit_and_die({str(tmp_path / 'backup')!r}, np.load({str(tmp_path / 'X.npy')!r}))"
    )
    tests = Path(__file__).parents[1]
    paths = [*map(str, (Path(__file__).parent, tests, tests.parent / "docs", tests.parent))]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([*paths, *sys.path])}
    assert subprocess.run([sys.executable, "-c", code], env=env).returncode == 9
    assert len(list((tmp_path / "backup").glob("*.backup"))) == 1

    trained = []

    def chunks():
        trained.append(len(trained))
        return iter(np.array_split(X, 6))

    def fit(**params):
        return fit_chunks(small(), chunks, n_passes=4, buffer_rows=300, **params)

    resumed = fit(checkpoint=tmp_path / "backup").score_samples(X)
    # The sample, and the last two passes.
    assert len(trained) == 3
    assert np.array_equal(resumed, fit().score_samples(X))
    assert not list((tmp_path / "backup").iterdir())


def test_the_seed_decides():
    X = make_rows(1500)
    chunks = np.array_split(X, 4)

    def scores(random_state, seed=None):
        detector = fit_chunks(
            small(random_state=seed),
            chunks,
            n_passes=1,
            buffer_rows=300,
            random_state=random_state,
        )
        assert detector.random_state == seed
        return detector.score_samples(X)

    state = np.random.get_state()[1].copy()
    assert np.array_equal(scores(1), scores(1))
    assert not np.array_equal(scores(1), scores(2))
    assert np.array_equal(scores(None, seed=3), scores(None, seed=3))
    assert np.array_equal(np.random.get_state()[1], state)


def test_what_cannot_be_done_is_refused():
    X = make_rows(100)

    def refused(error, match, detector=None, chunks=None, **params):
        detector = small() if detector is None else detector
        with pytest.raises(error, match=match):
            fit_chunks(detector, [X] if chunks is None else chunks, **params)

    refused(TypeError, "got IsolationForest. Fit it to a sample", IsolationForest())
    refused(ValueError, "LUNAR learns from the neighbours", make_detector("LUNAR"))
    refused(ValueError, "train_split=0.2 of AutoEncoder", small(train_split=0.2))
    refused(ValueError, "max_samples=0.5 of AutoEncoder", small(max_samples=0.5))
    refused(TypeError, "chunks is a ndarray; expected a path.*trained by fit", chunks=X)
    refused(TypeError, "chunks is a DataFrame", chunks=pd.DataFrame(X))
    refused(TypeError, "chunks is a int", chunks=3)
    refused(ValueError, "chunks holds no rows", chunks=[])
    refused(
        ValueError, "n_passes must be 'auto' or an integer of at least 1, got 0", n_passes=0
    )
    refused(ValueError, "buffer_rows must be 'auto' or .* got 1.5", buffer_rows=1.5)
    with pytest.raises(ValueError, match="NaN") as caught:
        fit_chunks(small(), [X, np.full((2, 5), np.nan)])
    assert "about chunk 1" in caught.value.__notes__[0]


def test_labels_that_are_needed_are_refused():
    from skdeepanomaly import DevNet

    with pytest.raises(ValueError, match="DevNet learns from labels, which chunks do not have"):
        fit_chunks(DevNet(), [make_rows(100)])


def test_a_failed_training_changes_nothing():
    X = make_rows(1500)
    detector = small()
    with pytest.raises(ValueError, match="diverged"):
        fit_chunks(detector.set_params(lr=1e30), [X], n_passes=1, buffer_rows=300)
    with pytest.raises(NotFittedError):
        detector.score_samples(X)
    fitted = fit_chunks(detector.set_params(lr=1e-3), [X], n_passes=1, buffer_rows=300)
    assert fitted is detector
    assert detector.max_epochs == "auto"
    before = detector.score_samples(X)
    with pytest.raises(ValueError, match="diverged"):
        fit_chunks(detector.set_params(lr=1e30), [X], n_passes=1, buffer_rows=300)
    assert np.array_equal(detector.score_samples(X), before)


def test_ctrl_c_leaves_a_fitted_detector():
    X = make_rows(1500)
    n_passes = []

    def chunks():
        n_passes.append(1)
        yield X[:700]
        if len(n_passes) == 4:
            raise KeyboardInterrupt
        yield X[700:]

    detector = small()
    with pytest.raises(KeyboardInterrupt):
        fit_chunks(detector, chunks, n_passes=5, buffer_rows=300)
    assert detector.n_epochs_ == 2
    assert 0.05 < np.mean(detector.predict(X) == -1) < 0.15


@pytest.mark.parametrize("name", ["BiGAN", "DTE", "DeepClustering", "VariationalAutoEncoder"])
@pytest.mark.parametrize("is_list", [True, False])
def test_nets_of_every_kind(name, is_list):
    rows = [make_rows(300, seed=seed) for seed in range(3)]
    chunks = rows if is_list else (lambda: iter(rows))
    detector = fit_chunks(make_detector(name), chunks, n_passes=2, buffer_rows=200)
    assert detector.n_epochs_ == 2
    assert np.isfinite(detector.score_samples(rows[0])).all()


@pytest.mark.parametrize("is_list", [True, False])
def test_a_plan_of_the_learning_rate_ends_with_the_last_step(is_list):
    rows = [make_rows(300, seed=seed) for seed in range(3)]
    chunks = rows if is_list else (lambda: iter(rows))
    detector = make_detector("DTE", batch_size=64)
    net = fit_chunks(detector, chunks, n_passes=3, buffer_rows=200).net_
    assert net.steps_done_ == net.last_step_ + 1
    with pytest.raises(ValueError, match="DTE plans its learning rate over all steps"):
        fit_chunks(detector, iter(rows), n_passes=1, buffer_rows=200)


def test_a_process_group_refuses_what_is_of_one_process(tmp_path):
    chunks, group = [make_rows(60)], object()
    with pytest.raises(ValueError, match="expected checkpoint=None, but checkpoint="):
        fit_chunks(AutoEncoder(), chunks, checkpoint=tmp_path, process_group=group)
    with pytest.raises(ValueError, match="expected callbacks=None, but the detector has"):
        fit_chunks(AutoEncoder(callbacks=[EpochTimer()]), chunks, process_group=group)
    with pytest.raises(ValueError, match="expected chunks that can be read again, but chunks"):
        fit_chunks(AutoEncoder(), iter(chunks), n_passes=1, process_group=group)
