import numpy as np
import pytest
import torch
from conftest import make_planted, make_rows
from sklearn.metrics import adjusted_rand_score, roc_auc_score

from skdeepanomaly import DeepSubspaceClustering
from skdeepanomaly.detectors.clustering import SelfExpressionLoss


def make_planes(seed=0, n_rows=300, n_outliers=30):
    """Draw rows on three planes that do not meet, and outliers off them."""
    rng = np.random.default_rng(seed)
    planes = [np.linalg.qr(rng.normal(size=(8, 2)))[0].T for _ in range(3)]
    labels = np.arange(n_rows) % 3
    hidden = rng.uniform(0.5, 2, size=(n_rows, 2))
    rows = np.einsum("nr,nrd->nd", hidden, np.array(planes)[labels])
    rows += 0.02 * rng.normal(size=rows.shape)
    # A little off one plane, in a direction of another.
    i, j = rng.integers(n_rows // 3, size=(2, n_outliers))
    outliers = rows[3 * i] + 0.2 * rows[3 * j + 1]
    X = np.concatenate([rows, outliers])
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    return X.astype(np.float32), labels, np.repeat([1, -1], [n_rows, n_outliers])


def auroc(detector, X, y):
    return roc_auc_score(y, detector.fit(X[y == 1][::2]).score_samples(X))


@pytest.mark.parametrize("seed", range(3))
def test_planted_anomalies_rank_first(seed):
    X, y = make_planted(seed=seed)
    assert auroc(DeepSubspaceClustering(random_state=seed), X, y) > 0.85


@pytest.mark.parametrize("seed", range(3))
def test_planes_are_found(seed):
    X, labels, y = make_planes(seed)
    detector = DeepSubspaceClustering(
        n_clusters=3, latent_dim=8, pretrain_epochs=40, random_state=seed
    ).fit(X[y == 1])
    assert adjusted_rand_score(labels, detector.predict_cluster(X[y == 1])) > 0.9
    assert roc_auc_score(y, detector.score_samples(X)) > 0.95


@pytest.mark.parametrize("seed", range(3))
def test_negative_coefficients_join_the_sides_of_a_line(seed):
    rng = np.random.default_rng(seed)
    t, labels = rng.uniform(-2, 2, size=(300, 1)), np.arange(300) // 150
    X = np.where(labels[:, None] < 1, t * [1, 0.35], t * [0.25, -1])
    X = X + 0.06 * rng.normal(size=X.shape)
    joined, split = (
        DeepSubspaceClustering(
            n_clusters=2,
            latent_dim=2,
            pretrain_epochs=40,
            signed_affinity=signed,
            random_state=seed,
        )
        .fit(X)
        .predict_cluster(X)
        for signed in (False, True)
    )
    ranks = [adjusted_rand_score(labels, clusters) for clusters in (joined, split)]
    assert ranks[0] > ranks[1] + 0.1


def test_closed_form_is_the_minimum():
    loss = SelfExpressionLoss(coefficient_weight=0.5, self_expression_weight=3.0)
    codes = torch.from_numpy(make_rows(30))
    loss.origin = codes.mean(dim=0)
    best = loss.best_coefficients(codes)
    assert (best.diagonal() == 0).all()
    centred = (codes - loss.origin).double()

    def value(coefficients):
        residuals = (coefficients @ centred - centred).square().sum()
        return 0.5 * coefficients.square().sum() + 1.5 * residuals

    rng = torch.Generator().manual_seed(0)
    for _ in range(5):
        step = 0.01 * torch.randn(30, 30, generator=rng).double().fill_diagonal_(0)
        assert value(best.double() + step) > value(best.double())


def test_a_row_is_not_made_of_itself():
    loss = SelfExpressionLoss()
    loss.coefficients = torch.nn.Parameter(torch.ones(4, 4))
    assert (loss.off_diagonal().diagonal() == 0).all()
    assert loss.off_diagonal().sum() == 12


def test_training_lowers_the_loss_of_the_landmarks():
    X = make_rows(100)
    losses = DeepSubspaceClustering(max_epochs=30, random_state=0).fit(X).history_
    assert losses[-1, "train_loss"] < 0.95 * losses[0, "train_loss"]


@pytest.mark.parametrize(("n_rows", "expected"), [(60, 60), (400, 80)])
def test_landmarks_bound_the_memory(n_rows, expected):
    X = make_rows(n_rows)
    detector = DeepSubspaceClustering(max_landmarks=80, max_epochs=3, random_state=0).fit(X)
    criterion = detector.net_.criterion_
    assert len(criterion.landmarks) == len(criterion.labels) == expected
    assert bool(criterion.all_landmarks) == (n_rows == expected)
    # The coefficients are dropped after the fit, and made anew.
    assert criterion.coefficients.numel() == 0
    detector.partial_fit(make_rows(50, seed=1))
    assert len(detector.net_.criterion_.landmarks) == expected
    assert not detector.net_.criterion_.all_landmarks


@pytest.mark.parametrize("seed", range(3))
def test_landmarks_find_the_subspaces_of_all_rows(seed):
    X, labels, y = make_planes(seed, n_rows=900)
    detector = DeepSubspaceClustering(
        n_clusters=3, latent_dim=8, max_landmarks=150, random_state=seed
    ).fit(X[y == 1])
    assert adjusted_rand_score(labels, detector.predict_cluster(X[y == 1])) > 0.9
    assert roc_auc_score(y, detector.score_samples(X)) > 0.95


def test_bases_are_orthonormal_and_hold_the_energy():
    X = make_rows(200)
    low, high = (
        DeepSubspaceClustering(n_clusters=2, subspace_energy=e, max_epochs=3, random_state=0)
        .fit(X)
        .net_.criterion_.bases
        for e in (0.3, 1.0)
    )
    ranks = [int((bases.square().sum(dim=1) > 0.5).sum(dim=1).max()) for bases in (low, high)]
    assert ranks == [1, 3]
    products = high.transpose(1, 2) @ high
    assert torch.allclose(
        products.diagonal(dim1=1, dim2=2).round(), products.sum(dim=2).round()
    )
    assert torch.allclose(products, products.round(), atol=1e-5)


def test_a_custom_module_must_decode():
    class NoDecoder(torch.nn.Module):
        def __init__(self, n_features):
            super().__init__()
            self.encode = torch.nn.Linear(n_features, 2)

        def forward(self, x):
            return self.encode(x), x

    with pytest.raises(ValueError, match="has no decode"):
        DeepSubspaceClustering(module=NoDecoder).fit(make_rows(20))
