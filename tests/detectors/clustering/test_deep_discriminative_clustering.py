import numpy as np
import pytest
import torch
from conftest import make_rows
from detectors.effects import mean_over_seeds
from sklearn.metrics import roc_auc_score

from skdeepanomaly import DeepDiscriminativeClustering
from skdeepanomaly.detectors.clustering import DeepDiscriminativeClusteringLoss

CORNERS = np.array([[1, 1, 0], [1, -1, 0], [-1, 1, 0], [-1, -1, 0]])
SMALL = {"hidden_dims": (32,), "latent_dim": 16, "pretrain_epochs": 20, "max_epochs": 30}


def test_clusters_matter_to_the_score():
    """Outliers lie between four clusters, near the mean of all rows."""

    def values(seed):
        rng = np.random.default_rng(seed)
        rows = 4 * CORNERS.repeat(60, axis=0) + rng.normal(size=(240, 3))
        X = np.concatenate([rows, rng.uniform(-0.8, 0.8, size=(20, 3))])
        X = (X / X.std(axis=0)).astype(np.float32)
        y = np.repeat([1, -1], [240, 20])
        found = []
        for n_clusters in (4, 1):
            detector = DeepDiscriminativeClustering(
                n_clusters=n_clusters, random_state=seed, **SMALL
            ).fit(X[:240])
            found.append(roc_auc_score(y, detector.score_samples(X)))
        return found

    many, one = mean_over_seeds(values)
    assert many > one + 0.1


def label_probabilities(detector, X):
    net = detector.net_
    with torch.no_grad():
        codes = net.module_.encode(torch.from_numpy(X))
        return net.criterion_.label_probabilities(codes)


def test_relations_make_labels_sure():
    def doubts(seed):
        X = make_rows(200, seed=seed)
        found = []
        for weight in (0.0, 1.0):
            detector = DeepDiscriminativeClustering(
                n_clusters=8,
                relation_weight=weight,
                balance_weight=0.0,
                batch_size=64,
                lr=3e-3,
                random_state=seed,
                **SMALL,
            )
            probabilities = label_probabilities(detector.fit(X), X)
            found.append(1 - probabilities.max(dim=1).values.mean().item())
        return found

    without, with_ = mean_over_seeds(doubts)
    assert with_ < 0.7 * without


def test_balance_evens_out_the_mean_label():
    def unevenness(seed):
        X = make_rows(200, seed=seed)
        found = []
        for weight in (0.0, 5.0):
            detector = DeepDiscriminativeClustering(
                n_clusters=8,
                balance_weight=weight,
                relation_weight=0.0,
                random_state=seed,
                **SMALL,
            )
            mean = label_probabilities(detector.fit(X), X).mean(dim=0)
            found.append(np.log(8) + (mean * mean.log()).sum().item())
        return found

    without, with_ = mean_over_seeds(unevenness)
    assert with_ < 0.5 * without


def test_thresholds_meet_in_the_last_epoch(monkeypatch):
    seen, relation_loss = [], DeepDiscriminativeClusteringLoss.relation_loss

    def record(self, probabilities):
        seen.append([float(t) for t in self.thresholds()])
        return relation_loss(self, probabilities)

    monkeypatch.setattr(DeepDiscriminativeClusteringLoss, "relation_loss", record)
    detector = DeepDiscriminativeClustering(random_state=0, **{**SMALL, "max_epochs": 12})
    detector.fit(make_rows(60))
    upper, lower = np.array(seen).T
    np.testing.assert_allclose([upper[0], lower[0]], [0.95, 0.455], rtol=1e-6)
    np.testing.assert_allclose([upper[-1], lower[-1]], 0.5, rtol=1e-6)
    assert (np.diff(upper) < 0).all()
    assert (np.diff(lower) > 0).all()
    detector.partial_fit(make_rows(60, seed=1))
    np.testing.assert_allclose(seen[-1], 0.5, rtol=1e-6)


def test_undecided_pairs_do_not_count():
    loss = DeepDiscriminativeClusteringLoss()
    angles = torch.tensor([0.0, 0.2, 0.9, 1.5])
    labels = torch.stack([angles.cos(), angles.sin()], dim=1)
    total, n_pairs = 0.0, 0
    for i in range(4):
        for j in range(4):
            similarity = float(labels[i] @ labels[j])
            if i != j and (similarity >= 0.95 or similarity < 0.455):
                alike = similarity >= 0.95
                total -= np.log(similarity if alike else 1 - similarity)
                n_pairs += 1
    assert 0 < n_pairs < 12
    np.testing.assert_allclose(loss.relation_loss(labels).item(), total / n_pairs, rtol=1e-5)


def test_score_is_the_mahalanobis_distance_to_the_nearest_cluster():
    X = make_rows(200)
    detector = DeepDiscriminativeClustering(n_clusters=3, random_state=0, **SMALL).fit(X)
    codes, clusters = detector.encode(X).astype(float), detector.predict_cluster(X)
    centers = np.array([codes[clusters == k].mean(axis=0) for k in range(3)])
    np.testing.assert_allclose(detector.cluster_centers_, centers, rtol=1e-3, atol=1e-4)
    deviations = codes - centers[clusters]
    covariance = deviations.T @ deviations / len(X)
    ridge = 1e-2 * np.trace(covariance) / len(covariance) + 1e-6
    precision = np.linalg.inv(covariance + ridge * np.eye(len(covariance)))
    differences = codes[:, None] - centers
    expected = np.einsum("nki,ij,nkj->nk", differences, precision, differences).min(axis=1)
    np.testing.assert_allclose(detector.score_samples(X), -expected, rtol=1e-2)


def test_crossed_thresholds():
    detector = DeepDiscriminativeClustering(upper_threshold=0.3, lower_threshold=0.6)
    with pytest.raises(ValueError, match=r"lower_threshold=0\.6 is above upper_threshold=0\.3"):
        detector.fit(make_rows(20))
