"""Find the detectors of the package, as scikit-learn finds its estimators."""


def all_detectors() -> list[tuple[str, type]]:
    """List every detector that the package exports.

    Returns
    -------
    detectors : list of (str, type)
        Names and classes, in alphabetical order.

    Examples
    --------
    >>> from skdeepanomaly.utils import all_detectors
    >>> [name for name, _ in all_detectors()][:2]
    ['ALAD', 'AdversarialAutoEncoder']
    """
    from .. import detectors, meta

    found = {name: getattr(detectors, name) for name in detectors.__all__}
    found["ClusterwiseDetector"] = meta.ClusterwiseDetector
    return sorted(found.items())
