"""Networks that rebuild rows."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._layers import ACTIVATIONS, MLP


class TiedDecoder(nn.Module):
    """The transpose of an encoder: its weights, biases of its own.

    Parameters
    ----------
    encoder : MLP
        The weights to share.
    dims : sequence of int
        Widths from the code to the output.
    activation, dropout, output_activation
        As in :class:`MLP`.
    """

    def __init__(
        self,
        encoder: MLP,
        dims: Sequence[int],
        *,
        activation: str = "relu",
        dropout: float = 0.0,
        output_activation: str | None = None,
    ):
        super().__init__()
        # In a list, so that the shared weights are registered once, with the encoder.
        self._linears = [layer for layer in encoder if isinstance(layer, nn.Linear)][::-1]
        self.biases = nn.ParameterList(torch.zeros(dim) for dim in dims[1:])
        self.activation = ACTIVATIONS[activation]()
        self.dropout = nn.Dropout(dropout)
        self.output_activation = (
            nn.Identity() if output_activation is None else ACTIVATIONS[output_activation]()
        )

    def forward(self, z: Tensor) -> Tensor:
        """Map codes (n, latent_dim) to rows (n, n_features)."""
        for i, (linear, bias) in enumerate(zip(self._linears, self.biases, strict=True)):
            if i:
                z = self.dropout(self.activation(z))
            z = F.linear(z, linear.weight.t(), bias)
        return self.output_activation(z)


class AutoEncoderNetwork(nn.Module):
    """An encoder to a code and a decoder back.

    Parameters
    ----------
    n_features : int
        Width of the input.
    hidden_dims : sequence of int
        Widths of the encoder's hidden layers; the decoder mirrors them.
    latent_dim : int
        Width of the code.
    tied : bool, default=False
        Whether the decoder uses the transposed weights of the encoder.
    activation, dropout, output_activation
        As in :class:`MLP`; the output activation is the decoder's.
    """

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        latent_dim: int,
        *,
        activation: str = "relu",
        dropout: float = 0.0,
        tied: bool = False,
        output_activation: str | None = None,
    ):
        super().__init__()
        dims = [n_features, *hidden_dims, latent_dim]
        self.encoder = MLP(dims, activation=activation, dropout=dropout)
        if tied:
            self.decoder: nn.Module = TiedDecoder(
                self.encoder,
                dims[::-1],
                activation=activation,
                dropout=dropout,
                output_activation=output_activation,
            )
        else:
            self.decoder = MLP(
                dims[::-1],
                activation=activation,
                dropout=dropout,
                output_activation=output_activation,
            )

    def encode(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to codes (n, latent_dim)."""
        return self.encoder(x)

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct rows (n, n_features)."""
        return self.decoder(self.encode(x))
