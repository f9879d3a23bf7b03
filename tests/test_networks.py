import copy
import pickle

import pytest
import torch
from torch import nn

from skdeepanomaly.detectors.adversarial import BiGANNetwork, ConditionalGANNetwork
from skdeepanomaly.detectors.one_class import Encoder
from skdeepanomaly.detectors.reconstruction import AutoEncoderNetwork
from skdeepanomaly.networks import ACTIVATIONS, MLP, SpectralLinear


def test_mlp_has_activations_and_dropout_between_its_layers_only():
    kinds = [type(layer) for layer in MLP([4, 8, 6, 2], dropout=0.5)]
    assert kinds == [nn.Linear, nn.ReLU, nn.Dropout, nn.Linear, nn.ReLU, nn.Dropout, nn.Linear]
    assert isinstance(MLP([4, 2], output_activation="sigmoid")[-1], nn.Sigmoid)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_runs(activation):
    network = AutoEncoderNetwork(5, (8,), 2, activation=activation)
    assert network(torch.randn(3, 5)).shape == (3, 5)


@pytest.mark.parametrize("tied", [False, True])
def test_auto_encoder_shapes(tied):
    network = AutoEncoderNetwork(5, (8, 6), 2, tied=tied, output_activation="tanh")
    x = torch.randn(3, 5)
    assert network.encoder(x).shape == (3, 2)
    assert network(x).shape == x.shape
    assert network(x).abs().max() <= 1


def test_tied_decoder_uses_the_transposed_weights():
    network = AutoEncoderNetwork(5, (), 2, tied=True)
    z = torch.randn(3, 2)
    weight = network.encoder[0].weight
    torch.testing.assert_close(network.decoder(z), z @ weight)
    untied = AutoEncoderNetwork(5, (), 2)
    n_weights = sum(p.numel() for p in network.parameters())
    assert sum(p.numel() for p in untied.parameters()) - n_weights == 10
    twin = copy.deepcopy(network)
    with torch.no_grad():
        weight.zero_()
    assert twin.decoder(z).abs().sum() > 0
    assert network.decoder(z).abs().sum() == 0


def test_encoder_has_no_biases():
    network = Encoder(5, (8,), 3)
    assert all(parameter.ndim == 2 for parameter in network.parameters())
    assert network(torch.zeros(2, 5)).abs().sum() == 0


@pytest.mark.parametrize("hidden_dims", [(8,), (8, 6), ()])
def test_bigan_shapes(hidden_dims):
    network = BiGANNetwork(5, hidden_dims, 3)
    x, z = torch.randn(4, 5), torch.randn(4, 3)
    assert network.encode(x).shape == (4, 3)
    assert network.generate(z).shape == (4, 5)
    assert network.discriminate(x, z).shape == (4, 1)
    reconstruction, real, fake = network(x)
    assert reconstruction.shape == x.shape
    assert real.shape == fake.shape


def test_spectral_layer_learns_its_largest_singular_value():
    torch.manual_seed(0)
    layer = SpectralLinear(8, 6)
    with torch.no_grad():
        layer.weight.mul_(10)
    # Enough steps of the power iteration for singular values that are close to each other.
    for _ in range(300):
        layer(torch.randn(2, 8))
    before = layer.eval().direction.clone()
    expected = layer.weight / torch.linalg.matrix_norm(layer.weight, 2)
    x = torch.eye(8)
    torch.testing.assert_close(layer(x) - layer.bias, expected.t(), atol=1e-4, rtol=1e-3)
    assert torch.equal(layer.direction, before)
    assert torch.equal(pickle.loads(pickle.dumps(layer))(x), layer(x))


def test_conditional_generator_leaves_the_condition_where_it_is():
    network = ConditionalGANNetwork(5, (8,), 2, condition=[3, 1])
    x = torch.randn(4, 5)
    made = network.generate(torch.randn(4, 2), x)
    assert torch.equal(made[:, [1, 3]], x[:, [1, 3]])
    assert not torch.isclose(made[:, [0, 2, 4]], x[:, [0, 2, 4]]).any()
    with pytest.raises(ValueError, match="must be passed, got None"):
        network.generate(torch.randn(4, 2))
