"""Parameters that are set on a fitted detector do not change it before the next fit."""

import copy

import numpy as np
import pytest
import torch
from conftest import DETECTORS
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

# For every parameter a value that is legal, and other than those of ``make_detector``.
OTHER_VALUES = {
    "activation": "tanh",
    "alpha": 0.25,
    "anomaly_share": 0.3,
    "around_identity": False,
    "assume": "contaminated",
    "augmentation": torch.nn.Identity(),
    "background": 0.25,
    "background_scales": (1.0, 2.0),
    "background_weight": 0.5,
    "balance_weight": 2.0,
    "batch_size": 7,
    "beta": 0.1,
    "callbacks": [],
    "cell": "gru",
    "channels": (3,),
    "cluster_weight": 0.5,
    "coefficient_weight": 0.5,
    "compile": True,
    "condition_features": [0],
    "contamination": 0.3,
    "cycle_consistency": False,
    "cycle_weight": 0.5,
    "degrees_of_freedom": 3.0,
    "device": "auto",
    "diversity_weight": 0.5,
    "dropout": 0.5,
    "eps": 0.1,
    "epsilon": 0.5,
    "errors": "squared",
    "eta": 3.0,
    "feature_matching": False,
    "feature_weight": 0.9,
    "gamma": 0.5,
    "hidden_dim": 8,
    "hidden_dims": (3,),
    "image_shape": (5, 1),
    "joint": False,
    "kurtosis_power": 0.1,
    "label_smoothing": 0.2,
    "latent_dim": 3,
    "learn_masks": False,
    "learn_transformations": False,
    "likelihood": "bernoulli",
    "likelihood_weight": 0.1,
    "lower_threshold": 0.1,
    "lr": 0.5,
    "margin": 2.0,
    "mask_dim": 3,
    "mask_rate": 0.1,
    "masking_rate": 0.5,
    "max_epochs": 1,
    "max_landmarks": 3,
    "max_positions": 3,
    "max_reference_rows": 20,
    "max_samples": 0.5,
    "model": "linear",
    "module": torch.nn.Linear(5, 5),
    "n_channels": 5,
    "n_clusters": 2,
    "n_corruptions": 3,
    "n_draws": 3,
    "n_fourier_features": 4,
    "n_heads": 2,
    "n_last_steps": 1,
    "n_layers": 1,
    "n_masks": 3,
    "n_members": 2,
    "n_moved": 7,
    "n_neighbors": 3,
    "n_orders": 4,
    "n_reference_draws": 7,
    "n_starts": 3,
    "n_transformations": 3,
    "negatives": "uniform",
    "n_bins": 3,
    "n_timesteps": 20,
    "noise_scale": 2.0,
    "noise_std": 0.5,
    "nu": 0.5,
    "optimizer": torch.optim.SGD,
    "optimizer_d": torch.optim.SGD,
    "optimizer_g": torch.optim.SGD,
    "output_activation": "tanh",
    "pretrain_epochs": 0,
    "pretrain_lr": 0.5,
    "query_lr": 0.5,
    "query_steps": 5,
    "r1_weight": 1.0,
    "random_state": 7,
    "reconstruction_weight": 3.0,
    "relation_weight": 3.0,
    "residual_weight": 3.0,
    "self_expression_weight": 3.0,
    "shift": 2.0,
    "signed_affinity": False,
    "soft_boundary": True,
    "spectral_norm": True,
    "spread": 2.0,
    "standardize_errors": False,
    "stem": "gradients",
    "subspace_energy": 0.2,
    "subvector_dim": 3,
    "teacher_decay": 0.5,
    "temperature": 2.0,
    "tied": True,
    "tol": 0.5,
    "train_split": 0.5,
    "transformation": "multiplicative",
    "transformation_dim": 3,
    "trimmed_fraction": 0.2,
    "two_sided": False,
    "unlabelled_weight": 0.1,
    "update_interval": 3,
    "upper_threshold": 0.6,
    "verbose": 2,
    "warm_start": True,
    "warmup": 0.5,
    "weighted": False,
}
OTHER_SCORE_TYPES = {
    "ALAD": "l1",
    "AdversarialAutoEncoder": "discriminator",
    "ConditionalGAN": "discriminator",
    "ConvGAN": "discriminator",
    "ConvVariationalAutoEncoder": "error",
    "GAN": "discriminator",
    "VariationalAutoEncoder": "error",
}


def other_value(name, param):
    return OTHER_SCORE_TYPES[name] if param == "score_type" else OTHER_VALUES[param]


def test_the_table_names_parameters_that_exist():
    params = {param for cls in DETECTORS.values() for param in cls().get_params()}
    assert set(OTHER_VALUES) == params - {"score_type"}


def answers(detector, rows):
    return [detector.score_samples(rows), detector.predict(rows), np.array(detector.offset_)]


def test_no_parameter_changes_a_fitted_detector(name, fitted, rows):
    rows = rows[:40]
    before = answers(fitted(name), rows)
    changed = []
    for param, value in fitted(name).get_params().items():
        detector = copy.deepcopy(fitted(name))
        detector.set_params(**{param: other_value(name, param)})
        assert other_value(name, param) != value
        detector._validate_params()
        if not all(map(np.array_equal, answers(detector, rows), before)):
            changed.append(param)
    assert not changed


def test_copies_and_set_params_do_not_change_scores(name, fitted, rows):
    detector = copy.deepcopy(fitted(name))
    scores = fitted(name).score_samples(rows)
    np.testing.assert_array_equal(detector.score_samples(rows), scores)
    clone(detector)
    detector.set_params(lr=0.5, optimizer__weight_decay=1.0, max_epochs=1, batch_size=7)
    np.testing.assert_array_equal(detector.score_samples(rows), scores)
    with pytest.raises(NotFittedError):
        clone(detector).score_samples(rows)
