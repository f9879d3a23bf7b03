"""What "auto" means for ``max_epochs`` and ``batch_size``."""

import numpy as np
import pytest
from conftest import make_rows
from skorch.callbacks import Callback

from skdeepanomaly import AutoEncoder, DeepSVDD, DevNet


class StopAtOnce(Callback):
    def on_epoch_begin(self, net, **kwargs):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("detector", "n_rows", "epochs", "batch_size"),
    [
        # About a thousand steps, but between 10 and 100 epochs.
        (AutoEncoder(), 100, 100, 100),
        (AutoEncoder(), 5120, 50, 256),
        (AutoEncoder(), 60_000, 10, 256),
        # No more than 4,000 steps.
        (AutoEncoder(batch_size=10), 10_000, 4, 10),
        (AutoEncoder(batch_size=2), 20_000, 1, 2),
        (DeepSVDD(pretrain_epochs=0), 5120, 8, 256),
        (DeepSVDD(pretrain_epochs=0, batch_size=1), 200, 1, 1),
        # The drawn anomalies count as rows.
        (DevNet(anomaly_share=0.5), 640, 50, 128),
        (DevNet(anomaly_share=None), 640, 100, 128),
    ],
)
def test_training_is_of_automatic_length(detector, n_rows, epochs, batch_size):
    y = np.where(np.arange(n_rows) < 5, -1, 0) if isinstance(detector, DevNet) else None
    small = {"hidden_dims": (4,), "callbacks": [("stop", StopAtOnce())], "random_state": 0}
    with pytest.raises(KeyboardInterrupt):
        detector.set_params(**small).fit(make_rows(n_rows), y)
    net = detector.net_
    assert (net.max_epochs, net.batch_size) == (epochs, batch_size)
