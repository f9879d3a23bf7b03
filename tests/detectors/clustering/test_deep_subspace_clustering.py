import numpy as np
import pytest
import torch
from conftest import make_rows
from detectors.effects import mean_over_seeds
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


SMALL = {"hidden_dims": (64, 64), "pretrain_epochs": 60, "max_epochs": 20}


@pytest.mark.parametrize(("n_rows", "max_landmarks"), [(300, 1000), (600, 150)])
def test_planes_are_found(n_rows, max_landmarks):
    """Few landmarks find the planes of all rows, too."""

    def measure(seed):
        X, labels, y = make_planes(seed, n_rows)
        detector = DeepSubspaceClustering(
            n_clusters=3,
            latent_dim=8,
            max_landmarks=max_landmarks,
            random_state=seed,
            **SMALL,
        ).fit(X[y == 1])
        agreement = adjusted_rand_score(labels, detector.predict_cluster(X[y == 1]))
        by_distance = roc_auc_score(y, -np.linalg.norm(X, axis=1))
        return agreement, 1 - roc_auc_score(y, detector.score_samples(X)), 1 - by_distance

    agreement, found, by_distance = mean_over_seeds(measure)
    # The agreement of random clusters is 0 on average.
    assert agreement > 0.7
    assert found < 0.5 * by_distance


def test_negative_coefficients_join_the_sides_of_a_line():
    def agreement(seed):
        rng = np.random.default_rng(seed)
        t, labels = rng.uniform(-2, 2, size=(200, 1)), np.arange(200) // 100
        X = np.where(labels[:, None] < 1, t * [1, 0.35], t * [0.25, -1])
        X = X + 0.06 * rng.normal(size=X.shape)
        found = []
        for signed in (True, False):
            detector = DeepSubspaceClustering(
                n_clusters=2,
                hidden_dims=(),
                latent_dim=2,
                signed_affinity=signed,
                pretrain_epochs=100,
                max_epochs=20,
                random_state=seed,
            )
            found.append(adjusted_rand_score(labels, detector.fit(X).predict_cluster(X)))
        return found

    signed, unsigned = mean_over_seeds(agreement)
    assert unsigned > signed + 0.1


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


def test_best_coefficients_of_huge_codes():
    """Each row is the opposite of the other, and so large that constants are rounded off."""
    codes = torch.tensor([[2.0**57, 0.0], [-(2.0**57), 0.0]])
    loss = SelfExpressionLoss()
    loss.origin = codes.mean(dim=0)
    best = loss.best_coefficients(codes)
    centred = codes - loss.origin
    assert (best.diagonal() == 0).all()
    assert (best @ centred - centred).norm() < 0.01 * centred.norm()


def test_a_row_is_not_made_of_itself():
    loss = SelfExpressionLoss()
    loss.coefficients = torch.nn.Parameter(torch.ones(4, 4))
    assert (loss.off_diagonal().diagonal() == 0).all()
    assert loss.off_diagonal().sum() == 12


def test_training_lowers_the_loss_of_the_landmarks():
    def losses(seed):
        detector = DeepSubspaceClustering(
            hidden_dims=(32,), pretrain_epochs=10, max_epochs=30, lr=5e-3, random_state=seed
        )
        history = detector.fit(make_rows(100, seed=seed)).history_
        return history[0, "train_loss"], history[-1, "train_loss"]

    first, last = mean_over_seeds(losses)
    assert last < 0.9 * first


@pytest.mark.parametrize(("n_rows", "expected"), [(60, 60), (400, 80)])
def test_landmarks_bound_the_memory(n_rows, expected):
    X = make_rows(n_rows)
    detector = DeepSubspaceClustering(
        max_landmarks=80, pretrain_epochs=3, max_epochs=3, random_state=0
    ).fit(X)
    criterion = detector.net_.criterion_
    assert len(criterion.landmarks) == len(criterion.labels) == expected
    assert bool(criterion.all_landmarks) == (n_rows == expected)
    # The coefficients are dropped after the fit, and made anew.
    assert criterion.coefficients.numel() == 0
    detector.partial_fit(make_rows(50, seed=1))
    assert len(detector.net_.criterion_.landmarks) == expected
    assert not detector.net_.criterion_.all_landmarks


def test_bases_are_orthonormal_and_hold_the_energy():
    X = make_rows(200)
    low, high = (
        DeepSubspaceClustering(
            n_clusters=2, subspace_energy=e, pretrain_epochs=20, max_epochs=3, random_state=0
        )
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
