"""Networks for windows of series."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ForecasterState = tuple[Tensor, Any] | None

CELLS: dict[str, type[nn.LSTM] | type[nn.GRU]] = {"lstm": nn.LSTM, "gru": nn.GRU}


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
        start = self.start.expand(windows.shape[0], 1, -1)
        states, _ = self.recurrent(torch.cat([start, windows[:, :-1]], dim=1))
        predictions: Tensor = self.to_values(states)
        return predictions.flatten(1)

    def read_on(
        self, x: Tensor, state: ForecasterState = None
    ) -> tuple[Tensor, ForecasterState]:
        """Predict the steps of a series from those before them, with a state that is carried.

        Parameters
        ----------
        x : Tensor of shape (n_steps, n_channels)
            The next steps of the series, at least one.
        state : tuple or None, default=None
            What an earlier call returned; None at the start of a series.

        Returns
        -------
        predictions : Tensor of shape (n_steps, n_channels)
            Predictions.
        state : tuple
            The last step, and the state of the recurrent layer before it.
        """
        before, hidden = (self.start, None) if state is None else state
        states, hidden = self.recurrent(torch.cat([before[None], x[:-1]])[None], hidden)
        return self.to_values(states[0]), (x[-1], hidden)


class ConvForecasterNetwork(nn.Module):
    """Dilated causal convolutions that predict each step of a window from those before it.

    Parameters
    ----------
    n_features : int
        Number of values of a window.
    window_shape : tuple of two ints
        Number of steps and of channels.
    hidden_dim : int, default=32
        Channels of the convolutions.
    """

    def __init__(self, n_features: int, window_shape: tuple[int, int], hidden_dim: int = 32):
        super().__init__()
        self.window_shape = window_shape
        length, n_channels = window_shape
        # What stands before the first step.
        self.start = nn.Parameter(torch.zeros(n_channels))
        self.enter = nn.Conv1d(n_channels, hidden_dim, 1)
        self.dilations = [1]
        while 1 + 2 * sum(self.dilations) < length:
            self.dilations.append(2 * self.dilations[-1])
        self.layers = nn.ModuleList(
            nn.Conv1d(hidden_dim, hidden_dim, 3, dilation=dilation)
            for dilation in self.dilations
        )
        self.leave = nn.Conv1d(hidden_dim, n_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the prediction (n, n_features) of each step of windows (n, n_features)."""
        windows = x.reshape(-1, *self.window_shape)
        start = self.start.expand(windows.shape[0], 1, -1)
        hidden = self.enter(torch.cat([start, windows[:, :-1]], dim=1).transpose(1, 2))
        for layer, dilation in zip(self.layers, self.dilations, strict=True):
            # Zeros before the first step, so that no later one is seen.
            hidden = hidden + F.relu(layer(F.pad(hidden, (2 * dilation, 0))))
        predictions: Tensor = self.leave(hidden)
        return predictions.transpose(1, 2).flatten(1)


# In scoring, one step in so many is hidden in a pass.
N_PASSES = 4


class TransformerAutoEncoderNetwork(nn.Module):
    """A transformer that restores hidden steps of a window from the others.

    In training, steps are hidden at random, and the output is what is restored, with the mask.
    In evaluation, each step is hidden in one of a few passes.

    Parameters
    ----------
    n_features : int
        Number of values of a window.
    window_shape : tuple of two ints
        Number of steps and of channels.
    hidden_dim : int, default=32
        Width of the transformer.
    n_heads : int, default=4
        Number of attention heads.
    n_layers : int, default=2
        Number of layers.
    mask_rate : float, default=0.25
        Probability that a step is hidden in training; 0 hides none, in evaluation neither.
    """

    def __init__(
        self,
        n_features: int,
        window_shape: tuple[int, int],
        hidden_dim: int = 32,
        n_heads: int = 4,
        n_layers: int = 2,
        mask_rate: float = 0.25,
    ):
        super().__init__()
        self.window_shape, self.mask_rate = window_shape, mask_rate
        length, n_channels = window_shape
        self.enter = nn.Linear(n_channels, hidden_dim)
        self.hidden_step = nn.Parameter(torch.zeros(hidden_dim))
        self.positions = nn.Parameter(0.1 * torch.randn(length, hidden_dim))
        layer = nn.TransformerEncoderLayer(
            hidden_dim, n_heads, 2 * hidden_dim, dropout=0.0, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, n_layers, enable_nested_tensor=False)
        self.leave = nn.Linear(hidden_dim, n_channels)

    def restore(self, windows: Tensor, mask: Tensor) -> Tensor:
        """Restore windows (n, length, n_channels); the steps of mask (n, length) are hidden."""
        steps = torch.where(mask[:, :, None], self.hidden_step, self.enter(windows))
        restored: Tensor = self.leave(self.layers(steps + self.positions))
        return restored

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Return restored windows (n, n_features), in training with the mask of this shape."""
        windows = x.reshape(-1, *self.window_shape)
        length, n_channels = self.window_shape
        if self.training and self.mask_rate:
            mask = torch.rand(windows.shape[0], length, device=x.device) < self.mask_rate
            # One is hidden in any case.
            one = torch.randint(length, (windows.shape[0], 1), device=x.device)
            mask = mask.scatter(1, one, True)
            restored = self.restore(windows, mask)
            return restored.flatten(1), mask.repeat_interleave(n_channels, dim=1)
        places = torch.arange(length, device=x.device)
        if not self.mask_rate:
            return self.restore(windows, (places < 0).expand(windows.shape[0], -1)).flatten(1)
        rebuilt = torch.zeros_like(windows)
        for turn in range(min(N_PASSES, length)):
            mask = (places % N_PASSES == turn).expand(windows.shape[0], -1)
            rebuilt = torch.where(mask[:, :, None], self.restore(windows, mask), rebuilt)
        return rebuilt.flatten(1)
