"""Sampling of labelled anomalies, for detectors that learn from labels."""

from .._parameters import SHARE

ANOMALY_SHARE_CONSTRAINTS: dict = {"anomaly_share": [SHARE, None]}


class AnomalyShareMixin:
    """For detectors with the parameter ``anomaly_share``: a fixed share of each batch."""

    def _net_params(self):
        return {**super()._net_params(), "iterator_train__anomaly_share": self.anomaly_share}

    def _rows_in_epoch(self, n_samples, y):
        # Labelled anomalies fill this share of each batch, so that one pass over the other
        # rows takes 1 / (1 - share) times as many batches. Without any, batches hold
        # other rows alone.
        share = self.anomaly_share or 0
        return round(n_samples / (1 - share)) if (y == -1).any() else n_samples
