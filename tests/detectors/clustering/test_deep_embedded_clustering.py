import numpy as np
import pytest
import torch
from conftest import make_rows
from detectors.effects import mean_over_seeds

from skdeepanomaly import DeepEmbeddedClustering
from skdeepanomaly.detectors.clustering import DeepEmbeddedClusteringLoss
from skdeepanomaly.detectors.reconstruction import CodingAutoEncoder

SMALL = {"hidden_dims": (32,), "latent_dim": 16}


def sureness(detector, X):
    criterion = detector.net_.criterion_
    with torch.no_grad():
        assignments = criterion.assign(torch.from_numpy(detector.encode(X)), criterion.centers)
    return assignments.max(dim=1).values.mean().item()


def test_self_training_makes_assignments_surer():
    def measure(seed):
        X = make_rows(256, seed=seed)
        # A learning rate next to nothing leaves codes and centres as k-means found them.
        start, trained = (
            DeepEmbeddedClustering(
                n_clusters=4,
                lr=lr,
                tol=0,
                pretrain_epochs=10,
                max_epochs=25,
                batch_size=64,
                random_state=seed,
                **SMALL,
            ).fit(X)
            for lr in (1e-12, 3e-3)
        )
        assert np.abs(trained.cluster_centers_ - start.cluster_centers_).max() > 0.01
        return sureness(start, X), sureness(trained, X)

    start, trained = mean_over_seeds(measure)
    assert trained > start + 0.05


def test_target_of_a_batch_is_that_of_its_rows_at_the_last_renewal():
    torch.manual_seed(0)
    X = torch.randn(200, 5)
    module = CodingAutoEncoder(5, (16,), 8)
    loss = DeepEmbeddedClusteringLoss()
    loss.set_centers(torch.randn(6, 8), torch.ones(6))
    # As the paper has it: for all rows at once, stored row by row.
    with torch.no_grad():
        distances = torch.cdist(module.encode(X), loss.centers).square()
    q = 1 / (1 + distances)
    q = q / q.sum(dim=1, keepdim=True)
    p = q**2 / q.sum(dim=0)
    p = p / p.sum(dim=1, keepdim=True)
    torch.testing.assert_close(loss.assign(module.encode(X), loss.centers), q)
    assert loss.renew_target(module, module.encode(X)) == 1.0
    for parameter in (*module.parameters(), loss.centers):
        parameter.data.add_(torch.randn_like(parameter))
    torch.testing.assert_close(loss.target(X[50:60]), p[50:60])
    assert 0 < loss.renew_target(module, module.encode(X)) < 1
    assert not torch.allclose(loss.target(X[50:60]), p[50:60], atol=0.01)
    assert loss.renew_target(module, module.encode(X)) == 0


def test_degrees_of_freedom_make_assignments_sharper():
    def measure(seed):
        X = make_rows(100, seed=seed)
        found = []
        for degrees in (1.0, 20.0):
            detector = DeepEmbeddedClustering(
                n_clusters=4,
                degrees_of_freedom=degrees,
                hidden_dims=(64,),
                lr=1e-12,
                pretrain_epochs=20,
                max_epochs=1,
                random_state=seed,
            )
            found.append(sureness(detector.fit(X), X))
        return found

    wide, narrow = mean_over_seeds(measure)
    assert narrow > wide + 0.05


@pytest.mark.parametrize(("interval", "expected"), [(1, 10), (4, 3), (100, 1)])
def test_target_is_renewed_at_intervals(monkeypatch, interval, expected):
    renewals = []
    renew = DeepEmbeddedClusteringLoss.renew_target
    monkeypatch.setattr(
        DeepEmbeddedClusteringLoss,
        "renew_target",
        lambda self, *args: renewals.append(int(self.n_steps)) or renew(self, *args),
    )
    # Ten steps: five epochs of two batches.
    DeepEmbeddedClustering(
        update_interval=interval, max_epochs=5, batch_size=50, tol=0, pretrain_epochs=1
    ).fit(make_rows(100))
    assert renewals == list(range(0, 10, interval))
    assert len(renewals) == expected


def test_training_ends_when_clusters_no_longer_change():
    X = make_rows(100)
    params = {"max_epochs": 6, "pretrain_epochs": 1, "update_interval": 2, "random_state": 0}
    epochs = {}
    for tol in (0.0, 1.0):
        detector = DeepEmbeddedClustering(tol=tol, lr=1e-6, **params).fit(X)
        epochs[tol] = detector.n_epochs_
        assert all("train_loss" in row for row in detector.history_)
    # One batch is an epoch: the target is renewed in the third, and training ends there.
    assert epochs == {0.0: 6, 1.0: 3}
    assert detector.partial_fit(X).n_epochs_ == 6


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_only_idec_trains_the_decoder(weight):
    X = make_rows(200)
    decoders = []
    for lr in (1e-12, 1e-3):
        detector = DeepEmbeddedClustering(
            reconstruction_weight=weight,
            n_clusters=4,
            lr=lr,
            tol=0,
            pretrain_epochs=5,
            max_epochs=20,
            random_state=0,
            **SMALL,
        )
        decoder = detector.fit(X).net_.module_.decoder
        decoders.append(torch.nn.utils.parameters_to_vector(decoder.parameters()).detach())
    change = (decoders[0] - decoders[1]).abs().max()
    assert change > 1e-3 if weight else change < 1e-6


def test_reconstruction_weight_keeps_the_code_whole():
    def errors(seed):
        X = make_rows(200, seed=seed)
        found = []
        for weight in (0.0, 1.0):
            detector = DeepEmbeddedClustering(
                reconstruction_weight=weight,
                n_clusters=4,
                lr=5e-3,
                tol=0,
                pretrain_epochs=20,
                max_epochs=25,
                batch_size=64,
                random_state=seed,
                **SMALL,
            )
            found.append(np.square(detector.fit(X).reconstruct(X) - X).mean())
        return found

    without, with_ = mean_over_seeds(errors)
    assert with_ < 0.5 * without


def test_the_teacher_is_gone_after_training():
    detector = DeepEmbeddedClustering(max_epochs=2, pretrain_epochs=1, random_state=0).fit(
        make_rows()
    )
    net = detector.net_
    assert net.criterion_.teacher is None
    assert net.rows_ is None
    assert all("teacher" not in name for name in net.criterion_.state_dict())
