"""Generated data sets."""

import numpy as np
import pytest

from skdeepanomaly.datasets import make_texture_defects


def test_textures_have_defects_where_the_masks_say():
    X, y, masks = make_texture_defects(30, 10, size=40, noise=0.0, random_state=0)
    assert X.shape == masks.shape == (40, 40, 40)
    assert X.dtype == np.float32
    np.testing.assert_array_equal(y, np.repeat([1, -1], [30, 10]))
    np.testing.assert_array_equal(masks.any(axis=(1, 2)), y == -1)
    # A disc of 12 pixels that lies inside of the image.
    assert np.all(np.abs(masks[30:].sum(axis=(1, 2)) - np.pi * 36) < 12)
    # Neither brightness nor contrast betrays a defect.
    assert X[masks].mean() == pytest.approx(X[~masks].mean(), abs=0.02)
    assert X[masks].std() == pytest.approx(X[~masks].std(), rel=0.1)


def test_textures_follow_their_seed():
    first, again, other = (make_texture_defects(3, 2, random_state=s)[0] for s in (0, 0, 1))
    np.testing.assert_array_equal(again, first)
    assert not np.array_equal(other, first)


@pytest.mark.parametrize("defect_size", [0, 41])
def test_defects_that_do_not_fit_are_refused(defect_size):
    with pytest.raises(ValueError, match=f"at most size=40, got {defect_size}"):
        make_texture_defects(size=40, defect_size=defect_size)
