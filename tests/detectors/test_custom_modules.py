"""What a module of one's own must offer and return, with the error otherwise."""

import numpy as np
import pytest
import torch
from conftest import make_rows
from torch import nn

from skdeepanomaly import (
    ALAD,
    GAN,
    AdversarialAutoEncoder,
    AutoEncoder,
    BiGAN,
    DeepClustering,
    DeepOneClassSVM,
    DeepSAD,
    DeepSubspaceClustering,
    DeepSVDD,
    DevNet,
    SemiSupervisedGAN,
    VariationalAutoEncoder,
)
from skdeepanomaly.detectors.adversarial import ALADNetwork, BiGANNetwork, GANNetwork
from skdeepanomaly.detectors.reconstruction import AutoEncoderNetwork


class Returns(nn.Linear):
    """A layer that returns what a function makes of its output."""

    def __init__(self, make, n_outputs=5):
        super().__init__(5, n_outputs)
        self.make = make

    def encode(self, x):
        return self(x)

    def forward(self, x):
        return self.make(super().forward(x))


class NoEncoder(AutoEncoderNetwork):
    """A module that has no part called an encoder."""

    def __init__(self, n_features, latent_dim):
        super().__init__(n_features, (8,), latent_dim)
        self.latent_dim = latent_dim
        self.discriminator = nn.Linear(latent_dim, 1)
        self.generate, self.discriminate = self.decoder.forward, self.discriminator.forward
        self.inward = self.encoder
        del self.encoder

    def encode(self, x):
        return self.inward(x)


class NoDecoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode = nn.Linear(5, 2)

    def forward(self, x):
        return self.encode(x), x


class OnePart(ALADNetwork):
    def forward(self, x):
        return super().forward(x)[0]


class FlatLogits(GANNetwork):
    def discriminate(self, x):
        return super().discriminate(x)[:, 0]


class ThreeLogits(nn.Module):
    latent_dim = 2

    def __init__(self):
        super().__init__()
        self.discriminator, self.generate = nn.Linear(5, 3), nn.Linear(2, 5)

    def forward(self, x):
        return x, self.discriminator(x)


def flat(x):
    return x[:, 0]


def unflatten(x):
    return x[:, None]


LINEAR = nn.Linear(5, 5)
CASES = [
    (AutoEncoder, Returns(lambda x: (x, x)), "The module returned an output of shape tuple"),
    (VariationalAutoEncoder, LINEAR, "Linear has no latent_dim, posterior, decode"),
    (AdversarialAutoEncoder, LINEAR, "Linear has no latent_dim, encode, generate, discri"),
    (
        AdversarialAutoEncoder,
        NoEncoder,
        "no parameters for optimizer_g; .*'discriminator' and with 'encoder'",
    ),
    (BiGAN, LINEAR, "Linear has no latent_dim, encode, generate, discri"),
    (ALAD, BiGANNetwork, "has no discriminate_rows, discriminate_codes"),
    (ALAD, OnePart, "The module returned a Tensor; expected a tuple"),
    (GAN, LINEAR, "Linear has no latent_dim, generate, discriminate"),
    (GAN, FlatLogits, r"The module returned logits of shape \(40,\)"),
    (SemiSupervisedGAN, LINEAR, "Linear has no latent_dim, generate"),
    (SemiSupervisedGAN, ThreeLogits, r"logits of shape \(60, 3\) for 60 rows"),
    (DeepSVDD, Returns(flat), r"codes of shape \(n_samples, latent_dim\)"),
    (DeepSAD, Returns(unflatten), "DeepSAD needs codes of shape"),
    (DeepOneClassSVM, Returns(lambda x: x), "The module returned"),
    (DeepOneClassSVM, Returns(lambda x: (flat(x), x)), "The module returned"),
    (DeepOneClassSVM, Returns(lambda x: (x, x[:, 1:])), "The module returned"),
    (DeepClustering, LINEAR, "Linear has no encode"),
    (DeepClustering, Returns(lambda x: x), "returned a Tensor; expected a tuple of codes"),
    (DeepClustering, Returns(lambda x: (flat(x), x)), r"returned codes of shape \(20,\)"),
    (
        DeepClustering,
        Returns(lambda x: (x, x[:, 1:])),
        r"The module returned an output of shape \(20, 4\)",
    ),
    (DeepSubspaceClustering, NoDecoder(), "has no decode"),
]


@pytest.mark.parametrize(("detector", "module", "message"), CASES)
def test_modules_that_do_not_fit_are_refused(detector, module, message):
    known = detector().get_params()
    short = {"max_epochs": 1, "pretrain_epochs": 0, "n_clusters": 2}
    params = {name: value for name, value in short.items() if name in known}
    with pytest.raises(ValueError, match=message):
        detector(module=module, **params).fit(make_rows(20))


def test_dev_net_needs_one_number_a_row():
    with pytest.raises(ValueError, match=r"shape \(20, 2\) for 20 rows; expected one number"):
        DevNet(module=nn.Linear(5, 2)).fit(make_rows(20), np.resize([-1, 0], 20))


def test_module_gets_what_its_constructor_takes():
    class Deep(nn.Module):
        def __init__(self, n_features, dropout, width=3):
            super().__init__()
            self.dropout, self.width = dropout, width
            self.layer = nn.Linear(n_features, n_features)

        def forward(self, x):
            return self.layer(x)

    detector = AutoEncoder(module=Deep, module__width=7, dropout=0.25, max_epochs=1)
    module = detector.fit(make_rows(20)).net_.module_
    assert (module.dropout, module.width) == (0.25, 7)


class InPlace(nn.Module):
    """A module that overwrites its input."""

    def __init__(self, n_features):
        super().__init__()
        self.layer = nn.Linear(n_features, n_features)

    def forward(self, x):
        return self.layer(x.clone() if self.training else torch.relu_(x))


def test_modules_that_work_in_place_do_not_change_the_input():
    X = make_rows(9000)
    before = X.copy()
    AutoEncoder(module=InPlace, standardize_errors=False, max_epochs=1).fit(X).predict(X)
    np.testing.assert_array_equal(X, before)


def make_linear(n_features, width=3):
    return nn.Sequential(nn.Linear(n_features, width), nn.Linear(width, n_features))


def test_module_can_be_a_function():
    detector = AutoEncoder(module=make_linear, module__width=2, max_epochs=1)
    assert detector.fit(make_rows(20)).net_.module_[0].out_features == 2


def test_float64_module_is_made_float32():
    detector = AutoEncoder(module=nn.Linear(5, 5).double(), max_epochs=1).fit(make_rows(50))
    assert detector.net_.module_.weight.dtype == torch.float32
