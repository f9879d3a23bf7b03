"""Can a parameter be chosen without labels?
=========================================

Criteria that need no labels choose a number of neighbours, on clean and on contaminated rows.

Scans of the digits 0 to 4 come with scikit-learn and are normal. At the right 20 sevens are
among the 270 training rows. The curves show the AUROC of new rows, which only labels tell.
``UnsupervisedSearch`` looks at training rows only.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from skdeepanomaly import NeighborDistance, UnsupervisedSearch, outlier_roc_auc_score

digits, kind = load_digits(return_X_y=True)
rng = np.random.default_rng(0)
normal, sevens = rng.permutation(digits[kind <= 4]), rng.permutation(digits[kind == 7])
training = {
    "clean training rows": normal[:250],
    "20 sevens among the training rows": np.concatenate([normal[:250], sevens[:20]]),
}
new = np.concatenate([normal[250:], sevens[20:]])
y_new = np.repeat([1, -1], [len(normal) - 250, len(sevens) - 20])
n_neighbors = [1, 3, 10, 30, 100]
criteria = ["excess_mass", "mass_volume", "npd", "stability"]


# %%
# Dark cells are what a criterion likes. On clean rows few neighbours are best here, and all
# criteria but ``"stability"`` like them. Among the contaminated rows sevens are neighbours of
# each other, so that more neighbours than there are sevens are best, and only ``"stability"``
# likes them. No criterion tells whether the training rows are clean: that has to be known.

figure, axes = plt.subplots(
    2,
    2,
    figsize=(10, 5.6),
    sharex=True,
    sharey="row",
    height_ratios=[3, 2],
    layout="constrained",
)
for (top, bottom), (title, X) in zip(axes.T, training.items(), strict=True):
    prepare = PCA(5, whiten=True, random_state=0).fit(X)
    Z, Z_new = prepare.transform(X), prepare.transform(new)
    truth = []
    for n in n_neighbors:
        scores = NeighborDistance(n_neighbors=n).fit(Z).score_samples(Z_new)
        truth.append(outlier_roc_auc_score(y_new, -scores))
    top.plot(truth, "o-", color="black")
    top.set(title=title)
    table = []
    for row, criterion in enumerate(criteria):
        grid = {"n_neighbors": n_neighbors}
        search = UnsupervisedSearch(
            NeighborDistance(), grid, criterion=criterion, cv=2, random_state=0
        ).fit(Z)
        values = search.cv_results_["mean_test_score"]
        table.append((values - values.min()) / np.ptp(values))
        bottom.plot(search.best_index_, row, "*", color="white", mec="black", ms=16)
    bottom.imshow(table, cmap="Blues", vmax=1.3, aspect="auto")
    bottom.set_xticks(range(len(n_neighbors)), n_neighbors)
    bottom.set_yticks(range(len(criteria)), criteria)
    bottom.set_xlabel("n_neighbors (star: choice)")
axes[0, 0].set_ylabel("AUROC of new rows")
