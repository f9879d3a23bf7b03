"""What only DeepNeighborDistance does: it learns distances at moved rows and at their place."""

import numpy as np
import pytest
import torch
from conftest import make_planted, make_rows
from detectors.effects import mean_over_seeds
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import LRScheduler

from skdeepanomaly import DeepNeighborDistance
from skdeepanomaly.detectors.neighbors._targets import ReferenceRows
from skdeepanomaly.engine._one_cycle_net import one_cycle

SMALL = {"hidden_dims": (64, 64), "n_moved": 3000, "max_epochs": 20}
# Where the learned distance itself is compared with that of the search.
LONGER = {**SMALL, "max_epochs": 60}


def log_distances(X, new=None, k=5):
    """Return the logarithms of mean distances; without new rows those of X, one left out."""
    return np.log(NearestNeighbors(n_neighbors=k).fit(X).kneighbors(new)[0].mean(axis=1))


def make_surroundings(seed, n_rows=300):
    """Draw new rows on the sheet of ``make_rows``, and rows all around it."""
    rng = np.random.default_rng(seed + 100)
    around = rng.normal(size=(n_rows, 5)) * 2
    return np.concatenate([make_rows(n_rows, seed=seed + 50), around]).astype(np.float32)


def test_scores_are_those_of_the_search():
    def correlation(seed):
        X, new = make_rows(400, seed=seed), make_surroundings(seed)
        detector = DeepNeighborDistance(random_state=seed, **LONGER).fit(X)
        predicted = -detector.score_samples(new)
        # Also in units of X, not only in order.
        error = np.median(np.abs(predicted - log_distances(X, new)))
        return spearmanr(predicted, log_distances(X, new)).statistic, error

    correlation, error = mean_over_seeds(correlation)
    assert correlation > 0.85
    assert error < 0.2


def test_moved_rows_matter():
    """A network that saw training rows only takes rows around them for normal."""

    def correlations(seed):
        X, new = make_rows(400, seed=seed), make_surroundings(seed)
        expected = log_distances(X, new)
        return [
            spearmanr(
                -DeepNeighborDistance(random_state=seed, **SMALL | {"n_moved": n_moved})
                .fit(X)
                .score_samples(new),
                expected,
            ).statistic
            for n_moved in (SMALL["n_moved"], 0)
        ]

    with_moved, without = mean_over_seeds(correlations)
    assert with_moved > without + 0.1


def test_training_rows_are_not_their_own_neighbours():
    """The score of a training row is that of a new row like it, not lower."""

    def gap(seed):
        X = make_rows(150, seed=seed)
        rows = make_rows(150, seed=seed + 50)
        detector = DeepNeighborDistance(n_neighbors=1, random_state=seed, **SMALL).fit(X)
        predicted = -detector.score_samples(X)
        # Counted as their own neighbours all of them would have the distance zero.
        left_out = np.mean(predicted - log_distances(X, k=1))
        return abs(left_out), np.mean(detector.score_samples(X) - detector.score_samples(rows))

    error, gap = mean_over_seeds(gap)
    assert error < 0.2
    assert gap < 0.5


def test_own_distances_leave_the_row_out():
    X = make_rows(40)
    reference = ReferenceRows(X, 3)
    some = np.array([7, 0, 39])
    logarithms = reference.logarithms(reference.own_distances(some))[0]
    # The floor is a hundredth of the median.
    np.testing.assert_allclose(logarithms, log_distances(X, k=3)[some], atol=0.05)


def test_equal_rows_have_distance_zero_to_each_other():
    X = np.repeat(make_rows(3), [1, 9, 2], axis=0)
    distances = ReferenceRows(X, 2).own_distances(np.arange(12))
    # The second and third group: nine rows have two equals, two rows have one.
    expected = [
        NearestNeighbors().fit(X).kneighbors(X[i : i + 1], 3)[0][0, 1:] for i in (0, 10)
    ]
    np.testing.assert_allclose(distances[1:10], 0, atol=1e-3)
    ratio = expected[0].mean() / expected[1].mean()
    assert distances[0] / distances[10] == pytest.approx(ratio, rel=1e-3)


