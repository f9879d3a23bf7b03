"""From parameters to a net: changes between calls, automatic values, optimisers."""

import numpy as np
import pytest
import torch
from conftest import DEEP, make_rows
from torch import nn

from skdeepanomaly import (
    AutoEncoder,
    DeepDiscriminativeClustering,
    DeepOneClassSVM,
    DeepSAD,
    DenoisingAutoEncoder,
    DevNet,
    RegressionResidual,
    SemiSupervisedGAN,
)


@pytest.mark.parametrize(
    ("detector", "change"),
    [
        (RegressionResidual(), {"errors": "squared"}),
        (DeepOneClassSVM(latent_dim=4), {"nu": 0.5}),
        (DeepSAD(latent_dim=4), {"eta": 3.0}),
        (AutoEncoder(), {"standardize_errors": False}),
        (AutoEncoder(), {"hidden_dims": (7,)}),
        (AutoEncoder(), {"module__dropout": 0.5}),
        (AutoEncoder(), {"optimizer": torch.optim.SGD}),
        (AutoEncoder(), {"optimizer__param_groups": [("encoder*", {"lr": 0.0})]}),
        (DenoisingAutoEncoder(), {"noise_std": (0.1, 0.2)}),
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["partial_fit", "fit"])
def test_changed_network_or_loss_is_refused_by_name(detector, change, method):
    (name,) = change
    X = make_rows()
    fitted = type(detector)(**{**detector.get_params(), "max_epochs": 1, "random_state": 0})
    fitted.set_params(warm_start=True).fit(X)
    before = fitted.score_samples(X)
    fitted.set_params(**change)
    with pytest.raises(ValueError, match=rf"{name} of .* changed .* Set the old value again"):
        getattr(fitted, method)(X)
    np.testing.assert_array_equal(fitted.score_samples(X), before)


def test_equal_values_in_another_form_are_no_change():
    X = make_rows()
    detector = DenoisingAutoEncoder(
        hidden_dims=(8,), masking_rate=np.full(5, 0.1), max_epochs=1, random_state=0
    ).fit(X)
    detector.set_params(hidden_dims=[8], masking_rate=[0.1] * 5).partial_fit(X)
    assert detector.n_epochs_ == 2


def test_list_that_is_changed_in_place_is_refused():
    X = make_rows()
    dims = [8]
    detector = AutoEncoder(hidden_dims=dims, max_epochs=1).fit(X)
    dims.append(9)
    with pytest.raises(ValueError, match="hidden_dims"):
        detector.partial_fit(X)


def test_another_module_is_refused():
    X = make_rows()
    detector = AutoEncoder(module=nn.Linear(5, 5), max_epochs=1).fit(X)
    with pytest.raises(ValueError, match="module of AutoEncoder changed"):
        detector.set_params(module=nn.Sequential(nn.Linear(5, 5))).partial_fit(X)


def test_training_parameters_may_change():
    X = make_rows()
    detector = AutoEncoder(max_epochs=1, batch_size=50, random_state=0).fit(X)
    detector.set_params(lr=1e-5, batch_size=30, contamination=0.2, max_epochs=2)
    detector.set_params(optimizer__weight_decay=0.1, iterator_train__shuffle=False)
    detector.partial_fit(X)
    group = detector.net_.optimizer_.param_groups[0]
    assert (group["lr"], group["weight_decay"]) == (1e-5, 0.1)
    assert (
        detector.net_.get_iterator(detector.net_.get_dataset(X), training=True).shuffle is False
    )
    assert detector.n_epochs_ == 3


def test_betas_may_be_an_array():
    X = make_rows()
    detector = AutoEncoder(max_epochs=1, optimizer__betas=np.array([0.8, 0.9])).fit(X)
    detector.partial_fit(X)
    assert tuple(detector.net_.optimizer_.param_groups[0]["betas"]) == (0.8, 0.9)


@pytest.mark.parametrize("cls", [DeepSAD, SemiSupervisedGAN, DevNet])
def test_batches_with_labelled_anomalies_take_more_steps_to_pass_over_the_other_rows(cls):
    X = make_rows(1000)
    y = np.zeros(1000)
    y[:5] = -1
    few = {"latent_dim": 4} if cls is not DevNet else {}
    # Without a pre-training only the labels make a difference.
    few |= {"pretrain_epochs": 0} if cls is DeepSAD else {}
    cls = type(cls.__name__, (cls,), {"_n_steps": 60, "_epoch_range": (1, 100)})
    detector = cls(batch_size=100, anomaly_share=0.5, random_state=0, **few).fit(X, y)
    # Half of each batch are anomalies: 20 batches pass over the other 995 rows.
    assert detector.n_epochs_ == 3
    if cls._labels == "optional":
        assert detector.fit(X).n_epochs_ == 6


def test_a_loss_without_any_part_is_refused():
    detector = DeepDiscriminativeClustering(
        relation_weight=0, balance_weight=0, reconstruction_weight=0
    )
    with pytest.raises(ValueError, match="no loss to train on"):
        detector.fit(make_rows())


@pytest.mark.parametrize("name", list(DEEP))
def test_optimisers_are_listed(name):
    cls = DEEP[name]
    named = [n for n in cls().get_params() if n.partition("_")[0] == "optimizer"]
    assert sorted(cls._optimizers) == sorted(named)
