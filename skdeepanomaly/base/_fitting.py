"""Fitting of a detector: it succeeds, or it leaves the detector unchanged."""

from contextlib import contextmanager, nullcontext

import numpy as np

from .._version import __version__
from ..callbacks import BackupAndRestore, SampleRecorder, fingerprint
from ..engine import (
    SHUFFLE_BUFFER_BYTES,
    DetectorNet,
    check_device,
    draw_seed,
    isolated_rng,
    map_in_blocks,
)
from ..thresholds import choose_offset
from ..utils.undoing import undone_on_error
from ..utils.validation import plain_number, warn_if_few_after_fit, warn_if_one_batch
from ..utils.warn import recorded_warnings
from ._building import continued_net, fixed_params, make_net, refuse_changes
from ._progress import open_progress
from ._reservoir import Reservoir


def fit_from_scratch(detector, X, y, reservoir: Reservoir | None = None, chunks=None):
    """Train a new network and set the threshold.

    Parameters
    ----------
    detector : BaseDeepDetector
        The detector; unchanged if the fit fails.
    X : array-like of shape (n_samples, n_features)
        Training rows.
    y : array-like of shape (n_samples,) or None
        Labels.
    reservoir : Reservoir or None, default=None
        Sample of the rows of earlier calls. X is added to it, and the threshold is computed
        from the sample. With None the threshold is computed from X, and no rows are kept.
    chunks : ChunkBatches or None, default=None
        What ``net_`` is trained on, chunk by chunk; X is then a sample of these rows, from
        which all else is computed.

    Returns
    -------
    detector : BaseDeepDetector
        The fitted detector.

    Raises
    ------
    ValueError
        If a parameter, X or a label is not valid, or if the training diverges.
    KeyboardInterrupt
        After Ctrl-C, when the threshold is set.
    """
    with whole_fit(detector):
        X = detector._validate_X(X, reset=True, min_samples=2)
        y = detector._validate_y(y, len(X), first=True)
        detector._warn_if_unscaled(X)
        X = _to_float32(X)
        seed = draw_seed(detector.random_state)
        device = check_device(detector.device)
        with isolated_rng(seed, device):
            detector._reservoir = None if reservoir is None else reservoir.add(X, seed)
            rows, targets = detector._rows_of_members(*detector._training_rows(X, y))
            warn_if_one_batch(detector.batch_size, len(rows))
            detector.net_ = make_net(detector, rows, targets, device, seed)
            _open_recorders(detector)
            backup = _open_backup(detector, X, y)
            with nullcontext() if chunks is None else chunks.feeding(detector):
                interrupted = _train_phases(detector, X, rows, targets, backup)
            interrupted |= _finish(detector, X)
        detector._n_calls = 0
        detector._fixed_params = fixed_params(detector)
        if backup is not None:
            backup.close(delete=not interrupted)
    if interrupted:
        raise KeyboardInterrupt
    return detector


def fit_further(detector, X, y, reservoir: Reservoir | None = None):
    """Train the network of a fitted detector further, and set a new threshold.

    Parameters, return value and errors are those of :func:`fit_from_scratch`. There is also a
    ``ValueError`` if parameters were changed that may not change between calls.
    """
    with whole_fit(detector):
        refuse_changes(detector)
        X = detector._validate_X(X, reset=False, min_samples=2)
        y = detector._validate_y(y, len(X), first=False)
        if reservoir is not None and reservoir.rows is None:
            warn_if_few_after_fit(len(X))
        X = _to_float32(X)
        detector._n_calls += 1
        seed = draw_seed(detector.random_state, detector._n_calls)
        # The device of the net, not of the parameters: a detector that was loaded on another
        # machine can be on another device.
        with isolated_rng(seed, detector.net_.device):
            detector._reservoir = None if reservoir is None else reservoir.add(X, seed)
            rows, targets = detector._rows_of_members(*detector._training_rows(X, y))
            detector.net_ = continued_net(detector, rows, targets, seed)
            _open_recorders(detector)
            with open_progress(detector, [detector.net_]) as watchers:
                interrupted = _train(detector.net_, rows, targets, watchers)
            interrupted |= _finish(detector, X)
    if interrupted:
        raise KeyboardInterrupt
    return detector


@contextmanager
def whole_fit(detector):
    """Fit as a whole: with checked parameters, recorded warnings, and undone after an error."""
    with undone_on_error(detector), checked_params(detector), recorded_warnings() as texts:
        yield
        detector.fit_warnings_ = texts


