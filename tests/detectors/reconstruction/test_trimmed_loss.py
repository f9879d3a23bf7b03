"""Rows with the largest losses can be left out, so that anomalies are not learned."""

import numpy as np
import pytest
import torch
from conftest import make_rows
from sklearn.metrics import roc_auc_score

from skdeepanomaly import (
    AdversarialAutoEncoder,
    AutoEncoder,
    ConvAutoEncoder,
    DenoisingAutoEncoder,
    RegressionResidual,
    VariationalAutoEncoder,
)
from skdeepanomaly.detectors.reconstruction import ReconstructionLoss

CLASSES = [
    AutoEncoder,
    DenoisingAutoEncoder,
    VariationalAutoEncoder,
    AdversarialAutoEncoder,
    RegressionResidual,
]


def make_contaminated(seed):
    """Return training rows of which a sixth are anomalies alike, and new rows of both kinds."""
    rng = np.random.default_rng(seed)
    normal = make_rows(800, 6, seed)
    anomalies = rng.normal(size=(200, 6)) * 0.5 + 2.5 * rng.choice([-1, 1], size=6)
    X = np.concatenate([normal[:400], anomalies[:80]])
    return X, np.concatenate([normal[400:], anomalies[80:]]), np.repeat([0, 1], [400, 120])


@pytest.mark.parametrize("cls", CLASSES)
def test_anomalies_that_are_left_out_are_not_learned(cls):
    gains = []
    for seed in range(3):
        X, new, is_anomaly = make_contaminated(seed)
        aucs = [
            roc_auc_score(
                is_anomaly,
                -cls(
                    trimmed_fraction=share, max_epochs=40, hidden_dims=(64,), random_state=seed
                )
                .fit(X)
                .score_samples(new),
            )
            for share in (0.0, 0.25)
        ]
        gains.append(aucs[1] - aucs[0])
    assert np.mean(gains) > 0.05


def test_the_loss_is_that_of_the_rows_kept():
    x, output = torch.zeros(4, 3), torch.tensor([[3.0], [1.0], [2.0], [9.0]]).expand(4, 3)
    assert ReconstructionLoss(trimmed_fraction=0.5)(output, x) == (1 + 4) / 2
    assert ReconstructionLoss()(output, x) == (9 + 1 + 4 + 81) / 4
    # One row stays, whatever is trimmed.
    assert ReconstructionLoss(trimmed_fraction=0.99)(output, x) == 1


def test_pictures_of_trimmed_images_do_not_count():
    images = np.random.default_rng(0).uniform(size=(40, 8, 8))
    kept, odd = (
        ConvAutoEncoder(trimmed_fraction=share, channels=(4,), max_epochs=2, random_state=0)
        .fit(images)
        .history_[-1, "train_loss"]
        for share in (0.5, 0.0)
    )
    assert kept < odd
