"""Several networks in a detector learn as each would alone, from rows of their own."""

import numpy as np
import pytest
import torch
from conftest import DETECTORS, SEVERAL, make_detector, make_rows
from effects import mean_over_seeds
from sklearn.metrics import roc_auc_score
from skorch.callbacks import Callback
from skorch.dataset import Dataset, ValidSplit
from torch import nn

from skdeepanomaly import (
    AdversarialAutoEncoder,
    AutoEncoder,
    DeepNeighborDistance,
    DenoisingScoreMatching,
    VariationalAutoEncoder,
)
from skdeepanomaly.detectors._members import MemberRows
from skdeepanomaly.detectors.diffusion import DiffusionTimeLoss, ScoreMatchingLoss
from skdeepanomaly.detectors.neighbors import DistanceLoss
from skdeepanomaly.detectors.reconstruction import ReconstructionLoss, VariationalLoss
from skdeepanomaly.distributed import fit_chunks
from skdeepanomaly.engine import TensorLoader, _loader
from skdeepanomaly.networks import MembersLinear

K = 3


def copy_weights(several, i, one):
    """Give a network that is alone the weights of the i-th of several."""
    sources = [layer for layer in several.modules() if isinstance(layer, MembersLinear)]
    targets = [layer for layer in one.modules() if isinstance(layer, nn.Linear)]
    with torch.no_grad():
        for source, target in zip(sources, targets, strict=True):
            target.weight.copy_(source.weight[i].T)
            target.bias.copy_(source.bias[i, 0])
        decoders = [getattr(module, "decoder", None) for module in (several, one)]
        if hasattr(decoders[0], "biases"):
            for source, target in zip(*(part.biases for part in decoders), strict=True):
                target.copy_(source[i])


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("tied", [False, True])
def test_the_score_is_the_mean_of_the_scores(name, tied):
    params = {"random_state": 0}
    if tied:
        if "tied" not in make_detector(name).get_params():
            pytest.skip("its decoder has weights of its own")
        params["tied"] = True
    X = make_rows()
    several = make_detector(name, n_members=K, **params).fit(X)
    x = torch.from_numpy(X)
    scores, terms = [], []
    for i in range(K):
        one = make_detector(name, **params).fit(X)
        copy_weights(several.net_.module_, i, one.net_.module_)
        for buffer, value in several.net_.criterion_.named_buffers():
            is_own = buffer == "variances" and value.numel()
            setattr(one.net_.criterion_, buffer, value[i] if is_own else value)
        with torch.no_grad():
            scores.append(one._score_rows(x))
            if one._is_additive():
                terms.append(one._feature_scores(x))
    scores = torch.stack(scores)
    assert scores.std(dim=0).max() > 1e-4, "the networks are alike"
    with torch.no_grad():
        torch.testing.assert_close(several._score_rows(x), scores.mean(0), rtol=1e-4, atol=1e-5)
        if terms:
            mean = torch.stack(terms).mean(0)
            found = several._feature_scores(x)
            torch.testing.assert_close(found, mean, rtol=1e-4, atol=1e-5)


class FirstWeights(Callback):
    """Keeps the weights before the first step."""

    kept = None

    def on_train_begin(self, net, **kwargs):
        """Keep them in the class, because a detector clones its callbacks."""
        type(self).kept = {n: v.clone() for n, v in net.module_.state_dict().items()}


