import signal

import numpy as np
import pytest
import torch
from conftest import make_planted, make_rows
from detectors.effects import auroc, mean_over_seeds

from skdeepanomaly import DeepSVDD
from skdeepanomaly.detectors.one_class import Encoder

SMALL = {"hidden_dims": (64,), "latent_dim": 64, "pretrain_epochs": 10}


def test_training_to_the_centre_matters():
    def values(seed):
        X, y = make_planted(seed=seed)
        # A learning rate next to nothing leaves the pre-trained encoder as it is.
        return [
            auroc(DeepSVDD(lr=lr, max_epochs=60, random_state=seed, **SMALL), X, y)
            for lr in (1e-12, 3e-3)
        ]

    without, trained = mean_over_seeds(values)
    assert trained > without + 0.1


def test_pre_training_learns_to_reconstruct_before_the_centre_is_set():
    def spreads(seed):
        X = make_rows(200, seed=seed)
        found = []
        for epochs in (0, 100):
            detector = DeepSVDD(
                hidden_dims=(64,),
                latent_dim=64,
                pretrain_epochs=epochs,
                lr=1e-12,
                max_epochs=1,
                random_state=seed,
            )
            codes = detector.fit(X).encode(X)
            center = detector.net_.criterion_.center.numpy()
            near_zero = np.abs(codes.mean(axis=0)) < 0.1
            np.testing.assert_allclose(
                center[~near_zero], codes.mean(axis=0)[~near_zero], rtol=1e-3
            )
            np.testing.assert_allclose(np.abs(center[near_zero]), 0.1)
            found.append(codes.var(axis=0).sum())
        return found

    # The pre-trained code spreads the rows: they can be rebuilt from it.
    without, with_ = mean_over_seeds(spreads)
    assert with_ > 1.2 * without


def test_center_stays_on_partial_fit():
    detector = DeepSVDD(max_epochs=2, random_state=0, **SMALL).partial_fit(make_rows())
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
    X = make_rows(400)
    # With all rows in one batch the radius is the quantile of their distances, but for
    # the training step after it.
    detector = DeepSVDD(
        soft_boundary=True, nu=nu, batch_size=400, max_epochs=20, random_state=0, **SMALL
    ).fit(X)
    assert detector.net_.criterion_.radius > 0
    outside = np.mean(detector.score_samples(X) < 0)
    assert outside == pytest.approx(nu, abs=0.05)


def test_loss_of_the_second_phase_falls():
    def losses(seed):
        detector = DeepSVDD(max_epochs=30, lr=1e-3, random_state=seed, **SMALL)
        history = detector.fit(make_rows(300, seed=seed)).history_
        assert len(history) == 30
        return history[0, "train_loss"], history[-1, "train_loss"]

    first, last = mean_over_seeds(losses)
    assert last < 0.7 * first
