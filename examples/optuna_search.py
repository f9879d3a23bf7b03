"""Tune the training of an auto-encoder with Optuna, which stops poor trials early.

usage: pip install "skdeepanomaly[optuna]" && python examples/optuna_search.py

The Wisconsin breast-cancer data come with scikit-learn; benign tumours are normal. No trial
sees a label: the objective is the reconstruction error of benign tumours that were held out of
the training. The width of the code is fixed, because a wider code always has a lower error.
After each epoch Optuna compares the trial with the median of the earlier trials.

The script prints all trials, the numbers of the pruned ones, and the AUROC of the best
settings for malignant tumours. It fails if no trial was pruned.
"""

import sys

import numpy as np
import optuna
from optuna_integration import SkorchPruningCallback
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from skorch.dataset import ValidSplit

from skdeepanomaly import AutoEncoder, outlier_roc_auc_score

N_TRIALS, MAX_EPOCHS = 20, 40


class PruningCallback(SkorchPruningCallback):
    """Optuna's callback, for detectors.

    Detectors clone their callbacks, and the clone must report to the same trial.
    """

    def __sklearn_clone__(self):
        return self


def make_detector(params, **others):
    """Make a detector with the parameters of a trial."""
    return AutoEncoder(latent_dim=8, max_epochs=MAX_EPOCHS, random_state=0, **params, **others)


def load():
    """Return scaled benign tumours, and other tumours with their labels (-1: malignant)."""
    data = load_breast_cancer()
    y = np.where(data.target == 1, 1, -1)
    X, X_test, y, y_test = train_test_split(
        data.data, y, test_size=0.4, stratify=y, random_state=0
    )
    scaler = StandardScaler().fit(X[y == 1])
    return scaler.transform(X[y == 1]), scaler.transform(X_test), y_test


def main():
    """Search, print the trials, and fit the best settings."""
    X, X_test, y_test = load()

    def objective(trial):
        params = {
            "lr": trial.suggest_float("lr", 1e-5, 1e-1, log=True),
            "hidden_dims": (trial.suggest_int("width", 8, 256, log=True),),
            "optimizer__weight_decay": trial.suggest_float(
                "weight_decay", 1e-6, 1e-1, log=True
            ),
        }
        trial.set_user_attr("params", params)
        # A trial is pruned by an exception. fit raises it, in a pipeline, too.
        detector = make_detector(
            params,
            train_split=ValidSplit(0.25, random_state=0),
            callbacks=[PruningCallback(trial, "valid_loss")],
        ).fit(X)
        return detector.history_[-1, "valid_loss"]

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=0),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=4),
    )
    study.optimize(objective, n_trials=N_TRIALS)

    print(f"{'trial':>5}  {'state':8}  {'epochs':>6}  {'last loss':>9}  parameters")
    for trial in study.trials:
        losses = trial.intermediate_values
        shown = ", ".join(f"{name}={value:.3g}" for name, value in trial.params.items())
        print(
            f"{trial.number:5}  {trial.state.name.lower():8}  {len(losses):6}"
            f"  {losses[max(losses)]:9.4f}  {shown}"
        )
    pruned = [t.number for t in study.trials if t.state == optuna.trial.TrialState.PRUNED]
    if not pruned:
        sys.exit("No trial was pruned: the callback does not reach its trial.")
    n_epochs = sum(len(trial.intermediate_values) for trial in study.trials)
    print(f"\npruned: {pruned}; {n_epochs} of {N_TRIALS * MAX_EPOCHS} epochs were trained")
    print(f"best: trial {study.best_trial.number}, loss {study.best_value:.4f}")

    settings = {"default settings": {}, "best trial": study.best_trial.user_attrs["params"]}
    for name, params in settings.items():
        detector = make_detector(params).fit(X)
        area = outlier_roc_auc_score(y_test, -detector.score_samples(X_test))
        print(f"AUROC on other tumours, {name}: {area:.3f}")


if __name__ == "__main__":
    main()
