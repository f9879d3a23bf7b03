import numpy as np
import pytest
import torch
from conftest import make_rows
from detectors.effects import mean_energy_distance, mean_over_seeds
from sklearn.metrics import roc_auc_score
from skorch.callbacks import Callback

from skdeepanomaly import VariationalAutoEncoder
from skdeepanomaly.detectors.reconstruction import VariationalNetwork

SCORES = ["reconstruction_probability", "elbo", "error"]


SMALL = {"hidden_dims": (32,), "batch_size": 64, "lr": 5e-3}


def code_moments(detector, X):
    """Return means and variances of the codes, and the mean divergence of a row."""
    with torch.no_grad():
        mean, log_variance = detector.net_.module_.posterior(torch.from_numpy(X))
        divergence = detector.net_.criterion_.divergences(mean, log_variance).mean()
    return mean.numpy(), log_variance.exp().numpy(), float(divergence)


def test_beta_changes_the_distribution_of_the_codes():
    def measure(seed):
        X = make_rows(256, seed=seed)
        divergences, moments = [], []
        for beta in (0.0, 0.1, 1.0, 10.0):
            detector = VariationalAutoEncoder(
                beta=beta, max_epochs=30, random_state=seed, **SMALL
            ).fit(X)
            mean, variance, divergence = code_moments(detector, X)
            divergences.append(divergence)
            moments.append(np.mean(mean**2 + variance))
        return divergences, moments

    divergences, moments = mean_over_seeds(measure)
    assert divergences[0] > 1.2 * divergences[1] > 1.5 * divergences[2] > 3 * divergences[3]
    # Averaged over rows the codes have the second moment of the prior, but without beta.
    assert np.abs(moments[2] - 1) < 0.3 * np.abs(moments[0] - 1)


def test_the_divergence_makes_samples_like_the_data():
    def distances(seed):
        X = make_rows(256, seed=seed)
        found = []
        for beta in (0.0, 1.0):
            detector = VariationalAutoEncoder(
                beta=beta, max_epochs=30, random_state=seed, **SMALL
            )
            made = detector.fit(X).sample(500, random_state=seed)
            found.append(mean_energy_distance(X, made))
        return found

    without, with_ = mean_over_seeds(distances)
    assert with_ < 0.8 * without


def test_samples_repeat_with_a_seed_and_have_the_shape_of_rows():
    detector = VariationalAutoEncoder(max_epochs=1, random_state=0).fit(make_rows(50))
    first, again, other = (detector.sample(7, random_state=seed) for seed in (0, 0, 1))
    assert first.shape == (7, 5)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_likelihood_takes_account_of_noise_that_varies():
    """The noise of three features depends on the first; the error ignores that."""

    def errors(seed):
        rng = np.random.default_rng(seed)
        side = rng.choice([-1.0, 1.0], size=400)
        noise = np.where(side > 0, 1.0, 0.05)[:, None] * rng.normal(size=(400, 3))
        X = np.column_stack([side + 0.1 * rng.normal(size=400), noise]).astype(np.float32)
        odd = np.column_stack([-np.ones(20), rng.choice([-0.4, 0.4], size=(20, 3))])
        y = np.repeat([1, -1], [400, 20])
        found = []
        for score_type in ("reconstruction_probability", "error"):
            detector = VariationalAutoEncoder(
                score_type=score_type, latent_dim=1, max_epochs=30, random_state=seed, **SMALL
            ).fit(X)
            scores = detector.score_samples(np.concatenate([X, odd]))
            found.append(1 - roc_auc_score(y, scores))
        return found

    by_likelihood, by_error = mean_over_seeds(errors)
    assert by_likelihood < 0.5 * by_error


def test_scores_are_what_they_are_called():
    X = make_rows(100)
    by_score = {}
    for score in SCORES:
        detector = VariationalAutoEncoder(
            score_type=score, n_draws=4, max_epochs=3, random_state=0
        )
        by_score[score] = detector.fit(X).score_samples(X)
    module, criterion = detector.net_.module_, detector.net_.criterion_
    x = torch.from_numpy(X)
    with torch.no_grad():
        mean, log_variance = module.posterior(x)
        densities = []
        for noise in criterion.noises:
            center, spread = module.decode(mean + (log_variance / 2).exp() * noise).chunk(2, 1)
            normal = torch.distributions.Normal(center, (spread / 2).exp())
            densities.append(normal.log_prob(x).sum(dim=1).numpy())
        prior = torch.distributions.Normal(0.0, 1.0)
        codes = torch.distributions.Normal(mean, (log_variance / 2).exp())
        divergence = torch.distributions.kl_divergence(codes, prior).sum(dim=1).numpy()
    assert len(densities) == 4
    np.testing.assert_allclose(
        by_score["reconstruction_probability"], np.mean(densities, axis=0), rtol=1e-4, atol=1e-4
    )
    np.testing.assert_allclose(
        by_score["elbo"], np.mean(densities, axis=0) - divergence, rtol=1e-4, atol=1e-4
    )
    errors = (detector.reconstruct(X) - X) ** 2
    np.testing.assert_allclose(by_score["error"], -errors.mean(axis=1), rtol=1e-4)


