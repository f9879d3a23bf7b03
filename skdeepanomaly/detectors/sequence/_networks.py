"""Recurrent networks for windows of series."""

import torch
from torch import Tensor, nn

CELLS: dict[str, type[nn.RNNBase]] = {"lstm": nn.LSTM, "gru": nn.GRU}


class RecurrentAutoEncoderNetwork(nn.Module):
    """A recurrent encoder whose last state is the code, and a recurrent decoder.

    The decoder gets the code at each step, and rebuilds the window from its last step to its
    first, as the encoder remembers the end best.

    Parameters
    ----------
    n_features : int
        Number of values of a window.
    window_shape : tuple of two ints
        Number of steps and of channels.
    cell : {"lstm", "gru"}, default="lstm"
        Kind of the recurrent layers.
    hidden_dim : int, default=64
        Width of the recurrent layers.
    latent_dim : int, default=16
        Width of the code.
    """

    def __init__(
        self,
        n_features: int,
        window_shape: tuple[int, int],
        cell: str = "lstm",
        hidden_dim: int = 64,
        latent_dim: int = 16,
    ):
        super().__init__()
        self.window_shape = window_shape
        n_channels = window_shape[1]
        self.encoder = CELLS[cell](n_channels, hidden_dim, batch_first=True)
        self.to_code = nn.Linear(hidden_dim, latent_dim)
        self.decoder = CELLS[cell](latent_dim, hidden_dim, batch_first=True)
        self.to_values = nn.Linear(hidden_dim, n_channels)

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes (n, latent_dim) of windows (n, n_features)."""
        states, _ = self.encoder(x.reshape(-1, *self.window_shape))
        code: Tensor = self.to_code(states[:, -1])
        return code

    def forward(self, x: Tensor) -> Tensor:
        """Return windows (n, n_features) as they are rebuilt."""
        code = self.encode(x)
        states, _ = self.decoder(code[:, None].expand(-1, self.window_shape[0], -1))
        return self.to_values(states).flip(1).flatten(1)


class RecurrentForecasterNetwork(nn.Module):
    """A recurrent network that predicts each step of a window from those before it.

    Parameters
    ----------
    n_features : int
        Number of values of a window.
    window_shape : tuple of two ints
        Number of steps and of channels.
    cell : {"lstm", "gru"}, default="lstm"
        Kind of the recurrent layer.
    hidden_dim : int, default=64
        Width of the recurrent layer.
    """

    def __init__(
        self,
        n_features: int,
        window_shape: tuple[int, int],
        cell: str = "lstm",
        hidden_dim: int = 64,
    ):
        super().__init__()
        self.window_shape = window_shape
        n_channels = window_shape[1]
        # What stands before the first step.
        self.start = nn.Parameter(torch.zeros(n_channels))
        self.recurrent = CELLS[cell](n_channels, hidden_dim, batch_first=True)
        self.to_values = nn.Linear(hidden_dim, n_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return the prediction (n, n_features) of each step of windows (n, n_features)."""
        windows = x.reshape(-1, *self.window_shape)
        start = self.start.expand(len(windows), 1, -1)
        states, _ = self.recurrent(torch.cat([start, windows[:, :-1]], dim=1))
        predictions: Tensor = self.to_values(states)
        return predictions.flatten(1)
