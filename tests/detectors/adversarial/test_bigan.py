from conftest import make_rows
from detectors.effects import mean_energy_distance, mean_over_seeds

from skdeepanomaly import BiGAN
from skdeepanomaly.detectors.adversarial import BiGANNetwork

SMALL = {"hidden_dims": (64,), "latent_dim": 2, "batch_size": 64, "lr": 2e-3}


class Constant(BiGANNetwork):
    """A constant discriminator: encoder and generator learn to reconstruct alone."""

    def discriminate(self, x, z):
        return 0 * super().discriminate(x, z)


def test_adversarial_training_makes_rows_like_the_data():
    def distances(seed):
        X = make_rows(256, seed=seed)
        found = []
        for module in (None, Constant):
            detector = BiGAN(module=module, max_epochs=50, random_state=seed, **SMALL).fit(X)
            found.append(mean_energy_distance(X, detector.sample(500, random_state=seed)))
        return found

    with_, without = mean_over_seeds(distances)
    assert with_ < 0.8 * without


def test_cycle_weight_tightens_the_inverse():
    def errors(seed):
        X = make_rows(256, seed=seed)
        found = []
        for weight in (0.0, 1.0):
            detector = BiGAN(
                cycle_weight=weight, alpha=1.0, max_epochs=30, random_state=seed, **SMALL
            )
            found.append(-detector.fit(X).score_samples(X).mean())
        return found

    without, with_ = mean_over_seeds(errors)
    assert with_ < 0.7 * without
