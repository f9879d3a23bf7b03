"""Numbers of which some are huge."""

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import make_detector_pipeline


def auroc_beside_huge_values(scaler, seed):
    """Return the AUROC of moderate anomalies after training with huge values."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(500, 3))
    X[0, 0], X[1, 1] = 1e12, -1e12
    new = np.repeat(rng.normal(size=(50, 3)), 2, axis=0)
    new[1::2, 0] += 8
    pipeline = make_detector_pipeline(LocalOutlierFactor(novelty=True), scaler=scaler).fit(X)
    return roc_auc_score(np.tile([0, 1], 50), -pipeline.score_samples(new))


def test_one_huge_value_does_not_hide_the_others():
    gains = [
        auroc_beside_huge_values("soft", seed)
        - auroc_beside_huge_values(StandardScaler(), seed)
        for seed in range(5)
    ]
    assert np.mean(gains) > 0.25
