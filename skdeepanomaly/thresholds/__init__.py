"""Rules that find a threshold in a sample of scores."""

from ._base import BaseThreshold
from ._conformal import ConformalThreshold, conformal_rank, too_few_to_calibrate
from ._deviations import IQRThreshold, MADThreshold, ZScoreThreshold, medcouple
from ._gaussian_mixture import GaussianMixtureThreshold
from ._offsets import choose_offset, contamination_offset, robust_offset
from ._pot import POTThreshold
from ._simple import FixedThreshold, QuantileThreshold

# Names of the rules in the parameters of meta-estimators.
THRESHOLDS = {
    "conformal": ConformalThreshold,
    "fixed": FixedThreshold,
    "gaussian_mixture": GaussianMixtureThreshold,
    "iqr": IQRThreshold,
    "mad": MADThreshold,
    "pot": POTThreshold,
    "quantile": QuantileThreshold,
    "zscore": ZScoreThreshold,
}

__all__ = [
    "THRESHOLDS",
    "BaseThreshold",
    "ConformalThreshold",
    "FixedThreshold",
    "GaussianMixtureThreshold",
    "IQRThreshold",
    "MADThreshold",
    "POTThreshold",
    "QuantileThreshold",
    "ZScoreThreshold",
    "choose_offset",
    "conformal_rank",
    "contamination_offset",
    "medcouple",
    "robust_offset",
    "too_few_to_calibrate",
]
