"""Equal rows have equal scores, bit for bit, wherever they stand in a table."""

import numpy as np
import pytest
from conftest import DETECTORS, make_detector, make_rows

# Processors differ in the widths of layers at which they round rows by their position.
WIDTHS = [
    {"hidden_dims": (9, 6), "latent_dim": 5, "n_fourier_features": 9},
    {"hidden_dims": (16,), "latent_dim": 10, "n_fourier_features": 13},
]
MORE = [
    ("RegressionResidual", {"model": "additive"}),
    ("RegressionResidual", {"model": "linear"}),
    ("GAN", {"score_type": "discriminator", "spectral_norm": True}),
    ("AdversarialAutoEncoder", {"score_type": "both", "tied": True}),
    ("DeepOneClassSVM", {"joint": False}),
]


@pytest.mark.parametrize(
    ("name", "params"), [*((name, {}) for name in DETECTORS), *MORE], ids=str
)
def test_score_does_not_depend_on_the_position(name, params):
    known = DETECTORS[name]().get_params()
    for n_features, widths in zip((7, 27), WIDTHS, strict=True):
        widths = {n: value for n, value in widths.items() if n in known}
        X = make_rows(40, n_features)
        detector = make_detector(name, **widths | params, max_epochs=1).fit(X)
        for row in X[:5]:
            scores = detector.score_samples(np.tile(row, (64, 1)))
            np.testing.assert_array_equal(scores, scores[0])