@pytest.mark.parametrize("scale", [1e-15, 1.0, 1e18])
def test_targets_are_distances_in_units_of_the_rows(scale):
    X = make_rows(60).astype(np.float64) * scale
    reference = ReferenceRows(X, 2)
    moved, distances = reference.draw_moved(100, np.random.default_rng(0))
    own, logarithms = reference.logarithms(
        reference.own_distances(np.arange(len(X))), distances
    )
    expected = log_distances(X / scale, moved / scale, k=2) + np.log(scale)
    far = expected > np.median(expected)
    np.testing.assert_allclose(logarithms[far], expected[far], atol=0.05)
    assert logarithms.mean() > own.mean()


def test_moves_reach_from_near_to_far_in_all_columns():
    X = make_rows(200)
    X[:, 2] = 7
    reference = ReferenceRows(X, 5)
    moved, distances = reference.draw_moved(4000, np.random.default_rng(0))
    own = np.median(reference.own_distances(np.arange(200)))
    assert np.quantile(distances, 0.02) < own
    assert np.quantile(distances, 0.98) > 4 * own
    # The differences of rows leave a constant column alone; noise does not.
    assert (moved[:2000, 2] == 7).all()
    # Of the noise, half is on all columns.
    assert 0.5 < (moved[2000:, 2] != 7).mean() < 0.7
    changed = [(row != X).sum(axis=1).min() for row in moved[2000:2200]]
    assert min(changed) >= 1


@pytest.mark.parametrize(
    "X",
    [
        np.zeros((6, 3)),
        np.full((5, 2), -1e30),
        np.repeat(make_rows(4), 10, axis=0),
        make_rows(2),
        make_rows(30).astype(np.float64) * 1e30,
        np.where(np.arange(60).reshape(20, 3) == 7, 3e38, 1.0),
    ],
    ids=["zeros", "constant", "duplicates", "two rows", "large", "one extreme value"],
)
def test_targets_are_finite(X):
    reference = ReferenceRows(X.astype(np.float32), 1)
    moved, distances = reference.draw_moved(50, np.random.default_rng(0))
    assert np.isfinite(moved).all()
    for logarithms in reference.logarithms(
        reference.own_distances(np.arange(len(X))), distances
    ):
        assert np.isfinite(logarithms).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n_rows", [2, 3, 10])
def test_tiny_tables(n_rows):
    X = make_rows(n_rows)
    detector = DeepNeighborDistance(random_state=0, **SMALL | {"max_epochs": 2}).fit(X)
    assert detector.n_neighbors_ == min(5, n_rows - 1)
    assert np.isfinite(detector.score_samples(X)).all()


def test_duplicates_are_the_most_normal_rows():
    def share_of_rows_below(seed):
        X = make_rows(200, seed=seed)
        X[:20] = X[0]
        scores = DeepNeighborDistance(random_state=seed, **LONGER).fit(X).score_samples(X)
        return np.mean(scores[20:] < scores[0])

    assert mean_over_seeds(share_of_rows_below) > 0.9


def test_contaminated_rows_need_more_neighbours():
    """A small cluster of anomalies among the training rows."""

    def found(seed):
        X, _ = make_planted(400, 20, seed=seed)
        rng = np.random.default_rng(seed)
        X[400:] = rng.normal(size=6) * 2 + 0.05 * rng.normal(size=(20, 6))
        y = np.repeat([1, -1], [400, 20])
        X = StandardScaler().fit_transform(X)
        return [
            roc_auc_score(
                y,
                DeepNeighborDistance(assume=assume, random_state=seed, **SMALL)
                .fit(X)
                .score_samples(X),
            )
            for assume in ("contaminated", "clean")
        ]

    contaminated, clean = mean_over_seeds(found)
    assert contaminated > 0.9
    assert contaminated > clean + 0.1


