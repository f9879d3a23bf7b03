"""Features from a frozen module."""

import pickle
import threading

import numpy as np
import pytest
import torch
from backbones import make_backbone
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks
from torch import nn

from skdeepanomaly import AutoEncoder, ConvAutoEncoder, FrozenEncoder


def draw_images(n=70, shape=(3, 12, 9), seed=0):
    return np.random.default_rng(seed).random((n, *shape), dtype=np.float32)


class AnyWidth(nn.Module):
    """Takes rows of any width, and does not know how many columns it will get."""

    def forward(self, x):
        """Return three features of each row."""
        return torch.stack([x.mean(dim=1), x.square().mean(dim=1), x.amax(dim=1)], dim=1)


@parametrize_with_checks(
    [FrozenEncoder(), FrozenEncoder(pool=None), FrozenEncoder(AnyWidth(), pool="max")]
)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("pool", ["mean", "max", None])
def test_features_are_those_of_the_layers(pool):
    X, network = draw_images(), make_backbone(3)
    features = FrozenEncoder(network, layer=["1", "4"], pool=pool).fit_transform(X)
    network.eval()
    with torch.no_grad():
        # Before the activation, which works in place on the same memory.
        first = network[:2](torch.from_numpy(X))
        second = network[:5](torch.from_numpy(X))
    pooled = {
        "mean": lambda maps: maps.mean(dim=(2, 3)),
        "max": lambda maps: maps.amax(dim=(2, 3)),
        None: lambda maps: maps.flatten(1),
    }[pool]
    expected = torch.cat([pooled(first), pooled(second)], dim=1).numpy()
    assert (first < 0).any()
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-6)


def test_without_a_layer_the_output_of_the_module_counts():
    X, network = draw_images(), make_backbone(3)
    encoder = FrozenEncoder(network).fit(X)
    with torch.no_grad():
        expected = network.eval()(torch.from_numpy(X)).numpy()
    np.testing.assert_allclose(encoder.transform(X), expected, rtol=1e-4, atol=1e-6)
    names = [f"frozenencoder{i}" for i in range(4)]
    assert encoder.get_feature_names_out().tolist() == names
    frame = clone(encoder).set_output(transform="pandas").fit_transform(X)
    assert frame.columns.tolist() == names


def test_tokens_are_pooled_over_the_sequence():
    class Tokens(nn.Module):
        def forward(self, x):
            return x.flatten(2).transpose(1, 2)

    X = draw_images()
    features = FrozenEncoder(Tokens()).fit_transform(X)
    np.testing.assert_allclose(features, X.mean(axis=(2, 3)), rtol=1e-5)


def test_the_module_of_the_user_stays_as_it_is():
    X, network = draw_images(), make_backbone(3).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    encoder = FrozenEncoder(network, layer="5").fit(X)
    first = encoder.transform(X)
    # Not even a call that puts all modules into training mode reaches the copy.
    encoder.module_.train()
    np.testing.assert_array_equal(encoder.transform(X), first)
    for state in (network.state_dict(), encoder.module_.module.state_dict()):
        for name, value in before.items():
            assert torch.equal(state[name], value), name
    assert network.training
    assert all(p.requires_grad for p in network.parameters())
    assert not any(p.requires_grad for p in encoder.module_.parameters())
    assert not any(m._forward_hooks for m in encoder.module_.modules())
    with torch.no_grad():
        network[0].weight.zero_()
    np.testing.assert_array_equal(encoder.transform(X), first)


def test_same_bits_whatever_the_batch_and_after_loading():
    X = draw_images(1100)
    encoder = FrozenEncoder(make_backbone(3), layer=["2", "5"]).fit(X[:5])
    features = encoder.transform(X)
    for rows in ([7], [0, 1099, 700], range(70), range(1099, -1, -1)):
        np.testing.assert_array_equal(encoder.transform(X[list(rows)]), features[list(rows)])
    flat = FrozenEncoder(make_backbone(3), layer=["2", "5"], image_shape=(3, 12, 9))
    rows = X.reshape(len(X), -1)
    np.testing.assert_array_equal(flat.fit_transform(rows), features)
    loaded = pickle.loads(pickle.dumps(encoder))
    np.testing.assert_array_equal(loaded.transform(X), features)
    np.testing.assert_array_equal(clone(encoder).fit_transform(X), features)
    encoder.set_params(pool="max", layer="0", module=None)
    np.testing.assert_array_equal(encoder.transform(X), features)


def test_two_threads_do_not_mix_their_images():
    X = draw_images(600)
    encoder = FrozenEncoder(make_backbone(3), layer=["2", "5"]).fit(X[:5])
    parts = [X[:300], X[300:]]
    expected = [encoder.transform(part) for part in parts]
    found = [None, None]

    def transform(i):
        found[i] = encoder.transform(parts[i])

    threads = [threading.Thread(target=transform, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])


def test_the_network_of_a_fitted_detector_is_a_backbone():
    X = draw_images(shape=(12, 9))
    for detector, rows in ((ConvAutoEncoder, X), (AutoEncoder, X.reshape(len(X), -1))):
        fitted = detector(max_epochs=1, random_state=0).fit(rows)
        encoder = FrozenEncoder(fitted.net_.module_, layer="encoder").fit(rows)
        np.testing.assert_allclose(
            encoder.transform(rows), fitted.encode(rows), rtol=1e-4, atol=1e-5
        )


def test_it_feeds_a_detector():
    X = draw_images()
    detector = AutoEncoder(max_epochs=2, random_state=0)
    pipeline = make_pipeline(FrozenEncoder(make_backbone(3)), detector).fit(X)
    assert pipeline.score_samples(X).shape == (70,)


def test_bytes_are_scaled():
    X = (draw_images() * 255).astype(np.uint8)
    encoder = FrozenEncoder(make_backbone(3))
    expected = encoder.fit_transform(X.astype(np.float32) / 255)
    np.testing.assert_array_equal(encoder.fit_transform(X), expected)


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Identity()
        self.unused = nn.Identity()

    def forward(self, x):
        return self.shared(self.shared(x)).flatten(1)


class Pair(nn.Module):
    def forward(self, x):
        return x, x


@pytest.mark.parametrize(
    ("module", "layer", "message"),
    [
        (make_backbone(3), "9.weight", "no submodule of Sequential. It has: 0, 1, 2"),
        (make_backbone(3), [], "name of a submodule, or a list of names, got \\[\\]"),
        (make_backbone(3), ["1", 2], "or a list of names, got"),
        (make_backbone(3), ["1", "1"], "names a submodule twice"),
        (make_backbone(1), None, r"does not take inputs of shape \(n, 3, 12, 9\)"),
        (Twice(), "shared", "layer='shared' runs more than once"),
        (Twice(), "unused", "layer='unused' does not run"),
        (Pair(), None, "is a tuple, expected a tensor"),
    ],
)
def test_what_cannot_run_is_refused_when_it_is_fitted(module, layer, message):
    with pytest.raises(ValueError, match=message):
        FrozenEncoder(module, layer=layer).fit(draw_images())


def test_images_of_another_shape_are_refused():
    encoder = FrozenEncoder(make_backbone(3))
    with pytest.raises(NotFittedError):
        encoder.transform(draw_images())
    encoder.fit(draw_images())
    with pytest.raises(ValueError, match="was fitted on images of shape"):
        encoder.transform(draw_images(shape=(3, 9, 12)))
