"""Recurrent forecasts of a whole series, with a state that goes on from step to step."""

from collections import deque

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view

from ...engine import DetectorNet, evaluation_defaults, sigmoid
from ._losses import ForecastLoss
from ._networks import RecurrentForecasterNetwork

# A long series is read in parts of this many steps, so that memory does not grow.
PART = 4096


class CarriedStateMixin:
    """Mixin of detectors whose network can read on where it stopped.

    :class:`SlidingWindowDetector` with ``stateful=True`` calls these methods in place of
    ``score_samples``.
    """

    net_: DetectorNet

    def _series_scores(self, values: np.ndarray) -> np.ndarray:
        """Return the normality scores of the steps of a series, read from its first step.

        Parameters
        ----------
        values : ndarray of shape (n_steps, n_channels)
            The series.

        Returns
        -------
        scores : ndarray of shape (n_steps,)
            Means over the last steps that count; NaN where there are fewer.
        """
        network, criterion = self._carried_parts()
        parts, state = [], None
        with evaluation_defaults():
            for start in range(0, len(values), PART):
                x = torch.from_numpy(values[start : start + PART].astype(np.float32))
                x = x.to(self.net_.device)
                predictions, state = network.read_on(x, state)
                parts.append(criterion.step_scores(predictions, x).double().cpu().numpy())
        each = np.concatenate(parts) if parts else np.empty(0)
        n_last = criterion.n_scored // criterion.n_channels
        scores = np.full(len(each), np.nan)
        if len(each) >= n_last:
            with np.errstate(over="ignore", invalid="ignore"):
                scores[n_last - 1 :] = -sliding_window_view(each, n_last).mean(axis=1)
            scores[n_last - 1 :] = _finite(scores[n_last - 1 :])
        return scores

    def _stepper(self) -> "ForecastStepper":
        """Return what scores one step after another, with the weights as they are."""
        return ForecastStepper(*self._carried_parts())

    def _carried_parts(self) -> tuple[RecurrentForecasterNetwork, ForecastLoss]:
        network, criterion = self.net_.module_, self.net_.criterion_
        if not hasattr(network, "read_on") or not hasattr(criterion, "step_scores"):
            raise TypeError(
                f"The module {type(network).__name__} cannot carry its state: it has no method"
                " read_on(x, state). Leave module out, or fit with stateful=False."
            )
        return network, criterion


class ForecastStepper:
    """A recurrent forecaster that takes one step of a series at a time, in numpy.

    For a single step it is several times faster than torch.

    Parameters
    ----------
    network : RecurrentForecasterNetwork
        The trained network.
    criterion : ForecastLoss
        Its loss, with the distribution of residuals.
    """

    def __init__(self, network: RecurrentForecasterNetwork, criterion: ForecastLoss):
        self.renew(network, criterion)
        n_channels, width = len(self._mean), network.recurrent.hidden_size
        # The input, and behind it the state.
        self._read = np.zeros(n_channels + width, dtype=np.float32)
        self._read[:n_channels] = network.start.detach().cpu().numpy()
        self._memory = np.zeros(width, dtype=np.float32)
        self._last: deque[float] = deque(maxlen=criterion.n_scored // n_channels)

    def renew(self, network: RecurrentForecasterNetwork, criterion: ForecastLoss) -> None:
        """Take up weights that have changed; the state goes on."""
        weights = {
            name: value.detach().cpu().numpy().copy()
            for name, value in network.state_dict().items()
        }
        self._is_lstm = isinstance(network.recurrent, torch.nn.LSTM)
        # One product for the input and the state.
        self._weight = np.hstack(
            [weights["recurrent.weight_ih_l0"], weights["recurrent.weight_hh_l0"]]
        )
        self._bias_input = weights["recurrent.bias_ih_l0"]
        self._bias_state = weights["recurrent.bias_hh_l0"]
        self._bias = self._bias_input + self._bias_state
        self._to_values = weights["to_values.weight"], weights["to_values.bias"]
        self._mean = criterion.mean.cpu().numpy().copy()
        self._precision = criterion.precision.cpu().numpy().copy()

    def score(self, x: np.ndarray) -> float:
        """Return the normality score of the next step (n_channels,); NaN for the first few."""
        n_channels = len(self._mean)
        x = x.astype(np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            hidden = self._lstm() if self._is_lstm else self._gru()
            weight, bias = self._to_values
            residual = x - (weight @ hidden + bias) - self._mean
            self._last.append(float(residual @ self._precision @ residual))
        self._read[n_channels:] = hidden
        self._read[:n_channels] = x
        if len(self._last) < (self._last.maxlen or 0):
            return float("nan")
        return float(_finite(np.float64(-sum(self._last) / len(self._last))))

    def _lstm(self) -> np.ndarray:
        width = len(self._memory)
        gates = self._weight @ self._read + self._bias
        # Torch's order: input, forget, cell, output.
        opened = sigmoid(gates[: 2 * width])
        enter, keep = opened[:width], opened[width:]
        self._memory = keep * self._memory + enter * np.tanh(gates[2 * width : 3 * width])
        return sigmoid(gates[3 * width :]) * np.tanh(self._memory)

    def _gru(self) -> np.ndarray:
        width, n_channels = len(self._memory), len(self._mean)
        state = self._read[n_channels:]
        # Torch's order: reset, update, new; the reset gate meets the new one's state alone.
        opened = sigmoid(self._weight[: 2 * width] @ self._read + self._bias[: 2 * width])
        reset, update = opened[:width], opened[width:]
        new = self._weight[2 * width :]
        from_input = new[:, :n_channels] @ self._read[:n_channels]
        from_state = new[:, n_channels:] @ state + self._bias_state[2 * width :]
        candidate = np.tanh(from_input + self._bias_input[2 * width :] + reset * from_state)
        return (1 - update) * candidate + update * state


def _finite(scores):
    lowest = np.finfo(np.float64).min
    return np.nan_to_num(scores, nan=lowest, neginf=lowest, posinf=lowest)
