"""Distance to the nearest training rows."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.metrics.pairwise import euclidean_distances

from skdeepanomaly import NeighborDistance


def naive(X, kept, k, own=False):
    distances = np.sort(np.sqrt(((X[:, None] - kept[None]) ** 2).sum(axis=2)), axis=1)
    return distances[:, int(own) : k + int(own)].mean(axis=1)


@pytest.mark.parametrize("n_features", [2, 40])
@pytest.mark.parametrize("k", [1, 5])
def test_scores_by_hand(k, n_features):
    rng = np.random.default_rng(0)
    X, new = rng.normal(size=(80, n_features)), rng.normal(size=(20, n_features))
    detector = NeighborDistance(n_neighbors=k).fit(X)
    np.testing.assert_allclose(detector.score_samples(new), -naive(new, X, k))
    # A training row is not its own neighbour, by whichever search.
    np.testing.assert_allclose(detector.score_samples(X), -naive(X, X, k, own=True))


@pytest.mark.parametrize("varies", [False, True])
def test_large_numbers_do_not_hide_the_other_columns(varies):
    rng = np.random.default_rng(0)
    X, new = rng.normal(size=(80, 20)), rng.normal(size=(20, 20))
    X[:, 0], new[:, 0] = 1.7e9, 1.7e9  # seconds since 1970
    X[:, 0] += varies * rng.normal(size=80)
    detector = NeighborDistance().fit(X)
    np.testing.assert_allclose(detector.score_samples(new), -naive(new, X, 5), rtol=1e-6)
    np.testing.assert_allclose(detector.score_samples(X), -naive(X, X, 5, own=True), rtol=1e-6)


def test_of_equal_rows_one_is_left_out():
    X = np.array([[0.0], [0], [1], [3]])
    detector = NeighborDistance(n_neighbors=1).fit(X)
    np.testing.assert_array_equal(detector.score_samples(X), [0, 0, -1, -2])
    np.testing.assert_allclose(detector.score_samples([[3.0], [4]]), [-2, -1])


def test_few_rows_have_few_neighbours():
    detector = NeighborDistance(n_neighbors=50).fit([[0.0], [1], [5]])
    assert detector.n_neighbors_ == 2
    np.testing.assert_array_equal(detector.score_samples([[1.0]]), [-2.5])


@pytest.mark.parametrize("factor", [1e-300, 1e-8, 1.0, 1e300])
def test_units_do_not_matter(factor):
    X = np.random.default_rng(0).normal(size=(50, 3))
    expected = NeighborDistance().fit(X).score_samples(X)
    with np.errstate(all="raise", under="ignore"):
        scores = NeighborDistance().fit(X * factor).score_samples(X * factor)
    np.testing.assert_allclose(scores / factor, expected, rtol=1e-9)


def test_extreme_rows_have_finite_scores():
    X = np.random.default_rng(0).normal(size=(50, 3)) * 1e-200
    detector = NeighborDistance().fit(X)
    scores = detector.score_samples([[1e308, -1e308, 0], [1e-200, 0, 0]])
    assert np.isfinite(scores).all()
    assert scores[0] < scores[1]
    assert np.isfinite(detector.explain([[1e308, -1e308, 0]])).all()
    opposite = np.concatenate([X[:9], [[1.7e308] * 3, [-1.7e308] * 3]])
    # scikit-learn adds up all numbers, to see whether they are finite.
    with np.errstate(invalid="ignore"):
        scores = NeighborDistance(n_neighbors=2).fit(opposite).score_samples(opposite)
    assert np.isfinite(scores).all()
    assert scores[9:].max() < scores[:9].min()


def test_a_sample_of_many_rows():
    X = np.random.default_rng(0).normal(size=(500, 3))
    detector = NeighborDistance(max_samples=100, random_state=0).fit(X)
    assert detector.search_.n_samples_fit_ == 100
    np.testing.assert_array_equal(
        NeighborDistance(max_samples=100, random_state=0).fit(X).score_samples(X),
        detector.score_samples(X),
    )
    other = NeighborDistance(max_samples=100, random_state=1).fit(X)
    assert not np.array_equal(other.score_samples(X), detector.score_samples(X))
    assert NeighborDistance(max_samples=None).fit(X).search_.n_samples_fit_ == 500


def test_contributions_add_up_to_the_score():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    detector = NeighborDistance().fit(X)
    new = np.concatenate([X[:3], rng.normal(size=(3, 4))])
    new[4, 2] += 40
    contributions = detector.explain(new)
    assert np.all(contributions >= 0)
    np.testing.assert_allclose(contributions.sum(axis=1), -detector.score_samples(new))
    assert contributions[4].argmax() == 2


def test_the_number_of_neighbours_counts_where_anomalies_are_alike():
    gains = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        clump = rng.normal(scale=0.05, size=(15, 4)) + 2.5
        X = np.concatenate([rng.normal(size=(485, 4)), clump])
        y = np.repeat([0, 1], [485, 15])
        few, many = (
            roc_auc_score(y, -NeighborDistance(n_neighbors=k).fit(X).score_samples(X))
            for k in (5, 50)
        )
        gains.append(many - few)
    assert np.mean(gains) > 0.2


def test_blocks_do_not_matter(monkeypatch):
    X = np.random.default_rng(0).normal(size=(90, 3))
    detector = NeighborDistance().fit(X)
    expected = detector.score_samples(X)
    module = "skdeepanomaly.detectors.neighbors._neighbor_distance"
    monkeypatch.setattr(f"{module}.BLOCK_NUMBERS", 40)
    np.testing.assert_allclose(detector.score_samples(X), expected)
    nearest = np.sort(euclidean_distances(X), axis=1)[:, 1:6].mean(axis=1)
    np.testing.assert_allclose(expected, -nearest, atol=1e-6)
