import numpy as np
import pytest
import torch
from conftest import make_planted, make_rows
from sklearn.metrics import adjusted_rand_score, roc_auc_score

from skdeepanomaly import DeepClustering
from skdeepanomaly.detectors.clustering import ClusteringLoss, DeepClusteringLoss


def auroc(detector, X, y):
    return roc_auc_score(y, detector.fit(X[y == 1][::2]).score_samples(X))


def make_clusters(n_rows=300, n_clusters=3, n_features=6, seed=0):
    """Draw clusters that touch; return rows and the clusters that they come from."""
    rng = np.random.default_rng(seed)
    centers = 3 * rng.normal(size=(n_clusters, n_features))
    labels = np.arange(n_rows) % n_clusters
    X = centers[labels] + rng.normal(size=(n_rows, n_features))
    return (X / X.std(axis=0)).astype(np.float32), labels


def test_planted_anomalies_rank_first():
    X, y = make_planted()
    assert auroc(DeepClustering(random_state=0), X, y) > 0.9


def test_clusters_are_found():
    X, labels = make_clusters()
    detector = DeepClustering(n_clusters=3, random_state=0).fit(X)
    assert adjusted_rand_score(labels, detector.predict_cluster(X)) > 0.9
    assert detector.cluster_centers_.shape == (3, 128)


@pytest.mark.parametrize("seed", range(3))
def test_the_weight_of_the_clusters_makes_codes_gather(seed):
    X = make_rows(400, seed=seed)
    spread = {}
    for weight in (0.0, 5.0):
        detector = DeepClustering(
            n_clusters=8,
            cluster_weight=weight,
            max_epochs=60,
            pretrain_epochs=10,
            random_state=seed,
        )
        codes = detector.fit(X).encode(X)
        spread[weight] = -detector.score_samples(X).mean() / codes.var(axis=0).sum()
    assert spread[5.0] < 0.85 * spread[0.0]


def test_score_is_the_squared_distance_to_the_nearest_centre():
    X = make_rows()
    detector = DeepClustering(n_clusters=5, max_epochs=2, random_state=0).fit(X)
    squared = np.square(detector.encode(X)[:, None] - detector.cluster_centers_).sum(axis=-1)
    np.testing.assert_allclose(-detector.score_samples(X), squared.min(axis=1), rtol=1e-3)
    np.testing.assert_array_equal(detector.predict_cluster(X), squared.argmin(axis=1))


def test_each_code_moves_its_centre_by_one_over_its_count():
    torch.manual_seed(0)
    loss = DeepClusteringLoss()
    centers, counts, codes = torch.randn(4, 3), torch.tensor([5, 1, 9, 2]), torch.randn(50, 3)
    loss.set_centers(centers.clone(), counts)
    nearest = loss.nearest(codes)
    loss.update_centers(codes)
    for code, k in zip(codes, nearest, strict=True):
        counts[k] += 1
        centers[k] += (code - centers[k]) / counts[k]
    torch.testing.assert_close(loss.centers, centers)
    assert torch.equal(loss.counts, counts.float())


def test_counts_go_on_in_partial_fit():
    X = make_rows(100)
    detector = DeepClustering(n_clusters=4, max_epochs=2, pretrain_epochs=1, random_state=0)
    criterion = detector.partial_fit(X).net_.criterion_
    # Once for k-means, and once for each epoch.
    assert criterion.counts.sum() == 300
    assert detector.partial_fit(X).net_.criterion_.counts.sum() == 500


def test_pre_training_learns_to_reconstruct():
    X = make_rows(200)
    errors = []
    for epochs in (0, 100):
        detector = DeepClustering(
            pretrain_epochs=epochs, lr=1e-12, max_epochs=1, random_state=0
        )
        errors.append(np.square(detector.fit(X).reconstruct(X) - X).mean())
    assert errors[1] < 0.1 * errors[0]


def test_more_clusters_than_different_rows():
    X = np.repeat(make_rows(6), 10, axis=0)
    with pytest.warns(UserWarning, match="n_clusters=7 is more than X has different rows; 6"):
        detector = DeepClustering(n_clusters=7, random_state=0).fit(X)
    assert len(detector.cluster_centers_) == 6
    # "auto" is no promise, and does not warn.
    assert len(DeepClustering(random_state=0).fit(X).cluster_centers_) == 3
    assert len(DeepClustering(random_state=0).fit(X[:10]).cluster_centers_) == 1


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (lambda x: x, "a Tensor; expected a tuple of codes"),
        (lambda x: (x[:, 0], x), r"codes of shape \(150,\)"),
        (lambda x: (x, x[:, 1:]), r"an output of shape \(150, 4\)"),
    ],
)
def test_modules_must_return_codes_and_reconstructions(output, message):
    class Other(torch.nn.Linear):
        def encode(self, x):
            return self(x)

        def forward(self, x):
            return output(super().forward(x))

    with pytest.raises(ValueError, match=f"The module returned {message}"):
        DeepClustering(module=Other(5, 5), pretrain_epochs=0).fit(make_rows())


def test_module_must_encode():
    with pytest.raises(ValueError, match="Linear has no encode"):
        DeepClustering(module=torch.nn.Linear(5, 5)).fit(make_rows(20))


def test_distances_do_not_lose_digits_far_from_the_origin():
    loss = ClusteringLoss()
    loss.set_centers(torch.tensor([[1e4, 0.0], [0.0, 1e4]]), torch.ones(2))
    codes = torch.tensor([[1e4, 1.0], [2.0, 1e4]])
    assert loss.distances(codes).tolist() == [1.0, 4.0]
