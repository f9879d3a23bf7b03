"""Which score of a GAN ranks best?
================================

A GAN can score a row in several ways, and the best known one is the worst.

Each detector learns normal rows of two tables of scikit-learn: benign tumours, and scans of the
digit 8 by their first ten principal components. New rows are normal ones, malignant tumours and
other digits. The grey line is a search for the nearest training rows, which needs no network.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import (
    ALAD,
    GAN,
    AdversarialAutoEncoder,
    BiGAN,
    NeighborDistance,
    outlier_roc_auc_score,
)

tables = {
    "malignant tumours": (*load_breast_cancer(return_X_y=True), 1),
    "digits that are no 8": (*load_digits(return_X_y=True), 8),
}
detectors = {
    "GAN: discriminator,\nas in many tutorials": GAN(
        score_type="discriminator", background=0.0
    ),
    "GAN: discriminator,\ntrained with background": GAN(score_type="discriminator"),
    "GAN: distance to\nthe best generated row": GAN(score_type="query"),
    "GAN: both (default)": GAN(),
    "BiGAN: row after encoder\nand generator": BiGAN(),
    "ALAD: the same,\nseen by a discriminator": ALAD(),
    "AdversarialAutoEncoder:\nreconstruction": AdversarialAutoEncoder(),
}


def rank(detector, X_train, X_test, y_test):
    scores = detector.fit(X_train).score_samples(X_test)
    return outlier_roc_auc_score(y_test, -scores)


# %%
# The discriminator, as many tutorials use it, is the worst of all scores: it knows the border
# between real and generated rows, and nothing of the space around. Distances to what the
# networks can make rank better. Few come near the search, which takes no training.

figure, axes = plt.subplots(1, 2, figsize=(11, 4.6), sharey=True, layout="constrained")
places = np.arange(len(detectors))[::-1]
for ax, (title, (X, y, normal)) in zip(axes, tables.items(), strict=True):
    X_train, X_new = train_test_split(X[y == normal], test_size=0.4, random_state=0)
    prepare = make_pipeline(StandardScaler(), PCA(10, whiten=True, random_state=0)).fit(X_train)
    X_test = prepare.transform(np.concatenate([X_new, X[y != normal]]))
    y_test = np.repeat([1, -1], [len(X_new), np.sum(y != normal)])
    data = prepare.transform(X_train), X_test, y_test

    areas = [
        rank(detector.set_params(max_epochs=40, random_state=0), *data)
        for detector in detectors.values()
    ]
    ax.barh(places, areas, color="lightsteelblue", height=0.6)
    for place, area in zip(places, areas, strict=True):
        ax.text(0.02, place, f"{area:.2f}", va="center")
    ax.axvline(rank(NeighborDistance(), *data), color="0.5", lw=2, label="NeighborDistance")
    ax.axvline(0.5, color="black", ls=":", label="chance")
    ax.set(title=title, xlim=(0, 1), xlabel="AUROC")
    ax.set_yticks(places, detectors)
figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2)
