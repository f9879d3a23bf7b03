import numpy as np
import torch
from conftest import make_rows
from detectors.effects import mean_energy_distance, mean_over_seeds

from skdeepanomaly import AdversarialAutoEncoder


def test_adversarial_training_gives_codes_and_samples_their_distribution():
    def distances(seed):
        X = make_rows(256, seed=seed)
        drawn = np.random.default_rng(seed).normal(size=(256, 2))
        found = []
        for params in ({"optimizer_g__lr": 0.0}, {}):
            detector = AdversarialAutoEncoder(
                hidden_dims=(32,), latent_dim=2, max_epochs=60, batch_size=64, lr=5e-3, **params
            )
            detector.set_params(random_state=seed).fit(X)
            found.append(mean_energy_distance(detector.encode(X), drawn))
            found.append(mean_energy_distance(detector.sample(256, random_state=seed), X))
        return found

    codes_without, rows_without, codes, rows = mean_over_seeds(distances)
    assert codes < 0.7 * codes_without
    assert rows < 0.8 * rows_without


def test_scores_are_what_they_are_called():
    X = make_rows(100)
    by_score = {}
    for score in ("reconstruction", "discriminator", "both"):
        detector = AdversarialAutoEncoder(score_type=score, max_epochs=3, random_state=0)
        by_score[score] = detector.fit(X).score_samples(X)
    errors = (detector.reconstruct(X) - X) ** 2
    reconstruction = -(errors / (errors.mean(axis=0) + 1e-4)).mean(axis=1)
    np.testing.assert_allclose(by_score["reconstruction"], reconstruction, rtol=1e-4)
    with torch.no_grad():
        logits = detector.net_.module_.discriminate(torch.from_numpy(detector.encode(X)))
    discriminator = torch.nn.functional.logsigmoid(logits)[:, 0].numpy()
    np.testing.assert_allclose(by_score["discriminator"], discriminator, rtol=1e-4)
    both = -(reconstruction / reconstruction.mean() + discriminator / discriminator.mean())
    np.testing.assert_allclose(by_score["both"], both, rtol=1e-4)


def test_three_optimisers_train_three_sets_of_weights():
    X = make_rows(100)
    rates = {"optimizer__lr": 0.0, "optimizer_d__lr": 0.0, "optimizer_g__lr": 0.0}
    trains = {
        "optimizer__lr": {"encoder", "decoder"},
        "optimizer_d__lr": {"discriminator_body", "discriminator_head"},
        "optimizer_g__lr": {"encoder"},
    }
    detector = AdversarialAutoEncoder(max_epochs=1, random_state=0, **rates).fit(X)
    before = detector.net_.module_.state_dict()
    for rate, parts in trains.items():
        moved = AdversarialAutoEncoder(max_epochs=1, random_state=0, **{**rates, rate: 1e-3})
        after = moved.fit(X).net_.module_.state_dict()
        changed = {
            name.partition(".")[0] for name in before if (before[name] != after[name]).any()
        }
        assert changed == parts, rate
    assert {"train_loss", "discriminator_loss", "regularization_loss"} <= set(
        detector.history_[0]
    )


def test_optimisers_may_be_of_different_kinds():
    detector = AdversarialAutoEncoder(
        optimizer_d=torch.optim.SGD,
        optimizer_d__momentum=0.1,
        optimizer_g=torch.optim.RMSprop,
        max_epochs=1,
    ).fit(make_rows(20))
    assert detector.net_.optimizer_d_.param_groups[0]["momentum"] == 0.1
    assert isinstance(detector.net_.optimizer_g_, torch.optim.RMSprop)
