import pytest
import torch

from skdeepanomaly.detectors.adversarial import BiGANLoss, BiGANNetwork
from skdeepanomaly.detectors.one_class import DeepSVDDLoss
from skdeepanomaly.detectors.reconstruction import ReconstructionLoss


def test_reconstruction_loss_is_the_mean_of_its_scores():
    output, x = torch.randn(2, 7, 3)
    criterion = ReconstructionLoss()
    scores = criterion.feature_scores(output, x).sum(dim=1)
    torch.testing.assert_close(scores, (output - x).square().mean(dim=1))
    torch.testing.assert_close(criterion(output, x), scores.mean())


def test_variances_weigh_the_scores_but_not_the_loss():
    output, x = torch.randn(2, 7, 3)
    criterion = ReconstructionLoss()
    loss = criterion(output, x)
    criterion.variances = torch.tensor([1.0, 4.0, 0.25])
    expected = (output - x).square() / criterion.variances / 3
    torch.testing.assert_close(criterion.feature_scores(output, x), expected)
    assert criterion(output, x) == loss


def test_reconstruction_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"\(7, 1\) for an input of shape \(7, 3\)"):
        ReconstructionLoss()(torch.ones(7, 1), torch.ones(7, 3))


def make_svdd_loss(**params):
    criterion = DeepSVDDLoss(**params)
    criterion.center = torch.tensor([1.0, -1.0])
    return criterion


def test_hard_boundary_is_the_mean_squared_distance():
    codes = torch.randn(50, 2)
    criterion = make_svdd_loss()
    expected = (codes - criterion.center).square().sum(dim=1)
    torch.testing.assert_close(criterion.score_rows(codes, codes), expected)
    torch.testing.assert_close(criterion(codes, codes), expected.mean())


@pytest.mark.parametrize("nu", [0.05, 0.3])
def test_soft_boundary_leaves_nu_outside(nu):
    codes = torch.randn(400, 2)
    criterion = make_svdd_loss(soft_boundary=True, nu=nu)
    criterion.radius.fill_(1.0)
    distances = criterion.distances(codes)
    expected = 1 + torch.relu(distances - 1).mean() / nu
    criterion.eval()
    torch.testing.assert_close(criterion(codes, codes), expected)
    assert criterion.radius == 1
    criterion.train()
    torch.testing.assert_close(criterion(codes, codes), expected)
    outside = (criterion.score_rows(codes, codes) > 0).float().mean()
    assert outside == pytest.approx(nu, abs=0.005)


def test_bigan_losses_pull_the_discriminator_in_opposite_directions():
    torch.manual_seed(0)
    network, x = BiGANNetwork(4, (8,), 2), torch.randn(16, 4)
    criterion = BiGANLoss(cycle_weight=0.0)
    head = network.discriminator_head.weight
    with torch.no_grad():
        # Undecided about all pairs: both losses then have the same weights for all of them.
        head.zero_()
    gradients = []
    for loss in (criterion.discriminator_loss, criterion.generator_loss):
        torch.manual_seed(1)
        (gradient,) = torch.autograd.grad(loss(network, x), head)
        gradients.append(gradient.flatten())
    assert torch.cosine_similarity(*gradients, dim=0) < -0.99


def test_discriminator_loss_does_not_reach_the_other_player():
    network, x = BiGANNetwork(4, (8,), 2), torch.randn(16, 4)
    BiGANLoss().discriminator_loss(network, x).backward()
    assert network.encoder[0].weight.grad is None
    assert network.discriminator_head.weight.grad is not None


def test_alpha_mixes_both_errors():
    x = torch.randn(5, 3)
    output = (torch.randn(5, 3), torch.randn(5, 8), torch.randn(5, 8))
    reconstruction = BiGANLoss(alpha=1.0).score_rows(output, x)
    features = BiGANLoss(alpha=0.0).score_rows(output, x)
    torch.testing.assert_close(reconstruction, (x - output[0]).abs().sum(dim=1))
    torch.testing.assert_close(features, (output[1] - output[2]).abs().sum(dim=1))
    torch.testing.assert_close(
        BiGANLoss(alpha=0.3).score_rows(output, x), 0.3 * reconstruction + 0.7 * features
    )
