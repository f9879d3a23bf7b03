"""Where in the image is the defect?
=================================

A small defect is lost in features of a whole image, and found in features of its parts.

The textures are woven, each with another phase. In a defect, a disc, the weave runs in other
directions, with the same brightness and contrast. Detectors learn 60 textures without a defect.
``PatchCore`` compares each part with all parts that it has seen, ``PaDiM`` with the parts at
the same place. Two simple ways are next to them: pixels against the mean image, and distances
of whole images, by the mean features of a small network, whose weights are random here.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

from skdeepanomaly import FrozenEncoder, NeighborDistance, PaDiM, PatchCore
from skdeepanomaly.datasets import make_texture_defects

images, y, masks = make_texture_defects(120, 60, size=48, defect_size=10, random_state=0)
train, new, y, masks = images[:60], images[60:], y[60:], masks[60:]
torch.manual_seed(0)
backbone = torch.nn.Sequential(
    torch.nn.Conv2d(1, 16, 5, padding=2),
    torch.nn.ReLU(),
    torch.nn.MaxPool2d(2),
    torch.nn.Conv2d(16, 32, 3, padding=1),
    torch.nn.ReLU(),
)

# %%
# Maps say how abnormal each pixel is; all textures of a row share one scale.

patch_core = PatchCore(random_state=0).fit(train)
padim = PaDiM(random_state=0).fit(train)
whole = make_pipeline(FrozenEncoder(backbone, layer=["1", "4"]), NeighborDistance()).fit(train)
deviations = np.abs(new - train.mean(axis=0)) / train.std(axis=0)
maps = {
    "PatchCore": patch_core.anomaly_map(new),
    "PaDiM": padim.anomaly_map(new),
    "pixels against\nthe mean image": deviations,
}
scores = {
    "PatchCore": -patch_core.score_samples(new),
    "PaDiM": -padim.score_samples(new),
    "pixels against\nthe mean image": deviations.max(axis=(1, 2)),
    "whole images:\nFrozenEncoder,\nNeighborDistance": -whole.score_samples(new),
}

# %%
# PatchCore fits textures that have no fixed place. Where parts have one, as on photographs of a
# product from the same side, PaDiM needs less memory.

figure = plt.figure(figsize=(12, 5), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=[2, 1])
panels = left.subplots(4, 6)
shown = np.flatnonzero(y == -1)[:6]
for row, name in zip(panels, ("image, and truth", *maps), strict=True):
    for panel, i in zip(row, shown, strict=True):
        if name in maps:
            top = np.quantile(maps[name], 0.999)
            panel.imshow(maps[name][i], cmap="magma", vmin=np.median(maps[name]), vmax=top)
        else:
            panel.imshow(new[i], cmap="gray")
            panel.contour(masks[i], levels=[0.5], colors="white", linewidths=1.5)
        panel.set(xticks=[], yticks=[])
    row[0].set_ylabel(name, rotation=0, ha="right", va="center")

bars = right.subplots()
places = np.arange(len(scores))[::-1]
for place, (name, values) in zip(places, scores.items(), strict=True):
    of_images = roc_auc_score(y == -1, values)
    bars.barh(place + 0.2, of_images, height=0.36, color="tab:blue")
    if name in maps:
        of_pixels = roc_auc_score(masks.ravel(), maps[name].ravel())
        bars.barh(place - 0.2, of_pixels, height=0.36, color="navajowhite")
bars.barh([0], [0], color="tab:blue", label="images")
bars.barh([0], [0], color="navajowhite", label="pixels")
bars.axvline(0.5, color="black", ls=":", label="chance")
bars.set_yticks(places, scores)
bars.set(xlim=(0, 1), xlabel="AUROC")
right.legend(*bars.get_legend_handles_labels(), loc="outside upper center", ncols=3)
