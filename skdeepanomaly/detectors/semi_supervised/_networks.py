"""Networks of detectors that learn from labels."""

from collections.abc import Sequence

from torch import Tensor, nn

from ...networks import MLP
from ..adversarial._networks import GANNetwork


class ScoringNetwork(nn.Module):
    """A multilayer perceptron from rows to one number.

    Parameters
    ----------
    n_features : int
        Width of the input.
    hidden_dims : sequence of int
        Widths of the hidden layers.
    activation : str, default="leaky_relu"
        Activation of the hidden layers, a key of ``ACTIVATIONS``.
    dropout : float, default=0.0
        Share of hidden units that is dropped in training.
    """

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        *,
        activation: str = "leaky_relu",
        dropout: float = 0.0,
    ):
        super().__init__()
        self.layers = MLP([n_features, *hidden_dims, 1], activation=activation, dropout=dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to numbers (n, 1)."""
        return self.layers(x)


class ClassifyingGANNetwork(GANNetwork):
    """Generator of rows, and discriminator of normal, abnormal and generated rows.

    The discriminator has two logits, normal and abnormal. The logit of the third class,
    generated, is fixed at zero.

    Parameters
    ----------
    n_features, hidden_dims, latent_dim, dropout
        As in :class:`GANNetwork`.
    """

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
        *,
        dropout: float = 0.0,
    ):
        super().__init__(n_features, hidden_dims, latent_dim, dropout=dropout, n_outputs=2)

    def forward(  # type: ignore[override]  # the losses of both differ, too
        self, x: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the discriminator's features (n, width) and its logits (n, 2) of rows."""
        features = self.discriminator_features(x)
        return features, self.discriminator_head(features)
