"""Data sets that are generated, with anomalies whose places are known."""

import numpy as np
from sklearn.utils import check_random_state


def make_texture_defects(
    n_samples=100, n_defective=20, *, size=64, defect_size=12, noise=0.05, random_state=None
):
    """Generate images of a woven texture, some of them with a defect.

    The texture is the sum of two waves that cross, each with a random phase, and noise. In a
    defect, a disc at a random place, the weave runs in other directions. Its brightness and
    contrast are those of the texture around it.

    Parameters
    ----------
    n_samples : int, default=100
        Number of images without a defect.
    n_defective : int, default=20
        Number of images with one defect.
    size : int, default=64
        Height and width of the images.
    defect_size : int, default=12
        Diameter of the defects in pixels, at most ``size``.
    noise : float, default=0.05
        Standard deviation of the noise of each pixel.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X : ndarray of shape (n_samples + n_defective, size, size), float32
        Images with values of about 0 to 1; those with a defect come last.
    y : ndarray of shape (n_samples + n_defective,), int
        -1 for images with a defect, +1 for others.
    masks : ndarray of shape (n_samples + n_defective, size, size), bool
        Whether a pixel belongs to a defect.

    Raises
    ------
    ValueError
        If ``defect_size`` is larger than ``size``, or less than 1.
    """
    if not 1 <= defect_size <= size:
        raise ValueError(
            f"defect_size must be at least 1 and at most size={size}, got {defect_size}."
        )
    rng = check_random_state(random_state)
    n_images = n_samples + n_defective
    rows, columns = np.mgrid[:size, :size]

    def weave(angle):
        across = np.cos(angle) * columns + np.sin(angle) * rows
        down = np.cos(angle) * rows - np.sin(angle) * columns
        phases = rng.uniform(0, 2 * np.pi, size=(2, n_images, 1, 1))
        frequency = 2 * np.pi / 7
        waves = np.sin(frequency * across + phases[0]) + np.sin(frequency * down + phases[1])
        return 0.5 + 0.15 * waves

    radius = defect_size / 2
    centers = rng.uniform(radius - 0.5, size - radius - 0.5, size=(2, n_images, 1, 1))
    y = np.repeat([1, -1], [n_samples, n_defective])
    masks = (rows - centers[0]) ** 2 + (columns - centers[1]) ** 2 <= radius**2
    masks &= (y == -1)[:, None, None]
    X = np.where(masks, weave(np.pi / 4), weave(0.0))
    X += noise * rng.standard_normal(X.shape)
    return X.astype(np.float32), y, masks
