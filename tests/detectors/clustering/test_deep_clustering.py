import numpy as np
import pytest
import torch
from conftest import make_rows
from detectors.effects import mean_over_seeds

from skdeepanomaly import DeepClustering
from skdeepanomaly.detectors.clustering import ClusteringLoss, DeepClusteringLoss

SMALL = {"hidden_dims": (32,), "latent_dim": 32}


def test_the_weight_of_the_clusters_makes_codes_gather():
    def spreads(seed):
        X = make_rows(256, seed=seed)
        found = []
        for weight in (0.0, 5.0):
            detector = DeepClustering(
                n_clusters=8,
                cluster_weight=weight,
                max_epochs=25,
                batch_size=64,
                pretrain_epochs=10,
                random_state=seed,
                **SMALL,
            )
            codes = detector.fit(X).encode(X)
            found.append(-detector.score_samples(X).mean() / codes.var(axis=0).sum())
        return found

    without, with_ = mean_over_seeds(spreads)
    assert with_ < 0.85 * without


def test_score_is_the_squared_distance_to_the_nearest_centre():
    X = make_rows()
    detector = DeepClustering(
        n_clusters=5, max_epochs=2, pretrain_epochs=2, random_state=0, **SMALL
    ).fit(X)
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
    detector = DeepClustering(
        n_clusters=4, max_epochs=2, pretrain_epochs=1, random_state=0, **SMALL
    )
    criterion = detector.partial_fit(X).net_.criterion_
    # Once for k-means, and once for each epoch.
    assert criterion.counts.sum() == 300
    assert detector.partial_fit(X).net_.criterion_.counts.sum() == 500


def test_more_clusters_than_different_rows():
    X = np.repeat(make_rows(6), 10, axis=0)
    short = {"max_epochs": 1, "pretrain_epochs": 1, "random_state": 0}
    with pytest.warns(UserWarning, match="n_clusters=7 is more than X has different rows; 6"):
        detector = DeepClustering(n_clusters=7, **short).fit(X)
    assert len(detector.cluster_centers_) == 6
    # "auto" takes as many clusters as the rows allow, without a warning.
    assert len(DeepClustering(**short).fit(X).cluster_centers_) == 3
    assert len(DeepClustering(**short).fit(X[:10]).cluster_centers_) == 1


def test_distances_do_not_lose_digits_far_from_the_origin():
    loss = ClusteringLoss()
    loss.set_centers(torch.tensor([[1e4, 0.0], [0.0, 1e4]]), torch.ones(2))
    codes = torch.tensor([[1e4, 1.0], [2.0, 1e4]])
    assert loss.distances(codes).tolist() == [1.0, 4.0]
