"""Networks that predict each feature of a row from the other features."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...networks import ACTIVATIONS, MLP, PackedLinear, is_exporting, rowwise_product

# Largest numbers of rows and of passes that are evaluated at once. In evaluation each feature
# needs its own pass through the network, so all at once would need too much memory.
ROWS_AT_ONCE = 256
PASSES_AT_ONCE = 16
# Largest number of passes for a row. With more features, a pass hides several of them: one pass
# each would make the time grow with the square of their number.
MAX_PASSES = 128


class FeaturePredictor(nn.Module):
    """Base of networks that predict each feature of a row from the other features.

    In evaluation rows are predicted in groups of at most 256. The memory that is needed does
    not grow with the number of rows.
    """

    def predict(self, x: Tensor) -> Tensor:
        """Predict each feature of rows (n, n_features) from the others."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Predict rows (n, n_features); in evaluation group by group."""
        # An exported graph is for any number of rows.
        if self.training or is_exporting() or x.shape[0] <= ROWS_AT_ONCE:
            return self.predict(x)
        return torch.cat([self.predict(part) for part in torch.split(x, ROWS_AT_ONCE)])


class AdditivePredictor(FeaturePredictor):
    """A neural additive model that predicts each feature from all other features.

    Each input feature has its own small network. The outputs of this network are the basis
    functions of the feature; all targets share them. The prediction of a target is a weighted
    sum of the basis functions of the other features. All small networks are evaluated
    together. Without hidden layers the basis function of a feature is the feature itself, and
    the model is linear.

    Parameters
    ----------
    n_features : int
        Width of the input.
    hidden_dims : sequence of int
        Widths of the layers of each small network. The last width is the number of basis
        functions of a feature.
    activation : str, default="relu"
        Activation of each layer, a key of ``ACTIVATIONS``.
    dropout : float, default=0.0
        Share of hidden units that is dropped in training.
    """

    others: Tensor

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        *,
        activation: str = "relu",
        dropout: float = 0.0,
    ):
        super().__init__()
        # NOTE[DIFF]: all targets share the networks of the inputs, and the activations are
        # ReLUs by default. In the paper they are exponential units, and there are penalties.
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise([1, *hidden_dims]):
            layers += [PackedLinear(n_features, n_in, n_out), ACTIVATIONS[activation]()]
            if dropout:
                layers.append(nn.Dropout(dropout))
        self.basis = nn.Sequential(*layers)
        n_basis = hidden_dims[-1] if hidden_dims else 1
        bound = (n_basis * n_features) ** -0.5
        weight = torch.empty(n_features, n_basis, n_features).uniform_(-bound, bound)
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.zeros(n_features))
        self.register_buffer("others", 1 - torch.eye(n_features)[:, None, :])

    def _weighted(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return basis functions (inputs, n, k) and weights (inputs, k, targets)."""
        # ``others`` sets the weights of a feature in its own prediction to zero.
        return self.basis(x.t()[:, :, None]), self.weight * self.others

    def predict(self, x: Tensor) -> Tensor:
        """Predict each feature of rows (n, n_features) from the others."""
        basis, weight = self._weighted(x)
        basis = basis.transpose(0, 1).flatten(1)
        return self.bias + rowwise_product(basis, weight.flatten(0, 1))

    def contributions(self, x: Tensor) -> Tensor:
        """Return the contributions of inputs to predictions, (n, targets, inputs).

        A prediction is the bias of the target plus the sum of its contributions.
        """
        return rowwise_product(*self._weighted(x)).permute(1, 2, 0)


class MaskedPredictor(FeaturePredictor):
    """A network that predicts the hidden features of a row from its visible features.

    The input is the row, with zeros in place of hidden values, and a mask of the hidden
    features. In training one random feature of each row is hidden, and also a random share of
    the other features. The output in training is a pair of the predictions and the mask,
    because the loss counts hidden features only. In evaluation only the feature that is
    predicted is hidden.

    Parameters
    ----------
    n_features : int
        Width of the input.
    hidden_dims : sequence of int
        Widths of the hidden layers, at least one.
    mask_rate : float, default=0.5
        Upper bound of the share of the other features that is hidden in training. For each
        row the share is drawn from a uniform distribution between 0 and this number.
    activation : str, default="relu"
        Activation of the hidden layers, a key of ``ACTIVATIONS``.
    dropout : float, default=0.0
        Share of hidden units that is dropped in training.
    """

    def __init__(
        self,
        n_features: int,
        hidden_dims: Sequence[int],
        *,
        mask_rate: float = 0.5,
        activation: str = "relu",
        dropout: float = 0.0,
    ):
        super().__init__()
        self.mask_rate = mask_rate
        self.of_values = nn.Linear(n_features, hidden_dims[0])
        self.of_mask = nn.Linear(n_features, hidden_dims[0], bias=False)
        self.head = nn.Linear(hidden_dims[-1], n_features)
        dims = [*hidden_dims, n_features]
        body = [*MLP(dims, activation=activation, dropout=dropout)][:-1]
        dropped = [nn.Dropout(dropout)] if dropout else []
        self.body = nn.Sequential(ACTIVATIONS[activation](), *dropped, *body)

    def draw_mask(self, x: Tensor) -> Tensor:
        """Draw a mask (n, n_features) for rows: 1 for hidden values, 0 for visible ones."""
        shares = self.mask_rate * torch.rand(x.shape[0], 1, device=x.device)
        hidden = (torch.rand_like(x) < shares).to(x.dtype)
        target = torch.randint(x.shape[1], (x.shape[0], 1), device=x.device)
        return hidden.scatter(1, target, 1.0)

    def predict_hidden(self, x: Tensor, hidden: Tensor) -> Tensor:
        """Predict rows (n, n_features) from the values that the mask does not hide."""
        return self.head(self.body(self.of_values(x * (1 - hidden)) + self.of_mask(hidden)))

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Predict rows (n, n_features); in training also return the mask."""
        if not self.training:
            return super().forward(x)
        hidden = self.draw_mask(x)
        return self.predict_hidden(x, hidden), hidden

    def predict(self, x: Tensor) -> Tensor:
        """Predict each feature of rows (n, n_features) with this feature hidden.

        Each pass hides one feature, or several if there are more than 128. Each 128th feature
        is in the same pass, because features that go together often stand side by side.
        """
        # NOTE[DIFF]: in the papers each feature sees all others, however many there are.
        n_passes = min(x.shape[1], MAX_PASSES)
        all_features, parts = torch.arange(x.shape[1], device=x.device), []
        for first in range(0, n_passes, PASSES_AT_ONCE):
            last = min(first + PASSES_AT_ONCE, n_passes)
            # Feature by feature of the first pass, then of the second, and so on.
            by_pass = [all_features[i::n_passes] for i in range(first, last)]
            parts.append((torch.cat(by_pass), [part.shape[0] for part in by_pass]))
        predicted = [self._predict_group(x, *part) for part in parts]
        order = torch.cat([features for features, _ in parts])
        return torch.cat(predicted, dim=1)[:, order.argsort()]

    def _predict_group(self, x: Tensor, features: Tensor, sizes: list[int]) -> Tensor:
        """Predict features (k,) of rows, hidden together in passes of some sizes: (n, k)."""
        passes = torch.arange(len(sizes), device=x.device)
        numbers = torch.cat([passes[i].expand(size) for i, size in enumerate(sizes)])
        hidden = (numbers == passes[:, None]).to(x.dtype)
        # Features outside the group are summed once for all its passes. Subtracting the terms
        # of the hidden features from the full sum would be faster, but rounding would leave a
        # trace of a feature in its prediction.
        others = x.index_fill(1, features, 0)
        outside = (
            self.of_values(others) + F.linear(hidden, self.of_mask.weight[:, features])[:, None]
        )
        shown = x[:, features] * (1 - hidden)[:, None]
        inside = F.linear(shown, self.of_values.weight[:, features])
        codes = self.body(outside + inside)[numbers]
        weights, biases = self.head.weight[features], self.head.bias[features]
        return torch.linalg.vecdot(codes, weights[:, None]).t() + biases
