"""Networks that find clusters of codes."""

from torch import Tensor

from ._reconstruction import AutoEncoderNetwork


class ClusteringAutoEncoder(AutoEncoderNetwork):
    """An auto-encoder that also gives the codes, for losses on both.

    Parameters
    ----------
    n_features, hidden_dims, latent_dim, activation, dropout
        As in :class:`AutoEncoderNetwork`.
    """

    def decode(self, z: Tensor) -> Tensor:
        """Map codes (n, latent_dim) to rows (n, n_features)."""
        return self.decoder(z)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Return the codes and the reconstructions of rows (n, n_features)."""
        codes = self.encode(x)
        return codes, self.decoder(codes)
