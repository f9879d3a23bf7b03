import copy

import numpy as np
import pytest
import torch
from conftest import make_planted, make_rows
from detectors.effects import mean_energy_distance, mean_over_seeds, scores_of_the_method
from sklearn.metrics import roc_auc_score
from torch import nn

from skdeepanomaly import GAN
from skdeepanomaly.detectors.adversarial import GANLoss, GANNetwork, background_rows


def make_gan(**params):
    """Make a detector that is small and quick to train."""
    small = {"hidden_dims": (32, 32), "lr": 3e-3, "max_epochs": 80, "n_starts": 32}
    return GAN(**{**small, "random_state": 0, **params})


@pytest.fixture(scope="module")
def fitted():
    return make_gan().fit(make_rows(300))


def directions(n_rows, n_features, seed=0):
    drawn = np.random.default_rng(seed).normal(size=(n_rows, n_features))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def with_score(detector, score_type, **criterion):
    """Return a copy of a fitted detector that scores otherwise."""
    other = copy.deepcopy(detector)
    vars(other.net_.criterion_).update(score_type=score_type, **criterion)
    return other


def test_planted_anomalies_rank_first_by_each_score():
    def errors(seed):
        X, y = make_planted(seed=seed)
        detector = make_gan(random_state=seed).fit(X[y == 1][::2])
        scores = [
            with_score(detector, score_type).score_samples(X)
            for score_type in ("mix", "discriminator", "query")
        ]
        scores.append(-np.linalg.norm(X - X.mean(axis=0), axis=1))
        return [1 - roc_auc_score(y, values) for values in scores]

    *found, by_distance = mean_over_seeds(errors)
    assert max(found) < 0.5 * by_distance


@pytest.mark.parametrize("seed", range(3))
def test_a_far_out_row_never_scores_as_more_normal_than_a_training_row(seed):
    X = make_rows(200, seed=seed)
    detector = make_gan(random_state=seed, max_epochs=60).fit(X)
    lowest = detector.score_samples(X).min()
    for distance in (10, 30, 100, 1e4, 1e8):
        far = np.median(X, axis=0) + distance * directions(100, X.shape[1], seed)
        assert detector.score_samples(far).max() < lowest, distance


class Deceived(GANNetwork):
    """A discriminator for which further out is more real."""

    def discriminate(self, x):
        return super().discriminate(x) * 0 + x.norm(dim=1, keepdim=True)


def test_far_out_rows_stay_abnormal_whatever_the_discriminator_says():
    X = make_rows(200)
    detector = make_gan(module=Deceived, max_epochs=20).fit(X)
    far = np.median(X, axis=0) + 100 * directions(200, X.shape[1])
    assert scores_of_the_method(detector, far).max() < detector.score_samples(X).min()
    alone = with_score(detector, "discriminator")
    assert scores_of_the_method(alone, far).min() > alone.score_samples(X).min()


def test_the_background_corrects_the_discriminator():
    """Anomalies are rows times three: farther out in the same direction."""

    def values(seed):
        X = make_rows(400, seed=seed)
        y = np.repeat([1, -1], 200)
        found = []
        for background in (0.75, 0.0):
            detector = make_gan(
                score_type="discriminator", background=background, random_state=seed
            ).fit(X[:200])
            scores = detector.score_samples(np.concatenate([X[200:], 3 * X[200:]]))
            found.append(roc_auc_score(y, scores))
        return found

    with_, without = mean_over_seeds(values)
    assert with_ > without + 0.1


def test_background_lies_near_and_far():
    torch.manual_seed(0)
    x = torch.from_numpy(make_rows(4000))
    moved = (background_rows(x, (0.1, 10.0)) - x).square().mean(dim=1).sqrt()
    assert moved.quantile(0.1) < 0.3
    assert moved.quantile(0.9) > 3


def test_search_comes_closer(fitted):
    X = make_rows(100, seed=1)
    errors = [
        -with_score(fitted, "query", feature_weight=0.0, query_steps=n).score_samples(X)
        for n in (0, 10, 40)
    ]
    assert errors[1].mean() < 0.7 * errors[0].mean()
    assert errors[2].mean() < errors[1].mean()


def test_search_starts_at_the_best_of_many(fitted):
    X = make_rows(100, seed=1)
    few = with_score(fitted, "query", query_steps=0)
    few.net_.criterion_.codes = few.net_.criterion_.codes[:4]
    many = with_score(fitted, "query", query_steps=0)
    assert many.score_samples(X).mean() > few.score_samples(X).mean()


