"""Rows go through a network block by block."""

import numpy as np
import pytest
import torch
from conftest import make_rows, numbered_rows

from skdeepanomaly.engine import map_in_blocks, widest_output


def test_blocks_fall_back_where_larger_ones_round_differently():
    sizes = []

    def score_rows(x):
        sizes.append(len(x))
        return x[:, 0] * (1 + 1e-6 * (len(x) > 64))

    X = numbered_rows(3000)
    np.testing.assert_array_equal(map_in_blocks(score_rows, X, "cpu"), X[:, 0])
    assert sizes.count(1024) == 1
    sizes.clear()
    map_in_blocks(lambda x: sizes.append(len(x)) or x[:, 0], X, "cpu")
    assert sizes.count(1024) == 3


@pytest.mark.parametrize(
    ("n_rows", "expected"),
    [
        (60, [64]),
        (191, [64] * 3),
        # A new size is compared with the reference of 64 rows.
        (192, [256, 64]),
        (700, [256, 64, 256, 64, 64, 64]),
        (800, [1024, 64]),
        (1024, [1024, 64]),
        (6144, [8192, 64]),
    ],
)
def test_the_last_blocks_are_filled_up(n_rows, expected):
    sizes = []

    def score_rows(x):
        sizes.append(len(x))
        return x[:, 0]

    X = numbered_rows(n_rows)
    np.testing.assert_array_equal(map_in_blocks(score_rows, X, "cpu"), X[:, 0])
    assert sizes == expected


def test_one_row_is_scored_in_the_smallest_block():
    sizes = []
    map_in_blocks(lambda x: sizes.append(len(x)) or x[:, 0], numbered_rows(1), "cpu")
    assert sizes == [64]


def test_a_row_scores_the_same_in_any_company(name, fitted):
    detector = fitted(name)
    # Enough for a block of each size, and some rows more.
    X = make_rows(9700, seed=3)
    scores = detector.score_samples(X)
    for i in (0, 1, 63, 64, 8191, 8192, 9300, 9699):
        assert detector.score_samples(X[i : i + 1])[0] == scores[i]
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_array_equal(detector.score_samples(X[order]), scores[order])
    np.testing.assert_array_equal(detector.score_samples(X[100:1500]), scores[100:1500])


def test_the_widest_output_is_that_of_any_layer():
    module = torch.nn.Sequential(
        torch.nn.Linear(6, 3),
        torch.nn.Dropout(0.5),
        torch.nn.Linear(3, 40),
        torch.nn.Linear(40, 2),
    ).train()
    assert widest_output(module, 6, "cpu") == 40
    assert module.training
    assert widest_output(torch.nn.Linear(6, 2), 6, "cpu") == 6
    module.register_forward_hook(lambda m, x, out: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        widest_output(module, 6, "cpu")
    assert module.training
    assert not module[2]._forward_hooks


def test_wide_layers_make_small_blocks():
    X = np.zeros((9000, 3), dtype=np.float32)
    for width, expected in ((None, {8192, 1024, 64}), (8192, {1024, 64}), (2**20, {64})):
        sizes = set()

        def count(x, sizes=sizes):
            sizes.add(len(x))
            return x.sum(dim=1)

        map_in_blocks(count, X, "cpu", width=width)
        assert sizes == expected
