import numpy as np
import pytest
import torch
from conftest import make_planted, make_rows
from scipy.stats import energy_distance
from sklearn.metrics import roc_auc_score

from skdeepanomaly import AdversarialAutoEncoder
from skdeepanomaly.detectors.reconstruction import AutoEncoderNetwork


def auroc(detector, X, y):
    return roc_auc_score(y, detector.fit(X[y == 1][::2]).score_samples(X))


@pytest.mark.parametrize("score", ["reconstruction", "both"])
def test_planted_anomalies_rank_first(score):
    X, y = make_planted()
    detector = AdversarialAutoEncoder(score_type=score, max_epochs=100, random_state=0)
    assert auroc(detector, X, y) > 0.9


def mean_energy_distance(A, B):
    return np.mean([energy_distance(a, b) for a, b in zip(A.T, B.T, strict=True)])


@pytest.mark.parametrize("seed", range(3))
def test_the_game_gives_codes_and_samples_their_distribution(seed):
    X = make_rows(300, seed=seed)
    drawn = np.random.default_rng(seed).normal(size=(300, 2))
    of_codes, of_rows = [], []
    for params in ({"optimizer_g__lr": 0.0}, {}):
        detector = AdversarialAutoEncoder(
            hidden_dims=(32,), latent_dim=2, max_epochs=150, batch_size=64, **params
        )
        detector.set_params(random_state=seed).fit(X)
        of_codes.append(mean_energy_distance(detector.encode(X), drawn))
        of_rows.append(mean_energy_distance(detector.sample(300, random_state=seed), X))
    assert of_codes[1] < 0.7 * of_codes[0]
    assert of_rows[1] < 0.8 * of_rows[0]


def test_scores_are_what_they_are_called():
    X = make_rows(100)
    by_score = {}
    for score in ("reconstruction", "discriminator", "both"):
        detector = AdversarialAutoEncoder(score_type=score, max_epochs=3, random_state=0).fit(X)
        by_score[score] = detector.score_samples(X)
    errors = (detector.reconstruct(X) - X) ** 2
    reconstruction = -(errors / (errors.mean(axis=0) + 1e-4)).mean(axis=1)
    np.testing.assert_allclose(by_score["reconstruction"], reconstruction, rtol=1e-4)
    with torch.no_grad():
        logits = detector.net_.module_.discriminate(torch.from_numpy(detector.encode(X)))
    discriminator = torch.nn.functional.logsigmoid(logits)[:, 0].numpy()
    np.testing.assert_allclose(by_score["discriminator"], discriminator, rtol=1e-4)
    both = -(reconstruction / reconstruction.mean() + discriminator / discriminator.mean())
    np.testing.assert_allclose(by_score["both"], both, rtol=1e-4)


def test_three_optimisers_train_three_sets_of_weights():
    X = make_rows(100)
    rates = {"optimizer__lr": 0.0, "optimizer_d__lr": 0.0, "optimizer_g__lr": 0.0}
    trains = {
        "optimizer__lr": {"encoder", "decoder"},
        "optimizer_d__lr": {"discriminator_body", "discriminator_head"},
        "optimizer_g__lr": {"encoder"},
    }
    detector = AdversarialAutoEncoder(max_epochs=1, random_state=0, **rates).fit(X)
    before = detector.net_.module_.state_dict()
    for rate, parts in trains.items():
        moved = AdversarialAutoEncoder(max_epochs=1, random_state=0, **{**rates, rate: 1e-3})
        after = moved.fit(X).net_.module_.state_dict()
        changed = {
            name.partition(".")[0] for name in before if (before[name] != after[name]).any()
        }
        assert changed == parts, rate
    assert {"train_loss", "discriminator_loss", "regularization_loss"} <= set(
        detector.history_[0]
    )


def test_optimisers_may_be_of_different_kinds():
    detector = AdversarialAutoEncoder(
        optimizer_d=torch.optim.SGD,
        optimizer_d__momentum=0.1,
        optimizer_g=torch.optim.RMSprop,
        max_epochs=1,
    ).fit(make_rows(20))
    assert detector.net_.optimizer_d_.param_groups[0]["momentum"] == 0.1
    assert isinstance(detector.net_.optimizer_g_, torch.optim.RMSprop)


def test_module_must_offer_the_game():
    with pytest.raises(ValueError, match="Linear has no latent_dim, encode, generate, discri"):
        AdversarialAutoEncoder(module=torch.nn.Linear(5, 5)).fit(make_rows(20))


class Nameless(AutoEncoderNetwork):
    """A module in which nothing is called an encoder."""

    def __init__(self, n_features, latent_dim):
        super().__init__(n_features, (8,), latent_dim)
        self.latent_dim = latent_dim
        self.discriminator = torch.nn.Linear(latent_dim, 1)
        self.generate, self.discriminate = self.decoder.forward, self.discriminator.forward
        self.inward = self.encoder
        del self.encoder

    def encode(self, x):
        return self.inward(x)


def test_module_must_name_its_encoder():
    message = "no parameters for optimizer_g; .*'discriminator' and with 'encoder'"
    with pytest.raises(ValueError, match=message):
        AdversarialAutoEncoder(module=Nameless).fit(make_rows(20))
