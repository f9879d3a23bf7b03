import numpy as np
import pytest
import torch
from conftest import make_rows
from detectors.effects import mean_over_seeds
from sklearn.metrics import roc_auc_score

from skdeepanomaly import LUNAR, NeighborDistance
from skdeepanomaly.detectors.neighbors import NegativesLoss
from skdeepanomaly.detectors.neighbors._lunar import draw_negatives

SMALL = {"n_neighbors": 20, "hidden_dims": (64, 64), "max_epochs": 60}


def make_densities(seed):
    """Draw a dense and a sparse cluster, and anomalies that lie around the dense one.

    The anomalies are as far from their neighbours as the rows of the sparse cluster are.
    Return training rows, and other rows with labels.
    """
    rng = np.random.default_rng(seed)
    spreads = np.repeat([0.1, 1.0], 225)[:, None]
    rows = spreads * rng.normal(size=(450, 4)) + np.repeat([-2.0, 2.0], 225)[:, None]
    around = rng.normal(size=(100, 4))
    around = 0.6 * around / np.linalg.norm(around, axis=1, keepdims=True) - 2
    is_training = np.arange(450) % 3 > 0
    X_test = np.concatenate([rows[~is_training], around])
    return rows[is_training], X_test, np.repeat([1, -1], [150, 100])


def make_near_misses(seed):
    """Draw rows on a sheet, and other rows with labels: anomalies are off it by one column."""
    rng = np.random.default_rng(seed)
    X = make_rows(600, 20, seed)
    moved = X[300:].copy()
    moved[np.arange(300), rng.integers(20, size=300)] += rng.choice([-1, 1], size=300)
    return X[:300], np.concatenate([X[300:], moved]), np.repeat([1, -1], 300)


def mean_errors(make, *detectors):
    """Return the mean share of pairs that rank wrong, for each detector."""

    def errors(seed):
        X, X_test, y = make(seed)
        found = []
        for detector in detectors:
            if isinstance(detector, LUNAR):
                detector.set_params(random_state=seed, **SMALL)
            found.append(1 - roc_auc_score(y, detector.fit(X).score_samples(X_test)))
        return found

    return mean_over_seeds(errors)


def test_learned_weights_find_what_the_mean_distance_does_not():
    error, of_mean = mean_errors(make_near_misses, LUNAR(), NeighborDistance(n_neighbors=20))
    assert error < 0.7 * of_mean


def test_a_network_of_logits_tells_densities_apart_by_negatives_near_rows():
    near = LUNAR(weighted=False, negatives="subspace")
    anywhere = LUNAR(weighted=False, negatives="uniform")
    mean = NeighborDistance(n_neighbors=20)
    error, of_anywhere, of_mean = mean_errors(make_densities, near, anywhere, mean)
    assert error < 0.4 * of_mean
    assert error < 0.4 * of_anywhere


def test_weights_make_the_score_rise_with_all_distances():
    X = make_rows(100)
    detector = LUNAR(random_state=0, **SMALL).fit(X)
    module = detector.net_.module_
    distances = torch.rand(50, 20).cumsum(dim=1)
    with torch.no_grad():
        weights = module.layers(distances).softmax(dim=1)
        logits = module(distances)
        far = module(1000 * distances)
    mean = (weights * distances).sum(dim=1, keepdim=True)
    torch.testing.assert_close(logits, module.log_slope.exp() * (mean - module.threshold))
    assert far.min() > logits.max()


def test_the_epoch_that_ranks_held_out_rows_best_is_chosen():
    X = make_rows(100)
    early = 0
    for seed in range(3):
        # At this rate the network soon becomes worse.
        params = {"weighted": False, "lr": 0.1, "random_state": seed}
        detector = LUNAR(max_epochs=15, **params).fit(X)
        areas = np.array(detector.history_[:, "valid_auroc"])
        best = np.flatnonzero(areas == areas.max())[-1]
        early += best < 14
        stopped = LUNAR(max_epochs=best + 1, callbacks__best_weights=None, **params).fit(X)
        np.testing.assert_array_equal(detector.score_samples(X), stopped.score_samples(X))
    assert early


