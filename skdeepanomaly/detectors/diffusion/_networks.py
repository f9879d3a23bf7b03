"""Networks that tell how much noise a row has, or what the noise is."""

from collections.abc import Sequence

from torch import Tensor, nn

from ...networks import MLP, linear_layer


class NoiseNetwork(nn.Module):
    """A multilayer perceptron from noised rows to what is asked of their noise.

    Parameters
    ----------
    n_features : int
        Width of the input.
    hidden_dims : sequence of int
        Widths of the hidden layers.
    n_outputs : int or None, default=None
        Width of the output; None is ``n_features``.
    activation : str, default="silu"
        Activation of the hidden layers, a key of ``ACTIVATIONS``.
    dropout : float, default=0.0
        Share of hidden units that is dropped in training.
    n_members : int, default=1
        Number of networks that train together; several have outputs (n, n_members, n_outputs).
    """

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        *,
        n_outputs: int | None = None,
        activation: str = "silu",
        dropout: float = 0.0,
        n_members: int = 1,
    ):
        super().__init__()
        self.layers = MLP(
            [n_features, *hidden_dims, n_outputs or n_features],
            activation=activation,
            dropout=dropout,
            linear=linear_layer(n_members),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to outputs (n, n_outputs)."""
        return self.layers(x)
