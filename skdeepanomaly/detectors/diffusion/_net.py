"""Nets that learn from noised rows."""

from typing import Any

from skorch import NeuralNet
from skorch.dataset import unpack_data

from ...engine import OneCycleNet


class NoiseNet(OneCycleNet):
    """A net whose criterion draws noise for the rows of each batch.

    The criterion has a method ``draw(x)``, which returns noised rows and what is to be
    predicted of them.
    """

    def _noised(self, batch: Any) -> Any:
        return self.criterion_.draw(self._inputs(unpack_data(batch))[0])

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Draw noise for a batch and take one step."""
        return super().train_step(self._noised(batch), **fit_params)

    def validation_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Draw noise for a batch and compute the loss."""
        self._set_training(False)
        return super().validation_step(self._noised(batch), **fit_params)


class ScoreMatchingNet(NoiseNet):
    """A net whose criterion keeps the moving average of the weights while it trains."""

    def on_train_begin(
        self, net: NeuralNet, X: Any = None, y: Any = None, **kwargs: Any
    ) -> None:
        """Also start the average, before a backup restores it."""
        self.criterion_.start_teacher(self.module_)
        super().on_train_begin(net, X=X, y=y, **kwargs)

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Take one step, and move the average."""
        step = super().train_step(batch, **fit_params)
        self.criterion_.move_teacher(self.module_)
        return step

    def on_train_end(self, net: NeuralNet, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Also drop the average."""
        super().on_train_end(net, X=X, y=y, **kwargs)
        self.criterion_.stop_teacher()