@contextmanager
def checked_params(detector):
    """Check the parameters, and make their numbers Python's own for the block.

    Sums of numpy's small integers overflow, and torch does not take every number as a float.
    """
    detector._validate_params()
    given = {name: getattr(detector, name) for name in detector._parameter_constraints}
    constraints = detector._parameter_constraints
    for name, value in given.items():
        setattr(detector, name, plain_number(name, value, constraints[name]))
    try:
        yield
    finally:
        vars(detector).update(given)


def _to_float32(X: np.ndarray) -> np.ndarray:
    """Convert small tables to float32 once.

    A copy of a larger table would take much memory; its rows are converted batch by batch.
    """
    return X.astype(np.float32) if X.nbytes <= 2 * SHUFFLE_BUFFER_BYTES else X


def _train_phases(
    detector, X: np.ndarray, rows: np.ndarray, targets, backup: BackupAndRestore | None
) -> bool:
    """Pre-train on X, train on rows and targets; return whether Ctrl-C ended the training."""
    phases = [*detector._pretraining_nets(X), detector.net_]
    interrupted = False
    with open_progress(detector, phases) as watchers:
        if backup is not None:
            watchers = [backup, *watchers]
        for phase, net in enumerate(phases):
            # Pre-training does not use labels; only the training of ``net_`` gets them.
            is_last = net is detector.net_
            if is_last:
                detector._initialize_state(X)
            if not interrupted and (backup is None or backup.begin_phase(phase)):
                x, y = (rows, targets) if is_last else (X, None)
                interrupted = _train(net, x, y, watchers)
    return interrupted


def _train(net: DetectorNet, X: np.ndarray, y, watchers: list) -> bool:
    """Train a net; return whether Ctrl-C ended the training."""
    net.watchers = watchers
    net.partial_fit(X, y)
    del net.watchers
    net.epochs_restored_ = 0
    return net.interrupted_


def _finish(detector, X: np.ndarray) -> bool:
    """Set the state that scores need, and the threshold; return whether Ctrl-C was pressed."""
    detector.net_.eval()
    rows = X if detector._reservoir is None else detector._reservoir.rows
    try:
        _set_scores(detector, rows)
    except KeyboardInterrupt:
        # The training is complete, so set the threshold all the same; a second Ctrl-C ends
        # this, too.
        _set_scores(detector, rows)
        return True
    return False


def _set_scores(detector, X: np.ndarray) -> None:
    detector._finalize_state(X)
    if not detector._is_unbounded():
        detector._set_reference(X)
    net = detector.net_
    # Without the penalty of far rows: no training row is one.
    scores = map_in_blocks(detector._score_rows, X, net.device, width=net.width)
    np.negative(scores, out=scores)
    n_bad = len(scores) - np.count_nonzero(np.isfinite(scores))
    if n_bad:
        raise ValueError(
            f"Training diverged: {n_bad} of {len(scores)} training rows have no finite"
            f" score after epoch {detector.n_epochs_}. Lower the learning rate (now"
            f" {detector.lr}) or scale X (for example with StandardScaler)."
        )
    if not detector._is_unbounded():
        detector._set_far_distance(X, scores)
    detector.offset_ = choose_offset(scores, detector.contamination)


def _open_recorders(detector) -> None:
    for _, callback in detector.net_.callbacks_:
        if isinstance(callback, SampleRecorder):
            callback.open(detector)


def _open_backup(detector, X: np.ndarray, y) -> BackupAndRestore | None:
    """Return the BackupAndRestore among the callbacks, opened for this fit, or None."""
    callbacks = detector.net_.callbacks_
    backups = [callback for _, callback in callbacks if isinstance(callback, BackupAndRestore)]
    if not backups:
        return None
    if len(backups) > 1:
        raise ValueError(
            f"callbacks holds {len(backups)} BackupAndRestore, expected at most one: it saves"
            " the whole state of a fit. Leave the others out."
        )
    params = detector.get_params()
    # The key must not depend on them: ``verbose`` does not change the result of a fit, and
    # ``callbacks`` holds the backup itself.
    del params["verbose"], params["callbacks"]
    others = [
        (name, type(callback), callback.get_params())
        for name, callback in callbacks
        if callback is not backups[0]
    ]
    backups[0].open(fingerprint(type(detector), __version__, params, others, X, y))
    return backups[0]
