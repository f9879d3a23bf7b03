"""Few labels: what do 5, 20 and 50 known anomalies bring?
=======================================================

Known anomalies help to find more of their kind, and may hide what nobody has seen yet.

Scans of digits come with scikit-learn; those of 0 to 7 are normal. Nines are an anomaly of
which some are known. Eights are another one, of which nobody knows. The grey line is a search
for the nearest training rows, which sees no labels.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from skdeepanomaly import (
    DeepSAD,
    DevNet,
    NeighborDistance,
    SemiSupervisedGAN,
    outlier_average_precision_score,
)

digits, kind = load_digits(return_X_y=True)
rng = np.random.default_rng(0)
order = rng.permutation(len(digits))
digits, kind = digits[order], kind[order]
normal, known, unknown = digits[kind < 8], digits[kind == 9], digits[kind == 8]
prepare = PCA(20, whiten=True, random_state=0).fit(normal[:400])
normal, known, unknown = (prepare.transform(part) for part in (normal, known, unknown))
tests = {
    "nines, some of which are labelled": known[50:],
    "eights, none of which is labelled": unknown,
}

# %%
# Labels are -1 for known anomalies and 0 for rows that nobody has judged.

detectors = {
    "SemiSupervisedGAN": SemiSupervisedGAN(batch_size=64, max_epochs=20, random_state=0),
    "DeepSAD": DeepSAD(pretrain_epochs=20, max_epochs=40, random_state=0),
    "DevNet": DevNet(max_epochs=50, random_state=0),
}
n_labels = [5, 20, 50]


def precisions(scores_of):
    results = []
    for abnormal in tests.values():
        X = np.concatenate([normal[400:800], abnormal])
        y = np.repeat([1, -1], [400, len(abnormal)])
        results.append(outlier_average_precision_score(y, scores_of(X)))
    return results


curves = {name: [] for name in detectors}
curves["LogisticRegression"] = []
for n in n_labels:
    X = np.concatenate([normal[:400], known[:n]])
    y = np.repeat([0, -1], [400, n])
    for name, detector in detectors.items():
        detector.fit(X, y)
        curves[name].append(precisions(lambda X, d=detector: -d.score_samples(X)))
    classifier = LogisticRegression(class_weight="balanced").fit(X, y == -1)
    curves["LogisticRegression"].append(precisions(classifier.decision_function))
search = NeighborDistance().fit(normal[:400])
without = precisions(lambda X: -search.score_samples(X))

# %%
# A handful of labels brings most of what there is to gain for nines, and a plain logistic
# regression makes about as much of them as a network. For eights no detector with labels is as
# good as the search without: use both, where new kinds of anomalies may come.

figure, axes = plt.subplots(1, 2, figsize=(10, 4.4), sharey=True, layout="constrained")
styles = dict(zip(curves, ["o-", "s-", "D--", "^:"], strict=True))
for i, (ax, title) in enumerate(zip(axes, tests, strict=True)):
    for name, values in curves.items():
        ax.plot(n_labels, np.array(values)[:, i], styles[name], label=name)
    ax.axhline(without[i], color="0.6", lw=3, zorder=0, label="NeighborDistance, no labels")
    ax.set(title=title, xscale="log", ylim=(0, 1.02), xlabel="known anomalies in the training")
    ax.set_xticks(n_labels, n_labels)
    ax.minorticks_off()
axes[0].set_ylabel("average precision")
figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=5)
