"""Defects in a texture, found and shown
=====================================

Defects in a woven texture, and the heat maps that show where they are.

The textures are made here: threads that cross each other, with another light and another
position in each image, and noise. Some get a scratch, a stain or a missing thread, whose pixels
are known. An auto-encoder learns textures without defects. Its heat maps are judged pixel by
pixel: the AUROC over all pixels is that of the question whether a pixel is part of a defect.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import roc_auc_score

from skdeepanomaly import ConvAutoEncoder, ReconstructionDisplay

SIZE = 32
KINDS = ("scratch", "stain", "missing thread")


def make_texture(rng, n_images):
    """Make images (n_images, SIZE, SIZE) of a weave."""
    y, x = np.mgrid[:SIZE, :SIZE]
    shift_x, shift_y, light, contrast = (
        rng.normal(0, scale, size=(n_images, 1, 1)) for scale in (0.6, 0.6, 0.03, 0.02)
    )
    threads = np.sin(2 * np.pi * (x + shift_x) / 8) * np.sin(2 * np.pi * (y + shift_y) / 8)
    noise = rng.normal(0, 0.03, size=(n_images, SIZE, SIZE))
    return 0.5 + light + (0.25 + contrast) * threads + noise


def plant_defects(rng, images):
    """Return images with a defect each, and the pixels that belong to it."""
    y, x = np.mgrid[:SIZE, :SIZE]
    images, masks = images.copy(), np.zeros(images.shape, dtype=bool)
    for i, (image, mask) in enumerate(zip(images, masks, strict=True)):
        row, column = rng.integers(8, SIZE - 8, size=2)
        across, down = x - column, y - row
        kind = KINDS[i % 3]
        if kind == "scratch":  # bright
            angle = rng.uniform(0, np.pi)
            along = across * np.cos(angle) + down * np.sin(angle)
            beside = across * np.sin(angle) - down * np.cos(angle)
            mask |= (np.abs(along) < 7) & (np.abs(beside) < 0.9)
            image[mask] += 0.35
        elif kind == "stain":  # dark
            mask |= across**2 + down**2 < 3.2**2
            image[mask] -= 0.3
        else:
            mask |= (np.abs(across) < 7) & (np.abs(down) < 2)
            image[mask] = 0.5 + rng.normal(0, 0.03, size=mask.sum())
    return images, masks


def main():
    """Train on good textures, and draw the worst defects."""
    rng = np.random.default_rng(0)
    X_train = make_texture(rng, 500)
    X_good = make_texture(rng, 60)
    X_bad, defects = plant_defects(rng, make_texture(rng, 60))
    X_test = np.concatenate([X_good, X_bad])
    is_bad = np.repeat([False, True], [len(X_good), len(X_bad)])

    _, axes = plt.subplots(1, 2, figsize=(11, 5.6), layout="constrained")
    for stem, ax in zip(("pixels", "gradients"), axes, strict=True):
        detector = ConvAutoEncoder(stem=stem, random_state=0).fit(X_train)
        image_auc = roc_auc_score(is_bad, -detector.score_samples(X_test))
        maps = detector.explain(X_bad)
        pixel_auc = roc_auc_score(defects.ravel(), maps.ravel())
        print(f"{stem}: AUROC of images {image_auc:.3f}, of pixels {pixel_auc:.3f}")
        for i, kind in enumerate(KINDS):
            kind_auc = roc_auc_score(defects[i::3].ravel(), maps[i::3].ravel())
            print(f"    pixels of images with a {kind}: {kind_auc:.3f}")
        ReconstructionDisplay.from_estimator(
            detector,
            X_bad[:5],
            ax=ax,
            name=f'stem="{stem}"\nAUROC of images {image_auc:.3f}, of pixels {pixel_auc:.3f}',
        )


if __name__ == "__main__":
    main()