@pytest.mark.parametrize("score", SCORES)
def test_explanations(score):
    X = make_rows(50)
    detector = VariationalAutoEncoder(score_type=score, max_epochs=5, random_state=0).fit(X)
    odd = X[:1].copy()
    odd[0, 2] += 30
    contributions = detector.explain(odd)
    assert np.argmax(contributions) == 2
    if score != "elbo":
        np.testing.assert_allclose(
            contributions.sum(axis=1), -detector.score_samples(odd), rtol=1e-5
        )


def test_codes_are_drawn_such_that_gradients_reach_their_moments():
    torch.manual_seed(0)
    network = VariationalNetwork(3, (8,), 3, n_parameters=1)
    network.decoder = torch.nn.Identity()
    x = torch.randn(1, 3).expand(20_000, 3)
    drawn, mean, log_variance = network(x)
    deviation = (log_variance[0] / 2).exp()
    torch.testing.assert_close(drawn.mean(dim=0), mean[0], atol=0.03, rtol=0)
    torch.testing.assert_close(drawn.std(dim=0), deviation, atol=0.03, rtol=0)
    gradient = torch.autograd.grad(drawn.square().sum(), log_variance)[0]
    assert gradient.abs().min() > 0
    network.eval()
    drawn, mean, _ = network(x)
    assert torch.equal(drawn, mean)


class WeightOfTheDivergence(Callback):
    def on_train_begin(self, net, **kwargs):
        self.seen_ = []

    def on_epoch_end(self, net, **kwargs):
        self.seen_.append(net.criterion_.weight)


def test_warmup_raises_the_weight_of_the_divergence():
    watch = WeightOfTheDivergence()
    detector = VariationalAutoEncoder(
        beta=2.0, warmup=0.5, max_epochs=9, callbacks=[("watch", watch)], random_state=0
    )
    X = make_rows(50)
    seen = dict(detector.fit(X).net_.callbacks_)["watch"].seen_
    assert seen == [0.0, 0.5, 1.0, 1.5, 2.0, 2.0, 2.0, 2.0, 2.0]
    # Training that goes on does not warm up again.
    assert dict(detector.partial_fit(X).net_.callbacks_)["watch"].seen_ == [2.0] * 9
    detector.set_params(warmup=0.0).fit(X)
    assert dict(detector.net_.callbacks_)["watch"].seen_ == [2.0] * 9


def make_bits(n_rows=400, seed=0):
    """Draw rows of six bits, of which the last three repeat the first."""
    bits = np.random.default_rng(seed).integers(0, 2, size=(n_rows, 3))
    return np.concatenate([bits, bits], axis=1)


def test_bernoulli_likelihood():
    X = make_bits()
    detector = VariationalAutoEncoder(
        likelihood="bernoulli", latent_dim=3, max_epochs=100, random_state=0, **SMALL
    ).fit(X)
    broken = make_bits(20, seed=1)
    broken[:, 5] = 1 - broken[:, 5]
    assert detector.score_samples(broken).max() < detector.score_samples(X).min()
    assert detector.score_samples(X).max() <= 0
    made = detector.sample(500, random_state=0)
    assert set(np.unique(made)) == {0, 1}
    # Draws repeat themselves, too; bits of their own would agree in half of the cases.
    assert np.mean(made[:, :3] == made[:, 3:]) > 0.7
    rebuilt = detector.reconstruct(X)
    assert rebuilt.min() >= 0
    assert rebuilt.max() <= 1
    np.testing.assert_array_equal(rebuilt.round(), X)
    # Values that are no probabilities cost their distance, in either direction.
    for value in (-3.0, 1e30):
        far = X[:1].astype(float)
        far[0, 0] = value
        assert detector.score_samples(far)[0] < detector.score_samples(X).min()


def test_bernoulli_likelihood_refuses_other_values():
    with pytest.raises(ValueError, match=r"between 0 and 1 .* got -.*MinMaxScaler"):
        VariationalAutoEncoder(likelihood="bernoulli").fit(make_rows(50))