def test_scores_are_those_of_a_brute_search():
    X = make_rows(80)
    detector = LUNAR(random_state=0, **SMALL).fit(X)
    criterion, module = detector.net_.criterion_, detector.net_.module_
    new = make_rows(20, seed=1)
    for rows, itself in ((X, 1), (new, 0)):
        distances = np.linalg.norm(rows[:, None] - X[None], axis=2).astype(np.float32)
        distances = np.sort(distances, axis=1)[:, itself : itself + 20]
        distances /= float(criterion.unit * criterion.scale)
        with torch.no_grad():
            expected = -module(torch.from_numpy(distances)).numpy().ravel()
        np.testing.assert_allclose(detector.score_samples(rows), expected, atol=1e-4)


def test_few_rows_repeat_the_last_distance():
    X = make_rows(4)
    detector = LUNAR(n_neighbors=100, max_epochs=2, random_state=0).fit(X)
    criterion = detector.net_.criterion_
    scaled = criterion.scaled(torch.from_numpy(X))
    distances = detector._distances(criterion, scaled)
    assert distances.shape == (4, 100)
    assert (distances[:, :3].diff(dim=1) >= 0).all()
    assert (distances[:, 2:] == distances[:, 2:3]).all()


def test_negatives():
    rng = np.random.default_rng(0)
    reference = (rng.random((2000, 10)) * np.arange(1, 11)).astype(np.float32)
    uniform = draw_negatives(reference, "uniform", 0.1, rng)
    sizes = np.arange(1, 11)
    assert uniform.min() >= -1.0
    np.testing.assert_allclose(uniform.min(axis=0), -0.1 * sizes, atol=0.02 * sizes.max())
    np.testing.assert_allclose(np.ptp(uniform, axis=0), 1.2 * sizes, rtol=0.03)
    moves = draw_negatives(reference, "subspace", 0.1, rng) - reference
    assert (moves != 0).mean() == pytest.approx(0.3, abs=0.02)
    deviations = [column[column != 0].std() for column in moves.T]
    np.testing.assert_allclose(deviations, 0.1 * sizes, rtol=0.15)
    mixed = draw_negatives(reference, "mixed", 0.1, rng)
    assert (mixed == reference).any(axis=1).mean() == pytest.approx(0.5, abs=0.05)


def test_scores_do_not_depend_on_unit_and_origin():
    X = make_rows(100).astype(np.float64)
    scores = LUNAR(random_state=0, **SMALL).fit(X).score_samples(X)
    moved = 1024 * X + 2048
    detector = LUNAR(random_state=0, **SMALL).fit(moved)
    np.testing.assert_allclose(detector.score_samples(moved), scores, atol=0.05)


def test_loss_is_the_squared_error_of_probabilities():
    logits, targets = torch.tensor([[0.0], [2.0], [-1.0]]), torch.tensor([1.0, 1.0, 0.0])
    criterion = NegativesLoss(n_neighbors=4)
    probabilities = torch.sigmoid(logits.ravel())
    expected = ((probabilities - targets) ** 2).mean()
    torch.testing.assert_close(criterion(logits, torch.zeros(3, 4), targets), expected)


def test_a_large_table_is_sampled_and_partial_fit_follows():
    X = make_rows(200)
    detector = LUNAR(max_reference_rows=50, max_epochs=2, n_neighbors=5, random_state=0)
    assert len(detector.fit(X).net_.criterion_.reference) == 50
    far = X[:100] + 10
    before = detector.score_samples(far).mean()
    detector = LUNAR(max_epochs=20, n_neighbors=5, random_state=0).partial_fit(X)
    detector.partial_fit(far)
    assert len(detector.net_.criterion_.reference) == 300
    assert detector.score_samples(far).mean() > before
