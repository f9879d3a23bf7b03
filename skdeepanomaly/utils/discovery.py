"""List of all detectors of the package, like ``sklearn.utils.discovery``."""


def all_detectors() -> list[tuple[str, type]]:
    """Return the names and classes of all detectors of the package.

    Returns
    -------
    detectors : list of (str, type)
        Names and classes, sorted by name.

    Examples
    --------
    >>> from skdeepanomaly.utils import all_detectors
    >>> [name for name, _ in all_detectors()][:2]
    ['ALAD', 'AdversarialAutoEncoder']
    """
    from .. import detectors, meta, series

    found = {name: getattr(detectors, name) for name in detectors.__all__}
    found["ClusterwiseDetector"] = meta.ClusterwiseDetector
    found["EnsembleDetector"] = meta.EnsembleDetector
    found["UnivariateDetector"] = series.UnivariateDetector
    return sorted(found.items())
