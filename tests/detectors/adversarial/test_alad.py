import numpy as np
import pytest
import torch
from conftest import make_planted, make_rows
from detectors.effects import mean_over_seeds, scores_of_the_method
from sklearn.metrics import roc_auc_score

from skdeepanomaly import ALAD
from skdeepanomaly.detectors.adversarial import ALADLoss, ALADNetwork

SCORE_TYPES = ["l1", "l2", "features", "logits"]


def test_features_rank_planted_and_far_out_rows_last_and_logits_do_not():
    """The discriminator itself extrapolates: far out its logits are arbitrary."""

    def errors(seed):
        X, y = make_planted(seed=seed)
        detector = ALAD(hidden_dims=(64,), lr=2e-3, max_epochs=60, random_state=seed)
        detector.fit(X[y == 1][::2])
        signs = np.sign(np.random.default_rng(seed).normal(size=(200, X.shape[1])))
        far, y_far = np.concatenate([X[y == 1], 30 * signs]), np.repeat([1, -1], [500, 200])
        by_features = detector.score_samples(X)
        far_by_features = scores_of_the_method(detector, far)
        detector.net_.criterion_.score_type = "logits"
        far_by_logits = scores_of_the_method(detector, far)
        by_distance = -np.linalg.norm(X - X.mean(axis=0), axis=1)
        pairs = [(y, by_features), (y, by_distance)]
        pairs += [(y_far, far_by_features), (y_far, far_by_logits)]
        return [1 - roc_auc_score(truth, scores) for truth, scores in pairs]

    by_features, by_distance, far_by_features, far_by_logits = mean_over_seeds(errors)
    assert by_features < 0.5 * by_distance
    assert far_by_features < 0.5 * far_by_logits


def test_cycle_consistency_makes_encoder_and_generator_inverse():
    def errors(seed):
        X = make_rows(256, seed=seed)
        found = []
        for cycle_consistency in (True, False):
            detector = ALAD(
                cycle_consistency=cycle_consistency,
                hidden_dims=(32, 32),
                batch_size=64,
                lr=2e-3,
                max_epochs=20,
                random_state=seed,
            ).fit(X)
            found.append(np.square(X - detector.reconstruct(X)).mean())
        return found

    with_, without = mean_over_seeds(errors)
    assert with_ < 0.7 * without


@pytest.fixture(scope="module")
def short_fits():
    """Return rows and, for each type of score, a detector that was trained on them."""
    X = make_rows(80)
    return X, {
        score_type: ALAD(
            score_type=score_type, hidden_dims=(16,), max_epochs=3, random_state=0
        ).fit(X)
        for score_type in SCORE_TYPES
    }


@pytest.mark.parametrize("score_type", ["l1", "l2"])
def test_distances_are_those_of_the_reconstruction(short_fits, score_type):
    X, detectors = short_fits
    detector = detectors[score_type]
    errors = np.abs(X - detector.reconstruct(X).astype(np.float64))
    errors = errors**2 if score_type == "l2" else errors
    np.testing.assert_allclose(detector.score_samples(X), -errors.sum(axis=1), rtol=1e-4)
    np.testing.assert_allclose(detector.explain(X), errors, rtol=1e-3, atol=1e-6)


def test_features_and_logits_are_those_of_pairs_of_rows(short_fits):
    X = torch.from_numpy(short_fits[0])
    for score_type in ("features", "logits"):
        detector = short_fits[1][score_type]
        network = detector.net_.module_
        with torch.no_grad():
            made = network.generate(network.encode(X))
            if score_type == "features":
                apart = network.row_pair_features(X, X) - network.row_pair_features(X, made)
                expected = -apart.abs().sum(dim=1)
            else:
                expected = torch.sigmoid(network.discriminate_rows(X, made))[:, 0].log()
        np.testing.assert_allclose(detector.score_samples(X), expected, rtol=1e-4, atol=1e-5)


def test_each_discriminator_is_trained():
    X = make_rows(64)
    detector = ALAD(hidden_dims=(16,), max_epochs=1, random_state=0)
    network = detector.fit(X).net_.module_
    later = detector.set_params(max_epochs=3).fit(X).net_.module_
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
    detector = ALAD(spectral_norm=True, hidden_dims=(16, 16), max_epochs=20, random_state=0)
    network = detector.fit(make_rows()).net_.module_
    layers = [m for m in network.modules() if hasattr(m, "direction")]
    assert len(layers) == 9
    for layer in layers:
        x = torch.eye(layer.in_features)
        effective = layer(x) - layer.bias
        # The norm is an estimate: a step of the power iteration for each step of training.
        assert torch.linalg.matrix_norm(effective, 2) < 1.2
