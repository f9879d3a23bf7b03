"""Losses of games between networks."""

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._reconstruction import check_reconstruction


class BidirectionalGAN(Protocol):
    """What the losses of a bidirectional GAN call on a module."""

    latent_dim: int

    def encode(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to codes (n, latent_dim)."""

    def generate(self, z: Tensor) -> Tensor:
        """Map codes (n, latent_dim) to rows (n, n_features)."""

    def discriminate(self, x: Tensor, z: Tensor) -> Tensor:
        """Return the logits (n, 1) that pairs come from the encoder."""


class BiGANLoss(nn.Module):
    """The game of encoder and generator against a joint discriminator.

    Parameters
    ----------
    cycle_weight : float, default=1.0
        Weight of the squared reconstruction error in the loss of encoder and generator.
    alpha : float, default=0.9
        Weight of the reconstruction error in the score; the rest is the error in the
        discriminator's features.
    """

    # What a module must offer beside ``forward``.
    module_interface = ("latent_dim", "encode", "generate", "discriminate")

    def __init__(self, *, cycle_weight: float = 1.0, alpha: float = 0.9):
        super().__init__()
        self.cycle_weight = cycle_weight
        self.alpha = alpha

    def _draw_codes(self, module: BidirectionalGAN, x: Tensor) -> Tensor:
        return torch.randn(len(x), module.latent_dim, device=x.device)

    def discriminator_loss(self, module: BidirectionalGAN, x: Tensor) -> Tensor:
        """Return the cross-entropy of telling encoded rows from generated ones."""
        z = self._draw_codes(module, x)
        with torch.no_grad():
            codes, fakes = module.encode(x), module.generate(z)
        real, fake = module.discriminate(x, codes), module.discriminate(fakes, z)
        return F.softplus(-real).mean() + F.softplus(fake).mean()

    def generator_loss(self, module: BidirectionalGAN, x: Tensor) -> Tensor:
        """Return the non-saturating loss of encoder and generator."""
        z = self._draw_codes(module, x)
        codes, fakes = module.encode(x), module.generate(z)
        check_reconstruction(fakes, x)
        real, fake = module.discriminate(x, codes), module.discriminate(fakes, z)
        loss = F.softplus(real).mean() + F.softplus(-fake).mean()
        if self.cycle_weight:
            loss = loss + self.cycle_weight * (module.generate(codes) - x).square().mean()
        return loss

    def score_rows(self, output: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the mix of both errors, each a sum of absolute values, shape (n,)."""
        if not isinstance(output, tuple) or len(output) != 3:
            raise ValueError(
                f"The module returned a {type(output).__name__}; expected a tuple of"
                " reconstructions and the discriminator's features of both kinds of pairs."
            )
        reconstruction, real, fake = output
        check_reconstruction(reconstruction, x)
        residual = (x - reconstruction).abs().sum(dim=1)
        return self.alpha * residual + (1 - self.alpha) * (real - fake).abs().sum(dim=1)
