"""Quick start: detection of malignant tumours after training on benign tumours.

The Wisconsin breast-cancer data come with scikit-learn. Benign tumours are normal. The
detectors are trained on benign tumours only, and score benign and malignant test tumours.

usage: python examples/quickstart.py [FOLDER]

Prints a comparison with IsolationForest and LocalOutlierFactor, and writes the figure
``quickstart.png`` and the model ``quickstart.joblib`` to FOLDER (default: the current folder).
"""

import sys
from pathlib import Path

import joblib
import matplotlib
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, f1_score, make_scorer, roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import AutoEncoder

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def benign_only(cv, X, y):
    """Yield splits with normal training rows only, as in novelty detection."""
    for train, test in cv.split(X, y):
        yield train[y[train] == 1], test


def compare(models, X_test, y_test):
    """Print how well each model separates the two classes."""
    print(f"{'':18}{'ROC AUC':>9}{'avg. prec.':>12}{'F1':>7}{'flagged':>9}")
    for name, model in models.items():
        anomaly = -model.score_samples(X_test)
        labels = model.predict(X_test)
        print(
            f"{name:18}{roc_auc_score(y_test == -1, anomaly):9.3f}"
            f"{average_precision_score(y_test == -1, anomaly):12.3f}"
            f"{f1_score(y_test, labels, pos_label=-1):7.3f}{np.sum(labels == -1):9d}"
        )


def plot_scores(model, X_test, y_test, path):
    """Draw the scores of both classes and the threshold between them."""
    scores = -model.score_samples(X_test)
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    bins = np.geomspace(scores.min(), scores.max(), 40)
    for label, name, color in ((1, "benign", "tab:blue"), (-1, "malignant", "tab:orange")):
        axes.hist(scores[y_test == label], bins, alpha=0.6, label=name, color=color)
    axes.axvline(-model[-1].offset_, color="black", linestyle="--", label="threshold")
    axes.set(
        xscale="log",
        xlabel="anomaly score (log scale)",
        ylabel="tumours",
        title="AutoEncoder, trained on benign tumours",
    )
    axes.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(folder):
    """Tune, compare, save, load and draw."""
    data = load_breast_cancer()
    X, y = data.data, np.where(data.target == 1, 1, -1)  # in the data, 1 is benign
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.4, stratify=y, random_state=0
    )

    # scikit-learn's scorer "f1" would evaluate the normal class, whose label is 1.
    outlier_f1 = make_scorer(f1_score, pos_label=-1)
    cv = StratifiedKFold(3, shuffle=True, random_state=0)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), AutoEncoder(random_state=0)),
        {
            "autoencoder__contamination": [0.01, 0.05, 0.1],
            "autoencoder__latent_dim": [8, "auto"],
        },
        scoring=outlier_f1,
        cv=list(benign_only(cv, X_train, y_train)),
        refit=False,
    ).fit(X_train, y_train)
    print(f"best of the grid: {search.best_params_}, outlier F1 {search.best_score_:.3f}\n")

    benign = X_train[y_train == 1]
    model = search.estimator.set_params(**search.best_params_).fit(benign)
    contamination = search.best_params_["autoencoder__contamination"]
    models = {
        "AutoEncoder": model,
        "IsolationForest": IsolationForest(contamination=contamination, random_state=0),
        "LocalOutlierFactor": make_pipeline(
            StandardScaler(), LocalOutlierFactor(novelty=True, contamination=contamination)
        ),
    }
    for other in list(models.values())[1:]:
        other.fit(benign)
    compare(models, X_test, y_test)

    joblib.dump(model, folder / "quickstart.joblib")
    loaded = joblib.load(folder / "quickstart.joblib")
    same = np.array_equal(loaded.score_samples(X_test), model.score_samples(X_test))
    print(f"\nsaved, loaded, same scores: {same}")

    plot_scores(model, X_test, y_test, folder / "quickstart.png")
    print(f"picture: {folder / 'quickstart.png'}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
