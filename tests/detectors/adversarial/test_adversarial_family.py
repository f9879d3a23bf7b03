"""What all detectors with a discriminator have in common."""

import pytest
import torch
from conftest import make_rows

from skdeepanomaly import ALAD, GAN, BiGAN, ConditionalGAN, SemiSupervisedGAN


@pytest.mark.parametrize("detector", [ALAD, BiGAN, ConditionalGAN, GAN, SemiSupervisedGAN])
def test_betas_are_set_where_the_optimisers_have_them(detector):
    X = make_rows(20)
    small = {"hidden_dims": (8,), "max_epochs": 1, "random_state": 0}
    net = detector(optimizer_d=torch.optim.SGD, **small).fit(X).net_
    assert net.optimizer_.param_groups[0]["betas"] == (0.5, 0.999)
    assert isinstance(net.optimizer_d_, torch.optim.SGD)
    net = detector(optimizer__betas=(0.9, 0.99), **small).fit(X).net_
    assert net.optimizer_.param_groups[0]["betas"] == (0.9, 0.99)
    assert net.optimizer_d_.param_groups[0]["betas"] == (0.5, 0.999)