def test_number_of_neighbours():
    X = make_rows(100)
    quick = {"hidden_dims": (4,), "n_moved": 20, "max_epochs": 1, "random_state": 0}

    def resolved(X=X, **params):
        return DeepNeighborDistance(**quick, **params).fit(X).n_neighbors_

    assert resolved() == 5
    assert resolved(assume="contaminated") == 50
    assert resolved(assume="contaminated", n_neighbors=7) == 7
    assert resolved(X[:20], assume="contaminated") == 19
    assert resolved(max_reference_rows=10, n_neighbors=30) == 9


def test_distances_to_a_sample_of_the_rows():
    """A fit on many rows looks for neighbours among few of them, and ranks as well."""

    def quality(seed):
        X, new = make_rows(2000, seed=seed), make_surroundings(seed)
        detector = DeepNeighborDistance(max_reference_rows=200, random_state=seed, **LONGER)
        predicted = -detector.fit(X).score_samples(new)
        few = X[np.random.default_rng(seed).permutation(2000)[:200]]
        level = np.median(predicted - log_distances(few, new))
        return spearmanr(predicted, log_distances(X, new)).statistic, abs(level)

    correlation, level = mean_over_seeds(quality)
    assert correlation > 0.85
    # The distances are those of 200 rows, not of 2000.
    assert level < 0.2


def test_partial_fit_measures_to_all_rows_that_it_was_given():
    left, right = make_rows(200) - 2, make_rows(200) + 2
    detector = DeepNeighborDistance(random_state=0, **SMALL).partial_fit(left)
    before = detector.score_samples(right).mean()
    detector.partial_fit(right)
    assert detector.score_samples(right).mean() > before + 1
    assert abs(detector.score_samples(left).mean() - detector.score_samples(right).mean()) < 0.5
    # Between the two groups there are no rows.
    between = (left + right) / 2
    assert detector.score_samples(between).mean() < detector.score_samples(left).mean() - 1


def test_a_failed_fit_changes_nothing():
    X = make_rows(100)
    detector = DeepNeighborDistance(random_state=0, **SMALL | {"max_epochs": 2}).fit(X)
    before = detector.score_samples(X)
    with pytest.raises(ValueError, match="diverged"):
        detector.set_params(lr=1e30, n_neighbors=2).fit(X)
    assert detector.n_neighbors_ == 5
    np.testing.assert_array_equal(detector.score_samples(X), before)


class Recorder(torch.optim.Adam):
    """Adam that records its learning rates."""

    rates = []

    def step(self, closure=None):
        self.rates.append(self.param_groups[0]["lr"])
        return super().step(closure)


def test_learning_rate_goes_through_one_cycle():
    rates = Recorder.rates
    rates.clear()
    X = make_rows(60)
    params = {"hidden_dims": (4,), "n_moved": 300, "lr": 0.01, "random_state": 0}
    detector = DeepNeighborDistance(optimizer=Recorder, max_epochs=5, batch_size=40, **params)
    detector.fit(X)
    assert len(rates) == 50
    np.testing.assert_allclose(rates, [0.01 * one_cycle(i / 49) for i in range(50)])
    assert rates[0] == pytest.approx(0.0004)
    assert max(rates) == pytest.approx(0.01, rel=0.01)
    assert rates[-1] == pytest.approx(0, abs=1e-9)
    # A further fit is a cycle of its own.
    detector.partial_fit(X)
    np.testing.assert_allclose(rates[50:], rates[:50])
    # A schedule of the user's own replaces it.
    rates.clear()
    steps = LRScheduler(policy="StepLR", step_size=1, gamma=0.5)
    detector.set_params(callbacks=[steps], max_epochs=2).fit(X)
    np.testing.assert_allclose(rates, np.repeat([0.01, 0.005], 10))


def test_automatic_training_length_counts_moved_rows():
    X = make_rows(20)
    detector = DeepNeighborDistance(hidden_dims=(2,), n_moved=1500, random_state=0).fit(X)
    # 3,000 steps; 2,000 rows are 8 batches of 256.
    assert detector.n_epochs_ == 375
    assert detector.history_[-1]["train_batch_count"] == 8


def test_refuses_outputs_of_another_shape():
    with pytest.raises(ValueError, match="The module returned an output of shape"):
        DeepNeighborDistance(module=torch.nn.Linear(5, 2), n_moved=20).fit(make_rows(20))
