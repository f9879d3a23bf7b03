import numpy as np
import pytest
import torch
from conftest import make_planted, make_rows
from sklearn.metrics import roc_auc_score

from skdeepanomaly import ALAD
from skdeepanomaly.detectors.adversarial import ALADLoss, ALADNetwork, BiGANNetwork


def test_planted_anomalies_rank_first():
    X, y = make_planted()
    detector = ALAD(random_state=0).fit(X[y == 1][::2])
    by_features = roc_auc_score(y, detector.score_samples(X))
    assert by_features > 0.9
    # The discriminator itself extrapolates.
    detector.net_.criterion_.score_type = "logits"
    assert roc_auc_score(y, detector.score_samples(X)) < by_features


@pytest.mark.parametrize("seed", range(3))
def test_the_game_of_cycles_makes_encoder_and_generator_inverse(seed):
    X = make_rows(256, seed=seed)
    short = {"hidden_dims": (64, 64), "batch_size": 64, "lr": 1e-3, "max_epochs": 50}
    errors = []
    for cycle_consistency in (True, False):
        detector = ALAD(cycle_consistency=cycle_consistency, random_state=seed, **short).fit(X)
        errors.append(np.square(X - detector.reconstruct(X)).mean())
    assert errors[0] < 0.4 * errors[1]


@pytest.mark.parametrize("score_type", ["l1", "l2"])
def test_distances_are_those_of_the_reconstruction(score_type):
    X = make_rows(80)
    detector = ALAD(score_type=score_type, max_epochs=3, random_state=0).fit(X)
    errors = np.abs(X - detector.reconstruct(X).astype(np.float64))
    errors = errors**2 if score_type == "l2" else errors
    np.testing.assert_allclose(detector.score_samples(X), -errors.sum(axis=1), rtol=1e-4)
    np.testing.assert_allclose(detector.explain(X), errors, rtol=1e-3, atol=1e-6)


def test_features_and_logits_are_those_of_pairs_of_rows():
    X = torch.from_numpy(make_rows(80))
    for score_type in ("features", "logits"):
        detector = ALAD(score_type=score_type, max_epochs=3, random_state=0).fit(X)
        network = detector.net_.module_
        with torch.no_grad():
            made = network.generate(network.encode(X))
            if score_type == "features":
                apart = network.row_pair_features(X, X) - network.row_pair_features(X, made)
                expected = -apart.abs().sum(dim=1)
            else:
                expected = torch.sigmoid(network.discriminate_rows(X, made))[:, 0].log()
        np.testing.assert_allclose(detector.score_samples(X), expected, rtol=1e-4, atol=1e-5)


def test_features_see_far_out_rows():
    X = make_rows(200)
    detector = ALAD(max_epochs=30, random_state=0).fit(X)
    far = 30 * np.sign(np.random.default_rng(0).normal(size=X.shape))
    assert detector.score_samples(far).max() < np.median(detector.score_samples(X))


def test_each_discriminator_is_trained():
    X = make_rows(64)
    detector = ALAD(max_epochs=1, random_state=0)
    network = detector.fit(X).net_.module_
    later = detector.set_params(max_epochs=5).fit(X).net_.module_
    for name in ("discriminator", "discriminator_xx", "discriminator_zz"):
        before, after = (getattr(n, f"{name}_head").weight for n in (network, later))
        assert not torch.equal(before, after)


def test_discriminators_do_not_train_against_themselves():
    torch.manual_seed(0)
    network = ALADNetwork(3, [8], 2)
    loss = ALADLoss().discriminator_loss(network, torch.randn(16, 3))
    loss.backward()
    assert network.encoder[0].weight.grad is None
    assert network.generator[0].weight.grad is None
    for name in ("", "_xx", "_zz"):
        assert getattr(network, f"discriminator{name}_head").weight.grad.abs().sum() > 0


def test_spectral_norm_bounds_all_discriminators():
    network = ALAD(spectral_norm=True, max_epochs=20, random_state=0).fit(make_rows()).net_
    layers = [m for m in network.module_.modules() if hasattr(m, "direction")]
    assert len(layers) == 9
    for layer in layers:
        x = torch.eye(layer.in_features)
        effective = layer(x) - layer.bias
        assert torch.linalg.matrix_norm(effective, 2) < 1.1


def test_module_must_offer_both_cycles():
    with pytest.raises(ValueError, match="has no discriminate_rows, discriminate_codes"):
        ALAD(module=BiGANNetwork).fit(make_rows(20))


def test_forward_must_return_four_parts():
    class Short(ALADNetwork):
        def forward(self, x):
            return super().forward(x)[0]

    with pytest.raises(ValueError, match="The module returned a Tensor; expected a tuple"):
        ALAD(module=Short, max_epochs=1).fit(make_rows(20))
