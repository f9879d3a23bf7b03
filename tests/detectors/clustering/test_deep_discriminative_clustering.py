import numpy as np
import pytest
import torch
from conftest import make_planted, make_rows
from sklearn.metrics import adjusted_rand_score, roc_auc_score

from skdeepanomaly import DeepDiscriminativeClustering
from skdeepanomaly.detectors.clustering import DeepDiscriminativeClusteringLoss

CORNERS = [[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]


def make_blobs(seed=0, centers=CORNERS):
    """Draw four clusters of 60 rows and 20 outliers between them."""
    rng = np.random.default_rng(seed)
    rows = np.repeat(4 * np.array(centers), 60, axis=0) + rng.normal(size=(240, 3))
    X = np.concatenate([rows, rng.uniform(-1, 1, size=(20, 3)) * 0.8])
    labels = np.repeat(np.arange(4), 60)
    return (X / X.std(axis=0)).astype(np.float32), labels


def auroc(detector, X, y):
    return roc_auc_score(y, detector.fit(X[y == 1][::2]).score_samples(X))


@pytest.mark.parametrize("seed", range(3))
def test_planted_anomalies_rank_first(seed):
    X, y = make_planted(seed=seed)
    assert auroc(DeepDiscriminativeClustering(random_state=seed), X, y) > 0.85


@pytest.mark.parametrize("seed", range(3))
def test_clusters_are_found(seed):
    X, labels = make_blobs(seed)
    detector = DeepDiscriminativeClustering(n_clusters=4, random_state=seed).fit(X[:240])
    assert adjusted_rand_score(labels, detector.predict_cluster(X[:240])) > 0.95


@pytest.mark.parametrize("seed", range(3))
def test_clusters_matter_to_the_score(seed):
    X, _ = make_blobs(seed, [[1, 1, 0], [1, -1, 0], [-1, 1, 0], [-1, -1, 0]])
    y = np.repeat([1, -1], [240, 20])
    many, one = (
        DeepDiscriminativeClustering(n_clusters=k, pretrain_epochs=40, random_state=seed)
        .fit(X[:240])
        .score_samples(X)
        for k in (4, 1)
    )
    assert roc_auc_score(y, many) > roc_auc_score(y, one) + 0.02


def mean_confidence(detector, X):
    net = detector.net_
    with torch.no_grad():
        codes = net.module_.encode(torch.from_numpy(X))
        return net.criterion_.label_probabilities(codes).max(dim=1).values.mean().item()


@pytest.mark.parametrize("seed", range(3))
def test_relations_make_labels_sure(seed):
    X = make_rows(300, seed=seed)
    params = {
        "n_clusters": 8,
        "balance_weight": 0.0,
        "pretrain_epochs": 30,
        "random_state": seed,
    }
    with_, without = (
        mean_confidence(DeepDiscriminativeClustering(relation_weight=w, **params).fit(X), X)
        for w in (1.0, 0.0)
    )
    assert 1 - with_ < 0.5 * (1 - without)


def test_balance_evens_out_the_mean_label():
    X = make_rows(300)

    def entropy(weight):
        detector = DeepDiscriminativeClustering(
            n_clusters=8, balance_weight=weight, relation_weight=0.0, random_state=0
        ).fit(X)
        with torch.no_grad():
            criterion = detector.net_.criterion_
            codes = detector.net_.module_.encode(torch.from_numpy(X))
            mean = criterion.label_probabilities(codes).mean(dim=0)
        return -(mean * mean.log()).sum().item()

    assert entropy(5.0) > entropy(0.0) + 1e-3


def test_thresholds_meet_in_the_last_epoch(monkeypatch):
    seen, relation_loss = [], DeepDiscriminativeClusteringLoss.relation_loss

    def record(self, probabilities):
        seen.append([float(t) for t in self.thresholds()])
        return relation_loss(self, probabilities)

    monkeypatch.setattr(DeepDiscriminativeClusteringLoss, "relation_loss", record)
    detector = DeepDiscriminativeClustering(max_epochs=12, random_state=0)
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
    detector = DeepDiscriminativeClustering(n_clusters=3, random_state=0).fit(X)
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
