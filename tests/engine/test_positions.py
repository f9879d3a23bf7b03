"""Rows in blocks: equal bits wherever a row stands, and states of other devices."""

import copy

import numpy as np
import pytest
import torch
from conftest import make_rows
from sklearn.base import clone
from skorch.callbacks import Callback

from skdeepanomaly import GAN, ConditionalGAN
from skdeepanomaly.engine import BLOCK_ROWS, isolated_rng, map_in_blocks


@pytest.mark.parametrize("first", [64, 1000, 8000])
def test_rounding_by_place_in_a_large_block_is_noticed(first):
    X = np.ones((2 * BLOCK_ROWS[-1], 3), dtype=np.float32)

    def function(x):
        scores = x.sum(dim=1)
        if len(scores) == BLOCK_ROWS[-1]:
            # Another rounding far down in the largest block only.
            scores[first : first + 192] += 1e-6
        return scores

    np.testing.assert_array_equal(map_in_blocks(function, X, "cpu"), np.full(len(X), 3.0))


@pytest.mark.parametrize("bias", [True, False])
def test_linear_layers_round_rows_alike_at_any_position(bias):
    rng = np.random.default_rng(0)
    for n_in in (1, 3, 5, 6, 7, 9, 10, 11, 13, 18, 27, 33, 65):
        X = np.tile(rng.normal(size=(1, n_in)).astype(np.float32), (64, 1))
        for n_out in (*range(1, 13), 16, 32):
            layer = torch.nn.Linear(n_in, n_out, bias=bias)
            for function in (layer, lambda x, f=layer: f(x[:, None].expand(-1, 2, -1))):
                mapped = map_in_blocks(function, X, "cpu")
                np.testing.assert_array_equal(mapped, np.broadcast_to(mapped[0], mapped.shape))
                with torch.no_grad():
                    expected = function(torch.from_numpy(X))
                np.testing.assert_allclose(mapped, expected, rtol=1e-4, atol=1e-5)


def test_search_follows_weights_that_training_changed_in_place(monkeypatch):
    X = make_rows(100)

    class Scores(Callback):
        def on_epoch_end(self, net, **kwargs):
            net.eval()
            net.criterion_.score_with(net.module_, torch.from_numpy(X))

    detector = GAN(
        hidden_dims=(8,), n_starts=4, query_steps=2, max_epochs=3, random_state=0, lr=0.05
    ).fit(X)
    scored = clone(detector).set_params(callbacks=[Scores()]).fit(X)
    np.testing.assert_array_equal(scored.score_samples(X), detector.score_samples(X))


def test_rows_are_float32_whatever_the_default_of_torch():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        sizes = map_in_blocks(
            lambda x: torch.full((len(x),), x.dtype.itemsize), np.ones((3, 2)), "cpu"
        )
    finally:
        torch.set_default_dtype(before)
    np.testing.assert_array_equal(sizes, [4, 4, 4])


def test_function_may_overwrite_its_rows():
    X = make_rows(100)
    before = X.copy()
    map_in_blocks(lambda x: x.zero_(), X, "cpu")
    np.testing.assert_array_equal(X, before)


def test_generator_of_an_apple_gpu_is_isolated(monkeypatch):
    """A stand-in for torch.mps: its state must be seeded inside and put back after."""
    generator = torch.Generator().manual_seed(5)
    monkeypatch.setattr(torch.mps, "get_rng_state", generator.get_state)
    monkeypatch.setattr(torch.mps, "set_rng_state", generator.set_state)
    monkeypatch.setattr(torch.mps, "manual_seed", generator.manual_seed)
    before = generator.get_state()
    draws = []
    for _ in range(2):
        with isolated_rng(3, "mps"):
            draws.append(torch.rand(4, generator=generator))
        assert torch.equal(generator.get_state(), before)
    assert torch.equal(*draws)


def test_search_copies_the_module_once(monkeypatch):
    X = make_rows(300)
    detector = ConditionalGAN(
        hidden_dims=(8,), n_starts=4, query_steps=1, max_epochs=1, random_state=0
    ).fit(X)
    scores = detector.score_samples(X)
    copied = []
    deepcopy = copy.deepcopy
    monkeypatch.setattr(
        copy, "deepcopy", lambda value, *args: copied.append(value) or deepcopy(value, *args)
    )
    detector.explain(X)
    assert copied == []
    # Other weights take another copy.
    with torch.no_grad():
        detector.net_.module_.generator[0].bias += 1
    assert not np.array_equal(detector.score_samples(X), scores)
    assert len(copied) > 0
