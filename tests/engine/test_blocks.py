"""Rows go through a network block by block."""

import numpy as np
from conftest import make_rows, numbered_rows

from skdeepanomaly.engine import map_in_blocks


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
    assert sizes.count(1024) == 2


def test_one_row_is_scored_in_the_smallest_block():
    sizes = []
    map_in_blocks(lambda x: sizes.append(len(x)) or x[:, 0], numbered_rows(1), "cpu")
    assert sizes == [64]


def test_a_row_scores_the_same_in_any_company(name, fitted):
    detector = fitted(name)
    # Enough for a block of each size, and some rows more.
    X = make_rows(9300, seed=3)
    scores = detector.score_samples(X)
    for i in (0, 1, 63, 64, 8191, 8192, 9299):
        assert detector.score_samples(X[i : i + 1])[0] == scores[i]
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_array_equal(detector.score_samples(X[order]), scores[order])
    np.testing.assert_array_equal(detector.score_samples(X[100:1500]), scores[100:1500])
