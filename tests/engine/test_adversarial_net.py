"""Players that train against each other."""

import copy

import pytest
import torch
from conftest import make_detector, make_rows
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import GradientNormClipping

from skdeepanomaly.detectors.adversarial import BiGANNetwork


def test_players_have_their_own_optimisers():
    X = make_rows(64)
    detector = make_detector("BiGAN", max_epochs=1, batch_size=64)
    start = copy.deepcopy(
        detector.fit(X).set_params(module=detector.net_.module_).module.state_dict()
    )
    frozen = detector.set_params(optimizer_d__lr=0.0).fit(X).net_
    for key, value in frozen.module_.state_dict().items():
        assert torch.equal(value, start[key]) == key.startswith("discriminator")
    n_parameters = sum(
        len(group["params"])
        for optimizer in (frozen.optimizer_, frozen.optimizer_d_)
        for group in optimizer.param_groups
    )
    assert n_parameters == len(list(frozen.module_.parameters()))


@pytest.mark.parametrize("name", ["AdversarialAutoEncoder", "BiGAN"])
def test_a_changed_learning_rate_reaches_all_players(name):
    X = make_rows(60)
    detector = make_detector(name, max_epochs=1).fit(X).set_params(lr=1e-5).partial_fit(X)
    rates = {
        optimizer: getattr(detector.net_, f"{optimizer}_").param_groups[0]["lr"]
        for optimizer, _ in detector.net_.steps
    }
    tenth = {"optimizer_g": 1e-6} if name == "AdversarialAutoEncoder" else {}
    assert rates == pytest.approx({"optimizer": 1e-5, "optimizer_d": 1e-5, **tenth})


def test_frozen_parameters_stay():
    module = BiGANNetwork(5, (8,), 2)
    module.encoder[0].requires_grad_(False)
    before = module.encoder[0].weight.clone()
    callbacks = [GradientNormClipping(1.0)]
    detector = make_detector("BiGAN", module=module, callbacks=callbacks).fit(make_rows(40))
    assert torch.equal(detector.net_.module_.encoder[0].weight, before)
    assert not torch.equal(detector.net_.module_.encoder[2].weight, module.encoder[2].weight)


def test_grid_search_over_each_players_learning_rate():
    def discriminator_rate(detector, X, y=None):
        return detector.net_.optimizer_d_.param_groups[0]["lr"]

    grid = {"optimizer_d__lr": [1e-4, 2e-3], "optimizer__lr": [1e-3]}
    search = GridSearchCV(
        make_detector("BiGAN", max_epochs=1), grid, scoring=discriminator_rate, cv=2
    )
    search.fit(make_rows(40))
    assert search.best_params_ == {"optimizer_d__lr": 2e-3, "optimizer__lr": 1e-3}
    assert search.best_estimator_.net_.optimizer_.param_groups[0]["lr"] == 1e-3
    assert "discriminator_loss" in search.best_estimator_.history_[-1]
