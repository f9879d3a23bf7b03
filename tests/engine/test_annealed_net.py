"""A criterion that changes in the course of training."""

import torch
from conftest import make_rows

from skdeepanomaly.detectors.reconstruction import ReconstructionLoss
from skdeepanomaly.engine import AnnealedNet, TensorLoader


def test_training_that_goes_on_does_not_anneal_anew():
    shares = []

    class Listening(ReconstructionLoss):
        def begin_epoch(self, share):
            shares.append(share)

    params = {"train_split": None, "iterator_train": TensorLoader, "verbose": 0}
    net = AnnealedNet(torch.nn.Linear(5, 5), Listening, max_epochs=3, **params)
    X = make_rows(20)
    net.fit(X, None)
    net.set_params(max_epochs=6).partial_fit(X, None)
    assert shares == [0.0, 0.5, 1.0] + 6 * [1.0]
