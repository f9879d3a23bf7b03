"""PatchCore and PaDiM: scores, heat maps and the contract that all detectors keep."""

import pickle
from functools import partial

import numpy as np
import pytest
import torch
from backbones import make_backbone
from sklearn.base import clone
from sklearn.covariance import EmpiricalCovariance
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.pipeline import make_pipeline

from skdeepanomaly import FrozenEncoder, PaDiM, PatchCore
from skdeepanomaly.datasets import make_texture_defects
from skdeepanomaly.detectors.image import _patch_core, _patches

LAYERS = ["2", "5"]
with_both = pytest.mark.parametrize("detector", [PatchCore, PaDiM])
SHAPES = [(8, 8), (17, 9), (3, 8, 11), (1, 30), (30, 1), (2, 1, 7), (1, 1, 1), (28, 20)]


def draw_images(n=40, shape=(8, 9), seed=0):
    return np.random.default_rng(seed).random((n, *shape), dtype=np.float32)


def local_features(X, patch_size):
    """Return the patches (n, places, channels) of the backbone, by other means."""
    network = make_backbone().eval()
    with torch.no_grad():
        first = network[:3](torch.from_numpy(X)[:, None])
        maps = [first, network[3:6](first)]
    pool = torch.nn.AvgPool2d(patch_size, 1, patch_size // 2, count_include_pad=False)
    resize = torch.nn.Upsample(first.shape[2:], mode="bilinear")
    maps = torch.cat([resize(pool(values)) for values in maps], dim=1)
    return maps.flatten(2).transpose(1, 2).double().numpy()


@with_both
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_any_height_and_width(detector, shape):
    X = draw_images(12, shape)
    fitted = detector(random_state=0).fit(X)
    new = draw_images(5, shape, seed=1)
    scores, maps = -fitted.score_samples(new), fitted.explain(new)
    assert np.isfinite(scores).all()
    assert scores.dtype == np.float64
    assert maps.shape == new.shape
    assert (maps >= 0).all()
    np.testing.assert_allclose(maps.reshape(5, -1).sum(axis=1), scores, rtol=1e-6)
    assert fitted.anomaly_map(new).shape == (5, *((1,) * (2 - len(shape)) + shape)[-2:])


@with_both
@pytest.mark.parametrize("module", [None, make_backbone()], ids=["fixed", "backbone"])
def test_a_score_does_not_depend_on_the_other_images(detector, module):
    X = draw_images(1100, (16, 17))
    layer = LAYERS if module else None
    fitted = detector(module=module, layer=layer, random_state=0).fit(X[:30])
    scores = fitted.score_samples(X)
    for rows in ([7], [0, 1099, 700], range(70), range(1099, -1, -1)):
        np.testing.assert_array_equal(fitted.score_samples(X[list(rows)]), scores[list(rows)])
    maps = fitted.anomaly_map(X[:70])
    np.testing.assert_array_equal(fitted.anomaly_map(X[5:7]), maps[5:7])


@with_both
def test_seeds_pickles_flat_rows_and_labels(detector):
    X, module = draw_images(), make_backbone()
    make = partial(detector, module=module, layer=LAYERS, random_state=0)
    make = partial(make, n_channels=20) if detector is PaDiM else make
    fitted = make().fit(X)
    scores, maps = fitted.score_samples(X), fitted.explain(X)
    loaded = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(loaded.explain(X), maps)
    state = np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    labels = np.resize(["a", "b"], len(X))
    again = clone(fitted).fit(X, labels)
    assert state == (np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())
    assert again.offset_ == fitted.offset_
    np.testing.assert_array_equal(again.score_samples(X), scores)
    flat = make(image_shape=(8, 9)).fit(X.reshape(len(X), -1))
    np.testing.assert_array_equal(flat.score_samples(X), scores)
    np.testing.assert_array_equal(flat.explain(X.reshape(len(X), -1)), maps.reshape(40, -1))
    other = make(random_state=1).fit(X).score_samples(X)
    assert not np.array_equal(other, scores)
    assert np.sum(fitted.predict(X) == -1) == 4
    before = fitted.anomaly_map(X)
    fitted.set_params(module=None, layer=None, smoothing=3.0, random_state=3)
    np.testing.assert_array_equal(fitted.anomaly_map(X), before)


@with_both
def test_a_failed_fit_leaves_the_detector_as_it_was(detector):
    X = draw_images()
    fitted = detector(random_state=0).fit(X)
    scores = fitted.score_samples(X)
    fitted.set_params(module=make_backbone(), layer=None)
    with pytest.raises(ValueError, match="Name by layer= an earlier layer"):
        fitted.fit(X)
    np.testing.assert_array_equal(fitted.score_samples(X), scores)
    fitted.set_params(layer="11")
    with pytest.raises(ValueError, match="no submodule"):
        fitted.fit(draw_images(shape=(5, 5)))
    np.testing.assert_array_equal(fitted.score_samples(X), scores)


@with_both
def test_outputs_that_are_not_finite_are_refused(detector):
    class Broken(torch.nn.Module):
        def forward(self, x):
            return x.log()

    with pytest.raises(ValueError, match=r"finite|no inverse"):
        detector(module=Broken()).fit(-draw_images())


def test_patch_core_is_that_of_the_paper():
    X, new = draw_images(), draw_images(15, seed=1)
    detector = PatchCore(
        module=make_backbone(), layer=LAYERS, coreset_size=60, n_neighbors=5, random_state=0
    ).fit(X)
    memory = detector.module_.patches.double().numpy()
    patches = local_features(X, 3)
    known = NearestNeighbors(n_neighbors=1).fit(patches.reshape(-1, patches.shape[2]))
    assert memory.shape == (60, 48)
    assert known.kneighbors(memory)[0].max() < 1e-5
    in_memory = NearestNeighbors().fit(memory)
    expected = []
    for image in local_features(new, 3):
        distances, index = in_memory.kneighbors(image, n_neighbors=1)
        worst = distances[:, 0].argmax()
        near = in_memory.kneighbors(memory[index[worst]], n_neighbors=5)[1][0]
        terms = np.exp(np.linalg.norm(memory[near] - image[worst], axis=1))
        distance = distances[worst, 0]
        expected.append(distance * (1 - np.exp(distance) / terms.sum()))
    np.testing.assert_allclose(-detector.score_samples(new), expected, rtol=1e-4)
    unweighted = clone(detector).set_params(n_neighbors=1, smoothing=0).fit(X)
    worst = [in_memory.kneighbors(p, n_neighbors=1)[0].max() for p in local_features(new, 3)]
    np.testing.assert_allclose(-unweighted.score_samples(new), worst, rtol=1e-4)
    np.testing.assert_allclose(unweighted.anomaly_map(new).max(axis=(1, 2)), worst, rtol=1e-4)


@with_both
def test_images_far_away_are_abnormal_where_features_do_not_change(detector):
    """Gradients are normalised, so that a brighter image has nearly the same ones."""
    X = draw_images(40, (20, 20))
    fitted = detector(contamination="auto", random_state=0).fit(X)
    np.testing.assert_allclose(
        fitted.anomaly_map(X[:5] * 1.3), fitted.anomaly_map(X[:5]), atol=0.02
    )
    assert (fitted.predict(X[:5] * 1.3) == fitted.predict(X[:5])).all()
    for factor in [30, 1e4, 1e20, -1e10]:
        assert fitted.score_samples(X * factor).max() < fitted.score_samples(X).min()
    np.testing.assert_allclose(fitted.explain(X).sum((1, 2)), -fitted.score_samples(X))


@with_both
def test_what_is_far_from_all_patches_is_abnormal(detector):
    """No score falls back to normal where float32 can no longer tell the patches apart."""
    X = draw_images(40, (20, 20))
    fitted = detector(module=torch.nn.Identity(), random_state=0).fit(X)
    far = X[:1] * np.logspace(1, 25, 49, dtype=np.float32)[:, None, None]
    scores = fitted.score_samples(far)
    # Beyond what float32 can square, all have the lowest score.
    assert np.all(np.diff(scores) <= 0)
    assert len(np.unique(scores)) > 30
    assert np.all(fitted.predict(far) == -1)


def test_a_patch_in_memory_has_distance_zero_and_chunks_change_nothing(monkeypatch):
    X = draw_images()
    detector = PatchCore(coreset_size=1.0, patch_size=1, random_state=0).fit(X)
    np.testing.assert_array_equal(detector.anomaly_map(X), 0)
    np.testing.assert_array_equal(detector.explain(X), 0)
    few = clone(detector).set_params(coreset_size=200).fit(X)
    scores = few.score_samples(X)
    monkeypatch.setattr(_patches, "MAX_DISTANCES", 72 * 31)
    np.testing.assert_allclose(few.score_samples(X), scores, rtol=1e-6)


def test_auto_sets_the_threshold_by_the_other_images():
    X, new = draw_images(60), draw_images(300, seed=1)
    shares = {}
    for contamination in ("auto", 0.1):
        params = {"coreset_size": 0.5, "patch_size": 1, "contamination": contamination}
        detector = PatchCore(**params, random_state=0).fit(X)
        shares[contamination] = np.mean(detector.predict(new) == -1)
    assert shares["auto"] < 0.1
    assert shares[0.1] > 0.3


def test_a_coreset_covers_better_than_random_patches():
    rng = np.random.default_rng(0)
    # Most patches are alike, and a few rare ones lie far away.
    scales = np.where(np.arange(2000) % 100, 0.1, 1)[:, None]
    for seed in range(3):
        patches = (rng.normal(size=(2000, 200)) * scales).astype(np.float32)
        torch.manual_seed(seed)
        chosen = _patches.greedy_coreset(torch.from_numpy(patches), 30).numpy()
        assert len(set(chosen)) == 30
        greedy, drawn = (
            NearestNeighbors(n_neighbors=1).fit(patches[index]).kneighbors(patches)[0].max()
            for index in (chosen, rng.permutation(2000)[:30])
        )
        assert greedy < 0.3 * drawn


def test_a_coreset_holds_no_patch_twice():
    patches = torch.arange(3.0).repeat(10)[:, None]
    assert sorted(patches[_patches.greedy_coreset(patches, 20), 0].tolist()) == [0, 1, 2]


def test_a_far_patch_does_not_end_the_coreset():
    torch.manual_seed(0)
    patches = torch.rand(500, 5) + 100
    patches[0] = 1e6
    chosen = _patches.greedy_coreset(patches, 50)
    assert len(chosen) == len(set(chosen.tolist())) == 50


def test_many_patches_are_drawn_before_the_coreset(monkeypatch):
    monkeypatch.setattr(_patch_core, "MAX_CANDIDATES", 500)
    X = draw_images(130)
    detector = PatchCore(coreset_size=1.0, patch_size=1, contamination="auto", random_state=0)
    detector.fit(X)
    assert len(detector.module_.patches) == 500
    # They come from images of all blocks: each image has some distances of zero.
    n_zero = (detector.set_params(smoothing=0).fit(X).anomaly_map(X) == 0).sum(axis=(1, 2))
    assert np.mean(n_zero > 0) > 0.9
    assert n_zero.sum() == 500


def test_padim_is_that_of_the_paper():
    X, new = draw_images(150), draw_images(15, seed=1)
    detector = PaDiM(
        module=make_backbone(), layer=LAYERS, n_channels=12, smoothing=0, random_state=0
    ).fit(X)
    chosen = detector.module_.chosen.numpy()
    assert len(set(chosen)) == 12
    train, test = (local_features(rows, 1)[..., chosen] for rows in (X, new))
    maps = np.empty(test.shape[:2])
    for place in range(maps.shape[1]):
        covariance = np.cov(train[:, place].T) + 0.01 * np.eye(12)
        gaussian = EmpiricalCovariance(assume_centered=True)
        gaussian.fit(np.linalg.cholesky(covariance).T * 12**0.5)
        gaussian.location_ = train[:, place].mean(axis=0)
        maps[:, place] = gaussian.mahalanobis(test[:, place]) ** 0.5
    np.testing.assert_allclose(-detector.score_samples(new), maps.max(axis=1), rtol=1e-4)
    found = detector.anomaly_map(new).reshape(len(new), -1)
    np.testing.assert_allclose(found, maps, rtol=1e-3)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"patch_size": 2}, "patch_size must be odd, got 2"),
        ({"coreset_size": 1.5}, "coreset_size"),
        ({"n_neighbors": 0}, "n_neighbors"),
        ({"smoothing": -1.0}, "smoothing"),
        ({"module": torch.nn.Flatten}, "module"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        PatchCore(**params).fit(draw_images())


def areas(detector, X, y, masks):
    """Return the areas under the ROC curves of images and of pixels."""
    scores, maps = -detector.score_samples(X), detector.anomaly_map(X)
    return roc_auc_score(y == -1, scores), roc_auc_score(masks.ravel(), maps.ravel())


def test_places_and_the_coreset_make_the_difference():
    """Against the same features of whole images, and against as many random patches."""
    found, drawn, whole_images = [], [], []
    for seed in range(4):
        X, y, masks = make_texture_defects(60, 20, size=40, random_state=seed)
        normal, test = X[:35], (X[35:], y[35:], masks[35:])
        params = {"module": make_backbone(seed=seed), "layer": ["3", "5"]}
        detector = PatchCore(**params, patch_size=1, coreset_size=300, random_state=0)
        found.append(areas(detector.fit(normal), *test))
        pipeline = make_pipeline(FrozenEncoder(**params), LocalOutlierFactor(novelty=True))
        scores = -pipeline.fit(normal).score_samples(test[0])
        whole_images.append(roc_auc_score(test[1] == -1, scores))
        features = detector.module_.features
        with torch.no_grad():
            every = features(torch.from_numpy(normal)).movedim(1, 3).flatten(0, 2)
        some = every[np.random.default_rng(seed).permutation(len(every))[:300]]
        detector.module_ = _patches.PatchMemory(features, (1, 40, 40), some, 9)
        drawn.append(areas(detector, *test))
    found, drawn = np.mean(found, axis=0), np.mean(drawn, axis=0)
    assert found[0] > np.mean(whole_images) + 0.3
    assert found[0] > drawn[0] + 0.05
    assert found[1] > 0.9


def test_padim_knows_what_is_normal_where():
    """Dark pixels are normal on the left alone, which a memory without places cannot know."""
    found = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        rows, columns = np.mgrid[:16, :24]
        masks = (rows - rng.integers(3, 13, size=(90, 1, 1))) ** 2 + (columns - 18) ** 2 <= 8
        masks &= np.arange(90)[:, None, None] >= 70
        X = np.where((columns < 12) | masks, 0.3, 0.7) + 0.1 * rng.normal(size=masks.shape)
        y = np.repeat([1, -1], [70, 20])
        test = (X[50:], y[50:], masks[50:])
        params = {"module": torch.nn.Identity(), "random_state": 0}
        found.append(
            [
                areas(detector.fit(X[:50]), *test)[1]
                for detector in (PaDiM(**params), PatchCore(**params, patch_size=1))
            ]
        )
    by_place, by_memory = np.mean(found, axis=0)
    assert by_place > 0.95
    assert by_place > by_memory + 0.3


@pytest.mark.parametrize("seed", range(3))
def test_defects_are_found_without_a_backbone(seed):
    X, y, masks = make_texture_defects(80, 20, size=48, random_state=seed)
    detector = PatchCore(contamination="auto", random_state=0).fit(X[:40])
    image, pixel = areas(detector, X[40:], y[40:], masks[40:])
    assert image > 0.95
    assert pixel > 0.95
    outliers = detector.predict(X[40:]) == -1
    assert np.mean(outliers[y[40:] == 1]) < 0.15
    assert np.mean(outliers[y[40:] == -1]) > 0.8