def test_search_leaves_the_network_alone(fitted):
    before = copy.deepcopy(fitted.net_.module_.state_dict())
    gradients = [p.grad for p in fitted.net_.module_.parameters()]
    fitted.score_samples(make_rows(10))
    fitted.explain(make_rows(3))
    for name, value in fitted.net_.module_.state_dict().items():
        assert torch.equal(value, before[name])
    after = [p.grad for p in fitted.net_.module_.parameters()]
    assert all(a is b for a, b in zip(after, gradients, strict=True))


def test_mix_is_the_mean_of_both_relative_to_the_training_rows(fitted):
    X = make_rows(300)
    parts = [-with_score(fitted, kind).score_samples(X) for kind in ("discriminator", "query")]
    expected = -sum(part / part.mean() for part in parts) / 2
    np.testing.assert_allclose(fitted.score_samples(X), expected, rtol=1e-5)


def test_feature_weight_counts_the_discriminators_features(fitted):
    X = make_rows(20)
    values = [
        with_score(fitted, "query", feature_weight=w).score_samples(X) for w in (0.0, 0.1)
    ]
    assert not np.allclose(*values)


def test_samples_repeat_with_a_seed_and_lie_on_the_sheet(fitted):
    X = make_rows(300)
    made = fitted.sample(300, random_state=0)
    assert made.dtype == np.float32
    np.testing.assert_array_equal(fitted.sample(300, random_state=0), made)
    assert not np.array_equal(fitted.sample(300, random_state=1), made)
    # On the sheet: hardly any variance is left in the last principal directions.
    axes = np.linalg.svd(X - X.mean(axis=0))[2]
    spread = ((made - X.mean(axis=0)) @ axes.T).std(axis=0)
    assert spread[-1] < 0.5 * spread[0]


def test_training_makes_samples_like_the_data():
    def distances(seed):
        X = make_rows(300, seed=seed)
        found = []
        for params in ({"lr": 1e-12, "max_epochs": 1}, {"max_epochs": 60}):
            detector = make_gan(background=0.0, n_starts=8, random_state=seed, **params)
            made = detector.fit(X).sample(300, random_state=seed)
            found.append(mean_energy_distance(X, made))
        return found

    untrained, trained = mean_over_seeds(distances)
    assert trained < 0.6 * untrained


def slope_at_rows(detector, X):
    x = torch.tensor(X, requires_grad=True)
    (slope,) = torch.autograd.grad(detector.net_.module_.discriminate(x).sum(), x)
    return slope.norm(dim=1).mean().item()


def test_r1_flattens_the_discriminator_at_real_rows(fitted):
    X = make_rows(300)
    penalised = make_gan(r1_weight=1.0).fit(X)
    assert slope_at_rows(penalised, X) < 0.5 * slope_at_rows(fitted, X)


def test_label_smoothing_keeps_the_discriminator_in_doubt(fitted):
    X = make_rows(300)
    smooth = make_gan(label_smoothing=0.3).fit(X)
    shares = [
        torch.sigmoid(d.net_.module_.discriminate(torch.tensor(X))).mean().item()
        for d in (fitted, smooth)
    ]
    assert shares[1] < shares[0]
    assert shares[1] < 0.75


def test_spectral_norm_bounds_the_slope_of_the_discriminator(fitted):
    X = make_rows(300)
    bounded = make_gan(spectral_norm=True).fit(X)
    assert slope_at_rows(bounded, X) < 1.1
    assert slope_at_rows(fitted, X) > 2 * slope_at_rows(bounded, X)


def test_background_has_its_share_of_what_is_called_made():
    class Constant(nn.Module):
        latent_dim = 2

        def generate(self, z):
            return torch.zeros(len(z), 3)

        def discriminate(self, x):
            # Generated rows are zero.
            return torch.where((x == 0).all(dim=1, keepdim=True), 2.0, -1.0)

    x = torch.ones(8, 3)
    softplus = np.logaddexp(0, [1.0, 2.0, -1.0])
    for share in (0.0, 0.25, 1.0):
        loss = GANLoss(background=share).discriminator_loss(Constant(), x)
        expected = softplus[0] + (1 - share) * softplus[1] + share * softplus[2]
        assert loss.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("scales", [(1.0,), (0.0, 1.0), (1.0, 2.0, 3.0), "ab"])
def test_scales_of_the_background_are_checked(scales):
    with pytest.raises((ValueError, TypeError), match="background_scales"):
        GAN(background_scales=scales).fit(make_rows(20))