@pytest.mark.parametrize("trimmed_fraction", [0.0, 0.3])
def test_each_learns_as_if_it_were_alone(trimmed_fraction):
    X = make_rows()
    params = {"hidden_dims": (6,), "trimmed_fraction": trimmed_fraction, "batch_size": -1}
    params |= {"optimizer": torch.optim.SGD, "lr": 0.1, "random_state": 0}
    several = AutoEncoder(n_members=K, max_epochs=5, callbacks=[FirstWeights()], **params)
    module = several.fit(X).net_.module_
    one = AutoEncoder(max_epochs=1, **params).fit(X).net_
    trained = {n: v.clone() for n, v in module.state_dict().items()}
    for i in range(K):
        module.load_state_dict(FirstWeights.kept)
        copy_weights(module, i, one.module_)
        optimizer = torch.optim.SGD(one.module_.parameters(), lr=0.1)
        for _ in range(5):
            optimizer.zero_grad()
            x = torch.from_numpy(X)
            one.criterion_(one.module_(x), x).backward()
            optimizer.step()
        learned = [v.clone() for v in one.module_.parameters()]
        module.load_state_dict(trained)
        copy_weights(module, i, one.module_)
        for found, expected in zip(one.module_.parameters(), learned, strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "params", "widths", "target"),
    [
        (ReconstructionLoss, {}, (4,), None),
        (ReconstructionLoss, {"trimmed_fraction": 0.4}, (4,), None),
        (VariationalLoss, {"trimmed_fraction": 0.4, "beta": 0.5}, (8, 2, 2), None),
        (DistanceLoss, {}, (1,), ()),
        (DiffusionTimeLoss, {}, (7,), "bins"),
        (ScoreMatchingLoss, {}, (4,), (4,)),
    ],
)
def test_the_loss_is_the_sum_of_the_losses(kind, params, widths, target):
    torch.manual_seed(0)
    x = torch.randn(20, K, 4)
    outputs = [torch.randn(20, K, width) for width in widths]
    targets = []
    if target == "bins":
        targets = [torch.randint(7, (20, K))]
    elif target is not None:
        targets = [torch.randn(20, K, *target)]

    def loss(criterion, members):
        parts = [value[:, members] for value in outputs]
        output = parts[0] if len(parts) == 1 else tuple(parts)
        return criterion(output, x[:, members], *(value[:, members] for value in targets))

    total = sum(loss(kind(**params), i) for i in range(K))
    torch.testing.assert_close(loss(kind(n_members=K, **params), slice(None)), total)


def test_each_has_a_sample_of_its_own():
    X = np.arange(40, dtype=np.float32)[:, None]
    detector = AutoEncoder(n_members=K, max_samples=25)
    rows, targets = detector._rows_of_members(X, X[:, 0])
    assert rows.shape == (25, K, 1)
    values = rows[np.arange(25)]
    assert values.shape == rows.shape
    np.testing.assert_array_equal(values[:, :, 0], targets)
    samples = [set(values[:, i, 0]) for i in range(K)]
    assert [len(sample) for sample in samples] == [25] * K
    assert len(set.union(*samples)) > 30, "the samples are alike"
    share = AutoEncoder(max_samples=0.75)._rows_of_members(X, None)[0]
    assert share.shape == (30, 1)
    assert len(np.unique(share)) == 30
    assert AutoEncoder(max_samples=1000)._rows_of_members(X, None)[0] is X


@pytest.mark.parametrize("buffer_bytes", [2**10, 2**25])
def test_a_pass_reads_each_row_of_each_network_once(monkeypatch, buffer_bytes):
    monkeypatch.setattr(_loader, "SHUFFLE_BUFFER_BYTES", buffer_bytes)
    monkeypatch.setattr(_loader, "CHUNK_BYTES", 2**7)
    X = np.arange(100, dtype=np.float32)[:, None]
    indices = np.stack([np.random.default_rng(i).permutation(100)[:90] for i in range(K)], 1)
    data = Dataset(MemberRows(X, indices), X[:, 0][indices])
    batches = list(TensorLoader(data, 8, shuffle=True))
    x, y = (torch.cat(parts) for parts in zip(*batches, strict=True))
    assert x.shape == (90, K, 1)
    torch.testing.assert_close(x[:, :, 0], y)
    np.testing.assert_array_equal(np.sort(y, axis=0), np.sort(indices, axis=0))
    assert not np.array_equal(y, indices)


@pytest.mark.parametrize("name", ["AutoEncoder", "DeepNeighborDistance"])
def test_small_samples_recognise_anomalies_among_the_training_rows(name):
    params = {"max_epochs": 60, "hidden_dims": (32,)}
    if name == "DeepNeighborDistance":
        params = {"n_moved": 2000, "max_epochs": 10}

    def ranking(seed):
        # A tenth of the rows holds few of the anomalies, which are alike.
        rng = np.random.default_rng(seed)
        odd = rng.choice([-2.0, 2.0], 6) + 0.1 * rng.normal(size=(40, 6))
        X = np.float32(np.concatenate([make_rows(500, 6, seed), odd]))
        y = np.repeat([1, -1], [500, 40])
        return [
            roc_auc_score(y, detector.fit(X).score_samples(X))
            for detector in (
                DETECTORS[name](random_state=seed, **params),
                DETECTORS[name](random_state=seed, n_members=8, max_samples=0.1, **params),
            )
        ]

    alone, several = mean_over_seeds(ranking)
    assert several > alone + 0.05


