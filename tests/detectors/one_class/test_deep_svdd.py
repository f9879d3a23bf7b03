import signal

import numpy as np
import pytest
import torch
from conftest import make_planted, make_rows
from sklearn.metrics import roc_auc_score

from skdeepanomaly import DeepSVDD
from skdeepanomaly.detectors.one_class import Encoder


def auroc(detector, X, y):
    return roc_auc_score(y, detector.fit(X[y == 1][::2]).score_samples(X))


@pytest.mark.parametrize("soft_boundary", [False, True])
def test_planted_anomalies_rank_first(soft_boundary):
    X, y = make_planted()
    assert auroc(DeepSVDD(soft_boundary=soft_boundary, random_state=0), X, y) > 0.85


@pytest.mark.parametrize("seed", range(3))
def test_training_to_the_centre_matters(seed):
    X, y = make_planted(seed=seed)
    # A learning rate next to nothing leaves the pre-trained encoder as it is.
    without, trained = (auroc(DeepSVDD(lr=lr, random_state=seed), X, y) for lr in (1e-12, 1e-4))
    assert trained > without + 0.02


def test_pre_training_learns_to_reconstruct_before_the_centre_is_set():
    X = make_rows(200)
    codes = {}
    for epochs in (0, 200):
        detector = DeepSVDD(pretrain_epochs=epochs, lr=1e-12, max_epochs=1, random_state=0)
        module = detector.fit(X).net_.module_
        with torch.no_grad():
            codes[epochs] = module(torch.from_numpy(X)).numpy()
        center = detector.net_.criterion_.center.numpy()
        near_zero = np.abs(codes[epochs].mean(axis=0)) < 0.1
        np.testing.assert_allclose(
            center[~near_zero], codes[epochs].mean(axis=0)[~near_zero], rtol=1e-3
        )
        np.testing.assert_allclose(np.abs(center[near_zero]), 0.1)
    # The pre-trained code spreads the rows: they can be rebuilt from it.
    assert codes[200].var(axis=0).sum() > 1.3 * codes[0].var(axis=0).sum()


def test_center_stays_on_partial_fit():
    detector = DeepSVDD(max_epochs=2, pretrain_epochs=1, random_state=0).partial_fit(
        make_rows()
    )
    center = detector.net_.criterion_.center.clone()
    detector.partial_fit(make_rows(seed=1))
    assert torch.equal(detector.net_.criterion_.center, center)


class PressCtrlC(Encoder):
    """An encoder whose user loses patience in the third training step."""

    steps = 0

    def forward(self, x):
        if self.training:
            PressCtrlC.steps += 1
            if PressCtrlC.steps == 3:
                signal.raise_signal(signal.SIGINT)
        return super().forward(x)


def test_ctrl_c_in_pre_training_leaves_a_usable_detector():
    X = make_rows(100)
    PressCtrlC.steps = 0
    detector = DeepSVDD(module=PressCtrlC, random_state=0)
    with pytest.raises(KeyboardInterrupt):
        detector.fit(X)
    assert PressCtrlC.steps == 3
    assert detector.n_epochs_ == 0
    assert detector.net_.criterion_.center.shape == (512,)
    assert np.sum(detector.predict(X) == -1) == 10


@pytest.mark.parametrize("nu", [0.05, 0.3])
def test_nu_is_the_share_outside_of_the_sphere(nu):
    X = make_rows(1000)
    detector = DeepSVDD(soft_boundary=True, nu=nu, random_state=0).fit(X)
    assert detector.net_.criterion_.radius > 0
    outside = np.mean(detector.score_samples(X) < 0)
    assert outside == pytest.approx(nu, abs=0.05)


def test_loss_of_the_second_phase_falls():
    history = DeepSVDD(max_epochs=30, random_state=0).fit(make_rows(300)).history_
    assert len(history) == 30
    assert history[-1, "train_loss"] < 0.7 * history[0, "train_loss"]


def test_codes_must_be_two_dimensional():
    class Flat(torch.nn.Module):
        def __init__(self, n_features):
            super().__init__()
            self.layer = torch.nn.Linear(n_features, 1)

        def forward(self, x):
            return self.layer(x)[:, 0]

    with pytest.raises(ValueError, match=r"codes of shape \(n_samples, latent_dim\)"):
        DeepSVDD(module=Flat, pretrain_epochs=1).fit(make_rows(20))


def test_steps_of_both_phases():
    detector = DeepSVDD()
    assert detector._resolve_max_epochs(5120) == 8
    assert detector._resolve_max_epochs(1_000_000) == 1