def test_codes_reconstructions_and_new_rows():
    X = make_rows()
    detector = make_detector("VariationalAutoEncoder", n_members=K, n_draws=2).fit(X)
    n_codes = detector.net_.module_.latent_dim
    assert detector.encode(X).shape == (len(X), K * n_codes)
    with torch.no_grad():
        decoded = detector.net_.module_(torch.from_numpy(X))[0]
    mean = detector.net_.criterion_.likelihood.mean(decoded).mean(dim=1)
    np.testing.assert_allclose(detector.reconstruct(X), mean, rtol=1e-4, atol=1e-5)
    for kind in (VariationalAutoEncoder, AdversarialAutoEncoder):
        drawn = kind(n_members=K, max_epochs=2, random_state=0).fit(X).sample(7, 0)
        assert drawn.shape == (7, X.shape[1])


def test_a_fitted_detector_keeps_its_networks_whatever_is_set():
    X = make_rows()
    detector = make_detector("AutoEncoder", n_members=K).fit(X)
    codes, scores = detector.encode(X), detector.score_samples(X)
    detector.set_params(n_members=1, max_samples=0.5)
    np.testing.assert_array_equal(detector.encode(X), codes)
    np.testing.assert_array_equal(detector.score_samples(X), scores)


def test_teachers_drop_rows_of_their_own_network():
    criterion = ScoreMatchingLoss(trimmed_fraction=0.5, n_members=2)
    criterion.start_teacher(nn.Identity())
    x = torch.tensor([[1.0, 40.0], [20.0, 3.0], [2.0, 4.0], [30.0, 50.0]])[:, :, None]
    noised, noise = criterion.train().draw(x)
    torch.testing.assert_close(noised - noise, x[[[0, 1], [2, 2]], [0, 1]], atol=1e-4, rtol=0)


def test_training_goes_on_and_leaves_rows_for_validation():
    X = make_rows()
    detector = AutoEncoder(
        n_members=K, max_samples=0.5, max_epochs=3, train_split=ValidSplit(3), random_state=0
    )
    detector.fit(X)
    assert np.isfinite(detector.history_[-1]["valid_loss"])
    before = detector.score_samples(X)
    detector.partial_fit(X)
    assert detector.n_epochs_ == 6
    assert not np.array_equal(before, detector.score_samples(X))
    with pytest.raises(ValueError, match="n_members"):
        detector.set_params(n_members=2).partial_fit(X)


@pytest.mark.parametrize("module", [nn.Linear(5, 5), nn.Linear])
def test_a_module_of_one_network_is_refused(module):
    for detector in (
        AutoEncoder(),
        DeepNeighborDistance(),
        DeepNeighborDistance(max_samples=0.5),
    ):
        with pytest.raises(ValueError, match=r"takes n_members.*EnsembleDetector"):
            detector.set_params(module=module, n_members=2).fit(make_rows())


def test_a_module_of_the_users_own():
    class Own(nn.Module):
        def __init__(self, n_features, n_members):
            super().__init__()
            self.layer = MembersLinear(n_members, n_features, n_features)

        def forward(self, x):
            return self.layer(x)

    detector = AutoEncoder(module=Own, n_members=2, max_epochs=2, random_state=0)
    assert np.isfinite(detector.fit(make_rows()).score_samples(make_rows())).all()


def test_chunks_are_for_all_of_them():
    X = make_rows()
    detector = make_detector("AutoEncoder", n_members=K, random_state=0)
    scores = fit_chunks(detector, [X[:80], X[80:]], n_passes=2).score_samples(X)
    assert np.isfinite(scores).all()
    assert detector.net_.module_(torch.from_numpy(X)).shape == (len(X), K, X.shape[1])


def test_wrong_numbers():
    for params in ({"n_members": 0}, {"max_samples": 1}, {"max_samples": 1.5}):
        with pytest.raises(ValueError, match=next(iter(params))):
            AutoEncoder(**params).fit(make_rows())


def test_rows_of_a_single_network_are_drawn_too():
    X = make_rows()
    scores = [
        DenoisingScoreMatching(max_epochs=2, max_samples=share, random_state=0)
        .fit(X)
        .score_samples(X)
        for share in (None, 0.5)
    ]
    assert not np.allclose(*scores)
